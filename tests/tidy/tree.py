# SPDX-License-Identifier: BSD-2-Clause
"""The files of the project, and how a tidy check says what it found. Every check is `check(root) -> [problem]`."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PURE = ("netstack", "virtif", "services")
CODE = (".hpp", ".cpp", ".h", ".c")
SKIPPED = 77  # what meson takes for "skipped"


def files(root, *suffixes, under=()):
    """Paths relative to `root` (posix, sorted): what git tracks or would add; without git, everything not built."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files", "-z", "-co", "--exclude-standard"],
        capture_output=True, text=True, check=False) if (root / ".git").exists() else None
    if listing and listing.returncode == 0:
        names = [name for name in listing.stdout.split("\0") if name and (root / name).is_file()]
    else:
        paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
        names = [path.as_posix() for path in paths if not path.parts[0].startswith(("build", ".git"))]
    return sorted(name for name in set(names)
                  if (not suffixes or name.endswith(suffixes)) and (not under or name.split("/")[0] in under))


def text(root, name):
    return (root / name).read_text(encoding="utf-8", errors="replace")


def finish(problems, looked_at):
    """Prints what is wrong, or what was looked at, and ends the program."""
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problem(s) in {looked_at}")
    sys.exit(1 if problems else 0)


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)
