# SPDX-License-Identifier: BSD-2-Clause
"""Exchanges over IPv4: ICMP (RFC 792, 1122), fragments (RFC 791, 815), UDP (RFC 768). Each docstring goes into its file."""

from scapy.all import ICMP, IP, UDP, Ether, Raw, fragment

from lab import IP4, MAC, PEER4, PEER_MAC

PAYLOAD = bytes(97 + i % 26 for i in range(4000))


def _ip(dst=IP4, dst_mac=MAC, **fields):
    return Ether(src=PEER_MAC, dst=dst_mac) / IP(src=PEER4, dst=dst, id=fields.pop("id", 0x1234), **fields)


def _ping(payload=b"golden exchange", **fields):
    return _ip(**fields) / ICMP(id=0x4946, seq=1) / Raw(payload)


def _udp(payload=b"golden exchange", port=7, **fields):
    words = {"chksum": fields.pop("chksum")} if "chksum" in fields else {}
    return _ip(**fields) / UDP(sport=5000, dport=port, **words) / Raw(payload)


def _pieces(packet, bytes_each):
    """The packet's IPv4 fragments, each in a frame of its own."""
    return [Ether(src=PEER_MAC, dst=MAC) / piece for piece in fragment(packet[IP], fragsize=bytes_each)]


def _known(lab, *packets):
    lab.meet()
    return lab.say(*packets)


def icmp_echo(lab):
    """An echo request is answered."""
    _known(lab, _ping())


def icmp_echo_empty(lab):
    """... without a payload."""
    _known(lab, _ping(b""))


def icmp_echo_odd(lab):
    """... with an odd number of bytes."""
    _known(lab, _ping(PAYLOAD[:333]))


def icmp_echo_full_frame(lab):
    """... in a full frame."""
    _known(lab, _ping(PAYLOAD[:1472]))


def icmp_echo_padded(lab):
    """... in a frame with padding behind it, which is not sent back."""
    _known(lab, Ether(bytes(_ping(b"x")) + bytes(60 - 43)))


def icmp_echo_ttl_1(lab):
    """... that has one hop left."""
    _known(lab, _ping(ttl=1))


def icmp_echo_dscp(lab):
    """... with a DSCP, which the answer has, too."""
    _known(lab, _ping(tos=0xB8))


def icmp_echo_dont_fragment(lab):
    """... that forbids fragments."""
    _known(lab, _ping(flags="DF"))


def icmp_echo_bad_checksum(lab):
    """A wrong ICMP checksum is not answered."""
    frame = bytearray(bytes(_ping()))
    frame[14 + 20 + 2] ^= 0x55
    _known(lab, Ether(bytes(frame)))


def icmp_echo_bad_ip_checksum(lab):
    """A wrong header checksum is not answered."""
    _known(lab, _ping(chksum=0x1234))


def icmp_echo_to_broadcast(lab):
    """An echo request to everybody is not answered."""
    _known(lab, _ping(dst="192.0.2.255", dst_mac="ff:ff:ff:ff:ff:ff"))


def icmp_echo_to_another(lab):
    """One for somebody else is neither answered nor forwarded."""
    _known(lab, _ping(dst="192.0.2.99"))


def icmp_echo_cut_short(lab):
    """A packet shorter than it says is not answered."""
    _known(lab, Ether(bytes(_ping(len=200))))


def icmp_echo_version_5(lab):
    """A version that is not 4 is not answered."""
    _known(lab, _ping(version=5))


def icmp_echo_short_header(lab):
    """A header length below 20 bytes is not answered."""
    _known(lab, _ping(ihl=4))


def icmp_unknown_type(lab):
    """An unknown type is not answered."""
    _known(lab, _ip() / ICMP(type=42, code=0, id=1, seq=1) / Raw(b"golden"))


def icmp_reply_unasked(lab):
    """An echo reply is not answered."""
    _known(lab, _ip() / ICMP(type=0, id=1, seq=1) / Raw(b"golden"))


def icmp_protocol_unreachable(lab):
    """A protocol that nobody speaks: destination unreachable, quoting it."""
    _known(lab, _ip(proto=253) / Raw(b"golden exchange"))


def icmp_error_about_nothing(lab):
    """An ICMP error about a datagram that was never sent is not answered."""
    _known(lab, _ip() / ICMP(type=3, code=3) / IP(src=IP4, dst=PEER4) / UDP(sport=7, dport=5000))


def udp_echo(lab):
    """A datagram comes back."""
    _known(lab, _udp())


def udp_echo_empty(lab):
    """An empty datagram comes back."""
    _known(lab, _udp(b""))


def udp_echo_full_frame(lab):
    """A full frame comes back."""
    _known(lab, _udp(PAYLOAD[:1472]))


