# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of `virtifctl replay --to` share: running it, and a network namespace of their own."""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data"))
import truth  # noqa: E402

VIRTIFCTL, DATA = (Path(word).resolve() for word in sys.argv[1:3])
INSIDE = "VIF_PLAY_CLI_TEST"


def ip(words):
    subprocess.run(["ip", *words.split()], check=True)


def start(*words):
    return subprocess.Popen([VIRTIFCTL, "replay", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ctl(*words):
    run = start(*words)
    out, err = run.communicate(timeout=120)
    return run.returncode, out, err


def frames_of(name):
    return [frame for _, frame in truth.read(DATA / name)[0]]


class Play(unittest.TestCase):
    def object(self, *words, status=0):
        code, out, err = ctl(*words, "-j")
        self.assertEqual(code, status, out + err)
        objects = json.loads(out)
        self.assertEqual(len(objects), 1)
        got = objects[0]
        self.assertEqual(got["frames"], got["sent"]["frames"] + got["sent"]["failed"] + sum(got["refused"].values()), got)
        return got


def main():
    """Runs the tests of the script, in a namespace where there can be one."""
    if INSIDE in os.environ:
        ip("link set lo up")
    else:
        enter = ["unshare", "-rn"] if os.geteuid() != 0 else ["unshare", "-n"]
        if subprocess.run([*enter, "true"], capture_output=True, check=False).returncode == 0:
            os.execvpe(enter[0], [*enter, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})
    unittest.main(argv=sys.argv[:1], verbosity=2)
