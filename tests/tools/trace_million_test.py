# SPDX-License-Identifier: BSD-2-Clause
"""A million events, filtered, some lost: each reader of each export is given all of them, and each is what was written.

usage: trace_million_test.py VIRTIFCTL MANY_EVENTS
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

VIRTIFCTL, MANY_EVENTS = (Path(word).resolve() for word in sys.argv[1:3])
OFFERED = 2_400_000
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def lines_of(*words):
    """What a command prints, line by line. It fails with what the command said when that fails."""
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, stderr=errors, text=True) as run:
            yield from run.stdout
        errors.seek(0)
        if run.returncode != 0:
            raise AssertionError(f"{words}: {errors.read()}")


class Million(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.file = Path(cls.scratch.name) / "trace.dat"
        said = subprocess.run([MANY_EVENTS, cls.file, str(OFFERED)], check=True, capture_output=True, text=True).stdout
        cls.kept, cls.lost = map(int, said.split())

    def compare(self, read):
        """`read` gives (time_ns, writer, n, square, name) in the order of time: all that was wanted, but for the lost ones."""
        every = iter(range(1, OFFERED, 2))
        missing = count = 0
        for got in read:
            count += 1
            for i in every:
                if i == got[2]:
                    break
                self.assertNotEqual(i // 100 % 4, 0, "the first writer lost nothing")
                missing += 1
            wanted = (7 * (i + 1), 101 if i // 100 % 4 == 0 else 102, i, i * i, DIGITS[i % 10])
            if got != wanted:
                self.fail(f"{got} instead of {wanted}")
        self.assertEqual((count, missing), (self.kept, self.lost))

    def convert(self, name):
        path = self.file.parent / name
        subprocess.run([VIRTIFCTL, "trace", "convert", self.file, "-o", path], check=True, timeout=120)
        return path

    def test_it_is_a_million_and_some_were_lost(self):
        self.assertGreater(self.kept, 1_000_000)
        self.assertGreater(self.lost, 1000)
        self.assertEqual(self.kept + self.lost, OFFERED // 2)

    @unittest.skipUnless(shutil.which("trace-cmd"), "trace-cmd is not installed")
    def test_trace_cmd(self):
        line = re.compile(r" *\S+-(\d+) +\[00[01]\] +(\d+)\.(\d{9}): +tick: +n=(\d+) square=(\d+) name=(\w+)")
        lost = []

        def read():
            for text in lines_of("trace-cmd", "report", "-t", "-i", self.file):
                if found := line.match(text):
                    pid, seconds, ns, n, square, name = found.groups()
                    yield int(seconds) * 10**9 + int(ns), int(pid), int(n), int(square), name
                elif dropped := re.search(r"\[(\d+) EVENTS DROPPED\]", text):
                    lost.append(int(dropped[1]))

        self.compare(read())
        self.assertEqual(sum(lost), self.lost)

    @unittest.skipUnless(shutil.which("babeltrace2"), "babeltrace2 is not installed")
    def test_babeltrace2(self):
        line = re.compile(r"\[(\d+)\.(\d{9})\] user_events:tick: \{ cpu_id = [01] \}, \{ pid = (\d+) \}, "
                          r'\{ n = (\d+), square = (\d+), name = "(\w+)" \}')

        def read():
            for text in lines_of("babeltrace2", "--clock-seconds", "--no-delta", self.convert("trace.ctf")):
                seconds, ns, pid, n, square, name = line.match(text).groups()
                yield int(seconds) * 10**9 + int(ns), int(pid), int(n), int(square), name

        self.compare(read())

    def test_perfetto_and_chrome(self):
        lost = []

        def read():
            with self.convert("trace.json").open() as file:
                for text in file:
                    if '"ph":"i"' not in text:
                        continue
                    event = json.loads(text.rstrip(",\n]}") + "}}")
                    if event["name"] == "EVENTS DROPPED":
                        lost.append(event["args"]["events"])
                        continue
                    args = event["args"]
                    yield round(event["ts"] * 1000), event["tid"], args["n"], args["square"], args["name"]

        self.compare(read())
        self.assertEqual(sum(lost), self.lost)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