def udp_echo_without_checksum(lab):
    """A datagram without a checksum comes back with one."""
    _known(lab, _udp(chksum=0))


def udp_echo_twice(lab):
    """Two datagrams come back in order."""
    _known(lab, _udp(b"one"), _udp(b"two"))


def udp_bad_checksum(lab):
    """A wrong checksum: nothing comes back."""
    frame = bytearray(bytes(_udp()))
    frame[14 + 20 + 6] ^= 0x55
    _known(lab, Ether(bytes(frame)))


def udp_longer_than_its_packet(lab):
    """A length above what is there: nothing comes back."""
    packet = _udp()
    packet[UDP].len = 100
    _known(lab, packet)


def udp_shorter_than_its_packet(lab):
    """What is behind the datagram's end does not come back."""
    frame = _udp(b"golden")
    packet = bytearray(bytes(frame) + b"behind")
    packet[16:18] = (20 + 8 + 12).to_bytes(2, "big")
    header = IP(bytes(packet[14:34]))
    del header.chksum
    packet[14:34] = bytes(header)[:20]
    _known(lab, Ether(bytes(packet)))


def udp_length_below_its_header(lab):
    """A length below 8 bytes: nothing comes back."""
    packet = _udp()
    packet[UDP].len = 7
    _known(lab, packet)


def udp_closed_port(lab):
    """A port that nobody has: port unreachable, quoting it."""
    _known(lab, _udp(port=9))


def udp_closed_port_to_broadcast(lab):
    """... but not to what was for everybody."""
    _known(lab, _udp(port=9, dst="192.0.2.255", dst_mac="ff:ff:ff:ff:ff:ff"))


def udp_in_a_frame_to_all(lab):
    """A datagram for the host alone in a frame for everybody."""
    _known(lab, _udp(port=9, dst_mac="ff:ff:ff:ff:ff:ff"))


def frag_in_order(lab):
    """Two fragments, put together and answered."""
    _known(lab, *_pieces(_udp(PAYLOAD[:1800]), 1000))


def frag_reversed(lab):
    """The last one comes first."""
    _known(lab, *reversed(_pieces(_udp(PAYLOAD[:1800]), 1000)))


def frag_shuffled(lab):
    """Five, in any order."""
    pieces = _pieces(_udp(PAYLOAD[:1400]), 300)
    _known(lab, *(pieces[i] for i in (2, 4, 0, 3, 1)))


def frag_tiny(lab):
    """Eight bytes each."""
    _known(lab, *_pieces(_udp(PAYLOAD[:64]), 8))


def frag_of_an_echo(lab):
    """A large echo request; the answer is in fragments, too."""
    _known(lab, *_pieces(_ping(PAYLOAD[:3000]), 1480))


def frag_udp_echo_in_fragments(lab):
    """A large datagram; it comes back in fragments."""
    _known(lab, *_pieces(_udp(PAYLOAD), 1480))


def frag_twice_the_same(lab):
    """A fragment that comes twice does no harm."""
    pieces = _pieces(_udp(PAYLOAD[:1800]), 1000)
    _known(lab, pieces[0], pieces[0], pieces[1])


def frag_overlap(lab):
    """Fragments that overlap are not put together."""
    first, second = _pieces(_udp(PAYLOAD[:1800]), 1000)
    second[IP].frag -= 10
    del second[IP].chksum
    _known(lab, first, second)


def frag_two_packets_at_once(lab):
    """Fragments of two packets, by turns."""
    one, two = _pieces(_udp(PAYLOAD[:1200]), 800), _pieces(_udp(PAYLOAD[1000:2200], id=0x4321), 800)
    _known(lab, one[0], two[0], one[1], two[1])


def frag_beyond_the_largest(lab):
    """A fragment that ends behind byte 65535."""
    _known(lab, _ip(frag=8189) / Raw(PAYLOAD[:100]))


def frag_not_a_multiple_of_8(lab):
    """A first fragment of 1001 bytes is of no use."""
    pieces = _pieces(_udp(PAYLOAD[:1800]), 1000)
    _known(lab, _ip(flags="MF", proto=17) / Raw(bytes(pieces[0][IP].payload) + b"x"), pieces[1])


def frag_never_complete(lab):
    """The second never comes: time exceeded after a minute, quoting the first (RFC 1122, 3.3.2)."""
    _known(lab, _pieces(_udp(PAYLOAD[:1800]), 1000)[0])
    lab.listen(56)
    lab.meet()  # so that it is known where to send the error
    lab.listen(8)


def frag_first_never_comes(lab):
    """Without the first fragment nobody is told."""
    _known(lab, _pieces(_udp(PAYLOAD[:1800]), 1000)[1])
    lab.listen(56)
    lab.meet()  # so that it is known where to send the error
    lab.listen(8)
