#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""eddy copy: what is copied, where to, and what is refused."""

import os
import socket
import stat
import time

import cli
from cli import make_file, tap


class Trees(cli.CliTest):
    def test_varied_tree(self):
        """a tree with one of each keeps everything"""
        cli.make_varied_tree(self.source)
        self.copied("-r", self.source, self.copy)
        self.assert_same_tree(self.source, self.copy)

    def test_varied_tree_into_folder(self):
        """into a folder, under its own name"""
        cli.make_varied_tree(self.source)
        self.copy.mkdir()
        self.copied("-r", f"{self.source}/", self.copy)
        self.assertEqual(os.listdir(self.copy), ["source"])
        self.assert_same_tree(self.source, self.copy / "source")

    def test_many_names_of_one_file(self):
        """3,000 names of two files stay two files"""
        self.source.mkdir()
        for first in ("a", "b"):
            make_file(self.source / first, first.encode() * 5000)
            for number in range(1500):
                folder = self.source / str(number % 7)
                folder.mkdir(exist_ok=True)
                os.link(self.source / first, folder / f"{first}-{number}")
        self.copied("-r", self.source, self.copy)
        self.assert_same_tree(self.source, self.copy)
        self.assertEqual(os.lstat(self.copy / "a").st_nlink, 1501)

    def test_names(self):
        """names with newlines, control characters, blanks, invalid UTF-8, the longest ones"""
        self.source.mkdir()
        names = [b"new\nline", b"tab\tand\x1b[31mred", b"\xff\xfe invalid", b" ", b"-r", b"--force", b"*?[", b"'\"\\",
                 b"n" * 255, "größer".encode(), b"\x01", b".hidden", b"..."]
        for name in names:
            make_file(self.source / os.fsdecode(name), name)
            (self.source / os.fsdecode(b"d" + name[:250])).mkdir()
            make_file(self.source / os.fsdecode(b"d" + name[:250]) / os.fsdecode(name), name * 2)
        self.copied("-r", self.source, self.copy)
        self.assert_same_tree(self.source, self.copy)
        self.copied("--", self.source / "-r", self.copy / "again")
        self.assertEqual((self.copy / "again").read_bytes(), b"-r")

    def test_large_sparse_file(self):
        """a sparse file of 5 GiB keeps its holes, and is copied fast"""
        size = 5 << 30
        with open(self.source, "wb") as file:
            for offset in (0, 1 << 30, size - 4096):
                file.seek(offset)
                file.write(b"%20d" % offset)
            file.truncate(size)
        began = time.monotonic()
        self.copied(self.source, self.copy)
        self.assertLess(time.monotonic() - began, 20)
        status = os.stat(self.copy)
        self.assertEqual(status.st_size, size)
        self.assertLess(status.st_blocks * 512, 1 << 20)
        with open(self.copy, "rb") as file:
            for offset in (0, 1 << 30, size - 4096):
                file.seek(offset)
                self.assertEqual(file.read(20), b"%20d" % offset)


class LargeTrees(cli.CliTest):
    in_memory = True

    def test_usr_include(self):
        """the whole of /usr/include"""
        self.copied("-r", "/usr/include", self.copy)
        self.assert_same_tree("/usr/include", self.copy)

    def test_many_files_in_one_folder(self):
        """10,000 files in one folder"""
        self.source.mkdir()
        count = cli.reduced(10000, 2000, "files in one folder")
        for number in range(count):
            make_file(self.source / f"file-{number}", b"%d" % number)
        self.copied("-r", self.source, self.copy)
        self.assertEqual(len(os.listdir(self.copy)), count)
        self.assert_same_tree(self.source, self.copy)

    def test_deep_tree(self):
        """600 folders within one another"""
        self.source.mkdir()
        deep = self.source
        for _ in range(600):
            deep /= "d"
        os.makedirs(deep)
        make_file(deep / "bottom", b"bottom")
        self.copied("-r", self.source, self.copy)
        self.assert_same_tree(self.source, self.copy)


