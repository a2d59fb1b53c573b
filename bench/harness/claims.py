# SPDX-License-Identifier: MIT
"""The table of claims: reads bench/claims and groups its lines by set and claim."""

import dataclasses
import shlex

COLUMNS = 8
DIRECTIONS = (">=", "<=", "-")
WORKLOADS = ("tree", "big", "disk_tree", "disk_large", "disk_blocks")
KEEPS = {"mode", "umode", "mtime", "mtime-us", "file-mtime-us", "links", "xattr", "paired"}


class ClaimError(Exception):
    """A line of the table that cannot be understood."""


@dataclasses.dataclass
class Contender:
    """One line: Eddy, a peer or a limit, and how it is run."""

    peer: str
    unit: str
    direction: str
    goal: float | None
    keeps: frozenset
    command: str

    def argv(self, places):
        """The command with its {places} filled in; split first, so that paths may have spaces."""
        return [word.format(**places) for word in shlex.split(self.command)]

    def constant(self):
        """The number of a `constant N` command, else None."""
        words = self.command.split()
        return float(words[1]) if words[0] == "constant" else None


@dataclasses.dataclass
class Claim:
    """All that is measured in turn: Eddy first, then its peers in the order of the table."""

    set: str
    name: str
    contenders: list

    @property
    def title(self):
        return f"{self.set}/{self.name}"

    @property
    def eddy(self):
        return self.contenders[0]

    @property
    def peers(self):
        return self.contenders[1:]

    def workload(self):
        """Which source the commands read, copy or remove a copy of (workload.KINDS); None: none."""
        for kind in WORKLOADS:
            if "{" + kind + "}" in self.eddy.command or "{doomed_" + kind + "}" in self.eddy.command:
                return kind
        return None

    def paired(self):
        """Whether the rounds are compared one by one, and the median of the ratios counts."""
        return "paired" in self.eddy.keeps

    def job(self):
        """What bench/run itself times: a copy, a removal; None: the programs time themselves."""
        if "{copy}" in self.eddy.command:
            return "copy"
        return "removal" if "{doomed_" in self.eddy.command else None


def parse_line(number, line):
    words = line.split(None, COLUMNS - 1)
    if len(words) != COLUMNS:
        raise ClaimError(f"claims:{number}: {len(words)} columns, not {COLUMNS}")
    set_name, name, peer, unit, direction, goal, keeps, command = words
    if direction not in DIRECTIONS or (direction == "-") != (peer == "eddy"):
        raise ClaimError(f"claims:{number}: direction {direction} does not suit {peer}")
    kept = frozenset() if keeps == "-" else frozenset(keeps.split(","))
    if kept - KEEPS:
        raise ClaimError(f"claims:{number}: keeps what? {', '.join(sorted(kept - KEEPS))}")
    try:
        number_goal = None if goal == "-" else float(goal)
    except ValueError:
        raise ClaimError(f"claims:{number}: the goal {goal} is no number") from None
    if (number_goal is None) != (direction == "-"):
        raise ClaimError(f"claims:{number}: direction {direction} and goal {goal}")
    return set_name, name, Contender(peer, unit, direction, number_goal, kept, command.strip())


def read(path):
    """All claims of the table, in its order."""
    claims = {}
    with open(path, encoding="utf-8") as table:
        for number, line in enumerate(table, start=1):
            if not line.strip() or line.startswith("#"):
                continue
            set_name, name, contender = parse_line(number, line)
            key = (set_name, name)
            if (contender.peer == "eddy") != (key not in claims):
                raise ClaimError(f"claims:{number}: the first line of a claim is Eddy's, and only that")
            claims.setdefault(key, Claim(set_name, name, [])).contenders.append(contender)
    return list(claims.values())
