# SPDX-License-Identifier: BSD-2-Clause
"""The pages that commands write for people, as a browser has them: `replay --report` and `fwu sim --report`.

usage: report_page_test.py VIRTIFCTL DATA_FOLDER, run by itself again in a network namespace of its own.
"""

import json
import os
import shutil
import struct
import tempfile
import unittest
from pathlib import Path

import browser
import fwu_disk
from play_case import DATA, VIRTIFCTL, Play, ctl, main

PAPER, DARK, SENT, GOT, BAD = "255,255,255", "20,24,29", "50,115,197", "15,143,138", "196,38,46"  # as in html_page.cpp


class Case(Play):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        port = 10_000 + os.getpid() % 50_000
        self.echo = ("--to", f"vxlan:127.0.0.1,vni=86,local=127.0.0.1,port={port}", "--max-gap", "1ms", "--timeout", "5s")

    def report(self, *words):
        """(the page's path, its text, the JSON beside it)."""
        code, out, err = ctl(*words, "--report", self.folder)
        self.assertIn(code, (0, 1), out + err)
        page = self.folder / "report.html"
        return page, page.read_text(encoding="utf-8"), json.loads((self.folder / "report.json").read_text(encoding="utf-8"))


class Numbers(Case):
    """Without a browser: what the page says is what the JSON says."""

    def numbers_agree(self, page, got):
        self.assertEqual(page.text["verdict"], got["verdict"].upper())
        self.assertEqual(page.frames("time-line", "sent"), got["sent"]["frames"])
        self.assertEqual(page.frames("time-line", "received"), got["received"])
        self.assertEqual(page.frames("refused", None), sum(got["refused"].values()) + got["sent"]["failed"] + got["truncated"])
        if got["late_us"]["p50"]:
            self.assertEqual(page.frames("late", "sent"), got["sent"]["frames"] + got["sent"]["failed"])
            self.assertEqual(page.frames("gap-error", "sent"), got["sent"]["frames"] + got["sent"]["failed"] - 1)

    def test_of_a_replay_that_passes(self):
        _, html, got = self.report(DATA / "tcp.pcap", *self.echo, "--expect", DATA / "tcp.pcap")
        page = browser.Page(html)
        self.assertEqual(got["verdict"], "pass")
        self.numbers_agree(page, got)
        self.assertEqual(page.frames("time-line", "failed"), 0)
        self.assertNotIn("difference", page.text)
        self.assertIn("TCP", page.text["flows"])

    def test_of_one_that_fails(self):
        _, html, got = self.report(DATA / "tcp.pcap", *self.echo, "--expect", DATA / "tcp.pcap", "--rewrite", "ttl=9")
        page = browser.Page(html)
        self.numbers_agree(page, got)
        self.assertEqual(page.frames("time-line", "failed"), sum(got["expect"]["faults"].values()))
        for line in got["expect"]["failures"][0]["fields"]:
            self.assertIn(line["expected"], page.text["difference"])
        self.assertIn(str(got["expect"]["faults"]["different"]), page.text["faults"])

    def test_of_frames_that_are_refused(self):
        _, html, got = self.report(DATA / "runts.pcap", "--to", "null:", "--speed", "top")
        self.numbers_agree(browser.Page(html), got)
        self.assertGreater(sum(got["refused"].values()), 0)

    def test_it_is_small_whatever_is_replayed(self):
        capture, count = self.folder / "flows.pcap", 30_000
        with open(capture, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
            for i in range(count):
                frame = bytes(6) + struct.pack(">HI", 0x0276, i) + b"\x88\xb5" + bytes(46)
                file.write(struct.pack("<IIII", i, 0, len(frame), len(frame)) + frame)
        _, html, got = self.report(capture, "--to", "null:", "--speed", "x100000")
        page = browser.Page(html)
        self.numbers_agree(page, got)
        self.assertLess(len(html), 200_000)
        self.assertIn("9,950 more", page.text["more-flows"])
        self.assertIn("20,000 frames", html)

    def test_nothing_from_outside_becomes_markup(self):
        capture = self.folder / "<img src=x onerror='alert(1)'>&\".pcap"
        shutil.copy(DATA / "tcp.pcap", capture)
        _, html, _ = self.report(capture, "--to", "null:", "--speed", "top")
        self.assertNotIn("<img", html)
        self.assertIn("&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;&quot;.pcap", html)


@unittest.skipIf(browser.CHROMIUM is None, "no chromium; tools/setup check installs it")
class Browser(Case):
    def test_a_browser_shows_a_replay(self):
        path, _, got = self.report(DATA / "tcp.pcap", DATA / "runts.pcap", *self.echo, "--expect", DATA / "tcp.pcap",
                                   "--rewrite", "ttl=9", "--only", "ip", "--speed", "pps=100")  # each frame has a bar of its own
        page, wrong = browser.looked_at(path)
        self.assertEqual(wrong, [])
        self.assertEqual(page.text["verdict"], "FAIL")
        self.assertEqual(page.frames("time-line", "sent"), got["sent"]["frames"])
        self.assertIn("ip.ttl", page.text["difference"])
        light, size = browser.colours(path)
        self.assertEqual(size, [browser.WIDTH, browser.HEIGHT])
        for colour, least in ((SENT, 4000), (GOT, 150), (BAD, 1000), (PAPER, 1_000_000)):
            self.assertGreater(light[colour], least, (colour, light))
        dark, _ = browser.colours(path, dark=True)
        self.assertGreater(dark[DARK], 1_000_000, dark)

    @unittest.skipUnless(shutil.which("sgdisk") and shutil.which("mkeficapsule"), "not installed: sgdisk or mkeficapsule")
    def test_a_browser_shows_where_power_cuts_lead(self):
        disk = fwu_disk.Disk(self.folder, VIRTIFCTL)
        file = fwu_disk.capsule(self.folder / "a.cap", os.urandom(300), 0)
        path = self.folder / "report.html"
        got = json.loads(disk.fwu("sim", file, "--allow-unsigned", "-j", "--report", path))
        page, wrong = browser.looked_at(path)
        self.assertEqual(wrong, [])
        self.assertEqual(sum(tag == "rect" for _, tag, _ in page.parts), len(got["states"]) + 2)
        dark, _ = browser.colours(path, dark=True)
        self.assertGreater(dark[DARK], 1_000_000, dark)


if __name__ == "__main__":
    main()
