# SPDX-License-Identifier: BSD-2-Clause
"""A disk with two banks of firmware, made by sgdisk and virtifctl; and capsules, made by other people's tools."""

import json
import subprocess
from pathlib import Path

TYPES = ["11111111-2222-4333-8444-555555555501", "11111111-2222-4333-8444-555555555502"]
BANKS = [["aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"],
         ["bbbbbbbb-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002"]]
METADATA_TYPE = "8a7a84a0-8387-40f6-ab41-a8b9a5a60d23"
SECTOR = 512
IMAGE_SECTORS = 128  # 64 KiB
MIB = 1024 * 1024


def run(*words, status=0, **options):
    """Standard output; ends the test where the exit status is another one."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, timeout=120, **options)
    if done.returncode != status:
        raise AssertionError(f"{' '.join(map(str, words))}: exit status {done.returncode}, {status} was expected\n"
                             f"{done.stdout}{done.stderr}")
    return done.stdout


class Disk:
    """p1 and p2 metadata, then the images of bank 0 and of bank 1."""

    def __init__(self, folder, virtifctl, version=2):
        self.path, self.virtifctl = Path(folder) / f"disk{version}.img", virtifctl
        self.path.write_bytes(bytes(4 * MIB))
        words, start, self.first_lba = [], 64, []
        layout = [(METADATA_TYPE, None)] * 2 + [(TYPES[image], BANKS[bank][image]) for bank in (0, 1) for image in (0, 1)]
        for number, (kind, unique) in enumerate(layout, 1):
            words += [f"-n{number}:{start}:+{IMAGE_SECTORS}", f"-t{number}:{kind}"] + ([f"-u{number}:{unique}"] if unique else [])
            self.first_lba.append(start)
            start += IMAGE_SECTORS + 64
        run("sgdisk", "-a", "8", *words, self.path)
        images = [f"0,{TYPES[image]},{BANKS[0][image]},{BANKS[1][image]}" for image in (0, 1)]
        metadata = Path(folder) / f"metadata{version}.bin"
        run(virtifctl, "fwu", "mkmeta", metadata, *images, "--version", version)
        self.put(1, metadata.read_bytes())
        self.put(2, metadata.read_bytes())
        for number, text in ((3, b"old-a0"), (4, b"old-b0"), (5, b"old-a1"), (6, b"old-b1")):
            self.put(number, text)

    def put(self, number, data):
        with self.path.open("r+b") as file:
            file.seek(self.first_lba[number - 1] * SECTOR)
            file.write(data)

    def get(self, number, count):
        with self.path.open("rb") as file:
            file.seek(self.first_lba[number - 1] * SECTOR)
            return file.read(count)

    def fwu(self, command, *words, status=0):
        return run(self.virtifctl, "fwu", command, self.path, *words, status=status)

    def states(self):
        """One word a bank: "accepted*" is active."""
        shown = json.loads(self.fwu("show", "-j"))
        return [bank["state"] + ("*" if bank["active"] else "") for bank in shown["banks"]]


def capsule(path, blob, image, *words):
    """By U-Boot's mkeficapsule."""
    source = path.with_suffix(".blob")
    source.write_bytes(blob)
    run("mkeficapsule", "--guid", TYPES[image], "--index", image + 1, *words, source, path)
    return path
