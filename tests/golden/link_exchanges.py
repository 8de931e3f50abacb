# SPDX-License-Identifier: BSD-2-Clause
"""Exchanges about neighbours: ARP (RFC 826, 5227) and neighbour discovery (RFC 4861). Each docstring goes into its file."""

from scapy.all import (ARP, Ether, ICMP, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptDstLLAddr, IP, IPv6,
                       UDP, ICMPv6NDOptSrcLLAddr, Raw)

from lab import IP4, IP6, LINK6, MAC, PEER4, PEER6, PEER_LINK6, PEER_MAC, neighbour_solicitation

ALL, OTHER_MAC = "ff:ff:ff:ff:ff:ff", "02:76:69:66:00:0c"
NOBODY = "00:00:00:00:00:00"


def _ask(dst=ALL, **fields):
    words = {"op": 1, "hwsrc": PEER_MAC, "psrc": PEER4, "hwdst": NOBODY, "pdst": IP4} | fields
    return Ether(src=words["hwsrc"], dst=dst) / ARP(**words)


def _ping(mac=PEER_MAC, seq=1):
    return Ether(src=mac, dst=MAC) / IP(src=PEER4, dst=IP4) / ICMP(id=0x4946, seq=seq) / Raw(b"golden")


def _datagram():
    return Ether(src=PEER_MAC, dst=MAC) / IP(src=PEER4, dst=IP4) / UDP(sport=5000, dport=7) / Raw(b"golden")


def _datagram6(src=PEER6, dst=IP6):
    return Ether(src=PEER_MAC, dst=MAC) / IPv6(src=src, dst=dst) / UDP(sport=5000, dport=7) / Raw(b"golden")


def arp_request(lab):
    """A request is answered."""
    lab.say(_ask())


def arp_request_unicast(lab):
    """A request to the host's own MAC is answered."""
    lab.say(_ask(dst=MAC))


def arp_request_for_another(lab):
    """A request for somebody else is not answered."""
    lab.say(_ask(pdst="192.0.2.99"))


def arp_probe(lab):
    """A probe (from 0.0.0.0) for the host's address is answered."""
    lab.say(_ask(psrc="0.0.0.0"))


def arp_probe_for_another(lab):
    """A probe for a free address is not answered."""
    lab.say(_ask(psrc="0.0.0.0", pdst="192.0.2.99"))


def arp_announcement_of_a_stranger(lab):
    """An announcement makes no neighbour: the host asks before it answers a datagram."""
    lab.say(_ask(pdst=PEER4))
    lab.say(_datagram())
    lab.say(_ask(op=2, dst=MAC, hwdst=MAC))


def arp_reply_unasked(lab):
    """A reply that nobody asked for makes no neighbour."""
    lab.say(_ask(op=2, dst=MAC, hwdst=MAC))
    lab.say(_datagram())
    lab.say(_ask(op=2, dst=MAC, hwdst=MAC))


def arp_resolve(lab):
    """The host asks who a new peer is, and then sends what it held."""
    lab.say(_datagram())
    lab.say(_ask(op=2, dst=MAC, hwdst=MAC))
    lab.say(_datagram())


def arp_resolve_unanswered(lab):
    """It asks three times, a second apart, and gives up."""
    lab.say(_datagram())
    lab.listen(5)


def arp_neighbour_moves(lab):
    """A request from another MAC moves the neighbour there."""
    lab.say(_ask())
    lab.say(_ping())
    lab.listen(1.5)  # Linux's locktime
    lab.say(_ask(hwsrc=OTHER_MAC))
    lab.say(_ping(OTHER_MAC, 2))


def arp_learns_from_requests(lab):
    """Who asked for the host's address is known, and is not asked for."""
    lab.say(_ask())
    lab.say(_ping())


def arp_conflict(lab):
    """Somebody announces the host's own address."""
    lab.say(_ask(hwsrc=OTHER_MAC, psrc=IP4, pdst=IP4))


def arp_wrong_protocol(lab):
    """A request for an address of another protocol is not answered."""
    lab.say(_ask(ptype=0x1234))


