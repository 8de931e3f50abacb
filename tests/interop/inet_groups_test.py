# SPDX-License-Identifier: BSD-2-Clause
"""Groups: what netstack/inet tells a bridge that snoops, and what then arrives at whom."""

import json
import sys

import namespaces
from inet_rig import InetCase, OURS4, OURS6

GROUP4, GROUP6 = "239.86.73.1", "ff05::8673:1"  # beyond the link's own: a bridge learns these
MDNS4, MDNS6 = "224.0.0.251", "ff02::fb"
SEND = """
import socket, sys
interface, group, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
family, level = (socket.AF_INET6, socket.IPPROTO_IPV6) if ":" in group else (socket.AF_INET, socket.IPPROTO_IP)
sender = socket.socket(family, socket.SOCK_DGRAM)
sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
for n in range(count):
    sender.sendto(b"to all", (group, 7))
"""
JOIN = """
import socket, struct, sys
interface, group, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
index = socket.if_nametoindex(interface)
if ":" in group:
    member = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, group) +
                      struct.pack("@I", index))
else:
    member = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) +
                      struct.pack("@4si", b"\\0" * 4, index))
member.bind(("", port))
print("joined", flush=True)
print(member.recvfrom(100)[1][0], flush=True)
"""


class Groups(InetCase):
    def arrived(self):
        return self.host.state()["udp"]["to_groups"]

    def send(self, interface, group, count=1):
        self.net.out(sys.executable, "-c", SEND, interface, group, count)


@namespaces.needs()
class OnTheLink(Groups):
    def test_hears_a_group_while_it_is_in(self):
        for group in (MDNS4, MDNS6, GROUP4, GROUP6):
            before = self.arrived()
            self.host.tell("group", 0, group, "join")
            self.send("t0", group, 10)
            self.assertTrue(namespaces.eventually(lambda: self.arrived() == before + 10), group)
            self.host.tell("group", 0, group, "leave")
            received = self.net.interface("t0")["stats64"]["tx"]["packets"]
            self.send("t0", group, 10)
            self.assertTrue(self.host.pings(OURS4) and self.host.pings(OURS6))
            # Nor did the frames reach us: the TAP's filter, in the kernel, is told of joins and leaves.
            self.assertLess(self.net.interface("t0")["stats64"]["tx"]["packets"] - received, 10, group)
            self.assertEqual(self.arrived(), before + 10, group)

    def test_speaks_to_a_group_that_the_kernel_is_in(self):
        for group, table, name in ((MDNS4, "/proc/net/igmp", "FB0000E0"),
                                   (MDNS6, "/proc/net/igmp6", "ff0200000000000000000000000000fb")):
            member = self.net.python(JOIN, "t0", group, 5353, stdout=-1)
            self.assertEqual(member.stdout.readline(), "joined\n")
            self.assertIn(name, self.net.read(table))
            self.host.tell("udp", group, 5353, 100, 0)
            heard_from = member.stdout.readline().strip().split("%")[0]
            self.assertIn(heard_from, (OURS4, OURS6, self.host.link_local()))


@namespaces.needs("bridge")
class BehindABridge(Groups):
    """t0 is a port of a bridge that asks for members, every second, and sends a group's frames to them only."""

    def prepare(self):
        super().prepare()
        self.net.ip("link add br0 type bridge mcast_snooping 1 mcast_querier 1 mcast_igmp_version 3 "
                    "mcast_mld_version 2 mcast_query_interval 100 mcast_query_response_interval 50 "
                    "mcast_membership_interval 250 mcast_last_member_interval 20 mcast_startup_query_interval 50")

    def give_addresses(self):
        self.net.ip("link set t0 master br0")
        self.net.ip("link set br0 up")
        self.net.ip("address add 192.0.2.1/24 dev br0")
        self.net.ip("address add fd56::1/64 dev br0 nodad")
        self.host.tell("address", 0, f"{OURS4}/24", "at_once")
        self.assertTrue(namespaces.eventually(lambda: set(self.host.addresses().values()) == {"preferred"}))
        self.host.tell("group", 0, "ff02::fb", "join")

    def members(self):
        """The groups that the bridge knows behind t0."""
        table = json.loads(self.net.out("bridge", "-j", "mdb", "show", "dev", "br0"))[0]["mdb"]
        return {entry["grp"] for entry in table if entry["port"] == "t0"}

    def assert_member(self, *groups):
        self.assertTrue(namespaces.eventually(lambda: set(groups) <= self.members()), self.members())

    def test_is_a_member_as_long_as_it_is_in(self):
        self.host.tell("group", 0, GROUP4, "join")
        self.host.tell("group", 0, GROUP6, "join")
        self.assert_member(GROUP4, GROUP6)
        gone = namespaces.eventually(lambda: not {GROUP4, GROUP6} <= self.members(), 6)
        self.assertFalse(gone)  # it answered each query
        before = self.arrived()
        for group in (GROUP4, GROUP6):
            self.send("br0", group, 5)
        self.assertTrue(namespaces.eventually(lambda: self.arrived() == before + 10), self.host.state())
        self.host.tell("group", 0, GROUP4, "leave")
        self.host.tell("group", 0, GROUP6, "leave")
        self.assertTrue(namespaces.eventually(lambda: not {GROUP4, GROUP6} & self.members(), 5), self.members())

    def test_speaks_the_version_before_to_a_querier_of_it(self):
        self.net.ip("link set br0 type bridge mcast_igmp_version 2 mcast_mld_version 1")
        self.assertTrue(namespaces.eventually(lambda: self.net.snmp()["Icmp6OutMsgs"] > 0))
        self.host.tell("group", 0, GROUP4, "join")
        self.host.tell("group", 0, GROUP6, "join")
        self.assert_member(GROUP4, GROUP6)
        self.assertFalse(namespaces.eventually(lambda: not {GROUP4, GROUP6} <= self.members(), 6))


if __name__ == "__main__":
    namespaces.main()
