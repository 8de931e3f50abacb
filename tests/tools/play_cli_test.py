# SPDX-License-Identifier: BSD-2-Clause
"""`virtifctl replay --to LINKSTR` from a user's chair: on links that need nobody, and between the kernel's own ends.

usage: play_cli_test.py VIRTIFCTL DATA_FOLDER, run by itself again in a network namespace of its own.
"""

import contextlib
import gzip
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from play_case import DATA, INSIDE, VIRTIFCTL, Play, ctl, frames_of, ip, main, start

MAC_A, MAC_B = "02:76:69:66:00:0a", "02:76:69:66:00:0b"
ETH_P_ALL = 3


def listen(ifname):
    heard = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    heard.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    heard.bind((ifname, 0))
    heard.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # that it is down yet
    heard.settimeout(5)
    return heard


class Usage(Play):
    def refused(self, *words):
        code, out, err = ctl(*words)
        self.assertEqual((code, out), (2, ""), err)
        return err

    def test_refuses_what_it_does_not_understand(self):
        for words in (["--speed", "fast"], ["--loop", "0"], ["--loop", "twice"], ["--max-gap", "5"], ["--duration", "-1s"],
                      ["--limit", "-1"], ["--limit", "0"], ["--oversize", "drop"], ["--mtu", "45"], ["--linger", "x"]):
            self.assertIn(words[0], self.refused(DATA / "tcp.pcap", "--to", "null:", *words))
        self.refused(DATA / "tcp.pcap", "--to", "[")

    def test_refuses_to_mix_the_two_kinds_of_replay(self):
        self.assertIn("--to", self.refused(DATA / "tcp.pcap", "--speed", "top"))
        for words in (["--promisc"], ["--lladdr", "02:00:00:00:00:01"], ["--filter", "arp"], ["--write", "x.pcap"]):
            self.assertIn("--to", self.refused(DATA / "tcp.pcap", "--to", "null:", *words))

    def test_says_what_of_the_environment_is_missing(self):
        for words, said in (((DATA / "tcp.pcap", "--to", "nowhere:"), "known are"),
                            ((DATA / "none.pcap", "--to", "null:"), "none.pcap"),
                            ((DATA / "truth.py", "--to", "null:"), "not a capture"),
                            ((DATA / "tcp.pcap", "--to", "uring:vifnone"), "vifnone")):
            code, out, err = ctl(*words)
            self.assertEqual((code, out), (3, ""), err)
            self.assertIn(said, err)


