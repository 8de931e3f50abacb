# SPDX-License-Identifier: BSD-2-Clause
"""virtifd --metrics: a scraper's view, an independent reader's and a lint's, and what bad clients cost others (nothing).

usage: metrics_test.py VIRTIFD VIRTIFCTL SOURCE_DIR
"""

import contextlib
import http.client
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import unittest
from pathlib import Path

import openmetrics_lint
from daemon_case import FAILED, VIRTIFD, Client, DaemonCase

# Prometheus's own library for Python; Debian's belongs to Debian's Python, which need not be the one that runs this.
READER = """
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
print(json.dumps([[s.name, s.labels, s.value] for f in text_string_to_metric_families(sys.stdin.read()) for s in f.samples]))
"""


def reader():
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", READER], input="# EOF\n", text=True, capture_output=True, check=False).returncode == 0:
            return python
    return None


PYTHON = reader()
SOURCE = Path(sys.argv[3])
TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
CONNECTIONS_MAX = 32
GOOD = ("# TYPE a_bytes counter\n# UNIT a_bytes bytes\n# HELP a_bytes Some.\na_bytes_total{x=\"1\"} 1\n"
        "a_bytes_total{x=\"2\"} 0\n# EOF\n")
# What the lint must see: a word of GOOD, and what is put there.
WRONG = (("# EOF\n", ""), ("# EOF\n", "# EOF\n# EOF\n"), ("_total{x=\"1\"}", "{x=\"1\"}"), ("x=\"2\"", "x=\"1\""), ("} 1", "} -1"),
         ("} 1", "} 1 17"), ("\"1\"", "\"\\q\""), ("\"1\"", "\"a\"b\""), ("# HELP a_bytes Some.\n", ""), ("bytes bytes", "bytes octets"),
         ("# UNIT a_bytes bytes\n", ""), ("a_bytes counter", "a_bytes gauge"), ("Some.", "Some"), ("a_bytes", "a_kb"),
         ("# TYPE a_bytes counter\n", ""), ("x=\"1\"", "x=\"1\",x=\"2\""), ("# EOF", "\n# EOF"))


