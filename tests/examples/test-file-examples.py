#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the examples of files and streams: cat, checksum and pack, beside the programs that do the same."""

import gzip
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import unittest
import zlib

from example import CANCELLED, EXAMPLES, PATIENCE, Example, catches_interrupts, tap, wait_until


def is_missing(name):
    return not (EXAMPLES / name).exists()


class FileExample(Example):
    def feed(self, name, *arguments, contents=b"", stdout=subprocess.PIPE):
        """What an example makes of its standard input: exit status, bytes, complaint."""
        done = subprocess.run([EXAMPLES / name, *arguments], cwd=self.folder, input=contents, stdout=stdout,
                              stderr=subprocess.PIPE, check=False, timeout=PATIENCE)
        return done.returncode, done.stdout, done.stderr.decode(errors="replace")


class Cat(FileExample):
    def test_files(self):
        """cat: files of any size, one after the other, to a pipe and to a file"""
        contents = [b"", b"one\n", os.urandom(5_000_000), b"\0last"]
        names = [f"file-{number}" for number in range(len(contents))]
        for name, part in zip(names, contents):
            (self.folder / name).write_bytes(part)
        self.assertEqual(self.feed("cat", *names), (0, b"".join(contents), ""))
        with (self.folder / "copy").open("wb") as copy:
            self.assertEqual(self.feed("cat", *names, stdout=copy), (0, None, ""))
        self.assertEqual((self.folder / "copy").read_bytes(), b"".join(contents))

    def test_standard_input(self):
        """cat: standard input, as nothing and as -, a pipe and a file"""
        contents = os.urandom(300_000)
        (self.folder / "file").write_bytes(contents)
        self.assertEqual(self.feed("cat", contents=contents), (0, contents, ""))
        self.assertEqual(self.feed("cat", "file", "-", "file", contents=b"in between"),
                         (0, contents + b"in between" + contents, ""))
        with (self.folder / "file").open("rb") as file:
            done = subprocess.run([EXAMPLES / "cat"], stdin=file, stdout=subprocess.PIPE, check=True,
                                  timeout=PATIENCE)
        self.assertEqual(done.stdout, contents)

    def test_failures(self):
        """cat: what cannot be read is told, and the next one follows"""
        (self.folder / "file").write_bytes(b"contents")
        self.assertEqual(self.feed("cat", "missing", "file", ".", "file"),
                         (1, b"contentscontents", "cat: missing: No such file or directory\n"
                          "cat: .: Is a directory\n"))

    def test_nowhere_to_write(self):
        """cat: a full disk and a reader that has gone end it"""
        (self.folder / "file").write_bytes(b"contents")
        with open("/dev/full", "wb") as full:
            status, _, complaint = self.feed("cat", "file", "file", stdout=full)
        self.assertEqual(status, 1)
        self.assertRegex(complaint, r"^cat: [^\n]*No space left on device\n$")
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as pipe:
            status, _, complaint = self.feed("cat", "file", "file", stdout=pipe)
        self.assertEqual(status, 1)
        self.assertRegex(complaint, r"^cat: [^\n]*Broken pipe\n$")

    def test_interrupted(self):
        """cat: Ctrl-C while it waits for input; what came before is written"""
        reader, writer = os.pipe()
        process = self.start("cat", stdin=reader)
        os.close(reader)
        with os.fdopen(writer, "wb", buffering=0) as pipe:
            pipe.write(b"before\n")
            self.drained(process, "standard input", pipe)
            self.interrupt(process)
            self.assertEqual(self.end(process), (130, "before\n", f"cat: {CANCELLED}\n"))


