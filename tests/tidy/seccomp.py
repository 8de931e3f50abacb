# SPDX-License-Identifier: BSD-2-Clause
"""The system call filter of the pure tests bites: a test that opens a file dies, by name, and only that one.

usage: seccomp.py PROGRAM: tests/support/pure_main_bites.cpp, built.
"""

import subprocess
import sys

import tree


def main():
    run = subprocess.run([sys.argv[1]], capture_output=True, text=True, check=False)
    if "without the system call filter" in run.stdout:
        tree.skip("sanitized build, so the pure tests run without the system call filter")
    problems = []
    if "[       OK ] Pure.may_use_memory_and_throw" not in run.stdout:
        problems.append("memory and exceptions are refused; pure code may use both (tests/support/pure_main.cpp)")
    if run.returncode != 1 or "= openat" not in run.stderr or "What to do instead" not in run.stderr:
        problems.append("a file could be opened under the filter, so it proves nothing (tests/support/pure_main.cpp)")
    if problems:
        print(f"exit status {run.returncode}\n{run.stdout}\n{run.stderr}")
    tree.finish(problems, "2 questions to the filter")


if __name__ == "__main__":
    main()
