# SPDX-License-Identifier: BSD-2-Clause
"""virtifctl bridge, as a user sees it.

usage: bridge_cli_test.py VIRTIFCTL
"""

import json
import signal
import subprocess
import sys
import time
import unittest

VIRTIFCTL = sys.argv.pop(1)


def bridge(*words, seconds=0.0):
    """Runs it until it bridges, for as long, and interrupts it: status, standard output."""
    with subprocess.Popen([VIRTIFCTL, "bridge", *words], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as running:
        assert "bridging" in running.stderr.readline()
        time.sleep(seconds)
        running.send_signal(signal.SIGTERM)
        return running.communicate(timeout=60)[0], running.returncode


class Bridge(unittest.TestCase):
    def test_passes_frames_and_accounts_for_every_one(self):
        for patience in (0.2, 2, 20):
            out, status = bridge("-j", "null:,rx=1000", "null:", "mem:b", seconds=patience)
            self.assertEqual(status, 0)
            first, second, third = json.loads(out)
            self.assertEqual(sum(first["bridged"].values()), first["in"])
            for other in (second, third):
                self.assertEqual(other["out"], first["bridged"]["flooded"] + other["probes"])
            if first["in"] == 1000:
                break
        self.assertEqual(first["in"], 1000)
        self.assertEqual(second["in"], 0)

    def test_prints_a_line_a_port(self):
        out, status = bridge("mem:a", "mem:b")
        self.assertEqual(status, 0)
        lines = out.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertTrue(lines[1].startswith("virt0") and "mem:a" in lines[1])

    def test_says_which_link_is_wrong(self):
        done = subprocess.run([VIRTIFCTL, "bridge", "mem:a", "nosuch:b"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nosuch:b", done.stderr)

    def test_one_link_is_a_usage_error(self):
        done = subprocess.run([VIRTIFCTL, "bridge", "mem:a"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
