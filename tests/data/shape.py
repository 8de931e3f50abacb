# SPDX-License-Identifier: BSD-2-Clause
"""Turns recorded classic captures into the shapes that tcpdump does not write.

usage: shape.py pcapng|mixed|runts|cut IN.pcap OUT: IN is little-endian with nanoseconds (tcpdump
--time-stamp-precision=nano on this kind of machine). pcapng: the same frames, nanoseconds. mixed: one Ethernet and one
raw IP interface in turns, microseconds, big-endian. runts: every other frame captured with 14, 13, ... 0 bytes. cut: the
file ends in the middle of its last record.
"""

import struct
import sys
from pathlib import Path

ETHERNET, RAW_IP = 1, 101  # https://www.tcpdump.org/linktypes.html
SNAP_BYTES = 262144
RUNT_BYTES = (13, 14, 0, 1, 12, 6)  # 14 is the shortest that is none


def records(data):
    """(nanoseconds, bytes on the wire, captured bytes) of each record."""
    assert data[:4] == b"\x4d\x3c\xb2\xa1", "expected a little-endian capture with nanoseconds"
    at = 24
    while at < len(data):
        seconds, nanoseconds, captured, wire = struct.unpack_from("<IIII", data, at)
        yield seconds * 1_000_000_000 + nanoseconds, wire, data[at + 16:at + 16 + captured]
        at += 16 + captured


def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order, link, decimals):
    resolution = struct.pack(order + "HHB3xHH", 9, 1, decimals, 0, 0)  # if_tsresol, then opt_endofopt
    return block(order, 1, struct.pack(order + "HHI", link, 0, SNAP_BYTES) + resolution)


def enhanced(order, number, time, wire, frame):
    head = struct.pack(order + "IIIII", number, time >> 32, time & 0xFFFFFFFF, len(frame), wire)
    return block(order, 6, head + frame)


def pcapng(frames):
    yield section("<") + interface("<", ETHERNET, 9)
    for time, wire, frame in frames:
        yield enhanced("<", 0, time, wire, frame)


def mixed(frames):
    yield section(">") + interface(">", ETHERNET, 6) + interface(">", RAW_IP, 6)
    for index, (time, wire, frame) in enumerate(frames):
        raw = index % 2 == 1 and frame[12:14] == b"\x08\x00"
        yield enhanced(">", int(raw), time // 1000, wire - 14 * raw, frame[14 * raw:])


def runts(frames):
    yield struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, SNAP_BYTES, ETHERNET)
    for index, (time, wire, frame) in enumerate(frames):
        kept = frame[:RUNT_BYTES[index // 2 % len(RUNT_BYTES)]] if index % 2 else frame
        yield struct.pack("<IIII", time // 1_000_000_000, time % 1_000_000_000, len(kept), wire) + kept


def main():
    shape, source, target = sys.argv[1:]
    data = Path(source).read_bytes()
    shapes = {"pcapng": pcapng, "mixed": mixed, "runts": runts}
    shaped = data[:-20] if shape == "cut" else b"".join(shapes[shape](records(data)))
    Path(target).write_bytes(shaped)


if __name__ == "__main__":
    main()
