# SPDX-License-Identifier: BSD-2-Clause
"""What virtifd keeps and hands on: the flight recorder's losses and filters, and a recording that its end cuts short.

usage: trace_keep_test.py VIRTIFD VIRTIFCTL DATA_FOLDER
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

from daemon_case import SANITIZED, USAGE, VIRTIFCTL, DaemonCase

DATA = Path(sys.argv[3]).resolve()


class TraceKeep(DaemonCase):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "trace.dat"
        self.ctl("link", "add", "virt0", "linkstr", "mem:lan", "up")

    def events(self):
        return json.loads(subprocess.run([VIRTIFCTL, "trace", "report", "-j", self.file], capture_output=True, text=True,
                                         check=True, timeout=60).stdout)

    def test_no_pattern_is_no_wish(self):
        self.ctl("trace", "enable", "-e", "running")
        self.ctl("link", "set", "virt0", "down")
        for words in (("disable", "-e", ""), ("enable", "-e", ""), ("record", "-e", "", "-o", str(self.file)), ("stream", "-e", " ")):
            self.assertIn("virtif:*", self.ctl("trace", *words, status=USAGE), words)
        self.assertFalse(self.file.exists())
        with self.client() as client:
            for method in ("trace.enable", "trace.disable", "trace.record"):
                self.assertEqual(client.call(method, events="   ")["data"]["errno"], "EINVAL", method)
        self.ctl("trace", "extract", "-o", str(self.file))
        self.assertEqual([e["fields"]["on"] for e in self.events()], [0])

    def test_losses_are_told_once(self):
        self.ctl("trace", "enable", "-e", "running", "-b", "8")
        with self.client() as client:
            for _ in range(300):
                for change in ("down", "up"):
                    client.call("link.set", ifname="virt0", up=change == "up")
        extract = lambda: subprocess.run([VIRTIFCTL, "trace", "extract", "-o", self.file, "--socket", self.path], check=True,
                                         capture_output=True, text=True, timeout=60).stderr
        self.assertIn(" lost for want of room", extract())
        self.assertNotIn("lost", extract())

    def test_a_stream_whose_reader_is_slow_ends_in_order(self):
        run = subprocess.Popen([VIRTIFCTL, "trace", "stream", "-e", "running", "--socket", self.path], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (run.poll() is None and run.kill(), run.wait(20)))
        while "Used by ftrace" not in self.ctl("trace", "status", "virtif"):
            time.sleep(0.02)
        with self.client() as client:
            for number in range(2000):  # more than a pipe holds
                client.call("link.set", ifname="virt0", up=number % 2 == 1)
        time.sleep(0.2)
        run.send_signal(signal.SIGINT)
        time.sleep(0.1)
        out, err = run.communicate(timeout=20)
        self.assertEqual((run.returncode, err), (0, ""))
        self.assertEqual(len(out.splitlines()), 2000)

    def test_a_filter_again_costs_no_memory(self):
        filter = " || ".join(["on == 3"] * 300)
        resident = lambda: int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.daemon.pid}/status").read_text())[1])
        with self.client() as client:
            enable = lambda times: [self.assertEqual(client.call("trace.enable", events="virtif:running", filter=filter), {})
                                    for _ in range(times)]
            enable(50)
            before = resident()
            enable(300)
        if not SANITIZED:  # which keeps what was freed
            self.assertLess(resident() - before, 4096)

    def test_what_is_recorded_when_virtifd_ends_comes_whole(self):
        """More at once than a socket takes."""
        wire = f"shm:/vif-trace-{os.getpid()}"
        self.ctl("link", "add", "virt2", "linkstr", wire, "up")
        flood = subprocess.Popen([VIRTIFCTL, "replay", DATA / "multicast.pcap", "--to", wire, "--speed", "top", "--loop", "forever"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (flood.kill(), flood.wait(20)))
        record = subprocess.Popen([VIRTIFCTL, "trace", "record", "-b", "65536", "-o", self.file, "--socket", self.path],
                                  stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (record.kill(), record.wait(20), record.stderr.close()))
        record.stderr.readline()
        time.sleep(0.5)
        self.daemon.send_signal(signal.SIGTERM)
        said = record.stderr.read()
        record.wait(20)
        flood.kill()
        self.assertNotIn("no virtifd", said)
        self.assertGreater(len(self.events()), 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
