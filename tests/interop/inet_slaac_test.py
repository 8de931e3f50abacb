# SPDX-License-Identifier: BSD-2-Clause
"""Addresses and routes that netstack/inet takes from radvd."""

import os
import signal
import tempfile

import namespaces
from inet_rig import InetCase

ROUTER, FAR = "2001:db8:1::1", "2001:db8:2::1"
CONFIGURATION = """
interface t0 {{
  AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime 20; {more}
  prefix {prefix} {{ AdvOnLink on; AdvAutonomous on; AdvPreferredLifetime {preferred}; AdvValidLifetime {valid}; }};
}};
"""


@namespaces.needs("radvd", "ping")
class Slaac(InetCase):
    def prepare(self):
        super().prepare()
        self.net.set("net/ipv6/conf/all/forwarding", 1)

    def give_addresses(self):
        self.net.ip(f"address add {ROUTER}/64 dev t0 nodad")
        self.net.ip(f"address add {FAR}/128 dev lo")
        self.assertTrue(namespaces.eventually(lambda: "preferred" in self.host.addresses().values()))
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def advertise(self, preferred=3600, valid=7200, more="", prefix="2001:db8:1::/64"):
        path = os.path.join(self.folder.name, "radvd.conf")
        with open(path, "w", encoding="ascii") as configuration:
            configuration.write(CONFIGURATION.format(prefix=prefix, preferred=preferred, valid=valid, more=more))
        os.chmod(path, 0o644)
        return self.net.start("radvd", "--nodaemon", "--logmethod", "stderr", "--config", path, "--pidfile",
                              os.path.join(self.folder.name, "radvd.pid"))

    def made(self):
        """The address it made itself: its entry; None: not yet."""
        return next((entry for entry in self.host.interface()["addresses"]
                     if entry["origin"] == "autoconfigured" and entry["state"] != "tentative"), None)

    def test_makes_itself_an_address_and_knows_the_way(self):
        self.advertise(more="AdvLinkMTU 1400;")
        entry = namespaces.eventually(self.made)
        self.assertTrue(entry, self.host.interface())
        identifier = self.host.link_local().removeprefix("fe80::")
        self.assertEqual((entry["prefix"], entry["state"]), (f"2001:db8:1:0:{identifier}/64", "preferred"))
        self.assertTrue(3500 < entry["preferred_s"] <= 3600 and 7100 < entry["valid_s"] <= 7200, entry)
        self.assertTrue(self.host.pings(ROUTER) and self.host.pings(FAR))
        self.net.out("ping", "-c", "1", entry["prefix"].split("/")[0])
        # The MTU is the link's, for IPv6.
        before = self.host.counts()["fragmented"]
        self.assertTrue(self.host.pings(FAR, 1400 - 48))
        self.assertEqual(self.host.counts()["fragmented"], before)
        self.assertTrue(self.host.pings(FAR, 1400 - 47))
        self.assertEqual(self.host.counts()["fragmented"], before + 1)
        routers = [one["address"] for one in self.host.interface()["neighbours"] if one["router"]]
        self.assertEqual(sum(address.startswith("fe80") for address in routers), 1, routers)

    def test_ages_its_address_and_forgets_the_router(self):
        running = self.advertise(preferred=6, valid=12)
        self.assertTrue(namespaces.eventually(self.made), self.host.interface())
        self.assertTrue(self.host.pings(FAR))
        namespaces.end(running)  # without a word
        self.assertTrue(namespaces.eventually(lambda: self.made()["state"] == "deprecated"), self.host.interface())
        self.assertTrue(self.host.pings(FAR))  # still good enough
        self.assertTrue(namespaces.eventually(lambda: self.made() is None), self.host.interface())
        self.assertEqual([event[2] for event in self.host.state()["events"] if "2001" in event[1]],
                         ["ready", "deprecated", "gone"])

    def test_knows_no_way_when_the_router_says_goodbye(self):
        running = self.advertise()
        self.assertTrue(namespaces.eventually(self.made), self.host.interface())
        self.assertTrue(self.host.pings(FAR))
        namespaces.end(running, signal.SIGTERM)
        self.assertTrue(namespaces.eventually(lambda: "error" in self.host.ask("ping", FAR, 0)))
        self.assertTrue(self.host.pings(ROUTER))  # on the link, still
        self.advertise()
        self.assertTrue(namespaces.eventually(lambda: "error" not in self.host.ask("ping", FAR, 0)))


if __name__ == "__main__":
    namespaces.main()
