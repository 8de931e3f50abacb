# SPDX-License-Identifier: BSD-2-Clause
"""virtifctl run: programs behind virtif, as what they print, how they end and what they leave.

usage: run_cli_test.py VIRTIFD VIRTIFCTL
"""

import contextlib
import json
import os
import pty
import secrets
import shutil
import signal
import subprocess
import sys
import time
import unittest

from daemon_case import FAILED, USAGE, VIRTIFCTL, DaemonCase

NOT_BEGUN, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127
# As root: a /dev of one's own, where everybody may have TAPs.
EVERYBODY = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs -o dev none /mnt && mknod -m 666 /mnt/tun c 10 200 && '
             'mount --bind /mnt/tun /dev/net/tun && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"', "sh"]


def run(*words, before=()):
    return subprocess.run([*before, VIRTIFCTL, "run", *words], capture_output=True, text=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL)


def need_rooms():
    done = run("--", "true")
    if done.returncode == NOT_BEGUN:
        raise unittest.SkipTest(f"this host gives no TAP in a namespace of one's own: {done.stderr.strip()}")


class RunCli(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        need_rooms()

    def test_reaches_its_gateway(self):
        done = run("--", "ping", "-c", "1", "-W", "5", "192.0.2.1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("1 received", done.stdout)
        done = run("--address", "10.1.2.3/16", "--", "ping", "-c", "1", "-W", "5", "10.1.0.1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_reaches_its_gateways_of_both_families(self):
        words = ["--address", "10.9.0.1/24", "--address", "2001:db8::2/64", "--address", "10.8.0.7/24", "--"]
        done = run(*words, "sh", "-c", "ping -c 1 -W 5 10.9.0.2 && ping -c 1 -W 5 10.8.0.1 && ping -c 1 -W 5 2001:db8::1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_has_all_of_its_addresses(self):
        own = [f"192.0.2.{last}" for last in (10, 1, 11, 12, 13)] + ["10.0.0.0"]
        words = [word for address in own for word in ("--address", address + ("/31" if address == "10.0.0.0" else "/24"))]
        done = run(*words, "--", "sh", "-c", "ip -j -4 addr show eth0; ping -c 1 -W 5 192.0.2.2 >&2 && ping -c 1 -W 5 10.0.0.1 >&2")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertCountEqual([address["local"] for address in json.loads(done.stdout)[0]["addr_info"]], own)

    def test_has_nothing_else(self):
        done = run("--", "ip", "-j", "addr")
        inside = {link["ifname"]: link for link in json.loads(done.stdout)}
        self.assertEqual(set(inside), {"lo", "eth0"})
        self.assertIn("192.0.2.2", [address["local"] for address in inside["eth0"]["addr_info"]])
        self.assertIn("UP", inside["lo"]["flags"])
        done = run("--", "ip", "-j", "route", "show", "default")
        self.assertEqual(json.loads(done.stdout)[0]["gateway"], "192.0.2.1")

    def test_ends_as_the_program_does(self):
        self.assertEqual(run("--", "sh", "-c", "exit 7").returncode, 7)
        self.assertEqual(run("--", "sh", "-c", "kill -TERM $$").returncode, 128 + signal.SIGTERM)
        missing = run("--", "/no/such/program")
        self.assertEqual(missing.returncode, NOT_FOUND)
        self.assertIn("cannot run /no/such/program", missing.stderr)
        self.assertEqual(run("--", "/etc").returncode, NOT_EXECUTABLE)

    def test_says_what_it_needs(self):
        self.assertEqual(run().returncode, USAGE)
        self.assertIn("--address", run("--address", "x", "--", "true").stderr)
        self.assertEqual(run("--gateway", "192.0.2", "--", "true").returncode, USAGE)
        for unknown in ("nonsense:x", "inside:x"):
            done = run("--linkstr", unknown, "--", "true")
            self.assertEqual(done.returncode, NOT_BEGUN)
            self.assertIn(f"{unknown}: no backend", done.stderr)
            self.assertNotIn("inside,", done.stderr)
        alone = run("--address", "192.0.2.1", "--", "true")
        self.assertEqual((alone.returncode, alone.stderr), (USAGE, "virtifctl: --address 192.0.2.1 needs a length, as in /24\n"))
        own = run("--address", "192.0.2.1/24", "--gateway", "192.0.2.1", "--", "true")
        self.assertEqual(own.returncode, USAGE)
        self.assertIn("the program's own address", own.stderr)
        self.assertEqual(run("--gateway", "198.51.100.1", "--linkstr", "mem:x", "--", "true").returncode, NOT_BEGUN)

    def begin(self, *words, before=()):
        started = subprocess.Popen([*before, VIRTIFCTL, "run", *words], stdout=subprocess.PIPE, text=True)
        self.addCleanup(started.stdout.close)
        self.addCleanup(started.wait)
        self.addCleanup(started.kill)
        return started

    def test_hands_signals_on(self):
        started = self.begin("--", "sh", "-c", "trap 'exit 9' USR1; echo there; while :; do sleep 0.05; done")
        self.assertEqual(started.stdout.readline(), "there\n")
        started.send_signal(signal.SIGUSR1)
        self.assertEqual(started.wait(20), 9)
        started = self.begin("--", "sh", "-c", "echo there; exec sleep 60")
        self.assertEqual(started.stdout.readline(), "there\n")
        started.send_signal(signal.SIGTERM)
        self.assertEqual(started.wait(20), 128 + signal.SIGTERM)

    def test_takes_the_program_along_when_it_is_killed(self):
        started = self.begin("--", "sh", "-c", "echo $$; exec sleep 60")
        inside = int(started.stdout.readline())
        started.kill()
        with contextlib.suppress(ProcessLookupError):
            while True:  # it has no namespace of processes: the number is ours, too
                os.kill(inside, 0)
                time.sleep(0.02)

    def test_leaves_the_terminal_to_the_program(self):
        inside = ("import os, signal, sys, time; n = 0\n"
                  "def count(*_):\n global n; n += 1\n"
                  "signal.signal(signal.SIGINT, count); print('tty', os.isatty(0), flush=True)\n"
                  "line = sys.stdin.readline().strip(); time.sleep(0.3); print(line, n, flush=True)")
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(VIRTIFCTL, [VIRTIFCTL, "run", "--", sys.executable, "-c", inside])
        with open(terminal, "rb+", buffering=0) as screen:
            said = b""
            while b"tty True" not in said:
                said += screen.read(1000)
            screen.write(b"\x03")
            time.sleep(0.2)
            screen.write(b"hello\n")
            while b"hello 1" not in said:  # once: not by the terminal and by virtifctl
                said += screen.read(1000)
                self.assertNotIn(b"hello 2", said)
            # The terminal stays for as long as the program does, which would hear of its end otherwise.
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, said)

    def test_serves_a_program_on_the_same_segment(self):
        segment = f"shm:/vif-run-{secrets.token_hex(4)}"
        server = self.begin("--linkstr", segment, "--address", "192.0.2.7/24", "--", sys.executable, "-c",
                            "import http.server as h; s = h.HTTPServer(('192.0.2.7', 80), h.SimpleHTTPRequestHandler);"
                            "print('there', flush=True); s.serve_forever()")
        self.assertEqual(server.stdout.readline(), "there\n")
        done = run("--linkstr", segment, "--address", "192.0.2.8/24", "--", "curl", "-s", "--max-time", "20",
                   "http://192.0.2.7/")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Directory listing", done.stdout)
        server.terminate()  # so that the segment goes with its last user
        server.wait(20)

    def test_needs_no_root(self):
        if os.geteuid() != 0:
            self.skipTest("the other tests ran without root")
        done = run("--", "sh", "-c", "id -u; ping -c 1 -W 5 192.0.2.1", before=EVERYBODY)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue(done.stdout.startswith("0\n"), "root inside")
        started = self.begin("--", "sh", "-c", "echo there; exec sleep 60", before=EVERYBODY)
        self.assertEqual(started.stdout.readline(), "there\n")
        started.send_signal(signal.SIGTERM)
        self.assertEqual(started.wait(20), 128 + signal.SIGTERM)

    def test_says_who_gives_tap_devices(self):
        if os.geteuid() != 0:
            self.skipTest("only root can be somebody else")
        done = run("--", "true", before=[word.replace("666", "600") for word in EVERYBODY])
        self.assertEqual(done.returncode, NOT_BEGUN)
        self.assertIn("chmod 0666 /dev/net/tun", done.stderr)


class RunBesideVirtifd(DaemonCase):
    def test_is_on_the_wire_of_a_virtifd(self):
        need_rooms()
        wire = self.folder / "wire"
        self.ctl("link", "add", "virt0", "linkstr", f"stream:{wire},listen")
        self.ctl("addr", "add", "192.0.2.1/24", "dev", "virt0")
        done = run("--linkstr", f"stream:{wire}", "--address", "192.0.2.9/24", "--gateway", "192.0.2.1", "--",
                   "ping", "-c", "1", "-W", "5", "192.0.2.1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("192.0.2.9 dev virt0 lladdr", self.ctl("neigh"))

    def test_gives_virtifd_a_lease(self):
        need_rooms()
        if not shutil.which("dnsmasq"):
            self.skipTest("dnsmasq is not installed")
        wire = self.folder / "wire"
        self.ctl("link", "add", "virt0", "linkstr", f"stream:{wire},listen")
        self.ctl("addr", "add", "dhcp", "dev", "virt0")
        self.assertIn("asks for a lease already", self.ctl("addr", "add", "dhcp", "dev", "virt0", status=FAILED))
        server = subprocess.Popen(
            [VIRTIFCTL, "run", "--linkstr", f"stream:{wire}", "--address", "192.0.2.1/24", "--", "dnsmasq", "--no-daemon",
             "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--bind-interfaces", "--user=root", "--no-ping",
             "--dhcp-authoritative", f"--dhcp-leasefile={self.folder}/leases", "--pid-file=", "--log-facility=/dev/null",
             "--dhcp-range=192.0.2.100,192.0.2.100,255.255.255.0,600", "--dhcp-option=option:mtu,1400",
             "--dhcp-option=option:dns-server,192.0.2.53"], stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        end = time.monotonic() + 60
        while "dhcp bound" not in self.ctl("addr"):
            self.assertLess(time.monotonic(), end, self.ctl("addr"))
            time.sleep(0.1)
        shown = self.ctl("addr")
        self.assertIn("dhcp bound server 192.0.2.1 dns 192.0.2.53\n", shown)
        self.assertIn("inet 192.0.2.100/24 brd 192.0.2.255 scope global proto dhcp\n", shown)
        self.assertIn("mtu 1400", shown)
        self.assertIn("default via 192.0.2.1 dev virt0 proto dhcp\n", self.ctl("route"))
        self.assertIn("1 received", self.ctl("ping", "-c", "1", "192.0.2.1"))
        config = json.loads(self.ctl("config"))
        self.assertEqual((config["interfaces"][0]["addr"], config["routes"]), (["dhcp"], []))
        (self.folder / "config").write_text(json.dumps(config))
        self.ctl("config", "--apply", self.folder / "config")
        self.ctl("addr", "del", "dhcp", "dev", "virt0")
        self.assertNotIn("192.0.2.100", self.ctl("addr"))
        self.assertNotIn("default", self.ctl("route"))
        self.assertIn("asks for no lease", self.ctl("addr", "del", "dhcp", "dev", "virt0", status=FAILED))
        self.ctl("config", "--apply", self.folder / "config")
        self.assertRegex(self.ctl("addr"), "dhcp (init|selecting)")
        self.ctl("link", "del", "virt0")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
