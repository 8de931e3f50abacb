# SPDX-License-Identifier: BSD-2-Clause
"""A thread of virtifd's that fails is seen: told of with its reason, and started again or virtifd ends in good order.

usage: virtifd_workers_test.py VIRTIFD VIRTIFCTL END_THREADS    END_THREADS is preloaded, and ends threads on request.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import unittest

from daemon_case import SANITIZED, VIRTIFCTL, VIRTIFD, Client, DaemonCase

END_THREADS = os.path.abspath(sys.argv[3])


class Workers(DaemonCase):
    def setUp(self):
        if SANITIZED:
            self.skipTest("a sanitizer's runtime wants to be loaded first")
        super().setUp()
        self.stop(self.daemon)

    def serve(self, *words):
        environment = {**os.environ, "LD_PRELOAD": END_THREADS, "VIF_END_THREADS": str(self.folder)}
        daemon = subprocess.Popen([VIRTIFD, "--socket", self.path, *words], stderr=subprocess.PIPE, text=True,
                                  env=environment)
        self.addCleanup(self.stop, daemon)
        self.assertIn("listening at", daemon.stderr.readline())
        return daemon

    def end(self, name, how):
        """Asks a thread to end, and wakes it until it has heard."""
        wish = self.folder / f"{name}.new"
        wish.write_text(how, encoding="ascii")
        wish.rename(self.folder / name)
        for _ in range(500):
            if not (self.folder / name).exists():
                return
            self.wake(name.endswith("proc"))
            time.sleep(0.02)
        self.fail(f"{name} did not hear")

    def wake(self, proc):
        """Something to do for the thread of process events, or for the two others."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET if proc else socket.SOCK_STREAM) as client:
            with contextlib.suppress(OSError):
                client.connect(f"{self.path}.proc" if proc else str(self.path))
                if not proc:  # a verb that the node's thread has to do
                    client.sendall(b'{"jsonrpc":"2.0","method":"link.set","params":{"ifname":"none"}}\n')

    def told(self, events, kind="worker.end"):
        while True:
            params = events.read()["params"]
            if params.get("kind") == kind:
                return params

    def recorded(self):
        """The fields of what the flight recorder holds."""
        file = str(self.folder / "trace.dat")
        self.ctl("trace", "extract", "-o", file)
        run = subprocess.run([VIRTIFCTL, "trace", "report", "-j", file], capture_output=True, text=True, check=True, timeout=60)
        return [event["fields"] for event in json.loads(run.stdout)]

    def link_up(self, ifname="virt0"):
        with self.client() as client:
            [link] = [each for each in client.call("link.show") if each["ifname"] == ifname]
            return "UP" in link["flags"]

    def test_the_control_thread_is_started_again_and_interfaces_stay(self):
        for how, end in (("throw", "exception"), ("cancel", "cancelled")):
            with self.subTest(how):
                daemon = self.serve("--restart-workers")
                self.ctl("link", "add", "virt0", "linkstr", "mem:wire", "up")
                self.ctl("trace", "enable", "-e", "virtifd:worker_end")
                with Client(self.path) as events:
                    events.call("monitor", on=True)
                    self.end("virtifd-control", how)
                    told = self.told(events)
                self.assertEqual((told["worker"], told["end"], told["restart"]), ("control", end, True))
                self.assertEqual(told["links"], [])
                self.assertIn(f"the control thread has ended ({end})", daemon.stderr.readline())
                self.assertTrue(self.link_up())
                self.assertEqual(self.recorded(), [{"worker": "control", "end": end, "reason": told["reason"]}])
                self.stop(daemon)

    def test_the_nodes_thread_takes_its_interfaces_down_and_up_again(self):
        daemon = self.serve("--restart-workers")
        self.ctl("link", "add", "virt0", "linkstr", "mem:wire", "up")
        self.ctl("link", "add", "virt1", "linkstr", "mem:wire")
        with Client(self.path) as events:
            events.call("monitor", on=True)
            self.end("virtifd", "throw")
            down = self.told(events, "link.change")
            self.assertEqual((down["link"]["ifname"], "UP" in down["link"]["flags"]), ("virt0", False))
            told = self.told(events)
            self.assertEqual((told["worker"], told["reason"]), ("node", "a test asked for it"))
            self.assertEqual(told["links"], ["virt0"])
            up = self.told(events, "link.change")
            self.assertEqual((up["link"]["ifname"], "UP" in up["link"]["flags"]), ("virt0", True))
        self.assertIn("a test asked for it", daemon.stderr.readline())
        self.ctl("link", "set", "virt1", "up")
        daemon.terminate()
        self.assertEqual(daemon.wait(20), 0)

    def test_without_restart_virtifd_ends_and_says_why(self):
        for name in ("virtifd-control", "virtifd"):
            with self.subTest(name):
                state = self.folder / f"{name}.json"
                daemon = self.serve("--state", str(state))
                self.ctl("link", "add", "virt0", "linkstr", "mem:wire", "up")
                self.end(name, "throw")
                self.assertEqual(daemon.wait(20), 1)
                said = daemon.stderr.read()
                self.assertIn("a test asked for it: virtifd ends, as --restart-workers is not set", said)
                self.assertFalse(self.path.exists(), "it leaves its socket behind")

    def test_a_threads_end_is_told_with_its_code_beside_the_kernels_events(self):
        daemon = self.serve("--restart-workers", "--proc")
        listener = subprocess.Popen([VIRTIFCTL, "proc", "listen", "-j", "--events", "exit", "--socket", self.path],
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(listener.wait)
        self.addCleanup(listener.kill)
        self.addCleanup(listener.stdout.close)
        self.addCleanup(listener.stderr.close)
        while listener.poll() is None:
            subprocess.run(["false"], check=False)  # until it listens
            if '"false"' in listener.stdout.readline():
                break
        else:
            self.skipTest(f"this kernel tells us no process events: {listener.stderr.read().strip()}")
        self.end("virtifd-control", "throw")
        for line in listener.stdout:
            told = json.loads(line)
            if (told.get("process"), told.get("tgid")) == ("virtifd-control", daemon.pid):  # no other test's
                break
        self.assertEqual((told["user_code"], told["exit_code"]), (3, 3 << 8))

    def test_the_process_event_thread_is_started_again(self):
        daemon = self.serve("--restart-workers", "--proc")
        self.end("virtifd-proc", "cancel")
        self.assertIn("the proc thread has ended (cancelled)", daemon.stderr.readline())
        for _ in range(100):
            tree = subprocess.run([VIRTIFCTL, "proc", "tree", "--socket", self.path], capture_output=True, text=True,
                                  check=False, timeout=60)
            if tree.returncode == 0:
                return
            if "says no" in tree.stderr:
                self.skipTest(f"this kernel tells us no process events: {tree.stderr}")
            time.sleep(0.1)
        self.fail(tree.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
