#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""eddy copy on a terminal: the bar, its width, its end, and names that must not reach a terminal raw."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

import cli
from cli import make_file, tap

CLEARED = b"\r\x1b[K"


class Terminal(cli.CliTest):
    in_memory = True

    def run_on_terminal(self, *arguments, columns=80, hold_up=0.0, environment=None):
        """Runs `eddy copy` with a terminal as its stderr; returns (exit status, what was written there)."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        attributes = termios.tcgetattr(theirs)
        attributes[1] &= ~termios.OPOST
        termios.tcsetattr(theirs, termios.TCSANOW, attributes)
        n_before = self.count_made()
        process = subprocess.Popen([cli.CLI, "copy", *arguments], stdin=subprocess.DEVNULL, stderr=theirs,
                                   env={**os.environ, "TERM": "xterm", **(environment or {})})
        os.close(theirs)
        if hold_up:
            threading.Thread(target=self.hold_up, args=(process, hold_up, n_before)).start()
        written = b""
        while True:
            ready, _, _ = select.select([ours], [], [], 60)
            try:
                more = os.read(ours, 65536) if ready else b""
            except OSError:     # the other side is closed
                more = b""
            if not more:
                break
            written += more
        os.close(ours)
        return process.wait(timeout=60), written

    def count_made(self):
        """How many files the copy's folder has; -1 while there is none."""
        try:
            return len(os.listdir(self.copy))
        except FileNotFoundError:
            return -1

    def hold_up(self, process, seconds, n_before):
        """Has a copy take longer, from when it has made something: its bar is drawn every tenth of a second."""
        while self.count_made() <= n_before and process.poll() is None:
            time.sleep(0.0005)
        for _ in range(3):
            process.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            process.send_signal(signal.SIGCONT)
            time.sleep(0.002)

    def make_source(self):
        self.source.mkdir()
        for number in range(3000):
            make_file(self.source / f"file-{number}", b"x" * 20000)

    def draws(self, *arguments, **options):
        """What a bar has drawn, each time: a copy that is too fast to have one is done again."""
        for _ in range(10):
            subprocess.run(["rm", "-rf", self.copy], check=True)
            status, written = self.run_on_terminal("-r", *arguments, self.source, self.copy, hold_up=0.12, **options)
            self.assertEqual(status, 0, written)
            drawn = re.findall(rb"\r([^\r\n\x1b]+)\x1b\[K", written)
            if drawn:
                return drawn, written
        self.fail("no bar was drawn in ten copies")

    def test_bar(self):
        """a bar is drawn, cleared at the end, and a summary follows"""
        self.make_source()
        drawn, written = self.draws()
        self.assertTrue(any(re.search(rb"\d+ of 3,000 files, .*/s, .* left$", line) for line in drawn) or
                        any(b" files, " in line for line in drawn), drawn)
        last_bar = written.rindex(drawn[-1])
        self.assertIn(CLEARED + b"eddy copy: 3,000 files, 57.2 MiB in ", written[last_bar:])
        self.assertEqual(written.count(b"\n"), 1)

    def test_width(self):
        """a bar keeps to the terminal's width"""
        self.make_source()
        for columns in (30, 60, 200):
            drawn, _ = self.draws(columns=columns)
            self.assertLess(max(len(line) for line in drawn), columns)

    def test_quiet_and_never(self):
        """--quiet says nothing, --progress=never the summary only, and so does a dumb terminal at least"""
        self.make_source()
        status, written = self.run_on_terminal("-r", "--quiet", self.source, self.copy, hold_up=0.12)
        self.assertEqual((status, written), (0, b""))
        subprocess.run(["rm", "-rf", self.copy], check=True)
        status, written = self.run_on_terminal("-r", "--progress=never", self.source, self.copy, hold_up=0.12)
        self.assertEqual(status, 0)
        self.assertRegex(written, rb"^eddy copy: 3,000 files, [^\r\n]*\n$")
        subprocess.run(["rm", "-rf", self.copy], check=True)
        _, written = self.run_on_terminal("-r", self.source, self.copy, hold_up=0.12, environment={"TERM": "dumb"})
        self.assertNotIn(b"\r", written)

    def test_escaped_names(self):
        """control characters and invalid UTF-8 in names are escaped"""
        self.source.mkdir()
        self.copy.mkdir()
        for name in (b"evil\x1b]0;title\x07", b"two\nlines", b"\xff\xfe", "größe".encode(), b"\xc2\x9b31m"):
            make_file(self.source / os.fsdecode(name))
            make_file(self.copy / os.fsdecode(name))
        status, written = self.run_on_terminal("-rq", f"{self.source}/.", self.copy)
        self.assertEqual(status, 1)
        said = sorted(written.decode().splitlines())
        self.assertEqual(said, sorted(f"eddy copy: {self.copy}/{name}: File exists" for name in
                                      (r"evil\033]0;title\a", r"two\nlines", r"\377\376", "größe", r"\302\23331m")))

    def test_messages_above_the_bar(self):
        """a message does not stand on the bar's line"""
        self.make_source()
        os.mkfifo(self.source / "fifo")
        for _ in range(10):
            subprocess.run(["rm", "-rf", self.copy], check=True)
            self.copy.mkdir()
            for number in range(0, 3000, 7):
                make_file(self.copy / f"file-{number}", b"old")
            status, written = self.run_on_terminal("-r", f"{self.source}/.", self.copy, hold_up=0.12)
            self.assertEqual(status, 1)
            for line in written.split(b"\n")[:-1]:
                shown = line[line.rindex(CLEARED) + len(CLEARED):] if CLEARED in line else line
                self.assertTrue(shown.startswith(b"eddy copy: "), line)
            if CLEARED in written:
                return
        self.fail("no bar was drawn in ten copies")


if __name__ == "__main__":
    tap.main()
