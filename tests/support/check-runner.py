#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the runner of tests/support by a binary whose tests end in every way. Says TAP."""

import os
import re
import subprocess
import sys
import tempfile

SAMPLE = os.path.abspath(sys.argv[1])

# Each test of sample.c: its TAP line, and what its diagnostics must say.
EXPECTED = [
    ("ok {} - passes", ""),
    ("not ok {} - fails", r"sample\.c:\d+.*1 \+ 1 == 2, 3 == 3"),
    ("ok {} - skips # SKIP no such thing here", ""),
    ("not ok {} - leaves_an_fd", r"left behind fds: \d+ -> \d+"),
    ("not ok {} - leaves_things", "left behind things: 0 -> 2"),
    ("ok {} - leaves_things_that_settle", ""),
    ("not ok {} - exits_early", "exited with status 0 before the end"),
    ("not ok {} - crashes", "signal 6"),
    ("not ok {} - hangs", "[Tt]imeout"),
    ("not ok {} - dies_with_a_directory", "signal 6"),
    ("ok {} - nobody_passes", ""),
    ("not ok {} - nobody_fails", "other data"),
    ("not ok {} - nobody_crashes", "wait status 0x"),
]
NAMES = [line.split(" - ")[1].split()[0] for line, _ in EXPECTED]

number = 0
n_failed = 0


def check(name, is_good, said=""):
    global number, n_failed
    number += 1
    n_failed += not is_good
    print(f"{'ok' if is_good else 'not ok'} {number} - {name}")
    if not is_good:
        print("\n".join("# " + line for line in str(said).splitlines()))


def run(directory, *arguments):
    # Aborts are wanted here: they need no report of a sanitizer, and leave no core.
    environment = dict(os.environ, TMPDIR=directory)
    return subprocess.run([SAMPLE, *arguments], env=environment, text=True, cwd=directory,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100)


def split_tap(text):
    """The plan, and for each result its line and its diagnostics."""
    results = []
    lines = text.splitlines()
    for line in lines[1:]:
        if line.startswith("# "):
            results[-1][1] += line + "\n"
        else:
            results.append([line, ""])
    return lines[0], results


def check_all(directory):
    done = run(directory)
    plan, results = split_tap(done.stdout)
    check("the plan is right", plan == f"1..{len(EXPECTED)}", plan)
    check("one result a test", len(results) == len(EXPECTED), done.stdout)
    for i, ((line, pattern), (said, why)) in enumerate(zip(EXPECTED, results), start=1):
        is_good = said == line.format(i) and (re.search(pattern, why, re.DOTALL) if pattern
                                              else why == "")
        check(f"result of {NAMES[i - 1]}", is_good, f"{said}\n{why}")
    check("failures are told by the status", done.returncode == 1, done.returncode)
    check("a test's own output is on stderr", "not TAP" in done.stderr, done.stderr)
    check("a left fd is named", "-> /dev/null" in done.stderr, done.stderr)
    check("no directory is left", os.listdir(directory) == [], os.listdir(directory))


def check_arguments(directory):
    done = run(directory, "--list")
    check("--list", done.stdout.split() == NAMES, done.stdout)
    done = run(directory, "skips", "passes")
    check("tests by name", done.returncode == 0 and done.stdout ==
          "1..2\nok 1 - passes\nok 2 - skips # SKIP no such thing here\n", done.stdout)
    done = run(directory, "passes", "unknown")
    check("an unknown name is an error", done.returncode == 2 and done.stdout == "", done.stdout)
    done = run(directory, "--unknown")
    check("an unknown option is an error", done.returncode == 2 and "Usage" in done.stderr,
          done.stderr)


with tempfile.TemporaryDirectory(prefix="eddy-runner-") as directory:
    os.chmod(directory, 0o755)
    check_all(directory)
    check_arguments(directory)
print(f"1..{number}")
sys.exit(n_failed > 0)
