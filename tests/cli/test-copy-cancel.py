#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""eddy copy cancelled by a signal at random moments: whatever is there afterwards is whole.

The command that is cancelled is eddy-checked, which fails when it ends with an fd, an operation or a fiber
more than it began with; under AddressSanitizer a leak of memory fails it, too.
"""

import os
import random
import shutil
import signal
import subprocess
import time

import cli
from cli import make_file, tap

SEED = int(os.environ.get("EDDY_TEST_SEED", random.randrange(1 << 32)))
N_SMALL = 1500
BIG_SIZES = [12 << 20, 6 << 20, 4 << 20, 8 << 20]
STATUS_OF = {signal.SIGINT: 130, signal.SIGTERM: 143}


def make_source(source):
    """Small files, big ones, hard links, and folders of several depths."""
    source.mkdir()
    for number in range(N_SMALL):
        folder = source / f"folder-{number % 37}" / f"inner-{number % 5}"
        folder.mkdir(parents=True, exist_ok=True)
        make_file(folder / f"file-{number}", b"%6d" % number * (number % 700), 0o640)
    for number, size in enumerate(BIG_SIZES):
        make_file(source / f"folder-{number}" / "big", os.urandom(1 << 20) * (size >> 20))
    for number in range(60):
        os.link(source / "folder-1/inner-1/file-1", source / f"folder-{number % 37}" / f"name-{number}")


def make_older_copy(source, copy):
    """A copy in which every file is another one, to be replaced."""
    for path, status in cli.tree_of(os.fsencode(source)).items():
        older = os.path.join(os.fsencode(copy), path)
        if os.path.isdir(os.path.join(os.fsencode(source), path)):
            os.mkdir(older)
        else:
            with open(older, "wb") as file:
                file.write(b"older " * (status.st_size % 50))


class Cancel(cli.CliTest):
    in_memory = True

    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)

    def cancel_after(self, seconds, number, *arguments):
        """Starts a copy, sends a signal after so long, and returns (exit status, stderr)."""
        command = [cli.CHECKED, "copy", "-r", *arguments, f"{self.source}/.", self.copy]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            time.sleep(seconds)
            process.send_signal(number)
            _, said = process.communicate(timeout=100)
        return process.returncode, said.decode(errors="replace")

    def count_whole(self, older):
        """How many files of the source the copy has; every one that is there must be whole."""
        whole = 0
        for path in cli.tree_of(os.fsencode(self.copy)):
            copy = os.path.join(os.fsencode(self.copy), path)
            source = os.path.join(os.fsencode(self.source), path)
            self.assertTrue(os.path.lexists(source), f"a file of a name that the source has not: {path}")
            if os.path.isdir(copy):
                continue
            with open(copy, "rb") as copied, open(source, "rb") as original:
                contents = copied.read()
                wanted = original.read()
            if contents == wanted:
                whole += 1
                continue
            self.assertTrue(older, f"{path} has {len(contents)} of {len(wanted)} bytes")
            self.assertEqual(contents, b"older " * (len(wanted) % 50), path)
        return whole

    def run_once(self, seconds, number, older):
        """One cancelled copy; returns how much of it was done, None when it had not begun."""
        arguments = ["--force"] if older else []
        shutil.rmtree(self.copy, ignore_errors=True)
        if older:
            make_older_copy(self.source, self.copy)
        else:
            self.copy.mkdir()
        status, said = self.cancel_after(seconds, number, *arguments)
        whole = self.count_whole(older)
        self.assertIn(status, (0, STATUS_OF[number], -number), said)
        if status == -number:
            # It came before the program could catch it, or when it no longer did, with all done.
            self.assertTrue(whole in (0, self.n_files) or older, whole)
            return 1.0 if whole == self.n_files else None
        if status == 0:
            self.assertEqual(whole, self.n_files)
            return 1.0
        if said == "":
            # It came when all was copied, or to eddy-checked's own first run, before the copy: of an
            # older copy those files are whole that are empty in the source as well.
            self.assertTrue(whole in (0, self.n_files) or older, whole)
            return 1.0 if whole == self.n_files else None
        self.assertIn("interrupted after ", said)
        return whole / self.n_files

    def test_random_moments(self):
        """cancelled at random moments: no partial file, nothing leaks, exit status 130 or 143"""
        print(f"# seed {SEED}", flush=True)
        n_runs = cli.reduced(200, 30, "cancelled copies")
        make_source(self.source)
        self.n_files = sum(not os.path.isdir(os.path.join(os.fsencode(self.source), path))
                           for path in cli.tree_of(os.fsencode(self.source)))
        # How long a copy takes here; then the moments follow what the runs before have shown.
        began = time.monotonic()
        self.eddy("copy", "-rq", self.source, self.copy)
        longest = time.monotonic() - began
        bins = [0] * 12
        n_hits = run = 0
        # A signal may come too early or too late: it is sent until enough of them have hit.
        while run < n_runs or (n_hits < n_runs * 3 // 4 and run < 4 * n_runs):
            seconds = self.random.uniform(0.03, 0.95) * longest
            number = self.random.choice([signal.SIGINT, signal.SIGTERM])
            share = self.run_once(seconds, number, older=run % 5 == 4)
            hit = share is not None and 0 < share < 1
            n_hits += hit
            longest *= 0.8 if share == 1 else 1.02
            bins[0 if not share else 11 if share == 1 else 1 + int(share * 10)] += 1
            run += 1
        print("# share of the files that were copied when the signal came:")
        for number, count in enumerate(bins):
            what = ("none", *(f"{10 * i:2}-{10 * i + 10} %" for i in range(10)), "all")[number]
            print(f"# {what:>9} {count:4} {'*' * count}", flush=True)
        print(f"# {n_hits} of {run} hit a copy that had begun and not ended", flush=True)
        self.assertGreaterEqual(n_hits, n_runs * 3 // 4)

    def test_second_signal(self):
        """a second signal ends it at once"""
        make_source(self.source)
        ends = []
        for _ in range(20):
            shutil.rmtree(self.copy, ignore_errors=True)
            with subprocess.Popen([cli.CLI, "copy", "-rq", self.source, self.copy],
                                  stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
                while not self.copy.exists() and process.poll() is None:
                    time.sleep(0.0005)
                # Both have come before it looks: no race with how fast it cancels.
                process.send_signal(signal.SIGSTOP)
                process.send_signal(signal.SIGINT)
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGCONT)
                process.communicate(timeout=60)
            ends.append(process.returncode)
        # One may have ended before it was stopped.
        self.assertTrue(set(ends) <= {0, -signal.SIGINT, -signal.SIGTERM}, ends)
        self.assertGreater(sum(end < 0 for end in ends), 10, ends)

    def test_failures_do_not_hide_the_signal(self):
        """files that failed before do not turn 130 into 1"""
        make_source(self.source)
        self.copy.mkdir()
        for number in range(5):
            make_file(self.copy / f"folder-{number}", b"in the way")
        ends = []
        for _ in range(20):
            status, said = self.cancel_after(self.random.uniform(0.005, 0.03), signal.SIGINT)
            ends.append(status)
            self.assertIn(status, (1, 130, -signal.SIGINT), said)
            for path in self.copy.glob("folder-*"):
                if path.is_dir():
                    shutil.rmtree(path)
        self.assertIn(130, ends)

    def test_ignored_signal(self):
        """a SIGINT that the caller ignores is ignored"""
        make_source(self.source)
        command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", cli.CLI, "copy", "-rq", self.source, self.copy]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
            # Not before the shell has run its trap.
            while not self.copy.exists() and process.poll() is None:
                time.sleep(0.0005)
            for _ in range(5):
                process.send_signal(signal.SIGINT)
                time.sleep(0.002)
            process.wait(timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assert_same_tree(self.source, self.copy)


if __name__ == "__main__":
    tap.main()
