# SPDX-License-Identifier: BSD-2-Clause
"""kill -9 at every system call of a real update on a real file, by strace: after each the metadata can be read, the bank
that boots is the old one or the new one as a whole, and the same command brings the update to its end.

usage: fwu_kill_test.py VIRTIFCTL [all]    Without `all`: at the calls that change files.
"""

import collections
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from fwu_disk import Disk, capsule, run

VIRTIFCTL, EVERYWHERE = sys.argv[1], sys.argv[2:3] == ["all"]
CHANGES_FILES = {"pwrite64", "write", "fdatasync", "fsync", "rename", "renameat", "unlink", "unlinkat", "ftruncate", "flock"}
MISSING = [tool for tool in ("sgdisk", "mkeficapsule", "strace") if not shutil.which(tool)]
# Leaks cannot be looked for in a process that is traced.
TRACED = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}


def why_not():
    """Why nothing can be traced here; empty: it can."""
    tried = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    return tried.stderr.strip() if tried.returncode else ""


@unittest.skipIf(MISSING, f"not installed: {' '.join(MISSING)}")
class Killed(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="vif-fwu-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.disk = Disk(self.folder, VIRTIFCTL)
        self.variables = Path(f"{self.disk.path}.var")
        self.kept = self.folder / "kept.img"
        self.new = [os.urandom(9000), os.urandom(700)]
        self.old = [self.images(bank) for bank in (0, 1)]
        files = [capsule(self.folder / name, blob, image, "--capoemflag", "0x8000")
                 for image, (name, blob) in enumerate(zip(("a.cap", "b.cap"), self.new))]
        self.words = [VIRTIFCTL, "fwu", "apply", str(self.disk.path), *map(str, files), "--allow-unsigned"]

    def images(self, bank):
        return [self.disk.get(3 + 2 * bank + image, len(self.new[image])) for image in (0, 1)]

    def save(self):
        shutil.copyfile(self.disk.path, self.kept)
        self.kept_variables = self.variables.read_bytes() if self.variables.exists() else None

    def restore(self):
        shutil.copyfile(self.kept, self.disk.path)
        for leftover in self.folder.glob(f"{self.variables.name}*"):
            leftover.unlink()
        if self.kept_variables is not None:
            self.variables.write_bytes(self.kept_variables)

    def calls(self, words):
        """How often each system call is made."""
        log = self.folder / "calls"
        run("strace", "-f", "-qq", "-o", log, *words, env=TRACED)
        names = re.findall(r"^\d+ +(\w+)\(", log.read_text(errors="replace"), re.M)
        return collections.Counter(name for name in names if name not in ("execve", "exit_group", "exit"))

    def kill_at(self, words, name, nth):
        """False: it was not made so often this time."""
        done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={name}", "-e",
                               f"inject={name}:signal=KILL:when={nth}", *words], capture_output=True, check=False, timeout=60,
                              env=TRACED)
        self.assertIn(done.returncode, (0, -signal.SIGKILL, 128 + signal.SIGKILL), done.stderr)
        return done.returncode != 0

    def check_what_is_left(self, new_bank, where):
        """Whatever may boot is whole."""
        for bank, state in enumerate(self.disk.states()):
            whole = [self.old[bank]] + ([self.new] if bank == new_bank else [])
            if state != "invalid":
                self.assertIn(self.images(bank), whole, f"{where}: bank {bank} is {state}")
            self.assertNotEqual(state, "invalid*", where)

    def kill_everywhere(self, words, new_bank, end):
        """`end`: what `words` comes to."""
        self.save()
        kills = 0
        for name, times in sorted(self.calls(words).items()):
            if not EVERYWHERE and name not in CHANGES_FILES:
                continue
            for nth in range(1, times + 1):
                self.restore()
                kills += self.kill_at(words, name, nth)
                self.check_what_is_left(new_bank, f"killed before {name} number {nth}")
                run(*words)
                self.assertEqual(end(), self.wanted, f"killed before {name} number {nth}, and again")
        self.assertGreater(kills, 10)
        return kills

    def test_at_every_system_call_of_an_update_and_of_its_acceptance(self):
        def end():
            return self.disk.states(), self.images(0), self.images(1)

        self.wanted = (["accepted", "valid*"], self.old[0], self.new)
        kills = self.kill_everywhere(self.words, 1, end)
        self.old[1] = self.new  # and from here on the bank that was updated is as it was

        # Accepting again what is accepted is refused, so a boot says whether all of it was done.
        self.restore()
        run(*self.words)
        self.disk.fwu("boot")
        self.save()
        accept = [VIRTIFCTL, "fwu", "accept", str(self.disk.path)]
        for name, times in sorted(self.calls(accept).items()):
            if not EVERYWHERE and name not in CHANGES_FILES:
                continue
            for nth in range(1, times + 1):
                self.restore()
                kills += self.kill_at(accept, name, nth)
                self.check_what_is_left(1, f"accept killed before {name} number {nth}")
                if self.disk.states()[1] == "valid*":
                    run(*accept)
                self.disk.fwu("boot")
                self.assertEqual(end(), (["accepted", "accepted*"], self.old[0], self.new))
        print(f"fwu: killed {kills} times, before {'every' if EVERYWHERE else 'each file-changing'} system call; "
              f"{kills} converged")


if __name__ == "__main__":
    reason = f"{' '.join(MISSING)} not installed (tools/setup check)" if MISSING else why_not()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)
