# SPDX-License-Identifier: BSD-2-Clause
"""The examples in the documents do what they show: every command of a ```console block is run and its output compared.
Behind `unshare -Ur -n` it is run where this host allows that, and may find other offloads and calls than were shown.

usage: examples_test.py VIRTIFCTL SOURCE_DIR
"""

import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

UNSHARED = ["unshare", "-Ur", "-n"]
virtifctl, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()


def examples():
    """Each (document, command, what it shows)."""
    for document in [source / "README.md", *sorted((source / "docs").rglob("*.md"))]:
        for block in re.findall(r"^```console\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE):
            for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
                yield document, command, shown


def same(shown, printed, of_this_host):
    if of_this_host:
        shown, printed = (re.sub(r"(?m)^(  (?:offload|uses) ).*$", r"\1", text) for text in (shown, printed))
    return shown == printed


may_unshare = subprocess.run([*UNSHARED, "test", "-w", "/dev/net/tun"], capture_output=True, check=False).returncode == 0
ran = skipped = 0
problems = []
with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "tests").symlink_to(source / "tests")
    for document, command, shown in examples():
        words = shlex.split(command)
        unshared = words[:3] == UNSHARED
        words = words[3:] if unshared else words
        if words[:1] != ["virtifctl"]:
            problems.append(f"{document.name}: '{command}': only virtifctl can be run here")
            continue
        if unshared and not may_unshare:
            print(f"skipped: {document.name}: '{command}': this host gives no TAP in a namespace of one's own")
            skipped += 1
            continue
        done = subprocess.run([*(UNSHARED if unshared else []), virtifctl, *words[1:]], cwd=folder, capture_output=True,
                              text=True, check=False, timeout=60)
        ran += 1
        if not same(shown, done.stdout + done.stderr, unshared):
            problems.append(f"{document.name}: $ {command}\nshows\n{shown}\nprints\n{done.stdout}{done.stderr}")
if ran == 0:
    problems.append("no example was found: the documents lost their ```console blocks")
if problems:
    sys.exit("\n".join(problems))
print(f"{ran} examples print what the documents show, {skipped} skipped")
