# SPDX-License-Identifier: MIT
"""What the tests of the eddy command share: running it, making trees, and comparing them."""

import filecmp
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(os.environ["EDDY_SOURCE_ROOT"])
CLI = pathlib.Path(os.environ["EDDY_CLI"])
BUILD = pathlib.Path(os.environ["EDDY_BUILD_ROOT"])
DENY_URING = BUILD / "tests" / "support" / "deny-uring"
CHECKED = BUILD / "tests" / "cli" / "eddy-checked"
IS_SANITIZED = os.environ.get("EDDY_SANITIZED") == "1"
NOBODY = 65534

sys.path.insert(0, str(ROOT / "tests" / "tools"))

import tap  # noqa: E402, F401 (the path comes first; for the tests)

# ThreadSanitizer waits for a second at each exit, in case something is still to be found.
os.environ["TSAN_OPTIONS"] = os.environ.get("TSAN_OPTIONS", "second_deadlock_stack=1") + ":atexit_sleep_ms=0"

# Signals that a shell has told a background job to ignore would be ignored by eddy, too: with a
# handler of ours here, its children begin with the default.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def reduced(full, small, what):
    """The full count, or under sanitizers the small one, which the output then says."""
    if IS_SANITIZED:
        print(f"# reduced: {what}: {small} instead of {full}", flush=True)
        return small
    return full


def escape(path):
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def memory_place():
    """A folder in memory with room for our trees, or None."""
    try:
        status = os.statvfs("/dev/shm")
    except OSError:
        return None
    has_room = status.f_bavail * status.f_frsize > 1 << 30
    return "/dev/shm" if has_room and os.access("/dev/shm", os.W_OK) else None


