# SPDX-License-Identifier: BSD-2-Clause
"""virtifctl capture against a running virtifd: what is in the files, how a capture ends, and that every frame which passed
is captured or counted. tcpdump and tshark read what was written.

usage: capture_test.py VIRTIFD VIRTIFCTL DATA_DIR
"""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

from daemon_case import FAILED, USAGE, VIRTIFCTL, DaemonCase
from pcapng import Capture

DATA = Path(sys.argv[3]).resolve()
IN, OUT = 1, 2


def tshark(path, *words):
    return subprocess.run(["tshark", "-n", "-r", path, *words], capture_output=True, text=True, check=True,
                          timeout=60).stdout.splitlines()


class CaptureCase(DaemonCase):
    def capture(self, *words, stdout=subprocess.PIPE, **options):
        """A running virtifctl capture, that listens already."""
        run = subprocess.Popen([VIRTIFCTL, "capture", *map(str, words), "--socket", self.path], stdout=stdout,
                               stderr=subprocess.PIPE, **options)
        self.addCleanup(run.stderr.close)
        self.addCleanup(run.wait)
        self.addCleanup(run.kill)
        if run.stdout:
            self.addCleanup(run.stdout.close)
        self.assertIn(b"capturing on", run.stderr.readline())
        return run

    def ended(self, run, status=0):
        self.assertEqual(run.wait(60), status)
        return run.stderr.read().decode()

    def interrupt(self, run, status=0):
        run.send_signal(signal.SIGINT)
        return self.ended(run, status)

    def add(self, name, linkstr, *words):
        self.ctl("link", "add", name, "linkstr", linkstr, *words)

    def frames_in(self, name):
        with self.client() as client:
            return client.call("link.show", ifname=name, stats=True)[0]["stats64"]["rx"]["packets"]

    def wait_for(self, name, frames):
        for _ in range(600):
            if self.frames_in(name) >= frames:
                return
            time.sleep(0.05)
        self.fail(f"{name} has not had {frames} frames")


