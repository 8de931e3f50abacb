# SPDX-License-Identifier: BSD-2-Clause
"""Who is where: arping, ndisc6, rdisc6 and the kernel's own neighbour cache against netstack/inet."""

import time

import namespaces
from inet_rig import InetCase, KERNEL4, KERNEL6, OURS4, OURS6

FREE4, FREE6 = "192.0.2.99", "fd56::99"


@namespaces.needs("arping", "ndisc6", "rdisc6", "ping")
class Neighbours(InetCase):
    def kernel_knows(self, address):
        """The kernel's entry of ours: (state, MAC)."""
        entries = [entry for entry in self.net.ip_json("neighbour show dev t0") if entry["dst"] == address]
        return (entries[0]["state"][0], entries[0].get("lladdr")) if entries else (None, None)

    def we_know(self, address):
        return next((entry["mac"] for entry in self.host.interface()["neighbours"] if entry["address"] == address), None)

    def events(self, what):
        return [event[1] for event in self.host.state()["events"] if event[2] == what]

    def test_answers_arping_and_ndisc6(self):
        mac = self.host.interface()["lladdr"]
        heard = self.net.out("arping", "-c", "2", "-I", "t0", OURS4)
        self.assertEqual(heard.count(f"from {OURS4} [{mac.upper()}]"), 2, heard)
        for address in (OURS6, self.host.link_local()):
            self.assertEqual(self.net.out("ndisc6", "-q", address, "t0").strip().lower(), mac)
        self.assertNotEqual(self.net.run("arping", "-c", "1", "-w", "1", "-I", "t0", FREE4).returncode, 0)
        self.assertNotEqual(self.net.run("ndisc6", "-r", "1", "-w", "500", FREE6, "t0").returncode, 0)

    def test_is_no_router_to_rdisc6(self):
        done = self.net.run("rdisc6", "-r", "1", "-w", "500", "t0")
        self.assertIn("No response", done.stdout + done.stderr)

    def test_its_addresses_are_duplicates_to_others(self):
        taken = self.net.run("arping", "-D", "-c", "2", "-w", "2", "-I", "t0", OURS4)
        self.assertEqual(taken.returncode, 1, taken.stdout)
        self.assertEqual(self.net.run("arping", "-D", "-c", "1", "-w", "1", "-I", "t0", FREE4).returncode, 0)
        self.net.set("net/ipv6/conf/t0/dad_transmits", 1)
        self.net.ip(f"address add {OURS6}/64 dev t0")
        self.assertTrue(namespaces.eventually(lambda: "dadfailed" in self.net.ip("address show dev t0")))
        self.assertEqual(self.events("conflict"), [])  # to ask is no conflict

    def test_finds_that_the_kernel_has_the_address(self):
        for taken in (f"{FREE4}/24", f"{FREE6}/64"):
            self.net.ip(f"address add {taken} dev t0" + (" nodad" if ":" in taken else ""))
            self.host.tell("address", 0, taken, "probe")
            self.assertTrue(self.host.has_address(taken, "duplicate"), self.host.addresses())
        self.assertEqual(self.net.run("ping", "-c", "1", "-W", "1", FREE4).returncode, 0)  # still the kernel's

    def test_defends_its_address(self):
        self.net.set("net/ipv4/ip_nonlocal_bind", 1)
        self.net.run("arping", "-c", "1", "-I", "t0", OURS4)
        self.net.run("arping", "-A", "-c", "1", "-I", "t0", "-s", OURS4, OURS4)
        self.assertTrue(namespaces.eventually(lambda: self.events("conflict") == [f"{OURS4}/24"]))
        self.assertEqual(self.host.addresses()[f"{OURS4}/24"], "preferred")
        self.assertEqual(self.host.counts()["conflicts"], 1)

    def test_stays_reachable_through_the_kernels_checks(self):
        for family in ("ipv4", "ipv6"):
            self.net.set(f"net/{family}/neigh/t0/base_reachable_time_ms", 400)
            self.net.set(f"net/{family}/neigh/t0/delay_first_probe_time", 1)
        seen = {OURS4: [], OURS6: []}
        end = time.monotonic() + 6
        while time.monotonic() < end:
            for address, states in seen.items():
                self.assertEqual(self.net.run("ping", "-c", "1", "-W", "2", address).returncode, 0)
                states.append(self.kernel_knows(address)[0])
            time.sleep(0.1)
        for address, states in seen.items():
            self.assertLessEqual(set(states), {"REACHABLE", "STALE", "DELAY", "PROBE"})
            came_back = [now for before, now in zip(states, states[1:]) if before != "REACHABLE" and now == "REACHABLE"]
            self.assertTrue(came_back, (address, states))

    def test_says_that_it_has_an_address_now(self):
        self.net.ip(f"neighbour replace {FREE4} lladdr 02:00:00:00:00:99 dev t0 nud stale")
        self.host.tell("address", 0, f"{FREE4}/24", "at_once")
        mac = self.host.interface()["lladdr"]  # the kernel believes the second announcement: it locks an entry for 1 s
        self.assertTrue(namespaces.eventually(lambda: self.kernel_knows(FREE4)[1] == mac))

    def test_takes_the_kernels_new_mac(self):
        self.assertTrue(self.host.pings(KERNEL4) and self.host.pings(KERNEL6))
        new = "02:00:00:00:56:01"
        self.net.ip(f"link set t0 address {new}")
        self.net.run("arping", "-U", "-c", "1", "-I", "t0", "-s", KERNEL4, KERNEL4)
        self.assertTrue(namespaces.eventually(lambda: self.we_know(KERNEL4) == new), self.host.interface())
        self.assertTrue(self.host.pings(KERNEL4))
        self.net.run("ping", "-c", "1", OURS6)  # the kernel asks anew, and so says its address
        self.assertTrue(namespaces.eventually(lambda: self.we_know(KERNEL6) == new), self.host.interface())


if __name__ == "__main__":
    namespaces.main()
