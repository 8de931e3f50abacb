#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""virtifctl replay beside tcpreplay and a bare sender, by turns: how fast, how punctual, how late after a minute; and the
memory a large capture takes.

usage: replay_peers.py VIRTIFCTL BARE_SENDER [ROUNDS] [PART]...: PART is fast, tap, null, punctual, drift or memory; all of
them, when none is named. As root or under `unshare -Ur`; moves into a network namespace of its own.
"""

import ctypes
import gzip
import json
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

VIRTIFCTL, BARE = (Path(word).resolve() for word in sys.argv[1:3])
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 5
NEAR, FAR, TAP = "vifbench0", "vifbench1", "vifbench2"
CLONE_NEWNET = 0x40000000  # sched.h
SO_TIMESTAMPNS, ETH_P_ALL = 35, 3  # asm-generic/socket.h, linux/if_ether.h
FAST_FRAMES, FAST_PASSES = 20_000, 10
PARTS = sys.argv[4:] or ["fast", "tap", "null", "punctual", "drift", "memory"]
PUNCTUAL_RATE, PUNCTUAL_S, DRIFT_S = 200, 3, 60  # frames a second


def frame(number, size):
    return b"\x02\x76\x69\x66\x00\x0b\x02\x76\x69\x66\x00\x0a\x88\xb5" + struct.pack(">I", number) + bytes(size - 18)


def record(at_ns, data):
    return struct.pack("<IIII", at_ns // 10**9, at_ns % 10**9, len(data), len(data)) + data


HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)  # nanoseconds, Ethernet


def capture(path, sizes_and_times):
    path.write_bytes(HEADER + b"".join(record(at, frame(i, size)) for i, (size, at) in enumerate(sizes_and_times)))
    return path


def punctual_times(seconds):
    """Gaps of 0.1 to 20 ms, as in talk; always the same."""
    at, state, times = 10**9, 1, []
    for _ in range(PUNCTUAL_RATE * seconds):
        times.append((64 + state % 900, at))
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        at += 100_000 + (state % 9_800_000 if state % 3 == 0 else state % 3_000_000)
    scale = seconds * 10**9 / (at - 10**9)
    return [(size, int(10**9 + (when - 10**9) * scale)) for size, when in times]


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)


def received(name):
    [link] = json.loads(run("ip", "-j", "-s", "link", "show", name).stdout)
    return link["stats64"]["rx"]["packets"]


def ours(path, *options, to="uring:" + NEAR):
    done = run(VIRTIFCTL, "replay", path, "--to", to, "-j", *options)
    if done.returncode != 0:
        sys.exit(done.stderr + done.stdout)
    return json.loads(done.stdout)[0]["sent"]["pps"]


def theirs(path, *options):
    return pps(run("tcpreplay", "-i", NEAR, *options, path))


def bare(path, *passes, to="packet:" + NEAR):
    return pps(run(BARE, path, to, *passes))


def pps(done):
    found = re.search(r"([\d.]+) pps", done.stdout)
    if done.returncode != 0 or not found:
        sys.exit(done.stderr + done.stdout)
    return float(found.group(1))


def fast_capture(folder, size):
    return capture(folder / f"fast{size}.pcap", [(size, 10**9 + i) for i in range(FAST_FRAMES)])


def race(title, at, players):
    """Ours first, then the others; `at`: where every frame must arrive."""
    rates = {name: [] for name in players}
    for _ in range(ROUNDS):
        for name, play in players.items():
            before = received(at)
            rates[name].append(play())
            if received(at) - before < FAST_FRAMES * FAST_PASSES:
                sys.exit(f"{name}: only {received(at) - before} of {FAST_FRAMES * FAST_PASSES} frames arrived")
    ours_first, *others = rates
    for other in others:
        ratios = sorted(a / b for a, b in zip(rates[ours_first], rates[other]))
        print(f"{title}: {ours_first} {statistics.median(rates[ours_first]) / 1000:.0f} k/s, "
              f"{other} {statistics.median(rates[other]) / 1000:.0f} k/s, "
              f"ratio {ratios[0]:.2f} {statistics.median(ratios):.2f} {ratios[-1]:.2f}", flush=True)


def fast(folder, size):
    path = fast_capture(folder, size)
    race(f"top speed, {size} B, veth", FAR,
         {"virtifctl": lambda: ours(path, "--speed", "top", "--loop", FAST_PASSES),
          "tcpreplay -K": lambda: theirs(path, "-t", "-K", "-l", FAST_PASSES), "send()": lambda: bare(path, FAST_PASSES)})


def tap(folder, size):
    path = fast_capture(folder, size)
    run("ip", "tuntap", "add", TAP, "mode", "tap")
    run("ip", "link", "set", TAP, "up")
    words = ("--speed", "top", "--loop", FAST_PASSES)
    race(f"top speed, {size} B, TAP", TAP,
         {"virtifctl": lambda: ours(path, *words, to="tap:" + TAP),
          "write()": lambda: bare(path, FAST_PASSES, to="tap:" + TAP)})
    race(f"top speed, {size} B, TAP", TAP,
         {"virtifctl, offload=off": lambda: ours(path, *words, to=f"tap:{TAP},offload=off"),
          "write()": lambda: bare(path, FAST_PASSES, to="tap:" + TAP)})


def null(folder):
    path = capture(folder / "null.pcap", [(64, 10**9 + i) for i in range(1_000_000)])
    rates = sorted(ours(path, "--speed", "top", to="null:") / 1e6 for _ in range(ROUNDS))
    print(f"top speed, 64 B, a file of 80 MB to null: {rates[0]:.1f} {statistics.median(rates):.1f} {rates[-1]:.1f} M/s", flush=True)


class Stopwatch(threading.Thread):
    """The kernel's time of each frame that arrives."""

    def __init__(self, count):
        super().__init__()
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.bind((FAR, ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.settimeout(15)
        self.count, self.times = count, []

    def run(self):
        while len(self.times) < self.count:
            try:
                data, extra, _, _ = self.socket.recvmsg(64, 256)
            except TimeoutError:
                return
            if data[12:14] == b"\x88\xb5":
                seconds, ns = struct.unpack("qq", extra[0][2][:16])
                self.times.append(seconds * 10**9 + ns)


def punctual(folder, seconds, rounds):
    wanted = punctual_times(seconds)
    path = capture(folder / f"punctual{seconds}.pcap", wanted)
    gaps = [b[1] - a[1] for a, b in zip(wanted, wanted[1:])]
    players = {"virtifctl": lambda: ours(path), "tcpreplay": lambda: theirs(path), "tcpreplay -K": lambda: theirs(path, "-K"),
               "sleep, spin, send()": lambda: bare(path)}
    seen = {name: [] for name in players}
    for _ in range(rounds):
        for name, play in players.items():
            watch = Stopwatch(len(wanted))
            watch.start()
            play()
            watch.join()
            if len(watch.times) < len(wanted):
                sys.exit(f"{name}: only {len(watch.times)} of {len(wanted)} frames arrived")
            errors = sorted(abs(b - a - gap) / 1000 for a, b, gap in zip(watch.times, watch.times[1:], gaps))
            late = [(at - watch.times[0] - (due - wanted[0][1])) / 1000 for at, (_, due) in zip(watch.times, wanted)]
            tenth = len(late) // 10
            # The most punctual frames: what adds up makes those late as well, what a busy machine costs one frame does not.
            drift = min(late[-tenth:]) - min(late[:tenth])
            seen[name].append((errors[len(errors) // 2], errors[len(errors) * 99 // 100], errors[-1], late[-1], drift))
    for name, columns in seen.items():
        p50, p99, most, last, drift = (statistics.median(column) for column in zip(*columns))
        print(f"recorded times, {len(wanted)} frames in {seconds} s, {rounds} rounds: {name}: gap error p50 {p50:.0f} us, "
              f"p99 {p99:.0f} us, max {most:.0f} us, the last frame {last:+.0f} us, drift {drift:+.0f} us", flush=True)


def memory(folder):
    """Ten gigabytes of frames, unpacked on the way."""
    members = b"".join(record(10**9, frame(i, 1500)) for i in range(700))
    packed, path = gzip.compress(members), folder / "large.pcap.gz"
    count = 10 * 2**30 // len(members) + 1
    with open(path, "wb") as file:
        file.write(gzip.compress(HEADER))
        for _ in range(count):
            file.write(packed)
    begun = time.monotonic()
    process = subprocess.Popen([VIRTIFCTL, "replay", path, "--to", "null:", "--speed", "top", "-j"], stdout=subprocess.PIPE, text=True)
    most = 0
    while process.poll() is None:
        held = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text(encoding="ascii"))
        most = max(most, int(held.group(1)) if held else 0)
        time.sleep(0.1)
    sent = json.loads(process.stdout.read())[0]["sent"]
    if process.returncode != 0 or sent["frames"] != 700 * count:
        sys.exit(f"of {700 * count} frames {sent['frames']} were sent")
    print(f"{sent['bytes'] / 2**30:.1f} GiB of gzip to null: {most // 1024} MiB at most, {sent['frames'] / 1e6:.1f} M frames "
          f"in {time.monotonic() - begun:.0f} s", flush=True)


def main():
    if not shutil.which("tcpreplay"):
        sys.exit("tcpreplay is not installed (Debian: tcpreplay)")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        sys.exit("cannot make a network namespace: expected root, or unshare -Ur")
    run("ip", "link", "add", NEAR, "type", "veth", "peer", "name", FAR)
    for name in (NEAR, FAR):
        Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1", encoding="ascii")
        run("ip", "link", "set", name, "up")
    with tempfile.TemporaryDirectory(prefix="vif-replay-bench-") as name:
        for part, race_on in (("fast", fast), ("tap", tap)):
            for size in (64, 1514) if part in PARTS else ():
                race_on(Path(name), size)
        if "null" in PARTS:
            null(Path(name))
        if "punctual" in PARTS:
            punctual(Path(name), PUNCTUAL_S, ROUNDS)
        if "drift" in PARTS:
            punctual(Path(name), DRIFT_S, 1)
        if "memory" in PARTS:
            memory(Path(name))


if __name__ == "__main__":
    main()
