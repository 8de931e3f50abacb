# SPDX-License-Identifier: BSD-2-Clause
"""`virtifctl replay` from a user's chair: what it refuses, what it writes, and what it says when the host fails it.

usage: replay_cli_test.py VIRTIFCTL DATA_FOLDER
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data"))
import truth  # noqa: E402

VIRTIFCTL, DATA = (Path(word).resolve() for word in sys.argv[1:3])
MAC_A, MAC_B = "02:76:69:66:00:0a", "02:76:69:66:00:0b"
USAGE = 2


def ctl(*words, **more):
    return subprocess.run([VIRTIFCTL, *map(str, words)], capture_output=True, text=True, check=False, timeout=120, **more)


def private_mounts():
    """Whether this test may mount things nobody else sees."""
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


class Replay(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = Path(scratch.name)

    def json(self, *words, status=0):
        run = ctl("replay", *words, "-j")
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return json.loads(run.stdout)

    def refused(self, *words):
        """A usage error: status 2, words on stderr, nothing on stdout, nothing written."""
        run = ctl(*words)
        self.assertEqual(run.returncode, USAGE, (words, run.stdout + run.stderr))
        self.assertEqual(run.stdout, "", words)
        self.assertGreater(len(run.stderr.strip()), 10, words)
        return run.stderr


class Usage(Replay):
    def test_help_is_no_error(self):
        run = ctl("replay", "--help")
        self.assertEqual(run.returncode, 0)
        for option in ("--lladdr", "--join", "--allmulti", "--promisc", "--mtu", "--filter", "--write", "-j"):
            self.assertIn(option, run.stdout)

    def test_refuses_what_it_does_not_understand(self):
        arp = DATA / "arp.pcap"
        for words in ([], ["reply"], ["replay"], ["replay", "--speed", arp], ["replay", arp, "--mtu"]):
            self.refused(*words)

    def test_refuses_bad_addresses(self):
        for mac in ("", "02", "02:00:00:00:00:zz", "02:00:00:00:00:01:02", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff"):
            self.refused("replay", DATA / "arp.pcap", "--lladdr", mac)
        for group in ("", "01:00:5e", MAC_A):
            self.refused("replay", DATA / "arp.pcap", "--join", group)

    def test_refuses_an_mtu_out_of_range_and_takes_its_ends(self):
        for mtu in ("", "0", "45", "-1", "262131", "99999999999999999999", "1500x", "1e3"):
            self.refused("replay", DATA / "arp.pcap", "--mtu", mtu)
        for mtu in ("46", "262130"):
            self.json(DATA / "arp.pcap", "--mtu", mtu)

    def test_refuses_a_bad_filter_before_reading(self):
        said = self.refused("replay", DATA / "arp.pcap", "--filter", "arp and and")
        self.assertIn("arp and and", said)

    def test_refuses_an_unknown_output_format(self):
        self.refused("replay", DATA / "arp.pcap", "--write", self.folder / "out.txt")
        self.assertEqual(list(self.folder.iterdir()), [])


class Reports(Replay):
    def test_table_names_file_and_counts(self):
        run = ctl("replay", DATA / "ping.pcap.gz", "--lladdr", MAC_A)
        self.assertEqual(run.returncode, 0, run.stderr)
        for word in ("ping.pcap.gz", "12", "7", "not_for_us"):
            self.assertIn(word, run.stdout.replace("not for us", "not_for_us"))

    def test_many_files_in_the_order_given(self):
        names = [DATA / name for name in ("tcp.pcap", "arp.pcap", "vlan.pcap", "arp.pcap")]
        objects = self.json(*names, "--promisc")
        self.assertEqual([got["file"] for got in objects], [str(name) for name in names])
        self.assertEqual([got["passed"]["frames"] for got in objects], [22, 3, 13, 3])

    def test_same_input_same_output(self):
        words = ("replay", DATA / "multicast.pcap", DATA / "cut-short.pcap", "--lladdr", MAC_B, "-j")
        self.assertEqual(ctl(*words).stdout, ctl(*words).stdout)

    def test_without_an_address_broadcasts_still_pass(self):
        self.assertEqual(self.json(DATA / "multicast.pcap")[0]["passed"]["frames"], 4)

    def test_filter_counts_what_it_refuses(self):
        got = self.json(DATA / "ping.pcap.gz", "--promisc", "--filter", "arp")[0]
        self.assertEqual((got["passed"]["frames"], got["dropped"]["filtered"]), (2, 10))

    def test_filter_comes_after_the_interface(self):
        got = self.json(DATA / "ping.pcap.gz", "--lladdr", MAC_A, "--filter", "icmp")[0]
        self.assertEqual((got["passed"]["frames"], got["dropped"]["filtered"], got["dropped"]["not_for_us"]), (5, 2, 5))

    def test_filter_sees_tags(self):
        for words, frames in (("vlan 86", 13), ("vlan 87", 0), ("vlan 86 and icmp6", 4), ("ether proto 0x0806", 0)):
            got = self.json(DATA / "vlan.pcap", "--promisc", "--filter", words)[0]
            self.assertEqual(got["passed"]["frames"], frames, words)

    def test_a_tag_may_make_a_frame_four_bytes_longer(self):
        for name, mtu, long in (("vlan.pcap", 1500, 0), ("vlan.pcap", 1499, 2), ("qinq.pcap", 1500, 2), ("tcp-gso.pcap", 1500, 3)):
            self.assertEqual(self.json(DATA / name, "--promisc", "--mtu", mtu)[0]["dropped"]["too_long"], long, (name, mtu))


class Names(Replay):
    def test_names_that_linkstrs_use_for_themselves(self):
        want = self.json(DATA / "tcp.pcap", "--lladdr", MAC_A)[0]
        for name in ("a,b=c.pcap", "100%.pcap", "%2C.pcap", "[tap:x],loss=1%.pcap", "two words.pcap", "pcap:tcp", "ü.pcap", "-x"):
            path = self.folder / name
            shutil.copy(DATA / "tcp.pcap", path)
            got = self.json(path, "--lladdr", MAC_A, "--write", self.folder / f"out-{name}.pcapng")[0]
            self.assertEqual(got, {**want, "file": str(path)})
            self.assertEqual(truth.passed(truth.countable(truth.read(self.folder / f"out-{name}.pcapng")[0])), want["passed"])


class Writes(Replay):
    def written(self, name, *words):
        """(what -j said of the only file, the frames of the file written)."""
        path = self.folder / name
        got = self.json(*words, "--write", path)
        records, error = truth.read(path)
        self.assertEqual(error, "")
        return got, [frame for _, frame in records]

    def test_writes_exactly_what_passed(self):
        for name in ("out.pcap", "out.pcapng"):
            for capture in ("multicast.pcap", "tcp-gso.pcap", "runts.pcap", "mixed.pcapng", "ping.pcap.gz"):
                got, frames = self.written(name, DATA / capture, "--lladdr", MAC_B, "--join", "33:33:00:00:56:46")
                self.assertEqual(truth.passed(frames), got[0]["passed"], (name, capture))

    def test_writes_all_files_into_one(self):
        got, frames = self.written("out.pcapng", DATA / "arp.pcap", DATA / "tcp.pcap", "--promisc", "--filter", "not udp")
        self.assertEqual(len(frames), sum(each["passed"]["frames"] for each in got))

    def test_writes_a_valid_file_when_nothing_passed(self):
        _, frames = self.written("out.pcap", DATA / "tcp.pcap", "--filter", "udp")
        self.assertEqual(frames, [])

    @unittest.skipUnless(shutil.which("tcpdump"), "no tcpdump; tools/setup check installs it")
    def test_tcpdump_reads_it_with_the_same_times(self):
        def lines(path):
            return subprocess.run(["tcpdump", "-tt", "-n", "-e", "--time-stamp-precision=nano", "-r", path],
                                  capture_output=True, text=True, check=True).stdout
        self.written("out.pcapng", DATA / "tcp.pcap", "--promisc")
        self.assertEqual(lines(self.folder / "out.pcapng"), lines(DATA / "tcp.pcap"))
        self.written("out.pcap", DATA / "tcp.pcap", "--promisc")
        self.assertEqual(len(lines(self.folder / "out.pcap").splitlines()), 22)

    def test_does_not_write_over_its_input(self):
        path = self.folder / "in.pcap"
        shutil.copy(DATA / "tcp.pcap", path)
        self.assertNotEqual(ctl("replay", path, "--write", path).returncode, 0)
        self.assertEqual(path.read_bytes(), (DATA / "tcp.pcap").read_bytes())


class HostFails(Replay):
    def failed(self, run, words):
        """Status 1, the results still printed, and the reason said somewhere."""
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertRegex(run.stdout + run.stderr, words)
        return json.loads(run.stdout)

    def test_missing_file_and_folder_do_not_stop_the_others(self):
        objects = self.failed(ctl("replay", self.folder / "nothing.pcap", self.folder, DATA / "arp.pcap", "--promisc", "-j"),
                              "No such file")
        self.assertEqual([got["passed"]["frames"] for got in objects], [0, 0, 3])
        self.assertEqual([got["error"] is None for got in objects], [False, False, True])

    def test_damaged_files_pass_what_came_before(self):
        short = self.folder / "short.pcap.gz"
        short.write_bytes((DATA / "ping.pcap.gz").read_bytes()[:-60])
        empty, words = self.folder / "empty.pcap", self.folder / "words.pcap"
        empty.write_bytes(b"")
        words.write_text("Dear reader, this is no capture file at all.\n", encoding="utf-8")
        objects = self.failed(ctl("replay", DATA / "cut-short.pcap", short, empty, words, "--promisc", "-j"), r"\b5414\b")
        self.assertEqual(objects[0]["passed"]["frames"], 11)
        self.assertTrue(0 < objects[1]["frames"] < 12, objects[1])
        self.assertEqual([got["frames"] for got in objects[2:]], [0, 0])
        for got in objects:
            self.assertIsInstance(got["error"], str)

    def test_full_device(self):
        for name in ("full.pcap", "full.pcapng"):
            (self.folder / name).symlink_to("/dev/full")
            objects = self.failed(ctl("replay", DATA / "tcp.pcap", "--promisc", "--write", self.folder / name, "-j"), "No space left")
            self.assertEqual(objects[0]["frames"], 22)

    def test_full_disk_leaves_a_valid_file(self):
        if not private_mounts():
            self.skipTest("mounting a small disk needs root")
        for name in ("out.pcap", "out.pcapng"):
            disk, kept = self.folder / "disk", self.folder / name
            disk.mkdir(exist_ok=True)
            run = subprocess.run(
                ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o size=16k none "$1" && shift && "$@"; status=$?; '
                 'cp "$DISK/$NAME" "$KEPT"; exit $status', "sh", disk, VIRTIFCTL, "replay", DATA / "tcp.pcap",
                 DATA / "tcp-gso.pcap", "--promisc", "-j", "--write", disk / name], capture_output=True, text=True,
                env={**os.environ, "DISK": str(disk), "NAME": name, "KEPT": str(kept)}, check=False, timeout=60)
            self.failed(run, "No space left")
            records, error = truth.read(kept)
            self.assertEqual(error, "")
            self.assertTrue(10 < len(records) < 36, len(records))

    def test_read_only_folder(self):
        if not private_mounts():
            self.skipTest("mounting a folder read-only needs root")
        run = subprocess.run(
            ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o ro none "$0" && exec "$@"', self.folder, VIRTIFCTL, "replay",
             DATA / "arp.pcap", "-j", "--write", self.folder / "out.pcap"], capture_output=True, text=True, check=False, timeout=60)
        self.assertIn(run.returncode, (1, USAGE))
        self.assertRegex(run.stdout + run.stderr, "Read-only file system")

    def test_unreadable_file(self):
        secret = self.folder / "secret.pcap"
        shutil.copy(DATA / "arp.pcap", secret)
        secret.chmod(0)
        self.folder.chmod(0o755)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        if subprocess.run([*nobody, VIRTIFCTL, "--help"], capture_output=True, check=False).returncode:
            self.skipTest("this build's folder is closed to other users, so virtifctl cannot be run as one")
        run = subprocess.run([*nobody, VIRTIFCTL, "replay", secret, "-j"], capture_output=True, text=True, check=False)
        self.failed(run, "Permission denied")

    def test_file_that_grows_while_it_is_read(self):
        whole = (DATA / "tcp.pcap").read_bytes()
        path, done = self.folder / "growing.pcap", threading.Event()
        path.write_bytes(whole)

        def grow():
            with path.open("ab", buffering=0) as file:
                while not done.is_set():
                    for at in range(24, len(whole), 1000):
                        file.write(whole[at:at + 1000])
                    time.sleep(0.001)

        writer = threading.Thread(target=grow)
        writer.start()
        try:
            run = ctl("replay", path, "--promisc", "-j")
        finally:
            done.set()
            writer.join()
        got = json.loads(run.stdout)[0]
        self.assertEqual(run.returncode, int(got["error"] is not None), got)
        self.assertGreaterEqual(got["passed"]["frames"], 22)

    def test_file_that_comes_through_a_pipe(self):
        for name in ("tcp.pcap", "ping.pcap.gz"):
            pipe = self.folder / f"pipe-{name}"
            os.mkfifo(pipe)
            writer = threading.Thread(target=lambda: pipe.write_bytes((DATA / name).read_bytes()))
            writer.start()
            got = self.json(pipe, "--promisc")[0]
            writer.join()
            self.assertEqual(got["passed"], truth.passed(truth.countable(truth.read(DATA / name)[0])))

    def test_file_on_standard_input(self):
        with open(DATA / "ping.pcap.gz", "rb") as file:
            run = ctl("replay", "-", "--promisc", "-j", stdin=file)
        got = json.loads(run.stdout)[0]
        self.assertEqual((run.returncode, got["file"], got["passed"]["frames"]), (0, "-", 12))

    def test_nobody_reads_the_result(self):
        for words in ((), ("-j",)):
            with open("/dev/full", "w", encoding="utf-8") as full:
                run = subprocess.run([VIRTIFCTL, "replay", DATA / "arp.pcap", *words], stdout=full, stderr=subprocess.PIPE,
                                     check=False)
            self.assertEqual(run.returncode, 1, words)

    def test_gzip_with_garbage_behind(self):
        path = self.folder / "behind.pcap.gz"
        path.write_bytes(gzip.compress((DATA / "arp.pcap").read_bytes()) + b"garbage")
        run = ctl("replay", path, "--promisc", "-j")
        self.assertEqual(json.loads(run.stdout)[0]["passed"]["frames"], 3)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
