# SPDX-License-Identifier: BSD-2-Clause
"""The extcap plugin, run by the real tshark: listing, choosing, capturing from a running virtifd.

usage: extcap_test.py VIRTIFD VIRTIFCTL
"""

import os
import shutil
import subprocess
import sys
import unittest

from daemon_case import FAILED, USAGE, VIRTIFCTL, DaemonCase
from pcapng import Capture


# Wireshark looks into no folder of root's own: who is root becomes somebody else.
AS_SOMEBODY = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []


class Extcap(DaemonCase):
    def setUp(self):
        super().setUp()
        plugins = self.folder / "extcap"
        plugins.mkdir()
        script = plugins / "virtif"
        script.write_text(f"#!/bin/sh\nexec '{VIRTIFCTL}' extcap --socket '{self.path}' \"$@\"\n")
        script.chmod(0o755)
        home = self.folder / "home"
        home.mkdir()
        self.env = os.environ | {"WIRESHARK_EXTCAP_DIR": str(plugins), "HOME": str(home), "XDG_CONFIG_HOME": str(home)}
        for name in ("virt0", "virt1"):
            self.ctl("link", "add", name, "linkstr", "mem:lan", "up")

    def tshark(self, *words, check=True):
        return subprocess.run([*AS_SOMEBODY, "tshark", *map(str, words)], capture_output=True, text=True, check=check, timeout=90,
                              env=self.env)

    def ask(self, *words, status=0):
        run = subprocess.run([VIRTIFCTL, *map(str, words)], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return run.stdout + run.stderr

    def talk(self):
        """Frames of virt0 and virt1 until stopped."""
        # Whatever ping says: a neighbour who does not answer is soon down, and asked for again some seconds later.
        script = f"while :; do '{VIRTIFCTL}' ping -c 1 -W 0.1 192.0.2.9 --socket '{self.path}'; sleep 0.1; done"
        self.ctl("addr", "add", "192.0.2.1/24", "dev", "virt0")
        talker = subprocess.Popen(["sh", "-c", script], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(talker.wait)
        self.addCleanup(talker.terminate)

    def test_is_in_tsharks_list(self):
        listed = self.tshark("-D").stdout
        for line in ("virtif-virt0 (virtif virt0: mem:lan)", "virtif-virt1 (virtif virt1: mem:lan)"):
            self.assertIn(line, listed)
        self.stop(self.daemon)
        self.assertNotIn("virtif", self.tshark("-D").stdout)

    def test_says_what_frames_it_has(self):
        self.assertIn("EN10MB (Ethernet)", self.tshark("-i", "virtif-virt0", "-L").stdout)

    def test_captures_until_tshark_has_enough(self):
        self.talk()
        asks_for_it = "arp and ether[38:4] == 0xc0000209"
        fields = self.tshark("-n", "-i", "virtif-virt0", "-f", asks_for_it, "-c", "3", "-T", "fields", "-e",
                             "arp.dst.proto_ipv4", "-e", "frame.packet_flags_direction").stdout.splitlines()
        self.assertEqual(fields, ["192.0.2.9\t0x00000002"] * 3)

    def test_takes_its_choices_and_writes_all_there_is_to_know(self):
        self.talk()
        self.tshark("-i", "virtif-virt1", "-o", "extcap.virtif_virt1.dir:in", "-o", "extcap.virtif_virt1.snaplen:20", "-c", "2",
                    "-w", self.folder / "out.pcapng")
        capture = Capture((self.folder / "out.pcapng").read_bytes())
        self.assertEqual(len(capture.packets), 2)
        for packet in capture.packets:
            self.assertEqual((packet.direction, len(packet.bytes)), (1, 20))
        self.assertIn(b"virt1", capture.interfaces[0][2])

    def test_says_what_is_wrong_with_a_filter(self):
        run = self.tshark("-i", "virtif-virt0", "-f", "arp or", "-c", "1", check=False)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("syntax error", run.stderr)

    def test_ends_when_its_interface_goes(self):
        self.talk()
        words = [*AS_SOMEBODY, "tshark", "-n", "-l", "-i", "virtif-virt0"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=self.env) as run:
            self.assertTrue(run.stdout.readline(), "a frame")
            self.ctl("link", "del", "virt0")
            run.stdout.read()
            self.assertEqual(run.wait(), 0)

    def test_lets_nobody_wait_for_what_does_not_come(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        words = [VIRTIFCTL, "--capture", "--extcap-interface", "virtif-virt9", "--fifo", fifo, "--socket", self.path]
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as run:
            self.assertEqual(fifo.read_bytes(), b"")
            self.assertIn("there are virt0, virt1", run.stderr.read())
            self.assertEqual(run.wait(), FAILED)

    def test_answers_wiresharks_questions(self):
        here = ("--socket", self.path)
        self.assertIn("arg {number=0}{call=--dir}", self.ask("extcap", "--extcap-interface", "virtif-virt0", "--extcap-config"))
        self.assertEqual(self.ask("--extcap-interface", "virtif-virt0", "--extcap-dlts"),
                         "dlt {number=1}{name=EN10MB}{display=Ethernet}\n", "with no command before it")
        self.assertEqual(self.ask("--extcap-interface=virtif-virt0", "--extcap-capture-filter=arp"), "")
        said = self.ask("--extcap-interface=virtif-virt0", "--extcap-capture-filter=arp or", status=FAILED)
        self.assertIn("syntax error", said)
        self.assertIn("there are virt0, virt1", self.ask("--capture", "--extcap-interface", "virtif-virt9", "--fifo",
                                                         self.folder / "fifo", *here, status=FAILED))
        self.assertIn("needs --fifo", self.ask("--capture", "--extcap-interface", "virtif-virt0", *here, status=USAGE))
        listed = self.ask("--extcap-interfaces", "--extcap-version=4.0", *here).splitlines()
        self.assertRegex(listed[0], r"^extcap \{version=.*\}\{display=virtif\}$")
        self.assertEqual(listed[1], "interface {value=virtif-virt0}{display=virtif virt0: mem:lan}")


if __name__ == "__main__":
    if not shutil.which("tshark"):
        print("skipped: tshark is not installed")
        sys.exit(77)
    if subprocess.run([*AS_SOMEBODY, "true"], capture_output=True, check=False).returncode != 0:
        print("skipped: root's tshark looks into no folder of ours, and this kernel lets nobody be another (unshare)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)
