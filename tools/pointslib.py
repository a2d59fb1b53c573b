# SPDX-License-Identifier: MIT
"""tests/conformance/points: reading it, and judging tests by it. For tests/run and tools/conformance-page."""

import dataclasses
import pathlib
import re

PATH = pathlib.Path(__file__).resolve().parent.parent / "tests" / "conformance" / "points"
LETTERS = "LCTFSNP"
NAME = rf"(?:[{LETTERS}][1-9][0-9]*|D_[a-z0-9]+)"
LINE = re.compile(rf"({NAME}) (kept|differs|none|adds): (\S.*)")
HEADING = re.compile(r"# (\S.*)")
# L1_lower_is_more_urgent belongs to L1, D_post_from_threads and D_post to D_post.
TEST = re.compile(rf"({NAME})(?=_|$)")


@dataclasses.dataclass
class Point:
    name: str
    stand: str      # kept, differs, none, adds
    text: str
    heading: str
    line: int

    @property
    def wants_test(self):
        return self.stand != "none"


def follows(name, before):
    """Whether a point may stand after those before it: the numbers of a letter run from 1, without a gap."""
    if name.startswith("D_"):
        return True
    number = int(name[1:])
    return number == 1 if name[0] not in before else number == before[name[0]] + 1


def read(path=PATH):
    """(points in their order, what is wrong with the file). A comment that follows an empty line is a heading."""
    points = {}
    complaints = []
    numbers = {}
    heading = ""
    after_blank = False
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        found = LINE.fullmatch(line)
        if line.startswith("#") or not line:
            if after_blank and HEADING.fullmatch(line):
                heading = HEADING.fullmatch(line)[1]
            after_blank = not line
            continue
        after_blank = False
        if found is None or line != line.rstrip():
            complaints.append(f"{path.name}:{number}: not of the form 'L1 kept: text': {line}")
            continue
        name, stand, text = found.groups()
        if name in points:
            complaints.append(f"{path.name}:{number}: {name} has a line already, {points[name].line}")
            continue
        if name.startswith("D_") != (stand == "adds"):
            complaints.append(f"{path.name}:{number}: {name} cannot be '{stand}': D_ lines add, points do not")
        if not follows(name, numbers):
            complaints.append(f"{path.name}:{number}: {name} does not follow the number before it")
        if not name.startswith("D_"):
            numbers[name[0]] = int(name[1:])
        points[name] = Point(name, stand, text, heading, number)
    return points, complaints


def judge(points, reported, ran):
    """What is wrong between the points and the tests reported, of which some ran (the others were skipped)."""
    complaints = []
    tested = set()
    for test in sorted(reported):
        found = TEST.match(test)
        if found is None:
            complaints.append(f"{test}: the name does not begin with a point ('L1_…') or with 'D_' and a word")
        elif found[1] not in points:
            complaints.append(f"{test}: {found[1]} has no line in tests/conformance/points")
        elif not points[found[1]].wants_test:
            complaints.append(f"{test}: {found[1]} is 'none', which has no test")
        elif test in ran:
            tested.add(found[1])
    complaints += [f"{point.name}: '{point.stand}', but no test of it ran"
                   for point in points.values() if point.wants_test and point.name not in tested]
    return complaints
