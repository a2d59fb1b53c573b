#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the examples in each of their styles, and compares what they print with what they promise."""

import os
import re
import signal
import socket
import struct
import unittest

from example import CANCELLED, EXAMPLES, ROOT, Example, status_of, tap, wait_until


class CopyForms(Example):
    FORMS = ("awaited", "blocking", "callbacks", "future")

    def test_same_copy(self):
        """copy-forms: each form makes the same copy and prints the same"""
        contents = os.urandom(300000)
        (self.folder / "source").write_bytes(contents)
        for form in self.FORMS:
            with self.subTest(form=form):
                self.assertEqual(self.run_example("copy-forms", form, "source", "copy"),
                                 (0, "copy: 300000 bytes\n", ""))
                self.assertEqual((self.folder / "copy").read_bytes(), contents)
                (self.folder / "copy").unlink()

    def test_same_error(self):
        """copy-forms: each form reports the same error"""
        (self.folder / "source").write_bytes(b"x")
        (self.folder / "copy").write_bytes(b"old")
        for form in self.FORMS:
            with self.subTest(form=form):
                self.assertEqual(self.run_example("copy-forms", form, "missing", "new"),
                                 (1, "", "copy-forms: missing: No such file or directory\n"))
                self.assertEqual(self.run_example("copy-forms", form, "source", "copy"),
                                 (1, "", "copy-forms: copy: File exists\n"))
                self.assertEqual((self.folder / "copy").read_bytes(), b"old")

    def test_use(self):
        """copy-forms: wrong use"""
        for arguments in ((), ("awaited",), ("somehow", "a", "b")):
            status, said, complaint = self.run_example("copy-forms", *arguments)
            self.assertEqual((status, said), (2, ""))
            self.assertIn("awaited|blocking|callbacks|future", complaint)


class LoadFile(Example):
    STYLES = ("callbacks", "task", "future", "await")

    def test_same_answer(self):
        """load-file: each style loads a file, or says the same of one that it cannot load"""
        (self.folder / "file").write_bytes(bytes(70000))
        for style in self.STYLES:
            with self.subTest(style=style):
                self.assertEqual(self.run_example("load-file", style, "file"), (0, "file: 70000 bytes\n", ""))
                self.assertEqual(self.run_example("load-file", style, "missing"),
                                 (1, "", "load-file: missing: No such file or directory\n"))
                self.assertEqual(self.run_example("load-file", style, "."),
                                 (1, "", "load-file: .: Is a directory\n"))

    def test_cancelled(self):
        """load-file: a load that was cancelled before says so"""
        (self.folder / "file").write_bytes(b"x")
        for style in self.STYLES:
            with self.subTest(style=style):
                self.assertEqual(self.run_example("load-file", style, "--cancel", "file"),
                                 (1, "", f"load-file: file: {CANCELLED}\n"))

    def interrupt_in_the_middle(self, style):
        process = self.start("load-file", style, "file")

        def is_loading():
            memory = status_of(process).get("VmRSS", "0 kB")
            return process.poll() is not None or int(memory.split()[0]) > 80 << 10

        wait_until("it has begun", is_loading)
        process.send_signal(signal.SIGINT)
        return self.end(process)

    def test_interrupted(self):
        """load-file: Ctrl-C in the middle of a load ends it"""
        (self.folder / "file").touch()
        os.truncate(self.folder / "file", 300 << 20)
        for style in self.STYLES:
            with self.subTest(style=style):
                # It may have ended before the signal came.
                answers = []
                while len(answers) < 10 and (1, "", f"load-file: file: {CANCELLED}\n") not in answers:
                    answers.append(self.interrupt_in_the_middle(style))
                self.assertEqual(answers[-1], (1, "", f"load-file: file: {CANCELLED}\n"))
                self.assertLessEqual(set(answers[:-1]), {(0, f"file: {300 << 20} bytes\n", "")})


