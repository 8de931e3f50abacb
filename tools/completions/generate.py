# SPDX-License-Identifier: BSD-2-Clause
"""Writes completions for bash, zsh and fish from what the programs' --help says, so that they know what the programs know.

usage: generate.py FOLDER PROGRAM...    writes FOLDER/NAME (bash), FOLDER/_NAME (zsh) and FOLDER/NAME.fish
"""

import re
import subprocess
import sys
from pathlib import Path

OPTION = re.compile(r"^  (-\S+)(?: (?!Needs:)(\S.*?))?(?: Needs:.*)?(?:\s{2,}(\S.*))?$")
USED_WITH = re.compile(r"^  \S+ (\w+) (\w+)(.*)$")  # "  virtifctl link add NAME [mtu N]"


class Command:
    """What a --help says: its options as (spellings, takes a value, description), and the actions it has."""

    def __init__(self, text, name=""):
        self.says = text.strip().split("\n")[0]
        self.options, self.subcommands, self.actions, self.known_actions = [], {}, {}, {}
        self.choices = {}  # of the options that take one of a few words
        section = ""
        for line in text.split("\n"):
            if line and not line.startswith(" "):
                section = line
            elif section == "Options:" and (found := OPTION.match(line)):
                self.options.append([found[1].split(","), found[2] is not None, found[3] or ""])
                if few := re.search(r"\{([\w,-]+)\}", found[2] or ""):
                    self.choices |= dict.fromkeys(found[1].split(","), few[1].split(","))
            elif section == "Options:" and self.options and not self.options[-1][2]:
                self.options[-1][2] = line.strip()
            elif section == "Subcommands:" and line.strip():
                self.subcommands[line.split()[0]] = line.split(None, 1)[1].strip()
            elif section.startswith("Commands") and (found := USED_WITH.match(line)) and found[1] == name:
                self.actions[found[2]] = re.findall(r"\b[a-z]\w+\b", found[3])

    def spellings(self):
        return [word for words, _, _ in self.options for word in words]

    def with_value(self):
        return [word for words, takes, _ in self.options for word in words if takes]


def help_of(program, *words):
    return subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True, timeout=60).stdout


def commands_of(program):
    """{"": the program, "link": its command link, ...}"""
    commands = {"": Command(help_of(program))}
    for name in commands[""].subcommands:
        commands[name] = command = Command(help_of(program, name), name)
        for action in command.subcommands:  # of virtifctl fwu and proc, with options of their own
            command.known_actions[action] = known = Command(help_of(program, name, action))
            command.actions[action] = [*known.subcommands, *known.spellings()]
    return commands


# What may stand behind these words, as shell that prints it: behind COMMAND WORD, or any command's.
NAMES = "${COMP_WORDS[0]} ifconfig -l 2>/dev/null"
SCHEMES = "echo SCHEMES"
BEHIND = {"* dev": NAMES, "* master": NAMES, "* br": NAMES, "ping -I": NAMES, "ping --interface": NAMES, "* linkstr": SCHEMES,
          "* --linkstr": SCHEMES, "replay --to": SCHEMES, "fwu --via": SCHEMES, "* promisc": "echo on off", "* allmulti": "echo on off"}
NAMED_FIRST = ("link set", "link del", "link show", "port show", "fdb show")


def each_known(commands):
    """(words before, command) of each command and of each action that has options of its own."""
    for command, known in commands.items():
        yield ([command] if command else []), known
        yield from (([command, action], of_action) for action, of_action in known.known_actions.items())


def bash(name, commands):
    behind = {}
    for word, shell in BEHIND.items():
        behind.setdefault(shell, []).append(bash_pattern(*word.replace("* ", "", 1).split()))
    values = []
    for before, known in each_known(commands):
        for word, few in known.choices.items():
            behind.setdefault(f"echo {' '.join(few)}", []).append(bash_pattern(*before, word))
        values += [bash_pattern(*before, word) for word in known.with_value()]
    lines = ["# SPDX-License-Identifier: BSD-2-Clause", f"# bash completion for {name}(1), made from its --help", f"_{name}() {{",
             "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} choices=",
             "  local at=\"${COMP_WORDS[1]}/${COMP_WORDS[2]} $before\"", "  COMPREPLY=()",
             *(bash_values(behind) if "link" in commands else []), "  case $at in",
             f"    {'|'.join(values)}) return ;;  # a value: file names, by default", "  esac",
             "  if ((COMP_CWORD == 1)); then",
             f"    choices='{' '.join([*commands[''].subcommands, *commands[''].spellings()])}'", "  else",
             "    case ${COMP_WORDS[1]} in"]
    for command, known in commands.items():
        if not command:
            continue
        lines += [f"      {command})", f"        choices='{' '.join([*known.actions, *known.spellings()])}'"]
        if known.actions:
            lines += ["        ((COMP_CWORD == 2)) || case ${COMP_WORDS[2]} in"]
            lines += [f"          {action}) choices='{' '.join([*words, *known.spellings()])}' ;;"
                      for action, words in known.actions.items()]
            lines += ["        esac"]
        lines += ["        ;;"]
    lines += [f"      *) choices='{' '.join(commands[''].spellings())}' ;;", "    esac", "  fi",
              "  mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$word\")", "}", f"complete -o default -F _{name} {name}"]
    return "\n".join(lines) + "\n"


