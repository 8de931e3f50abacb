# SPDX-License-Identifier: BSD-2-Clause
"""Exchanges over IPv6: ICMPv6 (RFC 4443), extension headers and fragments (RFC 8200, 5722, 6946), UDP. Each docstring goes
into its file."""

from scapy.all import (Ether, ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6PacketTooBig, ICMPv6Unknown, IPv6,
                       IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, Pad1, PadN,
                       HBHOptUnknown, Raw, UDP)

from lab import IP6, LINK6, MAC, PEER6, PEER_LINK6, PEER_MAC

PAYLOAD = bytes(97 + i % 26 for i in range(4000))


def _ip(dst=IP6, dst_mac=MAC, src=PEER6, **fields):
    return Ether(src=PEER_MAC, dst=dst_mac) / IPv6(src=src, dst=dst, **fields)


def _ping(payload=b"golden exchange"):
    return ICMPv6EchoRequest(id=0x4946, seq=1, data=payload)


def _udp(payload=b"golden exchange", port=7, **fields):
    return UDP(sport=5000, dport=port, **fields) / Raw(payload)


def _known(lab, *packets):
    lab.meet6()
    return lab.say(*packets)


def _pieces(upper, bytes_each, ident=0x1234):
    """Fragments of what stands behind the IPv6 header."""
    packet = bytes(_ip() / upper)
    whole, following = packet[14 + 40:], packet[14 + 6]
    return [_ip() / IPv6ExtHdrFragment(nh=following, offset=at // 8, m=int(at + bytes_each < len(whole)), id=ident) /
            Raw(whole[at:at + bytes_each]) for at in range(0, len(whole), bytes_each)]


def icmp6_echo(lab):
    """An echo request is answered."""
    _known(lab, _ip() / _ping())


def icmp6_echo_empty(lab):
    """... without a payload."""
    _known(lab, _ip() / _ping(b""))


def icmp6_echo_full_frame(lab):
    """... in a full frame."""
    _known(lab, _ip() / _ping(PAYLOAD[:1452]))


def icmp6_echo_link_local(lab):
    """... between link-local addresses."""
    lab.meet6(ip=PEER_LINK6, target=LINK6)
    lab.say(_ip(dst=LINK6, src=PEER_LINK6) / _ping())


def icmp6_echo_to_all_nodes(lab):
    """... to all nodes: from the host's own address."""
    lab.meet6(ip=PEER_LINK6, target=LINK6)
    lab.say(_ip(dst="ff02::1", dst_mac="33:33:00:00:00:01", src=PEER_LINK6) / _ping())


def icmp6_echo_hop_limit_1(lab):
    """... that has one hop left."""
    _known(lab, _ip(hlim=1) / _ping())


def icmp6_echo_bad_checksum(lab):
    """A wrong checksum is not answered."""
    frame = bytearray(bytes(_ip() / _ping()))
    frame[14 + 40 + 2] ^= 0x55
    _known(lab, Ether(bytes(frame)))


def icmp6_echo_to_another(lab):
    """One for somebody else is neither answered nor forwarded."""
    _known(lab, _ip(dst="2001:db8::99") / _ping())


def icmp6_echo_cut_short(lab):
    """A packet shorter than it says is not answered."""
    _known(lab, _ip(plen=200) / _ping())


def icmp6_echo_from_a_group(lab):
    """A source that is a group is not answered."""
    _known(lab, _ip(src="ff02::1") / _ping())


def icmp6_reply_unasked(lab):
    """An echo reply is not answered."""
    _known(lab, _ip() / ICMPv6EchoReply(id=1, seq=1, data=b"golden"))


def icmp6_unknown_error(lab):
    """An unknown ICMPv6 error is not answered."""
    _known(lab, _ip() / ICMPv6Unknown(type=100, code=0) / Raw(bytes(40)))


def icmp6_next_header_unknown(lab):
    """A protocol that nobody speaks: parameter problem, quoting it."""
    _known(lab, _ip(nh=253) / Raw(b"golden exchange"))


def icmp6_no_next_header(lab):
    """No next header: nothing is to be done."""
    _known(lab, _ip(nh=59) / Raw(b"golden exchange"))


def icmp6_echo_behind_options(lab):
    """Hop-by-hop and destination options of padding alone are passed over."""
    _known(lab, _ip() / IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))]) /
           IPv6ExtHdrDestOpt(options=[Pad1(), Pad1(), PadN(optdata=bytes(2))]) / _ping())


def icmp6_option_to_skip(lab):
    """An unknown option that may be skipped (00) is."""
    _known(lab, _ip() / IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0x1E, optdata=bytes(4))]) / _ping())