class ReadMessage(Example):
    STYLES = [("read-message", style) for style in ("callbacks", "futures", "await")] + [
        ("read-message-blocking", style) for style in ("thread", "future", "await")]

    def setUp(self):
        super().setUp()
        self.peer = self.make_peer("address")

    def each_style(self):
        for name, style in self.STYLES:
            with self.subTest(name=name, style=style):
                yield name, style

    def test_message(self):
        """read-message: reads a message that comes in pieces up to its end"""
        for name, style in self.each_style():
            process = self.start(name, style, "address")
            with self.peer.accept() as other:
                other.sendall(b"hello,\n")
                self.peer.wait_until_read(other)
                other.sendall(b"world\n")
            self.assertEqual(self.end(process), (0, "hello,\nworld\n", ""))

    def test_empty_message(self):
        """read-message: an end without a message is an empty message"""
        for name, style in self.each_style():
            process = self.start(name, style, "address")
            self.peer.accept().close()
            self.assertEqual(self.end(process), (0, "", ""))

    def test_long_message(self):
        """read-message: a message that is too long is an error, not a part of it"""
        for name, style in self.each_style():
            process = self.start(name, style, "address")
            with self.peer.accept() as other:
                other.sendall(b"x" * 5000)
                self.assertEqual(self.end(process), (1, "", f"{name}: {self.peer.address}: Message too long\n"))

    def test_name(self):
        """read-message: connects to a host by its name"""
        (self.folder / "name").write_text(f"localhost:{self.peer.port}\n", encoding="ascii")
        for name, style in self.each_style():
            process = self.start(name, style, "name")
            with self.peer.accept() as other:
                other.sendall(b"hello\n")
            self.assertEqual(self.end(process), (0, "hello\n", ""))

    def test_failures(self):
        """read-message: a failure at each step, named"""
        (self.folder / "wrong").write_text("127.0.0.1:http:80\n", encoding="ascii")
        gone = self.make_peer("gone")
        gone.close()
        for name, style in self.each_style():
            self.assertEqual(self.run_example(name, style, "lost"),
                             (1, "", f"{name}: lost: No such file or directory\n"))
            status, said, complaint = self.run_example(name, style, "wrong")
            self.assertEqual((status, said), (1, ""))
            self.assertRegex(complaint, rf"^{name}: .*127\.0\.0\.1:http:80")
            status, said, complaint = self.run_example(name, style, "gone")
            self.assertEqual((status, said), (1, ""))
            self.assertRegex(complaint, rf"^{name}: .*{re.escape(gone.address)}.*: Connection refused\n$")
            process = self.start(name, style, "address")
            with self.peer.accept() as other:
                other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            status, said, complaint = self.end(process)
            self.assertEqual((status, said), (1, ""))
            self.assertRegex(complaint, rf"^{name}: .*{re.escape(self.peer.address)}.*: Connection reset by peer\n$")

    def assert_cancelled(self, process, name):
        status, said, complaint = self.end(process)
        self.assertEqual((status, said), (1, ""))
        self.assertRegex(complaint, rf"^{name}: (.*: )?{CANCELLED}\n$")

    def test_interrupted_while_connecting(self):
        """read-message: Ctrl-C while the peer does not answer"""
        deaf = self.make_peer("deaf", backlog=0)
        deaf.become_deaf()
        for name, style in self.each_style():
            process = self.start(name, style, "deaf")
            deaf.wait_for_caller()
            self.interrupt(process)
            self.assert_cancelled(process, name)

    def test_interrupted_while_reading(self):
        """read-message: Ctrl-C before a message, and in the middle of one"""
        for name, style in self.each_style():
            for beginning in (b"", b"hello,\n"):
                process = self.start(name, style, "address")
                with self.peer.accept() as other:
                    other.sendall(beginning)
                    self.peer.wait_until_read(other)
                    self.interrupt(process)
                    self.assert_cancelled(process, name)


