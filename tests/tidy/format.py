# SPDX-License-Identifier: BSD-2-Clause
"""Every C++ and C file is as clang-format 14 with the repository's .clang-format leaves it."""

import shutil
import subprocess

import tree


BATCH = 64  # files a run: most of one's time is its start


def formatted(tool, root, names):
    return subprocess.run([tool, "--dry-run", "-Werror", *names], cwd=root, capture_output=True, check=False).returncode == 0


def check(root):
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if tool is None:
        tree.skip("no clang-format; tools/setup check installs it")
    if " 14." not in subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout:
        tree.skip("clang-format is not version 14, and versions differ in what they want")
    names = tree.files(root, *tree.CODE)
    problems = []
    for batch in (names[at:at + BATCH] for at in range(0, len(names), BATCH)):
        if formatted(tool, root, batch):
            continue
        problems += [f"{name}: not formatted. Do instead: run `clang-format -i {name}`." for name in batch
                     if not formatted(tool, root, [name])]
    return problems


if __name__ == "__main__":
    tree.finish(check(tree.ROOT), f"{len(tree.files(tree.ROOT, *tree.CODE))} files")
