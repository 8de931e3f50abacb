# SPDX-License-Identifier: BSD-2-Clause
"""`virtifctl trace record --marker`: what is recorded is among the kernel's own events, in an instance of tracefs of the test's.

usage: trace_marker_test.py VIRTIFCTL DATA_FOLDER
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

VIRTIFCTL, DATA = (Path(word).resolve() for word in sys.argv[1:3])
REPLAY = ("virtifctl", "replay", DATA / "multicast.pcap", "--lladdr", "02:76:69:66:00:0b")
FAILED = 1


def ctl(*words):
    return subprocess.run([VIRTIFCTL, *map(str, words)], capture_output=True, text=True, check=False, timeout=120)


def texts(report):
    """What a report says of each event, without whose it is and when."""
    return [re.sub(r": +", ": ", line.split(": ", 1)[1]).rstrip() for line in report.splitlines() if not line.startswith("cpus=")]


class Marker(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.file = self.folder / "trace.dat"

    def record(self, marker, *options):
        run = ctl("trace", "record", "-o", self.file, "--marker", marker, *options, "--", *REPLAY)
        self.assertEqual(run.returncode, 0, run.stderr)
        return run

    def instance(self):
        """One of this test alone, gone with it."""
        tracefs = Path("/sys/kernel/tracing")
        if not (tracefs / "instances").is_dir():
            tracefs = self.folder / "tracefs"
            tracefs.mkdir()
            mount = subprocess.run(["mount", "-t", "tracefs", "tracefs", tracefs], capture_output=True, text=True, check=False)
            if mount.returncode != 0:
                self.skipTest(f"no tracefs here: {mount.stderr.strip()}")
            self.addCleanup(subprocess.run, ["umount", tracefs], check=True)
        instance = tracefs / "instances" / f"vif-test-{os.getpid()}"
        try:
            instance.mkdir()
        except OSError as error:
            self.skipTest(f"no instance of tracefs: {error}")
        self.addCleanup(instance.rmdir)
        return instance

    def marks(self, instance):
        lines = (instance / "trace").read_text().splitlines()
        return [line.split("tracing_mark_write: ", 1)[1].rstrip() for line in lines if "tracing_mark_write: " in line]

    def test_every_event_is_a_mark_of_the_kernels_trace(self):
        instance = self.instance()
        self.record(instance / "trace_marker")
        said = texts(ctl("trace", "report", self.file).stdout)
        self.assertGreater(len(said), 20)
        self.assertEqual(self.marks(instance), said)

    def test_only_what_is_recorded_is_marked(self):
        instance = self.instance()
        self.record(instance / "trace_marker", "-e", "virtif:rx_drop", "-f", 'dst == "01:00:5e:56:49:46"')
        said = texts(ctl("trace", "report", self.file).stdout)
        self.assertEqual(len(said), 4)
        self.assertEqual(self.marks(instance), said)

    def test_what_the_kernel_does_not_take_is_counted(self):
        instance = self.instance()
        (instance / "tracing_on").write_text("0")
        run = self.record(instance / "trace_marker")
        events = len(json.loads(ctl("trace", "report", "-j", self.file).stdout))
        self.assertIn(f"{events} events in {self.file}, {events} not taken by {instance}/trace_marker", run.stderr)

    def test_any_file_takes_the_lines(self):
        marker = self.folder / "marks"
        marker.touch()
        self.record(marker)
        self.assertEqual(marker.read_text().splitlines(), texts(ctl("trace", "report", self.file).stdout))

    def test_a_filter_of_0_is_none(self):
        marker = self.folder / "marks"
        marker.touch()
        self.record(marker, "-f", "0")
        self.assertGreater(len(marker.read_text().splitlines()), 20)

    def test_where_there_is_none_nothing_is_run(self):
        run = ctl("trace", "record", "-o", self.file, "--marker", self.folder / "nowhere", "--", *REPLAY)
        self.assertEqual((run.returncode, run.stdout), (FAILED, ""))
        self.assertIn("nowhere: No such file or directory", run.stderr)
        self.assertFalse(self.file.exists())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
