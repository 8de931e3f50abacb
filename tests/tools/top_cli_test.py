# SPDX-License-Identifier: BSD-2-Clause
"""virtifctl top: lines where there is no terminal, and a page where there is one (a pseudo-terminal).

usage: top_cli_test.py VIRTIFD VIRTIFCTL
"""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

from daemon_case import FAILED, USAGE, VIRTIFCTL, DaemonCase

ENTERS, LEAVES = b"\x1b[?1049h\x1b[?25l", b"\x1b[?25h\x1b[?1049l"


class Terminal:
    """virtifctl top on a pseudo-terminal of its own."""

    def __init__(self, path, *words, lines=24, columns=80, kind="xterm"):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", lines, columns, 0, 0))
            os.execve(VIRTIFCTL, [VIRTIFCTL, "top", "--socket", path, *words], {**os.environ, "TERM": kind})
        self.said = b""
        self.status = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def read(self):
        """What comes next; False: nothing more ever."""
        if not select.select([self.fd], [], [], 20)[0]:
            raise TimeoutError(self.said[-2000:])
        with contextlib.suppress(OSError):  # EIO: nobody is at the other end
            piece = os.read(self.fd, 65536)
            self.said += piece
            return bool(piece)
        return False

    def pages(self):
        """Whole pages, each as lines without what colours them."""
        plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-GI-Z]", "", self.said.decode(errors="replace"))
        return [page.split("\r\n") for page in plain.split("\x1b[H")[1:-1]]

    def until(self, wanted):
        """Reads until a new page is as wanted, and returns it."""
        seen, end = len(self.pages()), time.monotonic() + 60
        while True:
            assert time.monotonic() < end and self.read(), self.said[-2000:]
            for page in self.pages()[seen:]:
                if wanted(page):
                    return page

    def resize(self, lines, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("4H", lines, columns, 0, 0))

    def type(self, keys):
        os.write(self.fd, keys)

    def wait(self):
        while self.read():
            pass
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def local_modes(self):
        return termios.tcgetattr(self.fd)[3]


class TopCli(DaemonCase):
    def setUp(self):
        super().setUp()
        self.ctl("link", "add", "virt0", "linkstr", "null:,rx=1000000000", "promisc", "on")
        self.ctl("link", "add", "virt1", "linkstr", "mem:lan", "up")

    def terminal(self, *words, **size):
        return Terminal(self.path, "-i", "0.1", *words, **size)

    def test_prints_lines_where_there_is_no_terminal(self):
        self.ctl("link", "set", "virt0", "up")
        said = self.ctl("top", "-n", "2", "-i", "0.1")
        first, second = said.split("\n\n")
        self.assertNotIn("\x1b", said)
        self.assertRegex(first, r"\Ainterface  state     rx pkt/s  tx pkt/s  rx bit/s  tx bit/s    drop/s\n"
                         r"virt0      UP +[\d.]+[kM] +0 +[\d.]+[MG] +0 +[\d.]+[kM]?  [▁-█]\nvirt1      UP .*0")
        self.assertEqual(len(second.splitlines()), 3)

    def test_gives_scripts_an_object_a_line(self):
        lines = self.ctl("top", "-n", "3", "-i", "0.05", "-j", "-o", "n").splitlines()
        self.assertEqual(len(lines), 3)
        told = json.loads(lines[0])
        self.assertEqual([row["ifname"] for row in told["interfaces"]], ["virt0", "virt1"])
        self.assertEqual(told["interfaces"][1]["rx"], {"pps": 0.0, "bps": 0.0})

    def test_says_what_is_wrong(self):
        self.ctl("top", "-o", "x", status=USAGE)
        self.ctl("top", "-n", "0", status=USAGE)
        with open("/dev/full", "w") as full:
            lost = subprocess.run([VIRTIFCTL, "top", "-n", "1", "-i", "0.05", "--socket", self.path], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        self.assertEqual((lost.returncode, "No space left" in lost.stderr), (FAILED, True))
        self.stop(self.daemon)
        self.assertIn("start one with", self.ctl("top", "-n", "1", status=FAILED))

    def test_draws_pages_sorts_and_ends_by_key(self):
        self.ctl("link", "set", "virt0", "up")
        with self.terminal() as top:
            before = top.local_modes()
            page = top.until(lambda page: len(page) > 3 and "█" in page[2])
            self.assertTrue(page[0].startswith("q quits; 2 interfaces at "), page)
            self.assertTrue(page[2].startswith("virt0"), page)
            self.assertFalse(top.local_modes() & (termios.ECHO | termios.ICANON))
            self.ctl("link", "add", "virt2", "linkstr", "mem:lan", "up")
            top.type(b"n")
            top.until(lambda page: "by name" in page[0] and page[4].startswith("virt2"))
            top.type(b"zq")
            self.assertEqual(top.wait(), 0)
            self.assertTrue(top.said.startswith(ENTERS))
            self.assertTrue(top.said.endswith(LEAVES), top.said[-100:])
            self.assertEqual(top.local_modes(), before)

    def test_leaves_on_the_terminal_what_was_asked_for_so_often(self):
        with self.terminal("-n", "1") as top:
            self.assertEqual(top.wait(), 0)
            self.assertNotIn(b"\x1b", top.said)
            self.assertIn(b"\r\nvirt1 ", top.said)

    def test_sends_no_escapes_where_they_are_not_understood(self):
        with self.terminal(kind="dumb") as top:
            while top.said.count(b"virt1 ") < 2:
                top.read()
            self.assertNotIn(b"\x1b", top.said)

    def test_fits_the_terminal_as_that_changes(self):
        with self.terminal(lines=10, columns=100) as top:
            top.until(lambda page: len(page[0]) > 80 and page[3].startswith("virt1"))
            top.resize(3, 30)
            page = top.until(lambda page: all(len(line) <= 30 for line in page))
            self.assertEqual(len(page), 3)
            self.assertEqual(page[2], "and 2 more")
            top.resize(40, 132)
            top.until(lambda page: len(page[0]) > 80 and page[3].startswith("virt1"))

    def test_gives_the_terminal_back_whatever_ends_it(self):
        for number, status in ((signal.SIGINT, 0), (signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGHUP, 128 + signal.SIGHUP)):
            with self.terminal() as top:
                before = top.local_modes()
                top.until(lambda page: True)
                os.kill(top.pid, number)
                self.assertEqual(top.wait(), status)
                self.assertTrue(top.said.endswith(LEAVES))
                self.assertEqual(top.local_modes(), before)
        with self.terminal() as top:
            top.until(lambda page: True)
            self.stop(self.daemon)
            self.assertEqual(top.wait(), FAILED)
            self.assertIn(LEAVES, top.said)
            self.assertIn(b"went away", top.said.split(LEAVES)[1])

    def test_stops_and_goes_on(self):
        with self.terminal() as top:
            top.until(lambda page: True)
            top.type(b"\x1a")
            while LEAVES not in top.said:
                top.read()
            while os.waitpid(top.pid, os.WUNTRACED)[0] != top.pid:
                time.sleep(0.01)
            self.assertTrue(top.local_modes() & termios.ECHO)
            os.kill(top.pid, signal.SIGCONT)
            top.until(lambda page: True)
            self.assertFalse(top.local_modes() & termios.ECHO)
            top.type(b"\x03")
            self.assertEqual(top.wait(), 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
