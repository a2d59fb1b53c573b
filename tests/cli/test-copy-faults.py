#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""eddy copy where things go wrong: no permission, no space, no io_uring, sources that change."""

import os
import re
import signal
import subprocess
import threading

import cli
from cli import make_file, tap


class Permissions(cli.CliTest):
    """As nobody: nothing is forbidden to root."""

    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)
        self.program, self.environment = cli.make_portable_cli(self.folder)
        self.place = self.folder / "place"
        self.place.mkdir()
        self.place.chmod(0o777)

    def copied_as_nobody(self, *arguments, **options):
        return self.copied(*arguments, program=self.program, environment=self.environment,
                           **cli.as_nobody(), **options)

    def test_unreadable(self):
        """unreadable files and folders are told, the rest is copied"""
        (self.source / "closed").mkdir(parents=True)
        make_file(self.source / "closed" / "inside", b"x")
        for number in range(20):
            make_file(self.source / f"open-{number}", b"open")
            make_file(self.source / f"secret-{number}", b"secret", 0)
        (self.source / "closed").chmod(0)
        said = self.copied_as_nobody("-r", self.source, self.place / "copy", status=1)
        self.assertEqual(sorted(said), sorted(
            [f"eddy copy: {self.source}/secret-{number}: Permission denied" for number in range(20)] +
            [f"eddy copy: {self.source}/closed: Permission denied"]))
        self.assertEqual(sorted(os.listdir(self.place / "copy")),
                         sorted(["closed"] + [f"open-{number}" for number in range(20)]))
        self.assertEqual(os.listdir(self.place / "copy" / "closed") if os.geteuid() == 0 else [], [])

    def test_unwritable(self):
        """a destination that may not be written to"""
        make_file(self.source, b"x")
        (self.place / "closed").mkdir(mode=0o755)
        os.chmod(self.place / "closed", 0o555)
        said = self.copied_as_nobody(self.source, self.place / "closed", status=1)
        self.assertEqual(said, [f"eddy copy: {self.place}/closed/source: Permission denied"])
        self.assertEqual(os.listdir(self.place / "closed"), [])

    def test_read_only_folders(self):
        """folders without write permission are filled before they get it"""
        (self.source / "a" / "b").mkdir(parents=True)
        make_file(self.source / "a" / "b" / "file", b"x", 0o444)
        for folder in (self.source / "a" / "b", self.source / "a", self.source):
            folder.chmod(0o555)
        self.copied_as_nobody("-r", self.source, self.place / "copy")
        self.assert_same_tree(self.source, self.place / "copy", owners=False)

    def test_owner_not_permitted(self):
        """an owner that may not be kept is no error, and gives nobody else's rights away"""
        make_file(self.source, b"x", 0o4755)
        self.copied_as_nobody(self.source, self.place / "copy")
        status = os.stat(self.place / "copy")
        self.assertEqual((self.place / "copy").read_bytes(), b"x")
        if os.geteuid() == 0:
            self.assertEqual(status.st_uid, cli.NOBODY)
            self.assertEqual(status.st_mode & 0o6000, 0)


class FullDisk(cli.CliTest):
    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", self.disk],
                                 stderr=subprocess.PIPE, check=False)
        if mounted.returncode != 0:
            self.skipTest(f"a tmpfs cannot be mounted: {mounted.stderr.decode().strip()}")
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=False)

    def test_many_files(self):
        """after the first file without space no new one is begun; what is there is whole"""
        self.source.mkdir()
        for number in range(2000):
            make_file(self.source / f"file-{number}", os.urandom(8000))
        said = self.copied("-r", self.source, self.disk / "copy", status=1)
        full = [line for line in said if line.endswith(": No space left on device")]
        self.assertEqual([line for line in said if line not in full],
                         ["eddy copy: no further file is begun, since there is no space"])
        # Those under way at that time fail, too, but no others.
        self.assertLessEqual(1, len(full))
        self.assertLessEqual(len(full), 64)
        copied = os.listdir(self.disk / "copy")
        self.assertGreater(len(copied), 100)
        for name in copied:
            self.assertEqual((self.disk / "copy" / name).read_bytes(), (self.source / name).read_bytes(), name)

    def test_big_file(self):
        """one file too big is removed again"""
        make_file(self.source, os.urandom(5 << 20))
        said = self.copied(self.source, self.disk, status=1)
        self.assertTrue(said[0].endswith("source: No space left on device"), said)
        self.assertEqual(os.listdir(self.disk), [])

    def test_replacing(self):
        """a file that cannot be replaced stays what it was"""
        make_file(self.source, os.urandom(5 << 20))
        make_file(self.disk / "source", b"the former one")
        self.copied("--force", self.source, self.disk, status=1)
        self.assertEqual(os.listdir(self.disk), ["source"])
        self.assertEqual((self.disk / "source").read_bytes(), b"the former one")


