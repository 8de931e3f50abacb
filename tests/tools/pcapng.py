# SPDX-License-Identifier: BSD-2-Clause
"""Reads little-endian pcapng strictly: what a test asks of a file that virtifctl wrote."""

import struct
from collections import namedtuple

Packet = namedtuple("Packet", "interface time_ns wire bytes direction lost")
Tally = namedtuple("Tally", "seen dropped matched delivered")
SECTION, INTERFACE, STATISTICS, PACKET = 0x0A0D0D0A, 1, 5, 6


class Capture:
    """interfaces: [{option code: bytes}]; packets; tallies: {interface: the last one}."""

    def __init__(self, data):
        self.interfaces, self.packets, self.tallies = [], [], {}
        kinds = []
        while data:
            kind, length = struct.unpack_from("<II", data)
            assert length % 4 == 0 and 12 <= length <= len(data), "the file ends inside a block"
            assert struct.unpack_from("<I", data, length - 4)[0] == length
            kinds.append(kind)
            self.take(kind, data[8:length - 4])
            data = data[length:]
        assert kinds[0] == SECTION and kinds.count(SECTION) == 1
        self.ends_with_tallies = kinds[-len(self.interfaces):] == [STATISTICS] * len(self.interfaces)

    def take(self, kind, body):
        if kind == INTERFACE:
            self.interfaces.append(options(body[8:]) | {"snaplen": struct.unpack_from("<I", body, 4)[0]})
        elif kind == PACKET:
            interface, high, low, length, wire = struct.unpack_from("<IIIII", body)
            said = options(body[20 + length + -length % 4:])
            self.packets.append(Packet(interface, high << 32 | low, wire, body[20:20 + length],
                                       struct.unpack("<I", said[2])[0] if 2 in said else 0,
                                       struct.unpack("<Q", said[4])[0] if 4 in said else 0))
        elif kind == STATISTICS:
            said = options(body[12:])
            numbers = [struct.unpack("<Q", said[code])[0] if code in said else None for code in (4, 5, 6, 8)]
            self.tallies[struct.unpack_from("<I", body)[0]] = Tally(*numbers)


def options(body):
    found = {}
    while body:
        code, length = struct.unpack_from("<HH", body)
        if code == 0:
            break
        found[code] = body[4:4 + length]
        body = body[4 + length + -length % 4:]
    return found
