# SPDX-License-Identifier: BSD-2-Clause
"""Judges the frames of a host: whether its ICMP errors may be, by what they quote (RFC 1122, 3.2.2; RFC 4443, 2.4).

Reads bytes itself, so that it does not share a mistake with whoever made the packets.
"""

import ipaddress
import struct

ERRORS4 = {3, 4, 5, 11, 12}
TOO_BIG, PARAMETER_PROBLEM, UNKNOWN_OPTION, REDIRECT6 = 2, 4, 2, 137
QUOTE4_MAX, ERROR6_MAX = 576, 1280


def adds_up(data, start=0):
    """Whether the checksum inside `data` is right."""
    data += b"\0" * (len(data) % 2)
    total = start + sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total == 0xffff


def one_host(address):
    """Whether an address can be a single host's."""
    address = ipaddress.ip_address(address)
    return not (address.is_multicast or address.is_unspecified or address.is_loopback or address.is_reserved and
                address.version == 4)


class Judge:
    def __init__(self, mac):
        self.mac = mac
        self.errors = 0
        self.broken = []
        self.to_us, self.to_groups = set(), set()  # the beginnings of IP packets, by the frame's destination

    def sent(self, frame):
        """A frame that was sent to the host."""
        beginnings = self.to_groups if frame[0] & 1 else self.to_us
        beginnings.add(frame[14:14 + 28])

    def look_at(self, frame):
        """A frame of the host: its kind, for counting."""
        kind, packet = struct.unpack("!H", frame[12:14])[0], frame[14:]
        if kind == 0x0806:
            return "arp"
        if kind == 0x0800:
            return self.ip4(packet)
        return self.ip6(packet) if kind == 0x86dd else f"{kind:04x}"

    def expect(self, good, rule, packet):
        if not good:
            self.broken.append(f"{rule}: {packet[:120].hex()}")

    def ip4(self, packet):
        header = (packet[0] & 15) * 4
        self.expect(packet[0] >> 4 == 4 and header >= 20 and adds_up(packet[:header]), "IPv4 header", packet)
        total, protocol = struct.unpack("!H", packet[2:4])[0], packet[9]
        if protocol != 1 or struct.unpack("!H", packet[6:8])[0] & 0x1fff:
            return f"ip4 protocol {protocol}"
        icmp = packet[header:total]
        self.expect(adds_up(icmp), "checksum of ICMP", packet)
        if icmp[0] in ERRORS4:
            self.errors += 1
            self.error4(packet, total, icmp[8:])
        return f"icmp {icmp[0]}/{icmp[1]}"

    def error4(self, packet, total, quote):
        self.expect(total <= QUOTE4_MAX, "an error is no longer than 576 bytes", packet)
        self.expect(len(quote) >= 28 or quote in {sent[:len(quote)] for sent in self.to_us},
                    "an error quotes 8 bytes behind the header", packet)
        offset, header = struct.unpack("!H", quote[6:8])[0] & 0x1fff, (quote[0] & 15) * 4
        self.expect(offset == 0, "no error about a fragment but the first", packet)
        self.expect(quote[9] != 1 or quote[header] not in ERRORS4, "no error about an error", packet)
        self.expect(one_host(quote[12:16]), "no error to who is no single host", packet)
        self.expect(quote[12:16] == packet[16:20], "an error goes to the sender", packet)
        to = ipaddress.ip_address(quote[16:20])
        self.expect(not to.is_multicast and quote[16:20] not in (b"\xff" * 4, b"\xc0\0\2\xff"),
                    "no error about a group's or a broadcast", packet)
        self.about_a_frame(packet, quote)

    def about_a_frame(self, packet, quote):
        beginning = quote[:28]
        self.expect(any(sent[:len(beginning)] == beginning for sent in self.to_us | self.to_groups),
                    "an error quotes what was sent", packet)
        self.expect(beginning not in self.to_groups or beginning in self.to_us,
                    "no error about a frame to everybody", packet)

    def ip6(self, packet):
        length, following = struct.unpack("!HB", packet[4:7])
        if following != 58:
            return f"ip6 header {following}"
        icmp = packet[40:40 + length]
        self.expect(adds_up(packet[8:40] + struct.pack("!II", length, 58) + icmp), "checksum of ICMPv6", packet)
        if icmp[0] < 128:
            self.errors += 1
            self.error6(packet, icmp)
        return f"icmp6 {icmp[0]}/{icmp[1]}"

    def error6(self, packet, icmp):
        kind, code, quote = icmp[0], icmp[1], icmp[8:]
        self.expect(len(packet) <= ERROR6_MAX, "an error is no longer than 1280 bytes", packet)
        self.expect(quote[6] != 58 or len(quote) <= 40 or (quote[40] >= 128 and quote[40] != REDIRECT6),
                    "no error about an error or a redirect", packet)
        self.expect(one_host(quote[8:24]), "no error to who is no single host", packet)
        self.expect(quote[8:24] == packet[24:40], "an error goes to the sender", packet)
        group_too = kind == TOO_BIG or (kind == PARAMETER_PROBLEM and code == UNKNOWN_OPTION)
        self.expect(quote[24] != 0xff or group_too, "no error about a group's", packet)
        if not group_too:
            self.about_a_frame(packet, quote)
