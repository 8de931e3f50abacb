# SPDX-License-Identifier: BSD-2-Clause
"""The peer's side of a TCP connection, segment by segment (RFC 9293)."""

from scapy.all import IP, TCP, Ether, IPv6, Raw

from lab import IP4, IP6, MAC, PEER4, PEER6, PEER_MAC

MASK = 0xFFFFFFFF


class Talk:
    """The peer's side of one connection: seq is its next byte, ack the next it wants of the kernel."""

    def __init__(self, lab, port, sport=5000, v6=False, known=False):
        self.lab, self.port, self.sport, self.v6 = lab, port, sport, v6
        self.seq, self.ack = 1000, 0
        if not known:
            lab.meet6() if v6 else lab.meet()

    def segment(self, flags, data=b"", **fields):
        ip = IPv6(src=PEER6, dst=IP6) if self.v6 else IP(src=PEER4, dst=IP4, id=1)
        words = {"sport": self.sport, "dport": self.port, "seq": self.seq, "ack": self.ack, "window": 60000} | fields
        packet = Ether(src=PEER_MAC, dst=MAC) / ip / TCP(flags=flags, **words)
        return packet / Raw(data) if data else packet

    def say(self, flags, data=b"", **fields):
        """Sends; what the kernel says to it is acknowledged with the next segment."""
        heard = self.lab.say(self.segment(flags, data, **fields))
        self.seq = (self.seq + len(data) + ("F" in flags) + ("S" in flags)) & MASK
        return self.heed(heard)

    def heed(self, heard):
        for packet in heard:
            if TCP not in packet:
                continue
            tcp = packet[TCP]
            size = len(tcp.payload) + tcp.flags.S + tcp.flags.F
            if tcp.flags.S:
                self.ack = (tcp.seq + 1) & MASK
            elif size and tcp.seq == self.ack:
                self.ack = (self.ack + size) & MASK
        return heard

    def shake(self, **fields):
        self.say("S", options=[("MSS", 1460)], **fields)
        return self.say("A", **fields)

    def drop(self):
        """Nothing more is to come of it."""
        self.say("R")
