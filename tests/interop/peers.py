# SPDX-License-Identifier: BSD-2-Clause
"""What tests with real clients stand on: a network namespace of their own, the host under test in it, and its peer, the
kernel of this machine, with its counters.

A test program calls alone(TOOLS...) first: it starts itself again in a fresh namespace, which goes when it ends, or
skips aloud. Everything the program starts is in that namespace; nothing outside is touched.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time

SKIPPED = 77  # what meson counts as skipped
INSIDE = "VIRTIF_INTEROP_INSIDE"


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def alone(*tools):
    """From here on the program is in a network namespace of its own, in which it is root, and `tools` are there."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        skip(f"needs {', '.join(missing)}; tools/setup check installs them")
    if os.environ.get(INSIDE):
        run("ip link set lo up")
        return
    unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
    tried = subprocess.run([*unshare, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        skip(f"no network namespace: {tried.stderr.strip()}")
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        skip("no /dev/net/tun that can be opened")
    os.environ[INSIDE] = "1"
    os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])


def run(words, timeout=120, **options):
    """Runs a command (a string is cut at spaces) and returns what it printed; anything but success is an error."""
    words = words.split() if isinstance(words, str) else [str(word) for word in words]
    options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=timeout, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: exit status {done.returncode}\n{done.stderr.decode(errors='replace')}")
    return done.stdout


def settled(read, still=0.3, patience=10):
    """Reads until nothing has changed for `still` seconds."""
    end, last, since = time.monotonic() + patience, read(), time.monotonic()
    while time.monotonic() - since < still and time.monotonic() < end:
        time.sleep(0.05)
        now = read()
        if now != last:
            last, since = now, time.monotonic()
    return last


@contextlib.contextmanager
def host(program, linkstr, *addresses):
    """The host under test, until it ends with the block: a program that says "ready", answers each line on its standard
    input with a line of JSON, and ends with its input. Gives a function that asks for that line."""
    with subprocess.Popen([program, linkstr, *addresses], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as process:
        try:
            if process.stdout.readline() != "ready\n":
                raise AssertionError(f"{program} {linkstr} did not begin (it says why above)")

            def ask():
                process.stdin.write("counters\n")
                process.stdin.flush()
                return json.loads(process.stdout.readline())
            yield ask
            process.stdin.close()
            status = process.wait(30)
            if status != 0:
                raise AssertionError(f"{program}: exit status {status}")
        finally:
            process.kill()


def up(name, *addresses):
    """The kernel's end of a TAP: its addresses, usable at once."""
    for address in addresses:
        run(["ip", "address", "add", address, "dev", name, *(["nodad"] if ":" in address else [])])
    run(["ip", "link", "set", name, "up"])


def interface(name):
    """The kernel's counters of an interface: {"rx": {"packets": ...}, "tx": {"packets", "dropped", ...}}."""
    return json.loads(run(["ip", "-s", "-j", "link", "show", "dev", name]))[0]["stats64"]


def snmp(protocol):
    """The kernel's counters of a protocol over IPv4: {"InDatagrams": ...}."""
    with open("/proc/net/snmp", encoding="ascii") as lines:
        names, values = (line.split()[1:] for line in lines if line.startswith(protocol + ":"))
    return dict(zip(names, map(int, values)))
