# SPDX-License-Identifier: MIT
"""What is copied, read and removed: a tree of small files and large files, made anew for each run, on
tmpfs or on the disk.

The tree imitates a folder of headers and sources: 42,000 files of 10 KB in the mean (log-normal,
median 4.5 KB, up to 200 KB, 3 % empty) in 2,400 folders, with varied modes and times, symbolic
links (some dangling), hard links and a few extended attributes. Seeded: the same on each machine.
"""

import errno
import os
import random

SEED = 20240229
FOLDERS = 2_400
FILES = 42_000
SYMBOLIC_LINKS = 600
HARD_LINKS = 300
ATTRIBUTED_FILES = 200

MEDIAN_SIZE = 4_500
SIZE_SIGMA = 1.25
LARGEST_SIZE = 200 * 1024
EMPTY_SHARE = 0.03
BIG_SIZE = 2 << 30

LARGE_SIZE = 64 << 20
BLOCK_SIZE = 4096
BLOCKS_SIZE = 512 << 20

# Room that a run of each kind needs: the source, one copy where there is one, and some air.
NEEDED = {"tree": 1_300 << 20, "big": (2 * BIG_SIZE) + (256 << 20), "disk_tree": 1_300 << 20,
          "disk_large": 2 * LARGE_SIZE, "disk_blocks": BLOCKS_SIZE + (128 << 20)}

FILE_MODES = [0o644] * 12 + [0o664, 0o600, 0o640, 0o755, 0o755, 0o444]
FOLDER_MODES = [0o755] * 8 + [0o775, 0o750, 0o700]
OLDEST_NS = 1_000_000_000 * 10**9
NEWEST_NS = 1_700_000_000 * 10**9
DEEPEST = 8
EXTENSIONS = [".h", ".h", ".h", ".c", ".c", ".hpp", ".py", ".txt", ".xml", ""]


class WorkloadError(Exception):
    """There is no fit place for the workload."""


def mount_of(path):
    """The type of the file system that holds path, by the longest mount point above it."""
    path, best, kind = os.path.realpath(path), "", "unknown"
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
        for line in mounts:
            point, mount_type = line.split()[1:3]
            above = path == point or path.startswith(point.rstrip("/") + "/")
            if above and len(point) >= len(best):
                best, kind = point, mount_type
    return kind


def available_memory():
    with open("/proc/meminfo", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0


def is_on_disk(kind):
    return kind.startswith("disk_")


def check_room(place, kinds, wants_tmpfs):
    """Refuses a place that is of the wrong kind, or where the largest of the workloads does not fit."""
    kind = mount_of(place) if os.path.isdir(place) else "missing"
    if (kind == "tmpfs") != wants_tmpfs:
        raise WorkloadError(f"{place} is {'not ' if wants_tmpfs else ''}a tmpfs ({kind}): these claims are "
                            f"measured {'in memory only' if wants_tmpfs else 'on a disk'}")
    needed = max((NEEDED[kind] for kind in kinds), default=0)
    status = os.statvfs(place)
    free = status.f_bavail * status.f_frsize
    for amount, what in ((free, f"free on {place}"), (available_memory(), "of memory available")):
        if amount < needed:
            raise WorkloadError(f"{needed >> 20} MiB are needed, but only {amount >> 20} MiB are {what}")


def make_text(rng):
    """Four megabytes of words: files are slices of it, at random places."""
    words = [bytes(rng.choices(b"abcdefghijklmnopqrstuvwxyz_", k=rng.randint(2, 11)))
             for _ in range(5_000)]
    lines = (b" ".join(rng.choices(words, k=9)) for _ in range(70_000))
    return b"\n".join(lines)[:4 << 20]


def make_folders(root, rng):
    """The folders, each in a random earlier one; what is near the root gets more, as in real trees."""
    os.mkdir(root)
    folders, depths = [root], [0]
    while len(folders) < FOLDERS:
        parent = int(len(folders) * rng.random() ** 1.5)
        if depths[parent] >= DEEPEST:
            continue
        path = f"{folders[parent]}/{rng.choice(['lib', 'bits', 'detail', 'src', 'impl'])}-{len(folders)}"
        os.mkdir(path)
        folders.append(path)
        depths.append(depths[parent] + 1)
    return folders


def file_size(rng):
    if rng.random() < EMPTY_SHARE:
        return 0
    return min(int(rng.lognormvariate(0, SIZE_SIGMA) * MEDIAN_SIZE), LARGEST_SIZE)


def make_file(path, text, rng):
    size = file_size(rng)
    start = rng.randrange(len(text) - LARGEST_SIZE)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if size:
            os.write(fd, text[start:start + size])
        os.fchmod(fd, rng.choice(FILE_MODES))
    finally:
        os.close(fd)


def make_files(folders, text, rng):
    """Most folders hold a handful of files, a few hold hundreds."""
    weights = [rng.paretovariate(1.2) for _ in folders]
    files = []
    for number, folder in enumerate(rng.choices(folders, weights=weights, k=FILES)):
        path = f"{folder}/file-{number}{rng.choice(EXTENSIONS)}"
        make_file(path, text, rng)
        files.append(path)
    return files


def make_links(folders, files, rng):
    """Symbolic links to files, to folders and to nothing; and second names of files, elsewhere."""
    links = []
    for number in range(SYMBOLIC_LINKS):
        path = f"{rng.choice(folders)}/link-{number}"
        target = rng.choice([rng.choice(files), rng.choice(folders), f"{path}-nowhere"])
        os.symlink(os.path.relpath(target, os.path.dirname(path)), path)
        links.append(path)
    for number in range(HARD_LINKS):
        os.link(rng.choice(files), f"{rng.choice(folders)}/name-{number}")
    return links


def make_attributes(files, rng):
    """User attributes, where tmpfs has them (since Linux 6.6); elsewhere nobody has to keep any."""
    for path in rng.sample(files, ATTRIBUTED_FILES):
        try:
            os.setxattr(path, "user.eddy.bench", path[-16:].encode())
        except OSError as error:
            if error.errno in (errno.ENOTSUP, errno.EPERM, errno.EACCES):
                return
            raise


def make_tree(root):
    """Makes the tree. Times come last, from the leaves up: making an entry touches its folder."""
    rng = random.Random(SEED)
    folders = make_folders(root, rng)
    files = make_files(folders, make_text(rng), rng)
    links = make_links(folders, files, rng)
    make_attributes([path for path in files if os.access(path, os.W_OK)], rng)
    for path in files + links + folders[::-1]:
        when = rng.randrange(OLDEST_NS, NEWEST_NS)
        os.utime(path, ns=(when, when), follow_symlinks=False)
    for folder in folders:
        os.chmod(folder, rng.choice(FOLDER_MODES))


def make_file_of(path, size, block_size):
    """One file without a hole: a random block, marked with its number each time."""
    block = bytearray(random.Random(SEED).randbytes(block_size))
    with open(path, "xb") as file:
        for number in range(size // block_size):
            block[:8] = number.to_bytes(8, "little")
            file.write(block)
    os.utime(path, ns=(OLDEST_NS + 123_456_789, OLDEST_NS + 123_456_789))


KINDS = {"tree": make_tree, "disk_tree": make_tree,
         "big": lambda path: make_file_of(path, BIG_SIZE, 1 << 20),
         "disk_large": lambda path: make_file_of(path, LARGE_SIZE, 1 << 20),
         "disk_blocks": lambda path: make_file_of(path, BLOCKS_SIZE, BLOCK_SIZE)}


def make(kind, path):
    KINDS[kind](path)
    if is_on_disk(kind):
        os.sync()
