# SPDX-License-Identifier: BSD-2-Clause
"""Every header compiles alone: .hpp as C++20, .h (the C faces) as C11 and as C++20.

usage: headers.py CXX CC: the compilers of the build, each as one word ("ccache g++" is fine).
"""

import concurrent.futures
import os
import shlex
import subprocess
import sys

import tree

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def languages(name, cxx, cc):
    as_cpp = [*shlex.split(cxx), "-x", "c++", "-std=c++20"]
    as_c = [*shlex.split(cc), "-x", "c", "-std=c11", "-Wstrict-prototypes"]
    return [as_cpp] if name.endswith(".hpp") else [as_cpp, as_c]


# Where a folder's library keeps its headers; without the library its folder is not built, and not looked at.
LIBRARIES = {"netstack/lwip/": "lwip", "tests/netstack/lwip/": "lwip"}


def library_flags(name):
    """The flags `name` needs, or None when its library is not there."""
    package = next((package for folder, package in LIBRARIES.items() if name.startswith(folder)), None)
    if package is None:
        return []
    run = subprocess.run(["pkg-config", "--cflags-only-I", package], capture_output=True, text=True, check=False)
    return run.stdout.replace("-I", "-isystem ").split() if run.returncode == 0 else None


def problems_of(root, name, cxx, cc):
    flags = library_flags(name)
    if flags is None:
        return []
    found = []
    for command in languages(name, cxx, cc):
        run = subprocess.run([*command, *WARNINGS, "-I", str(root), *flags, "-fsyntax-only", "-"], cwd=root, text=True,
                             input=f'#include "{name}"\n', capture_output=True, check=False)
        if run.returncode:
            found.append(f"{name} does not compile alone as {command[-1] if name.endswith('.hpp') else command[-2]}. "
                         f"Do instead: include what it uses.\n{run.stderr.strip()}")
    return found


def check(root, cxx="g++", cc="gcc"):
    names = tree.files(root, ".hpp", ".h")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [problem for found in pool.map(lambda name: problems_of(root, name, cxx, cc), names) for problem in found]


if __name__ == "__main__":
    tree.finish(check(tree.ROOT, *sys.argv[1:3]), f"{len(tree.files(tree.ROOT, '.hpp', '.h'))} headers")
