# SPDX-License-Identifier: BSD-2-Clause
"""Every C++ and C file is as clang-format 14 with the repository's .clang-format leaves it."""

import shutil
import subprocess

import tree


def check(root):
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if tool is None:
        tree.skip("no clang-format; tools/setup check installs it")
    if " 14." not in subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout:
        tree.skip("clang-format is not version 14, and versions differ in what they want")
    problems = []
    for name in tree.files(root, *tree.CODE):
        if subprocess.run([tool, "--dry-run", "-Werror", name], cwd=root, capture_output=True, check=False).returncode:
            problems.append(f"{name}: not formatted. Do instead: run `clang-format -i {name}`.")
    return problems


if __name__ == "__main__":
    tree.finish(check(tree.ROOT), f"{len(tree.files(tree.ROOT, *tree.CODE))} files")
