#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""eddy delete: what is removed, what never is, and what goes wrong."""

import os
import random
import shutil
import signal
import subprocess
import time

import cli
from cli import make_file, tap

SEED = int(os.environ.get("EDDY_TEST_SEED", random.randrange(1 << 32)))
STATUS_OF = {signal.SIGINT: 130, signal.SIGTERM: 143}


class DeleteTest(cli.CliTest):
    def deleted(self, *arguments, status=0, **options):
        """Runs `eddy delete --quiet`, which must exit with `status`; returns the lines of stderr."""
        done = self.eddy("delete", "--quiet", *arguments, **options)
        text = done.stderr.decode(errors="backslashreplace")
        self.assertEqual(done.returncode, status, text)
        self.assertEqual(done.stdout, b"")
        if status == 0:
            self.assertEqual(text, "")
        return text.splitlines()


class Removing(DeleteTest):
    def test_varied_tree(self):
        """a tree with one of each, and nothing beside it"""
        cli.make_varied_tree(self.source)
        beside = make_file(self.folder / "beside", b"x")
        os.symlink(beside, self.source / "link-to-beside")
        os.symlink(self.folder, self.source / "link-up")
        self.deleted("-r", self.source)
        self.assertEqual(os.listdir(self.folder), ["beside"])
        self.assertEqual(beside.read_bytes(), b"x")

    def test_files(self):
        """files, links and fifos without -r; a folder is refused, and stays"""
        names = [make_file(self.folder / name) for name in ("one", "-two", "three\nlines")]
        os.symlink(self.folder, self.folder / "link")
        os.mkfifo(self.folder / "fifo")
        (self.folder / "empty").mkdir()
        said = self.deleted(*names, self.folder / "link", self.folder / "fifo", self.folder / "empty", status=1)
        self.assertEqual(said, [f"eddy delete: {self.folder}/empty: is a folder (use -r)"])
        self.assertEqual(os.listdir(self.folder), ["empty"])

    def test_link_to_a_folder(self):
        """a link to a folder goes, and the folder stays; with a slash behind it neither goes"""
        cli.make_varied_tree(self.source)
        link = self.folder / "link"
        os.symlink("source", link)
        said = self.deleted("-r", f"{link}/", status=1)
        self.assertEqual(said, [f"eddy delete: {link}/: Not a directory"])
        self.assertTrue(link.is_symlink())
        self.deleted("-r", link)
        self.assertFalse(link.is_symlink())
        self.assertTrue((self.source / "plain-1").exists())

    def test_many_and_deep(self):
        """10,000 files in one folder, and 600 folders within one another"""
        count = cli.reduced(10000, 2000, "files in one folder")
        self.source.mkdir()
        for number in range(count):
            (self.source / str(number)).touch()
        deep = self.source / "deep"
        deep.mkdir()
        folder = os.open(deep, os.O_RDONLY)
        for _ in range(600):
            os.mkdir("a-folder-in-a-folder", dir_fd=folder)
            inner = os.open("a-folder-in-a-folder", os.O_RDONLY, dir_fd=folder)
            os.close(folder)
            folder = inner
        os.close(folder)
        done = self.eddy("delete", "-r", "--progress=never", self.source)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr.decode(),
                         rf"^eddy delete: {count:,} files, 602 folders in \d+\.\d\d s \([\d,]+ files/s\)\n$")
        self.assertFalse(self.source.exists())

    def test_few_fds(self):
        """a deep tree with few fds to be had"""
        folder = self.source
        for number in range(200):
            folder.mkdir()
            for name in ("file", "other"):
                make_file(folder / name)
            (folder / "beside" / "inner").mkdir(parents=True)
            folder = folder / "f"
        self.deleted("-r", self.source, prefix=["sh", "-c", 'ulimit -n 40; exec "$@"', "sh"])
        self.assertFalse(self.source.exists())


class Refused(DeleteTest):
    def test_no_names(self):
        """/, . and .. are refused, and nothing else on the line is removed"""
        file = make_file(self.folder / "file")
        (self.folder / "folder").mkdir()
        for word in ("/", "//", ".", "..", "./", f"{self.folder}/.", f"{self.folder}/folder/..",
                     f"{self.folder}/folder/../"):
            said = self.deleted("-r", "-f", file, word, status=2, cwd=self.folder)
            self.assertEqual(said, [f"eddy delete: '{word}' is never removed (try: eddy delete --help)"])
            self.assertTrue(file.exists())

    def test_words(self):
        """no path, an unknown option; -f needs no path"""
        self.assertIn("what is to be removed?", self.deleted(status=2)[0])
        self.assertIn("unknown option -x", self.deleted("-x", self.source, status=2)[0])
        self.assertIn("not 'often'", self.deleted("--progress=often", self.source, status=2)[0])
        self.deleted("-f")

    def test_missing(self):
        """what is missing is an error, and with -f none"""
        file = make_file(self.folder / "file")
        missing = self.folder / "missing"
        self.assertEqual(self.deleted("-r", missing, file, status=1),
                         [f"eddy delete: {missing}: No such file or directory"])
        self.assertFalse(file.exists())
        self.deleted("-f", missing)
        self.deleted("-rf", missing)