class Destinations(cli.CliTest):
    def setUp(self):
        super().setUp()
        make_file(self.source, b"new", mtime_ns=10**18)

    def test_new_name(self):
        """a file to a new name"""
        self.copied(self.source, self.copy)
        self.assert_same_tree(self.source, self.copy)

    def test_existing_file(self):
        """an existing file: an error, replaced with --force, passed over with --no-clobber"""
        make_file(self.copy, b"old")
        said = self.copied(self.source, self.copy, status=1)
        self.assertEqual(said, [f"eddy copy: {self.copy}: File exists"])
        self.assertEqual(self.copy.read_bytes(), b"old")
        self.copied("--no-clobber", self.source, self.copy)
        self.assertEqual(self.copy.read_bytes(), b"old")
        self.copied("--force", self.source, self.copy)
        self.assert_same_tree(self.source, self.copy)
        self.assertEqual(sorted(os.listdir(self.folder)), ["copy", "source"])

    def test_several_into_folder(self):
        """several sources into a folder"""
        self.copy.mkdir()
        other = make_file(self.folder / "other", b"other")
        self.copied(self.source, other, self.copy)
        self.assertEqual(sorted(os.listdir(self.copy)), ["other", "source"])

    def test_several_need_a_folder(self):
        """several sources and no folder"""
        other = make_file(self.folder / "other")
        said = self.copied(self.source, other, self.copy, status=1)
        self.assertEqual(said, [f"eddy copy: {self.copy}: No such file or directory"])
        said = self.copied(self.source, other, other, status=1)
        self.assertEqual(said, [f"eddy copy: {other}: Not a directory"])

    def test_missing_source(self):
        """what is missing is told, the rest is copied"""
        self.copy.mkdir()
        said = self.copied(self.folder / "missing", self.source, self.copy, status=1)
        self.assertEqual(said, [f"eddy copy: {self.folder}/missing: No such file or directory"])
        self.assertEqual(os.listdir(self.copy), ["source"])

    def test_folder_needs_r(self):
        """a folder without -r"""
        folder = self.folder / "a-folder"
        folder.mkdir()
        said = self.copied(folder, self.copy, status=1)
        self.assertEqual(said, [f"eddy copy: {folder}: is a folder (use -r)"])
        self.assertFalse(self.copy.exists())

    def test_same_file(self):
        """a file onto itself, under another name and by a link"""
        second = self.folder / "second"
        os.link(self.source, second)
        for flags in ([], ["--force"]):
            for copy in (self.source, second):
                said = self.copied(*flags, self.source, copy, status=1)
                self.assertEqual(len(said), 1, said)
                self.assertEqual(self.source.read_bytes(), b"new")

    def test_symbolic_link_itself(self):
        """a symbolic link on the command line is copied itself"""
        link = self.folder / "link"
        os.symlink("source", link)
        self.copied("-r", link, self.copy)
        self.assertEqual(os.readlink(self.copy), "source")

    def test_destination_by_symbolic_link(self):
        """a symbolic link to a folder is a destination"""
        (self.folder / "folder").mkdir()
        os.symlink("folder", self.copy)
        self.copied(self.source, self.copy)
        self.assertEqual(os.listdir(self.folder / "folder"), ["source"])

    def test_same_name_twice(self):
        """two sources of one name: the second one is an error, also with --force"""
        for place in ("a", "b"):
            (self.folder / place).mkdir()
            make_file(self.folder / place / "name", place.encode())
        sources = [self.folder / "a/name", self.folder / "b/name"]
        for flags, message in (([], "File exists"), (["--force"], "was made by this same copy, not replaced")):
            copy = self.folder / f"copy{len(flags)}"
            copy.mkdir()
            said = self.copied(*flags, *sources, copy, status=1)
            self.assertEqual(said, [f"eddy copy: {copy}/name: {message}"])
            self.assertIn((copy / "name").read_bytes(), (b"a", b"b"))
        copy = self.folder / "copy2"
        copy.mkdir()
        self.copied("--no-clobber", *sources, copy)
        self.assertEqual(os.listdir(copy), ["name"])


