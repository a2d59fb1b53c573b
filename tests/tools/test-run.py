#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows that tests/run counts what programs say in TAP, and that none of their ways to end passes for a success
that is none. Each case is a shell program behind a build folder's list of tests. TAP on stdout.
"""

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Case:
    what: str
    script: str
    last: str               # the last line that tests/run prints
    says: str = ""          # stands somewhere in what it prints
    suite: str = "once"
    protocol: str = "tap"
    timeout: int = 20


CASES = [
    Case("points are counted", "echo 1..2; echo ok 1 - a; echo ok 2 - b", "2 passed, 0 failed"),
    Case("a plan may stand at the end", "echo ok 1 - a; echo 1..1", "1 passed, 0 failed"),
    Case("a failed point is shown with what follows it",
         "echo 1..2; echo not ok 1 - a; echo '# 3 is not 4'; echo ok 2 - b; exit 1", "1 passed, 1 failed",
         says="# 3 is not 4"),
    Case("stderr is shown with a failure", "echo 1..1; echo not ok 1 - a; echo why >&2", "0 passed, 1 failed",
         says="| why"),
    Case("a skipped point is neither", "echo 1..2; echo ok 1 - a; echo 'ok 2 - b # SKIP not root'",
         "1 passed, 0 failed", says="skipped b: not root"),
    Case("a skipped program is neither", "echo '1..0 # SKIP no ring'", "0 passed, 0 failed", says="no ring"),
    Case("a reduced test says so", "echo 1..1; echo '# reduced: 20 cancels of 200'; echo ok 1",
         "1 passed, 0 failed", says="reduced 20 cancels of 200"),
    Case("a program that dies", "echo 1..1; echo ok 1 - a; kill -SEGV $$", "1 passed, 1 failed",
         says="was ended by SIGSEGV"),
    Case("a program that exits with an error", "echo 1..1; echo ok 1 - a; exit 3", "1 passed, 1 failed",
         says="exited with 3"),
    Case("fewer points than planned", "echo 1..3; echo ok 1 - a", "1 passed, 1 failed",
         says="planned 3 tests, reported 1"),
    Case("more points than planned", "echo 1..1; echo ok 1; echo ok 2", "2 passed, 1 failed",
         says="planned 1 tests, reported 2"),
    Case("no plan", "echo ok 1 - a", "1 passed, 1 failed", says="no TAP plan"),
    Case("nothing at all", "exit 0", "0 passed, 1 failed", says="no TAP plan"),
    Case("a bail out", "echo 1..1; echo ok 1; echo Bail out! no disk", "1 passed, 1 failed", says="no disk"),
    Case("a bail out after a failure", "echo 1..2; echo not ok 1 - a; echo '# because'; echo Bail out! no disk",
         "0 passed, 2 failed", says="# because"),
    Case("a name with a number sign", "echo 1..1; echo 'ok 1 - issue #4'", "1 passed, 0 failed"),
    Case("a program that hangs", "echo 1..1; sleep 100", "0 passed, 1 failed", says="took longer than 1 s",
         timeout=1),
    Case("a program by its exit status", "exit 0", "1 passed, 0 failed", protocol="exitcode"),
    Case("a program that fails by its exit status", "exit 1", "0 passed, 1 failed", protocol="exitcode"),
    Case("each engine is run", 'echo 1..1; echo "ok 1 - $EDDY_ENGINE"', "2 passed, 0 failed",
         says="case [uring]: 1 passed", suite="engine"),
    Case("a failure names its engine",
         'echo 1..1; [ "$EDDY_ENGINE" = epoll ] && echo "not ok 1 - it" || echo ok 1', "1 passed, 1 failed",
         says="case [epoll]: it", suite="engine"),
    Case("a folder of its own", 'echo 1..1; [ -d "$TMPDIR" ] && [ -z "$(ls -A "$TMPDIR")" ] && echo ok 1',
         "1 passed, 0 failed"),
    Case("nobody may pass through that folder", 'echo 1..1; [ "$(stat -c %a "$TMPDIR")" = 755 ] && echo ok 1',
         "1 passed, 0 failed"),
    Case("programs start in the build folder", "echo 1..1; [ -d meson-info ] && echo ok 1",
         "1 passed, 0 failed"),
]


def write_case(case, build):
    (build / "meson-info").mkdir(exist_ok=True)
    (build / "meson-info" / "intro-tests.json").write_text(json.dumps([{
        "name": "case", "suite": [f"eddy:{case.suite}"], "cmd": ["sh", "-c", case.script], "env": {}, "workdir": None,
        "protocol": case.protocol, "timeout": case.timeout}]))


def run_case(case, build):
    write_case(case, build)
    return subprocess.run([sys.executable, ROOT / "tests" / "run", build], capture_output=True, text=True,
                          check=False)


def judge(case, build):
    process = run_case(case, build)
    lines = process.stdout.splitlines()
    if not lines or lines[-1] != case.last:
        return f"wanted {case.last!r} at the end:\n{process.stdout}{process.stderr}"
    if case.says not in process.stdout:
        return f"wanted {case.says!r}:\n{process.stdout}"
    if (process.returncode == 0) != case.last.endswith(" 0 failed"):
        return f"exited with {process.returncode} after {case.last!r}"
    return None


def judge_grandchild(build):
    """What a program leaves behind in its process group ends with it."""
    file = build / "pid"
    run_case(Case("", f"sleep 60 & echo $! > '{file}'; echo 1..1; echo ok 1", ""), build)
    return judge_ended(int(file.read_text()))


def judge_interrupt(build):
    """Ctrl-C ends the tests too, and at once; also a program that has just begun, which sends it here."""
    file = build / "pid"
    for _ in range(20):
        write_case(Case("", f"echo $$ > '{file}'; kill -INT $PPID; sleep 60", ""), build)
        status = subprocess.run([sys.executable, ROOT / "tests" / "run", build]).returncode
        complaint = f"exited with {status}" if status != 130 else judge_ended(int(file.read_text()))
        if complaint:
            return complaint
    return None


def judge_ended(pid):
    for _ in range(100):
        try:
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return None
        if state == "Z":
            return None
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    return f"the process {pid} lives on"


def main():
    tests = [(case.what, lambda build, case=case: judge(case, build)) for case in CASES]
    tests.append(("what a program leaves behind is ended", judge_grandchild))
    tests.append(("an interrupt ends the tests", judge_interrupt))
    print(f"1..{len(tests)}")
    failed = 0
    for number, (name, function) in enumerate(tests, start=1):
        with tempfile.TemporaryDirectory(prefix="eddy-run-") as folder:
            complaint = function(pathlib.Path(folder))
        print(f"{'not ok' if complaint else 'ok'} {number} - {name}", flush=True)
        if complaint:
            failed += 1
            for line in complaint.splitlines():
                print(f"# {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
