# SPDX-License-Identifier: BSD-2-Clause
"""ping of iputils, both families, against netstack/inet: every reply counted, every byte compared."""

import random
import re

import namespaces
from inet_rig import (InetCase, KERNEL4, KERNEL6, OURS4, OURS4_TOO, OURS6, OURS6_TOO, SEED)

ICMP_BYTES, IP4_BYTES, IP6_BYTES, FRAGMENT6_BYTES = 8, 20, 40, 8
PAYLOAD_MAX = 65535 - IP4_BYTES - ICMP_BYTES
COUNTS = re.compile(r"(\d+) packets transmitted, (\d+) received,(.*)")


def sizes(mtu, header_bytes):
    """Every payload around a fragment's end or a power of two, and a sample of all others."""
    piece = (mtu - header_bytes) & ~7
    edges = [n * piece - ICMP_BYTES for n in range(0, 65536 // piece + 2)] + [2**n for n in range(17)]
    edges += [mtu - header_bytes - ICMP_BYTES, 0, PAYLOAD_MAX]
    near = {edge + d for edge in edges for d in range(-2, 3)}
    sample = random.Random(SEED).sample(range(PAYLOAD_MAX), 60)
    return sorted(size for size in near.union(sample) if 0 <= size <= PAYLOAD_MAX)


@namespaces.needs("ping")
class Ping(InetCase):
    def ping(self, *words):
        """How many requests ping sent, how many replies it got, and what it complained of."""
        done = self.net.run("ping", "-q", "-W", "3", *words)
        self.assertNotIn("wrong data byte", done.stdout)
        counts = COUNTS.search(done.stdout)
        self.assertTrue(counts, done.stdout + done.stderr)
        self.times = done.stdout.strip().splitlines()[-1]  # to be looked at, not asserted
        return int(counts[1]), int(counts[2]), counts[3].rsplit(" packet loss")[0]

    def assert_answered(self, count, *words):
        """All requests at once, for after the last one ping waits no longer than its interval. The first one goes
        alone: while the kernel does not know its neighbour, it keeps fewer packets than we send."""
        self.assertEqual(self.ping("-c", "1", *words[-1:])[1], 1, words)
        self.assertEqual(self.ping("-c", count, "-l", count, "-i", "5", *words), (count, count, " 0%"), words)

    def replies(self):
        """How many echo replies the kernel got so far, of either family."""
        counts = self.net.snmp()
        return counts["IcmpInEchoReps"] + counts["Icmp6InEchoReplies"]

    def sweep(self, address, wanted):
        self.assert_answered(1, address)
        for size in wanted:
            pattern = random.Random(size).randbytes(16).hex()
            self.assertEqual(self.ping("-c", "2", "-l", "2", "-i", "5", "-s", size, "-p", pattern, address),
                             (2, 2, " 0%"), size)

    def test_answers_every_size_of_ipv4(self):
        self.sweep(OURS4, sizes(1500, IP4_BYTES))

    def test_answers_every_size_of_ipv6(self):
        self.sweep(OURS6, sizes(1500, IP6_BYTES + FRAGMENT6_BYTES))

    def test_answers_every_size_after_the_mtu_changed(self):
        for mtu in (1280, 1496, 576):  # below 1280 the kernel gives IPv6 up
            self.net.ip(f"link set t0 mtu {mtu}")
            self.assertTrue(namespaces.eventually(lambda: self.host.interface()["mtu"] == mtu))
            few = random.Random(mtu).sample(sizes(mtu, IP4_BYTES), 50)
            self.sweep(OURS4, few)
            if mtu >= 1280:
                self.sweep(OURS6, few)

    def test_answers_a_flood_and_counts_it(self):
        for words in ((OURS4,), (OURS6,), ("-s", "1472", OURS4), ("-l", "100", OURS4)):
            before, replies = self.host.counts(), self.replies()
            self.assertEqual(self.ping("-f", "-c", "10000", *words)[0], 10000)
            print("flood", *words, self.times)
            # ping itself does not wait for the last ones: the kernel counts them.
            self.assertTrue(namespaces.eventually(lambda: self.replies() >= replies + 10000))
            self.assertEqual(self.replies(), replies + 10000, words)
            after = self.host.counts()
            self.assertEqual(after["drops"], before["drops"], words)
            for name in ("received", "delivered", "originated", "sent"):
                self.assertLessEqual(after[name] - before[name] - 10000, 30, name)  # neighbours are asked, too
                self.assertGreaterEqual(after[name] - before[name], 10000, name)

    def test_answers_at_every_address_of_its_own(self):
        for address in (OURS4_TOO, OURS6_TOO, self.host.link_local() + "%t0"):
            self.assert_answered(20, address)

    def test_answers_ipv6_groups_and_multicast_but_no_broadcast(self):
        self.net.set("net/ipv6/icmp/echo_ignore_multicast", 1)  # or the kernel answers, too
        self.assert_answered(20, "ff02::1%t0")
        self.assertEqual(self.ping("-b", "-c", "2", "-i", "0.2", "-W", "1", "192.0.2.255")[:2], (2, 0))
        self.assertEqual(self.ping("-b", "-c", "2", "-i", "0.2", "-W", "1", "-I", "t0", "255.255.255.255")[:2], (2, 0))

    def test_pings_the_kernel_and_itself(self):
        for address in (KERNEL4, KERNEL6, OURS4_TOO, OURS6_TOO):
            for size in (0, 1, 56, 1453, 1473, 9000, 65507):
                self.assertTrue(self.host.pings(address, size), (address, size))


if __name__ == "__main__":
    namespaces.main()