class FindLines(FileExample):
    def test_as_grep(self):
        """find-lines: prints what grep prints, of lines of any length"""
        numbers = random.Random(1)
        for name in ("first", "second"):
            lines = [bytes(numbers.choices(b"abc ", k=numbers.choice((0, 3, 80, 5000)))) for _ in range(3000)]
            (self.folder / name).write_bytes(b"\n".join(lines))     # the last one has no end
        for text in ("abc", "aaaaaaaa", "", "nowhere"):
            with self.subTest(text=text):
                done = subprocess.run(["grep", "-FH", text, "first", "second"], cwd=self.folder, capture_output=True,
                                      check=False)
                self.assertEqual(self.feed("find-lines", text, "first", "second"), (done.returncode, done.stdout, ""))
        self.assertEqual(self.feed("find-lines", "\u00c3", "-", contents=b"a\nb\xc3\x83\n\0b\n"),
                         (0, b"-:b\xc3\x83\n", ""))
        self.assertEqual(self.feed("find-lines", "b", contents=b"a\n\0b\n"), (0, b"-:\0b\n", ""))

    def test_failures(self):
        """find-lines: a line that is too long, and a file that is missing; the others are looked through"""
        (self.folder / "file").write_bytes(b"found\n")
        (self.folder / "long").write_bytes(b"found\n" + b"x" * 65537 + b"\nfound\n")
        (self.folder / "longest").write_bytes(b"x" * 65536 + b"\nfound\n")
        status, said, complaint = self.feed("find-lines", "found", "missing", "long", "longest", "file")
        self.assertEqual((status, said), (2, b"long:found\nlongest:found\nfile:found\n"))
        self.assertRegex(complaint, r"^find-lines: missing: [^\n]*No such file or directory\n"
                                    r"find-lines: long: [^\n]*\n$")


    def test_interrupted(self):
        """find-lines: Ctrl-C while it waits for more lines"""
        reader, writer = os.pipe()
        process = self.start("find-lines", "found", stdin=reader)
        os.close(reader)
        with os.fdopen(writer, "wb", buffering=0) as pipe:
            pipe.write(b"found\nfound")
            self.drained(process, "standard input", pipe)
            self.interrupt(process)
            self.assertEqual(self.end(process), (130, "-:found\n", f"find-lines: -: {CANCELLED}\n"))


class Counter(FileExample):
    def test_at_once(self):
        """counter: however many count at once, no addition is lost"""
        (self.folder / "number").write_text("100\n", encoding="ascii")
        count = 0
        for _ in range(10):
            processes = [self.start("counter", "number") for _ in range(8)]
            for process in processes:
                status, said, complaint = self.end(process)
                self.assertEqual((status, complaint), (0, ""))
                count += 1
        self.assertEqual((self.folder / "number").read_text(encoding="ascii"), f"{100 + count}\n")
        self.assertEqual(os.listdir(self.folder), ["number"])

    def test_failures(self):
        """counter: a file that is missing, and a folder"""
        self.assertEqual(self.run_example("counter", "missing"),
                         (1, "", "counter: missing: No such file or directory\n"))
        status, said, complaint = self.run_example("counter", ".")
        self.assertEqual((status, said), (1, ""))
        self.assertIn("Is a directory", complaint)


