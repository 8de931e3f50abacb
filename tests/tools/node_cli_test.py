# SPDX-License-Identifier: BSD-2-Clause
"""virtifctl and virtifd from an operator's chair.

usage: node_cli_test.py VIRTIFD VIRTIFCTL
"""

import contextlib
import json
import re
import select
import shutil
import subprocess
import sys
import threading
import time
import unittest

from daemon_case import FAILED, USAGE, VIRTIFCTL, DaemonCase


class NodeCli(DaemonCase):
    def test_is_spoken_to_like_ip(self):
        self.ctl("link", "add", "virt0", "linkstr", "mem:lan", "mtu", "1400", "address", "02:00:00:00:00:01")
        self.ctl("addr", "add", "192.0.2.1/24", "dev", "virt0")
        self.ctl("link", "add", "virt1", "linkstr", "mem:lan", "up")
        self.ctl("route", "add", "default", "via", "192.0.2.254")
        self.ctl("neigh", "add", "192.0.2.9", "lladdr", "02:00:00:00:00:09", "dev", "virt0")
        self.ctl("maddr", "add", "01:00:5e:00:00:fb", "dev", "virt1")
        link = self.ctl("link", "show", "virt0")
        self.assertIn("1: virt0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 state UP\n", link)
        self.assertIn("    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n    linkstr mem:lan\n", link)
        self.assertNotIn("RX:", link)
        self.assertIn("RX:", self.ctl("link", "-s"))
        self.assertIn("inet 192.0.2.1/24 brd 192.0.2.255 scope global proto static\n", self.ctl("addr"))
        self.assertIn("default via 192.0.2.254 dev virt0 proto static\n", self.ctl("route"))
        self.assertEqual(self.ctl("neigh"), "192.0.2.9 dev virt0 lladdr 02:00:00:00:00:09 PERMANENT\n")
        self.assertIn("    link  01:00:5e:00:00:fb\n", self.ctl("maddr", "show", "dev", "virt1"))
        self.ctl("link", "set", "dev", "virt0", "down")
        self.ctl("link", "delete", "virt1")
        self.assertEqual([link["ifname"] for link in json.loads(self.ctl("link", "-j"))], ["virt0"])

    def test_is_told_where_virtifd_is_before_or_behind_the_command(self):
        def said(*words):
            run = subprocess.run([VIRTIFCTL, *words], capture_output=True, text=True, check=False, timeout=60)
            return run.returncode, run.stdout + run.stderr

        self.ctl("link", "add", "virt0", "linkstr", "mem:lan", "address", "02:00:00:00:00:01")
        for words in (["link", "show"], ["l"], ["link"], ["config"], ["ifconfig", "virt0"]):
            behind = said(*words, "--socket", self.path)
            self.assertEqual(behind[0], 0, behind[1])
            self.assertEqual(said("--socket", self.path, *words), behind)
            self.assertEqual(said(f"--socket={self.path}", *words), behind)
        for words in (["--socket", self.path], ["--socket"], ["--socket", self.path, "dump", "x"]):
            self.assertEqual(said(*words)[0], USAGE)

    def test_relinks_and_keeps_the_link_when_another_cannot_be_had(self):
        self.ctl("link", "add", "virt0", "linkstr", "mem:lan", "up")
        self.ctl("link", "set", "virt0", "linkstr", "mem:other")
        self.assertIn("UP,LOWER_UP> mtu 1500 state UP", self.ctl("link"))
        self.assertIn("linkstr mem:other", self.ctl("link"))
        self.ctl("link", "set", "virt0", "linkstr", "mem:lan,foo=1", status=FAILED)
        self.assertIn("would take a descriptor", self.ctl("link", "set", "virt0", "linkstr", "impair:[stream:fd=3]",
                                                          status=FAILED))
        self.assertIn("UP,LOWER_UP> mtu 1500 state UP", self.ctl("link"))
        self.assertIn("linkstr mem:other", self.ctl("link"))

    def test_routes_as_ip_does(self):
        self.ctl("addr", "add", "192.0.2.1/24", "dev", self.ctl("link", "add", "virt0", "linkstr", "mem:lan") or "virt0")
        self.assertIn("via) or 'dev'", self.ctl("route", "add", "10.0.0.0/8", status=FAILED))
        self.ctl("route", "add", "10.0.0.0/8", "via", "192.0.2.9")
        self.ctl("route", "add", "default", "dev", "virt0")
        self.assertEqual([route["family"] for route in json.loads(self.ctl("route", "-j")) if route["dst"] == "default"],
                         ["inet"])
        self.assertIn("there is such a route", self.ctl("route", "add", "10.0.0.0/8", "via", "192.0.2.9", status=FAILED))
        self.assertIn("a gateway is another host", self.ctl("route", "add", "10.1.0.0/16", "via", "192.0.2.1", status=FAILED))
        self.ctl("route", "add", "10.0.0.0/8", "via", "192.0.2.10")
        self.ctl("route", "del", "10.0.0.0/8", "via", "192.0.2.10")
        self.ctl("route", "del", "10.0.0.0/8")
        self.ctl("route", "del", "default")
        self.assertIn("no route to", self.ctl("route", "del", "10.0.0.0/8", status=FAILED))

    def test_takes_what_is_short_for_ip(self):
        self.ctl("l", "add", "name", "virt0", "linkstr", "mem:lan", "address", "02:00:00:00:00:01", "up")
        self.ctl("a", "add", "192.0.2.1/24", "dev", "virt0")
        self.ctl("addr", "replace", "192.0.2.1/24", "dev", "virt0")
        self.ctl("address", "add", "2001:db8::1/64", "dev", "virt0")
        self.ctl("ro", "a", "default", "via", "192.0.2.254")
        self.assertEqual(json.loads(self.ctl("-j", "-s", "link"))[0]["ifname"], "virt0")
        self.assertEqual(self.ctl("-br", "link"), "virt0            UP             02:00:00:00:00:01 "
                         "<BROADCAST,MULTICAST,UP,LOWER_UP> \n")
        self.assertEqual(self.ctl("-4", "a", "sh", "-br"), "virt0            UP             192.0.2.1/24 \n")
        [link] = json.loads(self.ctl("-6", "-j", "addr"))
        self.assertEqual({address["family"] for address in link["addr_info"]}, {"inet6"})
        self.assertNotIn("192.0.2", self.ctl("-6", "r"))
        self.assertEqual(self.ctl("route", "get", "198.51.100.1"), "198.51.100.1 via 192.0.2.254 dev virt0 proto static\n")
        self.assertEqual(self.ctl("route", "get", "192.0.2.7"), "192.0.2.7 dev virt0 proto kernel\n")
        self.assertIn("no route to 2001:db9::", self.ctl("route", "get", "2001:db9::", status=FAILED))
        self.assertIn("say behind 'dev' whose", self.ctl("addr", "flush", status=USAGE))
        self.ctl("addr", "flush", "dev", "virt0")
        self.assertEqual([a["local"] for a in json.loads(self.ctl("-j", "addr"))[0]["addr_info"] if a["scope"] == "global"], [])

    def test_bridges(self):
        self.ctl("link", "add", "bridge0", "up")
        for n in range(2):
            self.ctl("link", "add", f"virt{n}", "linkstr", f"mem:lan{n}", "master", "bridge0", "up")
            self.ctl("link", "add", f"virt{n + 2}", "linkstr", f"mem:lan{n}", "up")
        self.ctl("addr", "add", "192.0.2.1/24", "dev", "bridge0")
        self.assertIn("can have addresses instead", self.ctl("addr", "add", "192.0.2.9/24", "dev", "virt0", status=FAILED))
        self.assertIn("virt3 is no bridge", self.ctl("link", "set", "virt2", "master", "virt3", status=FAILED))
        self.ctl("addr", "add", "198.51.100.1/24", "dev", "virt2")
        self.assertIn("give them to bridge0", self.ctl("link", "set", "virt2", "master", "bridge0", status=FAILED))
        self.assertIn("mtu 1500 master bridge0 state UP\n", self.ctl("link", "show", "virt0"))
        ports = json.loads(self.ctl("port", "-j"))
        self.assertEqual([(port["ifname"], port["state"]) for port in ports],
                         [("bridge0", "forwarding"), ("virt0", "forwarding"), ("virt1", "forwarding")])
        self.ctl("fdb", "add", "02:00:00:00:00:99", "dev", "virt1")
        while "dev virt0 master bridge0 heard" not in self.ctl("fdb"):  # virt2's stack says things behind virt0
            time.sleep(0.05)
        self.assertIn("02:00:00:00:00:99 dev virt1 master bridge0 permanent\n", self.ctl("fdb", "show", "bridge0"))
        self.ctl("fdb", "del", "02:00:00:00:00:99", "dev", "virt1")
        self.assertNotIn("permanent", self.ctl("bridge", "fdb", "show"))
        self.assertIn("flooded", self.ctl("bridge", "link"))
        counts = re.compile(r"\b(stations|flooded) \d+")  # the stacks go on talking
        for words in (("bridge", "show", "bridge0"), ("bridge", "link", "show")):
            self.assertEqual(counts.sub("", self.ctl(*words)), counts.sub("", self.ctl("port")))
        self.assertIn("virt1 is no bridge", self.ctl("bridge", "show", "virt1", status=FAILED))
        config = self.ctl("config")
        (self.folder / "config").write_text(config)
        self.ctl("link", "set", "virt0", "nomaster")
        self.ctl("link", "del", "bridge0")
        self.assertEqual(self.ctl("port"), "")
        self.ctl("config", "--apply", self.folder / "config")
        self.assertEqual(len(json.loads(self.ctl("port", "-j"))), 3)
        self.ctl("link", "del", "virt1")
        self.assertEqual(len(json.loads(self.ctl("port", "-j"))), 2)

    def test_is_spoken_to_like_a_bsd(self):
        self.ctl("ifconfig", "virt0", "create", "linkstr", "mem:lan", "link", "02:00:00:00:00:01")
        self.ctl("ifconfig", "virt0", "inet", "192.0.2.1", "netmask", "255.255.255.0")
        self.ctl("ifconfig", "virt0", "mtu", "1400", "promisc", "inet", "192.0.2.9/24", "alias")
        self.ctl("ifconfig", "virt0", "inet", "192.0.2.5/24")  # in place of the first
        self.ctl("ifconfig", "virt0", "inet", "192.0.2.300/24", status=FAILED)
        locals_shown = [a["local"] for a in json.loads(self.ctl("addr", "-j"))[0]["addr_info"] if a["family"] == "inet"]
        self.assertEqual(locals_shown, ["192.0.2.9", "192.0.2.5"])
        self.ctl("ifconfig", "virt0", "inet", "192.0.2.9/25")
        self.assertIn("192.0.2.9/25", self.ctl("ifconfig", "virt0"))
        self.ctl("ifconfig", "virt0", "inet", "192.0.2.9", "delete")
        self.ctl("ifconfig", "virt0", "inet", "192.0.2.1/24")
        self.ctl("ifconfig", "virt0", "inet", "192.0.2.9/24", "alias")
        self.ctl("ifconfig", "virt1", "create")
        self.assertEqual(self.ctl("ifconfig", "-l"), "virt0 virt1\n")
        shown = self.ctl("ifconfig", "virt0")
        self.assertTrue(shown.startswith("virt0: flags=0x8143<UP,BROADCAST,RUNNING,PROMISC,MULTICAST> mtu 1400\n"
                                         "\tlinkstr: mem:lan\n\taddress: 02:00:00:00:00:01\n\tstatus: active\n"), shown)
        self.assertIn("\tinet 192.0.2.1/24 broadcast 192.0.2.255 flags 0\n", shown)
        self.assertIn("virt1: flags=0x8002<BROADCAST,MULTICAST>", self.ctl("ifconfig", "-a"))
        self.ctl("ifconfig", "virt0", "-promisc", "inet", "192.0.2.9", "-alias")
        self.ctl("ifconfig", "virt0", "down", "-linkstr")
        shown = self.ctl("ifconfig")
        self.assertIn("virt0: flags=0x8002<", shown)
        self.assertNotIn("192.0.2.9", shown)
        self.ctl("ifconfig", "virt0", "destroy")
        self.assertEqual(self.ctl("ifconfig", "-l"), "virt1\n")
        self.assertIn("there are virt1", self.ctl("ifconfig", "virt0", "up", status=FAILED))
        self.assertIn("create | destroy", self.ctl("ifconfig", "virt0", "crate", status=USAGE))

    def test_says_what_could_not_be_done(self):
        self.assertIn("make one with `link add`", self.ctl("link", "set", "virt0", "up", status=FAILED))
        self.assertIn("virtifctl link add NAME", self.ctl("link", "frob", status=USAGE))
        self.assertIn("wants a number", self.ctl("link", "set", "virt0", "mtu", "big", status=USAGE))
        self.assertIn("said twice", self.ctl("link", "set", "virt0", "up", "down", status=USAGE))
        self.assertIn("say the interface; expected\n  virtifctl link set NAME", self.ctl("link", "set", status=USAGE))
        self.assertIn("say behind 'dev' the interface", self.ctl("addr", "add", "192.0.2.1/24", status=USAGE))
        self.assertIn("say behind 'lladdr' its Ethernet", self.ctl("neigh", "add", "192.0.2.1", "dev", "x", status=USAGE))
        self.assertIn("unknown command 'lnk': did you mean link?", self.ctl("lnk", "show", status=USAGE))
        self.assertIn("--help` says what there is", self.ctl("frobnicate", status=USAGE))
        self.assertIn("the option '-x'", self.ctl("-x", "link", status=USAGE))
        bare = subprocess.run([VIRTIFCTL], capture_output=True, text=True, check=False)
        self.assertEqual((bare.returncode, bare.stdout), (USAGE, ""))
        self.assertIn("Subcommands:", bare.stderr)
        for mtu in ("-5", "9" * 22):
            self.assertIn(f"not '{mtu}': bytes of payload, 46 to", self.ctl("link", "set", "virt0", "mtu", mtu, status=USAGE))
        self.assertIn("virtifctl ping: --count", self.ctl("ping", "192.0.2.1", "-c", "x", status=USAGE))
        self.assertIn("means nothing here", self.ctl("route", "show", "now", status=USAGE))
        for word in ("vlan", "fbd"):
            run = subprocess.run([VIRTIFCTL, "bridge", word], capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, USAGE)
            self.assertIn(f"'{word}' is no link string, as in tap:t0, nor one of show, link and fdb", run.stderr)
        self.assertIn("wants a value", self.ctl("addr", "add", "192.0.2.1/24", "dev", status=USAGE))
        self.stop(self.daemon)
        self.assertIn("start one with", self.ctl("link", status=FAILED))

    def test_gives_scripts_what_ip_gives_them(self):
        if not shutil.which("jq") or not shutil.which("ip"):
            self.skipTest("jq or ip is not installed")
        program = '.[] | "\\(.ifindex) \\(.ifname) \\(.flags | join(",")) \\(.mtu) \\(.operstate) \\(.link_type) ' \
                  '\\(.address) \\(.txqlen) \\(.stats64.rx.packets) \\(.stats64.tx.bytes) \\(.promiscuity)"'
        self.ctl("link", "add", "virt0", "linkstr", "mem:lan", "up")
        for source in (["ip", "-j", "-d", "-s", "link"], [VIRTIFCTL, "link", "-j", "-s", "--socket", self.path]):
            shown = subprocess.run(source, capture_output=True, check=True)
            told = subprocess.run(["jq", "-r", program], input=shown.stdout, capture_output=True, check=True)
            self.assertNotIn(b"null", told.stdout, source)
            self.assertGreater(len(told.stdout.split()), 9, source)

    def test_tells_of_what_verbs_change(self):
        with self.client() as watcher:
            watcher.call("monitor", on=True)
            self.ctl("link", "add", "virt0", "linkstr", "nonsense:x", status=FAILED)
            self.ctl("link", "add", "virt0", "linkstr", "mem:lan", "mtu", "1400", "up")
            self.assertEqual(watcher.read()["params"]["kind"], "link.new", "and nothing of what could not be made")
            self.ctl("maddr", "add", "01:00:5e:00:00:fb", "dev", "virt0")
            self.ctl("neigh", "add", "192.0.2.9", "lladdr", "02:00:00:00:00:09", "dev", "virt0")
            self.ctl("route", "add", "default", "via", "192.0.2.9", "dev", "virt0")
            self.ctl("route", "del", "default")
            self.ctl("neigh", "del", "192.0.2.9", "dev", "virt0")
            self.ctl("maddr", "del", "01:00:5e:00:00:fb", "dev", "virt0")
            heard = []
            while len(heard) < 6:
                event = watcher.read()["params"]
                if not event["kind"].startswith(("link", "addr")):
                    heard.append(event)
            self.assertEqual([event["kind"] for event in heard],
                             ["maddr.new", "neigh.new", "route.new", "route.del", "neigh.del", "maddr.del"])
            self.assertEqual(heard[2]["route"]["gateway"], "192.0.2.9")

    def test_monitors(self):
        with self.client() as watcher:
            first = watcher.call("monitor", on=True)["next"]
            self.ctl("link", "add", "virt0", "linkstr", "mem:lan")
            self.ctl("link", "set", "virt0", "up")
            self.ctl("addr", "add", "192.0.2.1/24", "dev", "virt0")
            self.ctl("link", "del", "virt0")
            kinds = []
            while not kinds or kinds[-1] != "link.del":
                event = watcher.read()
                self.assertEqual(event["method"], "event")
                self.assertEqual(event["params"]["seq"], first + len(kinds))
                kinds.append(event["params"]["kind"])
            self.assertEqual(kinds[0], "link.new")
            self.assertEqual(kinds.count("link.new"), 1)
            self.assertIn("link.change", kinds)
            self.assertIn("addr.ready", kinds)
            watcher.call("monitor", on=False)
            self.ctl("link", "add", "virt0")
            self.assertEqual(watcher.call("version")["protocol"], 1, "no event comes between")
        self.prints_what_happens()
        run = subprocess.Popen([VIRTIFCTL, "monitor", "-j", "--socket", self.path], stdout=subprocess.PIPE, text=True)
        with contextlib.ExitStack() as ends:
            ends.callback(run.stdout.close)
            ends.callback(run.wait)
            ends.callback(run.kill)
            with self.client() as other:
                # When its subscription has come we do not know: until it hears something.
                heard = threading.Thread(target=lambda: self.assertIn("event", json.loads(run.stdout.readline())))
                heard.start()
                while heard.is_alive():
                    other.call("link.set", ifname="virt0", mtu=1000)
                    heard.join(0.05)

    def prints_what_happens(self):
        run = subprocess.Popen([VIRTIFCTL, "monitor", "-t", "--socket", self.path], stdout=subprocess.PIPE, text=True)
        self.addCleanup(run.stdout.close)
        self.addCleanup(run.wait)
        self.addCleanup(run.kill)
        said = ""
        with self.client() as other:
            while "mtu 1002" not in said:  # until its subscription has come
                for mtu in (1001, 1002):
                    other.call("link.set", ifname="virt0", mtu=mtu)
                if select.select([run.stdout], [], [], 0.05)[0]:
                    said += run.stdout.readline()
        for words in (("link", "add", "bridge0"), ("link", "set", "virt0", "linkstr", "mem:lan", "master", "bridge0"),
                      ("link", "set", "virt0", "nomaster"), ("addr", "add", "192.0.2.1/24", "dev", "virt0"),
                      ("maddr", "add", "01:00:5e:00:00:fb", "dev", "virt0"),
                      ("neigh", "add", "192.0.2.9", "lladdr", "02:00:00:00:00:09", "dev", "virt0"),
                      ("route", "add", "default", "via", "192.0.2.9"), ("link", "del", "virt0")):
            self.ctl(*words)
        while "link.del virt0\n" not in said:
            said += run.stdout.readline()
        run.terminate()
        self.assertEqual(run.wait(20), 0)
        self.ctl("link", "add", "virt0")
        for line in (r"link\.new bridge0 <BROADCAST,MULTICAST> mtu 1500 state DOWN address [0-9a-f:]{17}",
                     r"link\.change virt0 <BROADCAST,MULTICAST,PROMISC> mtu 1002 master bridge0 state \w+ address [0-9a-f:]{17}",
                     r"addr\.ready 192\.0\.2\.1/24 dev virt0", r"maddr\.new 01:00:5e:00:00:fb dev virt0",
                     r"neigh\.new 192\.0\.2\.9 dev virt0 lladdr 02:00:00:00:00:09",
                     r"route\.new default via 192\.0\.2\.9 dev virt0 proto static"):
            self.assertRegex(said, rf"(?m)^\d\d:\d\d:\d\d\.\d{{9}} \d+ {line}$")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
