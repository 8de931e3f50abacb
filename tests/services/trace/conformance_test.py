# SPDX-License-Identifier: BSD-2-Clause
"""conformance.txt says the truth: the tests it names are there, rows are named once, and no test of a row is left out.

usage: conformance_test.py TESTS_FOLDER
"""

import re
import sys
from pathlib import Path

TESTS = Path(sys.argv[1])
TABLE = TESTS / "services/trace/conformance.txt"
FOLDERS = ("services/trace", "hypercall/trace")
GTEST = re.compile(r"^TEST(?:_F|_P)?\((\w+), (\w+)\)", re.MULTILINE)
C_TEST = re.compile(r"^static void (test_\w+)\(void\) \{", re.MULTILINE)


def tests_there_are():
    """Each test's name, and whether it is a row's."""
    found = {}
    for folder in FOLDERS:
        for path in (TESTS / folder).glob("*_test.cpp"):
            for suite, name in GTEST.findall(path.read_text()):
                found[f"{suite}.{name}"] = path.name.endswith("_rows_test.cpp")
        for path in (TESTS / folder).glob("*_test.c"):
            text = path.read_text()
            for name in C_TEST.findall(text):
                if f"  {name}(" in text:  # it is called
                    found[f"{path.name}:{name}"] = False
    return found


def check(lines, there):
    problems, rows, named = [], set(), set()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != 3 or not all(parts):
            problems.append(f"line {number}: expected ROW | what | TESTS")
            continue
        row, _, tests = parts
        if row in rows:
            problems.append(f"line {number}: row {row} is there already")
        rows.add(row)
        named.update(tests.split())
        problems += [f"line {number}: there is no test {test}" for test in tests.split() if test not in there]
    problems += [f"{test} is of no row: add it to {TABLE.name}" for test, is_row in there.items() if is_row and test not in named]
    return rows, problems


THERE = tests_there_are()
BITES = ["X1 | nobody's | F.no_such_test", "X1 | twice | F.print_fmt", "X2 | nothing"]
assert len(check(BITES, {"F.print_fmt": True, "F.left_out": True})[1]) == 4, "the check does not bite"
ROWS, PROBLEMS = check(TABLE.read_text().splitlines(), THERE)
if PROBLEMS:
    sys.exit("\n".join(PROBLEMS))
print(f"{len(ROWS)} rows, each with its tests")
