# SPDX-License-Identifier: BSD-2-Clause
"""The completions in their shells: whatever --help says is offered, nothing else, and only where it means something.

usage: completions_test.py VIRTIFCTL VIRTIFD FOLDER    with the completions in FOLDER
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

VIRTIFCTL, VIRTIFD, FOLDER = (Path(word).resolve() for word in sys.argv[1:4])
OFFERED_BY_BASH = """
source "$1"
COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
_$2
printf '%s\\n' "${COMPREPLY[@]}"
"""


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0 and not done.stderr, f"{words}: {done.returncode} {done.stderr}"
    return done.stdout


def said(program, *words):
    """The spellings of options, and the subcommands, in a --help."""
    text = run(program, *words, "--help")
    options = {word for line in re.findall(r"^  (-\S+)", text, re.MULTILINE) for word in line.split(",")}
    subcommands = re.findall(r"^  (\w+) ", text.split("Subcommands:\n")[1], re.MULTILINE) if "Subcommands:" in text else []
    return options, set(subcommands)


def offered(*words):
    """What bash offers for the last word."""
    return set(run("bash", "-c", OFFERED_BY_BASH, "bash", FOLDER / words[0], *words).split())


class Completions(unittest.TestCase):
    def test_bash_offers_what_help_says(self):
        options, commands = said(VIRTIFCTL)
        self.assertEqual(offered("virtifctl", ""), options | commands)
        for command in commands:
            options, _ = said(VIRTIFCTL, command)
            self.assertEqual({word for word in offered("virtifctl", command, "-")}, options, command)
        self.assertEqual(offered("virtifd", "-"), said(VIRTIFD)[0])

    def test_bash_offers_what_may_stand_there(self):
        self.assertEqual(offered("virtifctl", "re"), {"replay"})
        self.assertEqual(offered("virtifctl", "link", "s"), {"set", "show"})
        self.assertLessEqual({"up", "down", "linkstr", "mtu"}, offered("virtifctl", "link", "set", "virt0", ""))
        self.assertNotIn("mtu", offered("virtifctl", "link", "del", ""))
        self.assertEqual(offered("virtifctl", "link", "show", "--socket", ""), set(), "a file name")
        self.assertEqual(offered("virtifctl", "link", "-s", "--st"), {"--stats"}, "-s takes a value elsewhere only")
        self.assertIn("apply", offered("virtifctl", "fwu", ""))
        self.assertIn("--dry-run", offered("virtifctl", "fwu", "apply", "--d"))
        self.assertEqual(offered("virtifctl", "frob", "-"), said(VIRTIFCTL)[0])

    def test_bash_knows_the_interfaces_and_what_a_word_takes(self):
        with tempfile.TemporaryDirectory() as folder:
            stand_in = Path(folder) / "virtifctl"
            stand_in.write_text("#!/bin/sh\n[ \"$*\" = 'ifconfig -l' ] && echo virt0 bridge0\n")
            stand_in.chmod(0o755)
            before, os.environ["PATH"] = os.environ["PATH"], f"{folder}:{os.environ['PATH']}"
            self.addCleanup(os.environ.__setitem__, "PATH", before)
            for words in (("link", "set"), ("link", "del"), ("addr", "show", "dev"), ("link", "set", "virt0", "master"), ("capture",),
                          ("ping", "-I")):
                self.assertEqual(offered("virtifctl", *words, ""), {"virt0", "bridge0"}, words)
        self.assertEqual(offered("virtifctl", "link", "set", "virt0", "linkstr", "p"), {"pcap:", "pcapdev:"})
        self.assertEqual(offered("virtifctl", "link", "set", "virt0", "promisc", ""), {"on", "off"})
        self.assertNotIn("on", offered("virtifctl", "link", "set", "virt0", ""))
        self.assertEqual(offered("virtifctl", "top", "-o", ""), set("bprtdn"))
        self.assertEqual(offered("virtifctl", "replay", "--order", "u"), {"unordered"})
        self.assertEqual(offered("virtifctl", "fwu", "repair", "--force", ""), {"primary", "secondary"})
        self.assertIn("tap:", offered("virtifctl", "fwu", "apply", "--via", ""))

    def test_bash_offers_file_names_where_an_option_of_an_action_takes_a_value(self):
        for words in (("trace", "record", "-o"), ("trace", "record", "--output"), ("fwu", "apply", "--trust"), ("fwu", "show", "--vars"),
                      ("proc", "listen", "--pid")):
            self.assertEqual(offered("virtifctl", *words, ""), set(), words)
            self.assertTrue(offered("virtifctl", *words[:-1], ""), words)
        self.assertIn("--vars", offered("virtifctl", "fwu", "apply", "--json", ""), "-j takes none")

    def test_zsh_can_read_them(self):
        if not shutil.which("zsh"):
            self.skipTest("zsh is not installed")
        for name in ("virtifctl", "virtifd"):
            run("zsh", "-n", FOLDER / f"_{name}")
            self.assertTrue((FOLDER / f"_{name}").read_text().startswith(f"#compdef {name}\n"))

    def test_fish_offers_what_help_says(self):
        if not shutil.which("fish"):
            self.skipTest("fish is not installed")
        ask = "source $argv[1]; complete -C $argv[2] | string replace -r '\\t.*' ''; or true"
        options, commands = said(VIRTIFCTL)
        fish = FOLDER / "virtifctl.fish"
        self.assertEqual(set(run("fish", "--no-config", "-c", ask, fish, "virtifctl ").split()), commands)
        for command in commands:
            found = set(run("fish", "--no-config", "-c", ask, fish, f"virtifctl {command} --").split())
            self.assertEqual(found, {word for word in said(VIRTIFCTL, command)[0] if word.startswith("--")}, command)
        self.assertEqual(set(run("fish", "--no-config", "-c", ask, fish, "virtifctl link ").split()), {"add", "del", "set", "show"})
        self.assertIn("--trust", run("fish", "--no-config", "-c", ask, fish, "virtifctl fwu apply --t").split())
        self.assertNotIn("--vars", run("fish", "--no-config", "-c", ask, fish, "virtifctl fwu apply --trust ").split())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
