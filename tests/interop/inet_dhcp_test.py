# SPDX-License-Identifier: BSD-2-Clause
"""The DHCP client of netstack/inet against dnsmasq."""

import os
import tempfile

import namespaces
from inet_rig import InetCase, KERNEL4

# dnsmasq gives no lease of less than two minutes; T1 and T2 can be as short as we like.
LEASE_S, T1_S, T2_S = 120, 4, 60


@namespaces.needs("dnsmasq", "ping")
class Dhcp(InetCase):
    def options(self):
        return ("--no-ip6",)

    def give_addresses(self):
        self.net.ip(f"address add {KERNEL4}/24 dev t0")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.leases = os.path.join(folder.name, "leases")

    def serve(self, first, last, *words):
        """dnsmasq, with addresses from `first` to `last`."""
        return self.net.start(
            "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=t0", "--bind-interfaces",
            "--user=root", "--no-ping", "--dhcp-authoritative", f"--dhcp-leasefile={self.leases}", "--pid-file=",
            f"--dhcp-range={first},{last},255.255.255.0,{LEASE_S}", f"--dhcp-option=option:T1,{T1_S}",
            f"--dhcp-option=option:T2,{T2_S}", f"--dhcp-option=option:dns-server,{KERNEL4}", "--log-dhcp", *words)

    def dhcp(self):
        return self.host.state()["dhcp"]

    def events(self, what):
        return [event[1] for event in self.host.state()["events"] if event[2] == what]

    def assert_bound(self, address):
        # What nobody answered, as a server had not begun to listen yet, is asked again after a minute (RFC 2131, 4.4.5).
        bound = namespaces.eventually(lambda: self.host.addresses().get(f"{address}/24") == "preferred", 90)
        self.assertTrue(bound, self.host.state())
        self.assertIn(self.dhcp()["state"], ("bound", "renewing"))  # T1 is over before the address is claimed
        self.net.out("ping", "-c", "1", address)

    def test_takes_a_lease_renews_it_and_keeps_it_when_the_server_goes(self):
        self.host.tell("dhcp", 0, "start")
        self.assertTrue(namespaces.eventually(lambda: self.dhcp()["discovers"] == 1))  # nobody is there yet
        server = self.serve("192.0.2.100", "192.0.2.100", "--dhcp-option=option:mtu,1400",
                            "--dhcp-option=option:classless-static-route,198.51.100.0/24,192.0.2.1,0.0.0.0/0,192.0.2.1")
        self.assert_bound("192.0.2.100")
        self.assertGreaterEqual(self.dhcp()["discovers"], 2)
        lease = self.dhcp()["lease"]
        self.assertEqual((lease["server"], lease["dns"], lease["mtu"]), (KERNEL4, [KERNEL4], 1400))
        self.assertEqual(sorted(lease["routes"]), [["0.0.0.0/0", KERNEL4], ["198.51.100.0/24", KERNEL4]])
        self.net.ip("address add 203.0.113.1/32 dev lo")
        self.assertTrue(self.host.pings("203.0.113.1"))  # by the default route
        self.assertTrue(namespaces.eventually(lambda: self.dhcp()["acks"] >= 3), self.dhcp())
        self.assertEqual(self.host.addresses(), {"192.0.2.100/24": "preferred"})
        with open(self.leases, encoding="utf-8") as leases:
            self.assertIn(f"{self.host.interface()['lladdr']} 192.0.2.100", leases.read())
        self.assertEqual(self.dhcp()["naks"] + self.dhcp()["ignored"], 0)
        namespaces.end(server)
        asked = self.dhcp()["requests"]
        self.assertTrue(namespaces.eventually(lambda: self.dhcp()["requests"] > asked), self.dhcp())
        self.assertEqual(self.dhcp()["state"], "renewing")
        self.net.out("ping", "-c", "1", "192.0.2.100")
        self.assertEqual(self.events("lease over"), [])

    def test_takes_another_address_when_the_server_refuses_its_own(self):
        server = self.serve("192.0.2.100", "192.0.2.100")
        self.host.tell("dhcp", 0, "start")
        self.assert_bound("192.0.2.100")
        namespaces.end(server)
        os.remove(self.leases)
        server = self.serve("192.0.2.150", "192.0.2.150")
        self.assert_bound("192.0.2.150")
        self.assertEqual(self.dhcp()["naks"], 1)
        self.assertEqual(self.host.addresses(), {"192.0.2.150/24": "preferred"})
        self.assertEqual(self.events("lease over"), [""])
        self.host.tell("dhcp", 0, "release")
        self.assertTrue(namespaces.eventually(lambda: "DHCPRELEASE" in namespaces.said(server)))
        self.assertEqual(self.host.addresses(), {})

    def test_declines_an_address_that_somebody_has(self):
        self.net.ip("address add 192.0.2.100/32 dev lo")  # the kernel answers ARP for all it has
        server = self.serve("192.0.2.100", "192.0.2.101",
                            f"--dhcp-host={self.host.interface()['lladdr']},192.0.2.100")
        self.host.tell("dhcp", 0, "start")
        self.assertTrue(namespaces.eventually(lambda: "DHCPDECLINE(t0) 192.0.2.100" in namespaces.said(server)))
        self.assert_bound("192.0.2.101")


if __name__ == "__main__":
    namespaces.main()
