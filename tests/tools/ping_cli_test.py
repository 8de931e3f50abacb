# SPDX-License-Identifier: BSD-2-Clause
"""virtifctl ping: two virtifds on one wire, seen from an operator's chair.

usage: ping_cli_test.py VIRTIFD VIRTIFCTL
"""

import contextlib
import json
import re
import signal
import subprocess
import sys
import time
import unittest

from daemon_case import USAGE, VIRTIFCTL, DaemonCase

NOBODY, NOT_ASKED = 1, 2  # the exit status of ping(8)


class PingCli(DaemonCase):
    def setUp(self):
        super().setUp()
        wire = self.folder / "wire"
        self.ctl("link", "add", "virt0", "linkstr", f"stream:{wire},listen")
        self.ctl("addr", "add", "192.0.2.1/24", "dev", "virt0")
        self.ctl("addr", "add", "2001:db8::1/64", "dev", "virt0")
        near, self.path = self.path, self.folder / "far.sock"
        self.start()
        self.ctl("link", "add", "virt0", "linkstr", f"stream:{wire}")
        self.ctl("addr", "add", "192.0.2.2/24", "dev", "virt0")
        self.ctl("addr", "add", "2001:db8::2/64", "dev", "virt0")
        self.path = near

    def begin(self, *words):
        run = subprocess.Popen([VIRTIFCTL, "ping", *words, "--socket", self.path], stdout=subprocess.PIPE, text=True)
        self.addCleanup(run.stdout.close)
        self.addCleanup(run.wait)
        self.addCleanup(run.kill)
        return run

    def test_says_what_ping_says(self):
        said = self.ctl("ping", "192.0.2.2", "-c", "3", "-i", "0.05")
        self.assertRegex(said, r"""\APING 192\.0\.2\.2 \(192\.0\.2\.2\) 56\(84\) bytes of data\.
(64 bytes from 192\.0\.2\.2: icmp_seq=\d+ ttl=255 time=[\d.]+ ms\n){3}
--- 192\.0\.2\.2 ping statistics ---
3 packets transmitted, 3 received, 0% packet loss, time \d+ms
rtt min/avg/max/mdev = [\d.]+/[\d.]+/[\d.]+/[\d.]+ ms\n\Z""")
        self.assertEqual(re.findall(r"icmp_seq=(\d+)", said), ["1", "2", "3"])

    def test_speaks_ipv6_and_fragments(self):
        while "tentative" in self.ctl("addr"):
            time.sleep(0.1)
        told = json.loads(self.ctl("ping", "2001:db8::2", "-c", "2", "-i", "0.05", "-s", "4000", "-j"))
        self.assertEqual((told["transmitted"], told["received"], told["replies"][1]["bytes"]), (2, 2, 4000))
        self.path = self.folder / "far.sock"
        [info] = json.loads(self.ctl("addr", "-j"))
        [own] = [address["local"] for address in info["addr_info"] if address["scope"] == "link"]
        self.path = self.folder / "virtif.sock"
        self.assertIn("1 received", self.ctl("ping", f"{own}%virt0", "-c", "1"))
        self.assertIn("1 received", self.ctl("ping", own, "-I", "virt0", "-c", "1"))

    def test_tells_who_is_silent_from_what_cannot_be_asked(self):
        run = self.begin("192.0.2.77", "-c", "2", "-i", "0.1", "-W", "0.2")
        self.assertIn("2 packets transmitted, 0 received, 100% packet loss", run.stdout.read())
        self.assertEqual(run.wait(20), NOBODY)
        self.assertIn("no route leads there", self.ctl("ping", "198.51.100.1", status=NOT_ASKED))
        self.assertIn("192.0.2.x", self.ctl("ping", "192.0.2.x", status=NOT_ASKED))
        self.assertIn("there are virt0", self.ctl("ping", "192.0.2.2", "-I", "virt9", status=NOT_ASKED))
        self.ctl("ping", status=USAGE)
        self.ctl("ping", "192.0.2.2", "-s", "70000", status=USAGE)
        self.stop(self.daemon)
        self.assertIn("start one with", self.ctl("ping", "192.0.2.2", status=NOT_ASKED))

    def test_sums_up_when_interrupted(self):
        run = self.begin("192.0.2.2", "-i", "0.05")
        for _ in range(4):
            self.assertTrue(run.stdout.readline())
        run.send_signal(signal.SIGINT)
        self.assertIn("0% packet loss", run.stdout.read())
        self.assertEqual(run.wait(20), 0)

    def test_says_so_when_virtifd_goes(self):
        run = self.begin("192.0.2.2", "-i", "0.05")
        for _ in range(4):
            self.assertTrue(run.stdout.readline())
        self.stop(self.daemon)
        self.assertIn("ping statistics", run.stdout.read())
        self.assertEqual(run.wait(20), NOT_ASKED)

    def test_keeps_nobody_waiting_that_waits_for_an_answer(self):
        with self.client() as client:
            client.send("ping", to="192.0.2.77", timeout_ms=60_000)
            self.assertEqual(client.call("version")["protocol"], 1)  # answered before
            self.alive()
            for n in range(1, 63):
                client.send("ping", to="192.0.2.77", sequence=n, timeout_ms=300)
            client.call("version")
            client.send("ping", to="192.0.2.77", sequence=63, timeout_ms=300)  # the 64th: one must be answered first
            last = client.send("version")
            answers = [client.read() for _ in range(64)]
            self.assertEqual({answer["error"]["data"]["errno"] for answer in answers if "error" in answer}, {"ETIMEDOUT"})
            [place] = [n for n, answer in enumerate(answers) if answer["id"] == last]
            self.assertGreater(place, 0, "was taken once one was answered")
        self.alive()  # with one that nobody waits for any more

    def test_of_a_hundred_at_once_each_hears_its_own(self):
        self.ctl("ping", "192.0.2.2", "-c", "1")  # while an address is not known, only few frames are kept
        with contextlib.ExitStack() as many:
            clients = [many.enter_context(self.client()) for _ in range(100)]
            for n, client in enumerate(clients):
                client.send("ping", to="192.0.2.2", id=n, bytes=n)
            self.assertEqual([client.read()["result"]["bytes"] for client in clients], list(range(100)))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
