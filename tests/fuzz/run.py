# SPDX-License-Identifier: BSD-2-Clause
"""Runs one fuzz target for FUZZ_SECONDS on a growing corpus and its seeds, and shows what it found. Without FUZZ_SECONDS:
for 5 seconds, by the same dice each time, so that no commit is blamed for another's luck.

usage: run.py PROGRAM CORPUS_DIR [SEED_FILE]...
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def main():
    program, corpus, *seeds = sys.argv[1:]
    Path(corpus).mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        shutil.copy(seed, corpus)
    seconds = os.environ.get("FUZZ_SECONDS")
    dice = [f"-max_total_time={seconds}"] if seconds else ["-max_total_time=5", "-seed=1"]
    found = Path(corpus).with_suffix(".found")
    run = subprocess.run([program, *dice, "-timeout=20", "-rss_limit_mb=3000", "-max_len=65536",
                          f"-artifact_prefix={found}-", "-print_final_stats=1", corpus],
                         text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    lines = run.stdout.splitlines()
    print("\n".join(lines if run.returncode else [line for line in lines if line.startswith(("stat::number", "Done"))]))
    if run.returncode:
        print(f"The input is kept as {found}-*. Do instead: mend the parser, and add the input to its tests by hand.")
    return 1 if run.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
