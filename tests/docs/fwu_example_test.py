# SPDX-License-Identifier: BSD-2-Clause
"""Runs the worked example of docs/fwu.md as it stands there. usage: fwu_example_test.py VIRTIFCTL DOCUMENT"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

virtifctl, document = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
missing = [tool for tool in ("sgdisk", "mkeficapsule", "openssl") if not shutil.which(tool)]
if missing:
    print(f"skipped: {' '.join(missing)} not installed (tools/setup check)")
    sys.exit(77)
script = re.search(r"```sh\n(.*?)```", document.read_text(encoding="utf-8"), re.S).group(1)
with tempfile.TemporaryDirectory(prefix="vif-fwu-") as folder:
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, capture_output=True, text=True, check=False,
                          timeout=120, env={**os.environ, "PATH": f"{virtifctl.parent}:{os.environ['PATH']}"})
    print(done.stdout + done.stderr)
    said = done.stdout
    wanted = ["into partition 5", "boot 1 of 3", "bank 1 active   accepted"]
    lost = [text for text in wanted if text not in said]
    sys.exit(1 if done.returncode or lost else 0)
