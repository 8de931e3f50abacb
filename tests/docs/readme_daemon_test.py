# SPDX-License-Identifier: BSD-2-Clause
"""The commands under "Run it" in README.md do what they are said to, typed as they stand, without root.

usage: readme_daemon_test.py VIRTIFD VIRTIFCTL SOURCE_DIR    the two are in one folder
"""

import os
import re
import subprocess
import sys
from pathlib import Path

SKIPPED = 77
tools, source = Path(sys.argv[1]).resolve().parent, Path(sys.argv[3]).resolve()
# A network, users, processes and a /run of its own: nothing stays.
ROOM = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]

if subprocess.run([*ROOM, "true"], capture_output=True, check=False).returncode != 0:
    print("skipped: this kernel lets nobody make namespaces (unshare)")
    sys.exit(SKIPPED)
section = (source / "README.md").read_text().split("## Run it\n")[1].split("\n## ")[0]
[commands] = re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
script = "set -e\nmount -t tmpfs none /run\nip link set lo up\n" + commands + "kill %1\nwait\n"
done = subprocess.run([*ROOM, "bash", "-c", script], capture_output=True, text=True, check=False, timeout=60,
                      env=os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"})
print(done.stdout + done.stderr)
for words in ("3 received", "192.0.2.2 dev virt0 lladdr", "virt0 UP", "Echo (ping) reply"):
    if done.returncode != 0 or words not in done.stdout:
        sys.exit(f"exit status {done.returncode}; '{words}' was expected among what is printed")