class DeleteFiles(Example):
    STYLES = ("callbacks", "future", "await")
    LIMIT = 8

    def make_files(self, count):
        names = [f"file-{number}" for number in range(count)]
        for name in names:
            (self.folder / name).touch()
        return names

    def test_every_error(self):
        """delete-files: deletes what it can, and reports every error"""
        (self.folder / "folder" / "inner").mkdir(parents=True)
        for style in self.STYLES:
            with self.subTest(style=style):
                names = self.make_files(40)
                names[3:3] = ["missing", "folder"]
                names.append("lost")
                status, said, complaint = self.run_example("delete-files", style, *names)
                self.assertEqual((status, said), (1, "40 deleted, 3 failed, 0 cancelled, 0 not started\n"))
                self.assertEqual(sorted(complaint.splitlines()),
                                 ["delete-files: folder: Directory not empty",
                                  "delete-files: lost: No such file or directory",
                                  "delete-files: missing: No such file or directory"])
                self.assertEqual(os.listdir(self.folder), ["folder"])

    def test_many(self):
        """delete-files: one file, and thousands"""
        for style in self.STYLES:
            for count in (1, self.LIMIT, self.LIMIT + 1, 4000):
                with self.subTest(style=style, count=count):
                    self.assertEqual(self.run_example("delete-files", style, *self.make_files(count)),
                                     (0, f"{count} deleted, 0 failed, 0 cancelled, 0 not started\n", ""))
                    self.assertEqual(os.listdir(self.folder), [])

    def interrupt_in_the_middle(self, style, count):
        """Interrupts the deletion of so many files; returns how many were not started."""
        names = self.make_files(count)
        process = self.start("delete-files", style, *names)
        wait_until("some are deleted",
                   lambda: process.poll() is not None or not (self.folder / names[count // 10]).exists())
        process.send_signal(signal.SIGINT)
        status, said, complaint = self.end(process)
        left = len(os.listdir(self.folder))
        found = re.fullmatch(r"(\d+) deleted, 0 failed, (\d+) cancelled, (\d+) not started\n", said)
        self.assertIsNotNone(found, said)
        n_deleted, n_cancelled, n_not_started = map(int, found.groups())
        self.assertEqual(n_deleted + n_cancelled + n_not_started, count)
        self.assertEqual(n_cancelled + n_not_started, left)
        self.assertLessEqual(n_cancelled, self.LIMIT)
        self.assertEqual((status, complaint), (1 if left > 0 else 0, ""))
        return n_not_started

    def test_interrupted(self):
        """delete-files: Ctrl-C in the middle: what is deleted is deleted, and counted"""
        for style in self.STYLES:
            with self.subTest(style=style):
                # It may have ended before the signal came.
                self.assertTrue(any(self.interrupt_in_the_middle(style, 4000) > 0 for _ in range(10)))


class LoadMessages(Example):
    STYLES = ("callbacks", "future", "await")

    def setUp(self):
        super().setUp()
        self.peers = [self.make_peer(f"address-{number}") for number in range(3)]

    def start_loads(self, style):
        """The program, and its connections in the order of its arguments."""
        process = self.start("load-messages", style, *(f"address-{number}" for number in range(3)))
        return process, [peer.accept() for peer in self.peers]

    def test_at_once(self):
        """load-messages: several at once, whichever ends first, printed in order"""
        for style in self.STYLES:
            with self.subTest(style=style):
                process, others = self.start_loads(style)
                for number in (2, 0, 1):
                    others[number].sendall(f"message {number}\n".encode())
                    others[number].close()
                self.assertEqual(self.end(process), (0, "message 0\nmessage 1\nmessage 2\n", ""))

    def test_failures(self):
        """load-messages: one that fails does not touch the others"""
        self.peers[1].close()
        for style in self.STYLES:
            with self.subTest(style=style):
                process = self.start("load-messages", style, "lost", "address-1", "address-2")
                with self.peers[2].accept() as other:
                    other.sendall(b"hello\n")
                status, said, complaint = self.end(process)
                self.assertEqual((status, said), (1, "hello\n"))
                self.assertRegex(complaint, r"^load-messages: lost: No such file or directory\n"
                                 rf"load-messages: .*{re.escape(self.peers[1].address)}.*: Connection refused\n$")

    def test_interrupted(self):
        """load-messages: Ctrl-C ends those under way; what was loaded stays loaded"""
        for style in self.STYLES:
            with self.subTest(style=style):
                process, others = self.start_loads(style)
                others[0].sendall(b"from ")
                others[1].sendall(b"hello\n")
                self.peers[0].wait_until_read(others[0])
                self.peers[1].end(others[1])
                wait_until("it waits again", lambda process=process: status_of(process)["State"].startswith("S"))
                self.interrupt(process)
                status, said, complaint = self.end(process)
                self.assertEqual((status, said), (1, "hello\n"))
                self.assertRegex(complaint, rf"^(load-messages: (.*: )?{CANCELLED}\n){{2}}$")


class Lifetimes(Example):
    def start_reader(self, style):
        ours, theirs = os.pipe()
        process = self.start("lifetimes", style, stdin=ours)
        os.close(ours)
        return process, os.fdopen(theirs, "wb", buffering=0)

    def test_strong(self):
        """lifetimes: a strong one keeps the object until its callback has run"""
        process, writer = self.start_reader("strong")
        with writer:
            writer.write(b"hello\n")
            self.assertEqual(self.end(process), (0, "given up\nread: hello\ndisposed of\ngone\n", ""))

    def test_strong_interrupted(self):
        """lifetimes: Ctrl-C ends a strong one"""
        process, writer = self.start_reader("strong")
        with writer:
            self.interrupt(process)
            self.assertEqual(self.end(process), (1, "given up\nnot read\ndisposed of\ngone\n",
                                                 f"lifetimes: standard input: {CANCELLED}\n"))

    def test_weak(self):
        """lifetimes: weak ones are cancelled with the object, whose memory outlasts them"""
        for style in ("weak", "bound"):
            with self.subTest(style=style):
                process, writer = self.start_reader(style)
                with writer:
                    self.assertEqual(self.end(process), (0, "given up\ndisposed of\nnot read\ngone\n", ""))


class Gather(Example):
    STYLES = ("callbacks", "tasks", "futures", "fibers", "channels", "sequence", "mixed")

    def setUp(self):
        super().setUp()
        os.mkfifo(self.folder / "door-1")
        os.mkfifo(self.folder / "door-2")
        (self.folder / "file").write_text("from a file\n", encoding="ascii")
        (self.folder / "empty").touch()

    def test_in_order(self):
        """gather: each style loads all at once, and prints the same, in order"""
        for style in self.STYLES:
            with self.subTest(style=style):
                process = self.start("gather", style, "door-1", "file", "empty", "door-2", "file")
                with self.open_door("door-1") as first:
                    with self.open_door("door-2") as second:
                        second.write(b"from the second\n")
                    first.write(b"from ")
                    self.drained(process, "door-1", first)
                    first.write(b"the first\n")
                self.assertEqual(self.end(process),
                                 (0, "from the first\nfrom a file\nfrom the second\nfrom a file\n", ""))

    def test_first_error(self):
        """gather: in each style the first error ends the others, though nobody is at their other ends"""
        for style in self.STYLES:
            with self.subTest(style=style):
                self.assertEqual(self.run_example("gather", style, "missing", "door-1", "file", "door-2"),
                                 (1, "", "gather: missing: No such file or directory\n"))
                process = self.start("gather", style, "door-1", "door-2", "file")
                with self.open_door("door-1") as first, self.open_door("door-2"):
                    first.write(b"x" * 5000)
                    self.assertEqual(self.end(process), (1, "", "gather: door-1: too long\n"))

    def test_interrupted(self):
        """gather: in each style Ctrl-C ends everything"""
        for style in self.STYLES:
            with self.subTest(style=style):
                process = self.start("gather", style, "file", "door-1", "door-2")
                with self.open_door("door-1") as first, self.open_door("door-2"):
                    first.write(b"from ")
                    self.drained(process, "door-1", first)
                    self.interrupt(process)
                    self.assertEqual(self.end(process), (1, "", "gather: cancelled\n"))


class CountPrimes(Example):
    STYLES = ("pool", "group", "fibers")

    def test_count(self):
        """count-primes: each style counts each prime once"""
        for style in self.STYLES:
            for number, count in ((2, 0), (3, 1), (1000, 168), (1001, 168), (200000, 17984)):
                with self.subTest(style=style, number=number):
                    self.assertEqual(self.run_example("count-primes", style, str(number)),
                                     (0, f"{count} primes in {-(-number // 1000)} slices\n", ""))

    def test_interrupted(self):
        """count-primes: at Ctrl-C each fiber adds what it has counted before it ends"""
        if b"__tsan_init" in (EXAMPLES / "count-primes").read_bytes():
            self.skipTest("ThreadSanitizer keeps a signal back until the flow that it came to calls what it watches")
        for style in self.STYLES:
            with self.subTest(style=style):
                process = self.start("count-primes", style, "1000000000")
                self.interrupt(process)
                status, said, complaint = self.end(process)
                self.assertEqual((status, complaint), (130, f"count-primes: {CANCELLED}\n"))
                found = re.fullmatch(r"(\d+) primes in (\d+) slices\n", said)
                self.assertIsNotNone(found, said)
                # A tenth of the numbers is prime at the start, a twentieth at the end; each slice has some.
                self.assertLessEqual(int(found[2]) * 20, int(found[1]))
                self.assertLessEqual(int(found[1]), int(found[2]) * 168)


class Dinner(Example):
    NAMES = ("Hypatia", "Laozi", "Ibn Rushd", "Hume", "Arendt")

    def test_polite(self):
        """dinner: nobody starves who takes the lower fork first"""
        self.assertEqual(self.run_example("dinner", "polite", "100"), (0, "500 of 500 eaten\n", ""))

    def test_hasty(self):
        """dinner: where all wait for each other, the dump names the deadlock and who is in it"""
        status, said, complaint = self.run_example("dinner", "hasty", "3")
        self.assertEqual(status, 1)
        self.assertRegex(said, r"^\d+ of 15 eaten\n$")
        lines = [line for line in complaint.splitlines() if line.startswith("deadlock:")]
        self.assertEqual(len(lines), 1, complaint)
        for number, name in enumerate(self.NAMES):
            self.assertIn(f"'{name}'", lines[0])
            self.assertIn(f"'fork {number}'", lines[0])
        self.assertEqual(complaint.splitlines()[-1], "dinner: nobody eats any more")


class Use(Example):
    PROGRAMS = {"load-file": ("callbacks", "task", "future", "await"),
                "read-message": ("callbacks", "futures", "await"),
                "delete-files": ("callbacks", "future", "await"),
                "load-messages": ("callbacks", "future", "await"),
                "lifetimes": ("strong", "weak", "bound"),
                "gather": Gather.STYLES,
                "count-primes": CountPrimes.STYLES,
                "dinner": ("polite", "hasty"),
                "read-message-blocking": ("thread", "future", "await")}

    def test_help(self):
        """each example: --help"""
        for name, styles in self.PROGRAMS.items():
            with self.subTest(name=name):
                status, said, complaint = self.run_example(name, "--help")
                self.assertEqual((status, complaint), (0, ""))
                self.assertRegex(said, rf"^usage: {name} {re.escape('|'.join(styles))} [^\n]+\n$")

    def test_wrong_use(self):
        """each example: wrong use is exit status 2"""
        for name, styles in self.PROGRAMS.items():
            usage = self.run_example(name, "--help")[1]
            for arguments in ((), ("somehow",), ("somehow", "file"), ("--help", "more"),
                              (styles[0],) * (40 if name != "delete-files" else 1)):
                with self.subTest(name=name, arguments=arguments):
                    self.assertEqual(self.run_example(name, *arguments), (2, "", usage))

    def test_short(self):
        """each example: under 150 lines, public headers only"""
        sources = sorted((ROOT / "examples").glob("*.[ch]"))
        self.assertGreater(len(sources), 6)
        for path in sources:
            text = path.read_text(encoding="utf-8")
            with self.subTest(name=path.name):
                self.assertLess(len(text.splitlines()), 150)
                for header in re.findall(r'#include "(.+)"', text):
                    if not header.endswith(("-forms.h", "-bodies.h")):  # these are made
                        self.assertTrue((path.parent / header).exists(), header)
                self.assertNotIn("-private.h", text)


class Tutorial(unittest.TestCase):
    def check_quotes(self, name):
        page = (ROOT / "docs" / name).read_text(encoding="utf-8")
        sources = [path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.[ch]")]
        quotes = re.findall(r"^```c\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
        self.assertGreater(len(quotes), 10)
        for quote in quotes:
            # Pieces of one function may be left out.
            for piece in re.split(r"^\s*/\* … \*/\n", quote, flags=re.MULTILINE):
                with self.subTest(piece=piece):
                    self.assertTrue(any(piece in source for source in sources))

    def test_tutorial(self):
        """docs/tutorial.md: what it quotes stands in the examples, word for word"""
        self.check_quotes("tutorial.md")

    def test_concurrency(self):
        """docs/concurrency.md: what it quotes stands in the examples, word for word"""
        self.check_quotes("concurrency.md")

    def test_files(self):
        """docs/files.md: what it quotes stands in the examples, word for word"""
        self.check_quotes("files.md")

    def test_network(self):
        """docs/network.md: what it quotes stands in the examples, word for word"""
        self.check_quotes("network.md")


if __name__ == "__main__":
    tap.main()
