# SPDX-License-Identifier: BSD-2-Clause
"""Draws docs/top.svg: what `virtifctl top` and `virtifctl link show -s` print, with traffic made for it.

usage: screens.py VIRTIFD VIRTIFCTL SVG
"""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from html import escape

virtifd, virtifctl, svg = sys.argv[1:]
COLUMNS, LINES, SECONDS = 100, 8, 16
CHARACTER, LINE, MARGIN = 8.4, 18, 14
# Echo requests a second through each interface, second by second.
SHAPES = {"virt0": (20, 50, 90, 140, 200, 240, 200, 120), "virt1": (80, 30), "virt2": (5, 5, 5, 60)}


def top_page(path, daemon_path):
    """The last whole page of a `virtifctl top`, as lines; the second is emphasised."""
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", LINES, COLUMNS, 0, 0))
        os.execv(path, [path, "top", "--interval", "0.5", "--socket", daemon_path])
    said, end = b"", time.monotonic() + SECONDS
    while time.monotonic() < end:
        said += os.read(terminal, 65536)
    os.kill(pid, signal.SIGTERM)
    os.waitpid(pid, 0)
    os.close(terminal)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-GI-Z]", "", said.decode())
    return plain.split("\x1b[H")[-2].replace("\r", "").rstrip("\n").split("\n")


def text_at(row, line, colour="#d8dee9"):
    y = MARGIN + (row + 0.75) * LINE
    return (f'<text x="{MARGIN}" y="{y:.0f}" fill="{colour}" xml:space="preserve" textLength="{len(line) * CHARACTER:.0f}" '
            f'lengthAdjust="spacingAndGlyphs">{escape(line)}</text>')


def drawn(rows):
    """An SVG of (line, kind) rows; kind: plain, command or heading."""
    width, height = 2 * MARGIN + COLUMNS * CHARACTER, 2 * MARGIN + len(rows) * LINE
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" '
             f'viewBox="0 0 {width:.0f} {height}" font-family="DejaVu Sans Mono,Menlo,Consolas,monospace" font-size="14">',
             '<rect width="100%" height="100%" rx="8" fill="#20242c"/>']
    for row, (line, kind) in enumerate(rows):
        if kind == "heading":
            parts.append(f'<rect x="{MARGIN}" y="{MARGIN + row * LINE}" width="{len(line) * CHARACTER:.0f}" '
                         f'height="{LINE}" fill="#d8dee9"/>')
        colour = {"command": "#a3be8c", "heading": "#20242c"}.get(kind, "#d8dee9")
        if line:
            parts.append(text_at(row, line, colour))
    return "\n".join([*parts, "</svg>", ""])


with tempfile.TemporaryDirectory(prefix="vif") as folder:
    near, far = f"{folder}/s", f"{folder}/f"
    daemons = [subprocess.Popen([virtifd, "--socket", path], stderr=subprocess.PIPE) for path in (near, far)]
    for daemon in daemons:
        daemon.stderr.readline()

    def ctl(*words, at=near):
        return subprocess.run([virtifctl, *words, "--socket", at], check=True, capture_output=True, text=True).stdout

    def pings(step):
        for number, rates in enumerate(SHAPES.values()):
            rate = rates[step % len(rates)]
            yield subprocess.Popen([virtifctl, "ping", f"192.0.{number}.2", "-c", str(rate), "-i", f"{1 / rate:.4f}", "-s",
                                    "1400", "--socket", near], stdout=subprocess.DEVNULL)

    try:
        for number, name in enumerate(SHAPES):
            ctl("link", "add", name, "linkstr", f"stream:{folder}/{name},listen")
            ctl("link", "add", name, "linkstr", f"stream:{folder}/{name}", at=far)
            ctl("addr", "add", f"192.0.{number}.1/24", "dev", name)
            ctl("addr", "add", f"192.0.{number}.2/24", "dev", name, at=far)
        page, step = [], 0
        watcher = threading.Thread(target=lambda: page.extend(top_page(virtifctl, near)))
        watcher.start()
        while watcher.is_alive():
            for ping in list(pings(step)):
                ping.wait()
            step += 1
        shown = ctl("link", "show", "virt0", "-s").replace(folder, "/run").splitlines()
    finally:
        for daemon in daemons:
            daemon.terminate()
            daemon.wait()
            daemon.stderr.close()
page[0] = page[0].replace(near, "/run/virtif.sock")[:COLUMNS]
rows = [("$ virtifctl top", "command")]
rows += [(line, "heading" if number == 1 else "plain") for number, line in enumerate(page)]
rows += [("", "plain"), ("$ virtifctl link show virt0 -s", "command"), *((line[:COLUMNS], "plain") for line in shown)]
with open(svg, "w", encoding="utf-8") as out:
    out.write(drawn(rows))
