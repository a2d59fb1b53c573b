#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of ./run and of tools/packages.sh, in a small tree whose command prints its arguments, and with an
apt-get and a sudo that only pretend. TAP on stdout.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import tap

ROOT = pathlib.Path(__file__).resolve().parents[2]
MESON = """project ('small', 'c')
subdir ('cli')
"""
OPTIONS = "option ('tests', type: 'boolean')\noption ('examples', type: 'boolean')\n"
PROGRAM = r"""
#include <stdio.h>
#include <unistd.h>
int main (int argc, char **argv)
{
    char folder[4096];
    for (int i = 1; i < argc; i++)
        printf ("[%s]\n", argv[i]);
    printf ("%s %d\n", getcwd (folder, sizeof folder), (int) getpid ());
    return 7;
}
"""


class Launch(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="eddy launch "))
        self.addCleanup(shutil.rmtree, self.folder)
        self.tree = self.folder / "a tree"
        (self.tree / "tools").mkdir(parents=True)
        (self.tree / "cli").mkdir()
        shutil.copy(ROOT / "run", self.tree)
        shutil.copy(ROOT / "tools" / "packages.sh", self.tree / "tools")
        (self.tree / "meson.build").write_text(MESON)
        (self.tree / "meson_options.txt").write_text(OPTIONS)
        (self.tree / "cli" / "meson.build").write_text("executable ('eddy', 'main.c')\n")
        (self.tree / "cli" / "main.c").write_text(PROGRAM)

    def launch(self, *arguments, **options):
        options.setdefault("cwd", self.folder)
        return subprocess.run([self.tree / "run", *arguments], capture_output=True, text=True, check=False,
                              **options)

    def test_arguments_folder_and_status_pass(self):
        process = self.launch("copy", "a b", "", "*", "-x")
        self.assertEqual(process.stdout.splitlines()[:5], ["[copy]", "[a b]", "[]", "[*]", "[-x]"])
        self.assertTrue(process.stdout.splitlines()[5].startswith(f"{self.folder} "))
        self.assertEqual((process.returncode, process.stderr), (7, ""))

    def test_the_command_takes_the_place_of_the_script(self):
        self.launch()
        with subprocess.Popen([self.tree / "run"], stdout=subprocess.PIPE, text=True) as process:
            self.assertEqual(int(process.communicate()[0].split()[-1]), process.pid)

    def test_nothing_to_do_adds_little(self):
        self.launch()
        began = time.monotonic()
        self.launch()
        self.assertLess(time.monotonic() - began, 0.5)

    def test_a_link_to_it_finds_the_tree(self):
        (self.folder / "link").symlink_to(self.tree / "run")
        process = subprocess.run([self.folder / "link"], check=False, capture_output=True)
        self.assertEqual(process.returncode, 7)

    def test_a_changed_file_is_built_anew(self):
        self.launch()
        (self.tree / "cli" / "main.c").write_text(PROGRAM.replace("return 7", "return 8"))
        self.assertEqual(self.launch().returncode, 8)

    def test_a_moved_tree_is_built_anew(self):
        self.launch()
        self.tree = self.tree.rename(self.folder / "moved")
        process = self.launch("x")
        self.assertEqual((process.returncode, process.stderr), (7, ""))

    def test_what_does_not_build_is_shown_and_fails(self):
        self.launch()
        (self.tree / "cli" / "main.c").write_text("#error told so\n")
        process = self.launch()
        self.assertEqual((process.returncode, process.stdout), (1, ""))
        self.assertIn("told so", process.stderr)

    def test_two_at_once(self):
        processes = [subprocess.Popen([self.tree / "run"], stdout=subprocess.DEVNULL) for _ in range(3)]
        self.assertEqual([process.wait() for process in processes], [7, 7, 7])


class Packages(unittest.TestCase):
    """packages_install with a PATH on which little is found."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="eddy-packages-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for name in ("bash", "env", "mktemp", "tail", "rm", "cat", "ln"):
            (self.folder / name).symlink_to(shutil.which(name))
        self.log = self.folder / "log"

    def script(self, name, text):
        path = self.folder / name
        path.write_text(f"#!{shutil.which('bash')}\n{text}\n")
        path.chmod(0o755)

    def install(self, *wanted, uid=0):
        self.script("id", f"echo {uid}")
        return subprocess.run(
            ["bash", "-uc", '. "$0"; packages_install me "$@"', ROOT / "tools" / "packages.sh", *wanted],
            capture_output=True, text=True, check=False, env={**os.environ, "PATH": str(self.folder)})

    def pretend_apt(self, result="true"):
        self.script("apt-get", f'echo "apt-get $*" >>"{self.log}"; case $* in *install*) {result} ;; esac')

    def test_nothing_is_missing(self):
        process = self.install("coreutils=cat")
        self.assertEqual((process.returncode, process.stderr), (0, ""))

    def test_root_installs_what_is_missing_only(self):
        self.pretend_apt(f'ln -s cat "{self.folder}/tool"')
        process = self.install("coreutils=cat", "tool-package=tool")
        self.assertEqual(process.returncode, 0)
        self.assertEqual(process.stderr, "me: installing with apt-get: tool-package \n")
        self.assertEqual(self.log.read_text().splitlines(), [
            "apt-get -q update", "apt-get -qy install --no-install-recommends tool-package"])

    def test_a_probe_may_be_a_file(self):
        self.pretend_apt(f'echo >"{self.folder}/header-1.h"')
        process = self.install(f"header={self.folder}/header-*.h")
        self.assertEqual(process.returncode, 0)
        self.assertEqual(self.install(f"header={self.folder}/header-*.h").stderr, "")

    def test_another_user_goes_by_sudo(self):
        self.pretend_apt(f'ln -s cat "{self.folder}/tool"')
        self.script("sudo", f'echo sudo >>"{self.log}"; exec "$@"')
        process = self.install("tool-package=tool", uid=1000)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(process.stderr, "me: installing with sudo apt-get: tool-package \n")
        self.assertEqual(self.log.read_text().splitlines()[0], "sudo")

    def test_another_user_without_sudo_is_told(self):
        self.pretend_apt()
        process = self.install("tool-package=tool", uid=1000)
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("takes root or sudo: tool-package", process.stderr)
        self.assertFalse(self.log.exists())

    def test_no_apt_get_is_told(self):
        process = self.install("tool-package=tool")
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("no apt-get to install them: tool-package", process.stderr)

    def test_a_failure_is_shown(self):
        self.pretend_apt("echo E: no such package; exit 100")
        process = self.install("tool-package=tool")
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("E: no such package", process.stderr)
        self.assertIn("could not install: tool-package", process.stderr)

    def test_installed_and_still_missing_is_told(self):
        self.pretend_apt()
        process = self.install("tool-package=tool")
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("still not found: tool-package", process.stderr)


if __name__ == "__main__":
    tap.main()
