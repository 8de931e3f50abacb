# SPDX-License-Identifier: BSD-2-Clause
"""Sends damaged packets of every kind to a host and judges each frame it sends meanwhile. Needs scapy.

usage: mutants.py INTERFACE HOST_MAC SEED TIMES: each header of each packet is damaged TIMES times. Prints a JSON object:
"sent", "headers", "seen" (what the host sent, by kind), "errors" (ICMP errors), "broken" (rules broken, in words).
"""

import collections
import json
import random
import socket
import struct
import sys
import time

from scapy.all import (ARP, BOOTP, DHCP, ICMP, IP, TCP, UDP, Dot1Q, Ether, Raw, ICMPv6DestUnreach, ICMPv6EchoReply,
                       ICMPv6EchoRequest, ICMPv6MLQuery, ICMPv6MLQuery2, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_RS,
                       ICMPv6ND_Redirect, ICMPv6NDOptDstLLAddr, ICMPv6NDOptMTU, ICMPv6NDOptPrefixInfo,
                       ICMPv6NDOptSrcLLAddr, ICMPv6PacketTooBig, ICMPv6ParamProblem, ICMPv6TimeExceeded, IPOption_RR,
                       IPOption_Router_Alert, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                       IPv6ExtHdrRouting, PadN, RouterAlert)
from scapy.contrib.igmp import IGMP

import quotes

OURS4, OURS6 = "192.0.2.2", "fd56::2"  # the host's
THIRD4, THIRD6, THIRD_LINK_LOCAL = "192.0.2.77", "fd56::77", "fe80::77"  # who seems to speak: no one the host needs
THIRD_MAC = "02:00:00:00:00:77"
PER_SECOND = 250
WORDS = (0, 1, 2, 7, 8, 9, 20, 0x7fff, 0x8000, 0xfffe, 0xffff)


def packets(mac):
    """One good packet of each kind, from its Ethernet header on."""
    ether = Ether(src=THIRD_MAC, dst=mac)
    ip, ip6 = IP(src=THIRD4, dst=OURS4), IPv6(src=THIRD6, dst=OURS6)
    link = IPv6(src=THIRD_LINK_LOCAL, dst="ff02::1", hlim=255)
    asked = IP(src=OURS4, dst=THIRD4) / UDP(sport=7, dport=7) / b"quoted"
    asked6 = IPv6(src=OURS6, dst=THIRD6) / UDP(sport=7, dport=7) / b"quoted"
    pinged = IP(src=OURS4, dst=THIRD4) / ICMP(id=1) / b"quoted"
    to_all4 = Ether(src=THIRD_MAC, dst="ff:ff:ff:ff:ff:ff") / IP(src=THIRD4, dst="192.0.2.255")
    third = ICMPv6NDOptSrcLLAddr(lladdr=THIRD_MAC)
    upper4 = (ICMP() / b"echo", UDP(sport=9, dport=7) / b"to the echo", UDP(sport=9, dport=9) / b"to nobody",
              TCP(sport=9, dport=80, flags="S", options=[("MSS", 1460)]), IGMP(type=0x11, gaddr="0.0.0.0"),
              ICMP(type=3, code=3) / asked, ICMP(type=3, code=4, nexthopmtu=1000) / asked, ICMP(type=11) / pinged,
              ICMP(type=12) / asked, ICMP(type=0, id=1) / b"answer", ICMP(type=13) / (b"\0" * 12), Raw(b"what"),
              UDP(sport=67, dport=68) / BOOTP(op=2, chaddr=mac) / DHCP(options=[("message-type", "offer"), "end"]))
    upper6 = (ICMPv6EchoRequest(data=b"echo"), UDP(sport=9, dport=7) / b"to the echo", TCP(sport=9, dport=80, flags="S"),
              UDP(sport=9, dport=9) / b"to nobody", ICMPv6DestUnreach(code=4) / asked6, ICMPv6PacketTooBig(mtu=1300) / asked6,
              ICMPv6TimeExceeded() / asked6, ICMPv6ParamProblem() / asked6, ICMPv6EchoReply(data=b"answer"))
    discovery = (ICMPv6ND_NS(tgt=OURS6) / third, ICMPv6ND_NA(tgt=THIRD6, S=0) / ICMPv6NDOptDstLLAddr(lladdr=THIRD_MAC),
                 ICMPv6ND_RS() / third, ICMPv6ND_RA(routerlifetime=1) / ICMPv6NDOptMTU(mtu=1500) /
                 ICMPv6NDOptPrefixInfo(prefix="2001:db8:9::", validlifetime=9, preferredlifetime=5),
                 ICMPv6ND_Redirect(tgt=THIRD6, dst=THIRD6))
    return ([ether / ip / upper for upper in upper4] + [ether / ip6 / upper for upper in upper6] +
            [ether / link / upper for upper in discovery] +
            [ether / ARP(op=op, hwsrc=THIRD_MAC, psrc=THIRD4, hwdst=mac, pdst=OURS4) for op in (1, 2)] +
            [to_all4 / UDP(sport=9, dport=9) / b"to nobody", to_all4 / ICMP() / b"echo",
             ether / IP(src=THIRD4, dst=OURS4, options=[IPOption_RR(), IPOption_Router_Alert()]) / ICMP(),
             ether / IP(src=THIRD4, dst=OURS4, flags="MF", id=1) / UDP(sport=9, dport=9) / (b"x" * 24),
             ether / IP(src=THIRD4, dst=OURS4, frag=4, id=1, proto=17) / (b"x" * 24),
             ether / Dot1Q(vlan=5) / ip / ICMP(),
             ether / IPv6(src=THIRD_LINK_LOCAL, dst="ff02::1", hlim=1) /
             IPv6ExtHdrHopByHop(options=[RouterAlert(), PadN(optdata=b"")]) / ICMPv6MLQuery(),
             ether / IPv6(src=THIRD_LINK_LOCAL, dst="ff02::1", hlim=1) /
             IPv6ExtHdrHopByHop(options=[RouterAlert(), PadN(optdata=b"")]) / ICMPv6MLQuery2(),
             ether / ip6 / IPv6ExtHdrDestOpt(options=[PadN(optdata=b"1234")]) / ICMPv6EchoRequest(),
             ether / ip6 / IPv6ExtHdrRouting(addresses=[THIRD6]) / ICMPv6EchoRequest(),
             ether / ip6 / IPv6ExtHdrFragment(id=1, m=1) / UDP(sport=9, dport=9) / (b"x" * 24),
             ether / ip6 / IPv6ExtHdrFragment(id=1, offset=4, nh=17) / (b"x" * 24),
             ether / IPv6(src=THIRD6, dst="ff02::1") / UDP(sport=9, dport=9) / b"to nobody"])