def arp_wrong_length(lab):
    """A request with hardware addresses of 7 bytes is not answered."""
    lab.say(_ask(hwlen=7))


def arp_unknown_operation(lab):
    """An operation that is neither request nor reply is not answered."""
    lab.say(_ask(op=9))


def arp_cut_short(lab):
    """A request that ends early is not answered."""
    lab.say(Ether(bytes(_ask())[:38]))


def arp_from_a_group(lab):
    """A request from a group's MAC address."""
    lab.say(Ether(src=PEER_MAC, dst=ALL) / ARP(op=1, hwsrc=PEER_MAC, psrc="224.0.0.5", hwdst=NOBODY, pdst=IP4))


def nd_solicitation(lab):
    """A solicitation to the group of the address is answered."""
    lab.meet6()


def nd_solicitation_unicast(lab):
    """A solicitation to the address itself is answered."""
    lab.say(neighbour_solicitation(dst=IP6, dst_mac=MAC))


def nd_solicitation_link_local(lab):
    """The link-local address is answered for, too."""
    lab.meet6(ip=PEER_LINK6, target=LINK6)


def nd_probe(lab):
    """Duplicate address detection of somebody else is answered, to all nodes."""
    lab.say(Ether(src=PEER_MAC, dst="33:33:ff:00:00:10") / IPv6(src="::", dst="ff02::1:ff00:10", hlim=255) / ICMPv6ND_NS(tgt=IP6))


def nd_probe_with_address(lab):
    """A probe from :: with a source link-layer address is invalid (RFC 4861, 7.1.1)."""
    lab.say(neighbour_solicitation(ip="::"))


def nd_solicitation_for_another(lab):
    """A solicitation for somebody else in the same group is not answered."""
    lab.say(neighbour_solicitation(target="2001:db8::aa00:10", dst="ff02::1:ff00:10", dst_mac="33:33:ff:00:00:10"))


def nd_solicitation_from_afar(lab):
    """A hop limit below 255 has come through a router: not answered."""
    lab.say(neighbour_solicitation(hlim=254))


def nd_solicitation_for_a_group(lab):
    """A target that is a group is invalid."""
    lab.say(neighbour_solicitation(target="ff02::1", dst=IP6, dst_mac=MAC))


def nd_solicitation_bad_checksum(lab):
    """A wrong checksum is not answered."""
    frame = bytearray(bytes(neighbour_solicitation()))
    frame[14 + 40 + 2] ^= 0x55
    lab.say(Ether(bytes(frame)))


def nd_solicitation_empty_option(lab):
    """An option of length 0 makes the packet invalid (RFC 4861, 4.6)."""
    frame = bytearray(bytes(neighbour_solicitation()))
    packet = IPv6(bytes(frame[14:]))
    option = packet[ICMPv6NDOptSrcLLAddr]
    option.len = 0
    del packet[ICMPv6ND_NS].cksum
    lab.say(Ether(bytes(frame[:14])) / packet)


def nd_resolve(lab):
    """The host asks who a new peer is, and then sends what it held."""
    lab.say(_datagram6())
    lab.say(_advertisement())
    lab.say(_datagram6())


def _advertisement(**fields):
    words = {"R": 0, "S": 1, "O": 1, "tgt": PEER6} | fields
    return (Ether(src=PEER_MAC, dst=MAC) / IPv6(src=PEER6, dst=IP6, hlim=255) / ICMPv6ND_NA(**words) /
            ICMPv6NDOptDstLLAddr(lladdr=PEER_MAC))


def nd_resolve_unanswered(lab):
    """It asks three times, a second apart, and gives up."""
    lab.say(_datagram6())
    lab.listen(5)


def nd_advertisement_unasked(lab):
    """An advertisement that nobody asked for makes no neighbour."""
    lab.say(_advertisement(S=0))
    lab.say(_datagram6())
    lab.say(_advertisement())


def nd_learns_from_solicitations(lab):
    """Who solicited with its link-layer address is known, and is not asked for."""
    lab.meet6()
    lab.say(Ether(src=PEER_MAC, dst=MAC) / IPv6(src=PEER6, dst=IP6) / ICMPv6EchoRequest(id=0x4946, seq=1, data=b"golden"))
