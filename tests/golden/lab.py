# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's stack on a TAP, in a network namespace, with the programs of the golden exchanges on it; and a peer that says
frame by frame what it wants and writes down both sides.

The programs (host.cpp has the same for the stacks under test), all for both families:
  UDP 7: echo    UDP 2001: "connect N" connects to the sender's TCP port N
  TCP 7: echo; closes when the peer has    TCP 13: says "golden exchange\\n" and closes    TCP 19: says 3000 bytes, and keeps open
  TCP 20: takes everything; closes when the peer has    TCP 21: resets whoever connects
"""

import ctypes
import fcntl
import os
import select
import socket
import struct
import subprocess
import threading
import time

from scapy.all import ARP, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, Ether, IPv6

MAC, PEER_MAC = "02:76:69:66:00:0a", "02:76:69:66:00:0b"
IP4, PEER4 = "192.0.2.10", "192.0.2.11"
IP6, PEER6 = "2001:db8::10", "2001:db8::11"
LINK6, PEER_LINK6 = "fe80::76:69ff:fe66:a", "fe80::76:69ff:fe66:b"
QUIET_S = 0.5  # longer than any stack delays an acknowledgement
CLONE_NEWNET = 0x40000000  # sched.h
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000  # linux/if_tun.h
EPOCH_NS = 1_767_225_600 * 10**9  # all exchanges begin with 2026


def sysctl(path, value):
    with open("/proc/sys/net/" + path, "w", encoding="ascii") as file:
        file.write(str(value))


def tap():
    """This process moves into a namespace of its own, which holds the kernel's end of the TAP."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "cannot make a network namespace: expected root")
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", b"tap0", IFF_TAP | IFF_NO_PI))
    for setting, value in (("ipv6/conf/tap0/accept_dad", 0), ("ipv6/conf/tap0/router_solicitations", 0),
                           ("ipv6/conf/tap0/accept_ra", 0),
                           ("ipv6/conf/tap0/addr_gen_mode", 0), ("ipv4/ipfrag_time", 60),
                           ("ipv4/neigh/tap0/delay_first_probe_time", 600),
                           ("ipv6/neigh/tap0/delay_first_probe_time", 600), ("ipv4/tcp_syn_retries", 3), ("ipv4/tcp_timestamps", 0),
                           ("ipv4/tcp_sack", 0)):
        sysctl(setting, value)
    for words in (f"link set tap0 address {MAC}", "link set lo up", "link set tap0 up", f"addr add {IP4}/24 brd + dev tap0",
                  f"addr add {IP6}/64 dev tap0 nodad"):
        subprocess.run(["ip", *words.split()], check=True)
    return fd


class Programs(threading.Thread):
    """What runs on the kernel's stack."""

    def __init__(self):
        super().__init__(daemon=True)
        self.udp = {port: self.bound(socket.SOCK_DGRAM, port) for port in (7, 2001)}
        self.listeners = {port: self.bound(socket.SOCK_STREAM, port) for port in (7, 13, 19, 20, 21)}
        self.open = {}  # connection: the port it came to
        for listener in self.listeners.values():
            listener.listen()

    @staticmethod
    def bound(kind, port):
        made = socket.socket(socket.AF_INET6, kind)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        made.bind(("::", port))
        return made

    def run(self):
        while True:
            ready, _, _ = select.select([*self.udp.values(), *self.listeners.values(), *self.open], [], [], 0.05)
            for one in ready:
                if one in self.open:
                    self.read(one)
                elif one.type == socket.SOCK_STREAM:
                    self.accept(one)
                else:
                    self.datagram(one)

    def datagram(self, one):
        data, sender = one.recvfrom(65536)
        if one is self.udp[7]:
            one.sendto(data, sender)
            return
        made = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, 131000)  # offers to scale its window by 1, as lwIP does
        made.setblocking(False)
        made.connect_ex((sender[0], int(data.split()[1])))
        threading.Thread(target=self.connected, args=(made,), daemon=True).start()

    def connected(self, made):
        select.select([], [made], [])
        if made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
            self.open[made] = 20

    def accept(self, listener):
        made, _ = listener.accept()
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)  # acknowledges with what it says, if anything
        port = next(number for number, one in self.listeners.items() if one is listener)
        if port == 21:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            made.close()
            return
        if port == 13:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)  # the line and FIN in one segment
            made.sendall(b"golden exchange\n")
            made.shutdown(socket.SHUT_WR)
        if port == 19:
            made.sendall(bytes(48 + i % 10 for i in range(3000)))
        self.open[made] = port

    def read(self, one):
        try:
            data = one.recv(65536)
            if data and self.open[one] == 7:
                one.sendall(data)
        except OSError:
            data = b""
        if not data:
            del self.open[one]
            one.close()


