# SPDX-License-Identifier: BSD-2-Clause
"""nping against netstack/inet: what is not served is refused in the words of RFC 1122 and RFC 4443, the rest counted."""

import errno
import socket
import sys

import namespaces
from inet_rig import InetCase, KERNEL6, OURS4, OURS6

ASK = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
asking = socket.socket(family, socket.SOCK_DGRAM)
asking.connect((sys.argv[1], 9))
asking.settimeout(5)
asking.send(b"x")
try:
    asking.recv(1)
except OSError as error:
    print(error.errno)
"""


@namespaces.needs("nping", "ping")
class Errors(InetCase):
    def setUp(self):
        super().setUp()
        for address in (OURS4, OURS6):
            self.net.out("ping", "-c", "1", address)

    def nping(self, count, *words):
        """By how much each of the kernel's counters grew, as nping itself misses some answers; and what it printed."""
        before = self.net.snmp()
        out = self.net.out("nping", "-c", count, "--delay", "20ms", *words)
        self.assertIn(f"Raw packets sent: {count} ", out)
        return {name: value - before.get(name, 0) for name, value in self.net.snmp().items()}, out

    def nping6(self, count, *words):
        macs = ("--dest-mac", self.host.interface()["lladdr"], "--source-mac", self.net.interface("t0")["address"])
        return self.nping(count, "-6", "--send-eth", "-e", "t0", *macs, "-S", KERNEL6, *words, OURS6)[0]

    def test_refuses_udp_to_a_closed_port(self):
        grown, out = self.nping(5, "--udp", "-p", "9", OURS4)
        self.assertEqual(grown["IcmpInDestUnreachs"], 5, out)
        self.assertIn("type=3/code=3", out)
        self.assertEqual(self.nping6(5, "--udp", "-p", "9")["Icmp6InDestUnreachs"], 5)
        counts = self.host.counts()
        self.assertEqual((counts["drops"]["no_socket"], counts["errors_sent"]), (10, 10))

    def test_its_refusal_reaches_the_kernels_socket(self):
        for address in (OURS4, OURS6):
            said = self.net.out(sys.executable, "-c", ASK, address)
            self.assertEqual(said.strip(), str(errno.ECONNREFUSED), address)

    def test_refuses_tcp_as_a_protocol(self):
        grown, out = self.nping(5, "--tcp", "-p", "80", "--flags", "syn", OURS4)
        self.assertEqual(grown["IcmpInDestUnreachs"], 5, out)
        self.assertIn("type=3/code=2", out)
        self.assertEqual(self.nping6(5, "--tcp", "-p", "80", "--flags", "syn")["Icmp6InParmProblems"], 5)
        self.assertEqual(self.host.drops("unknown_protocol"), 10)

    def test_answers_whatever_hops_are_left(self):
        # A host does not look at the time to live of what is for it (RFC 1122, 3.2.1.7).
        for hops in (0, 1, 255):
            grown, out = self.nping(3, "--icmp", "--send-eth", "--dest-mac", self.host.interface()["lladdr"],
                                    "--ttl", hops, OURS4)
            self.assertEqual(grown["IcmpInEchoReps"], 3, out)

    def test_answers_an_echo_of_zeros_so_that_it_adds_up(self):
        grown, _ = self.nping(3, "--icmp", "--icmp-id", "0", "--icmp-seq", "0", OURS4)
        self.assertEqual((grown["IcmpInEchoReps"], grown["IcmpInCsumErrors"]), (3, 0))

    def test_echoes_udp(self):
        # The kernel has no socket for nping's echoes, and counts them.
        self.assertEqual(self.nping(50, "--udp", "-p", "7", "--data-length", "1000", OURS4)[0]["UdpNoPorts"], 50)
        self.assertEqual(self.nping6(50, "--udp", "-p", "7", "--data-length", "1000")["Udp6NoPorts"], 50)
        self.assertEqual(self.host.state()["udp"]["datagrams"], 100)

    def test_drops_wrong_checksums_in_silence(self):
        self.nping(5, "--udp", "-p", "7", "--badsum", "--data-length", "100", OURS4)
        self.assertEqual(self.host.drops("bad_checksum"), 5)
        self.assertEqual(self.host.state()["udp"]["datagrams"], 0)

    def test_slows_down_with_errors(self):
        # Fifty at once, then a hundred a second (RFC 4443, 2.4 f).
        self.net.out("nping", "-c", "400", "--rate", "4000", "--udp", "-p", "9", OURS4)
        counts = namespaces.eventually(lambda: (now := self.host.counts())["drops"].get("no_socket") == 400 and now)
        self.assertTrue(counts, self.host.counts())
        self.assertEqual(counts["errors_sent"] + counts["errors_suppressed"], 400)
        self.assertGreaterEqual(counts["errors_sent"], 50)
        self.assertGreater(counts["errors_suppressed"], 0)


if __name__ == "__main__":
    namespaces.main()
