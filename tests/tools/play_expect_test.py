# SPDX-License-Identifier: BSD-2-Clause
"""`virtifctl replay --to LINKSTR --expect FILE` from a user's chair: the verdict, and how it is told.

usage: play_expect_test.py VIRTIFCTL DATA_FOLDER, run by itself again in a network namespace of its own.
"""

import json
import os
import resource
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from play_case import DATA, VIRTIFCTL, Play, ctl, main, truth


class Expects(Play):
    """On a tunnel to itself, where all that is sent comes back."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        port = 10_000 + os.getpid() % 50_000
        self.echo = ("--to", f"vxlan:127.0.0.1,vni=86,local=127.0.0.1,port={port}", "--max-gap", "1ms", "--timeout", "5s")

    def compared(self, *words):
        """(exit status, the object, what people read)."""
        code, out, err = ctl(*words, *self.echo, "-j")
        again, text, _ = ctl(*words, *self.echo)
        self.assertEqual(code, again, err + text)
        return code, json.loads(out)[0], text

    def test_passes_when_it_comes_as_expected(self):
        code, got, text = self.compared(DATA / "tcp.pcap", "--expect", DATA / "tcp.pcap")
        self.assertEqual((code, got["verdict"], got["expect"]["matched"]), (0, "pass", 22), text)
        self.assertIn("PASS", text)

    def test_names_the_first_difference_side_by_side(self):
        words = (DATA / "tcp.pcap", "--rewrite", "ttl=9", "--expect", DATA / "tcp.pcap", "--only", "ip")
        code, got, text = self.compared(*words)
        self.assertEqual((code, got["verdict"]), (1, "fail"))
        first = got["expect"]["failures"][0]
        self.assertEqual(first["fault"], "different")
        self.assertIn("ip.ttl: expected 64, received 9", first["text"])
        self.assertTrue(any(line["name"] == "ip.ttl" and line["differs"] for line in first["fields"]))
        self.assertIn("* ip.ttl", text)
        self.assertIn("FAIL", text)
        code, got, _ = self.compared(*words, "--ignore", "ip.ttl")
        self.assertEqual((code, got["verdict"]), (0, "pass"))

    def test_something_else_fails_unless_allowed(self):
        words = (DATA / "tcp.pcap", DATA / "vlan.pcap", "--expect", DATA / "vlan.pcap")  # which comes last
        code, got, _ = self.compared(*words, "--order", "unordered")
        self.assertEqual((code, got["expect"]["faults"]["unexpected"]), (1, 22))
        code, got, _ = self.compared(*words, "--allow-others")
        self.assertEqual((code, got["expect"]["let_pass"]), (0, 22))

    def test_what_does_not_come_is_missing(self):
        got = self.object(DATA / "tcp.pcap", "--to", "null:", "--speed", "top", "--expect", DATA / "tcp.pcap", "--timeout", "10ms",
                          status=1)
        self.assertEqual(got["expect"]["faults"]["missing"], 22)

    def test_writes_a_report_that_needs_nothing_else(self):
        report = self.folder / "report"
        code, _, _ = self.compared(DATA / "tcp.pcap", "--rewrite", "ttl=9", "--expect", DATA / "tcp.pcap", "--report", report)
        self.assertEqual(code, 1)
        self.assertEqual(json.loads((report / "report.json").read_text(encoding="utf-8"))["verdict"], "fail")
        suite = ElementTree.parse(report / "junit.xml").getroot()
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("2", "1"))
        self.assertIn("ip.ttl", suite.find(".//failure").get("message"))
        page = (report / "report.html").read_text(encoding="utf-8")
        self.assertIn('id="verdict" class="FAIL"', page)
        for outside in ("http:", "https:", "src=", "@import", "<script"):
            self.assertNotIn(outside, page)
        records, error = truth.read(report / "received.pcapng")
        self.assertEqual((len(records), error), (22, ""))
        self.assertIn(b"different: frame 1: ip.ttl: expected 64", (report / "received.pcapng").read_bytes())  # its comment

    def test_a_report_does_not_overwrite_what_is_read(self):
        report = self.folder / "report"
        ctl(DATA / "tcp.pcap", "--to", "null:", "--report", report)
        came = report / "received.pcapng"
        before = came.read_bytes()
        for words in ((came, "--to", "null:"), (DATA / "tcp.pcap", "--to", "null:", "--expect", came),
                      (DATA / "tcp.pcap", "--to", f"pcap:{came}"), (DATA / "tcp.pcap", "--to", f"impair:[pcap:{came}],loss=1%"),
                      (DATA / "tcp.pcap", "--to", f"pcap:{DATA}/tcp.pcap,write={came}")):
            code, out, err = ctl(*words, "--report", report)
            self.assertEqual((code, out), (2, ""), err)
            self.assertIn("received.pcapng is also read", err)
            self.assertEqual(came.read_bytes(), before)
        later = os.path.relpath(self.folder / "later")  # which is not there yet
        code, _, err = ctl(DATA / "tcp.pcap", "--to", f"pcap:{DATA}/tcp.pcap,write={self.folder}/later/received.pcapng", "--report", later)
        self.assertEqual(code, 2, err)
        self.assertFalse(os.path.exists(later))

    def test_nothing_of_an_earlier_report_outlives_a_run_that_fails(self):
        report = self.folder / "report"
        for words in ((self.folder / "none.pcap", "--to", "null:"), (DATA / "tcp.pcap", "--to", "nowhere:"),
                      (DATA / "tcp.pcap", "--to", "null:", "--expect", self.folder / "none.pcap")):
            code, _, err = ctl(DATA / "tcp.pcap", "--to", "null:", "--speed", "top", "--report", report)
            self.assertEqual((code, len(list(report.iterdir()))), (0, 4), err)
            code, _, err = ctl(*words, "--report", report)
            self.assertEqual((code, err != ""), (3, True))
            self.assertEqual([path for path in report.iterdir() if path.name != "received.pcapng"], [])

    def test_tells_all_the_rest_when_one_place_is_full(self):
        report = self.folder / "report"
        words = [VIRTIFCTL, "replay", DATA / "tcp.pcap", *self.echo, "--expect", DATA / "tcp.pcap", "--report", report]
        with open("/dev/full", "wb") as full:
            code = subprocess.run(words, stdout=full, stderr=subprocess.DEVNULL, check=False, timeout=60).returncode
        self.assertEqual(code, 3)
        self.assertEqual(json.loads((report / "report.json").read_text(encoding="utf-8"))["verdict"], "pass")
        run = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, restore_signals=False,  # SIGXFSZ ignored
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)))
        self.assertEqual(run.returncode, 3)
        self.assertIn("22 came as expected", run.stdout)
        self.assertIn("FAIL", run.stdout)
        self.assertIn("received.pcapng", run.stderr)
        self.assertIn("report.json", run.stderr)
        suite = ElementTree.parse(report / "junit.xml").getroot()
        self.assertEqual((suite.get("failures"), suite.get("errors")), ("0", "1"))
        self.assertIn("received.pcapng", suite.find(".//error").get("message"))

    def test_expecting_or_sending_nothing_does_not_pass(self):
        empty = self.folder / "empty.pcap"
        empty.write_bytes((DATA / "tcp.pcap").read_bytes()[:24])
        for words, said in (((empty,), "holds no frame"), ((DATA / "tcp.pcap", "--only", "arp"), "--only selects none")):
            code, out, err = ctl(DATA / "tcp.pcap", "--to", "null:", "--speed", "top", "--expect", *words)
            self.assertEqual((code, out), (3, ""), err)
            self.assertIn(said, err)
        report = self.folder / "report"
        got = self.object(empty, "--to", "null:", status=1)
        self.assertEqual((got["frames"], got["verdict"]), (0, "fail"))
        self.assertIn("hold none", got["error"])
        got = self.object(DATA / "tcp.pcap", "--to", "null:", "--speed", "top", "--send", "arp", "--report", report, status=1)
        self.assertEqual((got["frames"], got["skipped"], got["verdict"]), (0, 22, "fail"))
        self.assertIn("none of the 22 frames", got["error"])
        self.assertIn("--send left out 22 frames", (report / "report.html").read_text(encoding="utf-8"))
        self.assertEqual(ElementTree.parse(report / "junit.xml").getroot().get("failures"), "1")
        self.assertIn("skipped   11", ctl(DATA / "tcp.pcap", "--to", "null:", "--speed", "top", "--send", "tcp src port 7646")[1])

    def test_the_report_is_well_formed_whatever_a_capture_is_called(self):
        report = self.folder / "report"
        odd = b"a\xff\xc0\x80\xed\xa0\x80\xf5\xef\xbf\xbf \xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7<.pcap"
        capture = self.folder / os.fsdecode(odd)
        capture.write_bytes((DATA / "cut-short.pcap").read_bytes())
        run = subprocess.run([VIRTIFCTL, "replay", capture, "--to", "null:", "--speed", "top", "--report", report],
                             stdout=subprocess.DEVNULL, check=False, timeout=60)
        self.assertEqual(run.returncode, 1)
        said = ElementTree.parse(report / "junit.xml").getroot().find(".//failure").get("message")
        self.assertIn("a" + 10 * "\ufffd" + " \u00e4\u20ac\U0001f427<.pcap", said)
        self.assertIn(" \u00e4\u20ac\U0001f427&lt;.pcap", (report / "report.html").read_text(encoding="utf-8"))

    def test_learns_a_port_and_sequence_numbers(self):
        code, got, text = self.compared(DATA / "tcp.pcap", "--send", "tcp src port 7646", "--rewrite", "port:7646=9999",
                                        "--expect", DATA / "tcp.pcap", "--only", "tcp src port 7646 or tcp src port 9999",
                                        "--learn", "tcp.seq,tcp.srcport")
        self.assertEqual((code, got["verdict"]), (0, "pass"), text)

    def test_refuses_what_it_does_not_understand(self):
        base = (DATA / "tcp.pcap", "--to", "null:", "--expect", DATA / "tcp.pcap")
        for words, said in ((["--ignore", "ip.tll"], "ip.ttl"), (["--ignore", "@4..2"], "empty"), (["--order", "none"], "order"),
                            (["--within", "5"], "--within"), (["--timeout", "x"], "--timeout"), (["--only", "and"], "--only"),
                            (["--rewrite", "ttl=x"], "--rewrite"), (["--learn", "ip.ttl"], "--learn"), (["--send", "and"], "--send"),
                            (["--report", ""], "--report"), (["--loop", "2"], "--loop"), (["--loop", "forever"], "--loop"),
                            (["--within", "5ms", "--speed", "pps=100"], "original or xN"),
                            (["--within", "5ms", "--speed", "top"], "original or xN"),
                            (["--within", "5ms", "--max-gap", "1s"], "--max-gap")):
            code, out, err = ctl(*base, *words)
            self.assertEqual((code, out), (2, ""), err)
            self.assertIn(said, err)
        code, _, err = ctl(DATA / "tcp.pcap", "--to", "null:", "--expect", self.folder / "none.pcap")
        self.assertEqual(code, 3, err)


if __name__ == "__main__":
    main()