class Failing(DeleteTest):
    def test_not_permitted(self):
        """what may not be removed is told, once, and the rest is removed"""
        self.folder.chmod(0o755)
        program, environment = cli.make_portable_cli(self.folder)
        place = self.folder / "place"
        place.mkdir()
        place.chmod(0o777)
        for name in ("closed", "open"):
            (place / "top" / name / "inner").mkdir(parents=True)
            make_file(place / "top" / name / "inner" / "file")
        for folder in (place / "top", place / "top" / "open", place / "top" / "open" / "inner",
                       place / "top" / "closed"):
            folder.chmod(0o777)
        (place / "top" / "unreadable").mkdir(mode=0)
        (place / "top" / "unreadable").chmod(0)
        if os.geteuid() == 0:
            for folder, _, _ in os.walk(place):
                os.chown(folder, cli.NOBODY, cli.NOBODY)
        (place / "top" / "closed" / "inner").chmod(0o555)
        said = self.deleted("-r", place / "top", program=program, environment=environment, status=1,
                            **cli.as_nobody())
        self.assertEqual(said, [f"eddy delete: {place}/top/closed/inner/file: Permission denied"])
        self.assertEqual(os.listdir(place / "top"), ["closed"])

    def test_refused_ring(self):
        """io_uring refused, and by a policy that kills with EDDY_ENGINE=epoll"""
        for answer, engine in (("eperm", "auto"), ("enosys", "auto"), ("kill", "epoll")):
            cli.make_varied_tree(self.source)
            self.deleted("-r", self.source, prefix=[cli.DENY_URING, answer],
                         environment={"EDDY_ENGINE": engine})
            self.assertFalse(self.source.exists())


class Racing(DeleteTest):
    in_memory = True

    def test_swapped_with_a_link(self):
        """a folder that is swapped with a link while it is removed: what the link names stays"""
        outside = self.folder / "outside"
        outside.mkdir()
        make_file(outside / "kept", b"kept")
        for _ in range(cli.reduced(20, 5, "trees with a folder that is swapped")):
            for number in range(300):
                folder = self.source / "inner" / str(number)
                folder.mkdir(parents=True)
                make_file(folder / "file")
            with subprocess.Popen([cli.CLI, "delete", "-rq", self.source], stderr=subprocess.DEVNULL) as process:
                while process.poll() is None:
                    for number in range(300):
                        try:
                            os.rename(self.source / "inner" / str(number), self.folder / "aside")
                            os.symlink(outside, self.source / "inner" / str(number))
                        except OSError:
                            pass
                        shutil.rmtree(self.folder / "aside", ignore_errors=True)
            self.assertEqual(os.listdir(outside), ["kept"])
            shutil.rmtree(self.source, ignore_errors=True)


class Cancel(DeleteTest):
    in_memory = True

    def make_source(self):
        for number in range(3000):
            folder = self.source / f"folder-{number % 37}" / f"inner-{number % 5}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"file-{number}").touch()

    def test_random_moments(self):
        """cancelled at random moments: nothing leaks, exit status 130 or 143"""
        print(f"# seed {SEED}", flush=True)
        chance = random.Random(SEED)
        self.make_source()
        began = time.monotonic()
        self.deleted("-r", self.source)
        longest = time.monotonic() - began
        n_runs = cli.reduced(40, 10, "cancelled removals")
        n_hits = run = 0
        # A signal may come too early or too late: the moments follow what the runs before have shown.
        while run < n_runs or (n_hits < n_runs // 4 and run < 10 * n_runs):
            run += 1
            self.make_source()
            number = chance.choice([signal.SIGINT, signal.SIGTERM])
            with subprocess.Popen([cli.CHECKED, "delete", "-r", self.source], stdin=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE) as process:
                time.sleep(chance.uniform(0.1, 1.2) * longest)
                process.send_signal(number)
                _, said = process.communicate(timeout=100)
            self.assertIn(process.returncode, (0, STATUS_OF[number], -number), said)
            if process.returncode == 0:
                self.assertFalse(self.source.exists())
            n_hits += b"interrupted after " in said and self.source.exists()
            longest *= 1.05 if self.source.exists() else 0.8
            shutil.rmtree(self.source, ignore_errors=True)
        print(f"# {n_hits} of {run} hit a removal that had begun and not ended", flush=True)
        self.assertGreaterEqual(n_hits, n_runs // 4)


if __name__ == "__main__":
    tap.main()
