# SPDX-License-Identifier: MIT
"""Rounds: runs the contenders of a claim in turn, checks what they did, and keeps what each needed.

In turn, because the machine drifts: what is compared must have run side by side. The order is
reversed every other round, so that nobody always runs right after the same other one.
"""

import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

from . import compare, workload

TIME_LIMIT_S = 300
CLOSE_ATTEMPTS = 5
ROUNDS = 9
PAIRED_ROUNDS = 15
UMASK = 0o022


class Failed(Exception):
    """A contender did not run, or did not do its work; says why."""


class Result:
    """The values of one contender in its rounds, or the reason why it has none."""

    def __init__(self):
        self.values = []
        self.reason = None

    def best(self):
        return min(self.values) if self.values and not self.reason else None

    def median(self):
        return statistics.median(self.values) if self.values and not self.reason else None

    def spread(self):
        """How far the rounds lie apart, as a share of the best."""
        return (max(self.values) - min(self.values)) / min(self.values) if min(self.values) else 0.0


class Place:
    """A temporary folder with the source of a claim; removes all of it at the end."""

    def __init__(self, parent):
        self.parent, self.root = parent, None
        self.kind, self.source, self.folder, self.snapshot = None, None, None, None

    def provide(self, kind):
        """Makes the source of this kind, in the place of the one before it."""
        if kind == self.kind:
            return
        if not self.root:
            self.root = tempfile.mkdtemp(prefix="eddy-bench-", dir=self.parent)
            self.source = os.path.join(self.root, "source")
            self.folder = os.path.join(self.root, "copies")
        remove(self.folder)
        remove(self.source)
        self.kind, self.snapshot = None, None
        workload.make(kind, self.source)
        self.kind, self.snapshot = kind, compare.snapshot(self.source)

    def fresh_folder(self):
        remove(self.folder)
        os.mkdir(self.folder)

    def close(self):
        """Tries more than once: a program that was interrupted may still add files while it ends."""
        for attempt in range(CLOSE_ATTEMPTS):
            try:
                remove(self.root or "")
                return
            except OSError:
                if attempt == CLOSE_ATTEMPTS - 1:
                    raise
                time.sleep(0.5)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def last_line(file):
    """The last words of a program, for the reason of its failure."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - 4096))
    lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def end(child):
    """Ends a program of ours that still runs: politely, then for good."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is None:
            child.send_signal(number)
            try:
                child.wait(timeout=3)
            except subprocess.TimeoutExpired:
                pass


def run_program(argv):
    """Runs a program to its end; returns its wall time and what it printed."""
    program = next(word for word in argv if word != "env" and "=" not in word)
    if not shutil.which(program):
        raise Failed(f"{os.path.basename(program)} is missing (not built, or not installed)")
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        begin = time.perf_counter()
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=errors)
        try:
            child.wait(timeout=TIME_LIMIT_S)
        except subprocess.TimeoutExpired:
            raise Failed(f"still running after {TIME_LIMIT_S} s") from None
        finally:
            end(child)
        elapsed = time.perf_counter() - begin
        if child.returncode:
            raise Failed(f"exit status {child.returncode} {last_line(errors)}".rstrip())
        output.seek(0)
        return elapsed, output.read().decode(errors="replace")


def run_copy(contender, place, places, thorough):
    """One timed copy into a fresh folder, and its check; making and removing are not timed."""
    place.fresh_folder()
    copy = os.path.join(place.folder, "copy")
    elapsed, _ = run_program(contender.argv({**places, place.kind: place.source, "copy": copy}))
    if not os.path.lexists(copy):
        raise Failed("no copy was made")
    found = compare.difference(place.snapshot, compare.snapshot(copy), contender.keeps, UMASK)
    if not found and thorough:
        found = compare.content_difference(place.source, copy)
    if found:
        raise Failed(f"wrong copy: {found}")
    return elapsed


def run_removal(contender, place, places):
    """One timed removal of a copy in a fresh folder; on a disk, of one that has been stored there."""
    place.fresh_folder()
    doomed = os.path.join(place.folder, "doomed")
    subprocess.run(["cp", "-a", place.source, doomed], stdin=subprocess.DEVNULL, check=True)
    if workload.is_on_disk(place.kind):
        os.sync()
    elapsed, _ = run_program(contender.argv({**places, f"doomed_{place.kind}": doomed}))
    if os.path.lexists(doomed):
        raise Failed("something was left")
    return elapsed


def run_printed(contender, places):
    """One run of a program that measures itself, checks itself, and prints one number."""
    _, printed = run_program(contender.argv(places))
    try:
        return float(printed)
    except ValueError:
        raise Failed(f"printed {printed.strip()[:60]!r} instead of a number") from None


def run_once(claim, contender, place, places, thorough):
    if contender.constant() is not None:
        return contender.constant()
    if claim.job() == "copy":
        return run_copy(contender, place, places, thorough)
    if claim.job() == "removal":
        return run_removal(contender, place, places)
    return run_printed(contender, {**places, place.kind: place.source} if claim.workload() else places)


def rounds_of(claim, wanted):
    """How many rounds count: as many as are asked for, or else what the claim's kind needs."""
    return wanted or (PAIRED_ROUNDS if claim.paired() else ROUNDS)


def measure(claim, place, places, rounds, progress):
    """All rounds of a claim, the warm-up first: its values do not count, but every byte is compared.
    Who failed takes no further part. Returns one result per contender."""
    rounds = rounds_of(claim, rounds)
    results = [Result() for _ in claim.contenders]
    field = list(zip(claim.contenders, results))
    for number in range(rounds + 1):
        for contender, result in field if number % 2 else field[::-1]:
            if result.reason:
                continue
            where = f"round {number} of {rounds}" if number else "warm-up"
            progress.step(f"{claim.title}: {where}, {contender.peer}")
            try:
                value = run_once(claim, contender, place, places, thorough=number == 0)
            except Failed as failure:
                result.reason = str(failure)
                continue
            if number:
                result.values.append(value)
    return results
