# SPDX-License-Identifier: BSD-2-Clause
"""`virtifctl dump` from a user's chair: who is on a segment, the last frames of the living and the dead, as text, as
JSON and as captures that tcpdump reads.

usage: dump_cli_test.py VIRTIFCTL SHM_SEGMENT
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

VIRTIFCTL, SHM_SEGMENT = (Path(word).resolve() for word in sys.argv[1:3])
FAILED, USAGE = 1, 2
NAME = f"shm:/dump-cli-{os.getpid()}"


def ctl(*words):
    return subprocess.run([VIRTIFCTL, *map(str, words)], capture_output=True, text=True, check=False, timeout=60)


class Segment:
    """Attachers in a process of their own: alive inside `with`, or killed before it begins."""

    def __init__(self, attachers, frames, end="stay"):
        self.process = subprocess.Popen([SHM_SEGMENT, NAME, str(attachers), str(frames), end], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = int(self.process.stdout.readline())
        if end == "die":
            self.process.communicate(timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate(timeout=60)


class Dump(unittest.TestCase):
    def tearDown(self):
        with Segment(1, 0):  # takes over what the dead have left, and clears it away
            pass
        self.assertEqual(ctl("dump", NAME).returncode, FAILED)

    def json(self):
        run = ctl("dump", NAME, "-j")
        self.assertEqual(run.returncode, 0, run.stderr)
        return json.loads(run.stdout)

    def test_lists_attachers_and_frames(self):
        with Segment(2, 3) as segment:
            run = ctl("dump", NAME)
            shown = self.json()
        self.assertEqual(run.returncode, 0, run.stderr)
        attachers, frames = run.stdout.split("\n\n")
        self.assertRegex(attachers, rf"(?m)^ +0  virt0 +{segment.pid}  attached +3 +3$")
        self.assertRegex(attachers, rf"(?m)^ +1  virt1 +{segment.pid}  attached +3 +3$")
        self.assertEqual(len(frames.splitlines()), 1 + 6)
        self.assertRegex(frames, r"Z +0  virt0 +60  02:00:5e:10:00:02  ff:ff:ff:ff:ff:ff  0x88b5\n")
        self.assertEqual([a["interface"] for a in shown["attachers"]], ["virt0", "virt1"])
        self.assertTrue(all(a["attached"] for a in shown["attachers"]))
        self.assertEqual([f["bytes"] for f in shown["frames"] if f["attacher"] == 1], [60, 61, 62])
        self.assertEqual({(f["dst"], f["src"], f["type"]) for f in shown["frames"]},
                         {("ff:ff:ff:ff:ff:ff", "02:00:5e:10:00:02", 0x88b5)})
        times = [f["time_ns"] for f in shown["frames"]]
        self.assertEqual(times, sorted(times))

    def test_shows_the_frames_of_the_dead(self):
        killed = Segment(2, 5, "die")
        shown = self.json()
        self.assertEqual([(a["process"], a["attached"], a["kept"]) for a in shown["attachers"]],
                         [(killed.pid, False, 5)] * 2)
        self.assertIn("gone", ctl("dump", NAME).stdout)

    def test_writes_captures(self):
        killed = Segment(2, 4, "die")
        with tempfile.TemporaryDirectory() as folder:
            for ending in ("pcapng", "pcap"):
                path = Path(folder) / f"dump.{ending}"
                run = ctl("dump", NAME, "-w", path)
                self.assertEqual(run.returncode, 0, run.stderr)
                self.assertIn("virt1", run.stdout)
                self.assertNotIn("0x88b5", run.stdout)
                replayed = json.loads(ctl("replay", path, "--promisc", "-j").stdout)
                self.assertEqual(replayed[0]["frames"], 8)
                self.assertEqual(replayed[0]["passed"]["bytes"], 2 * (60 + 61 + 62 + 63))
            names = (Path(folder) / "dump.pcapng").read_bytes()
            self.assertIn(f"virt1@{killed.pid}".encode(), names)
            if shutil.which("tcpdump"):
                read = subprocess.run(["tcpdump", "-n", "-r", Path(folder) / "dump.pcapng"], capture_output=True,
                                      text=True, check=False)
                self.assertEqual(read.stdout.count("0x88b5"), 8, read.stderr)

    def test_says_what_is_wrong(self):
        run = ctl("dump", NAME)
        self.assertEqual(run.returncode, FAILED)
        self.assertIn("No such file", run.stderr)
        for words in ((), ("mem:lan",), ("shm:lan",), (NAME, "-w", "x.txt"), ("nonsense",)):
            run = ctl("dump", *words)
            self.assertEqual(run.returncode, USAGE, words)
            self.assertNotEqual(run.stderr, "", words)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
