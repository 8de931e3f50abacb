# SPDX-License-Identifier: BSD-2-Clause
"""`virtifctl trace` against a running virtifd: what is recorded is what its counters say, and others are left alone.

usage: trace_daemon_test.py VIRTIFD VIRTIFCTL
"""

import grp
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest

from daemon_case import FAILED, SANITIZED, USAGE, VIRTIFCTL, DaemonCase

NOBODY = 65534


class TraceDaemon(DaemonCase):
    def setUp(self):
        super().setUp()
        self.file = self.folder / "trace.dat"
        for name in ("virt0", "virt1"):
            self.ctl("link", "add", name, "linkstr", "mem:lan", "up")

    def begin(self, *words):
        """A virtifctl that records, once it does."""
        run = subprocess.Popen([VIRTIFCTL, "trace", *map(str, words), "--socket", self.path], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (run.poll() is None and run.kill(), run.wait(20), run.stdout.close(), run.stderr.close()))
        self.until(lambda: "Used by ftrace" in self.ctl("trace", "status", "virtif"))
        return run

    def until(self, is_so):
        end = time.monotonic() + 20
        while not is_so():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def events(self):
        return json.loads(subprocess.run([VIRTIFCTL, "trace", "report", "-j", self.file], capture_output=True, text=True,
                                         check=True, timeout=60).stdout)

    def drop_some(self):
        """What virt0 says to groups, when it comes up with an address, virt1 is not in."""
        self.ctl("addr", "add", "192.0.2.1/24", "dev", "virt0")
        self.until(lambda: self.dropped("virt1") > 0)

    def dropped(self, ifname):
        [link] = json.loads(self.ctl("link", "show", ifname, "-s", "-j"))
        return sum(link["virtif"]["drops"].values())

    def test_until_interrupted_and_what_was_dropped_adds_up(self):
        run = self.begin("record", "-e", "virtif:*", "-o", self.file)
        self.drop_some()
        self.ctl("link", "set", "virt0", "down")  # nobody speaks any more
        run.send_signal(signal.SIGINT)
        self.assertEqual(run.wait(20), 0)
        said = run.stderr.read()
        self.assertRegex(said, r"\d+ events in ")
        events = self.events()
        self.assertEqual(len(events), int(re.search(r"(\d+) events in", said)[1]))
        told = sum(e["fields"]["frames"] for e in events if e["event"] == "rx_drop" and e["fields"]["ifname"] == "virt1")
        self.assertEqual(told, self.dropped("virt1"))
        self.assertEqual({e["comm"] for e in events}, {"virtifd"})
        self.assertNotIn("Used by", self.ctl("trace", "status", "virtif"))

    def test_marks_are_what_is_recorded(self):
        marker = self.folder / "marks"
        marker.touch()
        run = self.begin("record", "-e", "virtif:rx_drop", "-o", self.file, "--marker", marker)
        self.drop_some()
        self.ctl("link", "set", "virt0", "down")
        run.send_signal(signal.SIGINT)
        self.assertEqual(run.wait(20), 0)
        marks = sorted(marker.read_text().splitlines())
        self.assertGreater(len(marks), 0)
        said = [" ".join([e["event"] + ":", *(f"{name}={value}" for name, value in e["fields"].items())]) for e in self.events()]
        self.assertEqual(marks, sorted(said))

    @unittest.skipUnless(shutil.which("trace-cmd"), "trace-cmd is not installed")
    def test_trace_cmd_reads_it(self):
        run = self.begin("record", "-o", self.file, "--duration", "0.5")
        self.drop_some()
        self.assertEqual(run.wait(20), 0, run.stderr.read())
        text = subprocess.run(["trace-cmd", "report", "-i", self.file], capture_output=True, text=True, check=True).stdout
        self.assertEqual(len([line for line in text.splitlines() if "rx_drop:" in line]),
                         len([e for e in self.events() if e["event"] == "rx_drop"]))

    def test_events_are_followed_as_they_happen(self):
        run = self.begin("stream", "-j", "-e", "virtif:running", "-f", "on == 0")
        self.ctl("link", "set", "virt0", "down")
        event = json.loads(run.stdout.readline())
        self.assertEqual((event["event"], event["fields"]), ("running", {"ifname": "virt0", "on": 0}))
        run.send_signal(signal.SIGTERM)
        self.assertEqual((run.wait(20), run.stdout.read()), (0, ""))

    def test_a_stream_that_cannot_be_written_fails(self):
        with open("/dev/full", "wb") as full:
            run = subprocess.Popen([VIRTIFCTL, "trace", "stream", "-e", "running", "--socket", self.path], stdout=full,
                                   stderr=subprocess.PIPE, text=True)
            self.until(lambda: "Used by ftrace" in self.ctl("trace", "status", "virtif"))
            self.ctl("link", "set", "virt0", "down")
            said = run.communicate(timeout=20)[1]
        self.assertEqual(run.returncode, FAILED, said)
        self.assertIn("No space left on device", said)

    @unittest.skipIf(SANITIZED, "20,000 events take too long under a sanitizer")
    def test_a_stream_says_what_it_lost(self):
        run = self.begin("stream", "-e", "running", "-b", "8")
        run.send_signal(signal.SIGSTOP)
        with self.client() as client:
            for on in range(20_000):
                client.call("link.set", ifname="virt0", up=on % 2 == 1)
        run.send_signal(signal.SIGCONT)
        run.send_signal(signal.SIGINT)
        out, said = run.communicate(timeout=60)
        self.assertEqual(run.returncode, 0, said)
        lost = int(re.search(r"(\d+) events were lost", said)[1])
        self.assertEqual(lost + out.count(" running: "), 20_000)

    def test_a_duration_is_a_number(self):
        self.assertIn("--duration", self.ctl("trace", "stream", "--duration", "nan", status=USAGE))

    def test_a_stream_ends_with_virtifd_and_says_so(self):
        stream, record = self.begin("stream", "-e", "running"), self.begin("record", "-o", self.file)
        self.assertIn("recording virtifd", record.stderr.readline())  # the second one, too
        self.daemon.send_signal(signal.SIGKILL)
        self.assertEqual((stream.wait(20), record.wait(20)), (FAILED, FAILED))
        self.assertIn("virtifd has ended", stream.stderr.read())
        self.assertEqual(self.events(), [])

    def test_the_flight_recorder_keeps_what_happened_before_somebody_asked(self):
        self.assertIn("trace enable", self.ctl("trace", "extract", "-o", str(self.file), status=FAILED))
        self.assertFalse(self.file.exists())
        self.ctl("trace", "enable", "-e", "running", "-e", "virtifd:*")
        self.assertRegex(self.ctl("trace", "status", "virtif"), r"(?m)^\d+:running # Used by ftrace$")
        self.ctl("link", "set", "virt0", "down")
        for expected in ([("virt0", 0)], []):
            subprocess.run([VIRTIFCTL, "trace", "extract", "-o", self.file, "--socket", self.path], check=True,
                           capture_output=True, timeout=60)
            self.assertEqual([(e["fields"]["ifname"], e["fields"]["on"]) for e in self.events()], expected)
        for words in (("-e", "virtif:tx_drop", "-e", "nope"), ("-e", "virtif:tx_drop", "-b", "8"),
                      ("-e", "virtif:tx_drop", "-f", "colour == 3")):
            said = self.ctl("trace", "enable", *words, status=FAILED if "-b" in words else USAGE)
            self.assertRegex(said, "event list|4096 KiB.*trace disable|no such field")
            self.assertNotIn("tx_drop #", self.ctl("trace", "status", "virtif"), words)
        self.ctl("trace", "enable", "-e", "virtif:tx_drop", "-b", "4096", "--overwrite")
        self.assertIn("event list", self.ctl("trace", "disable", "-e", "nope", status=FAILED))
        self.ctl("trace", "disable", "-e", "running")
        self.assertNotIn("running #", self.ctl("trace", "status", "virtif"))
        self.ctl("trace", "disable")
        self.ctl("trace", "disable")
        self.ctl("trace", "extract", status=FAILED)

    def test_a_file_that_cannot_be_written_costs_nothing(self):
        self.ctl("trace", "enable", "-e", "running")
        self.ctl("link", "set", "virt0", "down")
        self.ctl("trace", "extract", "-o", "/no/such/folder/trace.dat", status=FAILED)
        self.ctl("trace", "extract", "-o", str(self.file))
        self.assertEqual([e["fields"]["on"] for e in self.events()], [0])
        said = self.ctl("trace", "extract", "-o", "/dev/full", status=FAILED)
        self.assertIn("for /dev/full is lost", said)
        self.assertNotIn("events in", said)
        self.assertNotIn("recording", self.ctl("trace", "record", "-o", "/no/such/folder/trace.dat", status=FAILED))
        run = self.begin("record", "-o", self.file, "--duration", "0.5")
        self.assertEqual((run.wait(20), run.stderr.read()), (0, f"virtifctl: 0 events in {self.file}\n"))

    def test_the_last_events_of_a_virtifd_that_was_killed_are_salvaged(self):
        rings, path = self.folder / "rings", self.folder / "other.sock"
        dying = self.start("--trace-dir", rings, path=path)
        run = lambda *words: subprocess.run([VIRTIFCTL, *map(str, words)], capture_output=True, text=True, check=False, timeout=60)
        for words in (("link", "add", "virt0", "linkstr", "mem:lan"), ("trace", "enable", "-e", "running"),
                      *(("link", "set", "virt0", word) for word in ("up", "down", "up"))):
            self.assertEqual(run(*words, "--socket", path).returncode, 0)
        self.assertIn("lives", run("trace", "salvage", rings, "-o", self.file).stderr)
        dying.send_signal(signal.SIGKILL)
        dying.wait(20)
        saved = run("trace", "salvage", rings, "-o", self.file)
        self.assertEqual((saved.returncode, saved.stderr), (0, f"virtifctl: 3 events in {self.file}\n"))
        self.assertEqual([e["fields"]["on"] for e in self.events()], [1, 0, 1])
        self.stop(self.start("--trace-dir", rings, path=path))  # the heir ends in good order, and has moved them
        self.assertEqual(run("trace", "salvage", rings, "-o", self.file).stderr, saved.stderr)
        self.assertEqual([folder.name for folder in rings.iterdir()], ["before"])
        self.assertIn("died", run("trace", "salvage", self.folder, "-o", self.file).stderr)

    def test_several_record_at_once_and_one_too_many_is_told_so(self):
        streams = [self.client() for _ in range(9)]
        for client in streams:
            self.addCleanup(client.__exit__)
        answers = [client.call("trace.record", events="virtif:running", follow=True) for client in streams]
        self.assertEqual(answers[:8], [{}] * 8)
        self.assertEqual(answers[8]["data"]["errno"], "EBUSY")
        self.ctl("link", "set", "virt0", "down")
        for client in streams[:8]:
            client.socket.shutdown(socket.SHUT_WR)
            self.assertIn(b"running", client.lines.read())
        self.assertNotIn("Used by", self.ctl("trace", "status", "virtif"))

    def test_groups_and_events(self):
        groups = lambda: [group["group"] for group in json.loads(self.ctl("trace", "group", "list", "-j"))]
        self.assertEqual(groups(), ["", "virtif", "virtifd", "cn"])
        self.ctl("trace", "group", "add", "app")
        self.assertIn("'app'", self.ctl("trace", "group", "add", "app", status=FAILED))
        self.ctl("trace", "group", "limit", "app", "1")
        self.ctl("trace", "event", "add", "app", "tick u32 n")
        self.assertIn("all 1 events", self.ctl("trace", "event", "add", "app", "tock", status=FAILED))
        self.ctl("trace", "event", "add", "app", "tick u64 n", status=FAILED)
        [event] = json.loads(self.ctl("trace", "event", "list", "app:*", "-j"))
        self.assertEqual((event["event"], event["system"], event["fields"]),
                         ("app:tick", "user_events.app", [{"name": "n", "type": "u32"}]))
        self.assertIn("field:u32 n;\toffset:8;\tsize:4;\tsigned:0;", self.ctl("trace", "event", "show", "app:tick"))
        self.assertEqual([e["event"] for e in json.loads(self.ctl("trace", "event", "list", "user_events.app:t*", "-j"))], ["app:tick"])
        self.assertEqual(self.ctl("trace", "status", "app"), "1:tick\n\nActive: 1\nBusy: 0\nMax: 32767\nLimit: 1\n")
        self.ctl("trace", "enable", "-e", "app:*")
        self.assertIn("used by", self.ctl("trace", "group", "del", "app", status=FAILED))
        self.ctl("trace", "disable")
        self.ctl("trace", "event", "del", "app", "tick")
        self.ctl("trace", "group", "del", "app")
        self.assertIn("virtif", self.ctl("trace", "group", "del", "virtif", status=FAILED))
        self.assertEqual(groups(), ["", "virtif", "virtifd", "cn"])

    def test_a_group_is_changed_by_who_made_it_and_recorded_by_all(self):
        if os.geteuid() != 0:
            self.skipTest("wants root, to become nobody")
        self.folder.chmod(0o755)
        try:
            group = grp.getgrgid(NOBODY).gr_name
            reached = subprocess.run([VIRTIFCTL, "--version"], check=False, capture_output=True, user=NOBODY, group=NOBODY)
        except (KeyError, PermissionError):
            self.skipTest("nobody has no group here, or cannot reach virtifctl")
        if reached.returncode != 0:
            self.skipTest("nobody cannot reach virtifctl")
        self.path = self.folder / "group.sock"
        self.start("--allow-group", group, path=self.path)

        def nobody(*words, status=0):
            run = subprocess.run([VIRTIFCTL, "trace", *words, "--socket", self.path], capture_output=True, text=True,
                                 check=False, timeout=60, user=NOBODY, group=NOBODY, extra_groups=[])
            self.assertEqual(run.returncode, status, run.stdout + run.stderr)
            return run.stdout + run.stderr

        self.ctl("trace", "group", "add", "roots")
        for words in (("group", "del", "roots"), ("group", "limit", "roots", "2"), ("event", "add", "roots", "tick u32 n"),
                      ("event", "add", "", "tick"), ("group", "limit", "virtif", "9")):
            self.assertIn("user 0's", nobody(*words, status=FAILED), words)
        nobody("group", "add", "own")
        nobody("event", "add", "own", "tick u32 n")
        owners = {g["group"]: g["owner"] for g in json.loads(nobody("group", "list", "-j"))}
        self.assertEqual((owners["own"], owners["roots"], owners["virtif"]), (NOBODY, 0, 0))
        nobody("enable", "-e", "virtif:*", "-e", "own:*")
        nobody("disable")
        nobody("event", "del", "own", "tick")
        self.ctl("trace", "event", "add", "own", "tock")  # root may do anything
        self.ctl("trace", "group", "del", "own")
        nobody("group", "add", "own")
        nobody("group", "del", "own")

    def test_what_cannot_be_is_refused_with_what_was_expected(self):
        for words, status, expected in ((("stream", "-e", "virtif:nothing"), USAGE, "trace event list"),
                                        (("stream", "-f", "reason = 3"), USAGE, "expected =="),
                                        (("record", "-b", "1"), USAGE, "--buffer"), (("group", "add", "a/b"), USAGE, "without '/'"),
                                        (("group", "add", "a b"), USAGE, "patterns"),
                                        (("group", "add", "a:b"), USAGE, "patterns"),
                                        (("event", "show", "nope"), FAILED, "event list"), (("event", "list", "nope"), FAILED, "event list"),
                                        (("group", "del", "none"), FAILED, "none"), (("status", "none"), FAILED, "group list"),
                                        (("group", "limit", "virtif", "40000"), USAGE, "32767"),
                                        (("event", "add", "virtif", "x y z"), USAGE, "")):
            self.assertIn(expected, self.ctl("trace", *words, status=status))
        with self.client() as client:
            for params, said in (({"events": 3}, "EINVAL"), ({"colour": "red"}, "EINVAL"), ({"buffer_kib": 1}, "EINVAL"),
                                 ({"follow": 1}, "EINVAL")):
                self.assertEqual(client.call("trace.record", **params)["data"]["errno"], said)
            client.call("monitor", on=True)
            self.assertEqual(client.call("trace.record")["data"]["errno"], "EBUSY")
        self.assertNotIn("Used by", self.ctl("trace", "status", "virtif"))

    def test_a_client_that_does_not_read_loses_only_its_own(self):
        with self.client() as deaf:
            deaf.call("trace.record", events="virtif:*", buffer_kib=8, follow=True)
            run = self.begin("record", "-o", self.file)
            for _ in range(3):
                self.ctl("link", "set", "virt0", "down")
                self.ctl("link", "set", "virt0", "up")
        run.send_signal(signal.SIGINT)
        self.assertEqual(run.wait(20), 0)
        self.assertEqual([e["fields"]["on"] for e in self.events() if e["event"] == "running"], [0, 1] * 3)


if __name__ == "__main__":
    import sys
    unittest.main(argv=sys.argv[:1], verbosity=2)