class Lab:
    """One exchange: say() and listen() by turns."""

    def __init__(self):
        self.fd = tap()
        programs = Programs()
        programs.start()
        self.frames = []  # (ns since the beginning, from the kernel's side, bytes)
        self.began = time.monotonic_ns()
        self.listen(3.5)  # what the kernel says of its groups when an interface comes up
        self.frames = []
        self.began = time.monotonic_ns()

    def note(self, ours, frame):
        self.frames.append((time.monotonic_ns() - self.began, ours, frame))

    def say(self, *packets):
        """These frames, one right after the other; then what comes back."""
        for packet in packets:
            frame = bytes(packet)
            self.note(False, frame)
            os.write(self.fd, frame)
        return self.listen()

    def listen(self, seconds=None):
        """What the kernel sends: for so long, or until it is quiet. Its reports about groups are left out."""
        heard = []
        end = time.monotonic() + (seconds or QUIET_S)
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.fd], [], [], left)[0]:
                continue
            frame = os.read(self.fd, 65536)
            packet = Ether(frame)
            is_report = packet.type == 0x86DD and frame[20] == 0 or packet.type == 0x0800 and frame[23] == 2
            if is_report:
                continue
            self.note(True, frame)
            heard.append(packet)
            if seconds is None:
                end = time.monotonic() + QUIET_S
        return heard

    def meet(self, mac=PEER_MAC, ip=PEER4):
        """The peer asks, and is known from then on."""
        return self.say(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=mac, psrc=ip, hwdst="00:00:00:00:00:00", pdst=IP4))

    def meet6(self, ip=PEER6, target=IP6):
        return self.say(neighbour_solicitation(ip, target))

    def write(self, path, comment):
        with open(path, "wb") as file:
            file.write(pcapng(self.frames, comment))


def neighbour_solicitation(ip=PEER6, target=IP6, mac=PEER_MAC, **fields):
    group = socket.inet_pton(socket.AF_INET6, target)[-3:]
    dst = fields.pop("dst", "ff02::1:ff%02x:%02x%02x" % tuple(group))
    dst_mac = fields.pop("dst_mac", "33:33:ff:%02x:%02x:%02x" % tuple(group))
    return (Ether(src=mac, dst=dst_mac) / IPv6(src=ip, dst=dst, hlim=fields.pop("hlim", 255)) /
            ICMPv6ND_NS(tgt=target) / ICMPv6NDOptSrcLLAddr(lladdr=mac))


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def block(kind, body):
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def pcapng(frames, comment):
    """draft-ietf-opsawg-pcapng: a section with the comment, one interface in nanoseconds, each frame with its direction."""
    end = option(0, b"")
    data = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + option(1, comment.encode()) + end)
    data += block(1, struct.pack("<HHI", 1, 0, 0) + option(2, b"tap0") + option(9, b"\x09") + end)
    for at, ours, frame in frames:
        stamp = EPOCH_NS + at // 1000 * 1000
        body = struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(frame), len(frame)) + frame + bytes(-len(frame) % 4)
        data += block(6, body + option(2, struct.pack("<I", 2 if ours else 1)) + end)
    return data
