# SPDX-License-Identifier: BSD-2-Clause
"""What a capture file holds, read by a second, independent and slow reader, to compare the library's own with.

usage: truth.py FILE...: prints, as the JSON of expected.json, what a virtif whose address is the busiest (and second
busiest) unicast destination of the file, or without any, its busiest sender, passes up: with no group, the two busiest
groups, every group, promiscuous.
"""

import collections
import gzip
import hashlib
import json
import struct
import sys
from pathlib import Path

ETHERNET = 1  # LINKTYPE_ETHERNET, https://www.tcpdump.org/linktypes.html
HEADER_BYTES = 14
BROADCAST = b"\xff" * 6
TAGGED = (b"\x81\x00", b"\x88\xa8")  # IEEE 802.1Q-2018 table 9-1: customer and service tag
CLASSIC = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">"}


class Damage(Exception):
    pass


def take(data, at, count, what):
    if at + count > len(data):
        raise Damage(f"{what} cut short at offset {at}")
    return data[at:at + count]


def classic(data):
    """(link type, bytes) of each record of a classic pcap file."""
    order = CLASSIC[data[:4]]
    major, _, _, _, _, link = struct.unpack(order + "HHiIII", take(data, 4, 20, "file header"))
    if major != 2:
        raise Damage(f"version {major}")
    at = 24
    while at < len(data):
        captured = struct.unpack(order + "I", take(data, at, 16, "record header")[8:12])[0]
        yield link & 0xFFFF, take(data, at + 16, captured, "record data")
        at += 16 + captured


def block_of(data, at, order):
    """(type, body, next offset, byte order) of the pcapng block at `at`."""
    head = take(data, at, 8, "block header")
    if head[:4] == b"\x0a\x0d\x0d\x0a":
        magic = take(data, at + 8, 4, "section header")
        order = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}.get(magic)
        if order is None:
            raise Damage("byte order magic")
    kind, length = struct.unpack(order + "II", head)
    if length < 12 or length % 4:
        raise Damage(f"block length {length}")
    block = take(data, at, length, "block")
    if block[-4:] != head[4:]:
        raise Damage("the two lengths of a block differ")
    return kind, block[8:-4], at + length, order


def packet_of(kind, body, interfaces, order):
    """(link type, bytes) of a pcapng packet block: enhanced (6), simple (3) or obsolete (2)."""
    if kind == 3:
        wire = struct.unpack(order + "I", take(body, 0, 4, "simple packet"))[0]
        link, snap = interfaces[0] if interfaces else (None, 0)
        captured, at = min(wire, snap or wire), 4
    else:
        number = struct.unpack(order + ("I" if kind == 6 else "H"), take(body, 0, 4 if kind == 6 else 2, "packet"))[0]
        link = interfaces[number][0] if number < len(interfaces) else None
        captured, at = struct.unpack(order + "I", take(body, 12, 4, "packet"))[0], 20
    if link is None:
        raise Damage("packet of an interface that was not described")
    return link, take(body, at, captured, "packet data")


def pcapng(data):
    """(link type, bytes) of each packet of a pcapng file."""
    at, order, interfaces = 0, "<", []
    while at < len(data):
        kind, body, at, order = block_of(data, at, order)
        if kind == 0x0A0D0D0A:
            major, minor = struct.unpack(order + "HH", take(body, 4, 4, "section header"))
            if (major, minor) not in ((1, 0), (1, 2)):
                raise Damage(f"version {major}.{minor}")
            interfaces = []
        elif kind == 1:
            link, _, snap = struct.unpack(order + "HHI", take(body, 0, 8, "interface"))
            interfaces.append((link, snap))
        elif kind in (2, 3, 6):
            yield packet_of(kind, body, interfaces, order)


def read(path):
    """([(link type, bytes)], what is wrong or ""): everything before the damage."""
    data = Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    records = []
    try:
        if data[:4] not in CLASSIC and data[:4] != b"\x0a\x0d\x0d\x0a":
            raise Damage("neither pcap nor pcapng")
        for record in classic(data) if data[:4] in CLASSIC else pcapng(data):
            records.append(record)
    except Damage as damage:
        return records, str(damage)
    return records, ""


def countable(records):
    return [frame for link, frame in records if link == ETHERNET and len(frame) >= HEADER_BYTES]


def too_long(records, limit):
    """How many frames are longer than `limit` bytes, to which a tagged frame may add four."""
    return sum(1 for frame in countable(records) if len(frame) > limit + (4 if frame[12:14] in TAGGED else 0))


def text(mac):
    return mac.hex(":")


def passed(frames):
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(struct.pack(">I", len(frame)) + frame)
    return {"frames": len(frames), "bytes": sum(map(len, frames)), "sha256": digest.hexdigest()}


def busiest(addresses):
    counts = collections.Counter(addresses)
    return [mac for mac, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:2]]


def view(frames, mac, groups):
    def through(wants):
        return passed([frame for frame in frames if frame[:6] in (mac, BROADCAST) or wants(frame)])

    return {
        "mac": text(mac),
        "passed": {
            "no_groups": through(lambda frame: False),
            "two_groups": {**through(lambda frame: frame[:6] in groups), "groups": [text(group) for group in groups]},
            "all_multicast": through(lambda frame: frame[0] & 1),
            "promiscuous": through(lambda frame: True),
        },
    }


def describe(path):
    records, error = read(path)
    frames = countable(records)
    groups = busiest(frame[:6] for frame in frames if frame[0] & 1 and frame[:6] != BROADCAST)
    addresses = busiest(frame[:6] for frame in frames if not frame[0] & 1) or busiest(frame[6:12] for frame in frames)
    return {
        "frames": len(records),
        "runts": sum(1 for link, frame in records if link == ETHERNET and len(frame) < HEADER_BYTES),
        "other_linktype_frames": sum(1 for link, _ in records if link != ETHERNET),
        "format": {"error": error},
        "sizes": {"over_1514": sum(1 for frame in frames if len(frame) > 1514)},
        "views": [view(frames, mac, groups) for mac in addresses],
    }


if __name__ == "__main__":
    print(json.dumps({"files": {Path(name).name: describe(name) for name in sys.argv[1:]}}, indent=1))
