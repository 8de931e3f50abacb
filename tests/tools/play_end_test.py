# SPDX-License-Identifier: BSD-2-Clause
"""How `virtifctl replay --to` ends, with a peer that goes away, stops reading or says more than it should.

usage: play_end_test.py VIRTIFCTL DATA_FOLDER, run by itself again in a network namespace of its own.
"""

import json
import os
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from play_case import DATA, Peer, Play, capture, ctl, main, untimed


def echo(peer, frame, _):
    peer.send(frame)


def frame_of(number, size=60):
    return bytes.fromhex("02000000000b02000000000a88b5") + number.to_bytes(4, "big") + bytes(size - 18)


class Played(Play):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)
        self.runs = 0

    def capture(self, count, apart=0.0, size=60):
        return capture(self.folder / "sent.pcap", [(1 + i * apart, frame_of(i, size)) for i in range(count)])

    def played(self, heard, *words, stdin=None):
        """(exit status, the object, what the peer got)."""
        self.runs += 1
        peer = Peer(self.folder / f"s{self.runs}", heard)
        code, out, err = ctl(*words, "--to", f"stream:{self.folder}/s{self.runs}", "-j", stdin=stdin)
        self.assertTrue(out, err)
        peer.join(timeout=1)
        return code, json.loads(out)[0], peer