class Engines(cli.CliTest):
    in_memory = True

    def test_refused(self):
        """io_uring refused with EPERM and ENOSYS, and by a policy that kills with EDDY_ENGINE=epoll"""
        cli.make_varied_tree(self.source)
        for answer, engine in (("eperm", "auto"), ("enosys", "auto"), ("kill", "epoll")):
            copy = self.folder / answer
            self.copied("-r", self.source, copy, prefix=[cli.DENY_URING, answer],
                        environment={"EDDY_ENGINE": engine})
            self.assert_same_tree(self.source, copy)

    def test_usr_include(self):
        """/usr/include with io_uring refused"""
        self.copied("-r", "/usr/include", self.copy, prefix=[cli.DENY_URING, "eperm"],
                    environment={"EDDY_ENGINE": "auto"})
        self.assert_same_tree("/usr/include", self.copy)

    def test_forced_and_refused(self):
        """a forced engine that is refused: an error that names the reason, and no copy"""
        make_file(self.source)
        done = self.eddy("copy", self.source, self.copy, prefix=[cli.DENY_URING, "eperm"],
                         environment={"EDDY_ENGINE": "uring"})
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"Operation not permitted", done.stderr)
        self.assertFalse(self.copy.exists())


class ChangingSource(cli.CliTest):
    in_memory = True

    def change_during_copy(self, change):
        """Copies while `change` runs over and over in a thread; returns the runs and the answers."""
        stop = threading.Event()

        def repeat():
            while not stop.is_set():
                change()

        thread = threading.Thread(target=repeat)
        thread.start()
        try:
            for number in range(cli.reduced(20, 5, "copies of a source that changes")):
                copy = self.folder / f"copy-{number}"
                yield copy, self.eddy("copy", "-r", "--quiet", self.source, copy)
        finally:
            stop.set()
            thread.join()

    def test_grows_and_shrinks(self):
        """a file that grows and shrinks: the bytes up to an end that was found"""
        make_file(self.source, b"a" * 100)
        sizes = [5 << 20, 100, 1 << 20, 0]

        def change():
            sizes.append(sizes.pop(0))
            with open(self.source, "r+b") as file:
                file.truncate(min(sizes[0], 100))
                file.seek(0, os.SEEK_END)
                file.write(b"a" * (sizes[0] - file.tell()))

        for copy, done in self.change_during_copy(change):
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            contents = copy.read_bytes()
            self.assertLessEqual(len(contents), 5 << 20)
            # What was cut off while it was read may read as zeroes; nothing else may.
            self.assertEqual(contents.strip(b"a").strip(b"\0").strip(b"a\0"), b"")
            copy.unlink()

    def test_comes_and_goes(self):
        """files that come and go: each is whole or reported as missing"""
        self.source.mkdir()
        for number in range(200):
            make_file(self.source / f"stays-{number}", b"stays")

        def change():
            for number in range(50):
                make_file(self.source / f"comes-{number}", b"comes" * 50)
            for number in range(50):
                (self.source / f"comes-{number}").unlink()

        for copy, done in self.change_during_copy(change):
            self.assertIn(done.returncode, (0, 1))
            for line in done.stderr.splitlines():
                self.assertRegex(line, rb"^eddy copy: .*/comes-\d+: No such file or directory$")
            names = os.listdir(copy)
            self.assertEqual(sum(name.startswith("stays-") for name in names), 200)
            for name in names:
                if name.startswith("stays-"):
                    self.assertEqual((copy / name).read_bytes(), b"stays")


class Output(cli.CliTest):
    def test_quiet_and_lines(self):
        """--quiet says nothing; else a line at the end, on standard error"""
        make_file(self.source, b"x" * 2048)
        done = self.eddy("copy", self.source, self.copy)
        self.assertEqual((done.returncode, done.stdout), (0, b""))
        self.assertRegex(done.stderr.decode(), r"^eddy copy: 1 files, 2\.0 KiB in \d+\.\d\d s \(.* [KMG]iB/s\)\n$")

    def test_lines_in_long_copies(self):
        """a copy that takes longer than a second says how far it is"""
        self.source.mkdir()
        for number in range(300):
            make_file(self.source / str(number), os.urandom(100000))
        with subprocess.Popen([cli.CLI, "copy", "-r", self.source, self.copy], stderr=subprocess.PIPE) as process:
            # Held up rather than made long.
            process.send_signal(signal.SIGSTOP)
            threading.Event().wait(1.2)
            process.send_signal(signal.SIGCONT)
            lines = process.stderr.read().decode().splitlines()
        self.assertEqual(process.returncode, 0)
        self.assertLessEqual(len(lines), 4)
        self.assertTrue(re.match(r"eddy copy: 300 files, 28\.6 MiB in ", lines[-1]), lines)

    def test_raw_names_elsewhere(self):
        """what is no terminal gets names as they are"""
        self.source.mkdir()
        name = b"new\nline\x1b\xff"
        make_file(self.source / os.fsdecode(name))
        self.copied("-r", self.source, self.copy)
        done = self.eddy("copy", "-r", "--quiet", f"{self.source}/.", self.copy)
        self.assertEqual(done.stderr, b"eddy copy: " + os.fsencode(self.copy) + b"/" + name + b": File exists\n")


if __name__ == "__main__":
    tap.main()