class Files(CaptureCase):
    def test_holds_what_passed_with_names_times_and_directions(self):
        source = DATA / "vlan.pcap"
        self.add("virt0", f"pcap:{source}", "promisc", "on", "address", "02:00:00:00:00:09")
        run = self.capture("virt0", "-w", self.folder / "out.pcapng", "-c", 13)
        self.ctl("link", "set", "virt0", "up")
        self.assertIn("13 frames passed, 13 matched, 13 captured, 0 dropped", self.ended(run))
        fields = ["-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len", "-e", "eth.src", "-e", "_ws.col.Info"]
        self.assertEqual(tshark(self.folder / "out.pcapng", *fields), tshark(source, *fields))
        said = tshark(self.folder / "out.pcapng", "-T", "fields", "-e", "frame.packet_flags_direction", "-e",
                      "frame.interface_name")
        self.assertEqual(set(said), {"0x00000001\tvirt0"})
        read = subprocess.run(["tcpdump", "-nr", self.folder / "out.pcapng"], capture_output=True, text=True, check=True)
        self.assertEqual(len(read.stdout.splitlines()), 13)
        capture = Capture((self.folder / "out.pcapng").read_bytes())
        [virt0] = capture.interfaces
        self.assertEqual(virt0[1], f"pcap:{source}, MTU 1500".encode())
        self.assertEqual((virt0[2], virt0[6], virt0[9]), (b"virt0", bytes.fromhex("020000000009"), b"\x09"))
        self.assertTrue(capture.ends_with_tallies)
        self.assertEqual(capture.tallies[0], (13, 0, 13, 13))

    def test_filters_cuts_and_takes_one_direction(self):
        self.add("virt0", "mem:lan", "up")
        self.add("virt1", "mem:lan", "up")
        run = self.capture("virt0", "-w", self.folder / "out.pcapng", "--filter", "arp", "--dir", "out", "-s", 20)
        self.ctl("addr", "add", "192.0.2.1/24", "dev", "virt0")  # says so with an ARP request
        self.ctl("addr", "add", "192.0.2.2/24", "dev", "virt1")
        self.wait_for("virt0", 1)
        report = self.interrupt(run)
        capture = Capture((self.folder / "out.pcapng").read_bytes())
        self.assertEqual(capture.interfaces[0][11], b"\0arp")
        self.assertEqual(capture.interfaces[0]["snaplen"], 20)
        self.assertTrue(capture.packets)
        for packet in capture.packets:
            self.assertEqual((packet.direction, len(packet.bytes), packet.wire), (OUT, 20, 42))
            self.assertEqual(packet.bytes[12:14], b"\x08\x06")
        tally = capture.tallies[0]
        self.assertGreater(tally.seen, tally.matched, "IPv6 said something, too")
        self.assertIn(f"{tally.seen} frames passed, {len(capture.packets)} matched", report)

    def test_takes_several_interfaces_and_goes_on_when_one_is_gone(self):
        for name in ("virt0", "virt1"):
            self.add(name, "mem:lan", "up")
        run = self.capture("virt0", "virt1", "-w", self.folder / "out.pcapng", "--filter", "arp")
        self.ctl("addr", "add", "192.0.2.1/24", "dev", "virt0")
        self.wait_for("virt1", 1)
        self.ctl("link", "del", "virt1")
        self.assertIn(b"virt1 is gone; the capture goes on", run.stderr.readline())
        self.ctl("addr", "add", "192.0.2.3/24", "dev", "virt0")
        self.assertIn("virt1: ", self.interrupt(run))
        capture = Capture((self.folder / "out.pcapng").read_bytes())
        self.assertEqual([one[2] for one in capture.interfaces], [b"virt0", b"virt1"])
        seen = [(packet.interface, packet.direction) for packet in capture.packets]
        self.assertEqual(sorted(seen[:2]), [(0, OUT), (1, IN)])
        self.assertEqual(set(seen[2:]), {(0, OUT)})
        self.assertEqual(capture.tallies[1].delivered, seen.count((1, IN)))

    def test_writes_classic_pcap_where_its_name_says_so(self):
        self.add("virt0", f"pcap:{DATA / 'arp.pcap'}", "promisc", "on")
        run = self.capture("virt0", "-w", self.folder / "out.pcap", "-c", 2)
        self.ctl("link", "set", "virt0", "up")
        self.ended(run)
        self.assertEqual((self.folder / "out.pcap").read_bytes()[:4], bytes.fromhex("4d3cb2a1"))
        self.assertEqual(len(tshark(self.folder / "out.pcap")), 2)

    def test_prints_a_line_for_each_frame_without_a_file(self):
        self.add("virt0", f"pcap:{DATA / 'arp.pcap'}", "promisc", "on")
        run = self.capture("virt0", "-c", 2)
        self.ctl("link", "set", "virt0", "up")
        self.assertRegex(self.ended(run), r"virt0: (\d+) frames passed, \1 matched, 2 captured, 0 dropped(, \d+ came after the end)?\n")
        for line in run.stdout.read().decode().splitlines():
            self.assertRegex(line, r"^\d\d:\d\d:\d\d\.\d{9} virt0 in  [0-9a-f:]{17} > [0-9a-f:]{17}, ARP, \d+ bytes$")

    def test_keeps_a_ring_of_files_each_whole(self):
        self.add("virt0", "null:,rx=1000,bytes=100", "promisc", "on")
        run = self.capture("virt0", "-w", self.folder / "ring.pcapng", "--ring", "3x20k", "-c", 1000)
        self.ctl("link", "set", "virt0", "up")
        self.ended(run)
        files = sorted(self.folder.glob("ring*"))
        numbers = [int(re.fullmatch(r"ring_(\d{5})_\d{14}\.pcapng", path.name)[1]) for path in files]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + 3)), "the last three")
        self.assertGreater(numbers[0], 3)
        last = None
        for path in files:
            capture = Capture(path.read_bytes())
            self.assertEqual(len(tshark(path)), len(capture.packets))
            self.assertTrue(capture.ends_with_tallies)
            self.assertEqual(capture.interfaces[0][2], b"virt0")
            if last:
                self.assertEqual(last.tallies[0].delivered + len(capture.packets), capture.tallies[0].delivered)
                self.assertGreaterEqual(len(before), 20_000)
                self.assertLess(len(before), 20_400)
            last, before = capture, path.read_bytes()
        self.assertEqual(last.tallies[0].delivered, 1000)


