# SPDX-License-Identifier: BSD-2-Clause
"""What a pure static library takes from outside, against an allow-list.

usage: pure_symbols.py --allow LIST LIBRARY [LOWER...]: every symbol LIBRARY needs and neither it nor a LOWER library
defines must match a line of LIST (there may be more than one). An allow-list, because a call can hide behind many names (open is open64, jthread is
syscall). Sanitizers add symbols of their own, so this runs on the plain build only.
"""

import argparse
import re
import subprocess
from pathlib import Path

import tree

INSTEAD = (
    (r"clock|^time$|gettimeofday|chrono", "take `now` as an argument, or a ClockPort (netstack/base/ports.hpp)"),
    (r"thread|pthread|mutex|condition_variable|^syscall$|futex", "stay on the domain's thread; threads live in hypercall/"),
    (r"std::c(in|out|err|log)|stream|ios_base|locale|^f?puts|printf|^putchar|^fwrite|^std(out|err)$", "return a value or an Error; tools/ print"),
    (r"random|^s?rand", "take a RandomPort (netstack/base/ports.hpp)"),
    (r"env$", "take the value as an argument"),
    (r"^(f?open|read|write|pread|pwrite|close|lseek|mmap|stat)", "take a ByteSource or ByteSink (netstack/base/stream.hpp)"),
)


def allow_list(content):
    """The regular expressions of the list; every line must carry its reason."""
    patterns = []
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        pattern, hash_sign, reason = line.partition(" # ")
        if not hash_sign or not reason.strip():
            raise SystemExit(f"allow-list line {number}: no reason. Do instead: write `pattern # why it is harmless`.")
        patterns.append(re.compile(pattern.strip()))
    return patterns


def instead(symbol):
    for pattern, advice in INSTEAD:
        if re.search(pattern, symbol):
            return advice
    return ("take a port that the caller implements, or move the code to hypercall/; if it touches neither host, "
            "thread, clock nor stream, add it with a reason to tests/tidy/pure_symbols.txt")


def refused(needed, defined, patterns):
    """`needed`: [(object, symbol)]. Returns the problems, one a symbol and object."""
    problems = []
    for where, symbol in sorted(set(needed)):
        if symbol in defined or any(pattern.fullmatch(symbol) for pattern in patterns):
            continue
        problems.append(f"{where}: {symbol}: pure code may not call this. Do instead: {instead(symbol)}.")
    return problems


NM_LINE = re.compile(r"(\S+?):\s*(?:[0-9a-f]{8,})?\s+[A-Za-z]\s(.*)")


def nm(option, library):
    """[(object, symbol)] as `nm -A -C` lists them."""
    out = subprocess.run(["nm", "-A", "-C", option, library], capture_output=True, text=True, check=True).stdout
    return [match.groups() for match in map(NM_LINE.fullmatch, out.splitlines()) if match]


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--allow", required=True, action="append")
    words.add_argument("libraries", nargs="+")
    options = words.parse_args()
    needed = nm("-u", options.libraries[0])
    if not needed:
        raise SystemExit(f"{options.libraries[0]} needs nothing at all from outside: nm could not be read")
    defined = {symbol for library in options.libraries for _, symbol in nm("--defined-only", library)}
    patterns = [pattern for name in options.allow for pattern in allow_list(Path(name).read_text(encoding="utf-8"))]
    tree.finish(refused(needed, defined, patterns), f"{len(set(needed))} undefined symbols of {options.libraries[0]}")


if __name__ == "__main__":
    main()
