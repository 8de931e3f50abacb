# SPDX-License-Identifier: BSD-2-Clause
"""virtifctl fwu where it must not go on: words, files and media that are wrong, each with the exit status of docs/fwu.md.

usage: fwu_refusals_test.py VIRTIFCTL
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import uuid
import zlib
from pathlib import Path

from fwu_disk import BANKS, TYPES, Disk, capsule, run

VIRTIFCTL = sys.argv[1]
FAILED, USAGE, REFUSED = 1, 2, 3
MISSING = [tool for tool in ("sgdisk", "mkeficapsule") if not shutil.which(tool)]


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vif-fwu-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.disk = Disk(self.folder, VIRTIFCTL)

    def capsule(self, name, blob=b"new-a", image=0, *words):
        return capsule(self.folder / name, blob, image, *words)

    def blob(self, name, data=b"firmware"):
        path = self.folder / name
        path.write_bytes(data)
        return path


class Status(Case):
    def test_bad_copies_are_a_failed_medium(self):
        a = self.capsule("a.cap")
        for number in (1, 2):
            self.disk.put(number, b"\xff" * 16)
        for command, words in (("show", ()), ("dump", ()), ("sim", (a, "--allow-unsigned")), ("apply", (a, "--allow-unsigned")),
                               ("verify", (a, "--allow-unsigned")), ("accept", ()), ("revert", ()), ("boot", ())):
            self.disk.fwu(command, *words, status=FAILED)

    def test_what_is_no_disk_is_a_failed_medium(self):
        nothing, a = self.blob("nothing", bytes(4096)), self.capsule("a.cap")
        for command, words in (("show", ()), ("dump", ()), ("apply", (a,)), ("verify", (a,)), ("sim", (a,)), ("boot", ())):
            run(VIRTIFCTL, "fwu", command, nothing, *words, status=FAILED)

    def test_files_that_cannot_be_read(self):
        a = self.capsule("a.cap")
        self.disk.fwu("apply", a, "--trust", f"{TYPES[0]}=/nonexistent", status=FAILED)
        for command in ("apply", "verify", "sim"):
            self.disk.fwu(command, self.folder / "missing.cap", "--allow-unsigned", status=FAILED)
        empty = self.folder / "empty"
        empty.mkdir()
        for command in ("apply", "verify", "sim"):
            self.disk.fwu(command, empty, "--allow-unsigned", status=FAILED)
        self.disk.fwu("apply", a, empty, "--allow-unsigned", status=FAILED)
        self.assertEqual(self.disk.get(5, 6), b"old-a1")

    def test_words(self):
        a = self.capsule("a.cap")
        for command, words in (("show", ("--geometry", "2y2")), ("show", ("--geometry", "7x2")), ("boot", ("--bank", 7)),
                               ("unmark", ("--bank", 7, "--reason", "x")), ("verify", (a, "--bank", 7)), ("sim", (a, "--bank", 7)),
                               ("verify", (a, "--trust", "x=y")), ("verify", ()), ("verify", (a, "--via", "null:")),
                               ("verify", (a, "--address", "192.0.2.2/24")),
                               ("apply", ("--from", "tftp://192.0.2.1/a", "--via", "null:", "--address", "192.0.2.2")),
                               ("apply", ("--from", "tftp://192.0.2.1/a",))):
            self.disk.fwu(command, *words, status=USAGE)

    def test_sim_is_of_the_bank_that_runs(self):
        a = self.capsule("a.cap")
        self.disk.fwu("sim", a, "--allow-unsigned", "--bank", 1, status=REFUSED)

    def test_output_that_is_lost(self):
        for command in ("show", "dump", "boot"):
            with open("/dev/full", "w") as full:
                done = subprocess.run([VIRTIFCTL, "fwu", command, self.disk.path], stdout=full, stderr=subprocess.DEVNULL, check=False)
            self.assertEqual(done.returncode, FAILED, command)


class Making(Case):
    def test_metadata_that_would_overwrite_itself(self):
        out = self.folder / "out"
        for images in ((f"0,{TYPES[0]},{BANKS[0][0]},{BANKS[0][0]}",), (f"0,0,{BANKS[0][0]},{BANKS[1][0]}",),
                       (f"0,{TYPES[0]},{BANKS[0][0]},{BANKS[1][0]}", f"0,{TYPES[1]},{BANKS[0][1]},{BANKS[1][0]}")):
            run(VIRTIFCTL, "fwu", "mkmeta", out, *images, status=USAGE)
        self.assertFalse(out.exists())

    def test_capsules_that_no_device_takes(self):
        out, blob, empty = self.folder / "out", self.blob("blob"), self.blob("empty", b"")
        kind = ("--type", TYPES[0])
        for words in ((blob, *kind, "--index", 257), (blob, *kind, "--index", 0), (empty, *kind), (blob, *kind, "--count", 1),
                      (blob, *kind, "--fw-version", 1, "--lowest", 2), (blob, *kind, "--lowest", 1), (blob, "--type", "0" * 8 + "-0000" * 3 + "-" + "0" * 12)):
            run(VIRTIFCTL, "fwu", "mkcapsule", out, *words, status=USAGE)
        self.assertFalse(out.exists())
        run(VIRTIFCTL, "fwu", "mkcapsule", out, blob, *kind, "--index", 255, "--fw-version", 2, "--lowest", 2)


class Medium(Case):
    def test_the_bank_that_runs_is_not_the_one_that_is_written(self):
        # As a tool without the check would write it.
        metadata = bytearray((self.folder / "metadata2.bin").read_bytes())
        metadata = metadata.replace(uuid.UUID(BANKS[1][0]).bytes_le, uuid.UUID(BANKS[0][0]).bytes_le)
        metadata[0:4] = zlib.crc32(metadata[4:]).to_bytes(4, "little")
        for number in (1, 2):
            self.disk.put(number, bytes(metadata))
        before = self.disk.path.read_bytes()
        self.disk.fwu("apply", self.capsule("a.cap"), "--allow-unsigned", status=REFUSED)
        self.assertEqual(self.disk.path.read_bytes(), before)

    def test_a_torn_copy_stops_nothing(self):
        for number in (1, 2):
            self.disk.put(number, bytes(512))
            self.disk.fwu("apply", self.capsule("a.cap", b"new-%d" % number, 0, "--capoemflag", "0x8000"), "--allow-unsigned")
            self.disk.put(number, bytes(512))
            self.disk.fwu("accept")
            self.assertIn("accepted*", self.disk.states())

    def test_variables_are_those_of_the_file_itself(self):
        link = self.folder / "link.img"
        link.symlink_to(self.disk.path)
        for version in (5, 4):
            run(VIRTIFCTL, "fwu", "mkcapsule", self.folder / f"{version}.cap", self.blob("blob", b"%d" % version), "--type", TYPES[0],
                "--fw-version", version, "--lowest", version)
        self.disk.fwu("apply", self.folder / "5.cap", "--allow-unsigned")
        run(VIRTIFCTL, "fwu", "verify", link, self.folder / "4.cap", "--allow-unsigned", "--allow-downgrade", status=REFUSED)
        Path(f"{link}.var").write_bytes(b"")
        run(VIRTIFCTL, "fwu", "verify", link, self.folder / "5.cap", "--allow-unsigned", status=FAILED)

    def test_variables_that_cannot_be_written_leave_the_bank(self):
        variables = self.folder / "missing" / "var"
        before = self.disk.path.read_bytes()
        self.disk.fwu("apply", self.capsule("a.cap"), "--allow-unsigned", "--vars", variables, status=FAILED)
        self.assertEqual(self.disk.path.read_bytes(), before)

    def test_dump_needs_no_variables(self):
        Path(f"{self.disk.path}.var").write_bytes(b"damaged")
        self.disk.fwu("show", status=FAILED)
        self.disk.fwu("dump")

    def test_a_bank_that_is_not_active_is_not_on_trial(self):
        self.disk.fwu("apply", self.capsule("a.cap", b"new-a", 0, "--capoemflag", "0x8000"), "--allow-unsigned")
        self.assertIn("on trial, 0 boots so far", self.disk.fwu("show"))
        self.disk.fwu("revert")
        self.disk.fwu("unmark", "--bank", 1, "--reason", "x")
        self.assertNotIn("boots so far", self.disk.fwu("show"))

    def test_names_are_shown_as_they_are_safe(self):
        plain = self.capsule("plain.cap")
        odd = os.fsencode(self.folder) + b"/x\xff\x1b[2J\n.cap"
        shutil.copyfile(plain, odd)
        for words in (("verify",), ("apply",)):
            done = subprocess.run([VIRTIFCTL, "fwu", *words, self.disk.path, odd, "--allow-unsigned"], capture_output=True, check=True)
            self.assertNotIn(b"\x1b", done.stdout + done.stderr)
            self.assertIn(b"x\\xff\\x1b[2J\\x0a.cap: good", done.stdout)
            done = subprocess.run([VIRTIFCTL, "fwu", *words, self.disk.path, odd, "--allow-unsigned", "-j"], capture_output=True, check=True)
            self.assertEqual(json.loads(done.stdout)["capsules"][0]["name"], "x\ufffd\x1b[2J\n.cap")


if __name__ == "__main__":
    if MISSING:
        print(f"skipped: {' '.join(MISSING)} not installed (tools/setup check)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)
