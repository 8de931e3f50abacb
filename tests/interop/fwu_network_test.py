# SPDX-License-Identifier: BSD-2-Clause
"""Firmware from the wire to an accepted bank: capsules that dnsmasq's TFTP server and Python's web server send over a TAP
that loses frames, recorded by the trace service, its process watched through the connector.

usage: fwu_network_test.py VIRTIFCTL VIRTIFD
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import namespaces

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
from fwu_disk import Disk, capsule  # noqa: E402

VIRTIFCTL, VIRTIFD = (str(Path(word).resolve()) for word in sys.argv[1:3])
KERNEL, OURS = "192.0.2.1", "192.0.2.2"
FAILED, USAGE, REFUSED = 1, 2, 3
MISSING = [tool for tool in ("sgdisk", "mkeficapsule") if not shutil.which(tool)]
LOSSY = "impair:[tap:t0],loss=4%,dup=2%,delay=1ms,jitter=1ms,seed=8"
# A server that says one thing, whatever it is asked. usage: ADDRESS PORT ANSWER
SAYS = """
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
while True:
    client, _ = server.accept()
    client.recv(4096)
    client.sendall(eval(sys.argv[3]))
    client.close()
"""


@unittest.skipIf(MISSING, f"not installed: {' '.join(MISSING)}")
@namespaces.needs("dnsmasq")
class FromTheNetwork(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vif-fwu-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.served = self.folder / "served"
        self.served.mkdir()
        self.net = namespaces.Namespace(self)
        self.net.ip("tuntap add t0 mode tap")
        self.net.ip(f"address add {KERNEL}/24 dev t0")
        self.net.ip("link set t0 up")
        self.disk = Disk(self.folder, VIRTIFCTL)

    def serve_tftp(self, *words):
        os.chmod(self.folder, 0o755)
        running = self.net.start(
            "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--interface=t0", "--bind-interfaces", "--user=root",
            "--enable-tftp", f"--tftp-root={self.served}", "--log-facility=-", "--pid-file=", *words)
        self.assertTrue(namespaces.eventually(lambda: "TFTP root is" in namespaces.said(running)), namespaces.said(running))
        return running

    def serve_http(self):
        self.net.start(sys.executable, "-m", "http.server", "8080", "--bind", KERNEL, "--directory", str(self.served))
        self.listens(8080)

    def listens(self, port):
        self.assertTrue(namespaces.eventually(lambda: f":{port} " in self.net.out("ss", "-ltn")))

    def capsule(self, name, blob, image=0):
        return capsule(self.served / name, blob, image, "--capoemflag", "0x8000")

    def apply(self, url, *words, via="tap:t0", status=0, before=()):
        """What `fwu apply --from` says on stderr."""
        done = self.net.run(VIRTIFCTL, *before, *([VIRTIFCTL] if before else ()), "fwu", "apply", self.disk.path, "--from", url,
                            "--via", via, "--address", f"{OURS}/24", "--allow-unsigned", *words, timeout=120)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stderr

    def live_through_the_trial(self, words):
        """boot, accept, show."""
        self.assertEqual(self.disk.get(5, len(words)), words)
        self.assertEqual(self.disk.states(), ["accepted", "valid*"])
        self.assertIn("boot 1 of 3", self.disk.fwu("boot"))
        self.disk.fwu("accept")
        self.assertEqual(self.disk.states(), ["accepted", "accepted*"])

    def trace(self, path):
        return json.loads(self.net.out(VIRTIFCTL, "trace", "report", path, "-j"))

    def test_tftp_from_the_wire_to_an_accepted_bank_traced_and_watched(self):
        blob = os.urandom(60_000)
        size = self.capsule("a.cap", blob).stat().st_size
        self.serve_tftp()
        watched = self.watch()
        trace = self.folder / "trace.dat"
        said = self.apply(f"tftp://{KERNEL}/a.cap", via=LOSSY, before=("trace", "record", "-o", trace, "--"))
        digest = hashlib.sha256((self.served / "a.cap").read_bytes()).hexdigest()
        self.assertIn(f"fetched {size} bytes, SHA-256 {digest}", said)
        self.live_through_the_trial(blob)
        events = [event for event in self.trace(trace) if event["system"] == "user_events.fwu"]
        self.assertEqual([event["event"] for event in events],
                         ["fetch_begin", "fetch_end", "update_begin", "image_written", "image_written", "update_end"])
        self.assertEqual(events[1]["fields"], {"url": f"tftp://{KERNEL}/a.cap", "bytes": size, "sha256": digest, "error": 0})
        self.assertEqual(events[-1]["fields"], {"bank": 1, "error": 0})
        self.see_the_end(watched, trace)

    def watch(self):
        """What `proc listen` of a virtifd writes; None: this kernel tells us nothing. Processes end in no namespace."""
        socket, log = self.folder / "virtif.sock", self.folder / "proc.log"
        daemon = subprocess.Popen([VIRTIFD, "--socket", socket, "--proc"], stderr=subprocess.PIPE, text=True)
        daemon.errors, daemon.stderr = daemon.stderr, None
        self.addCleanup(namespaces.end, daemon)
        daemon.errors.readline()  # it listens
        errors = tempfile.TemporaryFile(mode="w+")
        with log.open("w") as out:
            listener = subprocess.Popen([VIRTIFCTL, "proc", "listen", "-j", "--events", "exit", "--socket", socket], stdout=out,
                                        stderr=errors, text=True)
        listener.errors = errors
        self.addCleanup(namespaces.end, listener)
        heard = namespaces.eventually(lambda: subprocess.run(["true"], check=True) and log.stat().st_size, 5)
        if not heard:
            print(f"skipped: the watch through the connector: {namespaces.said(listener).strip() or 'no event comes'}")
            return None
        return log

    def see_the_end(self, log, trace):
        """The process that recorded is told of, and that it ended well."""
        if log is None:
            return
        recorded = self.trace(trace)[0]["pid"]
        def ends():
            events = [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line.endswith("\n")]
            return [event for event in events if event["event"] == "exit" and event["pid"] == recorded]
        self.assertTrue(namespaces.eventually(ends), log.read_text()[-2000:])
        self.assertEqual(ends()[0]["exit_code"], 0)

    def test_http_from_the_wire_to_an_accepted_bank(self):
        blob = os.urandom(60_000)
        size = self.capsule("a b.cap", blob).stat().st_size
        self.serve_http()
        said = self.apply(f"http://{KERNEL}:8080/a%20b.cap", via=LOSSY)
        self.assertIn(f"fetched {size} bytes", said)
        self.live_through_the_trial(blob)

    def test_an_address_by_dhcp_and_capsules_of_both_kinds_in_one_update(self):
        self.capsule("a.cap", b"new-a", 0)
        self.capsule("b.cap", b"new-b", 1)
        self.serve_tftp("--dhcp-range=192.0.2.100,192.0.2.100,255.255.255.0,120", "--no-ping", "--dhcp-authoritative",
                        f"--dhcp-leasefile={self.folder}/leases")
        self.serve_http()
        done = self.net.run(VIRTIFCTL, "fwu", "apply", self.disk.path, "--from", f"tftp://{KERNEL}/a.cap", "--from",
                            f"http://{KERNEL}:8080/b.cap", "--via", "tap:t0", "--allow-unsigned", timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual((self.disk.get(5, 5), self.disk.get(6, 5)), (b"new-a", b"new-b"))
        self.assertIn("192.0.2.100", (self.folder / "leases").read_text())

    def test_what_cannot_be_fetched_is_said_and_nothing_is_written(self):
        before = self.disk.path.read_bytes()
        self.serve_tftp()
        self.serve_http()
        (self.served / "large").write_bytes(bytes(len(before) + 1))
        self.assertIn("not found", self.apply(f"tftp://{KERNEL}/missing.cap", status=FAILED))
        self.assertIn("404", self.apply(f"http://{KERNEL}:8080/missing.cap", status=FAILED))
        self.assertIn("at most", self.apply(f"tftp://{KERNEL}/large", status=FAILED))
        self.assertIn("too much", self.apply(f"http://{KERNEL}:8080/large", status=FAILED))
        self.assertIn("no TFTP", self.apply(f"tftp://{KERNEL}:70/a.cap", status=FAILED))
        self.assertIn(KERNEL, self.apply(f"http://{KERNEL}:81/a.cap", status=FAILED))
        for port, (answer, expected) in enumerate((
                (b"HTTP/1.1 302 Found\r\nLocation: /b.cap\r\n\r\n", "redirects are not followed"),
                (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234", "ended before all"),
                (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n12345678", "more than it said")), 8090):
            self.net.python(SAYS, KERNEL, port, repr(answer))
            self.listens(port)
            self.assertIn(expected, self.apply(f"http://{KERNEL}:{port}/a.cap", status=FAILED))
        (self.served / "damaged.cap").write_bytes(self.capsule("a.cap", b"new").read_bytes()[:-1])
        self.apply(f"tftp://{KERNEL}/damaged.cap", status=REFUSED)
        self.assertEqual(self.disk.path.read_bytes(), before)
        self.assertEqual([path.name for path in self.folder.iterdir() if path.name.startswith("virtif-")], [])

    def test_words_that_do_not_go_together(self):
        url = f"tftp://{KERNEL}/a.cap"
        for words in ((), ("--from", url), ("--from", "ftp://192.0.2.1/a", "--via", "tap:t0"),
                      ("--from", url, "--via", "tap:t0", "--address", "here"), ("--from", url, "--via", "tap:t0", "--gateway", KERNEL),
                      ("--from", "tftp://[fd00::1]/a", "--via", "tap:t0"), ("--from", url, "--via", "no such link")):
            done = self.net.run(VIRTIFCTL, "fwu", "apply", self.disk.path, *words)
            self.assertEqual(done.returncode, USAGE, f"{words}: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    if MISSING:
        print(f"skipped: {' '.join(MISSING)} not installed (tools/setup check)")
        sys.exit(77)
    namespaces.main()