class CliTest(unittest.TestCase):
    """A test with a folder of its own, removed at its end."""

    in_memory = False       # where there is much to write, or times matter

    def setUp(self):
        place = memory_place() if self.in_memory else None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="eddy-cli-", dir=place))
        self.addCleanup(self.remove_folder)
        self.source = self.folder / "source"
        self.copy = self.folder / "copy"

    def remove_folder(self):
        subprocess.run(["chmod", "-R", "u+rwX", str(self.folder)], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def eddy(self, *arguments, program=CLI, prefix=(), environment=None, **options):
        command = [*prefix, program, *arguments]
        return subprocess.run([os.fspath(word) for word in command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120,
                              env={**os.environ, **(environment or {})}, **options)

    def copied(self, *arguments, status=0, **options):
        """Runs `eddy copy --quiet`, which must exit with `status`; returns the lines of stderr."""
        done = self.eddy("copy", "--quiet", *arguments, **options)
        text = done.stderr.decode(errors="backslashreplace")
        self.assertEqual(done.returncode, status, text)
        self.assertEqual(done.stdout, b"")
        if status == 0:
            self.assertEqual(text, "")
        return text.splitlines()

    def assert_same_tree(self, source, copy, owners=None):
        """By the system's diff, and by a checker of our own for all that diff does not see."""
        is_folder = os.path.isdir(source)
        if is_folder:
            diff = subprocess.run(["diff", "-r", "--no-dereference", source, copy], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            # It does not compare fifos, and says so.
            self.assertEqual([line for line in diff.stdout.decode(errors="replace").splitlines()
                              if "is a fifo while" not in line], [])
        owners = os.geteuid() == 0 if owners is None else owners
        wrong = compare_trees(os.fsencode(source), os.fsencode(copy), owners, contents=not is_folder)
        self.assertEqual(wrong, [], "\n".join(wrong[:20]))


# ---- comparing


def tree_of(root):
    """{relative path: lstat} of everything below and the root itself."""
    found = {b"": os.lstat(root)}
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, root)] = os.lstat(path)
    return found


def attributes_of(path):
    return {name: os.getxattr(path, name, follow_symlinks=False)
            for name in os.listxattr(path, follow_symlinks=False)}


def link_groups(tree):
    """The sets of names that are one file."""
    groups = {}
    for path, status in tree.items():
        if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            groups.setdefault((status.st_dev, status.st_ino), set()).add(path)
    return sorted(sorted(group) for group in groups.values() if len(group) > 1)


def compare_file(source, copy, was, now, owners, contents):
    """Yields what differs between two files of one name."""
    if was.st_mode != now.st_mode:
        yield f"mode {was.st_mode:o}, copy {now.st_mode:o}"
    if was.st_mtime_ns != now.st_mtime_ns:
        yield f"time {was.st_mtime_ns}, copy {now.st_mtime_ns}"
    if owners and (was.st_uid, was.st_gid) != (now.st_uid, now.st_gid):
        yield f"owner {was.st_uid}:{was.st_gid}, copy {now.st_uid}:{now.st_gid}"
    if attributes_of(source) != attributes_of(copy):
        yield f"attributes {attributes_of(source)}, copy {attributes_of(copy)}"
    if stat.S_ISLNK(was.st_mode) and os.readlink(source) != os.readlink(copy):
        yield f"link to {os.readlink(source)}, copy to {os.readlink(copy)}"
    if stat.S_ISREG(was.st_mode):
        if was.st_size != now.st_size:
            yield f"size {was.st_size}, copy {now.st_size}"
        # Holes stay holes: a little more may be allocated, by blocks of another file system.
        elif now.st_blocks * 512 > was.st_blocks * 512 + 65536:
            yield f"storage {was.st_blocks * 512}, copy {now.st_blocks * 512}"
        elif contents and not filecmp.cmp(source, copy, shallow=False):
            yield "contents"


def compare_trees(source, copy, owners, contents):
    was, now = tree_of(source), tree_of(copy)
    wrong = [f"missing {escape(path)}" for path in was.keys() - now.keys()]
    wrong += [f"unexpected {escape(path)}" for path in now.keys() - was.keys()]
    for path in was.keys() & now.keys():
        # The root is b"", which would be joined as a slash.
        names = [os.path.join(root, path) if path else root for root in (source, copy)]
        for what in compare_file(*names, was[path], now[path], owners, contents):
            wrong.append(f"{escape(path) or '.'}: {what}")
    if link_groups(was) != link_groups(now):
        wrong.append(f"hard links {link_groups(was)[:5]}, copy {link_groups(now)[:5]}")
    return wrong


# ---- making


def make_file(path, contents=b"", mode=0o644, mtime_ns=None):
    path.write_bytes(contents)
    path.chmod(mode)
    if mtime_ns is not None:
        os.utime(path, ns=(mtime_ns, mtime_ns))
    return path


def set_attribute(path, name="user.eddy", value=b"a value"):
    """Whether the file system takes it."""
    try:
        os.setxattr(path, name, value, follow_symlinks=False)
    except OSError:
        return False
    return True


def make_varied_tree(root):
    """A tree with one of each: what a copy can get wrong."""
    root.mkdir()
    for number in range(40):
        make_file(root / f"plain-{number}", os.urandom(number * 997), mtime_ns=10**18 + number)
    (root / "empty-folder").mkdir()
    deep = root / "a" / "b" / "c" / "d"
    deep.mkdir(parents=True)
    make_file(deep / "set-id", b"#!/bin/sh\n", 0o4755)
    make_file(deep / "unreadable-to-most", b"secret", 0o600)
    make_file(deep / "read-only", b"constant", 0o444)
    make_file(root / "with-attributes", b"x")
    set_attribute(root / "with-attributes")
    set_attribute(deep)
    os.link(deep / "read-only", root / "second-name")
    os.link(deep / "read-only", root / "a" / "third-name")
    os.link(root / "plain-3", deep / "second-name")
    os.symlink("plain-1", root / "link")
    os.symlink("nowhere", root / "dangling")
    os.symlink("a/b", root / "link-to-folder")
    os.link(root / "dangling", root / "dangling-second-name", follow_symlinks=False)
    os.mkfifo(root / "fifo", 0o640)
    with open(root / "sparse", "wb") as file:
        file.seek(3 << 20)
        file.write(b"an island")
        file.truncate(9 << 20)
    if os.geteuid() == 0:
        os.chown(root / "plain-7", 1234, 4321)
        os.chown(root / "link", 1234, 4321, follow_symlinks=False)
        os.chown(root / "a" / "b", 77, 88)
    deep.chmod(0o555)
    (root / "a").chmod(0o1777)
    for path in [root / "link", root / "fifo", deep, root / "a" / "b", root / "a", root / "empty-folder", root]:
        os.utime(path, ns=(10**18 + 5, 10**18 + 123456789), follow_symlinks=False)


def make_portable_cli(folder):
    """The command where nobody may run it too: its own place may be private to somebody."""
    place = folder / "portable"
    place.mkdir(mode=0o755)
    shutil.copy(CLI, place / "eddy")
    for library in (BUILD / "src").glob("libeddy.so*"):
        if library.is_file():
            shutil.copy(library, place / library.name)
    return place / "eddy", {"LD_LIBRARY_PATH": str(place)}


def as_nobody():
    """For subprocess: who is not stopped by permissions becomes somebody who is."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