class Ends(Played):
    def test_it_listens_as_long_as_asked_when_all_has_come(self):
        def echo_and_more_later(peer, frame, _):
            peer.send(frame)
            threading.Timer(0.6, peer.send, [frame_of(9)]).start()

        sent = self.capture(1)
        code, got, _ = self.played(echo_and_more_later, sent, "--expect", sent, "--linger", "2s")
        self.assertEqual((code, got["expect"]["faults"]["unexpected"]), (1, 1))

    def test_its_duration_bounds_it_when_the_peer_stops_reading(self):
        sent = self.capture(2000, 0.0001, 1400)
        done = threading.Event()
        self.addCleanup(done.set)
        for words in (("--duration", "500ms", "--expect", sent, "--timeout", "100ms"),
                      ("--duration", "500ms", "--speed", "top", "--loop", "forever")):
            code, got, _ = self.played(lambda *_: done.wait(), sent, *words)
            if "--expect" in words:
                self.assertEqual((code, got["ended_early"]), (1, True))
                self.assertIn("did not take it in time", got["error"])
                self.assertGreater(got["sent"]["failed"], 0)
            self.assertEqual(got["frames"], got["sent"]["frames"] + got["sent"]["failed"])
            self.assertLess(got["sent"]["frames"], 2000)

    def test_for_ever_ends_when_nothing_is_sent(self):
        for words in (("--send", "arp"), ("--mtu", "46", "--limit", "5")):
            code, got, _ = self.played(echo, self.capture(3, 0, 100), "--loop", "forever", *words)
            self.assertEqual((code, got["passes"]), (1, 1))

    def test_a_peer_that_goes_while_it_is_listened_to_is_an_error(self):
        sent = self.capture(2)
        for words in (("--expect", sent, "--timeout", "100s"), ("--linger", "100s")):
            code, got, _ = self.played(lambda peer, _, count: count < 2 or peer.go(), sent, *words)
            self.assertEqual((code, got["sent"]["frames"], got["ended_early"]), (1, 2, False))
            self.assertIn("is down", got["error"])

    def test_links_are_heard_while_a_pipe_is_idle(self):
        def answers_and_goes(peer, frame, count):
            peer.send(frame)
            if count == 2:
                peer.go()

        reading, writing = os.pipe()
        with open(reading, "rb") as idle, open(writing, "wb") as pipe:
            pipe.write(self.capture(2).read_bytes())
            pipe.flush()
            code, got, _ = self.played(answers_and_goes, "-", stdin=idle)
        self.assertEqual((code, got["received"], got["ended_early"]), (1, 2, True))
        self.assertIn("is down", got["error"])

    def test_a_limit_ends_it_while_the_pipe_is_open(self):
        reading, writing = os.pipe()
        with open(reading, "rb") as idle, open(writing, "wb") as pipe:
            pipe.write(self.capture(2).read_bytes())
            pipe.flush()
            for words in (("--limit", "2"), ("--duration", "100ms")):
                code, out, _ = ctl("-", "--to", "null:", "-j", *words, stdin=idle)
                got = json.loads(out)[0]
                self.assertEqual((code, got["sent"]["frames"], got["error"]), (0, 2, None))
                pipe.write(self.capture(2).read_bytes())
                pipe.flush()

    def test_a_fifo_is_not_played_twice(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        writer = subprocess.Popen(["cp", self.capture(2), fifo])
        code, out, _ = ctl(fifo, "--to", "null:", "--loop", "2", "-j")
        self.assertEqual((code, writer.wait(timeout=20)), (1, 0))
        self.assertIn("expected a file, not a pipe", json.loads(out)[0]["error"])

    def test_a_link_that_reads_a_pipe_outlives_its_pauses(self):
        fifo, sent = self.folder / "fifo", self.capture(2)
        os.mkfifo(fifo)

        def write():
            with open(fifo, "wb", buffering=0) as pipe:
                pipe.write(sent.read_bytes()[:-70])
                time.sleep(0.5)
                pipe.write(sent.read_bytes()[-70:])
                time.sleep(2)

        writing = threading.Thread(target=write)
        writing.start()
        got = self.object(sent, "--to", f"pcap:{fifo}", "--expect", sent, "--timeout", "5s")
        self.assertEqual((got["received"], got["verdict"], got["error"]), (2, "pass", None))
        writing.join()

    def test_standard_input_may_be_a_socket(self):
        here, there = socket.socketpair()
        with there:
            here.sendall(self.capture(2).read_bytes())
            here.close()
            self.assertEqual(self.object("-", "--to", "null:", stdin=there)["sent"]["frames"], 2)

    def test_a_pipe_that_pauses_is_played_to_its_end(self):
        reading, writing = os.pipe()
        whole = self.capture(3).read_bytes()

        def write():
            with open(writing, "wb", buffering=0) as pipe:
                for at in range(0, len(whole), 50):
                    pipe.write(whole[at:at + 50])
                    time.sleep(0.05)

        threading.Thread(target=write).start()
        with open(reading, "rb") as pauses:
            code, got, peer = self.played(lambda *_: True, "-", "--speed", "top", stdin=pauses)
        self.assertEqual((code, got["sent"]["frames"], got["error"]), (0, 3, None))
        self.assertEqual(peer.frames, [frame_of(i) for i in range(3)])

    def test_a_peer_may_go_when_it_has_said_all(self):
        sent = self.capture(2)

        def answers_and_goes(peer, frame, count):
            peer.send(frame)
            if count == 2:
                peer.go()

        code, got, _ = self.played(answers_and_goes, sent, "--expect", sent, "--timeout", "100s")
        self.assertEqual((code, got["error"]), (0, None))

    def test_what_was_never_tried_is_not_called_sent(self):
        sent, report = self.capture(20, 0.05), self.folder / "report"
        code, got, _ = self.played(lambda peer, _, count: count < 5 or peer.go(), sent, "--report", report)
        self.assertEqual((code, got["ended_early"]), (1, True))
        self.assertIn("is down", got["error"])
        page = (report / "report.html").read_text(encoding="utf-8")
        self.assertIn("frames tried were sent", page)
        self.assertIn("before the captures did", page)
        self.assertNotIn("All ", page)
        self.assertIn("before the captures did", (report / "junit.xml").read_text(encoding="utf-8"))

    def test_a_whole_replay_did_not_end_early(self):
        for words in ((), ("--limit", "5"), ("--duration", "1ms")):
            self.assertFalse(self.object(DATA / "tcp.pcap", "--to", "null:", *words)["ended_early"])


class Tells(Played):
    def test_what_comes_late_or_twice_is_not_called_as_expected(self):
        sent, report = self.capture(6, 0.01), self.folder / "report"
        words = (sent, "--expect", sent, "--report", report, "--timeout", "5s")

        def late(peer, frame, _):
            threading.Timer(0.3, peer.send, [frame]).start()

        code, got, _ = self.played(late, *words, "--within", "100ms", "--order", "unordered")
        self.assertEqual((code, got["expect"]["matched"], got["expect"]["faults"]["late"]), (1, 6, 6))
        self.assertIn("0 of 6 frames came back as expected, 6 late", (report / "report.html").read_text(encoding="utf-8"))

        def twice(peer, frame, _):
            peer.send(frame)
            peer.send(frame)

        code, got, _ = self.played(twice, *words)
        self.assertEqual((code, got["expect"]["faults"]["unexpected"]), (1, 6))
        self.assertIn("All 6 frames came back as expected, 6 unexpected", (report / "report.html").read_text(encoding="utf-8"))

    def test_a_window_needs_recorded_times(self):
        timed, bare = self.capture(2), untimed(self.folder / "bare.pcapng", [frame_of(0), frame_of(1)])
        for sent, expected in ((timed, bare), (bare, timed), (bare, bare)):
            code, out, err = ctl(sent, "--to", "null:", "--expect", expected, "--within", "1ms", "--timeout", "100s")
            self.assertEqual(code, 3, out + err)
            self.assertIn("--within expects recorded times", err)
            self.assertNotIn("PASS", out)
        code, _, _ = self.played(echo, bare, "--expect", bare)
        self.assertEqual(code, 0)

    def test_what_is_expected_may_come_from_standard_input(self):
        sent = self.capture(2)
        with open(sent, "rb") as expected:
            code, out, err = ctl(sent, "--to", "null:", "--expect", "-", "--timeout", "1ms", "-j", stdin=expected)
        self.assertEqual((code, json.loads(out)[0]["expect"]["expected"]), (1, 2), err)
        with open(sent, "rb") as both:
            code, out, err = ctl("-", "--to", "null:", "--expect", "-", stdin=both)
        self.assertEqual((code, out), (2, ""))
        self.assertIn("standard input", err)

    def test_a_link_does_not_empty_what_is_read(self):
        other, sent = self.capture(1).rename(self.folder / "other.pcap"), self.capture(2)
        before = sent.read_bytes()
        for words in ((sent,), (other, "--expect", sent)):
            for link in (f"pcap:{other},write={sent}", f"impair:[pcap:{other},write={sent}],loss=1%"):
                code, out, err = ctl(*words, "--to", link)
                self.assertEqual((code, out, sent.read_bytes()), (2, "", before), err)
                self.assertIn("is also read", err)

    def test_a_rate_is_of_the_gaps_between_frames(self):
        one = self.object(self.capture(1), "--to", "null:")
        self.assertIsNone(one["sent"]["pps"])
        three = self.object(self.capture(3), "--to", "null:", "--speed", "pps=10")["sent"]
        self.assertAlmostEqual(three["pps"] * three["seconds"], 2)
        self.assertNotIn("frames/s", ctl(self.capture(1), "--to", "null:")[1])


if __name__ == "__main__":
    main()
