#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/gdb/eddy.py in a gdb of its own: fibers of a process and of its core. Skips where there is no gdb, or no
process may be traced. TAP on stdout; the argument is the program parked.
"""

import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

import tap  # noqa: E402 (the path comes first)

SCRIPT = ROOT / "tools" / "gdb" / "eddy.py"
HUGE = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
PROGRAM = os.environ["EDDY_GDB_PROGRAM"]
SLEEPER = r"#\d+ .*eddy_fiber_sleep .*\n *#\d+ .*sleep_below .*\n *#\d+ .*sleep_above "


def gdb(*commands, core=None):
    words = ["gdb", "-q", "-batch", "-nx", "-ex", "set width 0", "-ex", "set debuginfod enabled off",
             "-ex", "set confirm off"]
    for command in commands:
        words += ["-ex", command]
    words += [PROGRAM] + ([core] if core else [])
    process = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    return process.stdout + process.stderr


def run_to(*commands):
    """The output of commands in a process that stands in stop_here()."""
    text = gdb("break stop_here", "run", f"source {SCRIPT}", *commands)
    if "Operation not permitted" in text or "Couldn't" in text:
        raise unittest.SkipTest("gdb may not trace here")
    return text


@unittest.skipUnless(shutil.which("gdb"), "there is no gdb")
class Gdb(unittest.TestCase):
    def test_lists_fibers(self):
        text = run_to("eddy-fibers")
        self.assertRegex(text, r"(?m)^context 0x[0-9a-f]+$")
        self.assertRegex(text, r"(?m)^  1  'main' \(.*parked\.c:\d+\) 0x[0-9a-f]+: running$")
        self.assertRegex(text, r"'sleeper' \(.*parked\.c:\d+\) 0x[0-9a-f]+: parked, waits for a timer\n")
        self.assertRegex(text, r"'waiter' \(.*: parked, waits for a future\n")
        self.assertRegex(text, r"'stop' \(.*: ready\n")

    def test_prints_stacks(self):
        text = run_to("eddy-backtrace", "backtrace")
        self.assertRegex(text, SLEEPER)
        self.assertRegex(text, r"#\d+ .*eddy_await .*\n *#\d+ .*await_other ")
        self.assertRegex(text, r"#\d+ .*eddy_fiber_yield .*\n *#\d+ .*go_round ")
        # gdb's own backtrace is what it was.
        self.assertRegex(text, r"#0 .*stop_here .*\n#1 .*stop ")

    def test_prints_one_stack(self):
        for which in ["sleeper", "2"]:
            text = run_to(f"eddy-backtrace {which}")
            self.assertRegex(text, SLEEPER)
            self.assertNotIn("await_other", text)
        self.assertIn("no such fiber", run_to("eddy-backtrace 99"))

    def test_reads_a_core(self):
        with tempfile.TemporaryDirectory() as folder:
            # The kernel's: gdb's own stop at the stacks' guards.
            subprocess.run([PROGRAM, "abort"], cwd=folder, check=False,
                           preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, HUGE))
            cores = list(pathlib.Path(folder).glob("core*"))
            if not cores:
                self.skipTest("cores are not left in the current folder here")
            text = gdb(f"source {SCRIPT}", "eddy-fibers", "eddy-backtrace", core=str(cores[0]))
            self.assertRegex(text, r"'waiter' \(.*: parked, waits for a future\n")
            self.assertRegex(text, SLEEPER)

    def test_says_that_there_is_no_eddy(self):
        self.assertIn("libeddy, or its symbols, are not here", gdb(f"source {SCRIPT}", "eddy-fibers"))


if __name__ == "__main__":
    tap.main()
