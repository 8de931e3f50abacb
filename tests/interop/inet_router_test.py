# SPDX-License-Identifier: BSD-2-Clause
"""netstack/inet as the router between two kernels: ping, traceroute, tracepath, path MTU, and TCP in super-frames.

Its interfaces are packet sockets (uring:) on veth pairs whose other ends are in the two namespaces.
"""

import hashlib
import os
import tempfile
import unittest

import namespaces
from inet_rig import InetHost

MIB = 1 << 20
LEFT4, LEFT6, RIGHT4, RIGHT6 = "192.0.2.1", "fd56::1", "198.51.100.1", "fd57::1"
ROUTER4, ROUTER6 = ("192.0.2.2", "198.51.100.2"), ("fd56::2", "fd57::2")


@namespaces.needs("ping", "traceroute", "tracepath", "socat")
class Router(unittest.TestCase):
    def setUp(self):
        self.middle, self.left, self.right = (namespaces.Namespace(self) for _ in range(3))
        for side in (self.left, self.right):
            side.set("net/ipv6/conf/default/dad_transmits", 0)
        self.middle.set("net/ipv6/conf/default/disable_ipv6", 1)  # its kernel has no address, and says nothing
        for name, side in (("left", self.left), ("right", self.right)):
            self.middle.ip(f"link add {name} type veth peer name eth0 netns {side.holder.pid}")
            self.middle.ip(f"link set {name} up")
        self.wire(self.left, (LEFT4, LEFT6), (ROUTER4[0], ROUTER6[0]))
        self.wire(self.right, (RIGHT4, RIGHT6), (ROUTER4[1], ROUTER6[1]))
        self.host = InetHost(self.middle, "--forwarding", "uring:left", "uring:right")
        for index in range(2):
            self.host.tell("address", index, f"{ROUTER4[index]}/24", "at_once")
            self.host.tell("address", index, f"{ROUTER6[index]}/64", "probe")
        for index in range(2):
            self.assertTrue(self.host.has_address(f"{ROUTER6[index]}/64", index=index))
        for address in (RIGHT4, RIGHT6):  # so that everybody knows everybody
            self.left.out("ping", "-c", "1", "-W", "5", address)

    def wire(self, side, addresses, routers):
        side.ip("link set eth0 up")
        for address, router in zip(addresses, routers):
            side.ip(f"address add {address}/{64 if ':' in address else 24} dev eth0")
            side.ip(f"route add default via {router}")

    def tearDown(self):
        if self.host.running.poll() is None:
            counts = self.host.finish()["inet"]
            self.assertTrue(counts["in_adds_up"] and counts["out_adds_up"], counts)

    def narrow(self, mtu):
        """The link to the right takes less."""
        self.middle.ip(f"link set right mtu {mtu}")
        self.right.ip(f"link set eth0 mtu {mtu}")
        self.assertTrue(namespaces.eventually(lambda: self.host.interface(1)["mtu"] == mtu))

    def sends(self, address, path):
        """Whether a file arrives whole over TCP; `address` is socat's for the right side, as seen from the left."""
        target = tempfile.NamedTemporaryFile()
        self.addCleanup(target.close)
        kind, host, port = address
        self.right.start("socat", "-u", f"{kind}-LISTEN:{port},reuseaddr", f"CREATE:{target.name}")
        table = "/proc/net/tcp" + kind[3:].replace("4", "")
        self.assertTrue(namespaces.eventually(lambda: f":{port:04X} " in self.right.read(table)))
        self.left.out("socat", "-u", "-b", "65536", f"OPEN:{path}", f"{kind}:{host}:{port}")
        with open(path, "rb") as sent:
            wanted = hashlib.sha256(sent.read()).digest()

        def arrived():
            with open(target.name, "rb") as got:
                return hashlib.sha256(got.read()).digest() == wanted
        return namespaces.eventually(arrived)

    def test_passes_packets_of_all_sizes_both_ways(self):
        for side, others in ((self.left, (RIGHT4, RIGHT6)), (self.right, (LEFT4, LEFT6))):
            for address in others:
                for size in (0, 1, 56, 1400, 1472, 1473, 9000, 65000):
                    side.out("ping", "-c", "2", "-l", "2", "-i", "5", "-q", "-s", size, address)
        counts = self.host.counts()
        self.assertLessEqual(set(counts["drops"]), {"ignored"}, counts)  # solicitations of routers

    def test_is_seen_by_traceroute(self):
        for words, hops in ((("-4", RIGHT4), (ROUTER4[0], RIGHT4)), (("-6", RIGHT6), (ROUTER6[0], RIGHT6))):
            for kind in ("-U", "-I", "-T"):
                out = self.left.out("traceroute", "-n", "-q", "1", kind, *words)
                self.assertEqual([line.split()[1] for line in out.splitlines()[1:]], list(hops), out)

    def test_says_that_the_hops_are_used_up(self):
        for address, router in ((RIGHT4, ROUTER4[0]), (RIGHT6, ROUTER6[0])):
            out = self.left.run("ping", "-c", "3", "-i", "0.1", "-t", "1", address).stdout
            self.assertEqual(out.count(f"From {router} icmp_seq"), 3, out)
            self.assertRegex(out, "Time to live exceeded|Time exceeded: Hop limit")
        self.assertEqual(self.host.drops("hops_exceeded"), 6)

    def test_tells_the_kernel_of_a_narrow_path(self):
        self.narrow(1300)
        for address, overhead in ((RIGHT4, 28), (RIGHT6, 48)):
            out = self.left.run("ping", "-c", "2", "-i", "0.2", "-M", "do", "-s", 1400, address)
            self.assertNotEqual(out.returncode, 0)
            self.assertIn("1300", out.stdout + out.stderr)  # from us, then from the kernel, which believes it
            self.assertIn("mtu 1300", self.left.ip(f"route get {address}"))
            self.left.out("ping", "-c", "2", "-i", "0.2", "-M", "do", "-s", 1300 - overhead, address)
        out = self.left.out("tracepath", "-n", "-6", RIGHT6)
        self.assertIn("pmtu 1300", out)
        self.assertIn("Resume: pmtu 1300 hops 2 back 2", out)
        self.assertGreaterEqual(self.host.drops("too_big"), 2)

    def test_cuts_what_may_be_cut(self):
        self.narrow(1300)
        self.left.out("ping", "-c", "3", "-l", "3", "-i", "5", "-M", "dont", "-s", 4000, RIGHT4)
        self.assertGreater(self.host.counts()["fragmented"], 0)

    def test_passes_tcp(self):
        with tempfile.NamedTemporaryFile() as source:
            source.write(os.urandom(16 * MIB))
            source.flush()
            self.assertTrue(self.sends(("TCP4", RIGHT4, 9004), source.name))
            self.assertTrue(self.sends(("TCP6", f"[{RIGHT6}]", 9006), source.name))
            self.narrow(1300)
            self.assertTrue(self.sends(("TCP4", RIGHT4, 9014), source.name))
            self.assertTrue(self.sends(("TCP6", f"[{RIGHT6}]", 9016), source.name))


if __name__ == "__main__":
    namespaces.main()
