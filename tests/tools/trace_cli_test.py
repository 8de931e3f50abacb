# SPDX-License-Identifier: BSD-2-Clause
"""`virtifctl trace` from a user's chair: why a frame was dropped, how often, and what trace-cmd reads of it.

usage: trace_cli_test.py VIRTIFCTL DATA_FOLDER
"""

import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

VIRTIFCTL, DATA = (Path(word).resolve() for word in sys.argv[1:3])
MAC_B = "02:76:69:66:00:0b"
FAILED, USAGE = 1, 2
MULTICAST, VLAN, RUNTS = DATA / "multicast.pcap", DATA / "vlan.pcap", DATA / "runts.pcap"


def ctl(*words, **more):
    return subprocess.run([VIRTIFCTL, *map(str, words)], capture_output=True, text=True, check=False, timeout=120, **more)


def blanks_gone(text):
    return [" ".join(line.split()) for line in text.splitlines()]


class Trace(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.file = Path(scratch.name) / "trace.dat"

    def record(self, *words, options=(), status=0):
        run = ctl("trace", "record", "-o", self.file, *options, "--", "virtifctl", *words)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return run

    def events(self, name=None):
        run = ctl("trace", "report", "-j", self.file)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return [event for event in json.loads(run.stdout) if name in (None, event["event"])]

    def test_a_frame_that_the_address_filter_drops_is_explained(self):
        self.record("replay", MULTICAST, "--lladdr", MAC_B)
        report = ctl("trace", "report", self.file)
        self.assertEqual(report.returncode, 0, report.stderr)
        group = [line for line in report.stdout.splitlines() if "dst=01:00:5e:56:49:46" in line]
        self.assertEqual(len(group), 4, report.stdout)
        for line in group:
            self.assertRegex(line, r"rx_drop: +ifname=virt0 reason=not_for_us frames=1 bytes=\d+ dst=\S+ src=\S+ type=\d+$")
        self.record("replay", MULTICAST, "--lladdr", MAC_B, "--join", "01:00:5e:56:49:46")
        self.assertNotIn("dst=01:00:5e:56:49:46", ctl("trace", "report", self.file).stdout)

    def test_one_option_may_name_several_patterns(self):
        self.record("replay", MULTICAST, "--lladdr", MAC_B, options=("-e", " rx_drop  running "))
        self.assertEqual({event["event"] for event in self.events()}, {"rx_drop", "running"})

    def test_a_fifo_takes_a_recording(self):
        fifo = self.file.parent / "fifo"
        os.mkfifo(fifo)
        with open(self.file, "wb") as kept, subprocess.Popen(["cat", fifo], stdout=kept) as reader:
            run = ctl("trace", "record", "-e", "rx_drop", "-o", fifo, "--", "replay", MULTICAST, "--lladdr", MAC_B)
            self.assertEqual((run.returncode, reader.wait(timeout=20)), (0, 0), run.stderr)
        self.assertIn(f"{len(self.events())} events in", run.stderr)

    def test_what_cannot_be_done_is_said_before_the_command_runs(self):
        for options, status, expected in ((("-o", "/no/such/folder/trace.dat"), FAILED, "No such file"),
                                          (("-o", self.file, "--duration", "1"), USAGE, "--duration")):
            run = ctl("trace", "record", *options, "--", "virtifctl", "replay", MULTICAST)
            self.assertEqual((run.returncode, run.stdout), (status, ""), run.stderr)
            self.assertIn(expected, run.stderr)
            self.assertFalse(self.file.exists())

    def test_drops_add_up_to_the_counters(self):
        for words in ((MULTICAST, "--lladdr", MAC_B), (RUNTS, "--promisc"), (VLAN, "--promisc", "--mtu", "50"),
                      (VLAN, "--promisc", "--filter", "vlan and arp"), (DATA / "mixed.pcapng", "--allmulti")):
            plain = json.loads(ctl("replay", "-j", *words).stdout)[0]
            recorded = json.loads(self.record("replay", "-j", *words).stdout)[0]
            self.assertEqual(recorded["frames"], plain["frames"])
            told = collections.Counter()
            for event in self.events("rx_drop"):
                told[event["fields"]["reason"]] += event["fields"]["frames"]
            counted = {**recorded["dropped"], "other_linktype": recorded["other_linktype"]}
            self.assertEqual(dict(told), {reason: count for reason, count in counted.items() if count}, words)
            self.assertEqual(sum(event["fields"]["frames"] for event in self.events("rx_burst")),
                             recorded["frames"] - recorded["other_linktype"])

    def test_the_command_prints_and_ends_as_without_a_recorder(self):
        for words, status in (((MULTICAST, "--lladdr", MAC_B), 0), ((DATA / "cut-short.pcap", "--promisc"), FAILED)):
            plain = ctl("replay", *words)
            self.assertEqual(self.record("replay", *words, status=status).stdout, plain.stdout)
            self.assertEqual(plain.returncode, status)
            self.assertEqual([event["fields"]["on"] for event in self.events("running")], [1, 0])
            self.assertEqual([event["fields"]["state"] for event in self.events("linkstate")], ["up", "down"])

    @unittest.skipUnless(shutil.which("trace-cmd"), "trace-cmd is not installed")
    def test_trace_cmd_reports_the_same(self):
        self.record("replay", MULTICAST, VLAN, "--lladdr", MAC_B)
        run = subprocess.run(["trace-cmd", "report", "-t", "-i", self.file], capture_output=True, text=True, check=True)
        self.assertEqual(blanks_gone(run.stdout), blanks_gone(ctl("trace", "report", self.file).stdout))

    def test_events_and_filters_choose_what_is_kept(self):
        self.record("replay", MULTICAST, "--lladdr", MAC_B, options=("-e", "virtif:rx_drop"))
        every = self.events()
        self.assertEqual({event["event"] for event in every}, {"rx_drop"})
        self.assertEqual({event["system"] for event in every}, {"user_events.virtif"})
        self.record("replay", MULTICAST, "--lladdr", MAC_B,
                    options=("-f", 'reason == "not_for_us" && type == 0x800 && dst ~ "01:00:5e:56:*"'))
        kept = self.events()
        self.assertTrue(0 < len(kept) < len(every))
        fields = [event["fields"] for event in every]
        self.assertEqual([event["fields"] for event in kept],
                         [f for f in fields if f["type"] == 0x800 and f["dst"].startswith("01:00:5e:56:")])

    def test_what_did_not_fit_is_counted(self):
        many = [MULTICAST] * 40
        self.record("replay", *many, "--lladdr", MAC_B, options=("-e", "rx_drop"))
        every = self.events()
        for mode in ((), ("--overwrite",)):
            run = self.record("replay", *many, "--lladdr", MAC_B, options=("-e", "rx_drop", "-b", "8", *mode))
            kept, lost = map(int, re.search(r"(\d+) events in .*, (\d+) lost", run.stderr).groups())
            self.assertEqual(kept + lost, len(every))
            events = self.events()
            self.assertEqual(len(events), kept)
            self.assertEqual(events[0]["lost_before"], lost if mode else 0)
            last = every[len(every) - 1 if mode else kept - 1]
            self.assertEqual(events[-1]["fields"], {**last["fields"], "ifname": events[-1]["fields"]["ifname"]})

    def lossy(self):
        """A recording that lost its beginning; its events."""
        self.record("replay", *[MULTICAST] * 40, VLAN, "--lladdr", MAC_B, options=("-b", "8", "--overwrite"))
        events = self.events()
        self.assertGreater(events[0]["lost_before"], 0)
        return events

    def convert(self, name):
        path = self.file.parent / name
        run = ctl("trace", "convert", self.file, "-o", path)
        self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "", ""))
        return path

    def test_perfetto_and_chrome_are_given_the_same_events(self):
        events = self.lossy()
        trace = json.loads(self.convert("trace.json").read_text())
        self.assertEqual(trace["otherData"], {"lost_events": events[0]["lost_before"]})
        name, lost, *rest = trace["traceEvents"]
        self.assertEqual((name["ph"], name["args"]), ("M", {"name": "virtifctl"}))
        self.assertEqual((lost["name"], lost["args"]), ("EVENTS DROPPED", {"events": events[0]["lost_before"]}))
        self.assertEqual([(e["cat"], e["name"], e["args"], e["tid"], round(e["ts"] * 1000)) for e in rest],
                         [(e["system"], e["event"], e["fields"], e["pid"], e["time_ns"]) for e in events])
        self.assertEqual({(e["ph"], e["s"]) for e in rest}, {("i", "t")})

    @unittest.skipUnless(shutil.which("babeltrace2"), "babeltrace2 is not installed")
    def test_babeltrace2_is_given_the_same_events(self):
        events = self.lossy()
        folder = self.convert("trace.ctf")
        run = subprocess.run(["babeltrace2", "--clock-seconds", "--no-delta", folder], capture_output=True, text=True, check=True)
        self.assertIn(f"discarded {events[0]['lost_before']} events", run.stderr)
        read = []
        for line in run.stdout.splitlines():
            time, name, pid, fields = re.fullmatch(
                r"\[(\S+)\] (\S+): \{ cpu_id = 0 \}, \{ pid = (\d+) \}, \{ (.*) \}", line).groups()
            values = {key: text if number == "" else int(number)
                      for key, text, number in re.findall(r'(\w+) = (?:"([^"]*)"|(-?\d+))', fields)}
            read.append((int(time.replace(".", "")), name, int(pid), values))
        self.assertEqual(read, [(e["time_ns"], f"{e['system']}:{e['event']}", e["pid"], e["fields"]) for e in events])
        self.assertEqual(ctl("trace", "convert", self.file, "-o", folder).returncode, FAILED, "the folder is there")

    def test_a_recording_goes_into_a_pipe(self):
        words = ("record", "-e", "rx_drop", "-o", "/dev/stderr", "--", "virtifctl", "replay", MULTICAST, "--lladdr", MAC_B)
        run = subprocess.run([VIRTIFCTL, "trace", *words], capture_output=True, check=True, timeout=120)
        end = run.stderr.rindex(b"virtifctl: ")
        self.file.write_bytes(run.stderr[:end])
        self.assertEqual(run.stderr[end:], b"virtifctl: %d events in /dev/stderr\n" % len(self.events()))
        self.assertIn(b"not_for_us", run.stdout)

    def test_list_shows_each_event_with_its_fields(self):
        events = {event["event"]: event["fields"] for event in json.loads(ctl("trace", "list", "-j").stdout)}
        self.assertEqual([field["name"] for field in events["virtif:rx_drop"]],
                         ["ifname", "reason", "frames", "bytes", "dst", "src", "type"])
        text = ctl("trace", "list").stdout
        self.assertIn("text reason, u64 frames", text)
        self.assertEqual([line.split()[0] for line in text.splitlines()], list(events))

    def test_what_cannot_be_is_refused_with_what_was_expected(self):
        replay = ("--", "virtifctl", "replay", MULTICAST)
        for words, expected in ((("record", "-e", "virtif:nothing", *replay), "virtifctl trace list"),
                                (("record", "-f", "reason = 3", *replay), "expected =="),
                                (("record", "-f", "colour == 3", *replay), "no such field"),
                                (("record", "--", "virtifctl", "show", "mem:a"), "virtifctl replay"),
                                (("record", "--", "ls"), "virtifctl replay"), (("record", "-b", "1", *replay), "--buffer"),
                                ((), "subcommand"), (("convert",), "--output"), (("report", "--colour"), "--colour")):
            run = ctl("trace", *words, cwd=self.file.parent)
            self.assertEqual((run.returncode, run.stdout), (USAGE, ""), words)
            self.assertIn(expected, run.stderr)
        self.assertEqual(list(self.file.parent.iterdir()), [])

    def test_without_a_command_it_is_a_virtifd_that_has_to_be_there(self):
        run = ctl("trace", "record", "-o", self.file, "--socket", self.file.parent / "nobody")
        self.assertEqual((run.returncode, run.stdout), (FAILED, ""))
        self.assertIn("nobody", run.stderr)
        self.assertFalse(self.file.exists())

    def test_files_that_are_no_trace_are_refused(self):
        (self.file.parent / "other").write_bytes(b"\x17\x08\x44tracing7\0")
        for path, expected in ((self.file, "No such file"), (MULTICAST, "expected a trace.dat"),
                               (self.file.parent / "other", "trace-cmd convert")):
            run = ctl("trace", "report", path)
            self.assertEqual((run.returncode, run.stdout), (FAILED, ""))
            self.assertIn(expected, run.stderr)
        self.record("replay", MULTICAST)
        run = ctl("trace", "convert", self.file, "-o", self.file.parent / "trace.txt")
        self.assertEqual(run.returncode, USAGE)
        self.assertIn(".json", run.stderr)
        run = ctl("trace", "record", "-o", "/nowhere/trace.dat", "--", "replay", MULTICAST)
        self.assertEqual(run.returncode, FAILED)
        self.assertIn("/nowhere/trace.dat", run.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
