# SPDX-License-Identifier: BSD-2-Clause
"""`capture` at the level of its protocol: how a connection becomes a stream, and what clients that die do to others.

usage: capture_clients_test.py VIRTIFD VIRTIFCTL
"""

import contextlib
import os
import random
import socket
import struct
import sys
import time
import unittest

from daemon_case import DaemonCase

HEAD = struct.Struct("<IBBHqII")
FRAME, STOPPED, GONE = 0, 1, 2
CAPTURES_MAX = 64
ARP = [[40, 0, 0, 12], [21, 0, 1, 0x0806], [6, 0, 0, 262144], [6, 0, 0, 0]]  # tcpdump -ddd arp


def records(client):
    """All that comes, as (kind, interface, lost, body)."""
    while head := client.lines.read(HEAD.size):
        length, kind, _, interface, _, _, lost = HEAD.unpack(head)
        yield kind, interface, lost, client.lines.read(length)


class CaptureClients(DaemonCase):
    def setUp(self):
        super().setUp()
        self.ctl("link", "add", "virt0", "linkstr", "mem:lan", "up")

    def capturing(self, **params):
        client = self.client()
        answer = client.call("capture", **({"ifnames": ["virt0"]} | params))
        self.assertIn("interfaces", answer, answer)
        return client

    def test_streams_until_the_client_shuts_down_its_side(self):
        with self.capturing(filter=ARP) as client:
            self.ctl("addr", "add", "192.0.2.1/24", "dev", "virt0")
            client.socket.shutdown(socket.SHUT_WR)
            came = list(records(client))
            self.assertEqual([kind for kind, *_ in came], [FRAME] * (len(came) - 1) + [STOPPED])
            seen, matched, lost = struct.unpack("<QQQ", came[-1][3])
            self.assertEqual((matched, lost), (len(came) - 1, 0))
            self.assertGreaterEqual(seen, matched)
            self.assertGreater(matched, 0)

    def test_streams_until_the_interface_is_gone(self):
        with self.capturing() as client:
            self.ctl("link", "del", "virt0")
            *_, last = records(client)
            self.assertEqual(last[0], GONE)

    def test_whatever_a_client_says_ends_its_capture(self):
        with self.capturing() as client:
            client.send("version")
            self.assertEqual([kind for kind, *_ in records(client)], [STOPPED])

    def test_takes_a_connection_that_is_free(self):
        with self.client() as client:
            client.call("monitor", on=True)
            self.assertEqual(client.call("capture", ifnames=["virt0"])["data"]["errno"], "EBUSY")
            client.call("monitor", on=False)
            self.assertEqual(client.call("capture", ifnames=["virt0"])["interfaces"][0]["ifname"], "virt0")
        with self.client() as client:
            line = b'{"jsonrpc":"2.0","id":1,"method":"capture","params":{"ifnames":["virt0"]}}\n'
            client.socket.sendall(line + line)
            self.assertEqual([client.read()["error"]["data"]["errno"] for _ in range(1)], ["EBUSY"])

    def test_says_what_it_takes(self):
        with self.client() as client:
            for params, words in (({}, "'ifnames' says of which interfaces"), ({"ifnames": []}, "array of 1 to 256"),
                                  ({"ifnames": "virt0"}, "array of 1 to 256"), ({"ifnames": [7]}, "names only"),
                                  ({"ifnames": ["virt0"] * 2}, "twice"), ({"ifnames": ["virt0"], "dir": 1}, "'dir'"),
                                  ({"ifnames": ["virt0"], "filter": "arp"}, "as `tcpdump -ddd` prints them"),
                                  ({"ifnames": ["virt0"], "filter": [[6, 0, 0]]}, "[code, jt, jf, k]"),
                                  ({"ifnames": ["virt0"], "filter": [[6, 256, 0, 0]]}, "[code, jt, jf, k]"),
                                  ({"ifnames": ["virt0"], "filter": ARP[:2]}, "BPF instruction 1: jumps"),
                                  ({"ifnames": ["virt0"], "snaplen": -1}, "1 to 262144"), ({"frob": 1}, "no parameter 'frob'")):
                fault = client.call("capture", **params)
                self.assertEqual(fault["data"]["errno"], "EINVAL")
                self.assertIn(words, fault["message"])
            client.socket.sendall(b'{"jsonrpc":"2.0","method":"capture","params":{"ifnames":["virt0"]}}\n')
            client.call("version")  # who wants no answer gets no stream
            self.assertEqual(client.call("capture", ifnames=["virt9"])["data"]["errno"], "ENODEV")
            self.assertIsNone(client.read(), "and hangs up: its connection was taken")

    def test_serves_as_many_as_it_says(self):
        with contextlib.ExitStack() as many:
            clients = [many.enter_context(self.capturing()) for _ in range(CAPTURES_MAX)]
            with self.client() as late:
                self.assertEqual(late.call("capture", ifnames=["virt0"])["data"]["errno"], "EUSERS")
                late.call("version")
                clients[0].__exit__()
                for _ in range(400):  # virtifd hears of its end in its own time
                    if "interfaces" in late.call("capture", ifnames=["virt0"]):
                        break
                    time.sleep(0.02)
                else:
                    self.fail("the place of a client that left was not given to another")

    def test_clients_that_die_at_any_point_hurt_nobody(self):
        chance = random.Random(7)
        line = b'{"jsonrpc":"2.0","id":1,"method":"capture","params":{"ifnames":["virt0"]}}\n'
        with self.capturing(filter=ARP) as steady, self.client() as other:
            for n in range(1000):
                client = socket.socket(socket.AF_UNIX)
                client.connect(str(self.path))
                client.sendall(line[:chance.randrange(len(line) // 2, len(line) * 3)])
                if chance.random() < 0.5:
                    other.call("addr.add" if n % 2 else "addr.del", ifname="virt0", local="192.0.2.1/24")
                if chance.random() < 0.3:
                    client.shutdown(chance.choice([socket.SHUT_RD, socket.SHUT_WR]))
                client.close()
            steady.socket.shutdown(socket.SHUT_WR)
            *_, last = records(steady)
            self.assertEqual(struct.unpack("<QQQ", last[3])[2], 0, "it lost nothing")
        for _ in range(400):
            fds = len(os.listdir(f"/proc/{self.daemon.pid}/fd"))
            if fds < 40:
                break
            time.sleep(0.02)
        self.assertLess(fds, 40, "their descriptors are closed")
        self.alive()

    def test_virtifd_ends_at_once_with_captures(self):
        with self.capturing() as reading, self.capturing() as silent:
            self.ctl("addr", "add", "192.0.2.1/24", "dev", "virt0")
            self.stop(self.daemon)
            self.assertEqual(self.daemon.returncode, 0)
            self.assertIn(STOPPED, [kind for kind, *_ in records(reading)])
            del silent


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
