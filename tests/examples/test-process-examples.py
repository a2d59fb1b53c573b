#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the example of child processes: run-many."""

import re
import time
import unittest

from example import Example, tap, wait_until


class RunMany(Example):
    def test_outputs(self):
        """run-many: outputs whole and apart, whatever ran at once"""
        commands = [f"for i in 1 2 3; do echo {n}; sleep 0.01; echo {n} >&2; done" for n in range(20)]
        status, said, complaint = self.run_example("run-many", "-j", "8", *commands)
        self.assertEqual((status, complaint), (0, ""))
        *parts, summary = said.splitlines()
        self.assertEqual(summary, "20 good, 0 bad, 0 stopped")
        text = "\n".join(parts) + "\n"
        for number, command in enumerate(commands):
            self.assertIn(f"== {command}\n" + f"{number}\n" * 6, text)
        self.assertEqual(len(parts), 20 * 7)

    def test_failures(self):
        """run-many: a command that fails ends no other"""
        status, said, complaint = self.run_example("run-many", "exit 3", "echo well", "kill -9 $$")
        self.assertEqual((status, complaint), (1, ""))
        self.assertIn("== exit 3 (exit status 3)\n", said)
        self.assertIn("== echo well\nwell\n", said)
        self.assertIn("== kill -9 $$ (ended by a signal)\n", said)
        self.assertTrue(said.endswith("1 good, 2 bad, 0 stopped\n"), said)

    def test_at_most(self):
        """run-many: no more at once than it was told"""
        command = "mkdir one && sleep 0.01 && rmdir one"
        status, said, complaint = self.run_example("run-many", "-j", "1", *[command] * 10)
        self.assertEqual((status, complaint), (0, ""))
        self.assertTrue(said.endswith("10 good, 0 bad, 0 stopped\n"), said)

    def test_interrupt(self):
        """run-many: Ctrl-C ends the commands, theirs too, and begins no more"""
        command = "echo $$ >>pids; sleep 100 & echo $! >>pids; wait"
        process = self.start("run-many", "-j", "2", *[command] * 5)
        pids = self.folder / "pids"
        wait_until("two have begun", lambda: pids.exists() and len(pids.read_text().split()) == 4)
        began = time.monotonic()
        self.interrupt(process)
        status, said, _ = self.end(process)
        self.assertNotEqual(status, 0)
        self.assertLess(time.monotonic() - began, 30)
        self.assertEqual(said, "0 good, 0 bad, 5 stopped\n")
        numbers = pids.read_text().split()
        self.assertEqual(len(numbers), 4)
        for number in numbers:
            wait_until(f"{number} has ended", lambda number=number: self.has_ended(number))

    @staticmethod
    def has_ended(number):
        try:
            with open(f"/proc/{number}/stat", encoding="ascii") as stat:
                return re.search(r"\) (\S)", stat.read())[1] == "Z"
        except (FileNotFoundError, ProcessLookupError):
            return True

    def test_usage(self):
        """run-many: tells how it is used"""
        for arguments in [(), ("-j", "0", "true"), ("-j", "x", "true"), ("-j", "3")]:
            status, said, complaint = self.run_example("run-many", *arguments)
            self.assertEqual((status, said), (2, ""))
            self.assertRegex(complaint, r"^usage: run-many")


if __name__ == "__main__":
    tap.main()