class Metrics(DaemonCase):
    def setUp(self):
        super().setUp()
        self.other = self.folder / "other.sock"

    def begin(self, *words):
        """A virtifd with metrics on a port of its own, which is returned."""
        self.measured = self.start("--metrics", "127.0.0.1:0", *words, path=self.other)
        said = self.measured.stderr.readline()
        self.assertRegex(said, r"metrics at http://127\.0\.0\.1:[0-9]+/metrics\n")
        return int(said.split(":")[-1].split("/")[0])

    def get(self, port, path="/metrics", method="GET"):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request(method, path)
            response = connection.getresponse()
            return response, response.read().decode()

    def clean(self, text):
        self.assertEqual(openmetrics_lint.problems(text), [])
        return text

    def read(self, text):
        if PYTHON is None:
            self.skipTest("no independent reader: Debian's python3-prometheus-client is not installed")
        run = subprocess.run([PYTHON, "-c", READER], input=text, capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(run.returncode, 0, run.stderr)
        return json.loads(run.stdout)

    def samples(self, text):
        return {(name, labels.get("interface"), labels.get("reason")): value for name, labels, value in self.read(text)}

    def some_traffic(self, client):
        for n, linkstr in enumerate((f"pcap:{SOURCE}/tests/data/multicast.pcap", "mem:lan", "mem:lan", "null:,rx=77,bytes=99")):
            client.call("link.add", ifname=f"virt{n}", linkstr=linkstr, address=f"02:00:00:00:00:0{n}")
            client.call("addr.add", ifname=f"virt{n}", local=f"192.0.2.{n + 1}/24")

    def test_the_lint_sees_what_is_wrong(self):
        self.assertEqual(openmetrics_lint.problems(GOOD), [])
        for was, becomes in WRONG:
            self.assertIn(was, GOOD)
            self.assertNotEqual(openmetrics_lint.problems(GOOD.replace(was, becomes)), [], f"{was!r} -> {becomes!r}")

    def test_every_counter_is_that_of_show(self):
        port = self.begin()
        with Client(self.other) as client:
            self.some_traffic(client)
            for _ in range(100):  # until nothing moved meanwhile
                before = client.call("link.show", stats=True)
                response, text = self.get(port)
                if before == client.call("link.show", stats=True):
                    break
        self.assertEqual((response.status, response.getheader("Content-Type")), (200, TYPE))
        told = self.samples(self.clean(text))
        for link in before:
            name, rx, tx, own = link["ifname"], link["stats64"]["rx"], link["stats64"]["tx"], link["virtif"]
            expected = {"virtif_receive_frames": rx["packets"], "virtif_receive_bytes": rx["bytes"],
                        "virtif_receive_errors": rx["errors"], "virtif_receive_dropped": rx["dropped"],
                        "virtif_receive_multicast_frames": rx["multicast"], "virtif_receive_segments": own["rx_segments"],
                        "virtif_link_received_frames": own["received"], "virtif_link_offered_frames": own["offered"],
                        "virtif_transmit_frames": tx["packets"], "virtif_transmit_bytes": tx["bytes"],
                        "virtif_transmit_errors": tx["errors"], "virtif_transmit_dropped": tx["dropped"],
                        "virtif_transmit_multicast_frames": own["tx_multicast"], "virtif_transmit_segments": own["tx_segments"],
                        "virtif_transmit_cut_segments": own["tx_cut"]}
            for family, value in expected.items():
                self.assertEqual(told[family + "_total", name, None], value, (name, family))
            for reason, value in own["drops"].items():
                self.assertEqual(told["virtif_dropped_frames_total", name, reason], value, (name, reason))
            self.assertEqual(told["virtif_interface_mtu_bytes", name, None], link["mtu"])
            self.assertEqual(told["virtif_interface_up", name, None], "UP" in link["flags"])
            self.assertEqual(told["virtif_interface_carrier", name, None], link["operstate"] == "UP")
        self.assertGreater(told["virtif_dropped_frames_total", "virt0", "not_for_us"], 0, "there was something to count")
        self.assertGreater(told["virtif_transmit_frames_total", "virt1", None], 0)
        self.assertEqual(told["virtifd_interfaces", None, None], len(before))

    def test_counts_clients_requests_and_events(self):
        port = self.begin()
        with Client(self.other) as client, Client(self.other) as watcher:
            watcher.call("monitor", on=True)
            client.call("link.add", ifname="virt0")
            told = self.samples(self.clean(self.get(port)[1]))
            self.assertEqual(told["virtifd_clients", None, None], 2)
            self.assertEqual(told["virtifd_requests_total", None, None], 2)
            self.assertEqual(told["virtifd_events_total", None, None], client.call("monitor", on=True)["next"] - 1)

    def test_escapes_what_a_link_string_may_hold(self):
        port = self.begin()
        odd = self.folder / 'we"ird\\n \u00fc.pcap'
        shutil.copy(SOURCE / "tests/data/arp.pcap", odd)
        with Client(self.other) as client:
            self.assertIn("ifname", client.call("link.add", ifname="virt0", linkstr=f"pcap:{odd}"))
        text = self.clean(self.get(port)[1])
        self.assertIn('we\\"ird\\\\n \u00fc.pcap"', text)
        [label] = [labels["linkstr"] for name, labels, _ in self.read(text) if name == "virtif_interface_info"]
        self.assertEqual(label, f"pcap:{odd}")

    def test_is_documented(self):
        port = self.begin()
        page = (SOURCE / "docs/metrics.md").read_text()
        for line in self.get(port)[1].splitlines():
            if line.startswith("# TYPE "):
                self.assertIn(f"`{line.split()[2]}`", page)

    def test_serves_a_socket_file(self):
        path = self.folder / "metrics.sock"
        daemon = self.start("--metrics", f"unix:{path}", path=self.other)
        self.assertEqual(daemon.stderr.readline(), f"virtifd: metrics at unix:{path}\n")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET /metrics?x=y HTTP/1.1\r\nHost: here\r\n\r\n")
            head, body = client.makefile("rb").read().decode().split("\r\n\r\n")
        self.assertTrue(head.startswith("HTTP/1.1 200 "))
        self.clean(body)
        self.stop(daemon)
        self.assertFalse(path.exists())

    def test_answers_http_as_http_wants_it(self):
        port = self.begin()
        for method, path, status in (("GET", "/", 404), ("POST", "/metrics", 405), ("BREW", "/metrics", 405)):
            response, text = self.get(port, path, method)
            self.assertEqual(response.status, status, text)
        response, text = self.get(port, method="HEAD")
        self.assertEqual((response.status, text), (200, ""))
        self.assertGreater(int(response.getheader("Content-Length")), 500)
        for nonsense in (b"hello\r\n\r\n", b"\xff\x00\r\n\r\n", b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 8200,
                         b"GET /metrics HTTP/9.9\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port), 20) as client:
                client.sendall(nonsense)
                self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 400 "), nonsense[:30])
        for half in (b"", b"GET /met", b"GET /metrics HTTP/1.1\r\nHost: x\r\n"):
            with socket.create_connection(("127.0.0.1", port), 20) as client:
                client.sendall(half)
        self.clean(self.get(port)[1])

    def test_who_does_not_read_or_does_not_ask_keeps_nobody_waiting(self):
        port = self.begin()
        with contextlib.ExitStack() as many, Client(self.other) as client:
            for n in range(1000):
                client.call("link.add", ifname=f"virt{n}")
            for n in range(4 * CONNECTIONS_MAX):
                slow = many.enter_context(socket.socket())
                slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                slow.connect(("127.0.0.1", port))
                if n % 2:
                    slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
                if n % CONNECTIONS_MAX == 0:
                    self.clean(self.get(port)[1])
                    client.call("link.show", ifname="virt9")
            self.clean(self.get(port)[1])
            fds = len(os.listdir(f"/proc/{self.measured.pid}/fd"))
            self.assertLess(fds, CONNECTIONS_MAX + 30, "it holds no more of them than it says")

    def test_says_why_it_cannot_serve(self):
        port = self.begin()
        for where, words in (("0.0.0.0:0", "--metrics-anywhere"), ("[::]:9199", "--metrics-anywhere"), ("9199", "ADDRESS:PORT"),
                             ("127.0.0.1:x", "ADDRESS:PORT"), ("example.org:80", "ADDRESS:PORT"), ("::1:9199", "ADDRESS:PORT"),
                             (f"127.0.0.1:{port}", "in use"), ("unix:" + "x" * 200, "bytes: 1 to 107 fit"),
                             (f"unix:{self.path}", "another virtifd is at")):
            run = subprocess.run([VIRTIFD, "--socket", self.folder / "third.sock", "--metrics", where], capture_output=True,
                                 text=True, check=False, timeout=60)
            self.assertEqual(run.returncode, FAILED, where)
            self.assertIn(words, run.stderr)
        daemon = self.start("--metrics", "0.0.0.0:0", "--metrics-anywhere", path=self.folder / "third.sock")
        self.assertIn("metrics at http://0.0.0.0:", daemon.stderr.readline())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
