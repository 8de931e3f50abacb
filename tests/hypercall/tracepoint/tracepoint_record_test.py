# SPDX-License-Identifier: BSD-2-Clause
"""VIRTIF_TRACEPOINT_RECORD records a program that knows only libtracepoint's interface. usage: tracepoint_record_test.py PROGRAM"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM = sys.argv.pop(1)


def run(record):
    env = {**os.environ, "VIRTIF_TRACEPOINT_RECORD": str(record)}
    return subprocess.run([PROGRAM], env=env, capture_output=True, text=True, check=False, timeout=60)


class Record(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name) / "trace.dat"

    def test_all_it_says_is_in_the_file(self):
        ran = run(self.path)
        self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (0, "", ""))
        if shutil.which("trace-cmd") is None:
            self.skipTest("trace-cmd is not installed")
        report = subprocess.run(["trace-cmd", "report", "-i", self.path], capture_output=True, text=True, check=True, timeout=60).stdout
        events = re.findall(r"tracepoint_prog\w*-\d+ +\[000\] +[\d.]+: (\w+): *(.*)", report)
        self.assertEqual(events, [("greeted", "times=1 whom=world"), ("greeted", "times=2 whom=moon"), ("done", "")])

    def test_not_asked_it_writes_nothing(self):
        ran = run("")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertFalse(self.path.exists())

    def test_a_file_that_cannot_be_written_is_told_of(self):
        ran = run("/no/such/folder/trace.dat")
        self.assertEqual(ran.returncode, 0)
        self.assertEqual(ran.stderr, "VIRTIF_TRACEPOINT_RECORD: /no/such/folder/trace.dat: No such file or directory\n")


unittest.main()
