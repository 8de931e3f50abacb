# SPDX-License-Identifier: BSD-2-Clause
"""Google's packetdrill itself runs our scripts against the plugin: over IPv4, IPv6 and IPv4 on IPv6's sockets.

usage: packetdrill_test.py PLUGIN SCRIPT... Each script passes, but for wrong.pkt, which has to fail. Skipped when no packetdrill that can load a plugin
is found in PATH: it is in no distribution (https://github.com/google/packetdrill).
"""

import shutil
import subprocess
import sys
import unittest
from pathlib import Path

PLUGIN, SCRIPTS = sys.argv[1], [Path(name) for name in sys.argv[2:]]
VERSIONS = {"ipv4": "192.168.0.2", "ipv6": "fd3d:fa7b:d17d::2", "ipv4-mapped-ipv6": "192.168.0.2"}
SKIPPED = 77  # what meson counts as skipped


def play(script, version, *flags):
    words = ["packetdrill", f"--so_filename={PLUGIN}", f"--ip_version={version}", f"--local_ip={VERSIONS[version]}", *flags, script]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)


class Scripts(unittest.TestCase):
    def test_each_passes(self):
        for script in SCRIPTS:
            for version in VERSIONS:
                with self.subTest(script=script.name, version=version):
                    done = play(script, version)
                    if script.name == "wrong.pkt":
                        self.assertEqual(done.returncode, 1)
                        self.assertIn("tcp_ack_seq: expected: 2", done.stderr)
                    else:
                        self.assertEqual(done.returncode, 0, done.stderr)

    def test_wrong_flags_end_it_with_words(self):
        done = play(SCRIPTS[0], "ipv4", "--so_flags=mtu=1")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("virtif-packetdrill: ", done.stderr)


if __name__ == "__main__":
    if shutil.which("packetdrill") is None:
        print("skipped: no packetdrill in PATH")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1])
