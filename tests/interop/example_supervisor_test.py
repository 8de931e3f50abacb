# SPDX-License-Identifier: BSD-2-Clause
"""examples/supervisor.cpp starts a stack again that has crashed, with the kernel's process events and without.

usage: example_supervisor_test.py EMBED SUPERVISOR
"""

import os
import signal
import subprocess
import sys
import unittest

import peers

EMBED, SUPERVISOR = sys.argv[1:3]


class Case(unittest.TestCase):
    def supervise(self, *command):
        process = subprocess.Popen([SUPERVISOR, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def said(self, process, wanted):
        """The next line with that in it."""
        before = []
        for line in process.stdout:
            if wanted in line:
                return line
            before.append(line)
        raise AssertionError(f"'{wanted}' was not said; said was {before}")


class Crashes(Case):
    """Where the test was started: with the kernel's events, if it gives any."""

    def test_a_crash_is_told_of_and_the_program_started_again(self):
        supervisor = self.supervise("sleep", "1000")
        hears = "hearing the kernel's process events" in supervisor.stdout.readline()
        for _ in range(2):
            pid = int(self.said(supervisor, "running").split()[1])
            os.kill(pid, signal.SIGSEGV)
            if hears:
                self.assertEqual(self.said(supervisor, "dumps core"), f"{pid}: thread {pid} dumps core\n")
            self.assertIn(f"{pid} crashed (signal 11", self.said(supervisor, "crashed"))
        self.said(supervisor, "running")
        supervisor.terminate()
        self.assertEqual(supervisor.wait(20), 0)

    def test_an_end_of_its_own_is_no_crash(self):
        self.assertEqual(self.supervise("sh", "-c", "exit 3").wait(20), 3)
        self.assertEqual(self.supervise("there is no such program").wait(20), 1)


class Stack(Case):
    """In a network namespace, where the kernel refuses its events."""

    def test_a_stack_answers_ping_again_after_a_crash(self):
        supervisor = self.supervise(EMBED, "tap:vif0", "192.0.2.1")
        self.assertIn("only the exits of own children are told of", supervisor.stdout.readline())
        for crash in (True, False):
            pid = int(self.said(supervisor, "running").split()[1])
            self.said(supervisor, "answering")
            peers.up("vif0", "192.0.2.2/24")
            self.assertIn("5 received", peers.run("ping -c 5 -i 0.01 -W 5 192.0.2.1").decode())
            if crash:
                os.kill(pid, signal.SIGKILL)
        supervisor.terminate()
        self.assertEqual(supervisor.wait(20), 0)


if __name__ == "__main__":
    if peers.INSIDE not in os.environ:
        ran = unittest.main(argv=sys.argv[:1], defaultTest="Crashes", exit=False)
        if not ran.result.wasSuccessful():
            sys.exit(1)
        peers.alone("ping", "ip")
    unittest.main(argv=sys.argv[:1], defaultTest="Stack")
