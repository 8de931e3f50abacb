# SPDX-License-Identifier: BSD-2-Clause
"""virtifd at the level of its protocol: what it answers, and what hostile, slow and dead clients do to others (nothing).

usage: virtifd_test.py VIRTIFD VIRTIFCTL
"""

import contextlib
import json
import os
import random
import resource
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import unittest

from daemon_case import FAILED, USAGE, VIRTIFCTL, VIRTIFD, DaemonCase

LINE_BYTES_MAX = 1 << 20
CLIENTS_MAX = 4096


class Virtifd(DaemonCase):
    def test_answers_in_order_and_only_what_asks_for_an_answer(self):
        with self.client() as client:
            lines = [{"jsonrpc": "2.0", "id": n, "method": "version"} for n in range(100)]
            lines.insert(50, {"jsonrpc": "2.0", "method": "version"})
            lines.insert(55, {"jsonrpc": "2.0", "method": "frob"})
            lines.insert(56, {"jsonrpc": "2.0", "method": "monitor"})
            lines.insert(57, {"jsonrpc": "2.0", "method": "link.del", "params": {"ifname": "virt9"}})
            lines.insert(60, {"jsonrpc": "2.0", "method": "link.add", "params": {"ifname": "virt0"}})
            client.socket.sendall(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
            self.assertEqual([client.read()["id"] for _ in range(100)], list(range(100)))
            self.assertEqual(len(client.call("link.show")), 1)

    def test_tells_its_verbs(self):
        with self.client() as client:
            verbs = {verb["name"]: verb for verb in client.call("verbs")}
            self.assertIn("link.set", verbs)
            self.assertIn({"name": "ifname", "type": "a string", "required": True, "says": "the interface"},
                          verbs["link.set"]["params"])
            self.assertEqual(client.call("frob")["code"], -32601)
            error = client.call("link.set", ifname="virt0", up=True)
            self.assertEqual((error["code"], error["data"]["errno"]), (19, "ENODEV"))
            self.assertEqual(client.call("monitor")["code"], -32602)

    def test_takes_a_request_in_pieces(self):
        with self.client() as client:
            for piece in (b'{"jsonrpc":"2.0",', b'"id":1,"meth', b'od":"version"}', b"\n"):
                client.socket.sendall(piece)
                time.sleep(0.02)
            self.assertEqual(client.read()["id"], 1)

    def test_survives_nonsense(self):
        for nonsense in (b"\n", b"hello\n", b"\xff\xfe\n", b"{}\n", b"[" * 100_000 + b"\n", b'{"jsonrpc":"2.0","id":1}\n',
                         b'{"jsonrpc":"2.0","id":{},"method":"version"}\n', bytes(range(11, 256)) + b"\n"):
            with self.client() as client:
                client.socket.sendall(nonsense)
                self.assertLess(client.read()["error"]["code"], -32000, nonsense[:20])
                client.call("version")  # and it goes on
        with self.client() as client:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.socket.sendall(b"x" * (LINE_BYTES_MAX + 100_000))
            self.assertIn("at most", client.read()["error"]["message"])
            with contextlib.suppress(ConnectionResetError):  # as not all was read
                self.assertIsNone(client.read(), "and hangs up")
        self.alive()

    def test_is_private(self):
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        if os.geteuid() != 0:
            self.skipTest("only root can be somebody else")
        os.chmod(self.path, 0o666)  # so that the kernel lets nobody in
        os.chmod(self.folder, 0o755)
        ask = ("import socket,sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
               "print(s.makefile().readline())")
        run = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", ask,
                              self.path], capture_output=True, text=True, check=True, timeout=60)
        self.assertEqual(json.loads(run.stdout)["error"]["data"]["errno"], "EACCES")

    def test_is_believed_in_tmp_only_from_root_and_oneself(self):
        if os.geteuid() != 0:
            self.skipTest("only root can be somebody else")
        impostor = ("import os,socket; os.setuid(65533); s = socket.socket(socket.AF_UNIX);"
                    "s.bind('/tmp/virtif-65534.sock'); os.chmod('/tmp/virtif-65534.sock', 0o777); s.listen(); print();"
                    "c = s.accept()[0]; c.recv(1)")
        with contextlib.suppress(FileNotFoundError):
            os.unlink("/tmp/virtif-65534.sock")
        with subprocess.Popen(["/usr/bin/python3", "-uc", impostor], stdout=subprocess.PIPE) as other:
            self.addCleanup(os.unlink, "/tmp/virtif-65534.sock")
            other.stdout.readline()
            run = subprocess.run(["env", "-u", "XDG_RUNTIME_DIR", "setpriv", "--reuid=65534", "--regid=65534",
                                  "--clear-groups", VIRTIFCTL, "link"], capture_output=True, text=True, check=False,
                                 timeout=60)
            self.assertEqual(run.returncode, FAILED)
            self.assertIn("is user 65533, neither root nor you", run.stderr)

    def test_lets_a_group_in(self):
        if os.geteuid() != 0:
            self.skipTest("only root can be somebody else")
        os.chmod(self.folder, 0o755)
        path = self.folder / "grouped.sock"
        self.start("--allow-group", "nogroup", path=path)
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o660)
        run = subprocess.run(["setpriv", "--reuid=65534", "--regid=65533", "--groups=65534", VIRTIFCTL, "link", "-j",
                              "--socket", path], capture_output=True, text=True, check=True, timeout=60)
        self.assertEqual(json.loads(run.stdout), [])

    def test_starts_once_and_again_after_it_was_killed(self):
        second = subprocess.run([VIRTIFD, "--socket", self.path], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(second.returncode, FAILED)
        self.assertIn("another virtifd is at", second.stderr)
        self.daemon.kill()
        self.daemon.wait()
        self.assertTrue(self.path.exists(), "a killed one leaves its socket")
        self.daemon.stderr.close()
        self.daemon = self.start()
        self.alive()
        self.stop(self.daemon)
        self.assertEqual(self.daemon.returncode, 0)
        self.assertFalse(self.path.exists(), "one that was stopped does not")

    def test_says_why_it_cannot_listen(self):
        (self.folder / "file").write_text("mine")
        for path, words in ((self.folder / "file", "is no socket"), (self.folder / ("x" * 200), "bytes: 1 to 107 fit"),
                            (self.folder / "no" / "s", "No such file")):
            run = subprocess.run([VIRTIFD, "--socket", path], capture_output=True, text=True, check=False, timeout=60)
            self.assertEqual(run.returncode, FAILED)
            self.assertIn(words, run.stderr)
        self.assertEqual((self.folder / "file").read_text(), "mine")
        self.assertFalse((self.folder / "file.lock").exists(), "and nothing is left beside it")
        run = subprocess.run([VIRTIFD, "--metrics-anywhere"], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(run.returncode, USAGE)
        self.assertIn("requires --metrics", run.stderr)
        run = subprocess.run([VIRTIFD, "--allow-group", "no-such-group"], capture_output=True, text=True, check=False,
                             timeout=60)
        self.assertIn("there is no group", run.stderr)

    def test_a_client_that_does_not_read_is_told_what_it_missed(self):
        with self.client() as sleeper, self.client() as other:
            sleeper.call("monitor", on=True)
            other.call("link.add", ifname="virt0")
            for n in range(3000):
                other.call("link.set", ifname="virt0", mtu=1000 + n % 400)
            missed = []

            def read_to_the_gap():
                last = 0
                while (told := sleeper.read())["method"] == "event":
                    self.assertEqual(told["params"]["seq"], last + 1)
                    last += 1
                missed.append((told["params"]["lost"], sleeper.read()["params"]["seq"] - last - 1))

            reader = threading.Thread(target=read_to_the_gap)
            reader.start()
            while reader.is_alive():
                other.call("link.set", ifname="virt0", mtu=1500)  # what is told after the gap
                reader.join(0.05)
            [(said, really)] = missed
            self.assertEqual(said, really)
            self.assertGreater(said, 0)

    def test_clients_that_die_at_any_point_hurt_nobody(self):
        chance = random.Random(5)
        line = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "link.show", "params": {"stats": True}}).encode() + b"\n"
        with self.client() as steady:
            steady.call("link.add", ifname="virt0", linkstr="mem:lan", up=True)
            for n in range(2000):
                client = socket.socket(socket.AF_UNIX)
                client.connect(str(self.path))
                sent = (line * 3)[:chance.randrange(3 * len(line))]
                client.sendall(sent)
                if b"\n" in sent and chance.random() < 0.3:
                    client.recv(chance.randrange(1, 2000))
                client.close()
                if n % 200 == 0:
                    self.assertEqual(len(steady.call("link.show")), 1)
        fds = len(os.listdir(f"/proc/{self.daemon.pid}/fd"))
        self.assertLess(fds, 40, "their descriptors are closed")

    def test_serves_many_clients(self):
        with contextlib.ExitStack() as many:
            clients = [many.enter_context(self.client()) for _ in range(200)]
            for client in clients:
                client.send("link.show")
            self.assertTrue(all(client.read()["result"] == [] for client in clients))

    def test_tells_one_client_too_many(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < CLIENTS_MAX + 100:
            self.skipTest(f"{CLIENTS_MAX} clients need descriptors; the hard limit is {hard}")
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (CLIENTS_MAX + 100, hard))
        self.stop(self.daemon)
        self.daemon = self.start()  # which has the limit from here
        with contextlib.ExitStack() as many:
            clients = [many.enter_context(self.client()) for _ in range(CLIENTS_MAX)]
            clients[-1].call("version")  # all are let in
            with self.client() as late:
                self.assertEqual(late.read()["error"]["data"]["errno"], "EUSERS")
                self.assertIsNone(late.read(), "and hangs up")
            clients[0].call("version")
            for client in clients[1:]:
                client.__exit__()
            while True:  # virtifd hears of their end in its own time
                with self.client() as next_one:
                    next_one.send("version")
                    if "result" in next_one.read():
                        break
                time.sleep(0.01)

    def test_waits_where_descriptors_are_short(self):
        if b"__ubsan_handle" in VIRTIFD.read_bytes():
            self.skipTest("UBSan looks at objects through descriptors of its own, and takes none for a bad object")
        subprocess.run(["prlimit", "--pid", str(self.daemon.pid), "--nofile=40:40"], check=True)
        with contextlib.ExitStack() as many:
            for _ in range(60):
                many.enter_context(self.client())  # the kernel takes them; some wait to be let in
            time.sleep(0.3)
        self.alive()

    def test_ends_at_once_with_clients_and_interfaces(self):
        with self.client() as client:
            for n in range(20):
                client.call("link.add", ifname=f"virt{n}", linkstr="mem:lan", up=True)
            began = time.monotonic()
            self.daemon.send_signal(signal.SIGINT)
            self.assertEqual(self.daemon.wait(20), 0)
            self.assertIsNone(client.read())
            self.assertLess(time.monotonic() - began, 15)

    def test_tells_a_service_manager_when_it_is_ready(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(self.folder / "notify"))
            manager.settimeout(20)
            os.environ["NOTIFY_SOCKET"] = str(self.folder / "notify")
            self.addCleanup(os.environ.pop, "NOTIFY_SOCKET")
            daemon = self.start(path=self.folder / "second.sock")
            self.assertEqual(manager.recv(100), b"READY=1")
            self.stop(daemon)
            self.assertEqual(manager.recv(100), b"STOPPING=1")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
