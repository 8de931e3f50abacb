# SPDX-License-Identifier: BSD-2-Clause
"""The two ends of the conversations that `record` captures. Plain sockets of the kernel around them.

usage: talk.py serve PORT | fetch ADDRESS PORT BYTES | listen INTERFACE | say INTERFACE |
       switch ACCESS TRUNK TYPE:VLAN...
"""

import select
import socket
import struct
import sys
import time

GROUP4, GROUP6, PORT = "239.86.73.70", "ff15::5646", 7646
OTHER4, OTHER6 = "239.86.73.71", "ff15::5647"
EVERYBODY4 = "10.86.0.255"  # the broadcast address that `record` gives the cable


def serve(port):
    """One TCP client asks for a number of bytes and gets them."""
    with socket.create_server(("::", int(port)), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        print("ready", flush=True)
        client, _ = server.accept()
        with client:
            count = int(client.recv(16))
            client.sendall((b"virtual Ethernet " * (count // 17 + 1))[:count])


def fetch(address, port, count):
    with socket.create_connection((address, int(port))) as client:
        client.sendall(count.encode())
        while client.recv(65536):
            pass


def listen(interface):
    """Joins one IPv4 and one IPv6 group for a second, so that the kernel sends its IGMP and MLD reports."""
    index = socket.if_nametoindex(interface)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
        four.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        struct.pack("@4s4si", socket.inet_aton(GROUP4), bytes(4), index))
        six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                       socket.inet_pton(socket.AF_INET6, GROUP6) + struct.pack("@I", index))
        print("ready", flush=True)
        time.sleep(2)


def say(interface):
    """Speaks to the two groups that are listened to, to two that are not, and to everybody."""
    index = socket.if_nametoindex(interface)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six:
        four.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("@4s4si", bytes(4), bytes(4), index))
        four.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        for number in range(4):
            for group in (GROUP4, OTHER4, EVERYBODY4):
                four.sendto(b"to %s, %d" % (group.encode(), number), (group, PORT))
            for group in (GROUP6, OTHER6):
                six.sendto(b"to %s, %d" % (group.encode(), number), (group, PORT))


def switch(access, trunk, *tags):
    """Pushes the tags (type in hex, VLAN in decimal; the outermost first) on the way to the trunk, pops them on the way back."""
    pushed = b"".join(struct.pack(">HH", int(kind, 16), int(vlan)) for kind, vlan in (tag.split(":") for tag in tags))
    ends = []
    for name in (access, trunk):
        ends.append(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003)))  # ETH_P_ALL
        ends[-1].bind((name, 0))
    while True:
        for end in select.select(ends, [], [])[0]:
            frame, (_, _, direction, *_) = end.recvfrom(65536)
            if direction == 4:  # PACKET_OUTGOING: what this switch sent itself
                continue
            if end is ends[0]:
                ends[1].send(frame[:12] + pushed + frame[12:])
                continue
            while frame[12:14] in (b"\x81\x00", b"\x88\xa8"):  # the kernel has taken the outermost off already
                frame = frame[:12] + frame[16:]
            ends[0].send(frame)


if __name__ == "__main__":
    {"serve": serve, "fetch": fetch, "listen": listen, "say": say, "switch": switch}[sys.argv[1]](*sys.argv[2:])