@unittest.skipIf(is_missing("checksum"), "checksum is not built: it needs libcrypto")
class Checksum(FileExample):
    def sums(self, contents):
        """Makes files of {name: contents}, and returns the lines that sha256sum prints of them."""
        lines = []
        for name, part in contents.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(part)
            lines.append(f"{hashlib.sha256(part).hexdigest()}  {name}")
        return lines

    def test_as_sha256sum(self):
        """checksum: prints what sha256sum prints, in the order of its arguments"""
        sizes = [0, 1, 63, 64, 65, 262143, 262144, 262145, 3_000_000] + [number * 37 for number in range(90)]
        lines = self.sums({f"file-{number}": os.urandom(size) for number, size in enumerate(sizes)})
        names = [line[66:] for line in lines]
        status, said, complaint = self.run_example("checksum", *names)
        self.assertEqual((status, said.splitlines(), complaint), (0, lines, ""))
        if shutil.which("sha256sum"):
            done = subprocess.run(["sha256sum", *names], cwd=self.folder, capture_output=True, text=True, check=True)
            self.assertEqual(said, done.stdout)

    def test_odd_names(self):
        """checksum: names with line breaks and backslashes go to a list and back, as sha256sum's"""
        names = ["new\nline", "back\\slash", "return\r", "both\\n\n", " blank ", "plain"]
        for name in names:
            (self.folder / name).write_bytes(name.encode())
        status, said, complaint = self.feed("checksum", *names)
        self.assertEqual((status, complaint), (0, ""))
        (self.folder / "list").write_bytes(said)
        status, checked, complaint = self.feed("checksum", "-c", "list")
        self.assertEqual((status, checked.count(b": OK\n"), complaint), (0, len(names), ""))
        if shutil.which("sha256sum"):
            done = subprocess.run(["sha256sum", *names], cwd=self.folder, capture_output=True, check=True)
            self.assertEqual(said, done.stdout)
            subprocess.run(["sha256sum", "--quiet", "-c", "list"], cwd=self.folder, check=True)

    def test_folders(self):
        """checksum: a folder is all the files in it, and a link is not followed"""
        lines = self.sums({f"tree/{number % 7}/{number % 3}/file-{number}": b"x" * number for number in range(200)})
        (self.folder / "tree" / "link").symlink_to("0")
        os.mkfifo(self.folder / "tree" / "fifo")
        status, said, complaint = self.run_example("checksum", "tree")
        self.assertEqual((status, sorted(said.splitlines()), complaint), (0, sorted(lines), ""))

    def test_failures(self):
        """checksum: what cannot be read is told, and all else is summed"""
        lines = self.sums({"first": b"1", "last": b"2"})
        status, said, complaint = self.run_example("checksum", "first", "missing", "last")
        self.assertEqual((status, said.splitlines()), (1, lines))
        self.assertEqual(complaint, "checksum: missing: No such file or directory\n")

    def test_check(self):
        """checksum -c: tells which files are as they were"""
        lines = self.sums({f"file-{number}": os.urandom(1000) for number in range(50)})
        (self.folder / "file-7").write_bytes(b"another")
        (self.folder / "file-9").unlink()
        lines[3] = lines[3].upper().replace("FILE-3", "file-3").replace("  ", " *")
        lines.insert(5, "no sum")
        (self.folder / "list").write_text("\n".join(lines), encoding="ascii")   # the last line has no end
        status, said, complaint = self.run_example("checksum", "-c", "list")
        wanted = [f"file-{number}: OK" for number in range(50)]
        wanted[7] = "file-7: FAILED"
        wanted[9] = "file-9: FAILED open or read"
        self.assertEqual((status, said.splitlines()), (1, wanted))
        self.assertEqual(complaint.splitlines(), ["checksum: file-9: No such file or directory",
                                                  "checksum: lines without a sum: 1",
                                                  "checksum: files with another sum: 1"])
        self.assertEqual(self.run_example("checksum", "-c", "nowhere"),
                         (1, "", "checksum: nowhere: No such file or directory\n"))

    def test_progress(self):
        """checksum -p: tells how far it has come"""
        self.sums({f"file-{number}": bytes(500_000) for number in range(4)})
        status, said, complaint = self.run_example("checksum", "-p", *(f"file-{number}" for number in range(4)))
        self.assertEqual((status, len(said.splitlines())), (0, 4))
        self.assertRegex(complaint, r"[\r\n]4 files, 2\.0 MB\n$")

    def interrupt_in_the_middle(self):
        process = self.start("checksum", *["large"] * 40)
        wait_until("it has begun", lambda: process.poll() is not None or self.has_read(process) > 20_000_000)
        process.send_signal(signal.SIGINT)
        return self.end(process)

    def has_read(self, process):
        """How many bytes it has read; before it catches interrupts, that is none."""
        if not catches_interrupts(process):
            return 0
        try:
            with open(f"/proc/{process.pid}/io", encoding="ascii") as file:
                return int(re.search(r"^rchar: (\d+)$", file.read(), re.MULTILINE)[1])
        except (FileNotFoundError, ProcessLookupError):
            return 0

    def test_interrupted(self):
        """checksum: at Ctrl-C what is done is printed, and what is under way ends"""
        (self.folder / "large").touch()
        os.truncate(self.folder / "large", 64 << 20)
        line = hashlib.sha256(bytes(64 << 20)).hexdigest() + "  large"
        for _ in range(10):     # it may have ended before the signal came
            status, said, complaint = self.interrupt_in_the_middle()
            self.assertLessEqual(set(said.splitlines()), {line})
            if status == 130:
                break
        self.assertEqual(status, 130)
        found = re.fullmatch(r"checksum: cancelled: (\d+)\n", complaint)
        self.assertIsNotNone(found, complaint)
        self.assertLessEqual(int(found[1]) + len(said.splitlines()), 40)

    def test_use(self):
        """checksum: --help, and wrong use"""
        status, usage, complaint = self.run_example("checksum", "--help")
        self.assertEqual((status, complaint), (0, ""))
        self.assertRegex(usage, r"^usage: checksum [^\n]+\n$")
        for arguments in ((), ("-p",), ("-c",), ("-p", "-c"), ("-x",), ("-c", "-p", "list")):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_example("checksum", *arguments), (2, "", usage))


def varied(size, seed):
    """Bytes that can be compressed, some better than others."""
    numbers = random.Random(seed)
    parts = []
    while sum(map(len, parts)) < size:
        kind = numbers.randrange(3)
        length = numbers.randrange(1, 5000)
        parts.append(numbers.randbytes(length) if kind == 0 else bytes([numbers.randrange(256)]) * length
                     if kind == 1 else numbers.choice(parts or [b"first"]))
    return b"".join(parts)[:size]


