# SPDX-License-Identifier: BSD-2-Clause
"""TCP under loss, reordering, doubles and damage on the simulated host: one seed, one trace, to the last byte and
nanosecond, in whichever process.

usage: same_twice_test.py LWIP_TRACE
"""

import subprocess
import sys
import unittest

LWIP_TRACE = sys.argv.pop(1)


def trace(seed):
    return subprocess.run([LWIP_TRACE, str(seed)], check=True, capture_output=True, timeout=120).stdout


class SameTwice(unittest.TestCase):
    def test_one_seed_gives_one_trace(self):
        for seed in (1, 2):
            first = trace(seed)
            self.assertGreater(len(first), 500_000)
            self.assertEqual(first, trace(seed))

    def test_another_seed_gives_another(self):
        self.assertNotEqual(trace(1), trace(2))


if __name__ == "__main__":
    unittest.main()
