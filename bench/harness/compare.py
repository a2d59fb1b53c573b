# SPDX-License-Identifier: MIT
"""Whether a copy is one: compares what was copied with its source, entry by entry."""

import os
import stat
import subprocess


class Entry:
    """What is remembered of one file, folder or link."""

    __slots__ = ("kind", "mode", "size", "mtime_ns", "target", "file", "xattrs")

    def __init__(self, path):
        status = os.lstat(path)
        self.kind = stat.S_IFMT(status.st_mode)
        self.mode = stat.S_IMODE(status.st_mode)
        self.size = 0 if self.kind == stat.S_IFDIR else status.st_size
        self.mtime_ns = status.st_mtime_ns
        self.target = os.readlink(path) if self.kind == stat.S_IFLNK else None
        self.file = status.st_ino if self.kind == stat.S_IFREG and status.st_nlink > 1 else None
        self.xattrs = read_xattrs(path)


def read_xattrs(path):
    """User attributes only: the others belong to the system, and differ with its policy."""
    try:
        names = [name for name in os.listxattr(path, follow_symlinks=False)
                 if name.startswith("user.")]
        return {name: os.getxattr(path, name, follow_symlinks=False) for name in names} or None
    except OSError:
        return None


def snapshot(root):
    """All entries below root by their relative path; the root itself is '.'."""
    entries = {b".": Entry(root)}
    if not os.path.isdir(root):
        return entries
    prefix = len(os.fsencode(root)) + 1
    folders = [os.fsencode(root)]
    while folders:
        with os.scandir(folders.pop()) as listing:
            for item in listing:
                entries[item.path[prefix:]] = Entry(item.path)
                if item.is_dir(follow_symlinks=False):
                    folders.append(item.path)
    return entries


def link_sets(entries):
    """Which names are one file: the set of sets of names."""
    names = {}
    for path, entry in entries.items():
        if entry.file is not None:
            names.setdefault(entry.file, set()).add(path)
    return {frozenset(group) for group in names.values() if len(group) > 1}


def mtime_slack_ns(keeps, is_link):
    """How far off a time may be. Two microseconds for those who count in microseconds: libuv passes
    times as doubles, whose steps are a quarter of one today, and then cuts them off."""
    if "mtime" in keeps:
        return 0
    if "mtime-us" in keeps or ("file-mtime-us" in keeps and not is_link):
        return 2_000
    return float("inf")


def entry_difference(entry, copy, keeps, umask):
    """The first thing in which two entries differ, or None."""
    for field in ("kind", "size", "target"):
        if getattr(entry, field) != getattr(copy, field):
            return f"{field} {getattr(copy, field)}, not {getattr(entry, field)}"
    is_link = entry.kind == stat.S_IFLNK
    mode = entry.mode & ~umask if "umode" in keeps else entry.mode
    if keeps & {"mode", "umode"} and not is_link and copy.mode != mode:
        return f"mode {copy.mode:o}, not {mode:o}"
    if abs(entry.mtime_ns - copy.mtime_ns) > mtime_slack_ns(keeps, is_link):
        return f"mtime {copy.mtime_ns}, not {entry.mtime_ns}"
    if "xattr" in keeps and entry.xattrs != copy.xattrs:
        return f"attributes {copy.xattrs}, not {entry.xattrs}"
    return None


def difference(source, copy, keeps, umask):
    """The first difference between two snapshots in words, or None when the copy kept its promises."""
    if source.keys() != copy.keys():
        odd = min(source.keys() ^ copy.keys())
        return (f"{len(copy)} entries, not {len(source)}: "
                f"{'missing' if odd in source else 'unknown'} {os.fsdecode(odd)}")
    for path, entry in source.items():
        found = entry_difference(entry, copy[path], keeps, umask)
        if found:
            return f"{os.fsdecode(path)}: {found}"
    if "links" in keeps and link_sets(source) != link_sets(copy):
        return f"{len(link_sets(copy))} sets of hard links, not {len(link_sets(source))}"
    return None


def content_difference(source, copy):
    """Compares every byte (-q: it need not show them). Slow, so only in the warm-up; sizes and times
    are compared every time."""
    done = subprocess.run(["diff", "-rq", "--no-dereference", source, copy], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode == 0:
        return None
    lines = done.stdout.decode(errors="replace").splitlines()
    return f"diff: {lines[0] if lines else done.returncode}"
