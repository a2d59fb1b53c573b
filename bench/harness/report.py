# SPDX-License-Identifier: MIT
"""What bench/run says: one line per claim and peer on stdout, progress on stderr."""

import statistics
import sys


class Progress:
    """One line that rewrites itself on a terminal; elsewhere plain lines, one per claim."""

    def __init__(self):
        self.terminal = sys.stderr.isatty()

    def step(self, text):
        """Where we are: shown on a terminal only."""
        if self.terminal:
            sys.stderr.write(f"\r\033[K{text[:100]}")
            sys.stderr.flush()

    def begin(self, text):
        """A claim begins: on a terminal the first of its steps, elsewhere its only line."""
        if self.terminal:
            self.step(text)
        else:
            self.say(text)

    def say(self, text):
        """A milestone: shown everywhere, and it stays."""
        self.clear()
        print(text, file=sys.stderr, flush=True)

    def clear(self):
        if self.terminal:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def figure(value, unit):
    """A number with its unit: 1.62s, 3.61ns, 0 (a count has no unit)."""
    if value is None:
        return "-"
    return f"{value:.0f}" if unit == "count" else f"{value:.2f}{unit}"


def judge_pairs(contender, eddy, peer):
    """The median of the ratios of the rounds, each of two runs side by side, and whether the goal is met."""
    less = contender.direction == "<="
    ratio = statistics.median(mine / other if less else other / mine
                              for mine, other in zip(eddy.values, peer.values))
    return ratio, ratio <= contender.goal if less else ratio >= contender.goal


def judge(contender, eddy, peer):
    """The ratio (None where there is none) and whether the goal is met."""
    if contender.direction == ">=":
        ratio = peer / eddy if eddy else float("inf")
        return ratio, ratio >= contender.goal
    if peer == 0:
        return None, eddy <= contender.goal
    ratio = eddy / peer
    return ratio, ratio <= contender.goal


def goal(contender):
    digits = ".0f" if contender.unit == "count" else ".2f"
    return f"goal{contender.direction}{contender.goal:{digits}}"


def claim_line(claim, contender, eddy, peer):
    """The line of one peer: what both needed, the ratio against the goal, the verdict, the spreads."""
    mine, other = ((eddy.median(), peer.median()) if claim.paired() else (eddy.best(), peer.best()))
    words = [claim.title, f"eddy={figure(mine, contender.unit)}",
             f"{contender.peer}={figure(other, contender.unit)}"]
    reasons = [f"{name}: {result.reason}"
               for name, result in (("eddy", eddy), (contender.peer, peer)) if result.reason]
    if reasons:
        return " ".join(words + ["ratio=-", goal(contender), "short:", "; ".join(reasons)])
    ratio, met = (judge_pairs(contender, eddy, peer) if claim.paired()
                  else judge(contender, mine, other))
    if ratio is not None:
        words.append(f"ratio={ratio:.2f}")
    words += [goal(contender), "met" if met else "short"]
    if contender.unit != "count":
        words.append(f"spread={eddy.spread():.0%},{peer.spread():.0%}")
    return " ".join(words)
