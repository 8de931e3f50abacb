# SPDX-License-Identifier: BSD-2-Clause
"""virtifctl fwu against the tools that people have: sgdisk's disks, mkeficapsule's capsules, openssl's keys.

usage: fwu_cli_test.py VIRTIFCTL VECTORS    The vectors need not be there.
"""

import fcntl
import json
import lzma
import os
import shutil
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from fwu_disk import TYPES, Disk, capsule, run

VIRTIFCTL = sys.argv[1]
VECTORS = Path(os.environ.get("VIRTIF_SHARED", Path(sys.argv[2]).parents[1])) / "vectors" / "fwu"
REFUSED, FAILED, USAGE = 3, 1, 2
MISSING = [tool for tool in ("sgdisk", "mkeficapsule", "openssl") if not shutil.which(tool)]


def included(part, whole):
    """Whether all that `part` says is in `whole` as well."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and included(value, whole[key]) for key, value in part.items())
    if isinstance(part, list):
        return isinstance(whole, list) and len(part) == len(whole) and all(map(included, part, whole))
    return part == whole


@unittest.skipIf(MISSING, f"not installed: {' '.join(MISSING)}")
class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vif-fwu-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def disk(self, version=2):
        return Disk(self.folder, VIRTIFCTL, version)

    def capsule(self, name, blob, image, *words):
        return capsule(self.folder / name, blob, image, *words)

    def key(self, name):
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        run("openssl", "req", "-x509", "-sha256", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-days", "10",
            "-keyout", key, "-out", certificate)
        return certificate, key


class Updates(Case):
    def test_a_trial_from_the_capsule_to_acceptance(self):
        for version in (1, 2):
            disk = self.disk(version)
            self.assertEqual(disk.states()[0], "accepted*")
            files = [self.capsule("a.cap", b"new-a", 0, "--capoemflag", "0x8000"),
                     self.capsule("b.cap", b"new-b", 1, "--capoemflag", "0x8000")]
            disk.fwu("apply", *files, status=REFUSED)
            disk.fwu("apply", *files, "--allow-unsigned")
            self.assertEqual((disk.get(5, 5), disk.get(6, 5), disk.get(3, 6)), (b"new-a", b"new-b", b"old-a0"))
            self.assertEqual(disk.states(), ["accepted", "valid*"])
            self.assertIn("boot 1 of 3", disk.fwu("boot"))
            disk.fwu("accept")
            self.assertEqual(disk.states(), ["accepted", "accepted*"])
            self.assertEqual(run("sgdisk", "-v", disk.path).count("No problems found"), 1)

    def test_a_trial_that_nobody_accepts_falls_back(self):
        disk = self.disk()
        disk.fwu("apply", self.capsule("a.cap", b"new-a", 0, "--capoemflag", "0x8000"), "--allow-unsigned")
        boots = json.loads(disk.fwu("boot", "--loop", "-j"))
        self.assertEqual([boot["trial_boot"] for boot in boots], [1, 2, 3, 0, 0])
        self.assertEqual([boot["boot_bank"] for boot in boots], [1, 1, 1, 1, 0])
        self.assertEqual(disk.states(), ["accepted*", "invalid"])
        disk.fwu("unmark", "--bank", 1, "--reason", "the sensor was unplugged")
        self.assertEqual(disk.states(), ["accepted*", "valid"])

    def test_revert_and_a_revert_too_many(self):
        disk = self.disk()
        disk.fwu("apply", self.capsule("a.cap", b"new-a", 0, "--capoemflag", "0x8000"), "--allow-unsigned")
        disk.fwu("revert")
        self.assertEqual(disk.states(), ["accepted*", "invalid"])
        disk.fwu("revert", status=REFUSED)

    def test_an_image_without_a_capsule_is_copied(self):
        disk = self.disk()
        disk.fwu("apply", self.capsule("a.cap", b"new-a", 0), "--allow-unsigned")
        self.assertEqual((disk.get(5, 5), disk.get(6, 6)), (b"new-a", b"old-b0"))

    def test_signed_by_mkeficapsule(self):
        disk = self.disk()
        (certificate, key), (_, other_key) = self.key("signer"), self.key("other")
        words = ("--monotonic-count", "1", "--private-key", key, "--certificate", certificate)
        good = self.capsule("good.cap", b"signed", 0, *words)
        disk.fwu("verify", good, status=REFUSED)
        disk.fwu("verify", good, "--trust", certificate, status=USAGE)
        disk.fwu("verify", good, "--trust", f"{TYPES[1]}={certificate}", status=REFUSED)
        self.assertIn("good", disk.fwu("verify", good, "--trust", f"{TYPES[0]}={certificate}"))
        cut = self.folder / "changed.cap"
        cut.write_bytes(good.read_bytes()[:-1] + b"?")
        disk.fwu("apply", cut, "--trust", f"{TYPES[0]}={certificate}", status=REFUSED)
        disk.fwu("apply", good, "--trust", f"{TYPES[0]}={certificate}")
        self.assertEqual(disk.get(5, 6), b"signed")

    def test_signed_by_us_and_verified_by_openssl(self):
        certificate, key = self.key("signer")
        blob, made = self.folder / "blob", self.folder / "ours.cap"
        blob.write_bytes(b"firmware")
        run(VIRTIFCTL, "fwu", "mkcapsule", made, blob, "--type", TYPES[0], "--fw-version", 7, "--cert", certificate,
            "--key", key, "--count", 5)
        data = made.read_bytes()
        length = int.from_bytes(data[100:104], "little")
        signature, rest = self.folder / "signature.der", self.folder / "rest"
        signature.write_bytes(data[92 + 32:92 + 8 + length])
        rest.write_bytes(data[92 + 8 + length:] + (5).to_bytes(8, "little"))
        run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-content", rest, "-CAfile",
            certificate, "-purpose", "any", "-out", self.folder / "out")
        self.assertIn("good", self.disk().fwu("verify", made, "--trust", f"{TYPES[0]}={certificate}"))

    def test_capsules_are_mkeficapsule_s_byte_for_byte(self):
        theirs = self.capsule("theirs.cap", b"firmware" * 100, 1, "--capoemflag", "0x8000", "--instance", "3")
        ours = self.folder / "ours.cap"
        run(VIRTIFCTL, "fwu", "mkcapsule", ours, theirs.with_suffix(".blob"), "--type", TYPES[1], "--index", 2,
            "--accept-later", "--instance", 3)
        self.assertEqual(ours.read_bytes(), theirs.read_bytes())
        for flag, words in (("--fw-accept", ("--accept", "--type", TYPES[0])), ("--fw-revert", ("--revert",))):
            run("mkeficapsule", flag, *(("--guid", TYPES[0]) if flag == "--fw-accept" else ()), theirs)
            run(VIRTIFCTL, "fwu", "mkcapsule", ours, *words)
            self.assertEqual(ours.read_bytes(), theirs.read_bytes())

    def test_dry_run_says_each_step_and_writes_nothing(self):
        disk = self.disk()
        before = disk.path.read_bytes()
        said = disk.fwu("apply", "--dry-run", self.capsule("a.cap", b"new", 0), "--allow-unsigned")
        self.assertIn("mark bank 1 as unfinished", said)
        self.assertIn("into partition 5", said)
        self.assertEqual(disk.path.read_bytes(), before)
        self.assertFalse(Path(f"{disk.path}.var").exists())

    def test_the_power_may_go_at_every_write(self):
        disk = self.disk()
        file = self.capsule("a.cap", os.urandom(3000), 0, "--capoemflag", "0x8000")
        page = self.folder / "report.html"
        report = json.loads(disk.fwu("sim", file, "--allow-unsigned", "-j", "--report", page))
        drawn = ElementTree.fromstring(page.read_text().partition("</p>")[2].partition("</body>")[0])
        self.assertEqual(len(drawn.findall("rect")), len(report["states"]) + 2)
        self.assertIn(f"{report['converged']} of {report['crash_states']} come here", [text.text for text in drawn.iter("text")])
        self.assertGreater(report["crash_states"], 100)
        self.assertEqual(report["crash_states"], report["converged"])
        self.assertEqual(report["failures"], [])


class BadInput(Case):
    def test_two_writers_at_once(self):
        disk = self.disk()
        with disk.path.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            disk.fwu("boot", status=FAILED)
            disk.fwu("show")
        disk.fwu("boot")

    def test_damaged_copies(self):
        disk = self.disk()
        disk.put(1, b"\xff" * 8)
        self.assertIn("restored the primary copy", disk.fwu("boot"))
        disk.put(1, b"\xff\xff\xff\xff")
        disk.put(2, b"\xff" * 16)
        disk.fwu("show", status=FAILED)
        disk.fwu("boot", status=FAILED)
        disk.fwu("repair", "--force", "secondary", status=FAILED)
        disk.fwu("repair", "--force", "primary")
        self.assertEqual(disk.states(), ["accepted*", "accepted"])
        disk.fwu("repair", "--force", "primary", status=REFUSED)

    def test_what_is_no_disk_and_no_capsule(self):
        nothing = self.folder / "nothing"
        nothing.write_bytes(bytes(100))
        run(VIRTIFCTL, "fwu", "dump", nothing, status=FAILED)
        run(VIRTIFCTL, "fwu", "show", nothing, status=FAILED)
        run(VIRTIFCTL, "fwu", "show", self.folder / "missing", status=FAILED)
        self.disk().fwu("apply", nothing, self.folder / "missing", "--allow-unsigned", status=FAILED)
        self.disk().fwu("apply", nothing, "--allow-unsigned", status=REFUSED)

    def test_usage(self):
        out = self.folder / "out"
        for words in (("mkmeta", out, "x"), ("mkmeta", out, f"0,{TYPES[0]}"), ("mkcapsule", out), ("mkcapsule", out, "--accept"),
                      ("mkcapsule", out, "--accept", "--revert", "--type", TYPES[0]), ("mkcapsule", out, "--revert", "--type", TYPES[0]),
                      ("mkmeta", out, f"0,{TYPES[0]},0,0", "--version", 3), ("mkmeta", out, f"0,{TYPES[0]},0,0", "--active", 2), ()):
            run(VIRTIFCTL, "fwu", *words, status=USAGE)


@unittest.skipUnless((VECTORS / "expected.json").exists(), f"no vectors at {VECTORS}")
class Vectors(Case):
    def test_dump_prints_what_is_expected(self):
        expected = json.loads((VECTORS / "expected.json").read_text())
        for kind in ("mdata", "capsules"):
            for name, truth in expected[kind].items():
                for item in truth.get("items", ()):
                    item.pop("_depex_hex", None)
                for key in ("tool", "made_with", "signed_by"):
                    truth.pop(key, None)
                said = json.loads(run(VIRTIFCTL, "fwu", "dump", VECTORS / kind / name, "-j"))
                self.assertTrue(included(truth, said), f"{name}: {truth}\n{said}")
        for name, truth in expected["disk"].items():
            truth.pop("sgdisk_verify")
            image = self.folder / "disk.img"
            image.write_bytes(lzma.open(VECTORS / "disk" / name).read())
            said = json.loads(run(VIRTIFCTL, "fwu", "dump", image, "-j"))
            self.assertTrue(included(truth, said), f"{name}: {truth}\n{said}")

    def test_signatures_of_the_vectors(self):
        image = self.folder / "disk.img"
        image.write_bytes(lzma.open(VECTORS / "disk/disk-v2-2b2i.img.xz").read())
        kind = json.loads((VECTORS / "expected.json").read_text())["guids"]["types"][0]
        for name, status in (("signed-mc1", 0), ("signed-mc2-fwver9", 0), ("edk2-signed", 0), ("signed-wrongkey", REFUSED)):
            for anchor in ("signer.crt", "signer.esl"):
                run(VIRTIFCTL, "fwu", "verify", image, VECTORS / f"capsules/{name}.cap", "--trust",
                    f"{kind}={VECTORS / 'keys' / anchor}", status=status)
        run(VIRTIFCTL, "fwu", "verify", image, VECTORS / "capsules/edk2-depex.cap", "--allow-unsigned", status=REFUSED)


if __name__ == "__main__":
    if MISSING:
        print(f"skipped: {' '.join(MISSING)} not installed (tools/setup check)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)
