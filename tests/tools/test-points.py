#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Shows that tests/run holds the conformance tests to the points: for each kind of violation, one is planted, and
the run must fail and name it. Also what tools/conformance-page makes of the points. TAP on stdout.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import tap

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import pointslib    # noqa: E402

POINTS = """# SPDX-License-Identifier: MIT
# A comment at the head is no heading.

# Loops
L1 kept: a lower number is more urgent
L2 differs: order of readiness; not `a | b`
L3 none: there is no such thing

# Added
D_post adds: work by a node of the caller's own
"""
NAMES = ["L1_lower_number", "L1_names", "L2_order", "D_post"]


def script(names, failed=(), skipped=(), todo=()):
    lines = [f"1..{len(names)}"]
    for number, name in enumerate(names, start=1):
        mark = " # SKIP no reason" if name in skipped else " # TODO later" if name in todo else ""
        lines.append(f"{'not ok' if name in failed or name in todo else 'ok'} {number} - {name}{mark}")
    return "\n".join(lines) + "\n"


class PointsTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="eddy-points-")
        self.addCleanup(temporary.cleanup)
        self.build = pathlib.Path(temporary.name)
        self.points = self.build / "points"

    def run_tests(self, programs, points=POINTS, arguments=()):
        """tests/run on a build folder with these programs, name: what it prints, and these points."""
        (self.build / "meson-info").mkdir(exist_ok=True)
        (self.build / "meson-info" / "intro-tests.json").write_text(json.dumps([
            {"name": name, "suite": ["eddy:engine"], "cmd": ["sh", "-c", text], "env": {}, "workdir": None,
             "protocol": "tap", "timeout": 20} for name, text in programs.items()]))
        self.points.write_text(points)
        return subprocess.run([sys.executable, ROOT / "tests" / "run", self.build, "--points", self.points,
                               *arguments], capture_output=True, text=True, check=False)

    def run_names(self, names=NAMES, points=POINTS, arguments=(), **marks):
        text = script(names, **marks)
        return self.run_tests({"conformance-case": f"cat <<'END'\n{text}END"}, points, arguments)

    def expect_violation(self, process, *says):
        for line in says:
            self.assertIn(f"\n    {line}", process.stdout)
        for engine in ("epoll", "uring"):
            self.assertIn(f"FAILED conformance-points [{engine}]:", process.stdout)
        self.assertEqual(process.returncode, 1)

    def expect_clean(self, process, last):
        self.assertEqual(process.stdout.splitlines()[-1], last)
        self.assertEqual(process.returncode, 0)

    def test_whole(self):
        """a suite that keeps to its points passes, and that counts once for each engine"""
        process = self.run_names()
        self.expect_clean(process, "10 passed, 0 failed")
        self.assertIn("conformance-points [uring]: 1 passed", process.stdout)

    def test_untested(self):
        """a kept, a differing and an added point without a test"""
        for name, says in (("L1", "L1: 'kept', but"), ("L2_order", "L2: 'differs', but"),
                           ("D_post", "D_post: 'adds', but")):
            self.expect_violation(self.run_names([each for each in NAMES if not each.startswith(name)]), says)

    def test_skipped(self):
        """a skipped test did not run"""
        self.expect_violation(self.run_names(skipped=["L2_order"]), "L2: 'differs', but no test of it ran")

    def test_todo(self):
        """nor did one that is yet to be done"""
        self.expect_violation(self.run_names(todo=["L2_order"]), "L2: 'differs', but no test of it ran")

    def test_skipped_twin(self):
        """one test of a point is enough"""
        self.expect_clean(self.run_names(skipped=["L1_names"]), "8 passed, 0 failed")

    def test_failed(self):
        """a test that failed did run"""
        process = self.run_names(failed=["L2_order"])
        self.assertEqual(process.stdout.splitlines()[-1], "8 passed, 2 failed")
        self.assertNotIn("FAILED conformance-points", process.stdout)

    def test_one_engine(self):
        """each engine has to run the test"""
        whole, part = script(NAMES), script(NAMES, skipped=["L2_order"])
        process = self.run_tests({"conformance-case": f'[ "$EDDY_ENGINE" = epoll ] && cat <<"E1" || cat <<"E2"\n'
                                                      f"{part}E1\n{whole}E2"})
        self.assertIn("FAILED conformance-points [epoll]:\n    L2: 'differs', but", process.stdout)
        self.assertNotIn("FAILED conformance-points [uring]", process.stdout)
        self.assertEqual(process.returncode, 1)

    def test_no_line(self):
        """a test without a line"""
        self.expect_violation(self.run_names([*NAMES, "L4_beyond"]), "L4_beyond: L4 has no line")
        self.expect_violation(self.run_names([*NAMES, "D_other_thing"]), "D_other_thing: D_other has no line")
        self.expect_violation(self.run_names([*NAMES, "L11"]), "L11: L11 has no line")

    def test_none(self):
        """a test of what is not there"""
        self.expect_violation(self.run_names([*NAMES, "L3_still"]), "L3_still: L3 is 'none'")

    def test_names(self):
        """a test whose name begins with no point"""
        for name in ("order", "L01_order", "L_order", "l1_order", "L1order", "X1_order", "D_", "D"):
            self.expect_violation(self.run_names([*NAMES, name]), f"{name}: the name does not begin with a point")

    def test_malformed(self):
        """a line of another form"""
        for line in ("L4 kept", "L4 kept:", "L4 kept: ", "L4: kept: x", "L4 keeps: x", "L04 kept: x", " L4 kept: x",
                     "L4 kept: x ", "X1 kept: x", "D_Post adds: x"):
            self.expect_violation(self.run_names(points=POINTS + line + "\n"), "points:11: not of the form")

    def test_duplicate(self):
        """two lines for one point"""
        self.expect_violation(self.run_names(points=POINTS + "L2 kept: x\n"), "points:11: L2 has a line already, 6")

    def test_gap(self):
        """a number that is left out"""
        process = self.run_names([*NAMES, "L5_x"], POINTS + "L5 kept: x\n")
        self.expect_violation(process, "points:11: L5 does not follow")

    def test_wrong_stand(self):
        """a point that adds, an addition that is kept"""
        self.expect_violation(self.run_names([*NAMES, "L4_x"], POINTS + "L4 adds: x\n"), "points:11: L4 cannot be")
        self.expect_violation(self.run_names([*NAMES, "D_x"], POINTS + "D_x kept: x\n"), "points:11: D_x cannot be")

    def test_programs_together(self):
        """the tests of all programs count together, those of other programs do not"""
        process = self.run_tests({"conformance-one": f"cat <<'END'\n{script(NAMES[:2])}END",
                                  "conformance-two": f"cat <<'END'\n{script(NAMES[2:])}END",
                                  "loop": "echo 1..1; echo ok 1 - order"})
        self.expect_clean(process, "12 passed, 0 failed")

    def test_a_pick(self):
        """a pick of tests is not held to the points, another suite neither"""
        self.expect_clean(self.run_names(["L1_names"], arguments=["conformance-*"]), "2 passed, 0 failed")
        process = self.run_tests({"loop": "echo 1..1; echo ok 1 - order"})
        self.expect_clean(process, "2 passed, 0 failed")

    def make_page(self, points):
        self.points.write_text(points)
        return subprocess.run([sys.executable, ROOT / "tools" / "conformance-page", self.points,
                               self.build / "page.md"], capture_output=True, text=True, check=False)

    def test_page(self):
        """the page has a row for each point, under its heading"""
        self.assertEqual(self.make_page(POINTS).returncode, 0)
        page = (self.build / "page.md").read_text()
        self.assertIn("Of 3 points 1 hold as in GLib, 1 differ, 1 is not there; 1 thing is added.", page)
        self.assertIn("## Loops\n\n| point | in Eddy | what |\n| --- | --- | --- |\n"
                      "| L1 | as GLib | a lower number is more urgent |\n"
                      "| L2 | differs | order of readiness; not `a \\| b` |\n"
                      "| L3 | not there | there is no such thing |\n\n## Added\n", page)
        self.assertNotIn("SPDX", page)

    def test_page_of_a_bad_file(self):
        """no page is made of a file that is wrong"""
        process = self.make_page(POINTS + "L4 keeps: x\n")
        self.assertEqual(process.returncode, 1)
        self.assertIn("points:11", process.stderr)
        self.assertFalse((self.build / "page.md").exists())

    def test_own_points(self):
        """the project's own file is in order"""
        points, complaints = pointslib.read()
        self.assertEqual(complaints, [])
        self.assertGreaterEqual(len(points), 104)


if __name__ == "__main__":
    tap.main()