def icmp6_option_to_discard(lab):
    """One that says discard (01): silence."""
    _known(lab, _ip() / IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0x5E, optdata=bytes(4))]) / _ping())


def icmp6_option_to_refuse(lab):
    """One that says discard and tell (10): parameter problem that points at it."""
    _known(lab, _ip() / IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0x9E, optdata=bytes(4))]) / _ping())


def icmp6_option_in_hop_by_hop_to_refuse(lab):
    """The same in the hop-by-hop header."""
    _known(lab, _ip() / IPv6ExtHdrHopByHop(options=[HBHOptUnknown(otype=0x9E, optdata=bytes(4))]) / _ping())


def icmp6_hop_by_hop_not_first(lab):
    """A hop-by-hop header behind another one: parameter problem."""
    _known(lab, _ip() / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))]) /
           IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))]) / _ping())


def icmp6_routing_header_to_pass(lab):
    """A routing header with nothing left to visit is passed over."""
    _known(lab, _ip() / IPv6ExtHdrRouting(type=0, segleft=0, addresses=[]) / _ping())


def icmp6_routing_header_of_unknown_type(lab):
    """One of an unknown type that wants to go on: parameter problem (RFC 8200, 4.4)."""
    _known(lab, _ip() / IPv6ExtHdrRouting(type=200, segleft=1, addresses=["2001:db8::99"]) / _ping())


def icmp6_packet_too_big(lab):
    """A router wants 1280 bytes: the next answer is in fragments."""
    [answer] = _known(lab, _ip() / _ping(PAYLOAD[:1400]))
    lab.say(_ip() / ICMPv6PacketTooBig(mtu=1280) / Raw(bytes(answer[IPv6])[:1232]))
    lab.say(_ip() / _ping(PAYLOAD[:1400]))


def udp6_echo(lab):
    """A datagram comes back."""
    _known(lab, _ip() / _udp())


def udp6_echo_full_frame(lab):
    """A full frame comes back."""
    _known(lab, _ip() / _udp(PAYLOAD[:1452]))


def udp6_without_checksum(lab):
    """IPv6 wants a checksum: nothing comes back."""
    _known(lab, _ip() / _udp(chksum=0))


def udp6_bad_checksum(lab):
    """A wrong checksum: nothing comes back."""
    frame = bytearray(bytes(_ip() / _udp()))
    frame[14 + 40 + 6] ^= 0x55
    _known(lab, Ether(bytes(frame)))


def udp6_closed_port(lab):
    """A port that nobody has: port unreachable, quoting it."""
    _known(lab, _ip() / _udp(port=9))


def udp6_closed_port_to_a_group(lab):
    """... but not to what was for many."""
    _known(lab, _ip(dst="ff02::1", dst_mac="33:33:00:00:00:01") / _udp(port=9))


def frag6_in_order(lab):
    """Two fragments, put together and answered."""
    _known(lab, *_pieces(_udp(PAYLOAD[:1400]), 1000))


def frag6_reversed(lab):
    """The last one comes first."""
    _known(lab, *reversed(_pieces(_udp(PAYLOAD[:1400]), 1000)))


def frag6_shuffled(lab):
    """Five, in any order."""
    pieces = _pieces(_udp(PAYLOAD[:1392]), 280)
    _known(lab, *(pieces[i] for i in (2, 4, 0, 3, 1)))


def frag6_of_an_echo(lab):
    """A large echo request; the answer is in fragments, too."""
    _known(lab, *_pieces(_ping(PAYLOAD[:3000]), 1448))


def frag6_atomic(lab):
    """A packet in one fragment is whole (RFC 6946)."""
    _known(lab, *_pieces(_udp(), 1000))


def frag6_overlap(lab):
    """Fragments that overlap are not put together (RFC 5722)."""
    first, second = _pieces(_udp(PAYLOAD[:1400]), 1000)
    second[IPv6ExtHdrFragment].offset -= 10
    _known(lab, first, second)


def frag6_not_a_multiple_of_8(lab):
    """A first fragment of 1001 bytes: parameter problem that points at the payload length (RFC 8200, 4.5)."""
    _known(lab, _ip() / IPv6ExtHdrFragment(nh=17, offset=0, m=1, id=0x1234) / Raw(PAYLOAD[:1001]))


def frag6_never_complete(lab):
    """The second never comes: time exceeded after a minute, quoting the first (RFC 8200, 4.5)."""
    _known(lab, _pieces(_udp(PAYLOAD[:1400]), 1000)[0])
    lab.listen(56)
    lab.meet6()  # so that it is known where to send the error
    lab.listen(8)
