#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The eddy command: help, wrong use, and eddy doctor."""

import json
import os
import re
import subprocess

import cli
from cli import tap

ENGINE = os.environ.get("EDDY_ENGINE", "uring")


class Use(cli.CliTest):
    def assert_usage_error(self, arguments, text, hint):
        done = self.eddy(*arguments)
        self.assertEqual(done.returncode, 2, done)
        self.assertEqual(done.stdout, b"")
        self.assertEqual(done.stderr.decode(), f"eddy{text} (try: eddy{hint} --help)\n")

    def test_version(self):
        """--version"""
        done = self.eddy("--version")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertRegex(done.stdout, rb"^eddy \d+\.\d+\.\d+\n$")

    def test_help(self):
        """help in all its forms"""
        for words in (["--help"], ["help"]):
            done = self.eddy(*words)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertTrue(done.stdout.startswith(b"Usage: eddy COMMAND"), done.stdout)
            for command in (b"copy", b"doctor", b"help"):
                self.assertIn(b"\n  " + command + b" ", done.stdout)
        for command in ("copy", "doctor"):
            texts = [self.eddy(*words) for words in (["help", command], [command, "--help"],
                                                     [command, "--help", "--nonsense"])]
            for done in texts:
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                self.assertEqual(done.stdout, texts[0].stdout)
            self.assertTrue(texts[0].stdout.startswith(f"Usage: eddy {command} ".encode()))
            self.assertLess(max(len(line) for line in texts[0].stdout.splitlines()), 101)

    def test_manual_pages(self):
        """each option of the help is in the manual page"""
        for command in ("copy", "doctor"):
            page = (cli.ROOT / "cli" / f"eddy-{command}.1").read_text().replace("\\-", "-")
            for option in re.findall(r"^ +(?:-\w, )?\s*(--[\w-]+)", self.eddy("help", command).stdout.decode(), re.M):
                self.assertIn(option, page)

    def test_wrong_use(self):
        """wrong use: one line with a hint, exit status 2"""
        self.assert_usage_error([], ": which command?", "")
        self.assert_usage_error(["nonsense"], ": there is no command 'nonsense'", "")
        self.assert_usage_error(["help", "nonsense"], ": there is no command 'nonsense'", "")
        self.assert_usage_error(["--nonsense"], ": unknown option --nonsense", "")
        self.assert_usage_error(["copy"], " copy: what is to be copied?", " copy")
        self.assert_usage_error(["copy", "a"], " copy: where to?", " copy")
        self.assert_usage_error(["copy", "--nonsense", "a", "b"], " copy: unknown option --nonsense", " copy")
        self.assert_usage_error(["copy", "-z", "a", "b"], " copy: unknown option -z", " copy")
        self.assert_usage_error(["copy", "--force=yes", "a", "b"], " copy: --force=yes takes no value", " copy")
        self.assert_usage_error(["copy", "a", "b", "--progress"], " copy: --progress needs a value", " copy")
        self.assert_usage_error(["copy", "--progress=never-ever", "a", "b"],
                                " copy: --progress is auto, always or never, not 'never-ever'", " copy")
        self.assert_usage_error(["copy", "--force", "--no-clobber", "a", "b"],
                                " copy: --force and --no-clobber exclude each other", " copy")
        self.assert_usage_error(["doctor", "me"], " doctor: unexpected argument 'me'", " doctor")
        self.assert_usage_error(["doctor", "--xml"], " doctor: unknown option --xml", " doctor")

    def test_output_that_cannot_be_written(self):
        """a full standard output is an error"""
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full")
        for words in (["--version"], ["--help"], ["doctor"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([cli.CLI, *words], stdout=full, stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn(b"No space left on device", done.stderr)

    def test_engine_that_is_none(self):
        """an EDDY_ENGINE that is none: an error that names it"""
        done = self.eddy("copy", cli.CLI, self.copy, environment={"EDDY_ENGINE": "steam"})
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"steam", done.stderr)
        self.assertFalse(self.copy.exists())


class Doctor(cli.CliTest):
    def report(self, status=0, **options):
        done = self.eddy("doctor", "--json", **options)
        self.assertEqual((done.returncode, done.stderr), (status, b""), done)
        return json.loads(done.stdout)

    def test_json(self):
        """--json: groups, the engine that was asked for, numbers that the system gives"""
        report = self.report()
        self.assertEqual(sorted(report), ["engine", "kernel", "limits", "versions"])
        self.assertEqual(report["engine"]["in use"], ENGINE)
        self.assertIn("EDDY_ENGINE", report["engine"]["because"])
        self.assertEqual(report["kernel"]["release"], os.uname().release)
        self.assertEqual(report["limits"]["processors"], str(len(os.sched_getaffinity(0))))
        self.assertIn(report["versions"]["Eddy"], self.eddy("--version").stdout.decode())
        self.assertRegex(report["versions"]["liburing"], r"^\d+\.\d+")
        if ENGINE == "uring":
            self.assertEqual(report["kernel"]["io_uring"], "yes")
            self.assertIn("read", report["kernel"]["io_uring operations"].split())

    def test_text(self):
        """the text says the same, aligned"""
        text = self.eddy("doctor").stdout.decode().splitlines()
        report = self.report()
        columns = set()
        group = None
        for line in filter(None, text):
            if not line.startswith(" "):
                group = report.pop(line)
                continue
            name = next(name for name in group if line.startswith(f"  {name} "))
            value = group.pop(name)
            self.assertTrue(line.endswith(f"  {value}"), line)
            columns.add(len(line) - len(value))
            self.assertEqual(len(value.splitlines()), 1)
        self.assertEqual(report, {})
        self.assertEqual(len(columns), 1, columns)

    def test_engine_by_itself(self):
        """without EDDY_ENGINE: one of the two, and why"""
        report = self.report(environment={"EDDY_ENGINE": ""})
        self.assertIn(report["engine"]["in use"], ("uring", "epoll"))
        self.assertNotEqual(report["engine"]["because"], "")

    def test_engine_refused(self):
        """io_uring refused: epoll and the reason; when it is forced, none and exit status 1"""
        for answer, reason in (("eperm", "Operation not permitted"), ("enosys", "Function not implemented")):
            deny = [cli.DENY_URING, answer]
            report = self.report(prefix=deny, environment={"EDDY_ENGINE": "auto"})
            self.assertEqual(report["engine"]["in use"], "epoll")
            self.assertIn(reason, report["engine"]["because"])
            self.assertEqual(report["kernel"]["io_uring"], reason)
            report = self.report(status=1, prefix=deny, environment={"EDDY_ENGINE": "uring"})
            self.assertEqual(report["engine"]["in use"], "none")
            self.assertIn(reason, report["engine"]["because"])

    def test_policy_that_kills(self):
        """a policy that kills who asks for io_uring: EDDY_ENGINE=epoll does not ask"""
        deny = [cli.DENY_URING, "kill"]
        report = self.report(prefix=deny, environment={"EDDY_ENGINE": "epoll"})
        self.assertEqual(report["engine"]["in use"], "epoll")
        self.assertLess(self.eddy("doctor", prefix=deny, environment={"EDDY_ENGINE": "auto"}).returncode, 0)


if __name__ == "__main__":
    tap.main()
