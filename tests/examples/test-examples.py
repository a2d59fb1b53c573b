#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the examples, and compares what they print with what they promise."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.environ["EDDY_SOURCE_ROOT"], "tests", "tools"))

import tap  # noqa: E402 (the path comes first)

EXAMPLES = pathlib.Path(os.environ["EDDY_BUILD_ROOT"]) / "examples"


class Example(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="eddy-example-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def run_example(self, name, *arguments):
        done = subprocess.run([EXAMPLES / name, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr


class CopyForms(Example):
    FORMS = ("awaited", "blocking", "callbacks", "future")

    def test_same_copy(self):
        """copy-forms: each form makes the same copy and prints the same"""
        contents = os.urandom(300000)
        (self.folder / "source").write_bytes(contents)
        for form in self.FORMS:
            with self.subTest(form=form):
                self.assertEqual(self.run_example("copy-forms", form, "source", "copy"),
                                 (0, "copy: 300000 bytes\n", ""))
                self.assertEqual((self.folder / "copy").read_bytes(), contents)
                (self.folder / "copy").unlink()

    def test_same_error(self):
        """copy-forms: each form reports the same error"""
        (self.folder / "source").write_bytes(b"x")
        (self.folder / "copy").write_bytes(b"old")
        for form in self.FORMS:
            with self.subTest(form=form):
                self.assertEqual(self.run_example("copy-forms", form, "missing", "new"),
                                 (1, "", "copy-forms: missing: No such file or directory\n"))
                self.assertEqual(self.run_example("copy-forms", form, "source", "copy"),
                                 (1, "", "copy-forms: copy: File exists\n"))
                self.assertEqual((self.folder / "copy").read_bytes(), b"old")

    def test_use(self):
        """copy-forms: wrong use"""
        for arguments in ((), ("awaited",), ("somehow", "a", "b")):
            status, said, complaint = self.run_example("copy-forms", *arguments)
            self.assertEqual((status, said), (2, ""))
            self.assertIn("awaited|blocking|callbacks|future", complaint)


if __name__ == "__main__":
    tap.main()
