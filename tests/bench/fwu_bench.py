# SPDX-License-Identifier: BSD-2-Clause
"""Applying a capsule of 256 MiB, beside dd and sha256sum of the same bytes: seconds, medians of interleaved rounds.

usage: fwu_bench.py VIRTIFCTL [ROUNDS [MIB]]. Bars: at most 1.5 times the slower of both plus one read, 32 MiB of memory, 10 ms
for show. Needs mkeficapsule and sgdisk.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

VIRTIFCTL, ROUNDS, MIB = sys.argv[1], int((sys.argv[2:] or ["5"])[0]), int((sys.argv[3:] or ["256"])[0])
TYPE, META = "11111111-2222-4333-8444-555555555501", "8a7a84a0-8387-40f6-ab41-a8b9a5a60d23"
BANKS = ("aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000001")


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, words))}\n{done.stdout}{done.stderr}")
    return done.stdout


def seconds(*words):
    began = time.monotonic()
    run(*words)
    return time.monotonic() - began


def disk(folder):
    """Two banks of one image a little larger than what is written."""
    image, sectors = folder / "disk.img", (MIB + 8) * 2048
    run("truncate", "-s", f"{2 * MIB + 32}M", image)
    run("sgdisk", "-a", "8", f"-n1:64:+64", f"-t1:{META}", f"-n2:136:+64", f"-t2:{META}", f"-n3:2048:+{sectors}", f"-t3:{TYPE}",
        f"-u3:{BANKS[0]}", f"-n4:{2056 + sectors}:+{sectors}", f"-t4:{TYPE}", f"-u4:{BANKS[1]}", image)
    run(VIRTIFCTL, "fwu", "mkmeta", folder / "meta", f"0,{TYPE},{BANKS[0]},{BANKS[1]}")
    for sector in (64, 136):
        run("dd", f"if={folder}/meta", f"of={image}", "bs=512", f"seek={sector}", "conv=notrunc")
    return image


def fresh(pristine):
    """A copy that nothing was applied to."""
    image = pristine.with_name("device.img")
    Path(f"{image}.var").unlink(missing_ok=True)
    run("cp", "--sparse=always", pristine, image)
    return image


def peak_mib(*words):
    """The largest memory of one run, by wait4."""
    child = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL)
    usage = os.wait4(child.pid, 0)[2]
    child.returncode = 0
    return usage.ru_maxrss / 1024


missing = [tool for tool in ("sgdisk", "mkeficapsule") if not shutil.which(tool)]
if missing:
    sys.exit(f"not installed: {' '.join(missing)}")
with tempfile.TemporaryDirectory(prefix="vif-fwu-bench-", dir=os.environ.get("TMPDIR", "/var/tmp")) as name:
    folder = Path(name)
    blob, capsule = folder / "blob", folder / "a.cap"
    with open(blob, "wb") as file:
        for _ in range(MIB):
            file.write(os.urandom(1 << 20))
    run("mkeficapsule", "-g", TYPE, "-i", "1", blob, capsule)
    pristine = disk(folder)
    rows = {"apply": [], "dd conv=fsync": [], "sha256sum": [], "read": [], "show": []}
    for _ in range(ROUNDS):
        image = fresh(pristine)
        apply = (VIRTIFCTL, "fwu", "apply", image, capsule, "--allow-unsigned")
        rows["apply"].append(seconds(*apply))
        rows["dd conv=fsync"].append(seconds("dd", f"if={blob}", f"of={folder}/copy", "bs=1M", "conv=fsync"))
        rows["sha256sum"].append(seconds("sha256sum", blob))
        run("dd", f"of={folder}/copy", "oflag=nocache", "conv=notrunc,fdatasync", "count=0")
        rows["read"].append(seconds("dd", f"if={folder}/copy", "of=/dev/null", "bs=1M"))
        rows["show"].append(seconds(VIRTIFCTL, "fwu", "show", image))
    medians = {what: statistics.median(took) for what, took in rows.items()}
    for what, took in medians.items():
        print(f"{what:14} {took * 1e3:8.1f} ms")
    raw = max(medians["dd conv=fsync"], medians["sha256sum"]) + medians["read"]
    print(f"apply          {medians['apply'] / raw:8.2f} times the raw work (bar 1.5)")
    fresh(pristine)
    print(f"memory         {peak_mib(*apply):8.1f} MiB at its peak (bar 32)")
