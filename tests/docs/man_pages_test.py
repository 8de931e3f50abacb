# SPDX-License-Identifier: BSD-2-Clause
"""The man pages: clean for mandoc and man, and as complete as --help and the header, with nothing that those do not have.

usage: man_pages_test.py VIRTIFD VIRTIFCTL SOURCE_DIR
"""

import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

VIRTIFD, VIRTIFCTL, SOURCE = (Path(word).resolve() for word in sys.argv[1:4])
sys.dont_write_bytecode = True
sys.path.insert(0, str(SOURCE / "tools/completions"))
import generate  # noqa: E402

PAGES = sorted((SOURCE / "docs/man").glob("*.[1-9]"))
MACRO = re.compile(r"[A-Z][a-z]")
EVERYWHERE = {"-h", "--help"}


def page(name):
    return (SOURCE / "docs/man" / name).read_text()


def arguments(text, macro):
    """The words that are arguments of `macro` (Fl, Cm) in mdoc, delimiters left out."""
    found = set()
    for line in text.split("\n"):
        taking = False
        for word in line.lstrip(".").split() if line.startswith(".") else ():
            if MACRO.fullmatch(word):
                taking = word == macro
            elif taking and re.search(r"\w", word):
                found.add(word)
    return found


def flags(text):
    return {"-" + word for word in arguments(text, "Fl")}


def sections(text):
    """{"link": the text of its subsection, ...}"""
    parts = re.split(r"^\.S([hs]) (.*)$", text, flags=re.MULTILINE)[1:]
    return {name: body for kind, name, body in zip(parts[::3], parts[1::3], parts[2::3]) if kind == "s"}


class ManPages(unittest.TestCase):
    def test_mandoc_finds_nothing(self):
        if not shutil.which("mandoc"):
            self.skipTest("mandoc is not installed")
        self.assertEqual([path.name for path in PAGES], ["virtif-linkstr.7", "virtif.3", "virtifctl.1", "virtifd.8"])
        for path in PAGES:
            run = subprocess.run(["mandoc", "-Tlint", "-W", "warning", path], capture_output=True, text=True, check=False)
            self.assertEqual((run.returncode, run.stdout + run.stderr), (0, ""))

    def test_man_finds_nothing(self):
        if not shutil.which("man") or not shutil.which("groff"):
            self.skipTest("man or groff is not installed")
        for path in PAGES:
            run = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path], capture_output=True, text=True,
                                 check=False, env={"PATH": "/usr/bin:/bin", "MANROFFSEQ": "", "LC_ALL": "C.UTF-8"})
            self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_virtifd_is_as_its_help_says(self):
        known = generate.Command(generate.help_of(VIRTIFD))
        self.assertEqual(flags(page("virtifd.8")), set(known.spellings()))

    def test_virtifctl_is_as_its_help_says(self):
        commands, told = generate.commands_of(VIRTIFCTL), sections(page("virtifctl.1"))
        self.assertEqual(flags(page("virtifctl.1").split(".Ss ")[0]), set(commands.pop("").spellings()))
        self.assertEqual(set(told), set(commands), "a subsection (.Ss) for each command of virtifctl --help")
        for name, command in commands.items():
            self.assertEqual(flags(told[name]) | EVERYWHERE, set(command.spellings()), f"options of {name}")
            for action in command.subcommands:  # with options of their own
                self.assertRegex(told[name], rf"\b{action}\b", f"commands of {name}")
                words = {word for word in command.actions[action] if word.startswith("--")} - EVERYWHERE - {"--socket"}
                self.assertEqual([word for word in sorted(words) if not re.search(rf"{word}\b(?!-)", told[name])], [],
                                 f"options of {name} {action}")
            if command.actions and not command.subcommands:
                words = set(command.actions) | {word for words in command.actions.values() for word in words}
                self.assertEqual(arguments(told[name], "Cm"), words, f"words of {name}")

    def test_the_link_strings_are_all_there(self):
        known = re.search(r"its scheme is one of ([\w, ]+)", generate.help_of(VIRTIFCTL, "show"))[1].split(", ")
        self.assertEqual(sorted(re.findall(r"^\.It Cm (\w+)", page("virtif-linkstr.7"), re.MULTILINE)), sorted(known))

    def test_the_library_is_all_there(self):
        header = (SOURCE / "hypercall/host/virtif.h").read_text()
        functions = re.findall(r"^VIRTIF_PUBLIC [^(]*?(\w+)\(", header, re.MULTILINE)
        synopsis = page("virtif.3").split(".Sh DESCRIPTION")[0]
        self.assertEqual(re.findall(r"^\.Fn (\w+)", synopsis, re.MULTILINE), functions)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
