# SPDX-License-Identifier: BSD-2-Clause
"""Who may include whom (docs/architecture.md), and which system headers pure code may see."""

import re

import tree

EVERYTHING = ("",)
# The longest prefix that matches a file rules. A folder may always include itself.
ARROWS = {
    "netstack/base": (),
    "netstack": (),
    "virtif": ("netstack",),
    "services": ("netstack/base",),
    "hypercall": ("netstack", "virtif", "services"),
    "hypercall/host": ("netstack", "virtif", "services", "hypercall"),
    "tools": EVERYTHING,
    "tests": EVERYTHING,
    "examples": EVERYTHING,
}
# Subfolders that the folder above them may not look into.
CLOSED = ("hypercall/host",)

# cstdlib is for calloc: pure_symbols.py sees to it that nobody takes getenv or rand from it.
PURE_HEADERS = set("""
algorithm array atomic bit bitset cassert cctype cerrno charconv chrono climits cmath compare concepts cstddef cstdint
cstdlib cstring deque functional initializer_list iterator limits list map memory new numeric optional ratio set span stdexcept
string string_view system_error tuple type_traits unordered_map unordered_set utility variant vector version
stdbool.h stddef.h stdint.h string.h
""".split())
# Third-party headers that one pure folder is about.
LIBRARIES = {"netstack/lwip": ("lwip/", "netif/")}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
CLOCK = re.compile(r"\b(system|steady|high_resolution)_clock\b")


def within(name, folder):
    return folder == "" or name == folder or name.startswith(folder + "/")


def home(name):
    """The folder whose row of the table rules `name`; each service is a folder of its own."""
    rows = [row for row in ARROWS if within(name, row)]
    row = max(rows, key=len, default=None)
    parts = name.split("/")
    own = "/".join(parts[:2]) if row == "services" and len(parts) > 2 else row
    return row, own


def arrow_problem(name, target):
    row, own = home(name)
    if row is None:
        return None
    if home(target)[0] is None:
        return (f'"{target}" is not a path from the root of the repository. Do instead: write '
                f'"folder/file.hpp", or <header> for a library.')
    allowed = (own, *ARROWS[row])
    closed = any(within(target, folder) and not within(name, folder) for folder in CLOSED)
    if any(within(target, folder) for folder in allowed) and not (closed and row == "hypercall"):
        return None
    return (f'{own}/ may not include "{target}" (it may include {", ".join(sorted(allowed)) or "nothing else"}). '
            f"Do instead: let {own}/ own a small port header with what it needs and implement it in the folder "
            f"that knows, or move the code.")


def system_problem(target):
    if target in PURE_HEADERS:
        return None
    return (f"<{target}> in a pure folder. Do instead: take time, chance, bytes or memory through a port "
            f"(netstack/base/ports.hpp, stream.hpp) and do the host's part in hypercall/; if the header touches "
            f"neither host, thread, clock nor stream, add it to PURE_HEADERS in tests/tidy/includes.py.")


def line_problem(name, line):
    pure = name.split("/")[0] in tree.PURE
    found = INCLUDE.match(line)
    if found and found.group(1) == '"':
        return arrow_problem(name, found.group(2))
    if found and pure:
        own = next((prefixes for folder, prefixes in LIBRARIES.items() if within(name, folder)), ())
        return None if found.group(2).startswith(own) and own else system_problem(found.group(2))
    if pure and CLOCK.search(line.split("//")[0]):
        return "a clock in a pure folder. Do instead: take `now` as an argument, or a ClockPort (netstack/base/ports.hpp)."
    return None


def check(root):
    problems = []
    for name in tree.files(root, *tree.CODE):
        for number, line in enumerate(tree.text(root, name).splitlines(), 1):
            problem = line_problem(name, line)
            if problem:
                problems.append(f"{name}:{number}: {problem}")
    return problems


if __name__ == "__main__":
    tree.finish(check(tree.ROOT), f"{len(tree.files(tree.ROOT, *tree.CODE))} files")
