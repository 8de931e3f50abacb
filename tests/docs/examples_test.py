# SPDX-License-Identifier: BSD-2-Clause
"""The examples in the documents do what they show: every command of a ```console block is run and its output compared.

usage: examples_test.py VIRTIFCTL SOURCE_DIR
"""

import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

virtifctl, source = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
documents = [source / "README.md", *sorted((source / "docs").glob("*.md"))]
ran = 0
problems = []
with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "tests").symlink_to(source / "tests")
    for document in documents:
        for block in re.findall(r"^```console\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE):
            for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE):
                words = shlex.split(command)
                if words[0] != "virtifctl":
                    problems.append(f"{document.name}: '{command}': only virtifctl can be run here")
                    continue
                done = subprocess.run([virtifctl, *words[1:]], cwd=folder, capture_output=True, text=True, check=False,
                                      timeout=60)
                ran += 1
                if done.stdout + done.stderr != shown:
                    problems.append(f"{document.name}: $ {command}\nshows\n{shown}\nprints\n{done.stdout}{done.stderr}")
if ran == 0:
    problems.append("no example was found: the documents lost their ```console blocks")
if problems:
    sys.exit("\n".join(problems))
print(f"{ran} examples print what the documents show")
