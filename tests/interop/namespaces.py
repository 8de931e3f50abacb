# SPDX-License-Identifier: BSD-2-Clause
"""Real programs in as many network namespaces as a test likes: what the tests of netstack/inet stand on.

Nothing outlives a test, however it ends: a namespace is held by a process that ends with its standard input, every
program is killed when the test or its starter ends, and with a namespace go its interfaces. Without root a test runs
again as root of a user namespace of its own; where the host allows neither, it is skipped.
"""

import functools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

# The Debian package of each program that a test may need.
PACKAGES = {
    "arping": "iputils-arping", "bridge": "iproute2", "dnsmasq": "dnsmasq-base", "ip": "iproute2",
    "ndisc6": "ndisc6", "nping": "nmap", "nsenter": "util-linux", "ping": "iputils-ping", "radvd": "radvd",
    "rdisc6": "ndisc6", "setpriv": "util-linux", "socat": "socat",
    "tracepath": "iputils-tracepath", "traceroute": "traceroute", "unshare": "util-linux",
}
PATIENCE_S = 20  # for what has to happen, on a busy machine


def find(program):
    """Where a program is, also outside an ordinary user's PATH; None: nowhere."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


@functools.cache
def why_not(*programs):
    """Why tests that use these programs and namespaces cannot run here; empty: they can."""
    for program in ("ip", "nsenter", "setpriv", "unshare") + programs:
        if not find(program):
            return f"{program} is not installed (Debian: {PACKAGES.get(program, program)})"
    made = subprocess.run([find("unshare"), "--net", "true"], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        return f"cannot make a network namespace: {made.stderr.strip()}"
    return "" if os.access("/dev/net/tun", os.R_OK | os.W_OK) else "cannot open /dev/net/tun (Linux: modprobe tun)"


def needs(*programs):
    """Decorates a test or class of tests."""
    return unittest.skipIf(why_not(*programs), why_not(*programs))


def eventually(question, seconds=PATIENCE_S):
    """Asks again until the answer is true, and returns the last one."""
    end = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < end:
        time.sleep(0.05)
    return answer


class Namespace:
    """A network namespace with lo up and nothing else; interfaces in it begin to speak when a test says so."""

    def __init__(self, test):
        self.test = test
        self.holder = subprocess.Popen([find("unshare"), "--net", "sh", "-c", "echo; exec cat"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        test.addCleanup(self.close)
        self.holder.stdout.readline()
        self.ip("link set lo up")

    def close(self):
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.wait()

    def inside(self, words):
        """The command that runs `words` in here and dies with whoever started it."""
        program = find(words[0])
        assert program, f"{words[0]} is not installed"
        return [find("nsenter"), f"--net=/proc/{self.holder.pid}/ns/net", find("setpriv"), "--pdeathsig", "KILL",
                program, *map(str, words[1:])]

    def run(self, *words, timeout=PATIENCE_S * 2, **options):
        """Runs a program to its end: its CompletedProcess, with text."""
        return subprocess.run(self.inside(words), capture_output=True, text=True, check=False, timeout=timeout,
                              errors="replace", **options)

    def out(self, *words, **options):
        """What a program printed; anything but success fails the test."""
        done = self.run(*words, **options)
        self.test.assertEqual(done.returncode, 0, f"{' '.join(map(str, words))}: {done.stdout}{done.stderr}")
        return done.stdout

    def ip(self, words):
        return self.out("ip", *words.split())

    def ip_json(self, words):
        return json.loads(self.out("ip", "-j", *words.split()) or "[]")

    def interface(self, name):
        return self.ip_json(f"-s link show {name}")[0]

    def snmp(self):
        """The kernel's counters of IP and what is above: {"IcmpInEchoReps": ..., "Icmp6InEchoReplies": ...}."""
        lines = [line.split() for line in self.read("/proc/net/snmp").splitlines()]
        ip4 = {protocol[:-1] + name: int(value) for (protocol, *names), (_, *values) in zip(lines[::2], lines[1::2])
               for name, value in zip(names, values)}
        return ip4 | {name: int(value) for name, value in map(str.split, self.read("/proc/net/snmp6").splitlines())}

    def set(self, name, value):
        """Sets a sysctl of this namespace: "net/ipv4/ip_forward"."""
        self.out("sh", "-c", f"echo {value} > /proc/sys/{name}")

    def read(self, path):
        return self.out("cat", path)

    def start(self, *words, **options):
        """Starts a program that goes on: its Popen, with text. What it says on stderr is shown when the test fails."""
        errors = tempfile.TemporaryFile(mode="w+")
        running = subprocess.Popen(self.inside(words), text=True, stderr=errors, **options)
        running.errors = errors
        self.test.addCleanup(end, running)
        return running

    def python(self, source, *words, **options):
        return self.start(sys.executable, "-c", source, *words, **options)


def end(running, how=signal.SIGKILL):
    """Ends a program that was started, if it has not ended; harmless twice."""
    if running.poll() is None:
        running.send_signal(how)
    try:
        running.wait(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
    for stream in (running.stdin, running.stdout, running.errors):
        if stream and not stream.closed:
            stream.close()
    return running.returncode


def said(running):
    """What a started program has written to stderr by now."""
    running.errors.seek(0)
    return running.errors.read()


class Conversation:
    """One of our programs that takes commands, a line each, and answers each with a line of JSON."""

    def __init__(self, namespace, *words):
        self.test = namespace.test
        self.running = namespace.start(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.answer()  # its first line: it is ready

    def answer(self):
        readable, _, _ = select.select([self.running.stdout], [], [], PATIENCE_S)
        line = self.running.stdout.readline() if readable else ""
        if not line:
            self.test.fail(f"no answer, exit status {self.running.poll()}: {said(self.running)}")
        return json.loads(line)

    def tell(self, *words):
        """What the program answers to a command; an error fails the test."""
        answer = self.ask(*words)
        self.test.assertNotIn("error", answer, words)
        return answer

    def ask(self, *words):
        self.running.stdin.write(" ".join(map(str, words)) + "\n")
        self.running.stdin.flush()
        return self.answer()

    def finish(self):
        """Ends the program by closing its standard input: its last line."""
        self.running.stdin.close()
        last = self.answer()
        self.test.assertEqual(self.running.wait(PATIENCE_S), 0, said(self.running))
        return last


def main():
    """Runs the tests of the program; without root as the root of a user namespace, where the host allows it."""
    again = [find("unshare") or "unshare", "--user", "--map-root-user"]
    if os.geteuid() != 0 and subprocess.run([*again, "true"], capture_output=True, check=False).returncode == 0:
        os.execv(again[0], [*again, sys.executable, *sys.orig_argv[1:]])
    unittest.main(argv=sys.argv[:1], verbosity=2)