class Ends(CaptureCase):
    def test_every_frame_is_captured_or_counted_and_a_stopped_client_hurts_nobody(self):
        frames = 100_000
        self.add("virt0", f"null:,rx={frames},bytes=1000", "promisc", "on")
        stopped = self.capture("virt0", "-w", self.folder / "stopped.pcapng")
        steady = self.capture("virt0", "-w", "/dev/null", "--filter", "len < 10")
        stopped.send_signal(signal.SIGSTOP)
        self.ctl("link", "set", "virt0", "up")
        self.wait_for("virt0", frames)
        self.assertIn(f"{frames} frames passed, 0 matched", self.interrupt(steady))
        stopped.send_signal(signal.SIGCONT)
        report = self.interrupt(stopped)
        capture = Capture((self.folder / "stopped.pcapng").read_bytes())
        tally = capture.tallies[0]
        self.assertEqual((tally.seen, tally.matched), (frames, frames))
        self.assertEqual(tally.delivered, len(capture.packets))
        self.assertEqual(len(capture.packets) + tally.dropped, frames)
        self.assertGreater(tally.dropped, frames // 2, "it did not read")
        self.assertGreater(len(capture.packets), 1000)
        self.assertLessEqual(sum(packet.lost for packet in capture.packets), tally.dropped)
        self.assertIn(f"{frames} frames passed, {frames} matched, {tally.delivered} captured, {tally.dropped} dropped", report)
        self.assertTrue(tshark(self.folder / "stopped.pcapng", "-c", "1"))

    def test_ends_whole_when_its_interface_or_virtifd_goes(self):
        for end, words in ((lambda: self.ctl("link", "del", "virt0"), "virt0 is gone"),
                           (self.daemon.terminate, "virtifd was stopped")):
            self.add("virt0", "mem:lan", "up")
            run = self.capture("virt0", "-w", self.folder / "out.pcapng", "--filter", "arp")
            self.ctl("addr", "add", "192.0.2.1/24", "dev", "virt0")
            end()
            self.assertIn(words, self.ended(run, FAILED))
            capture = Capture((self.folder / "out.pcapng").read_bytes())
            self.assertEqual(capture.tallies[0].matched, len(capture.packets))
            self.assertGreater(capture.tallies[0].seen, 0)

    def test_ends_whole_when_virtifd_is_killed(self):
        self.add("virt0", "mem:lan", "up")
        run = self.capture("virt0", "-w", self.folder / "out.pcapng", "--filter", "arp")
        self.ctl("addr", "add", "192.0.2.1/24", "dev", "virt0")
        for _ in range(200):  # flushed while it goes on
            if Capture((self.folder / "out.pcapng").read_bytes()).packets:
                break
            time.sleep(0.05)
        self.daemon.kill()
        self.assertIn("virtifd went away", self.ended(run, FAILED))
        capture = Capture((self.folder / "out.pcapng").read_bytes())
        self.assertEqual(capture.tallies[0], (None, 0, len(capture.packets), len(capture.packets)))

    def test_ends_when_nobody_reads_its_pipe(self):
        self.add("virt0", "mem:lan", "up")
        reader, writer = os.pipe()
        run = self.capture("virt0", "-w", "-", stdout=writer)
        os.close(writer)
        self.assertEqual(os.read(reader, 4), bytes.fromhex("0a0d0d0a"), "at once, before any frame")
        os.close(reader)
        self.assertIn("0 captured", self.ended(run))

    def test_a_pipe_has_frames_at_once(self):
        self.add("virt0", "mem:lan", "up")
        run = self.capture("virt0", "-w", "-", "--filter", "arp")
        with subprocess.Popen(["tshark", "-n", "-l", "-i", "-", "-c", "1"], stdin=run.stdout, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True) as reader:
            run.stdout.close()
            self.ctl("addr", "add", "192.0.2.1/24", "dev", "virt0")
            self.assertIn("192.0.2.1", reader.stdout.readline())
        self.ctl("addr", "add", "192.0.2.3/24", "dev", "virt0")
        self.ended(run)

    def test_a_full_disk_leaves_a_whole_file(self):
        self.add("virt0", "null:,rx=5000,bytes=1000", "promisc", "on")
        room = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
        if subprocess.run([*room, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("this kernel lets nobody make namespaces (unshare)")
        script = ("mount -t tmpfs -o size=512k none /mnt && "
                  f"'{VIRTIFCTL}' capture virt0 -w /mnt/out.pcapng --socket '{self.path}'; status=$?; "
                  f"cp /mnt/out.pcapng '{self.folder}'; exit $status")
        with subprocess.Popen([*room, script], stderr=subprocess.PIPE, text=True) as run:
            self.assertIn("capturing on", run.stderr.readline())
            self.ctl("link", "set", "virt0", "up")
            said = run.stderr.read()
        self.assertEqual(run.returncode, FAILED)
        self.assertIn("/mnt/out.pcapng: No space left on device", said)
        packets = Capture((self.folder / "out.pcapng").read_bytes()).packets
        self.assertGreater(len(packets), 100)
        self.assertIn(f" matched, {len(packets)} captured, ", said)

    def test_a_file_size_limit_is_no_crash(self):
        self.add("virt0", "null:,rx=5000,bytes=1000", "promisc", "on")
        run = self.capture("virt0", "-w", self.folder / "out.pcapng",
                           preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)))
        self.ctl("link", "set", "virt0", "up")
        said = self.ended(run, FAILED)
        self.assertIn("File too large", said)
        self.assertIn(f" matched, {len(Capture((self.folder / 'out.pcapng').read_bytes()).packets)} captured, ", said)


class Refusals(CaptureCase):
    def test_says_what_was_expected(self):
        self.add("virt0", "mem:lan")
        self.add("virt1", "mem:lan")
        for words, status, said in ((["virt9"], FAILED, "there is no interface 'virt9'; there are virt0, virt1"),
                                    (["virt0", "--filter", "arp or"], USAGE, "syntax error; expected one of pcap-filter(7)"),
                                    (["virt0", "--filter", "host example.org"], USAGE, "example.org"),
                                    (["virt0", "virt0"], USAGE, '"virt0" twice'),
                                    (["virt0", "--dir", "up"], USAGE, "'dir' is \"in\" or \"out\""),
                                    (["virt0", "-s", "0"], USAGE, "'snaplen' is 1 to 262144"),
                                    (["virt0", "-c", "0"], USAGE, "--count"),
                                    (["virt0", "--ring", "3x1M"], USAGE, "--ring needs -w FILE"),
                                    (["virt0", "--ring", "3x1M", "-w", "-"], USAGE, "--ring needs -w FILE"),
                                    (["virt0", "--ring", "3*1M", "-w", "x"], USAGE, "expected FILESxSIZE, as in 10x100M"),
                                    (["virt0", "--ring", "0x1M", "-w", "x"], USAGE, "expected FILESxSIZE"),
                                    (["virt0", "-w", "/no/such/x.pcapng"], FAILED, "cannot create /no/such/x.pcapng"),
                                    ([], USAGE, "IF is required")):
            self.assertIn(said, self.ctl("capture", *words, status=status))
        run = subprocess.run([VIRTIFCTL, "capture", "virt0", "--socket", self.folder / "none"], capture_output=True,
                             text=True, check=False, timeout=60)
        self.assertEqual(run.returncode, FAILED)
        self.assertIn("start one with", run.stderr)


if __name__ == "__main__":
    for program in ("tshark", "tcpdump"):
        if not shutil.which(program):
            print(f"skipped: {program} is not installed")
            sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)
