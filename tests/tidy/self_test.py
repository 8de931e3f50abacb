# SPDX-License-Identifier: BSD-2-Clause
"""Each tidy check can fail: it is shown small trees that break its rule, and one that breaks none."""

import re
import tempfile
import unittest
from pathlib import Path

import headers
import includes
import format as format_check
import pure_symbols
import rules

HEAD = "// SPDX-License-Identifier: BSD-2-Clause\n// For a test.\n"


def grow(folder, tree):
    for name, content in tree.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


class Tidy(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)

    def expect(self, check, tree, *wanted):
        """`check` finds exactly one problem for each of `wanted`, in any order, and each says what to do instead."""
        found = check(grow(self.root, tree))
        self.assertEqual(len(found), len(wanted), found)
        for pattern in wanted:
            self.assertTrue(any(re.search(pattern, problem) for problem in found), (pattern, found))
        for problem in found:
            self.assertIn("Do instead", problem)

    def test_includes_accepts_the_arrows(self):
        self.expect(includes.check, {
            "netstack/base/a.hpp": "#include <span>\n",
            "netstack/b.hpp": '#include "netstack/base/a.hpp"\n',
            "virtif/c.hpp": '#include "netstack/b.hpp"\n#include "virtif/d.hpp"\n',
            "hypercall/e.cpp": '#include "virtif/c.hpp"\n#include <thread>\n#include "services/trace/p.hpp"\n',
            "hypercall/host/f.cpp": '#include "hypercall/e.hpp"\n#include "hypercall/host/g.hpp"\n',
            "tests/h.cpp": '#include "hypercall/host/g.hpp"\n',
        })

    def test_includes_refuses_the_others(self):
        self.expect(includes.check, {
            "netstack/base/a.hpp": '#include "netstack/b.hpp"\n',
            "netstack/b.hpp": '#include "virtif/c.hpp"\n',
            "virtif/c.hpp": '#include "hypercall/e.hpp"\n',
            "services/trace/s.hpp": '#include "services/fwu/t.hpp"\n',
            "hypercall/e.hpp": '#include "hypercall/host/g.hpp"\n',
            "virtif/d.hpp": '#include "c.hpp"\n',
        }, "netstack/base/a.hpp:1", "netstack/b.hpp:1", "virtif/c.hpp:1", "services/trace/s.hpp:1", "hypercall/e.hpp:1",
            "virtif/d.hpp:1: .*root of the repository")

    def test_includes_refuses_the_host_in_pure_folders(self):
        self.expect(includes.check, {
            "netstack/a.cpp": "#include <thread>\n#include <unistd.h>\n# include <pcap.h>\n",
            "virtif/b.cpp": "#include <chrono>\nauto t = std::chrono::steady_clock::now();\n",
            "services/trace/c.cpp": "#include <iostream>\n",
        }, "a.cpp:1: <thread>", "a.cpp:2: <unistd.h>", "a.cpp:3: <pcap.h>", "b.cpp:2: a clock", "c.cpp:1: <iostream>")

    def test_symbols(self):
        patterns = pure_symbols.allow_list("# words\nmem(cpy|set)  # bytes\n")
        needed = [("a.o", "memcpy"), ("a.o", "below()"), ("a.o", "open64"), ("b.o", "std::thread::join()")]
        found = pure_symbols.refused(needed, {"below()"}, patterns)
        self.assertEqual(len(found), 2)
        self.assertIn("a.o: open64: ", found[0])
        self.assertIn("ByteSource", found[0])
        self.assertIn("stay on the domain's thread", found[1])
        with self.assertRaisesRegex(SystemExit, "no reason"):
            pure_symbols.allow_list("getenv\n")

    def test_symbols_list_refuses_the_host(self):
        patterns = pure_symbols.allow_list((Path(__file__).parent / "pure_symbols.txt").read_text(encoding="utf-8"))
        host = ["open64", "syscall", "nanosleep", "time", "clock_gettime", "getenv", "printf", "__printf_chk", "fopen64",
                "std::cout", "std::ostream::operator<<(long)", "std::chrono::_V2::steady_clock::now()", "pthread_create",
                "std::thread::join()", "std::condition_variable::wait(std::unique_lock<std::mutex>&)", "rand",
                "std::random_device::_M_getval()", "std::locale::locale()", "pcap_compile", "__tls_get_addr", "abort"]
        self.assertEqual(len(pure_symbols.refused([("x.o", symbol) for symbol in host], set(), patterns)), len(host))

    def test_format(self):
        self.expect(format_check.check, {".clang-format": "BasedOnStyle: Google\n", "a.cpp": "int  a;\n", "b.c": "int b;\n"},
                    "a.cpp: not formatted")

    def test_headers(self):
        self.expect(headers.check, {"a.hpp": "#pragma once\nstd::size_t a();\n", "b.hpp": "#pragma once\n",
                                    "c.h": "#pragma once\n#include <stdbool.h>\nclass C;\n"},
                    "a.hpp does not compile alone as -std=c\\+\\+20", "c.h does not compile alone as -std=c11")

    def test_rules_accept_the_house(self):
        self.expect(rules.check, {
            "README.md": "# One\n```\n# not a title\n```\n",
            "netstack/meson.build": "files('a.cpp', 'sub/b.cpp')\n",
            "netstack/a.hpp": HEAD + "#pragma once\nstruct Commonplace;  // TODO(#7): less\n",
            "netstack/a.cpp": HEAD.splitlines()[0] + "\n",
            "netstack/sub/b.cpp": HEAD,
        })

    def test_rules_refuse(self):
        self.expect(rules.check, {
            "README.md": "# One\n# Two\n" + "\n" * 200,
            "netstack/meson.build": "files('a.cpp')\n",
            "netstack/a.cpp": HEAD + "// TODO: later\n",
            "netstack/lost.cpp": HEAD,
            "netstack/bare.hpp": "#pragma once\n",
            "netstack/unsaid.hpp": HEAD.splitlines()[0] + "\n#pragma once\n",
            "netstack/mbuf_util.hpp": HEAD + "#pragma once\nclass FrameManager {};\n",
            "netstack/long.hpp": HEAD + "#pragma once\n" + "\n" * 300,
            "docs/paths.md": "# Paths\nsee /home/me/virtif\nfrom pypi.org\n",
        }, "README.md: 2[0-9]+ lines", "README.md: 2 titles", "a.cpp:3: TODO", "lost.cpp: no meson.build", "bare.hpp: no licence",
            "unsaid.hpp: no word", "mbuf_util.hpp: \"util\"", "mbuf_util.hpp:4: \"manager\"", "long.hpp: 303 lines",
            "paths.md:2", "paths.md:3")


if __name__ == "__main__":
    unittest.main(verbosity=2)
