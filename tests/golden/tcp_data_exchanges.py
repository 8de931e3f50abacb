# SPDX-License-Identifier: BSD-2-Clause
"""Exchanges over TCP (RFC 9293): retransmission, order, windows. Each docstring goes into its file."""

from scapy.all import Ether

from talk import Talk


def tcp_retransmission(lab):
    """Bytes that are not acknowledged are sent again, later and later."""
    talk = Talk(lab, 7)
    talk.shake()
    talk.say("PA", b"golden exchange")
    lab.listen(5)
    talk.say("A")
    talk.drop()


def tcp_fin_retransmission(lab):
    """So is FIN."""
    talk = Talk(lab, 13)
    talk.shake()
    lab.listen(2)
    talk.say("A")
    talk.say("FA")


def tcp_data_twice(lab):
    """Bytes that come again are acknowledged and not taken twice."""
    talk = Talk(lab, 20)
    talk.shake()
    data = talk.segment("PA", b"golden exchange")
    lab.say(data)
    lab.say(data)
    talk.seq += 15
    talk.drop()


def tcp_data_out_of_order(lab):
    """What comes too early is asked for from where it is missing; then all of it is acknowledged."""
    talk = Talk(lab, 20)
    talk.shake()
    lab.say(talk.segment("PA", b"exchange", seq=talk.seq + 7))
    lab.say(talk.segment("A", b"golden "))
    talk.seq += 15
    talk.drop()


def tcp_data_outside_the_window(lab):
    """Bytes far outside the window are not taken; the acknowledgement says where it is."""
    talk = Talk(lab, 20)
    talk.shake()
    lab.say(talk.segment("PA", b"golden exchange", seq=talk.seq + 200000))
    talk.drop()


def tcp_keep_alive(lab):
    """One byte before the window is answered with an acknowledgement."""
    talk = Talk(lab, 20)
    talk.shake()
    lab.say(talk.segment("A", b"x", seq=talk.seq - 1))
    talk.drop()


def tcp_bad_checksum(lab):
    """A segment with a wrong checksum was never there."""
    talk = Talk(lab, 7)
    talk.shake()
    frame = bytearray(bytes(talk.segment("PA", b"golden exchange")))
    frame[14 + 20 + 16] ^= 0x55
    lab.say(Ether(bytes(frame)))
    talk.drop()


def tcp_segments_as_asked(lab):
    """3000 bytes in segments as large as the peer's MSS allows."""
    talk = Talk(lab, 19)
    talk.say("S", options=[("MSS", 536)])
    for _ in range(4):
        if not talk.say("A"):
            break
    talk.drop()


def tcp_zero_window(lab):
    """The peer has no room: the host holds what it has, probes, and goes on when there is room."""
    talk = Talk(lab, 7)
    talk.shake()
    talk.say("PA", b"golden exchange", window=0)
    lab.listen(1.5)
    talk.say("A")
    talk.say("A")
    talk.drop()


def tcp_small_window(lab):
    """The peer has room for 500 of 3000 bytes."""
    talk = Talk(lab, 19)
    talk.say("S", options=[("MSS", 1460)])
    talk.say("A", window=500)
    talk.drop()
