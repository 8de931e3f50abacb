# SPDX-License-Identifier: BSD-2-Clause
"""`virtifctl show` from a user's chair: what it says of links, and what when one cannot be opened.

usage: show_cli_test.py VIRTIFCTL DATA_FOLDER
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

VIRTIFCTL, DATA = (Path(word).resolve() for word in sys.argv[1:3])
FAILED, USAGE = 1, 2
KEYS = ["frame_bytes_max", "frame_bytes_min", "slices_max", "offload", "reflects", "lladdr", "mtu", "link_state", "baudrate",
        "chosen"]


def ctl(*words, **more):
    return subprocess.run([VIRTIFCTL, *map(str, words)], capture_output=True, text=True, check=False, timeout=60, **more)


class Show(unittest.TestCase):
    def json(self, *words, status=0):
        run = ctl("show", *words, "-j")
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return json.loads(run.stdout)

    def test_help_lists_the_schemes(self):
        run = ctl("show", "--help")
        self.assertEqual(run.returncode, 0)
        for word in ("impair", "mem", "null", "pcap", "--json"):
            self.assertIn(word, run.stdout)
        self.assertIn("show", ctl("--help").stdout)

    def test_refuses_what_it_does_not_understand(self):
        for words in (("show",), ("show", "--up", "mem:a"), ("shown", "mem:a")):
            run = ctl(*words)
            self.assertEqual(run.returncode, USAGE, words)
            self.assertEqual(run.stdout, "")
            self.assertGreater(len(run.stderr.strip()), 10)

    def test_says_what_a_link_would_be(self):
        run = ctl("show", "mem:lan0")
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        self.assertEqual(run.stdout.splitlines()[0], "mem:lan0")
        for words in ("largest frame   262144 bytes", "csum, tso4, tso6, uso", "MTU             1500", "carrier         up",
                      "speed           unknown"):
            self.assertIn(words, run.stdout)

    def test_json_has_everything(self):
        [got] = self.json("mem:lan0")
        self.assertEqual(got["linkstr"], "mem:lan0")
        self.assertIsNone(got["error"])
        self.assertEqual(list(got["link"]), KEYS)
        self.assertEqual(got["link"], {
            "frame_bytes_max": 262144, "frame_bytes_min": 0, "slices_max": 65535, "offload": ["csum", "tso4", "tso6", "uso"],
            "reflects": False, "lladdr": None, "mtu": 1500, "link_state": "up", "baudrate": None, "chosen": ""})

    def test_says_what_was_chosen(self):
        link = "impair:[mem:lan0],loss=1%,delay=10ms,seed=7"
        self.assertIn("uses            seed 7, over mem:", ctl("show", link).stdout)
        [got] = self.json(link)
        self.assertEqual(got["link"]["chosen"], "seed 7, over mem:")
        self.assertEqual(got["link"]["offload"], ["csum", "tso4", "tso6", "uso"], "the inner link's")

    def test_many_links_in_the_order_given(self):
        links = ["null:", "mem:a", f"pcap:{DATA / 'arp.pcap'}", "mem:a"]
        self.assertEqual([got["linkstr"] for got in self.json(*links)], links)
        shown = ctl("show", *links).stdout.splitlines()
        self.assertEqual([line for line in shown if not line.startswith(" ")], links)

    def test_one_that_cannot_be_opened_is_reported_beside_the_others(self):
        run = ctl("show", "mem:a", "pcap:missing.pcap", "null:")
        self.assertEqual(run.returncode, FAILED)
        self.assertIn("mem:a\n", run.stdout)
        self.assertIn("null:\n", run.stdout)
        self.assertNotIn("missing", run.stdout)
        self.assertRegex(run.stderr, "^virtifctl: pcap:missing.pcap: .*No such file")
        mem, pcap, null = self.json("mem:a", "pcap:missing.pcap", "null:", status=FAILED)
        self.assertIsNone(pcap["link"])
        self.assertIn("No such file", pcap["error"])
        self.assertTrue(mem["link"] and null["link"])

    def test_a_wrong_link_string_says_what_is_wrong(self):
        for linkstr, says in (("", "scheme"), ("mem", "scheme"), ("nosuch:x", "known are"), ("mem:a,x=1", "'x'"),
                              ("impair:[mem:a],loss=2", "0% to 100%"), ("impair:mem:a", "brackets")):
            run = ctl("show", linkstr)
            self.assertEqual((run.returncode, run.stdout), (FAILED, ""), linkstr)
            self.assertIn(says, run.stderr)

    def test_brings_nothing_up(self):
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder) / "out.pcapng"
            self.json(f"pcap:{DATA / 'arp.pcap'},write={written}")
            self.assertLess(written.stat().st_size if written.exists() else 0, 200, "no frame was written")

    def test_nobody_reads_the_result(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            run = subprocess.run([VIRTIFCTL, "show", "mem:a"], stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
        self.assertEqual(run.returncode, FAILED)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
