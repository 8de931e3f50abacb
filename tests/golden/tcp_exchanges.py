# SPDX-License-Identifier: BSD-2-Clause
"""Exchanges over TCP (RFC 9293, 5961): handshake, teardown, resets. Each docstring goes into its file.

The peer acknowledges what the kernel really sent: the replay puts the other stack's sequence numbers in their place."""

from scapy.all import IP, TCP, UDP, Ether, Raw

from lab import IP4, MAC, PEER4, PEER_MAC
from talk import MASK, Talk


def tcp_handshake(lab):
    """SYN, SYN and ACK, ACK."""
    talk = Talk(lab, 7)
    talk.shake()
    talk.drop()


def tcp6_handshake(lab):
    """The same over IPv6."""
    talk = Talk(lab, 7, v6=True)
    talk.shake()
    talk.drop()


def tcp_echo(lab, v6=False):
    """Bytes come back."""
    talk = Talk(lab, 7, v6=v6)
    talk.shake()
    talk.say("PA", b"golden exchange")
    talk.say("A")
    talk.drop()


def tcp6_echo(lab):
    """The same over IPv6."""
    tcp_echo(lab, v6=True)


def tcp_teardown_by_peer(lab, v6=False):
    """The peer closes first: FIN, ACK, FIN, ACK."""
    talk = Talk(lab, 20, v6=v6)
    talk.shake()
    talk.say("FA")
    talk.say("A")


def tcp6_teardown_by_peer(lab):
    """The same over IPv6."""
    tcp_teardown_by_peer(lab, v6=True)


def tcp_teardown_by_host(lab):
    """The host says a line and closes first; the peer closes then."""
    talk = Talk(lab, 13)
    talk.shake()
    talk.say("A")
    talk.say("FA")


def tcp_teardown_both_at_once(lab):
    """Both have sent FIN before they hear of the other's."""
    talk = Talk(lab, 13)
    talk.say("S", options=[("MSS", 1460)])
    first = talk.ack
    talk.say("A")
    talk.say("FA", ack=first + 16)
    talk.say("A")


def tcp_fin_with_data(lab):
    """Bytes and FIN in one segment: both are acknowledged, and the host closes, too."""
    talk = Talk(lab, 20)
    talk.shake()
    talk.say("FPA", b"golden exchange")
    talk.say("A")


def tcp_closed_port(lab):
    """SYN to a port that nobody has: reset."""
    Talk(lab, 9).say("S", options=[("MSS", 1460)])


def tcp6_closed_port(lab):
    """The same over IPv6."""
    Talk(lab, 9, v6=True).say("S", options=[("MSS", 1460)])


def tcp_ack_of_nothing(lab):
    """ACK for a connection that is not there: reset with that number."""
    Talk(lab, 7).say("A", ack=77777)


def tcp_data_to_nothing(lab):
    """Bytes without ACK for a connection that is not there: reset that acknowledges them."""
    Talk(lab, 9).say("P", b"golden exchange")


def tcp_reset_of_nothing(lab):
    """A reset is never answered."""
    Talk(lab, 7).say("R")


def tcp_syn_twice(lab):
    """A SYN that comes again is answered as the first one."""
    talk = Talk(lab, 7)
    syn = talk.segment("S", options=[("MSS", 1460)])
    lab.say(syn)
    lab.say(syn)
    talk.seq += 1
    talk.drop()


def tcp_syn_answer_lost(lab):
    """The answer to SYN is sent again until it is acknowledged."""
    talk = Talk(lab, 7)
    talk.say("S", options=[("MSS", 1460)])
    talk.heed(lab.listen(4))
    talk.say("A")
    talk.drop()


def tcp_wrong_ack_of_syn(lab):
    """ACK of another number than SYN's while connecting: reset."""
    talk = Talk(lab, 7)
    talk.say("S", options=[("MSS", 1460)])
    talk.say("A", ack=(talk.ack + 5000) & MASK)


def tcp_reset_in_window(lab):
    """A reset for exactly the next byte ends the connection: what comes then is reset."""
    talk = Talk(lab, 20)
    talk.shake()
    talk.say("R")
    talk.say("A")


def tcp_reset_outside_the_window(lab):
    """A reset far outside the window is not heard."""
    talk = Talk(lab, 7)
    talk.shake()
    talk.say("R", seq=talk.seq + 200000)
    talk.say("PA", b"golden exchange")
    talk.say("A")
    talk.drop()


def tcp_reset_nearly(lab):
    """A reset in the window, but not for the next byte, is challenged (RFC 5961, 3.2)."""
    talk = Talk(lab, 20)
    talk.shake()
    talk.say("R", seq=talk.seq + 10)
    talk.drop()


def tcp_syn_in_connection(lab):
    """A SYN in an established connection is challenged (RFC 5961, 4.2)."""
    talk = Talk(lab, 20)
    talk.shake()
    lab.say(talk.segment("S", seq=talk.seq + 10))
    talk.drop()


def tcp_refused_by_program(lab):
    """The program resets who connects."""
    talk = Talk(lab, 21)
    talk.shake()


def _command(lab, text):
    lab.meet()
    return lab.say(Ether(src=PEER_MAC, dst=MAC) / IP(src=PEER4, dst=IP4, id=1) / UDP(sport=5001, dport=2001) / Raw(text))


def _called(lab):
    """The kernel connects to the peer's port 4000."""
    heard = [packet for packet in _command(lab, b"connect 4000") if TCP in packet]
    talk = Talk(lab, heard[0][TCP].sport, sport=4000, known=True)
    talk.heed(heard)
    return talk


def tcp_connect(lab):
    """The host connects: SYN, SYN and ACK, ACK; bytes are acknowledged, and the peer closes."""
    talk = _called(lab)
    talk.say("SA", options=[("MSS", 1460)])
    talk.say("PA", b"golden exchange")
    talk.say("FA")
    talk.say("A")


def tcp_connect_refused(lab):
    """The peer resets: it is not tried again."""
    talk = _called(lab)
    talk.say("RA")
    lab.listen(2)


def tcp_connect_unanswered(lab):
    """SYN is sent again, later and later."""
    _called(lab)
    lab.listen(4)


def tcp_connect_answered_wrongly(lab):
    """SYN and ACK of another number: reset, and the right one is taken."""
    talk = _called(lab)
    lab.say(talk.segment("SA", ack=(talk.ack + 7) & MASK, options=[("MSS", 1460)]))
    talk.say("R")
