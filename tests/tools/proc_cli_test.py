# SPDX-License-Identifier: BSD-2-Clause
"""Process events seen by virtifctl in another process: the kernel's own, and what a thread says of its end.

usage: proc_cli_test.py VIRTIFD VIRTIFCTL. Wants a kernel that tells process events to us; is skipped aloud otherwise.
"""

import grp
import json
import os
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

from daemon_case import FAILED, SANITIZED, USAGE, VIRTIFCTL, DaemonCase

PROC = (1, 1)
LISTEN, NOTIFY = 1, 3
NONE, EXIT, LOST = 0, 0x80000000, 0x04000000
NOBODY = 65534


def request(*words, ack=7):
    payload = struct.pack(f"{len(words)}I", *words)
    return struct.pack("IIIIHH", *PROC, 1, ack, len(payload), 0) + payload


class ProcCase(DaemonCase):
    def setUp(self):
        super().setUp()
        self.proc_path = f"{self.folder}/events.sock"
        self.proc_daemon = self.start("--proc", path=self.proc_path)
        with self.connect() as client:
            client.send(request(LISTEN))
            _, error = self.answer(client)
        if error:
            self.skipTest(f"this kernel tells us no process events: {os.strerror(error)}")

    def connect(self):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        client.settimeout(20)
        client.connect(self.proc_path + ".proc")
        return client

    @staticmethod
    def answer(client, wanted=None):
        """(ack, errno) of the first answer, or of the one that is wanted."""
        while True:
            datagram = client.recv(1 << 16)
            if not datagram:
                return 0, 104  # ECONNRESET
            at = 0
            while at < len(datagram):
                *_, ack, length, _ = struct.unpack_from("IIIIHH", datagram, at)
                what, = struct.unpack_from("I", datagram, at + 20)
                if what == NONE and wanted in (None, ack):
                    return ack, struct.unpack_from("I", datagram, at + 36)[0]
                at += 20 + length

    def listen(self, *words):
        """A virtifctl that listens, once it does."""
        listener = subprocess.Popen([VIRTIFCTL, "proc", "listen", "-j", "--socket", self.proc_path, *words],
                                    stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end, listener)
        self.events = []
        if "--pid" not in words and "--tree" not in words:
            while not self.events:  # until something of ours is seen
                self.run_false()
                self.read(listener, 0.2)
        return listener

    @staticmethod
    def end(listener):
        listener.kill()
        listener.wait()
        listener.stdout.close()

    def read(self, listener, seconds):
        """Adds what it prints within the time to self.events."""
        os.set_blocking(listener.stdout.fileno(), False)
        while select.select([listener.stdout], [], [], seconds)[0]:
            line = listener.stdout.readline()
            if not line:
                return
            self.events.append(json.loads(line))

    def wait_for(self, listener, wanted):
        for _ in range(100):
            found = [event for event in self.events if wanted(event)]
            if found:
                return found[0]
            self.read(listener, 0.2)
        raise AssertionError(f"not told within 20 s; told were {self.events[-10:]}")

    @staticmethod
    def run_false():
        child = subprocess.Popen(["false"])
        child.wait()
        return child.pid

    def notify_and_end(self, code):
        """A thread of this process that registers a code and ends; its id."""
        ids = []

        def body():
            ids.append(threading.get_native_id())
            with self.connect() as client:
                client.send(request(NOTIFY, 0, code, ids[0]))
                self.assertEqual(self.answer(client), (8, 0))

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        return ids[0]

    def proc(self, *words, status=0):
        run = subprocess.run([VIRTIFCTL, "proc", *words, "--socket", self.proc_path], capture_output=True, text=True,
                             check=False, timeout=60)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return run.stdout if status == 0 else run.stderr

    def test_a_threads_code_is_seen_in_another_process_beside_the_kernels_events(self):
        listener = self.listen("--events", "fork,exec,exit")
        tid = self.notify_and_end(42)
        child = self.run_false()
        told = self.wait_for(listener, lambda e: e["event"] == "exit" and e["pid"] == tid)
        self.assertEqual((told["tgid"], told["user_code"], told["exit_code"]), (os.getpid(), 42, 42 << 8))
        self.assertEqual(told["exit_signal"], -1)
        self.wait_for(listener, lambda e: e["event"] == "exit" and e["pid"] == child)
        of_child = [e for e in self.events if e.get("tgid") == child]
        self.assertEqual([e["event"] for e in of_child], ["fork", "exec", "exit"])
        self.assertEqual(of_child[0]["parent_tgid"], os.getpid())
        self.assertEqual(of_child[2]["exit_code"], 1 << 8)

    def test_how_threads_end_is_recorded_beside_virtifs_own_events(self):
        file = self.folder / "trace.dat"
        trace = lambda *words: subprocess.run([VIRTIFCTL, "trace", *map(str, words)], capture_output=True, text=True,
                                              check=True, timeout=60).stdout
        trace("enable", "-e", "cn:exit", "-f", f"tgid == {os.getpid()}", "--socket", self.proc_path)
        listener = self.listen()
        tid = self.notify_and_end(42)
        self.wait_for(listener, lambda e: e["event"] == "exit" and e["pid"] == tid)
        trace("extract", "-o", file, "--socket", self.proc_path)
        [ended] = [e["fields"] for e in json.loads(trace("report", "-j", file)) if e["fields"]["pid"] == tid]
        self.assertEqual(ended, {"pid": tid, "tgid": os.getpid(), "code": 42 << 8, "signal": -1, "has_said": 1, "said": 42})

    def test_nonzero_shows_a_registered_code_and_no_success(self):
        listener = self.listen("--nonzero")
        subprocess.run(["true"], check=True)
        tid = self.notify_and_end(256)  # its low byte is 0
        told = self.wait_for(listener, lambda e: e["pid"] == tid)
        self.assertEqual((told["user_code"], told["exit_code"]), (256, 255 << 8))
        self.assertTrue(all(e["event"] == "exit" and e["exit_code"] != 0 for e in self.events))

    def test_tree_filter_follows_descendants(self):
        listener = self.listen("--tree", str(os.getpid()), "--events", "exec")
        self.wait_for_listening(listener)
        subprocess.run(["sh", "-c", "env true; true"], check=True)
        self.wait_for(listener, lambda e: e.get("process") == "true" or e["event"] == "exec")
        self.assertTrue(self.events)

    def wait_for_listening(self, listener):
        for _ in range(100):
            subprocess.run(["sh", "-c", "true"], check=True)
            self.read(listener, 0.1)
            if self.events:
                return
        self.fail("nothing was told within 10 s")

    def test_tree_prints_this_process_under_its_parent(self):
        lines = self.proc("tree").splitlines()
        mine = [line for line in lines if re.match(rf" *{os.getpid()} ", line)]
        self.assertEqual(len(mine), 1, lines[:20])
        tasks = [json.loads(line) for line in self.proc("tree", "-j").splitlines()]
        self.assertIn(os.getppid(), [t["parent_tgid"] for t in tasks if t["tgid"] == os.getpid()])

    def test_top_counts(self):
        top = subprocess.Popen([VIRTIFCTL, "proc", "top", "-j", "-i", "2", "-n", "1", "--socket", self.proc_path],
                               stdout=subprocess.PIPE, text=True)
        while top.poll() is None:
            self.run_false()
        counted = json.loads(top.communicate()[0])
        self.assertGreater(counted["all"]["forks"], 0)
        self.assertGreater(counted["all"]["execs"], 0)
        self.assertGreater(counted["all"]["exits"], 0)

    def test_people_get_a_line_an_event(self):
        listener = subprocess.Popen([VIRTIFCTL, "proc", "listen", "--events", "exit", "-n", "20", "--socket",
                                     self.proc_path], stdout=subprocess.PIPE, text=True)
        while listener.poll() is None:
            self.run_false()
        header, *lines = listener.communicate()[0].splitlines()
        self.assertEqual(header.split(), ["Time", "Event", "PID", "Info", "Duration", "Process"])
        for line in lines:  # and none of a fork, which says when a life began
            self.assertRegex(line, r"^\d\d:\d\d:\d\d\.\d{3} exit +\d+  (exit|signal) \d+")
        self.assertTrue(any(re.search(r" \d+\.\d{3}s  false$", line) for line in lines), lines)

    def test_notify_is_for_ones_own_threads_and_says_so(self):
        self.proc("notify", "7")
        self.assertIn("No such process", self.proc("notify", "7", "--tid", "4194303", status=FAILED))
        self.assertIn("No such file", self.proc("notify", "--withdraw", status=FAILED))
        self.assertIn("there are no 'spoon' events", self.proc("listen", "--events", "spoon", status=USAGE))

    def test_garbage_hurts_nobody(self):
        with self.connect() as client:
            for garbage in (b"\0", b"\xff" * 100, request(), request(99), request(LISTEN)[:-1], os.urandom(16000)):
                client.send(garbage)
            client.send(request(LISTEN, ack=500))
            self.assertEqual(self.answer(client, 501), (501, 0))

    @unittest.skipIf(SANITIZED, "a sanitizer takes descriptors of its own")
    def test_without_descriptors_it_waits_for_some_without_spinning(self):
        pid = self.proc_daemon.pid

        def processor_ticks():
            return sum(map(int, Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[11:13]))
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        with self.connect() as inside:
            inside.send(request(LISTEN))
            self.answer(inside)
            used = max(map(int, os.listdir(f"/proc/{pid}/fd"))) + 1
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, before[1]))
            waiting = [self.connect() for _ in range(8)]  # the first of which may find a number that was free
            for client in waiting:
                client.send(request(LISTEN))
            # No measure of how fast it is: without the pause a thread of it runs all the time that it is given.
            first, asked = processor_ticks(), time.monotonic()
            while time.monotonic() - asked < 2:
                inside.send(request(LISTEN, ack=500))
                self.assertEqual(self.answer(inside, 501), (501, 0))
                time.sleep(0.1)
            self.assertLess(processor_ticks() - first, os.sysconf("SC_CLK_TCK") / 2)
            self.assertEqual(select.select(waiting[-1:], [], [], 0)[0], [])
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
            self.assertEqual(self.answer(waiting[-1], 8), (8, 0), "and lets them in when it can")

    def as_nobody(self, *words, **options):
        """virtifctl proc as a user without any rights."""
        return subprocess.run([VIRTIFCTL, "proc", *words, "--socket", self.proc_path], capture_output=True, text=True,
                              check=False, timeout=60, user=NOBODY, group=NOBODY, extra_groups=[], **options)

    def test_a_user_without_rights_is_refused_or_hears_when_his_group_may(self):
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
        refused = self.as_nobody("tree")
        self.assertEqual(refused.returncode, FAILED)
        self.assertIn("ermission denied", refused.stderr)
        self.proc_path = f"{self.folder}/group.sock"
        self.start("--proc", "--allow-group", group, path=self.proc_path)
        self.assertIn(str(os.getpid()), self.as_nobody("tree").stdout)
        self.assertEqual(self.as_nobody("notify", "7").returncode, 0)
        others = self.as_nobody("notify", "7", "--tid", str(threading.get_native_id()))
        self.assertEqual(others.returncode, FAILED)
        self.assertIn("not permitted", others.stderr)

    def test_a_listener_that_is_killed_in_the_middle_of_its_records_hurts_nobody(self):
        listener = self.listen("--events", "exec,exit")
        clients = []
        for _ in range(8):
            client = self.connect()
            client.send(request(LISTEN))
            clients.append(client)
        killed = subprocess.Popen([VIRTIFCTL, "proc", "listen", "--socket", self.proc_path], stdout=subprocess.PIPE)
        killed.stdout.readline()
        killed.send_signal(signal.SIGSTOP)  # what it is sent now waits, some of it written and some of it not
        for _ in range(50):
            self.run_false()
        killed.kill()
        killed.wait()
        killed.stdout.close()
        for client in clients:  # a request cut off, and away
            client.send(request(LISTEN)[:-2])
            client.close()
        child = self.run_false()
        self.wait_for(listener, lambda e: e["event"] == "exit" and e["pid"] == child)
        self.assertEqual([e for e in self.events if e["event"] == "lost"], [])
        self.assertGreater(int(self.proc("tree").count("\n")), 1)

    def test_without_proc_it_says_how_to_start_it(self):
        self.assertIn("start virtifd with --proc", self.ctl("proc", "tree", status=FAILED))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
