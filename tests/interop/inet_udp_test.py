# SPDX-License-Identifier: BSD-2-Clause
"""UDP echo of netstack/inet, through socat and by the datagram, whole and in fragments."""

import hashlib
import os
import random
import select
import subprocess
import sys

import namespaces
from inet_rig import InetCase, OURS4, OURS6, SEED

MIB = 1 << 20
ECHO = """
import random, socket, sys
address, seed = sys.argv[1], int(sys.argv[2])
sizes = list(map(int, sys.argv[3:]))
family = socket.AF_INET6 if ":" in address else socket.AF_INET
asking = socket.socket(family, socket.SOCK_DGRAM)
asking.connect((address, 7))
asking.settimeout(5)
for size in sizes:
    payload = random.Random(seed + size).randbytes(size)
    asking.send(payload)
    assert asking.recv(65536) == payload, size
print(len(sizes))
"""


@namespaces.needs("socat", "ping")
class Udp(InetCase):
    def setUp(self):
        super().setUp()
        for address in (OURS4, OURS6):
            self.net.out("ping", "-c", "1", address)

    def through_socat(self, address, datagram_bytes, total, window=65536):
        """Sends `total` bytes, never more than a window ahead of the echo: whether they came back as they were."""
        running = self.net.start("socat", "-b", datagram_bytes, "-", address,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        to, back = running.stdin.fileno(), running.stdout.fileno()
        chance, sent, got = random.Random(SEED), hashlib.sha256(), hashlib.sha256()
        ahead = received = 0
        while received < total:
            while ahead + datagram_bytes <= window and received + ahead < total:
                block = chance.randbytes(min(datagram_bytes, total - received - ahead))
                sent.update(block)
                os.write(to, block)
                ahead += len(block)
            readable, _, _ = select.select([back], [], [], 5)
            if not readable:
                self.fail(f"{address}: {ahead} bytes were not echoed after {received}")
            block = os.read(back, 65536)
            got.update(block)
            received, ahead = received + len(block), ahead - len(block)
        namespaces.end(running)
        return sent.digest() == got.digest()

    def test_echoes_eight_megabytes_through_socat(self):
        for address in (f"UDP4:{OURS4}:7", f"UDP6:[{OURS6}]:7"):
            self.assertTrue(self.through_socat(address, 1400, 8 * MIB), address)

    def test_echoes_fragmented_datagrams_through_socat(self):
        for address in (f"UDP4:{OURS4}:7", f"UDP6:[{OURS6}]:7"):
            self.assertTrue(self.through_socat(address, 8192, 8 * MIB), address)
        counts = self.host.counts()
        self.assertGreater(counts["merged"], 2 * 1024 * 4)
        self.assertEqual(counts["fragments_waiting"], 0)

    def test_echoes_datagrams_of_every_kind_of_size(self):
        sample = random.Random(SEED).sample(range(65000), 100)
        for address, header, largest in ((OURS4, 28, 65507), (OURS6, 56, 65527)):
            edges = [n * ((1500 - header) & ~7) + d for n in range(1, 45) for d in (-9, -8, -7, -1, 0, 1)]
            sizes = [size for size in [0, 1, 1472, 1473, 1452, 1453, largest - 1, largest] + edges + sample
                     if size <= largest]
            done = self.net.out(sys.executable, "-c", ECHO, address, SEED, *sizes)
            self.assertEqual(int(done), len(sizes))

    def test_asks_the_kernels_echo_and_hears_that_there_is_none(self):
        self.host.tell("udp", "192.0.2.1", 9, 100)
        self.host.tell("udp", "fd56::1", 9, 100)
        errors = namespaces.eventually(lambda: len(now := self.host.state()["udp"]["errors"]) == 2 and now)
        self.assertTrue(errors, self.host.state()["udp"])


if __name__ == "__main__":
    namespaces.main()