@unittest.skipIf(is_missing("pack"), "pack is not built: it needs zlib")
class Pack(FileExample):
    WAYS = ("read", "write")
    WINDOWS = {"gzip": 31, "zlib": 15, "raw": -15}

    def packed(self, way, contents, *options):
        status, packed, complaint = self.feed("pack", way, *options, contents=contents)
        self.assertEqual((status, complaint), (0, ""))
        return packed

    def each_way(self):
        for way in self.WAYS:
            with self.subTest(way=way):
                yield way

    def test_formats(self):
        """pack: what it makes zlib can read, and the other way round"""
        for size in (0, 1, 1000, 65536, 3_000_000):
            contents = varied(size, size)
            for way in self.each_way():
                for name, window in self.WINDOWS.items():
                    packed = self.packed(way, contents, "-f", name, "-l", "1")
                    self.assertEqual(zlib.decompress(packed, window), contents)
                    compressor = zlib.compressobj(6, zlib.DEFLATED, window)
                    packed = compressor.compress(contents) + compressor.flush()
                    self.assertEqual(self.packed(way, packed, "-d", "-f", name), contents)

    def test_programs(self):
        """pack: reads what gzip and pigz write, and they read what it writes"""
        contents = varied(2_000_000, 1)
        programs = [program for program in ("gzip", "pigz") if shutil.which(program)]
        self.assertGreater(len(programs), 0)
        for program in programs:
            for way in self.each_way():
                for level in ("1", "6", "9"):
                    done = subprocess.run([program, f"-{level}"], input=contents, capture_output=True, check=True)
                    self.assertEqual(self.packed(way, done.stdout, "-d"), contents)
                    done = subprocess.run([program, "-dc"], input=self.packed(way, contents, "-l", level),
                                          capture_output=True, check=True)
                    self.assertEqual(done.stdout, contents)

    def test_joined(self):
        """pack: what was joined is one, zeroes behind it are nothing, other bytes are wrong"""
        parts = [varied(size, size) for size in (100_000, 0, 1, 70_000)]
        joined = b"".join(gzip.compress(part) for part in parts)
        for way in self.each_way():
            self.assertEqual(self.packed(way, joined, "-d"), b"".join(parts))
            self.assertEqual(self.packed(way, joined + bytes(100_000), "-d"), b"".join(parts))
            status, said, complaint = self.feed("pack", way, "-d", contents=joined + b"more")
            self.assertEqual((status, said), (1, b"".join(parts)))
            self.assertIn("other bytes follow", complaint)

    def test_damaged(self):
        """pack: what is cut off or damaged is an error, after all that comes before it"""
        contents = varied(200_000, 2)
        packed = gzip.compress(contents)
        numbers = random.Random(3)
        for way in self.each_way():
            for size in [0, 1, 9, 10, 17, len(packed) - 8, len(packed) - 1] + [
                    numbers.randrange(len(packed)) for _ in range(20)]:
                reference = zlib.decompressobj(31)
                before = reference.decompress(packed[:size])
                status, said, complaint = self.feed("pack", way, "-d", contents=packed[:size])
                self.assertEqual((status, said), (1, before))
                self.assertIn("what is compressed is cut off", complaint)
            for _ in range(20):
                wrong = bytearray(packed)
                wrong[numbers.randrange(10, len(packed))] ^= 1 << numbers.randrange(8)
                status, said, complaint = self.feed("pack", way, "-d", contents=bytes(wrong))
                self.assertEqual((status, complaint[:6]), (1, "pack: "))

    def test_bomb(self):
        """pack: a limit holds what would be a thousand times as much"""
        bomb = gzip.compress(bytes(50_000_000))
        for way in self.each_way():
            for limit in (1, 4096, 100_000, 49_999_999):
                status, said, complaint = self.feed("pack", way, "-d", "-m", str(limit), contents=bomb)
                self.assertEqual((status, said), (1, bytes(limit)))
                self.assertIn("more would be decompressed than the limit", complaint)
            self.assertEqual(self.packed(way, bomb, "-d", "-m", "50000000"), bytes(50_000_000))

    def test_interrupted(self):
        """pack: Ctrl-C while it waits for input"""
        for way in self.each_way():
            reader, writer = os.pipe()
            process = self.start("pack", way, stdin=reader)
            os.close(reader)
            with os.fdopen(writer, "wb", buffering=0) as pipe:
                pipe.write(b"before\n")
                self.drained(process, "standard input", pipe)
                self.interrupt(process)
                process.wait(timeout=PATIENCE)
            self.assertEqual(process.returncode, 130)
            self.assertIn(CANCELLED, process.stderr.read())

    def test_use(self):
        """pack: --help, and wrong use"""
        status, usage, complaint = self.run_example("pack", "--help")
        self.assertEqual((status, complaint), (0, ""))
        self.assertRegex(usage, r"^usage: pack [^\n]+\n$")
        for arguments in ((), ("pack",), ("read", "-x"), ("read", "-f", "lzma"), ("write", "-l")):
            with self.subTest(arguments=arguments):
                self.assertEqual(self.run_example("pack", *arguments), (2, "", usage))


if __name__ == "__main__":
    tap.main()
