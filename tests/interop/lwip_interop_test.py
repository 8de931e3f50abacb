# SPDX-License-Identifier: BSD-2-Clause
"""lwIP on a TAP, and the clients everyone has: curl, ab and socat, over IPv4 and IPv6, also through a bad link.

usage: lwip_interop_test.py LWIP_HOST HTTP_EXAMPLE [TEST]...
"""

import hashlib
import random
import re
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import peers

LWIP_HOST, HTTP_EXAMPLE = sys.argv[1:3]
MIB = 1 << 20
PERIOD = bytes((i * 7 + i // 256) & 255 for i in range(65536))  # what the host's bodies and chargen repeat


def pattern(count):
    return (PERIOD * (count // len(PERIOD) + 1))[:count]


def since(before, now):
    """How much each counter of a tree of them grew."""
    return {key: since(before.get(key, {}), value) if isinstance(value, dict) else value - before.get(key, 0)
            for key, value in now.items()}


def sha(data):
    return hashlib.sha256(data).hexdigest()


class Interop(unittest.TestCase):
    LINK = "tap:vif0"

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.ask = self.enterContext(peers.host(LWIP_HOST, self.LINK, "192.0.2.1/24", "fd00::1/64"))
        peers.up("vif0", "192.0.2.2/24", "fd00::2/64")
        self.reach()

    def enterContext(self, manager):  # Python 3.11 has it of its own
        value = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return value

    def reach(self):
        for address in ("http://192.0.2.1/", "http://[fd00::1]/"):
            peers.run(["curl", "-s", "--retry", "5", "--retry-all-errors", "-o", "/dev/null", address])

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def expect_sums(self):
        """No frame is unaccounted for, on our side and between the kernel's and ours."""
        now = peers.settled(self.ask)
        kernel = peers.interface("vif0")
        self.assertEqual(now["received"], kernel["tx"]["packets"])
        self.assertEqual(now["opackets"], kernel["rx"]["packets"])


class Clients(Interop):
    def test_curl_gets_ten_megabytes(self):
        for address in ("192.0.2.1", "[fd00::1]"):
            body = peers.run(["curl", "-sS", f"http://{address}/bytes/10000000"])
            self.assertEqual(sha(body), sha(pattern(10_000_000)), address)
        self.expect_sums()

    def test_curl_keeps_a_connection(self):
        before = self.ask()
        out = peers.run(["curl", "-sS", "-w", "%{http_code} ", *[f"http://192.0.2.1/bytes/{n}" for n in (0, 1, 70000)],
                         "http://192.0.2.1/nothing", *["-o", "/dev/null"] * 4])
        self.assertEqual(out.split(), [b"200", b"200", b"200", b"404"])
        now = self.ask()
        self.assertEqual(now["requests"] - before["requests"], 4)
        self.assertEqual(now["accepted"] - before["accepted"], 1)

    def test_ab_fails_no_request(self):
        for words in ("", "-k"):
            for address in ("192.0.2.1", "[fd00::1]"):
                out = peers.run(f"ab -q {words} -n 2000 -c 20 http://{address}/").decode()
                self.assertIn("Complete requests:      2000\n", out)
                self.assertIn("Failed requests:        0\n", out)
                self.assertNotIn("Non-2xx", out)
                kept = re.search(r"Keep-Alive requests: +(\d+)", out)
                self.assertEqual(int(kept.group(1)) if kept else 0, 2000 if words else 0)
        self.expect_sums()

    def test_bulk_both_ways(self):
        sent = self.file("sent", random.Random(1).randbytes(64 * MIB))
        for address in ("TCP4:192.0.2.1", "TCP6:[fd00::1]"):
            before = self.ask()["discarded"]
            peers.run(["socat", "-u", "-b", "65536", f"OPEN:{sent}", f"{address}:9"])
            self.assertEqual(peers.settled(self.ask)["discarded"] - before, 64 * MIB)
            got = peers.run(["sh", "-c", f"socat -u -b 65536 {address}:19 - 2>&- | head -c {64 * MIB} | sha256sum"])
            self.assertEqual(got.split()[0].decode(), sha(pattern(64 * MIB)))
        self.expect_sums()


class BadLink(Interop):
    """Loss, reordering and doubles, both ways; the seed makes it the same every time."""

    LINK = "impair:[tap:vif0,offload=off],loss=0.1%,delay=200us,reorder=0.2%,dup=1%,seed=1"

    def test_tcp_delivers_all(self):
        sent = self.file("sent", random.Random(2).randbytes(64 * MIB))
        # socat sends the file, says FIN, and waits for the echo's end.
        got = peers.run(["sh", "-c", f"socat -t 30 -b 65536 - TCP4:192.0.2.1:7 < {sent} | sha256sum"])
        self.assertEqual(got.split()[0].decode(), sha(sent.read_bytes()))
        now = peers.settled(self.ask)
        self.assertGreater(now["drops"]["rx_impaired"], 0)
        self.assertGreater(now["drops"]["tx_impaired"], 0)

    def test_udp_is_counted_to_the_datagram(self):
        records = [number.to_bytes(4, "big") + random.Random(number).randbytes(1020) for number in range(64 * 1024)]
        sent = self.file("sent", b"".join(records))
        self.silence()
        ours, kernel, udp = self.ask(), peers.interface("vif0"), peers.snmp("Udp")
        with sent.open("rb") as file:
            got = peers.run(["socat", "-t", "1", "-b", "1024", "-", "UDP4:192.0.2.1:7"], stdin=file)
        ours = since(ours, peers.settled(self.ask))
        kernel, udp = since(kernel, peers.interface("vif0")), since(udp, peers.snmp("Udp"))

        # There: what socat sent is on the link or was dropped by the kernel before it, twice what was doubled.
        self.assertEqual(udp["OutDatagrams"], len(records))
        self.assertEqual(kernel["tx"]["packets"] + kernel["tx"]["dropped"], len(records))
        self.assertGreater(ours["received"], kernel["tx"]["packets"])
        self.assertEqual(ours["received"] - ours["drops"]["rx_impaired"], ours["ipackets"])
        self.assertEqual(ours["udp_received"], ours["ipackets"])
        # And back.
        self.assertEqual(ours["udp_sent"], ours["udp_received"])
        self.assertEqual(ours["offered"], ours["udp_sent"])
        self.assertEqual(ours["offered"] - ours["drops"]["tx_impaired"], ours["opackets"])
        self.assertGreater(kernel["rx"]["packets"], ours["opackets"])
        self.assertEqual(udp["InDatagrams"] + udp["RcvbufErrors"], kernel["rx"]["packets"])
        self.assertEqual(len(got), 1024 * udp["InDatagrams"])
        # Each is what it was.
        for at in range(0, len(got), 1024):
            self.assertEqual(got[at:at + 1024], records[int.from_bytes(got[at:at + 4], "big")])

    def silence(self):
        """Nobody says anything of itself from here on: ARP is settled, and there is a router, which has no IPv6."""
        mac = [word for word in peers.run("ip neigh show 192.0.2.1").decode().split() if word.count(":") == 5][0]
        peers.run(f"ip neigh replace 192.0.2.1 lladdr {mac} dev vif0 nud permanent")
        with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as router:
            router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
            for _ in range(3):  # some may be lost; RFC 4861, 4.2, without a lifetime
                router.sendto(bytes([134]) + bytes(15), ("ff02::1", 0, 0, socket.if_nametoindex("vif0")))
        Path("/proc/sys/net/ipv6/conf/vif0/disable_ipv6").write_text("1", encoding="ascii")
        peers.settled(self.ask, still=1.5)


class Example(unittest.TestCase):
    def test_http_example_serves(self):
        with subprocess.Popen([HTTP_EXAMPLE, "tap:vif1", "192.0.2.1/24"], stdout=subprocess.PIPE, text=True) as server:
            try:
                self.assertEqual(server.stdout.readline(), "serving http://192.0.2.1/\n")
                peers.up("vif1", "192.0.2.2/24")
                pages = peers.run("curl -sS --retry 5 --retry-all-errors http://192.0.2.1/[1-100]")
                self.assertEqual(pages, b"Hello, 192.0.2.2.\n" * 100)
                server.terminate()
                self.assertEqual(server.wait(30), 0)
            finally:
                server.kill()


if __name__ == "__main__":
    peers.alone("curl", "ab", "socat", "ip")
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
