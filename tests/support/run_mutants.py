#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Proves that the defect tests see what they are for: puts each line of FOLDER/mutants.txt into a copy of the sources, builds,
and requires the tests of that number to fail. Ends with "N mutants, N killed".

usage: run_mutants.py FOLDER SCRATCH CXX CC [NN...]    SCRATCH is kept: what did not change is not built again.
"""

import filecmp
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tidy"))
import tree  # noqa: E402

# Of each folder: what its list is about, 01 (tests Defect01.*) or a letter and a number (tests *.D1_*), and which program
# asks about it: the one with its tests. Both, where one race left two things to show.
FOLDERS = {
    "tests/virtif": ([f"{n:02}" for n in range(1, 36)],
                     {"virtif_defects_test": "defects_*_test.cpp", "virtif_threads_test": "virtif_threads_test.cpp"}),
    "tests/services/trace": ([f"{n:02}" for n in range(1, 17)], {"trace_defects_test": "defects_test.cpp"}),
    "tests/services/connector": ([*(f"D{n}" for n in range(1, 21)), *(f"Q{n}" for n in range(1, 10))],
                                 {"connector_test": "*_test.cpp"}),
}
TEST_SECONDS = 20  # a mutant may hang; that counts as seen. The tests of one number take milliseconds, at most 3 s
TRIES = 20  # of a race, which one try may miss
SETUP = ("-Dbuildtype=plain", "-Doptimization=0", "-Ddebug=false", "-Db_ndebug=false", "-Dwerror=false",
         "-Dwarning_level=0", "-Dcpp_args=-D_GLIBCXX_ASSERTIONS")


def tests_of(number):
    return f"*.{number}_*" if number[0].isalpha() else f"Defect{number}.*"


class Mutant:
    def __init__(self, number, file):
        self.number, self.file, self.old, self.new = number, file, [], []

    def __str__(self):
        return f"{self.number} {self.file}: {self.old[0]}"

    def put_into(self, text):
        """The text with the old lines replaced; None unless they stand there exactly once."""
        lines = text.splitlines()
        stripped = [line.strip() for line in lines]
        count = len(self.old)
        at = [i for i in range(len(lines)) if stripped[i:i + count] == self.old]
        if len(at) != 1:
            return None
        return "\n".join(lines[:at[0]] + self.new + lines[at[0] + count:]) + "\n"


def read_list(path):
    """The mutants, and the numbers that have none with their reasons."""
    mutants, reasons = [], {}
    for line in path.read_text(encoding="utf-8").splitlines():
        head = re.match(r"(\d\d|[A-Z]\d+) (.*)", line)
        if head and head.group(2).startswith("none: "):
            reasons[head.group(1)] = head.group(2)[len("none: "):]
        elif head:
            mutants.append(Mutant(*head.groups()))
        elif line.startswith("-"):
            mutants[-1].old.append(line[1:].strip())
        elif line.startswith("+"):
            mutants[-1].new.append(line[1:].strip())
    return mutants, reasons


def copy_sources(root, copy):
    """Touches only what changed, so that ninja has little to do."""
    names = tree.files(root)
    for name in names:
        source, target = root / name, copy / name
        if target.exists() and filecmp.cmp(source, target, shallow=False):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    for old in set(tree.files(copy)) - set(names):
        (copy / old).unlink()


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, errors="replace", **options)


class Build:
    def __init__(self, folder, scratch, cxx, cc):
        self.folder, self.sources, self.dir = folder, scratch / "src", scratch / "build"
        copy_sources(tree.ROOT, self.sources)
        if not (self.dir / "build.ninja").exists():
            shutil.rmtree(self.dir, ignore_errors=True)
            done = run(["meson", "setup", self.dir, self.sources, *SETUP], env={**os.environ, "CXX": cxx, "CC": cc})
            if done.returncode != 0:
                sys.exit(done.stdout + done.stderr)

    def make(self, programs):
        """What the compiler said, or None when all is built."""
        done = run(["ninja", "-C", self.dir, *(f"{self.folder}/{program}" for program in programs)])
        return None if done.returncode == 0 else done.stdout

    def test(self, number, programs, tries=1, seconds=10 * TEST_SECONDS):
        """What the first failing program said, or None when all tests of the number passed."""
        for program in programs:
            try:
                done = run([self.dir / self.folder / program, f"--gtest_filter={tests_of(number)}",
                            f"--gtest_repeat={tries}", "--gtest_break_on_failure"], timeout=seconds)
            except subprocess.TimeoutExpired:
                return "no end"
            if done.returncode != 0:
                return done.stdout + done.stderr
        return None


def programs_by_number(folder):
    """Which programs have tests of each number."""
    programs = {}
    for program, sources in FOLDERS[folder][1].items():
        text = "".join(path.read_text(encoding="utf-8") for path in (tree.ROOT / folder).glob(sources))
        for numbers in set(re.findall(r"^TEST_F\((?:Defect(\d\d),|\w+, ([A-Z]\d+)_)", text, re.MULTILINE)):
            number = "".join(numbers)
            programs.setdefault(number, []).append(program)
    return programs


def complaint(build, mutant, programs):
    """Why a mutant was not killed, or None."""
    path = build.sources / mutant.file
    original = path.read_text(encoding="utf-8")
    mutated = mutant.put_into(original)
    if mutated is None:
        return "its old line does not stand exactly once in the file. Do instead: follow the change in mutants.txt"
    path.write_text(mutated, encoding="utf-8")
    try:
        said = build.make(programs)
        if said is not None:
            return f"does not build:\n{said}"
        if build.test(mutant.number, programs, TRIES, TEST_SECONDS) is None:
            return f"survived: no test {tests_of(mutant.number)} sees it. Do instead: make one see it"
        return None
    finally:
        path.write_text(original, encoding="utf-8")


def main():
    folder, scratch, cxx, cc, *only = sys.argv[1:]
    mutants, reasons = read_list(tree.ROOT / folder / "mutants.txt")
    defects, suite = FOLDERS[folder]
    programs = programs_by_number(folder)
    listed = {mutant.number for mutant in mutants} | set(reasons)
    problems = [f"{number} has no test or is not in mutants.txt"
                for number in defects if number not in listed or number not in programs]
    build = Build(folder, Path(scratch), cxx, cc)
    said = build.make(suite) or build.test("*", suite)
    if said is not None:
        sys.exit(f"Without a mutant the tests have to pass:\n{said}")
    mutants = [mutant for mutant in mutants if not only or mutant.number in only]
    killed = 0
    for mutant in mutants:
        why = complaint(build, mutant, programs.get(mutant.number, ()))
        killed += why is None
        if why is not None:
            problems.append(f"{mutant}\n  {why}")
    for problem in problems:
        print(problem)
    print(f"{len(reasons)} defects without a mutant, for the reason given")
    print(f"{len(mutants)} mutants, {killed} killed")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
