# SPDX-License-Identifier: BSD-2-Clause
"""Clients at their worst, all at once: killed in the middle of calls by the thousand, half lines, giant lines, damaged
requests, sockets in the way, no descriptors left.

usage: virtifd_hostile_test.py VIRTIFD VIRTIFCTL
"""

import contextlib
import json
import os
import random
import re
import resource
import signal
import socket
import subprocess
import sys
import time
import unittest
from pathlib import Path

from daemon_case import FAILED, SANITIZED, VIRTIFD, Client, DaemonCase

KILLED = 2000
LINE_BYTES_MAX = 1 << 20


def die_in_the_middle(path, seed):
    """A client's life, in a process of its own: until it is killed."""
    chance = random.Random(seed)
    with contextlib.suppress(OSError, TypeError), Client(path) as client:
        while True:
            name = f"virt{chance.randrange(20)}"
            chance.choice((
                lambda: client.call("link.add", ifname=name, linkstr=f"mem:lan{chance.randrange(3)}", up=True),
                lambda: client.call("link.del", ifname=name),
                lambda: client.call("link.show", stats=True),
                lambda: client.send("monitor", on=True),
                lambda: client.call("addr.add", ifname=name, local=f"192.0.2.{chance.randrange(250)}/24"),
                lambda: [client.send("config.show") for _ in range(20)],
                lambda: client.socket.sendall(b'{"jsonrpc":"2.0","id":1,"me'),
            ))()


