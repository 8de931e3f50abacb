# SPDX-License-Identifier: BSD-2-Clause
"""What an event costs that nobody records: one load, one test, one branch, and nothing else before the function returns.

usage: off_code_test.py LIBRARY    the archive with off_code.cpp, for x86-64
"""

import re
import shutil
import subprocess
import sys

FUNCTIONS = ("vif_event_off", "vif_event_with_text_off", "vif_tracepoint_off", "vif_tracepoint_with_text_off")
# In the way of control-flow enforcement, or of the debugger, but no work.
IDLE = {"endbr64", "nop", "nopw", "nopl", "xchg"}


def code_of(library, function):
    """The mnemonics on the way that is taken when the branch is not, up to the first ret."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"--disassemble={function}", library],
                          capture_output=True, text=True, check=True).stdout
    found = []
    for operation, operands in re.findall(r"^\s+[0-9a-f]+:\t(\w+)[ \t]*(.*)$", text, re.MULTILINE):
        if operation not in IDLE:
            found.append((operation, operands))
        if operation in ("ret", "retq"):
            return found
    return found


def problem(code):
    names = [operation for operation, _ in code]
    if names[-1:] not in (["ret"], ["retq"]):
        return "does not return"
    if names[:-1] == ["mov", "test", "jne"] and re.fullmatch(r"(0x\w+)?\(%rdi\),%e\w\w", code[0][1]):
        return None
    if names[:-1] == ["cmpl", "jne"] and code[0][1].startswith("$0x0,"):  # load and test in one
        return None
    return "expected a load, a test and a branch, and then the return; it is: " + "; ".join(" ".join(one) for one in code)


if not shutil.which("objdump"):
    print("skipped: objdump is not installed (binutils)")
    sys.exit(77)
problems = {name: problem(code_of(sys.argv[1], name)) for name in FUNCTIONS}
for name, what in problems.items():
    print(f"{name}: {what or 'load, test, branch'}")
sys.exit(any(problems.values()))