def bash_pattern(*words):
    """For COMMAND/ACTION WORD, of which the action or both may be anything."""
    *before, word = words
    if len(before) == 2:
        return f"'{'/'.join(before)} {word}'"
    return "".join(f"'{command}/'" for command in before) + f"*' {word}'"


def bash_values(behind):
    """What is not in any --help: the interfaces there are, and what else a word takes."""
    lines = ["  local from=", "  case $at in", *(f"    {'|'.join(words)}) from='{shell}' ;;" for shell, words in behind.items()),
             "  esac", f"  case \"${{COMP_WORDS[*]:1:COMP_CWORD-1}}\" in {'|'.join(quoted(first) for first in NAMED_FIRST)}) from='{NAMES}' ;; esac",
             f"  if [[ ${{COMP_WORDS[1]}} =~ ^(capture|ifconfig)$ && $before != -* && $word != -* ]]; then from='{NAMES}'; fi",
             "  if [[ $from && $word != -* ]]; then"]
    return [*lines, "    mapfile -t COMPREPLY < <(compgen -W \"$(eval \"$from\")\" -- \"$word\")", "    return", "  fi"]


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def described(command):
    """zsh's name:description for each option of a command."""
    return [quoted(f"{word}:{says}") for words, _, says in command.options for word in words]


def zsh(name, commands):
    lines = [f"#compdef {name}", "# SPDX-License-Identifier: BSD-2-Clause", f"# zsh completion for {name}(1), made from its --help",
             f"_{name}() {{", "  local -a choices", "  case \"$words[2]/$words[3] $words[CURRENT-1]\" in",
             f"    {'|'.join(bash_pattern(*before, word) for before, known in each_known(commands) for word in known.with_value())})",
             "      _files; return ;;  # a value", "  esac", "  if (( CURRENT == 2 )); then", "    choices=("]
    lines += [f"      {word}" for word in (*(quoted(f"{n}:{says}") for n, says in commands[""].subcommands.items()), *described(commands[""]))]
    lines += ["    )", "  else", "    case $words[2] in"]
    for command, known in commands.items():
        if not command:
            continue
        lines += [f"      {command})", "        choices=("]
        lines += [f"          {word}" for word in (*known.actions, *described(known))]
        lines += ["        )"]
        if known.actions:
            lines += ["        (( CURRENT == 3 )) || case $words[3] in"]
            lines += [f"          {action}) choices=({' '.join((*words, *described(known)))}) ;;" for action, words in known.actions.items()]
            lines += ["        esac"]
        lines += ["        ;;"]
    lines += ["      *)", "        choices=(", *(f"          {word}" for word in described(commands[""])), "        )", "        ;;", "    esac", "  fi",
              f"  _describe -o {name} choices || _files", "}", f"_{name} \"$@\""]
    return "\n".join(lines) + "\n"


def fish_flags(words):
    return "".join(f" -l {word[2:]}" if word.startswith("--") else f" -s {word[1:]}" for word in words)


def fish(name, commands):
    lines = ["# SPDX-License-Identifier: BSD-2-Clause", f"# fish completion for {name}(1), made from its --help"]
    for command, known in commands.items():
        seen = f"__fish_seen_subcommand_from {command}"
        when = f" -n '{seen}'" if command else " -n __fish_use_subcommand" if known.subcommands else ""
        for subcommand, says in known.subcommands.items() if not command else ():
            lines.append(f"complete -c {name} -n __fish_use_subcommand -f -a {subcommand} -d {quoted(says)}")
        for words, takes, says in known.options:
            lines.append(f"complete -c {name}{when}{fish_flags(words)}{' -r' if takes else ''} -d {quoted(says)}")
        if known.actions:
            actions = " ".join(known.actions)
            lines.append(f"complete -c {name} -n '{seen}; and not __fish_seen_subcommand_from {actions}' -f -a '{actions}'")
        for action, of_action in known.known_actions.items():
            here = f" -n '{seen}; and __fish_seen_subcommand_from {action}'"
            lines += [f"complete -c {name}{here}{fish_flags(words)}{' -r' if takes else ''} -d {quoted(says)}"
                      for words, takes, says in of_action.options]
        for action, words in known.actions.items():
            if action in known.known_actions:
                words = [*known.known_actions[action].subcommands]
            if words:
                lines.append(f"complete -c {name} -n '{seen}; and __fish_seen_subcommand_from {action}' -f -a '{' '.join(words)}'")
    return "\n".join(lines) + "\n"


def main():
    folder = Path(sys.argv[1])
    for program in sys.argv[2:]:
        name = Path(program).name
        commands = commands_of(Path(program).resolve())
        for known in commands.values():  # on and off stand behind a word, and are no words themselves
            known.actions = {action: [word for word in words if word not in ("on", "off")] for action, words in known.actions.items()}
        text = bash(name, commands)
        if "show" in commands:
            known = re.search(r"its scheme is one of ([\w, ]+)", help_of(Path(program).resolve(), "show"))[1]
            text = text.replace("SCHEMES", " ".join(f"{scheme}:" for scheme in known.split(", ")))
        (folder / name).write_text(text)
        (folder / f"_{name}").write_text(zsh(name, commands))
        (folder / f"{name}.fish").write_text(fish(name, commands))


if __name__ == "__main__":
    main()
