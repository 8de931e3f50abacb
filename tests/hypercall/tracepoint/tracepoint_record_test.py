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

PROGRAM = Path(sys.argv.pop(1)).resolve()


def run(record, *words, **more):
    env = {**os.environ, "VIRTIF_TRACEPOINT_RECORD": str(record)}
    return subprocess.run([PROGRAM, *words], env=env, capture_output=True, text=True, check=False, timeout=60, **more)


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

    def test_a_program_that_it_executes_leaves_its_file_alone(self):
        ran = run(self.path)
        alone = self.path.stat().st_size
        ran = run(self.path, "parent")
        self.assertEqual((ran.returncode, ran.stderr), (0, f"VIRTIF_TRACEPOINT_RECORD: {self.path}: Device or resource busy\n"))
        self.assertEqual(self.path.stat().st_size, alone)

    def test_not_asked_it_writes_nothing(self):
        ran = run("")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertFalse(self.path.exists())

    def test_the_file_is_where_it_was_asked_for(self):
        ran = run("trace.dat", "elsewhere", cwd=self.folder.name)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertGreater(self.path.stat().st_size, 4096)

    def test_what_is_lost_is_told(self):
        ran = run(self.path, "flood")
        self.assertEqual(ran.returncode, 0)
        self.assertRegex(ran.stderr, r"\AVIRTIF_TRACEPOINT_RECORD: \S+: [1-9]\d* events more were lost: 65536 KiB a thread are full\n\Z")

    def test_a_file_that_cannot_be_written_is_told_of(self):
        ran = run("/no/such/folder/trace.dat")
        self.assertEqual(ran.returncode, 0)
        self.assertEqual(ran.stderr, "VIRTIF_TRACEPOINT_RECORD: /no/such/folder/trace.dat: No such file or directory\n")


unittest.main()