class Hostile(DaemonCase):
    def memory_kib(self):
        status = Path(f"/proc/{self.daemon.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+)", status, re.MULTILINE)[1])

    def until(self, is_so, what):
        for _ in range(400):
            if is_so():
                return
            time.sleep(0.05)
        self.fail(what)

    def fds(self):
        return len(os.listdir(f"/proc/{self.daemon.pid}/fd"))

    def test_thousands_are_killed_in_the_middle_of_calls(self):
        chance, living = random.Random(11), []
        before = self.fds()

        def kill_one():
            pid = living.pop(chance.randrange(len(living)))
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

        self.addCleanup(lambda: [kill_one() for _ in range(len(living))])
        for number in range(KILLED):
            pid = os.fork()
            if pid == 0:
                try:
                    die_in_the_middle(self.path, number)
                finally:
                    os._exit(0)
            living.append(pid)
            if len(living) > 20:
                kill_one()
            if number % 500 == 0:
                self.alive()
        while living:
            kill_one()
        self.alive()
        self.until(lambda: self.fds() <= before, "their descriptors are closed")
        with self.client() as client:
            for link in client.call("link.show"):
                client.call("link.del", ifname=link["ifname"])
            self.assertEqual(client.call("link.show"), [])

    def test_half_and_giant_lines_keep_nobody_waiting(self):
        with contextlib.ExitStack() as many, self.client() as steady:
            for n in range(300):
                half = many.enter_context(self.client())
                half.socket.sendall(b'{"jsonrpc":"2.0","id":1,"method":"link.show"'[:n % 45])
            for _ in range(20):
                giant = many.enter_context(self.client())
                giant.socket.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    giant.socket.send(b'"' + b"x" * (LINE_BYTES_MAX - 10))
            for _ in range(50):
                self.assertEqual(steady.call("link.show"), [])
        with self.client() as client:  # as long as may be
            client.socket.sendall(b'{"jsonrpc":"2.0","id":1,"method":"version"' + b" " * (LINE_BYTES_MAX - 50) + b"}\n")
            self.assertEqual(client.read()["result"]["protocol"], 1)

    def test_damaged_requests_are_answered_or_refused(self):
        """Bytes of real requests flipped, cut, doubled: every line gets an answer, and no answer is none."""
        chance = random.Random(3)
        lines = [json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() for method, params in (
            ("link.add", {"ifname": "virt0", "linkstr": "impair:[mem:lan],loss=1%", "mtu": 1400}), ("link.show", {"stats": True}),
            ("config.apply", {"config": {"interfaces": [{"ifname": "virt1", "addr": ["192.0.2.1/24"]}], "routes": []}}),
            ("addr.add", {"ifname": "virt0", "local": "2001:db8::1/64"}), ("frob", {}), ("monitor", {"on": False}))]
        with self.client() as client:
            for _ in range(3000):
                line = bytearray(chance.choice(lines))
                for _ in range(chance.randrange(4)):
                    at = chance.randrange(len(line))
                    line[at:at + chance.randrange(3)] = bytes(chance.choices(range(256), k=chance.randrange(3)))
                wire = bytes(line).replace(b"\n", b"?")
                client.socket.sendall(wire + b"\n")
                if re.search(rb'"id": 1, "method"', wire):  # else it may have become a notification
                    answer = client.read()
                    self.assertTrue("result" in answer or "message" in answer["error"], wire)
                else:
                    client.socket.sendall(b'{"jsonrpc":"2.0","id":"mark","method":"version"}\n')
                    while client.read().get("id") != "mark":
                        pass

    @unittest.skipIf(SANITIZED, "a sanitizer gives no memory back at once")
    def test_memory_is_given_back(self):
        with self.client() as client:
            for n in range(200):
                client.call("link.add", ifname=f"virt{n}")
            sizes = []
            for _ in range(3):
                with contextlib.ExitStack() as many:
                    for _ in range(100):
                        greedy = many.enter_context(self.client())
                        greedy.send("link.show", stats=True)  # and does not read
                        greedy.send("link.show", stats=True)
                    client.call("link.show")
                self.until(lambda: self.fds() < 40, "they are gone")
                sizes.append(self.memory_kib())
            self.assertLess(sizes[2], sizes[0] + 8192, f"KiB after each of three rounds: {sizes}")

    def test_says_what_is_in_the_way(self):
        folder, link, lock = self.folder / "a.folder", self.folder / "a.link", self.folder / "a.sock"
        folder.mkdir()
        link.symlink_to(self.folder / "elsewhere")
        Path(f"{lock}.lock").mkdir()
        for path, words in ((folder, "is no socket"), (link, "is no socket"), (lock, "cannot make"), ("", "bytes: 1 to 107 fit"),
                            (self.folder / ("x" * (108 - len(str(self.folder)) - 1)), "bytes: 1 to 107 fit")):
            run = subprocess.run([VIRTIFD, "--socket", path], capture_output=True, text=True, check=False, timeout=60)
            self.assertEqual(run.returncode, FAILED, path)
            self.assertIn(words, run.stderr)
        longest = self.folder / ("x" * (107 - len(str(self.folder)) - 1))
        self.start(path=longest)
        with Client(longest) as client:
            client.call("version")

    def test_a_socket_nobody_listens_at_is_replaced(self):
        stale = self.folder / "stale.sock"
        with socket.socket(socket.AF_UNIX) as gone:
            gone.bind(str(stale))
        self.start(path=stale)
        with Client(stale) as client:
            client.call("version")

    def test_without_descriptors_a_verb_fails_and_says_why(self):
        if SANITIZED:
            self.skipTest("UBSan looks at objects through descriptors of its own, and takes none for a bad object")
        with self.client() as client:
            client.call("version")  # it is let in
            used = max(map(int, os.listdir(f"/proc/{self.daemon.pid}/fd"))) + 1
            before = resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE, (used, before[1]))
            error = client.call("link.add", ifname="virt0", linkstr=f"stream:{self.folder}/peer.sock,listen")
            self.assertEqual(error["data"]["errno"], "EMFILE")
            self.assertEqual(client.call("link.show"), [], "all or nothing")
            resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE, before)
            self.assertIn("ifname", client.call("link.add", ifname="virt0", linkstr=f"stream:{self.folder}/peer.sock,listen"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
