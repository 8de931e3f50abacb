# SPDX-License-Identifier: BSD-2-Clause
"""A virtifd of one's own for each test, virtifctl to command it, and connections at the level of lines."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

VIRTIFD, VIRTIFCTL = (Path(word).resolve() for word in sys.argv[1:3])
FAILED, USAGE = 1, 2
# A sanitizer keeps what was freed for a while, and takes descriptors of its own.
SANITIZED = any(word in VIRTIFD.read_bytes() for word in (b"__asan_init", b"__tsan_init", b"__ubsan_handle"))
# The runtime of clang 14's TSan maps what it keeps a thread's signals in when first it needs to, and loses the signal
# that comes meanwhile: virtifd's first sleep, right behind the line that says it listens.
LOSES_A_SIGNAL = b"__tsan_init" in VIRTIFD.read_bytes()


class Client:
    """One connection, at the level of lines."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(str(path))
        self.lines = self.socket.makefile("rb")
        self.last_id = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.lines.close()
        self.socket.close()

    def send(self, method, **params):
        self.last_id += 1
        message = {"jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params}
        self.socket.sendall(json.dumps(message).encode() + b"\n")
        return self.last_id

    def read(self):
        line = self.lines.readline()
        return json.loads(line) if line else None

    def call(self, method, **params):
        sent = self.send(method, **params)
        answer = self.read()
        assert answer["id"] == sent, answer
        return answer.get("result", answer.get("error"))


class DaemonCase(unittest.TestCase):
    """Begins with a fresh virtifd at self.path."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="vif"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = self.folder / "virtif.sock"
        self.daemon = self.start()

    def start(self, *words, path=None):
        daemon = subprocess.Popen([VIRTIFD, "--socket", path or self.path, *words], stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, daemon)
        said = daemon.stderr.readline()
        self.assertIn("listening at", said)
        return daemon

    @staticmethod
    def stop(daemon):
        if daemon.poll() is None:
            daemon.send_signal(signal.SIGTERM)
        if LOSES_A_SIGNAL:
            try:
                daemon.wait(5)
            except subprocess.TimeoutExpired:
                daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(20)
        finally:
            daemon.kill()  # so that one that hangs fails one test only: nothing waits for its output
            daemon.stderr.close()

    def client(self):
        return Client(self.path)

    def ctl(self, *words, status=0):
        run = subprocess.run([VIRTIFCTL, *words, "--socket", self.path], capture_output=True, text=True, check=False,
                             timeout=60)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return run.stdout if status == 0 else run.stderr

    def alive(self):
        with self.client() as client:
            self.assertEqual(client.call("version")["protocol"], 1)
