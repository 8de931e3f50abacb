# SPDX-License-Identifier: BSD-2-Clause
"""The stack of examples/embed.cpp answers a real ping.

usage: example_embed_test.py PROGRAM
"""

import subprocess
import sys
import unittest

import peers


class Embed(unittest.TestCase):
    def test_answers_ping(self):
        with subprocess.Popen([sys.argv[1], "tap:vif0", "192.0.2.1"], stdout=subprocess.PIPE, text=True) as stack:
            try:
                self.assertEqual(stack.stdout.readline(), "answering\n")
                peers.up("vif0", "192.0.2.2/24")
                said = peers.run("ping -c 20 -i 0.01 -W 5 192.0.2.1").decode()
                self.assertIn("20 packets transmitted, 20 received", said)
                stack.terminate()
                self.assertEqual(stack.wait(30), 0)
            finally:
                stack.kill()


if __name__ == "__main__":
    peers.alone("ping", "ip")
    unittest.main(argv=sys.argv[:1])
