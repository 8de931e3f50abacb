# SPDX-License-Identifier: BSD-2-Clause
"""`virtifctl replay -j` over every capture of a folder agrees, view by view, with what is known to be in it.

usage: corpus_test.py VIRTIFCTL FOLDER TRUTH_JSON: TRUTH_JSON is ground-truth.json or expected.json. Skipped when the
folder is not there: the large one lies outside the repository.
"""

import concurrent.futures
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data"))
import truth  # noqa: E402

NOBODY = "02:00:00:00:00:01"
REASONS = {"not_running", "too_short", "too_long", "own_echo", "not_for_us", "no_mbuf", "filtered"}
KEYS = {"file", "frames", "runts", "other_linktype", "passed", "dropped", "error"}
MTUS = (1500, 9004)


def replay(virtifctl, files, *options):
    """(exit status, the objects): one for each file, in order."""
    run = subprocess.run([virtifctl, "replay", *map(str, files), *options, "-j"], capture_output=True, text=True,
                         check=False, timeout=600)
    try:
        return run.returncode, json.loads(run.stdout)
    except ValueError:
        raise SystemExit(f"no JSON from {run.args}: exit status {run.returncode}\n{run.stdout}{run.stderr}") from None


def shape_problems(path, got):
    """What holds for every object, whatever the options."""
    if set(got) != KEYS or set(got["dropped"]) != REASONS or set(got["passed"]) != {"frames", "bytes", "sha256"}:
        return [f"keys {sorted(got)}, dropped {sorted(got.get('dropped', ()))}, passed {sorted(got.get('passed', ()))}"]
    found = []
    if got["file"] != str(path):
        found.append(f"file is {got['file']!r}")
    if got["frames"] != got["passed"]["frames"] + sum(got["dropped"].values()) + got["other_linktype"]:
        found.append(f"frames are not passed + dropped + other_linktype: {got}")
    if got["runts"] != got["dropped"]["too_short"]:
        found.append("runts are not dropped.too_short")
    return found


def different(got, want):
    return [f"{key} is {got[key]}, expected {value}" for key, value in want.items() if got[key] != value]


def file_problems(path, known, status, got):
    """What holds for the file, whatever the options."""
    found = shape_problems(path, got)
    if found:
        return found
    found = different(got, {"frames": known["frames"], "runts": known["runts"],
                            "other_linktype": known["other_linktype_frames"]})
    damaged = bool(known["format"]["error"])
    if damaged != isinstance(got["error"], str) or (damaged and not any(map(str.isdigit, got["error"]))):
        found.append(f"error is {got['error']!r}, expected {'words with the offset' if damaged else None}")
    if status is not None and status != int(damaged):
        found.append(f"exit status {status}, expected {int(damaged)}")
    return found


def view_options(name, view):
    if name == "two_groups":
        return [word for group in view["passed"][name]["groups"] for word in ("--join", group)]
    return {"no_groups": [], "all_multicast": ["--allmulti"], "promiscuous": ["--promisc"]}[name]


def view_problems(virtifctl, path, known, view, name):
    options = ["--lladdr", view["mac"], *view_options(name, view)]
    status, objects = replay(virtifctl, [path], *options)
    want = {key: value for key, value in view["passed"][name].items() if key != "groups"}
    found = file_problems(path, known, status, objects[0]) or different(objects[0]["passed"], want)
    return [f"{path.name} {' '.join(options)}: {problem}" for problem in found]


def mtu_problems(virtifctl, files, mtu, *mode):
    """All files in one run: the frames above the limit, no more and no fewer, before any other rule but the runts'."""
    options = ["--lladdr", NOBODY, "--mtu", str(mtu), *mode]
    _, objects = replay(virtifctl, files, *options)
    found = [] if len(objects) == len(files) else [f"{len(objects)} objects for {len(files)} files"]
    for (path, known), got in zip(files.items(), objects):
        records, _ = truth.read(path)
        found += file_problems(path, known, None, got)
        found += [f"{path.name}: {problem}"
                  for problem in different(got["dropped"], {"too_long": truth.too_long(records, mtu + 14)})]
    return [f"{' '.join(options)}: {problem}" for problem in found]


def main():
    virtifctl, folder, table = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if not table.is_file():
        print(f"skipped: no {table}; the captures of the repository are compared by the test beside this one")
        sys.exit(77)
    files = {folder / name: known for name, known in json.loads(table.read_text(encoding="utf-8"))["files"].items()}
    questions = [(mtu_problems, files, mtu, *mode) for mtu in MTUS for mode in (["--promisc"], [])]
    for path, known in files.items():
        for view in known["views"] or truth.describe(path)["views"]:
            questions += [(view_problems, path, known, view, name) for name in view["passed"]]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = list(pool.map(lambda question: question[0](virtifctl, *question[1:]), questions))
    problems = [problem for found in answers for problem in found]
    print("\n".join(problems))
    print(f"{len(files)} files, {len(questions)} runs compared, {len(problems)} differences")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
