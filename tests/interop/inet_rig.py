# SPDX-License-Identifier: BSD-2-Clause
"""The kernel and a host of netstack/inet at the two ends of a TAP: what the inet tests have in common.

usage of each test: inet_NAME_test.py INET_HOST
"""

import sys
import unittest

import namespaces

INET_HOST = sys.argv.pop(1)

# The kernel's addresses, on t0, and ours, on virt0 behind it.
KERNEL4, OURS4, OURS4_TOO = "192.0.2.1", "192.0.2.2", "192.0.2.3"
KERNEL6, OURS6, OURS6_TOO = "fd56::1", "fd56::2", "fd56::3"
SEED = 5227


class InetHost(namespaces.Conversation):
    """A running inet_host (see its source for the commands)."""

    def __init__(self, namespace, *links_and_options):
        super().__init__(namespace, INET_HOST, *links_and_options)

    def state(self):
        return self.tell("state")

    def counts(self):
        return self.state()["inet"]

    def drops(self, reason):
        return self.counts()["drops"].get(reason, 0)

    def interface(self, index=0):
        return self.state()["interfaces"][index]

    def addresses(self, index=0):
        """What state each address is in: {"192.0.2.2/24": "preferred", ...}."""
        return {entry["prefix"]: entry["state"] for entry in self.interface(index)["addresses"]}

    def link_local(self, index=0):
        return next(prefix for prefix in self.addresses(index) if prefix.startswith("fe80")).split("/")[0]

    def has_address(self, prefix, state="preferred", index=0):
        return namespaces.eventually(lambda: self.addresses(index).get(prefix) == state)

    def pings(self, address, payload_bytes=56, *via):
        """Sends an echo request: whether the reply came, and as it was sent."""
        before = len(self.state()["replies"])
        self.tell("ping", address, payload_bytes, *via)
        replies = namespaces.eventually(lambda: self.state()["replies"][before:], 3)
        return bool(replies) and all(reply["whole"] for reply in replies)


class InetCase(unittest.TestCase):
    """A namespace with t0, and our stack behind it as self.host. At the end of each test all counters have to match."""

    def setUp(self):
        self.net = namespaces.Namespace(self)
        self.prepare()
        self.host = InetHost(self.net, "tap:t0", *self.options())
        self.net.ip("link set t0 up")
        self.give_addresses()

    def prepare(self):
        """Before our stack starts: the kernel uses its addresses at once."""
        self.net.set("net/ipv6/conf/default/dad_transmits", 0)

    def options(self):
        return ()

    def give_addresses(self):
        self.net.ip(f"address add {KERNEL4}/24 dev t0")
        self.net.ip(f"address add {KERNEL6}/64 dev t0 nodad")
        for ours in (f"{OURS4}/24", f"{OURS4_TOO}/24", f"{OURS6}/64", f"{OURS6_TOO}/64"):
            self.host.tell("address", 0, ours, "at_once" if "." in ours else "probe")
        self.assertTrue(namespaces.eventually(lambda: set(self.host.addresses().values()) == {"preferred"}))

    def tearDown(self):
        if self.host.running.poll() is not None:
            return
        self.assertTrue(namespaces.eventually(self.both_ends_agree), self.both_ends())
        counts = self.host.finish()["inet"]
        self.assertTrue(counts["in_adds_up"] and counts["out_adds_up"], counts)

    def both_ends(self):
        ours, theirs = self.host.interface(), self.net.interface("t0")["stats64"]
        return ((ours["received"], theirs["tx"]["packets"]), (ours["opackets"], theirs["rx"]["packets"]))

    def both_ends_agree(self):
        """Whether the kernel has sent as many packets as we have received, and the other way round."""
        return all(ours == theirs for ours, theirs in self.both_ends())