class Reports(Play):
    def test_counts_what_the_link_took(self):
        got = self.object(DATA / "tcp.pcap", "--to", "null:", "--speed", "top")
        want = [frame for frame in frames_of("tcp.pcap")]
        self.assertEqual(got["sent"]["frames"], len(want))
        self.assertEqual(got["sent"]["bytes"], sum(map(len, want)))
        self.assertGreater(got["sent"]["pps"], 0)
        self.assertEqual((got["sent"]["failed"], got["error"], got["passes"]), (0, None, 1))

    def test_names_what_it_refuses_and_fails(self):
        got = self.object(DATA / "runts.pcap", "--to", "null:", "--speed", "top", status=1)
        self.assertGreater(sum(got["refused"].values()), 0)
        got = self.object(DATA / "tcp-gso.pcap", "--to", "null:", "--mtu", "1500", status=1)
        self.assertEqual(got["refused"]["too_long"], 3)

    def test_splits_and_truncates_when_asked(self):
        got = self.object(DATA / "tcp-gso.pcap", "--to", "null:", "--mtu", "1500", "--oversize", "split")
        self.assertEqual((got["split"], got["sent"]["failed"]), (3, 0))
        got = self.object(DATA / "tcp-gso.pcap", "--to", "null:", "--mtu", "1500", "--oversize", "truncate", status=1)
        self.assertEqual(got["truncated"], 3)

    def test_a_damaged_capture_is_sent_up_to_there_and_fails(self):
        got = self.object(DATA / "cut-short.pcap", "--to", "null:", "--speed", "top", status=1)
        self.assertEqual(got["sent"]["frames"], 11)
        self.assertIn("5414", got["error"])

    def test_loops_and_limits(self):
        words = (DATA / "tcp.pcap", "--to", "null:", "--speed", "top")
        self.assertEqual(self.object(*words, "--loop", "5")["sent"]["frames"], 5 * 22)
        self.assertEqual(self.object(*words, "--loop", "forever", "--limit", "1000")["sent"]["frames"], 1000)
        got = self.object(DATA / "tcp.pcap", "--to", "null:", "--speed", "pps=1000", "--loop", "forever", "--duration", "50ms")
        self.assertEqual(got["sent"]["frames"], 51)

    def test_merges_captures_and_reads_gzip(self):
        got = self.object(DATA / "ping.pcap.gz", DATA / "tcp.pcap", "--to", "null:", "--max-gap", "1ms")
        self.assertEqual(got["sent"]["frames"], 12 + 22)
        self.assertIsNone(got["file"])

    def test_says_it_to_people_too(self):
        code, out, _ = ctl(DATA / "tcp.pcap", "--to", "null:")
        self.assertEqual(code, 0)
        for word in ("22 of 22 frames", "refused", "late", "null:"):
            self.assertIn(word, out)

    def test_an_interrupt_ends_it_with_a_true_report(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            run = start(DATA / "tcp.pcap", "--to", "null:", "--speed", "pps=200", "--loop", "forever", "-j")
            time.sleep(0.5)
            run.send_signal(number)
            out, err = run.communicate(timeout=20)
            self.assertEqual(run.returncode, 1, err)
            got = json.loads(out)[0]
            self.assertTrue(got["interrupted"])
            self.assertEqual(got["frames"], got["sent"]["frames"])

    def test_an_interrupt_is_heard_while_a_pipe_is_idle(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            run = subprocess.Popen([VIRTIFCTL, "replay", "-", "--to", "null:", "-j"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE)
            self.addCleanup(run.kill)
            run.stdin.write((DATA / "tcp.pcap").read_bytes())
            run.stdin.flush()
            time.sleep(0.5)
            self.assertIsNone(run.poll(), "there may be more to come")
            run.send_signal(number)
            run.wait(timeout=20)
            with run.stdin, run.stdout:
                got = json.loads(run.stdout.read())[0]
            self.assertEqual((run.returncode, got["interrupted"], got["error"]), (1, True, None))
            self.assertEqual(got["sent"]["frames"], 22)

    def test_a_pipe_can_be_played_once_only(self):
        with open(DATA / "tcp.pcap", "rb") as capture:
            run = subprocess.Popen(["cat"], stdin=capture, stdout=subprocess.PIPE)
            played = subprocess.run([VIRTIFCTL, "replay", "-", "--to", "null:", "--speed", "top", "--loop", "2", "-j"],
                                    stdin=run.stdout, capture_output=True, text=True, check=False, timeout=60)
            run.stdout.close()
            run.wait()
        self.assertEqual(played.returncode, 1, played.stderr)
        got = json.loads(played.stdout)[0]
        self.assertEqual(got["sent"]["frames"], 22)
        self.assertIn("pipe", got["error"])


class Progress(Play):
    """On a terminal, which is standard error."""

    def said(self, *words):
        controller, terminal = pty.openpty()
        run = subprocess.Popen([VIRTIFCTL, "replay", *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=terminal)
        os.close(terminal)
        text = b""
        with contextlib.suppress(OSError):  # EIO: it has ended
            while piece := os.read(controller, 65536):
                text += piece
        os.close(controller)
        self.assertEqual(run.wait(timeout=60), 0, text)
        return text.decode()

    def test_says_how_long_it_will_take(self):
        said = self.said(DATA / "tcp.pcap", "--to", "null:", "--speed", "pps=20", "--loop", "2")
        left = [int(seconds) for seconds in re.findall(r"frames/s, pass [12], (\d) s left", said)]
        self.assertGreater(len(left), 2, said)
        self.assertEqual(left, sorted(left, reverse=True))
        self.assertTrue(said.endswith("\r\x1b[K"), said)  # nothing of it stays

    def test_says_nothing_of_what_nobody_knows(self):
        capture, end = os.pipe()
        os.write(end, (DATA / "tcp.pcap").read_bytes())
        os.close(end)
        said = self.said(f"/proc/{os.getpid()}/fd/{capture}", "--to", "null:", "--speed", "pps=20")
        os.close(capture)
        self.assertIn("frames/s, pass 1", said)
        self.assertNotIn("left", said)

    def test_goes_by_what_was_read_of_a_large_capture_but_not_of_a_packed_one(self):
        with tempfile.TemporaryDirectory() as folder:
            plain, packed = Path(folder) / "large.pcap", Path(folder) / "large.pcap.gz"
            records = (struct.pack("<IIII", 1, 0, 60, 60) + bytes(60)) * 150_000
            plain.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + records)
            packed.write_bytes(gzip.compress(plain.read_bytes(), 1))
            words = ("--to", "null:", "--speed", "pps=100k")
            twice = re.findall(r"(\d+) frames, .* pass 1, (\d+) s left", self.said(plain, plain, *words).replace("\r", "\n"))
            for frames, left in twice:
                self.assertTrue(int(left) > 0 or int(frames) > 250_000, twice)
            self.assertRegex(self.said(plain, *words), r"pass 1, \d+ s left")
            said = self.said(packed, *words)
            self.assertIn("pass 1", said)
            self.assertNotIn("left", said)

    def test_without_a_terminal_it_is_silent(self):
        self.assertEqual(ctl(DATA / "tcp.pcap", "--to", "null:", "--speed", "pps=50")[2], "")


class Links(Play):
    """Where the kernel is at the other end."""

    def setUp(self):
        if INSIDE not in os.environ:
            self.skipTest("no network namespace of its own: needs root or user namespaces")

    def test_the_kernel_answers_a_recorded_ping_as_it_did(self):
        """One capture of both sides: ours is sent, the kernel's is expected. docs/replay.md shows it."""
        run = start(DATA / "ping.pcap.gz", "--to", "tap:vifping", "--max-gap", "5ms",
                    "--send", f"ether src {MAC_A} and (arp or icmp[icmptype] = icmp-echo)", "--expect", DATA / "ping.pcap.gz",
                    "--only", f"ether src {MAC_B} and (arp or icmp[icmptype] = icmp-echoreply)", "--ignore", "ip.id", "-j")
        self.wait_for("vifping", run)
        ip(f"link set vifping address {MAC_B}")
        ip("addr add 10.86.0.11/24 dev vifping")
        ip("link set vifping up")
        out, err = run.communicate(timeout=20)
        self.assertEqual(run.returncode, 0, out + err)
        got = json.loads(out)[0]
        self.assertEqual((got["verdict"], got["expect"]["matched"]), ("pass", 4))

    def test_a_recorded_tcp_peer_talks_to_a_live_kernel(self):
        """Its sequence numbers are others than when tests/data/golden was made: they are learned."""
        capture = DATA / "golden/tcp-echo.pcapng"
        run = start(capture, "--to", "tap:vifgold", "--max-gap", "200ms", "--send", "not ether src 02:76:69:66:00:0a",
                    "--expect", capture, "--only", "tcp and ether src 02:76:69:66:00:0a", "--learn", "tcp.seq",
                    "--ignore", "ip.id,ip.dsfield,tcp.window_size_value", "-j")
        self.wait_for("vifgold", run)
        ip("link set vifgold address 02:76:69:66:00:0a")
        ip("addr add 192.0.2.10/24 dev vifgold")
        with socket.create_server(("192.0.2.10", 7)) as server:
            ip("link set vifgold up")
            server.settimeout(20)
            client, _ = server.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)  # acknowledges with what it says
            client.sendall(client.recv(100))
            out, err = run.communicate(timeout=20)
            client.close()
        self.assertEqual(run.returncode, 0, out + err)
        self.assertEqual(json.loads(out)[0]["expect"]["matched"], 2)

    def wait_for(self, ifname, run):
        while ifname not in (name for _, name in socket.if_nameindex()):
            self.assertIsNone(run.poll(), "it ended before there was an interface")
            time.sleep(0.01)

    def heard_frames(self, heard, count):
        return [heard.recv(1 << 17) for _ in range(count)]

    def test_the_frames_arrive_as_recorded_through_a_packet_socket(self):
        ip("link add vifa type veth peer name vifb")
        self.addCleanup(ip, "link del vifa")
        for name in ("vifa", "vifb"):
            Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1", encoding="utf-8")
            ip(f"link set {name} mtu 1600 up")
        with listen("vifb") as heard:
            got = self.object(DATA / "tcp.pcap", DATA / "vlan.pcap", "--to", "uring:vifa", "--max-gap", "2ms")
            self.assertEqual(got["sent"]["frames"], 22 + 13)
            want = frames_of("tcp.pcap") + frames_of("vlan.pcap")
            untagged = [frame for frame in want if frame[12:14] != b"\x81\x00"]
            arrived = [frame for frame in self.heard_frames(heard, len(want)) if frame in untagged]
            self.assertEqual(sorted(arrived), sorted(untagged))

    def test_waits_for_the_carrier_of_a_tap(self):
        run = start(DATA / "tcp.pcap", "--to", "tap:vifplay", "--max-gap", "2ms", "-j")
        self.wait_for("vifplay", run)
        Path("/proc/sys/net/ipv6/conf/vifplay/disable_ipv6").write_text("1", encoding="utf-8")
        with listen("vifplay") as heard:
            ip("link set vifplay up")
            want = frames_of("tcp.pcap")
            arrived = self.heard_frames(heard, len(want))
        out, err = run.communicate(timeout=20)
        self.assertEqual(run.returncode, 0, out + err)
        self.assertEqual(arrived, want)

    def test_reports_truthfully_when_the_receiver_vanishes(self):
        ip("link add vifc type veth peer name vifd")
        for name in ("vifc", "vifd"):
            ip(f"link set {name} up")
        run = start(DATA / "tcp.pcap", "--to", "uring:vifc", "--speed", "pps=500", "--loop", "forever", "-j")
        time.sleep(0.6)
        ip("link del vifc")
        out, err = run.communicate(timeout=20)
        self.assertEqual(run.returncode, 1, out + err)
        got = json.loads(out)[0]
        self.assertGreater(got["sent"]["frames"], 0)
        self.assertTrue(got["error"])


if __name__ == "__main__":
    main()
