# SPDX-License-Identifier: BSD-2-Clause
"""`virtifctl replay --to` delivers every capture of a folder complete, or says of each frame why not and fails.

usage: play_corpus_test.py VIRTIFCTL FOLDER TRUTH_JSON, as corpus_test.py. Skipped when the folder is not there.
"""

import json
import subprocess
import sys
from pathlib import Path


def problems(virtifctl, path, known):
    run = subprocess.run([virtifctl, "replay", path, "--to", "null:", "--speed", "top", "-j"], capture_output=True,
                         text=True, check=False, timeout=120)
    damaged = bool(known["format"]["error"])
    if run.returncode == 3:  # not even the beginning of a capture
        return [] if damaged and known["frames"] == 0 and run.stderr else [f"status 3: {run.stderr}"]
    got = json.loads(run.stdout)[0]
    refused = sum(got["refused"].values())
    complete = refused == 0 and not damaged
    found = []
    if got["frames"] != known["frames"] or got["frames"] != got["sent"]["frames"] + refused:
        found.append(f"{got['frames']} frames, {known['frames']} known, {got['sent']['frames']} sent, {refused} refused")
    if got["other_linktype"] != known["other_linktype_frames"] or got["sent"]["failed"] != 0:
        found.append(f"other_linktype {got['other_linktype']}, failed {got['sent']['failed']}")
    if run.returncode != (0 if complete else 1):
        found.append(f"exit status {run.returncode}")
    if damaged != isinstance(got["error"], str):
        found.append(f"error is {got['error']!r}")
    return found


def main():
    virtifctl, folder, table = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if not table.is_file():
        print(f"skipped: no {table}; the captures of the repository are compared by the test beside this one")
        sys.exit(77)
    files = json.loads(table.read_text(encoding="utf-8"))["files"]
    found = [f"{name}: {problem}" for name, known in files.items() for problem in problems(virtifctl, folder / name, known)]
    print("\n".join(found))
    print(f"{len(files)} files, {len(found)} problems")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
