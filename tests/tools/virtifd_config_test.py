# SPDX-License-Identifier: BSD-2-Clause
"""What virtifd begins with, and what it keeps: --config, SIGHUP and --state.

usage: virtifd_config_test.py VIRTIFD VIRTIFCTL
"""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest

from daemon_case import FAILED, VIRTIFCTL, VIRTIFD, Client, DaemonCase

CONFIG = {
    "interfaces": [{"ifname": "virt0", "linkstr": "mem:lan", "master": None, "address": "02:00:00:00:00:01", "mtu": 1400,
                    "promisc": False, "allmulti": False, "up": True, "maddr": ["01:00:5e:00:00:fb"], "addr": ["192.0.2.1/24"]}],
    "routes": [{"dst": "0.0.0.0/0", "gateway": "192.0.2.254", "dev": "virt0"}],
    "neighbours": [{"dst": "192.0.2.9", "lladdr": "02:00:00:00:00:09", "dev": "virt0"}],
}


class VirtifdConfig(DaemonCase):
    def setUp(self):
        super().setUp()
        self.config, self.state = self.folder / "config.json", self.folder / "state.json"
        self.other = self.folder / "other.sock"

    def begin(self, *words):
        return self.start(*words, path=self.other)

    def shown(self):
        with Client(self.other) as client:
            return client.call("config.show")

    def until(self, is_so):
        for _ in range(200):
            if is_so():
                return
            time.sleep(0.05)
        self.fail("it did not come to pass within ten seconds")

    def test_begins_as_a_file_says_and_follows_it_on_a_hangup(self):
        self.config.write_text(json.dumps(CONFIG))
        daemon = self.begin("--config", self.config)
        self.assertEqual(self.shown(), CONFIG)
        changed = json.loads(json.dumps(CONFIG))
        changed["interfaces"][0]["mtu"] = 1300
        changed["interfaces"].append({"ifname": "virt1"})
        self.config.write_text(json.dumps(changed))
        daemon.send_signal(signal.SIGHUP)
        self.until(lambda: len(self.shown()["interfaces"]) == 2)
        self.assertEqual(self.shown()["interfaces"][0]["mtu"], 1300)
        self.config.write_text("{ not json")
        daemon.send_signal(signal.SIGHUP)
        self.assertIn("no JSON", daemon.stderr.readline())
        self.assertEqual(len(self.shown()["interfaces"]), 2, "and it goes on as it was")

    def test_outlives_a_hangup_without_a_file(self):
        daemon = self.begin()
        daemon.send_signal(signal.SIGHUP)
        self.assertIn("no --config", daemon.stderr.readline())
        self.assertEqual(self.shown()["interfaces"], [])

    def test_does_not_begin_with_what_cannot_be(self):
        for text, words in (("{", "no JSON"), ('{"routes":1e999}', "no JSON"), ("[]", "JSON object"),
                            ('{"interfaces":[{"ifname":"eth0"}]}', "eth0: "),
                            ('{"interfaces":[{"ifname":"virt0","linkstr":"foo:"}]}', "foo"), (None, "cannot open")):
            self.config.unlink(missing_ok=True)
            if text is not None:
                self.config.write_text(text)
            run = subprocess.run([VIRTIFD, "--socket", self.other, "--config", self.config], capture_output=True, text=True,
                                 check=False, timeout=60)
            self.assertEqual(run.returncode, FAILED, text)
            self.assertIn(words, run.stderr)
            self.assertIn(str(self.config), run.stderr)

    def test_the_tool_prints_and_applies_it(self):
        self.config.write_text(json.dumps(CONFIG))
        self.ctl("config", "--apply", str(self.config))
        self.assertEqual(json.loads(self.ctl("config")), CONFIG)
        self.config.write_text("{}")
        self.ctl("config", "--apply", str(self.config))
        self.assertEqual(json.loads(self.ctl("config"))["interfaces"], [])
        self.ctl("link", "add", "virt0", "linkstr", "mem:lan", "up")
        for wrong in ({"interfaces": [{}]}, {"interfaces": [], "routes": [{"dst": 7}]},
                      {"interfaces": [{"ifname": "virt0", "linkstr": "uring:vifnone"}]}):
            self.config.write_text(json.dumps(wrong))
            self.ctl("config", "--apply", str(self.config), status=FAILED)
            self.assertIn("UP,LOWER_UP", self.ctl("link"), "and virt0 is as it was")
            self.assertIn("linkstr mem:lan", self.ctl("link"))
        self.assertIn("cannot open", self.ctl("config", "--apply", "/no/such/file", status=FAILED))

    def test_keeps_what_was_set_however_it_ends(self):
        daemon = self.begin("--state", self.state)
        with Client(self.other) as client:
            client.call("config.apply", config=CONFIG)
        self.until(lambda: self.state.exists() and json.loads(self.state.read_text()) == CONFIG)
        daemon.kill()
        daemon.wait()
        daemon = self.begin("--state", self.state)
        self.assertEqual(self.shown(), CONFIG)
        with Client(self.other) as client:
            client.call("link.set", ifname="virt0", mtu=1234)
        self.stop(daemon)  # at once: no time to save it later
        self.assertEqual(json.loads(self.state.read_text())["interfaces"][0]["mtu"], 1234)

    def test_says_so_when_it_cannot_keep_it(self):
        gone = self.folder / "gone"
        run = subprocess.run([VIRTIFD, "--socket", self.other, "--state", gone / "state.json"], capture_output=True,
                             text=True, check=False, timeout=60)
        self.assertEqual(run.returncode, FAILED)
        self.assertIn("cannot make", run.stderr)
        gone.mkdir()
        daemon = self.begin("--state", gone / "state.json")
        shutil.rmtree(gone)
        with Client(self.other) as client:
            client.call("link.add", ifname="virt0")
            self.assertIn("the state is not saved", daemon.stderr.readline())
            self.assertEqual(len(client.call("link.show")), 1)

    def test_begins_again_after_any_kill(self):
        chance = random.Random(7)
        for _ in range(25):
            daemon = self.begin("--state", self.state)
            with Client(self.other) as client:
                client.call("config.apply", config=CONFIG)
                for n in range(chance.randrange(100)):
                    client.send("link.set", ifname="virt0", mtu=1000 + n)
                time.sleep(chance.random() * 0.15)
                daemon.kill()
            daemon.wait()
            daemon.stderr.close()
            if self.state.exists():
                self.assertEqual(len(json.loads(self.state.read_text())["interfaces"]), 1, "a whole file, old or new")

    def test_prints_and_takes_by_pipe(self):
        self.ctl("link", "add", "virt0", "linkstr", "mem:lan")
        shown = self.ctl("config", "show")
        self.assertEqual(shown, self.ctl("config"))
        self.ctl("link", "del", "virt0")
        subprocess.run([VIRTIFCTL, "config", "--apply", "-", "--socket", self.path], input=shown, text=True, check=True)
        self.assertEqual(self.ctl("config"), shown)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
