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
            first, second, third = json.loads(out)["ports"]
            self.assertEqual(sum(first["bridged"].values()), first["in"])
            for other in (second, third):
                self.assertEqual(other["given"], first["bridged"]["flooded"] + other["probes"])
                self.assertEqual(other["given"], other["out"])
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

    def test_takes_options_before_links(self):
        out, status = bridge("-j", "--access", "virt0=10", "--access", "virt1=10", "mem:a", "mem:b", "mem:c")
        self.assertEqual(status, 0)
        self.assertEqual([port["link"] for port in json.loads(out)["ports"]], ["mem:a", "mem:b", "mem:c"])

    def test_says_which_link_is_wrong(self):
        done = subprocess.run([VIRTIFCTL, "bridge", "mem:a", "nosuch:b"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nosuch:b", done.stderr)

    def refused(self, *words):
        done = subprocess.run([VIRTIFCTL, "bridge", *words], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 2, words)
        return done.stderr

    def test_one_link_is_a_usage_error(self):
        self.refused("mem:a")

    def test_says_what_an_option_expects(self):
        wrong = {
            "--access": ("virt0", "virt0=", "virt0=0", "virt0=4095", "virt0=x", "virt2=1", "0=1", "virt=1", "=1"),
            "--trunk": ("virt0", "virt0=", "virt0=1,", "virt0=,1", "virt0=20-10", "virt0=1-", "virt0=-1", "virt0=1-4095"),
            "--static": ("virt0", "virt0=x", "virt0=02:00:00:00:00:01/", "virt0=02:00:00:00:00:01/4095"),
            "--no-flood": ("virt9", "virt0=", "virt0=all", "virt0=unknown,,multicast"),
            "--no-learn": ("virt9", ""),
        }
        for option, words in wrong.items():
            for word in words:
                with self.subTest(f"{option} {word}"):
                    self.assertIn(f"{option} '{word}'", self.refused("mem:a", "mem:b", option, word))
        for option, word in (("--age", "0"), ("--stations-max", "3"), ("--probe", "-1"), ("--flood-rate", "fast")):
            self.assertIn(option, self.refused("mem:a", "mem:b", option, word))

    def test_says_which_port_a_static_station_cannot_be_on(self):
        done = subprocess.run([VIRTIFCTL, "bridge", "mem:a", "mem:b", "--trunk", "virt1=10", "--static",
                               "virt1=02:00:00:00:00:01/20"], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("mem:b: virt1 is not in VLAN 20", done.stderr)

    def test_static_stations_and_floods_as_told(self):
        out, status = bridge("-j", "--stations", "null:,rx=100", "mem:a", "mem:b", "--no-flood", "virt1", "--no-flood",
                             "virt2=multicast,broadcast", "--no-learn", "virt0", "--static", "virt2=02:00:00:00:00:07",
                             "--probe", "0", seconds=1)
        self.assertEqual(status, 0)
        result = json.loads(out)
        self.assertEqual([port["given"] for port in result["ports"]], [0, 0, 100])
        self.assertEqual(result["stations"], [{"address": "02:00:00:00:00:07", "vlan": 0, "port": "virt2",
                                               "static": True, "silent_s": 0}])

    def test_prints_who_was_where(self):
        out, status = bridge("--stations", "null:,rx=5", "mem:b", "--access", "virt0=7", "--trunk", "virt1=7,8", seconds=1)
        self.assertEqual(status, 0)
        self.assertRegex(out, r"02:00:00:00:00:01  virt0    vlan 7, heard \d+ s ago")


if __name__ == "__main__":
    unittest.main()
