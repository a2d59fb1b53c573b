# SPDX-License-Identifier: MIT
"""What the checks share: walking the tree, blanking comments, reporting `path:line: what is wrong`."""

import argparse
import pathlib
import re
import subprocess
import sys

INCLUDE = re.compile(r'\s*#\s*include\s*(<[^>]+>|"[^"]+")')
TOKEN = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
ALLOW = re.compile(r"check-allow:\s*([\w, ]+?)\s*:\s*\w")


def blank_comments(text):
    """The text with comments and the insides of literals as blanks, so that lines and columns stay."""
    def blank(match):
        token = match[0]
        kept = re.sub(r"[^\n]", " ", token)
        return kept if token[0] == "/" else token[0] + kept[1:-1] + token[-1]
    return TOKEN.sub(blank, text)


class Source:
    """One file: its text, its code without comments, and where it stands in the tree."""

    def __init__(self, root, path):
        self.path = path.relative_to(root).as_posix()
        self.text = path.read_text(errors="replace")
        self.lines = self.text.splitlines()
        self.code = blank_comments(self.text)
        self.code_lines = self.code.splitlines()

    @property
    def room(self):
        parts = self.path.split("/")
        return parts[1] if parts[0] == "src" and len(parts) > 2 else None

    def includes(self):
        """(line, '<eddy/object.h>' or '"base/list-private.h"') of each include that is not commented out."""
        for number, (line, code) in enumerate(zip(self.lines, self.code_lines), start=1):
            found = INCLUDE.match(line)
            if found and code.lstrip().startswith("#"):
                yield number, found[1]

    def line_of(self, offset):
        return self.code.count("\n", 0, offset) + 1

    def allows(self, number, name):
        """Whether `check-allow: NAME: reason` stands on the line or on the one above."""
        for line in self.lines[max(number - 2, 0):number]:
            found = ALLOW.search(line)
            if found and name in re.split(r"[,\s]+", found[1]):
                return True
        return False


def find_sources(root, folders, suffixes=(".c", ".h", ".S")):
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield Source(root, path)


class Report:
    """Complaints, printed in the order of the files; one of each kind per line."""

    def __init__(self, name):
        self.name = name
        self.complaints = set()

    def complain(self, path, line, text):
        self.complaints.add((path, line, text))

    def finish(self):
        for path, line, text in sorted(self.complaints):
            print(f"{path}:{line}: {text}")
        count = len(self.complaints)
        print(f"{self.name}: " + (f"{count} found" if count else "nothing found"))
        return 1 if count else 0


def parse_arguments(description, build_help):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    if build_help:
        parser.add_argument("--build", type=pathlib.Path, help=build_help)
    arguments = parser.parse_args()
    arguments.root = arguments.root.resolve()
    return arguments


def run(command, **options):
    """The finished process; a command that is not there is a failure of the check, said in one line."""
    try:
        return subprocess.run(command, text=True, capture_output=True, check=False, **options)
    except FileNotFoundError:
        sys.exit(f"{command[0]} is not installed: this check cannot run without it")