def headers(packet):
    """Where each header begins and ends."""
    at = 0
    while packet and not isinstance(packet, Raw):
        size = len(packet) - len(packet.payload)
        yield at, at + size
        at, packet = at + size, packet.payload


def damaged(raw, begin, end, chance):
    raw = bytearray(raw)
    at = chance.randrange(begin, end)
    kind = chance.randrange(6)
    if kind == 0:
        raw[at] = chance.randrange(256)
    elif kind == 1:
        raw[at] ^= 1 << chance.randrange(8)
    elif kind == 2:
        raw[at:at + 2] = struct.pack("!H", chance.choice(WORDS))
    elif kind == 3:
        del raw[at:]
    elif kind == 4:
        raw[end:end] = raw[begin:end]
    else:
        raw += chance.randbytes(chance.randrange(1, 400))
    return bytes(raw[:1514])


def resummed(raw):
    """The same with checksums that are right, as far as scapy still knows where they are."""
    try:
        packet = Ether(raw)
        layer = packet
        while layer:
            for name in ("chksum", "cksum"):
                if name in layer.fields:
                    delattr(layer, name)
            layer = layer.payload
        return bytes(packet)[:1514]
    except Exception:
        return raw  # scapy gives up in many ways


def main():
    interface, mac, seed, times = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    chance = random.Random(seed)
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # ETH_P_ALL
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
    wire.bind((interface, 0))
    ours = bytes.fromhex(mac.replace(":", ""))
    judge = quotes.Judge(ours)
    seen, counts = collections.Counter(), collections.Counter()

    def listen(seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            wire.settimeout(left)
            try:
                frame, (_, _, kind, _, _) = wire.recvfrom(65536)
            except TimeoutError:
                return
            if kind != socket.PACKET_OUTGOING and frame[6:12] == ours:
                seen[judge.look_at(frame)] += 1

    for good in packets(mac):
        raw = bytes(good)
        for begin, end in headers(good):
            counts["headers"] += 1
            for _ in range(times):
                mutant = damaged(raw, begin, end, chance)
                mutant = resummed(mutant) if chance.randrange(2) else mutant
                if len(mutant) < 14:
                    continue
                judge.sent(mutant)
                wire.send(mutant)
                counts["sent"] += 1
                listen(1 / PER_SECOND)
    listen(1)
    print(json.dumps({**counts, "errors": judge.errors, "broken": judge.broken, "seen": seen}))


if __name__ == "__main__":
    main()
