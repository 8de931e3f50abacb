# SPDX-License-Identifier: BSD-2-Clause
"""Damaged packets of every kind against netstack/inet, made with scapy: see mutants.py, and quotes.py for the rules."""

import json
import os
import struct
import subprocess
import sys
import unittest

import namespaces
import quotes
from inet_rig import InetCase, KERNEL4, KERNEL6, OURS4, OURS6, SEED

MUTANTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mutants.py")
TIMES = 12


def python_with_scapy():
    """Debian's scapy belongs to Debian's Python, which need not be the one that runs this. None: no scapy."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import scapy.config"], capture_output=True, check=False).returncode == 0:
            return python
    return None


PYTHON = python_with_scapy()


def summed(data, at):
    """`data` with the checksum of all of it at `at`, which holds zeros."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    return data[:at] + struct.pack("!H", 0xffff - total % 0xffff) + data[at + 2:]


def ip4(source, to, protocol, payload, offset=0):
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, offset, 64, protocol, 0) + source + to
    return summed(header, 10) + payload


class Rules(unittest.TestCase):
    """quotes.py sees what it should, or the test below could not fail."""

    THIRD, OURS = bytes([192, 0, 2, 77]), bytes([192, 0, 2, 2])

    def broken_by(self, *, to=OURS, offset=0, protocol=17, upper=bytes(8), frame_to=b"\2", source=THIRD):
        """What is broken by an ICMP error about such a packet."""
        judge = quotes.Judge(b"\2" * 6)
        quote = ip4(source, to, protocol, upper, offset)
        judge.sent(frame_to + bytes(11) + b"\x08\0" + quote)
        icmp = summed(b"\3\3\0\0" + bytes(4) + quote, 2)
        judge.look_at(bytes(6) + b"\2" * 6 + b"\x08\0" + ip4(self.OURS, self.THIRD, 1, icmp))
        return [words.split(":")[0] for words in judge.broken]

    def test_each_rule_can_be_broken(self):
        self.assertEqual(self.broken_by(), [])
        self.assertEqual(self.broken_by(offset=1), ["no error about a fragment but the first"])
        self.assertEqual(self.broken_by(protocol=1, upper=b"\3" + bytes(7)), ["no error about an error"])
        self.assertEqual(self.broken_by(to=bytes([192, 0, 2, 255])), ["no error about a group's or a broadcast"])
        self.assertEqual(self.broken_by(frame_to=b"\xff"), ["no error about a frame to everybody"])
        self.assertEqual(self.broken_by(source=self.OURS), ["an error goes to the sender"])
        self.assertIn("no error to who is no single host", self.broken_by(source=bytes(4)))


@namespaces.needs("ping")
@unittest.skipUnless(PYTHON, "scapy is not installed (Debian: python3-scapy)")
class Malformed(InetCase):
    def give_addresses(self):
        super().give_addresses()
        # The kernel is also the third host in whose name mutants.py speaks, so that answers to it find a way.
        for address in ("192.0.2.77/24", "fd56::77/64", "fe80::77/64"):
            self.net.ip(f"address add {address} dev t0" + (" nodad" if ":" in address else ""))

    def assert_well(self):
        """Both know each other again, whatever they were told of their addresses, and answer."""
        for address in (OURS4, OURS6):
            once = ("ping", "-c", "1", "-W", "1", address)
            answered = namespaces.eventually(lambda: self.net.run(*once).returncode == 0)
            self.assertTrue(answered, self.host.state())
        for address in (KERNEL4, KERNEL6):
            self.assertTrue(self.host.pings(address), address)

    def test_survives_and_breaks_no_rule(self):
        self.assert_well()
        before = self.host.state()
        told = json.loads(self.net.out(PYTHON, MUTANTS, "t0", before["interfaces"][0]["lladdr"], SEED, TIMES, timeout=250))
        print(json.dumps({name: told[name] for name in told if name != "broken"}, sort_keys=True))
        self.assertEqual(told["broken"], [])
        self.assertGreater(told["sent"], 1000)
        self.assertGreater(told["errors"], 50)
        for kind in ("arp", "icmp 0/0", "icmp 3/2", "icmp 3/3", "icmp6 129/0", "icmp6 136/0", "icmp6 1/4", "icmp6 4/1"):
            self.assertIn(kind, told["seen"])  # it does answer, too
        self.assert_well()
        after = self.host.state()
        kept = after["inet"]["fragments_waiting"] + after["inet"]["packets_held"]
        self.assertLessEqual(after["mbufs"], before["mbufs"] + kept)
        self.assertTrue(after["inet"]["in_adds_up"] and after["inet"]["out_adds_up"], after["inet"])
        for reason in ("malformed", "bad_checksum", "bad_address", "unknown_protocol", "no_socket", "invalid_discovery"):
            self.assertGreater(after["inet"]["drops"].get(reason, 0), 0, reason)


if __name__ == "__main__":
    namespaces.main()
