# SPDX-License-Identifier: BSD-2-Clause
"""virtifctl bridge between the kernel's own ends: a TAP in one namespace, a kernel bridge with veth pairs to two others.

usage: bridge_net_test.py VIRTIFCTL, run by itself again in a user and network namespace of its own.
"""

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest

VIRTIFCTL = sys.argv.pop(1)
INSIDE = "VIF_BRIDGE_NET_TEST"
SEND = """
import socket, sys
s = socket.create_connection((sys.argv[1], 5001), 20)
s.sendall(bytes(range(256)) * (int(sys.argv[2]) // 256))
s.shutdown(socket.SHUT_WR)
sys.exit(s.recv(1) != b"y")
"""
TAKE = """
import socket, sys
listener = socket.create_server((sys.argv[1], 5001))
print("listening", flush=True)
s = listener.accept()[0]
taken = bytearray()
while piece := s.recv(1 << 20):
    taken += piece
s.sendall(b"y" if taken == bytes(range(256)) * (int(sys.argv[2]) // 256) else b"n")
"""
SEND_SEGMENTS = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(17, 103, 1000)  # SOL_UDP, UDP_SEGMENT
s.sendto(bytes(8000), ("10.95.0.1", 5001))
"""


def run(command):
    done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


class Namespace:
    """A network namespace, as long as a process sleeps in it."""

    def __init__(self):
        self.sleeper = subprocess.Popen(["unshare", "-n", "sleep", "600"])
        here = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self.sleeper.pid}/ns/net") == here:
            time.sleep(0.01)
        self.enter = f"nsenter -t {self.sleeper.pid} -n"

    def close(self):
        self.sleeper.kill()
        self.sleeper.wait()

    def address_of(self, name):
        return json.loads(run(f"{self.enter} ip -j link show {name}"))[0]["address"]

    def add_veth(self, name, address):
        """`name` in this namespace, with a peer in ours named p and it."""
        run(f"ip link add p{name} type veth peer name {name} netns {self.sleeper.pid}")
        run(f"{self.enter} ip addr add {address}/24 dev {name}")
        run(f"{self.enter} ip link set {name} up")
        run(f"ip link set p{name} up")


class Bridging:
    """virtifctl bridge until stop(), which returns what it printed."""

    def __init__(self, *words):
        self.process = subprocess.Popen([VIRTIFCTL, "bridge", "-j", "--stations", *words], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stderr.readline()
        assert "bridging" in line, line

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, err
        return json.loads(out)


class TagsSeen:
    """What the kernel says of the VLAN tags of frames from one address, on an interface of this namespace."""

    def __init__(self, interface):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # ETH_P_ALL
        self.socket.setsockopt(263, 8, 1)  # SOL_PACKET, PACKET_AUXDATA
        self.socket.bind((interface, 0))
        self.socket.setblocking(False)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.socket.close()

    def vlans(self, address):
        """Of the frames from `address` that came since the last call; 0: without a tag."""
        seen = set()
        try:
            while True:
                frame, notes, *_ = self.socket.recvmsg(64, 128)
                if frame[6:12] == bytes.fromhex(address.replace(":", "")):
                    status, tci = struct.unpack("=I12xH", notes[0][2][:18])  # of struct tpacket_auxdata
                    seen.add(tci & 0xfff if status & 0x10 else 0)  # TP_STATUS_VLAN_VALID
        except BlockingIOError:
            return seen


class BridgeBetweenNamespaces(unittest.TestCase):
    def setUp(self):
        self.b, self.c = Namespace(), Namespace()
        self.running = []

    def tearDown(self):
        for bridging in self.running:
            bridging.process.kill()
            bridging.process.communicate()
        for link in ("br0", "pvb", "pvc"):
            subprocess.run(["ip", "link", "del", link], capture_output=True, check=False)
        self.b.close()
        self.c.close()

    def bridge(self, *words):
        self.running.append(Bridging(*words))
        return self.running[-1]

    def tap(self, name, *addresses):
        for address in addresses:
            run(f"ip addr add {address}/24 dev {name}")
        run(f"ip link set {name} up")

    def kernel_bridge(self, *ports, options=""):
        run(f"ip link add br0 type bridge {options}")
        run("ip link set br0 up")
        for port in ports:
            run(f"ip link set {port} master br0")

    def reaches(self, address, enter=""):
        done = subprocess.run(f"{enter} ping -c 3 -i 0.2 -W 2 {address}".split(), capture_output=True, text=True,
                              check=False)
        return " 0% packet loss" in done.stdout

    def until_reached(self, address):
        for _ in range(20):
            if self.reaches(address):
                return True
        return False

    def transfer(self, address, size, sender="", taker=None):
        """TCP from here to b, or as told, checked at the other end."""
        words = [*(self.b.enter if taker is None else taker).split(), sys.executable, "-c", TAKE, address, str(size)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as taking:
            self.assertEqual(taking.stdout.readline(), "listening\n")
            done = subprocess.run([*sender.split(), sys.executable, "-c", SEND, address, str(size)], timeout=60,
                                  check=False)
            taking.kill()
        self.assertEqual(done.returncode, 0, "not what was sent")

    def expect_sums(self, ports):
        for port in ports:
            self.assertEqual(sum(port["bridged"].values()), port["in"], port)
            lost = sum(frames for why, frames in port["dropped"].items() if why.startswith("tx_") or why == "queue_full")
            self.assertEqual(port["given"] + port["cut"], port["out"] + lost, port)

    def test_carries_ping_and_super_frames_of_tcp(self):
        size = 16 << 20
        bridging = self.bridge("tap:vifa", "tap:vifb")
        self.b.add_veth("vb", "10.91.0.2")
        self.tap("vifa", "10.91.0.1")
        self.tap("vifb")
        self.kernel_bridge("vifb", "pvb")
        self.assertTrue(self.until_reached("10.91.0.2"))
        self.transfer("10.91.0.2", size)
        result = bridging.stop()
        first, second = result["ports"]
        self.expect_sums(result["ports"])
        self.assertLess(first["in"], size / 1448 / 4, "frames of 1500 bytes: nothing went unsegmented")
        self.assertGreater(second["in"], 10)
        self.assertIn((self.b.address_of("vb"), "virt1"), {(s["address"], s["port"]) for s in result["stations"]})

    def test_takes_what_a_vxlan_device_of_the_same_host_leaves_to_do(self):
        """Its super-frames and open checksums go to a TAP whole, and finished to one without offload."""
        size = 8 << 20
        self.b.add_veth("vb", "10.94.0.2")
        run("ip addr add 10.94.0.1/24 dev pvb")
        run(f"{self.b.enter} ip link add vx0 type vxlan id 7 dstport 4789 dev vb local 10.94.0.2 remote 10.94.0.1")
        run(f"{self.b.enter} ip addr add 10.95.0.2/24 dev vx0")
        run(f"{self.b.enter} ip link set vx0 up")
        for options in ("", ",offload=off"):
            with self.subTest(options):
                bridging = self.bridge("vxlan:10.94.0.2,vni=7,local=10.94.0.1", "tap:vifa" + options)
                self.tap("vifa", "10.95.0.1")
                run("ip link set vifa mtu 1450")
                self.assertTrue(self.until_reached("10.95.0.2"))
                self.transfer("10.95.0.1", size, sender=self.b.enter, taker="")
                self.transfer("10.95.0.2", size)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                    udp.bind(("10.95.0.1", 5001))
                    udp.settimeout(10)
                    subprocess.run([*self.b.enter.split(), sys.executable, "-c", SEND_SEGMENTS], check=True)
                    self.assertEqual([len(udp.recv(9000)) for _ in range(8)], 8 * [1000])
                result = bridging.stop()
                self.expect_sums(result["ports"])
                tunnel = result["ports"][0]
                self.assertLess(tunnel["in"], size / 1398, "fewer than the segments: super-frames came whole")
                self.assertEqual((tunnel["dropped"]["too_long"], tunnel["dropped"]["rx_malformed"]), (0, 0))

    def check_two_vlans(self, bridging):
        """The same addresses in VLAN 10, at vifa and in b, and in VLAN 20, at vifb and in c."""
        hardware = {vlan: there.address_of(name)
                    for vlan, there, name in ((10, self.b, "vb"), (20, self.c, "vc"))}
        with TagsSeen("vifc") as tags:
            self.tap("vifa", "10.92.0.1")
            self.assertTrue(self.until_reached("10.92.0.2"), "VLAN 10, by the trunk")
            self.transfer("10.92.0.2", 4 << 20)
            self.assertIn(hardware[10], run("ip neigh show 10.92.0.2 dev vifa"))
            self.assertEqual(tags.vlans(hardware[10]), {10})
            run("ip addr flush dev vifa")
            self.tap("vifb", "10.92.0.1")
            self.assertTrue(self.until_reached("10.92.0.2"), "VLAN 20")
            self.assertIn(hardware[20], run("ip neigh show 10.92.0.2 dev vifb"))
            self.assertEqual(tags.vlans(hardware[20]), {20})
        result = bridging.stop()
        self.expect_sums(result["ports"])
        where = {(s["vlan"], s["address"], s["port"]) for s in result["stations"]}
        self.assertLessEqual({(10, hardware[10], "virt2"), (20, hardware[20], "virt2")}, where)

    def trunk_of_ours(self):
        bridging = self.bridge("tap:vifa", "tap:vifb", "tap:vifc", "--access", "virt0=10", "--access", "virt1=20",
                               "--trunk", "virt2=10,20-21")
        self.b.add_veth("vb", "10.92.0.2")
        self.c.add_veth("vc", "10.92.0.2")
        self.tap("vifc")
        return bridging

    def test_a_trunk_between_two_of_ours_through_the_kernels_bridge(self):
        bridging = self.trunk_of_ours()
        other = self.bridge("tap:vifd", "uring:pvb", "uring:pvc", "--trunk", "virt0=10,20", "--access", "virt1=10",
                            "--access", "virt2=20")
        self.tap("vifd")
        self.kernel_bridge("vifc", "vifd")
        self.check_two_vlans(bridging)
        self.expect_sums(other.stop()["ports"])

    def test_a_trunk_to_a_bridge_of_the_kernels_that_filters_vlans(self):
        if subprocess.run("ip link add br1 type bridge vlan_filtering 1".split(), capture_output=True, check=False).returncode:
            self.skipTest("this kernel's bridges do not filter VLANs")
        run("ip link del br1")
        bridging = self.trunk_of_ours()
        self.kernel_bridge("vifc", "pvb", "pvc", options="vlan_filtering 1 vlan_default_pvid 0 mcast_snooping 0")
        for port, vlan in (("vifc", "10"), ("vifc", "20"), ("pvb", "10 pvid untagged"), ("pvc", "20 pvid untagged")):
            run(f"bridge vlan add dev {port} vid {vlan}")
        self.check_two_vlans(bridging)

    def test_a_loop_through_the_kernels_bridge_holds_one_port_down(self):
        bridging = self.bridge("tap:vifa", "tap:vifb", "tap:vifc", "--probe", "1")
        self.b.add_veth("vb", "10.93.0.2")
        self.tap("vifa", "10.93.0.1")
        self.kernel_bridge("vifb", "vifc", "pvb")
        self.tap("vifb")
        self.tap("vifc")
        time.sleep(2)
        self.assertTrue(self.until_reached("10.93.0.2"), "though there are two ways")
        result = bridging.stop()
        self.assertEqual([port["blocked_by"] for port in result["ports"]], ["none", "none", "own_probe"])
        self.expect_sums(result["ports"])


def why_not():
    for tool in ("unshare", "nsenter", "ip", "bridge", "ping"):
        if shutil.which(tool) is None:
            return f"no {tool} here"
    probe = "ip tuntap add dev vif0 mode tap && ip link add vifbr type bridge && ip link add vifv type veth peer name vifw"
    done = subprocess.run(["unshare", "-Ur", "-n", "sh", "-c", probe], capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


if __name__ == "__main__":
    if INSIDE in os.environ:
        run("ip link set lo up")
        unittest.main()
    reason = why_not()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "-Ur", "-n", sys.executable, os.path.abspath(__file__), VIRTIFCTL, *sys.argv[1:]])
