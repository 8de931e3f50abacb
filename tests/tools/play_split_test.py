# SPDX-License-Identifier: BSD-2-Clause
"""`virtifctl replay --to A --to B --split RULE`: both sides of what stands between two links.

usage: play_split_test.py VIRTIFCTL DATA_FOLDER, run by itself again in a network namespace of its own.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path

from play_case import DATA, INSIDE, VIRTIFCTL, Play, ctl, ip, main, truth

PING = DATA / "ping.pcap.gz"  # 02:76:69:66:00:0a and 10.86.0.10 ask, ...:0b and 10.86.0.11 answer
CLIENT, SERVER = "10.86.0.10", "02:76:69:66:00:0b"
RULES = (f"net={CLIENT}/32", "first")


class Usage(Play):
    def test_refuses_what_does_not_fit_together(self):
        two = ("--to", "null:", "--to", "null:")
        for words, said in ((two, "--split"), (("--to", "null:", "--split", "first"), "twice"),
                            ((*two, "--to", "null:", "--split", "first"), "twice"), ((*two, "--split", "second"), "first"),
                            ((*two, "--split", "net=x"), "192.0.2.0/24"), (("--split", "first"), "--to"),
                            ((*two, "--split", "first", "--expect", PING, "--learn", "tcp.seq"), "--learn"),
                            (("--to", "null:", "--to", "[", "--split", "first"), "--to")):
            code, out, err = ctl(PING, *words)
            self.assertEqual((code, out), (2, ""), (words, err))
            self.assertIn(said, err)

    def test_counts_what_went_to_each_link(self):
        got = self.object(DATA / "tcp.pcap", "--to", "null:", "--to", "null:", "--speed", "top", "--split", "port=7646")
        self.assertIsNone(got["to"])
        self.assertEqual(sum(link["sent"]["frames"] for link in got["links"]), got["sent"]["frames"])
        self.assertEqual(sum(link["sent"]["bytes"] for link in got["links"]), got["sent"]["bytes"])
        self.assertGreater(min(link["sent"]["frames"] for link in got["links"]), 5)

    def test_a_capture_of_two_interfaces_is_split_by_them(self):
        got = self.object(DATA / "mixed.pcapng", "--to", "null:", "--to", "null:", "--speed", "top", "--split", "iface=0", status=1)
        records = subprocess.run(["tshark", "-r", DATA / "mixed.pcapng", "-Tfields", "-e", "frame.interface_id"], capture_output=True,
                                 text=True, check=False).stdout.split()
        if not records:
            self.skipTest("no tshark; tools/setup check installs it")
        others = sum(got["refused"].values())
        self.assertEqual(sum(link["sent"]["frames"] for link in got["links"]) + others, len(records))
        self.assertLessEqual(got["links"][0]["sent"]["frames"], records.count("0"))


class Between(Play):
    """In real time, with something between two veth pairs that forwards."""

    def setUp(self):
        if INSIDE not in os.environ:
            self.skipTest("no network namespace of its own: needs root or user namespaces")
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        for near, far in (("vifa", "vifpa"), ("vifb", "vifpb")):
            ip(f"link add {near} type veth peer name {far}")
            self.addCleanup(ip, f"link del {near}")
            for name in (near, far):
                self.up(name)
        self.words = (PING, "--to", "uring:vifa", "--to", "uring:vifb", "--max-gap", "5ms", "--expect", PING)

    @staticmethod
    def up(name):
        Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1", encoding="utf-8")
        ip(f"link set {name} up")

    def kernel_bridge(self):
        ip("link add vifbr type bridge mcast_snooping 0")
        self.addCleanup(ip, "link del vifbr")
        for port in ("vifpa", "vifpb"):
            ip(f"link set {port} master vifbr")
        self.up("vifbr")

    def all_went_through(self, rule, *words):
        got = self.object(*self.words, "--timeout", "5s", "--split", rule, *words)
        self.assertEqual((got["verdict"], got["expect"]["matched"], got["expect"]["received"]), ("pass", 12, 12), got)
        asked, answered = got["links"]
        self.assertEqual(asked["sent"]["frames"] + answered["sent"]["frames"], 12)
        self.assertEqual(asked["expect"]["matched"], answered["sent"]["frames"])
        self.assertEqual(answered["expect"]["matched"], asked["sent"]["frames"])
        self.assertGreater(min(asked["sent"]["frames"], answered["sent"]["frames"]), 3)

    def test_a_bridge_of_the_kernel_passes_both_directions(self):
        self.kernel_bridge()
        for rule in RULES:
            self.all_went_through(rule)

    def test_our_own_bridge_passes_both_directions(self):
        words = [VIRTIFCTL, "bridge", "-j", "uring:vifpa", "uring:vifpb"]
        with subprocess.Popen(words, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as bridge:
            try:
                self.assertIn("bridging", bridge.stderr.readline())
                self.all_went_through(RULES[0], "--only", "arp or icmp")  # it asks after itself, too
            finally:
                bridge.terminate()

    def test_says_in_which_direction_something_is_lost(self):
        self.kernel_bridge()
        subprocess.run(["bridge", "fdb", "add", SERVER, "dev", "vifpa", "master", "static", "sticky"], check=True)  # where it is not
        report = self.folder / "report"
        code, out, err = ctl(*self.words, "--split", RULES[0], "--timeout", "300ms", "--report", report)
        self.assertEqual(code, 1, out + err)
        got = json.loads((report / "report.json").read_text(encoding="utf-8"))
        asked, answered = got["links"]
        self.assertEqual(asked["expect"]["faults"]["missing"], 0)
        self.assertGreater(answered["expect"]["faults"]["missing"], 2)
        self.assertEqual(got["expect"]["faults"]["missing"], answered["expect"]["faults"]["missing"])
        self.assertIn("uring:vifb: frame", got["expect"]["failures"][0]["text"])
        self.assertIn("uring:vifb", out)
        page = (report / "report.html").read_text(encoding="utf-8")
        self.assertIn('id="links"', page)
        records, error = truth.read(report / "received.pcapng")
        self.assertEqual((len(records), error), (got["received"], ""))

    def test_a_router_may_change_what_it_has_to(self):
        """What was expected is another capture: with the other addresses, and a hop less to live."""
        self.kernel_bridge()
        got = self.object(*self.words, "--timeout", "5s", "--split", RULES[0], "--rewrite", "ttl=63", "--ignore", "ip.ttl")
        self.assertEqual(got["expect"]["matched"], 12)


if __name__ == "__main__":
    main()
