# SPDX-License-Identifier: BSD-2-Clause
"""virtifd as a service: sockets it is handed, the user it becomes, and its systemd units.

usage: virtifd_service_test.py VIRTIFD VIRTIFCTL SERVICE_UNIT SOCKET_UNIT
"""

import fcntl
import http.client
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import unittest
from pathlib import Path

from daemon_case import FAILED, USAGE, VIRTIFCTL, VIRTIFD, Client, DaemonCase

UNITS = [Path(word).resolve() for word in sys.argv[3:5]]
# Starts a program as systemd does: LISTEN_FDS from descriptor 3 on. FDS PID-or-own NAMES COMMAND...
HAND_OVER = """
import os, sys
fds, pid, names = sys.argv[1].split(","), sys.argv[2] or str(os.getpid()), sys.argv[3]
for place, fd in enumerate(fds, 3):
    os.dup2(int(fd), place)
os.environ.update(LISTEN_PID=pid, LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=names)
os.execv(sys.argv[4], sys.argv[4:])
"""
NET_ADMIN_AND_RAW = 1 << 12 | 1 << 13


class Handed(DaemonCase):
    def hand(self, sockets, names, *words, pid=""):
        """The command and descriptors to start a virtifd with `sockets`."""
        high = [fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, 20) for s in sockets]
        for fd in high:
            self.addCleanup(os.close, fd)
        return [sys.executable, "-c", HAND_OVER, ",".join(map(str, high)), pid, names, VIRTIFD, *words], high

    def start_with(self, sockets, names, *words):
        command, fds = self.hand(sockets, names, *words)
        daemon = subprocess.Popen(command, pass_fds=fds, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, daemon)
        return daemon

    def refused(self, sockets, names):
        command, fds = self.hand(sockets, names, "--socket", self.folder / "refused.sock")
        run = subprocess.run(command, pass_fds=fds, capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(run.returncode, FAILED, run.stderr)
        return run.stderr

    def unix_listener(self, name):
        made = socket.socket(socket.AF_UNIX)
        self.addCleanup(made.close)
        made.bind(str(self.folder / name))
        made.listen()
        return made

    def tcp_listener(self):
        made = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(made.close)
        return made

    def test_serves_the_sockets_it_is_handed(self):
        path, web = self.folder / "handed.sock", self.tcp_listener()
        early = socket.socket(socket.AF_UNIX)
        self.addCleanup(early.close)
        control = self.unix_listener("handed.sock")
        early.connect(str(path))  # before there is a virtifd: that is what activation is for
        early.sendall(b'{"jsonrpc":"2.0","id":1,"method":"version"}\n')
        daemon = self.start_with([web, control], "metrics:virtifd.socket", "--socket", self.path)  # one is there
        self.assertEqual(daemon.stderr.readline(), f"virtifd: listening at {path}\n")
        self.assertEqual(daemon.stderr.readline(), "virtifd: metrics at a socket that was handed over\n")
        self.assertEqual(json.loads(early.makefile().readline())["result"]["protocol"], 1)
        client = http.client.HTTPConnection("127.0.0.1", web.getsockname()[1], timeout=20)
        self.addCleanup(client.close)
        client.request("GET", "/metrics")
        self.assertIn(b"virtifd_clients 1\n", client.getresponse().read())
        self.stop(daemon)
        self.assertTrue(path.exists(), "the file is the service manager's")
        daemon = self.start_with([control], "")  # and the socket is good for the next one
        daemon.stderr.readline()
        with Client(path) as again:
            again.call("version")

    def test_is_not_for_another_process(self):
        command, fds = self.hand([self.tcp_listener()], "metrics", "--socket", self.folder / "own.sock", pid="1")
        daemon = subprocess.Popen(command, pass_fds=fds, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, daemon)
        self.assertIn("own.sock", daemon.stderr.readline())

    def test_says_what_is_wrong_with_what_it_is_handed(self):
        datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(datagrams.close)
        self.assertIn("ListenStream=", self.refused([datagrams], "control"))
        self.assertIn("must be a Unix one", self.refused([self.tcp_listener()], "control"))
        self.assertIn("two sockets", self.refused([self.unix_listener("a"), self.unix_listener("b")], "x:y"))
        with open(self.folder / "file", "w", encoding="ascii") as file:
            self.assertIn("ListenStream=", self.refused([file], "metrics"))
        for wrong in ("0", "x", "500"):
            run = subprocess.run(["sh", "-c", f'LISTEN_PID=$$ LISTEN_FDS={wrong} exec "$@"', "sh", VIRTIFD, "--socket",
                                  self.folder / "refused.sock"], text=True, capture_output=True, check=False, timeout=60)
            self.assertEqual(run.returncode, FAILED)
            self.assertIn("LISTEN_FDS", run.stderr)


@unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
class Unprivileged(DaemonCase):
    VETH = "ip link add vifuser0 type veth peer name vifuser1 && ip link set vifuser0 up && ip link set vifuser1 up && "

    def setUp(self):
        super().setUp()
        self.nobody = pwd.getpwnam("nobody")
        self.folder.chmod(0o755)
        self.own = self.folder / "own"
        self.own.mkdir()
        os.chown(self.own, self.nobody.pw_uid, self.nobody.pw_gid)
        self.socket, self.state = self.own / "virtif.sock", self.own / "state.json"
        self.config = self.folder / "config.json"
        self.config.write_text(json.dumps({"interfaces": [
            {"ifname": "virt0", "linkstr": "tap:vifuser", "up": True, "addr": ["192.0.2.1/24"]},
            {"ifname": "virt1", "linkstr": "uring:vifuser0", "up": True}]}))
        self.config.chmod(0o600)

    def begin(self, *words):
        """In a network of its own, where it may make what it likes, and which goes with it."""
        daemon = subprocess.Popen(["unshare", "-n", "sh", "-c", self.VETH + 'exec "$@"', "sh", VIRTIFD, "--socket",
                                   self.socket, *words], stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.stop, daemon)
        said = daemon.stderr.readline()
        if "/dev/net/tun" in said:
            self.skipTest(said)
        self.assertIn("listening at", said)
        return daemon

    def statuses(self, daemon):
        """What each of its threads is, and may do."""
        for task in Path(f"/proc/{daemon.pid}/task").iterdir():
            yield dict(re.findall(r"^(\w+):\s*(.*)$", (task / "status").read_text(), re.MULTILINE))

    def check_is_nobody(self, daemon, capabilities):
        uid, gid = str(self.nobody.pw_uid), str(self.nobody.pw_gid)
        threads = list(self.statuses(daemon))
        self.assertGreater(len(threads), 1)
        for status in threads:
            self.assertEqual(status["Uid"].split(), [uid] * 4)
            self.assertEqual(status["Gid"].split(), [gid] * 4)
            self.assertEqual(status["Groups"].split(), [gid])
            self.assertEqual(status["NoNewPrivs"], "1")
            for held in ("CapPrm", "CapEff"):
                self.assertEqual(int(status[held], 16), capabilities)
            for none in ("CapInh", "CapAmb"):
                self.assertEqual(int(status[none], 16), 0)

    def test_gives_up_everything_once_its_devices_are_open(self):
        daemon = self.begin("--user", "nobody", "--config", self.config, "--state", self.state)
        self.check_is_nobody(daemon, 0)
        self.assertEqual(self.socket.stat().st_uid, self.nobody.pw_uid)
        self.assertEqual(self.state.stat().st_uid, self.nobody.pw_uid)
        inside = ["nsenter", "-t", str(daemon.pid), "-n"]
        subprocess.run([*inside, "sh", "-c", "ip addr add 192.0.2.2/24 dev vifuser; ip link set vifuser up"], check=True)
        ping = subprocess.run([*inside, "ping", "-c1", "-w20", "192.0.2.1"], capture_output=True, text=True, check=False)
        self.assertIn("1 received", ping.stdout, "the TAP goes on")
        with Client(self.socket) as client:
            for linkstr in ("tap:vifmore", "uring:vifuser1"):
                self.assertIn(client.call("link.add", ifname="virt2", linkstr=linkstr)["data"]["errno"], ("EPERM", "EACCES"))
            client.call("link.add", ifname="virt2", linkstr="mem:lan", up=True)
            client.call("link.set", ifname="virt0", up=False)
            self.assertIn("UP", client.call("link.set", ifname="virt0", up=True)["flags"], "what is open can be used")
        speak = ["setpriv", f"--reuid={self.nobody.pw_uid}", f"--regid={self.nobody.pw_gid}", "--clear-groups", VIRTIFCTL,
                 "link", "-j", "--socket", self.socket]
        links = json.loads(subprocess.run(speak, capture_output=True, text=True, check=True).stdout)
        self.assertEqual([link["ifname"] for link in links], ["virt0", "virt1", "virt2"], "its own user may speak")
        self.stop(daemon)
        self.assertEqual(daemon.returncode, 0)
        self.assertFalse(self.socket.exists())
        self.assertEqual(len(json.loads(self.state.read_text())["interfaces"]), 3, "and it kept what was set")

    def test_keeps_what_it_is_told_to_keep(self):
        daemon = self.begin("--user", "nobody:nogroup", "--keep-net-admin", "--config", self.config)
        self.check_is_nobody(daemon, NET_ADMIN_AND_RAW)
        with Client(self.socket) as client:
            made = client.call("link.add", ifname="virt2", linkstr="tap:vifmore", up=True)
            everybodys = os.stat("/dev/net/tun").st_mode & 0o006 == 0o006  # as udev makes it
            self.assertIn("ifname" if everybodys else "chmod 0666", made if everybodys else made["message"])
            self.assertIn("ifname", client.call("link.add", ifname="virt3", linkstr="uring:vifuser1", up=True))
            self.assertEqual(client.call("link.add", ifname="virt4", linkstr=f"pcap:{self.config}")["data"]["errno"], "EACCES")

    def test_a_killed_one_of_another_user_is_followed_by_a_clean_one(self):
        daemon = self.begin("--user", "nobody")
        daemon.kill()
        daemon.wait(20)
        self.begin("--user", "nobody")

    def test_says_why_it_cannot_become_somebody(self):
        for words, said, status in ((["--user", "no-such-user"], "no user 'no-such-user'", FAILED),
                                    (["--user", "nobody:no-such-group"], "no group 'no-such-group'", FAILED),
                                    (["--user", "nobody", "--state", self.folder / "not-ours.json"], "cannot make", FAILED),
                                    (["--keep-net-admin"], "--user", USAGE)):
            run = subprocess.run([VIRTIFD, "--socket", self.socket, *words], capture_output=True, text=True, check=False,
                                 timeout=60)
            self.assertEqual(run.returncode, status, run.stderr)
            self.assertIn(said, run.stderr)
        self.folder.chmod(0o755)
        run = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", VIRTIFD, "--socket", self.own / "other.sock", "--user", "nobody"],
                             capture_output=True, text=True, check=False, timeout=60)
        self.assertIn("--user needs root", run.stderr)


class Units(unittest.TestCase):
    def setUp(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed (Debian: systemd)")

    def analyze(self, *words):
        run = subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=60)
        if "Failed to connect" in run.stderr or "Read-only" in run.stderr:
            self.skipTest(run.stderr)
        self.assertEqual((run.returncode, run.stderr), (0, ""), run.stdout)

    def test_are_what_systemd_understands(self):
        with self.subTest("verify"):
            installed = Path("/tmp") / f"vif-units-{os.getpid()}"
            installed.mkdir()
            self.addCleanup(shutil.rmtree, installed)
            service = re.sub(r"^ExecStart=\S+", f"ExecStart={VIRTIFD}", UNITS[0].read_text(), flags=re.MULTILINE)
            (installed / "virtifd.service").write_text(service)
            shutil.copy(UNITS[1], installed / "virtifd.socket")
            self.analyze("verify", "--man=no", installed / "virtifd.service", installed / "virtifd.socket")
        with self.subTest("security"):  # of 100; 96 is a service that asked for nothing
            self.analyze("security", "--offline=true", "--no-pager", "--threshold=25", UNITS[0])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
