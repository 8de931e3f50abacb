# SPDX-License-Identifier: BSD-2-Clause
"""docs/protocol.md is what virtifd does: its list of methods is virtifd's own, and its conversation takes place.

usage: protocol_test.py VIRTIFD SOURCE_DIR [--write]    --write puts the list of methods into the document
"""

import json
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

virtifd, document = Path(sys.argv[1]).resolve(), Path(sys.argv[2]) / "docs" / "protocol.md"
LIST_BEGINS = "The rest is the table of verbs.\n"


def reference(verbs):
    """The list of methods, as Markdown."""
    text = []
    for verb in verbs:
        text.append(f"\n### {verb['name']}\n\n{verb['says']} Returns {verb['returns']}.\n")
        if verb["params"]:
            text.append("\n| parameter | type | |\n|---|---|---|\n")
        for param in verb["params"]:
            needed = "" if param["required"] else " (may be left out)"
            text.append(f"| `{param['name']}` | {param['type']} | {param['says']}{needed} |\n")
    return "".join(text)


def converse(lines, client):
    """What the conversation of the document shows and virtifd does not say."""
    problems = []
    stream = client.makefile("rwb")
    for line in lines:
        way, text = line.split(" ", 1)
        if way == "->":
            stream.write(text.encode() + b"\n")
            stream.flush()
            continue
        said = stream.readline().decode().rstrip("\n")
        shown = ".*".join(re.escape(piece) for piece in text.split("…"))
        if not re.fullmatch(shown, said):
            problems.append(f"the document shows\n{text}\nvirtifd says\n{said}")
    return problems


with tempfile.TemporaryDirectory() as folder:
    path = f"{folder}/s"
    daemon = subprocess.Popen([virtifd, "--socket", path], stderr=subprocess.PIPE)
    try:
        daemon.stderr.readline()
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(20)
        client.connect(path)
        client.sendall(b'{"jsonrpc":"2.0","id":0,"method":"verbs"}\n')
        with client.makefile("rb") as answers:
            verbs = json.loads(answers.readline())["result"]
        text = document.read_text()
        head, shown = text.split(LIST_BEGINS)
        if sys.argv[3:] == ["--write"]:
            document.write_text(head + LIST_BEGINS + reference(verbs))
            shown = reference(verbs)
        problems = []
        if shown != reference(verbs):
            problems.append(f"the methods in {document.name} are not virtifd's: run this with --write")
        [block] = re.findall(r"^```jsonrpc\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        problems += converse(block.splitlines(), client)
        client.close()
    finally:
        daemon.terminate()
        daemon.wait(20)
        daemon.stderr.close()
if problems:
    sys.exit("\n".join(problems))
print(f"{len(verbs)} methods are documented as they are, and the conversation takes place")
