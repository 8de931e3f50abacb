# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of `virtifctl replay --to` share: running it, and a network namespace of their own."""

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data"))
import truth  # noqa: E402

VIRTIFCTL, DATA = (Path(word).resolve() for word in sys.argv[1:3])
INSIDE = "VIF_PLAY_CLI_TEST"


def ip(words):
    subprocess.run(["ip", *words.split()], check=True)


def start(*words, stdin=None):
    return subprocess.Popen([VIRTIFCTL, "replay", *map(str, words)], stdin=stdin, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def ctl(*words, stdin=None):
    run = start(*words, stdin=stdin)
    out, err = run.communicate(timeout=120)
    return run.returncode, out, err


def frames_of(name):
    return [frame for _, frame in truth.read(DATA / name)[0]]


def capture(path, frames):
    """Writes a pcap of (seconds, bytes)."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for at, frame in frames:
            file.write(struct.pack("<IIII", int(at), round((at - int(at)) * 1e6), len(frame), len(frame)) + frame)
    return path


def untimed(path, frames):
    """Writes a pcapng of simple packet blocks, which have no time."""
    def block(kind, body):
        body += bytes(-len(body) % 4)
        size = struct.pack("<I", 12 + len(body))
        return struct.pack("<I", kind) + size + body + size

    packets = b"".join(block(3, struct.pack("<I", len(frame)) + frame) for frame in frames)
    path.write_bytes(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 0)) + packets)
    return path


class Peer(threading.Thread):
    """The other end of a `stream:`: calls heard(peer, frame, count) until that says False."""

    def __init__(self, path, heard):
        super().__init__(daemon=True)
        self.heard, self.frames = heard, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.connection = None
        self.start()

    def send(self, frame):
        with contextlib.suppress(OSError):
            self.connection.sendall(struct.pack(">I", len(frame)) + frame)

    def go(self):
        self.connection.shutdown(socket.SHUT_RDWR)

    def run(self):
        self.connection, _ = self.listener.accept()
        with self.listener, self.connection, self.connection.makefile("rb") as stream:
            while len(head := stream.read(4)) == 4:
                self.frames.append(stream.read(struct.unpack(">I", head)[0]))
                if self.heard(self, self.frames[-1], len(self.frames)) is False:
                    break


class Play(unittest.TestCase):
    def object(self, *words, status=0, stdin=None):
        code, out, err = ctl(*words, "-j", stdin=stdin)
        self.assertEqual(code, status, out + err)
        objects = json.loads(out)
        self.assertEqual(len(objects), 1)
        got = objects[0]
        self.assertEqual(got["frames"], got["sent"]["frames"] + got["sent"]["failed"] + sum(got["refused"].values()), got)
        return got


def main():
    """Runs the tests of the script, in a namespace where there can be one."""
    if INSIDE in os.environ:
        ip("link set lo up")
    else:
        enter = ["unshare", "-rn"] if os.geteuid() != 0 else ["unshare", "-n"]
        if subprocess.run([*enter, "true"], capture_output=True, check=False).returncode == 0:
            os.execvpe(enter[0], [*enter, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})
    unittest.main(argv=sys.argv[:1], verbosity=2)
