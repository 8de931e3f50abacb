# SPDX-License-Identifier: BSD-2-Clause
"""Functions of library code stay on one screen: 60 lines, 5 parameters, 3 levels of nesting (.clang-tidy).

usage: function_size.py BUILD_DIR: a build directory with compile_commands.json.
"""

import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import tree

LIBRARY = ("netstack", "virtif", "services", "hypercall", "tools")
FOUND = re.compile(r"^\S+: (error|warning): ", re.MULTILINE)


def compiled_sources(root, build):
    """The library's .cpp files that this build compiles, as paths from the root."""
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    compiled = {(Path(entry["directory"]) / entry["file"]).resolve() for entry in entries}
    return [name for name in tree.files(root, ".cpp", ".c", under=LIBRARY) if (root / name).resolve() in compiled]


def problems_of(root, build, name):
    headers = f"^{re.escape(str(root))}/({'|'.join(LIBRARY)})/.*"
    run = subprocess.run(["clang-tidy", "-p", str(build), "--quiet", f"--header-filter={headers}", "--extra-arg=-w",
                          str(root / name)], cwd=root, capture_output=True, text=True, check=False)
    if run.returncode == 0 and not FOUND.search(run.stdout):
        return ()
    return tuple(run.stdout.replace(f"{root}/", "").strip().split("\n\n") or [run.stderr])


def check(root, build):
    names = compiled_sources(root, build)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = {block for blocks in pool.map(lambda name: problems_of(root, build, name), names) for block in blocks}
    return [f"{block}\n  Do instead: give each paragraph of it a name and a function, pass a struct instead of the "
            f"sixth argument, return early instead of nesting." for block in sorted(found)]


if __name__ == "__main__":
    if shutil.which("clang-tidy") is None:
        tree.skip("no clang-tidy; tools/setup check installs it")
    directory = Path(sys.argv[1]).resolve()
    tree.finish(check(tree.ROOT, directory), f"{len(compiled_sources(tree.ROOT, directory))} sources")