class Merging(cli.CliTest):
    def setUp(self):
        super().setUp()
        cli.make_varied_tree(self.source)
        self.copied("-r", self.source, self.copy)

    def test_again(self):
        """a second time: each file exists, nothing changes"""
        into = self.folder / "into"
        into.mkdir()
        self.copied("-r", self.source, into)
        said = self.copied("-r", self.source, into, status=1)
        n_files = sum(not stat.S_ISDIR(status.st_mode)
                      for status in cli.tree_of(os.fsencode(self.source)).values())
        self.assertEqual(len(said), n_files)
        self.assertTrue(all(line.endswith(": File exists") for line in said), said[:5])
        self.assert_same_tree(self.source, into / "source")
        self.copied("-r", "--no-clobber", self.source, into)
        self.assert_same_tree(self.source, into / "source")

    def test_force_replaces(self):
        """--force replaces, hard links included; what is only there stays"""
        into = self.folder / "into"
        into.mkdir()
        self.copied("-r", self.source, into)
        for name in ("plain-5", "second-name", "sparse"):
            make_file(into / "source" / name, b"changed")
        (into / "source" / "link").unlink()
        make_file(into / "source" / "link", b"no link")
        self.copied("-r", "--force", self.source, into)
        self.assert_same_tree(self.source, into / "source")
        make_file(into / "source" / "extra", b"extra")
        self.copied("-r", "--force", self.source, into)
        self.assertEqual((into / "source" / "extra").read_bytes(), b"extra")

    def test_dot_merges_into_destination(self):
        """SOURCE/. merges into DESTINATION itself, by a symbolic link too"""
        (self.copy / "plain-1").unlink()
        os.symlink("copy", self.folder / "by-link")
        self.copied("-r", "--no-clobber", f"{self.source}/.", self.folder / "by-link")
        self.assert_same_tree(self.source, self.copy)
        self.assertTrue((self.folder / "by-link").is_symlink())

    def test_file_in_the_way_of_a_folder(self):
        """a file in a folder's place, and a folder in a file's"""
        into = self.folder / "into"
        (into / "source" / "plain-1").mkdir(parents=True)
        make_file(into / "source" / "a", b"a file")
        for flags in ([], ["--force"], ["--no-clobber"]):
            said = self.copied("-r", *flags, self.source, into, status=1)
            self.assertIn(f"eddy copy: {into}/source/a: File exists", said)
            self.assertTrue(any(f"{into}/source/plain-1:" in line for line in said), said)
        self.assertEqual((into / "source" / "a").read_bytes(), b"a file")
        self.assertEqual((into / "source" / "plain-2").read_bytes(), (self.source / "plain-2").read_bytes())

    def test_link_in_the_way_of_a_folder(self):
        """a symbolic link to a folder, in a folder's place, is not followed"""
        outside = self.folder / "outside"
        outside.mkdir()
        into = self.folder / "into"
        (into / "source").mkdir(parents=True)
        os.symlink(outside, into / "source" / "a")
        said = self.copied("-r", "--force", self.source, into, status=1)
        self.assertEqual(said, [f"eddy copy: {into}/source/a: File exists"])
        self.assertEqual(os.listdir(outside), [])

    def test_two_sources_merge(self):
        """two sources of one name merge; --force does not replace what was just made"""
        other = self.folder / "other" / "source"
        other.mkdir(parents=True)
        make_file(other / "more", b"more")
        make_file(other / "plain-1", b"other")
        into = self.folder / "into"
        into.mkdir()
        said = self.copied("-r", "--force", self.source, other, into, status=1)
        self.assertEqual(said, [f"eddy copy: {into}/source/plain-1: was made by this same copy, not replaced"])
        self.assertEqual((into / "source" / "more").read_bytes(), b"more")


class IntoItself(cli.CliTest):
    def setUp(self):
        super().setUp()
        (self.source / "inner" / "deep").mkdir(parents=True)
        make_file(self.source / "file", b"x")

    def check_refused(self, *arguments, message="cannot be copied into itself", **options):
        before = sorted(cli.tree_of(os.fsencode(self.folder)))
        said = self.copied("-r", *arguments, status=1, **options)
        self.assertEqual(len(said), 1, said)
        self.assertIn(message, said[0])
        self.assertEqual(sorted(cli.tree_of(os.fsencode(self.folder))), before)

    def test_into_itself(self):
        """a folder into itself, and into a folder of its own"""
        self.check_refused(self.source, self.source)
        self.check_refused(self.source, self.source / "inner" / "deep")
        self.check_refused(self.source, self.source / "new")
        self.check_refused(self.source, self.source / "inner" / "new")
        self.check_refused(".", "inner", cwd=self.source)
        self.check_refused(".", "new", cwd=self.source)
        self.check_refused("../..", ".", cwd=self.source / "inner")

    def test_through_symbolic_links(self):
        """the same through symbolic links"""
        link = self.folder / "link"
        os.symlink(self.source / "inner", link)
        self.check_refused(self.source, link)
        self.check_refused(self.source, link / "new")
        os.symlink(self.folder, self.source / "up")
        self.check_refused(self.source, self.source / "up" / "source" / "inner")

    def test_onto_itself(self):
        """a folder onto itself"""
        self.check_refused(self.source, self.folder, message="is the same folder as its copy would be")
        self.check_refused(f"{self.source}/.", self.source)

    def test_beside_with_longer_name(self):
        """a name that begins alike is no folder within"""
        self.copied("-r", self.source, self.folder / "source-copy")
        self.assert_same_tree(self.source, self.folder / "source-copy")


class Special(cli.CliTest):
    def test_sockets(self):
        """sockets are reported and left out, the rest is copied"""
        self.source.mkdir()
        make_file(self.source / "file", b"x")
        with socket.socket(socket.AF_UNIX) as bound:
            # Its whole path is too long for an address.
            folder = os.open(self.source, os.O_RDONLY)
            bound.bind(f"/proc/self/fd/{folder}/socket")
            os.close(folder)
            said = self.copied("-r", self.source, self.copy, status=1)
        self.assertEqual(said, [f"eddy copy: {self.source}/socket: is a socket, left out"])
        self.assertEqual(os.listdir(self.copy), ["file"])

    def test_devices(self):
        """devices are reported and left out"""
        said = self.copied("/dev/null", self.copy, status=1)
        self.assertEqual(said, ["eddy copy: /dev/null: is a device, left out"])
        self.assertFalse(self.copy.exists())

    def test_fifo(self):
        """a fifo becomes a fifo, and nobody waits for a peer"""
        os.mkfifo(self.source, 0o620)
        self.copied(self.source, self.copy)
        self.assert_same_tree(self.source, self.copy)


if __name__ == "__main__":
    tap.main()
