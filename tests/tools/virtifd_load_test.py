# SPDX-License-Identifier: BSD-2-Clause
"""virtifd under load. Killed at random points: the next one starts at once on the same --state, and of the TAPs of the dead
one only those that were asked to persist are left. And for a while: nothing grows.

usage: virtifd_load_test.py VIRTIFD VIRTIFCTL KILLS SECONDS, run by itself again in a network namespace of its own.
"""

import contextlib
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

from daemon_case import SANITIZED, Client, DaemonCase

INSIDE = "VIF_LOAD_TEST"
SKIPPED = 77
ROUNDS, SECONDS = int(sys.argv[3]), int(sys.argv[4])
PERSISTENT = "vifkeep"
# What is set before each kill, and whether it is there afterwards is known.
FIRST = {"interfaces": [{"ifname": "virt0", "linkstr": "tap:vifping", "up": True, "addr": ["192.0.2.1/24"]},
                        {"ifname": "virt1", "linkstr": f"tap:{PERSISTENT},persist", "up": True}]}


def taps():
    links = json.loads(subprocess.run(["ip", "-j", "link"], capture_output=True, check=True).stdout)
    return {link["ifname"] for link in links} - {"lo"}


class Load:
    """Threads that give a virtifd work until it dies."""

    def __init__(self, path, seed):
        self.path, self.seed = path, seed
        self.calls = 0
        self.threads = [threading.Thread(target=self.run, args=(work, n)) for n, work in enumerate(
            (self.taps_come_and_go, self.taps_come_and_go, self.settings_change, self.everything_is_shown, self.watched))]
        self.flood = subprocess.Popen(["ping", "-f", "-q", "192.0.2.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for thread in self.threads:
            thread.start()

    def run(self, work, number):
        chance = random.Random(self.seed * 10 + number)
        with contextlib.suppress(OSError, TypeError, ValueError), Client(self.path) as client:  # ends in the middle of a line
            while True:
                work(client, chance, number)
                self.calls += 1

    def taps_come_and_go(self, client, chance, number):
        name = f"virt{chance.randrange(2, 12)}"
        client.call("link.add", ifname=name, linkstr=f"tap:vift{number}{chance.randrange(9)}", up=chance.random() < 0.8)
        client.call("link.del", ifname=f"virt{chance.randrange(2, 12)}")

    def settings_change(self, client, chance, _):
        client.call("link.set", ifname="virt0", mtu=chance.randrange(1280, 1500))
        client.call("addr.add", ifname="virt0", local=f"198.51.100.{chance.randrange(1, 5)}/24")
        client.call("addr.del", ifname="virt0", local=f"198.51.100.{chance.randrange(1, 5)}")

    def everything_is_shown(self, client, *_):
        client.call("link.show", stats=True)
        client.call("config.show")

    def watched(self, client, *_):
        client.send("monitor", on=True)
        while True:
            if client.read() is None:
                raise OSError("gone")

    def end(self, daemon=None):
        """The calls there were. `daemon`, if it still lives, is stopped."""
        if daemon is not None:
            DaemonCase.stop(daemon)
        self.flood.kill()
        self.flood.wait()
        for thread in self.threads:
            thread.join()
        return self.calls


class UnderLoad(DaemonCase):
    def setUp(self):
        super().setUp()
        self.stop(self.daemon)  # in favour of one with a configuration
        self.state, self.first = self.folder / "state.json", self.folder / "first.json"
        self.first.write_text(json.dumps(FIRST))

    def begin(self):
        """A virtifd with FIRST, or with what one before it left."""
        daemon = self.start("--config", self.first, "--state", self.state)
        subprocess.run(["ip", "addr", "replace", "192.0.2.2/24", "dev", "vifping"], check=True)
        subprocess.run(["ip", "link", "set", "vifping", "up"], check=True)
        return daemon

    def test_nothing_grows(self):
        daemon = self.begin()
        load = Load(self.path, 1)
        seen = []
        for _ in range(10):
            time.sleep(SECONDS / 10)
            status = Path(f"/proc/{daemon.pid}/status").read_text()
            seen.append((int(re.search(r"VmRSS:\s+(\d+)", status)[1]), len(os.listdir(f"/proc/{daemon.pid}/fd"))))
            with Client(self.path) as client:
                [ping] = client.call("link.show", ifname="virt0", stats=True)
        calls = load.end(daemon)
        self.assertEqual(daemon.returncode, 0, "stopped, it ends as it should")
        self.assertGreater(calls, SECONDS)
        self.assertGreater(ping["stats64"]["tx"]["packets"], SECONDS, "it answers a flood of pings meanwhile")
        if not SANITIZED:
            self.assertLess(seen[-1][0], max(kib for kib, _ in seen[:5]) + 8192, f"KiB and descriptors: {seen}")
        self.assertLess(max(fds for _, fds in seen), 100, f"KiB and descriptors: {seen}")
        self.until_only_persistent_taps_are_left("the end")
        print(f"{SECONDS} s, {calls} calls, {ping['stats64']['tx']['packets']} pings answered, {seen[-1][0]} KiB", flush=True)

    def test_the_next_one_begins_where_the_killed_one_was(self):
        chance, calls = random.Random(5), 0
        for number in range(ROUNDS):
            daemon = self.begin()
            with Client(self.path) as client:
                shown = {link["ifname"] for link in client.call("link.show")}
            wanted = {link["ifname"] for link in json.loads(self.state.read_text())["interfaces"]}
            self.assertEqual(wanted, shown, f"round {number}")
            self.assertLessEqual({"virt0", "virt1"}, shown)
            load = Load(self.path, number)
            time.sleep(0.02 + chance.random() * 0.2)
            daemon.kill()
            daemon.wait()
            daemon.stderr.close()
            if number % 2:  # else at once: what is left of the dead one may be in the way
                self.until_only_persistent_taps_are_left(f"round {number}")
            calls += load.end()
        self.until_only_persistent_taps_are_left("the end")
        self.assertGreater(calls, ROUNDS, "there was a load")
        print(f"{ROUNDS} kills, {calls} calls before them", flush=True)

    def until_only_persistent_taps_are_left(self, when):
        for _ in range(100):  # the kernel takes them away in its own time
            if taps() == {PERSISTENT}:
                return
            time.sleep(0.05)
        self.fail(f"{when}: {taps()} are left after five seconds")


def main():
    if INSIDE not in os.environ:
        room = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--net"]
        if subprocess.run([*room, "true"], capture_output=True, check=False).returncode != 0:
            print("skipped: this kernel lets nobody make namespaces (unshare)")
            sys.exit(SKIPPED)
        if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
            print("skipped: no /dev/net/tun")
            sys.exit(SKIPPED)
        os.environ[INSIDE] = "yes"
        os.execvp(room[0], [*room, sys.executable, *sys.argv])
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
