# SPDX-License-Identifier: MIT
"""What the tests of the examples share: running one in a folder of its own, and knowing when it waits."""

import fcntl
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

ROOT = pathlib.Path(os.environ["EDDY_SOURCE_ROOT"])
sys.path.insert(0, str(ROOT / "tests" / "tools"))

import tap  # noqa: E402, F401 (the path comes first; for the tests)

EXAMPLES = pathlib.Path(os.environ["EDDY_BUILD_ROOT"]) / "examples"
PATIENCE = 60
CANCELLED = "operation was cancelled"


def wait_until(what, holds):
    """Waits for what another process will do."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE} seconds: {what}")
        time.sleep(0.0005)


def status_of(process):
    """What /proc tells of a process; nothing when it has ended."""
    try:
        lines = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


def catches_interrupts(process):
    return int(status_of(process).get("SigCgt", "0"), 16) & 1 << (signal.SIGINT - 1) != 0


def tcp_sockets(port):
    """The TCP sockets of this machine whose peer has that port: (state, bytes to be sent, bytes to be read)."""
    for line in pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, _, remote, state, queues = line.split()[:5]
        if int(remote.split(":")[1], 16) == port:
            yield (int(state, 16), *(int(queue, 16) for queue in queues.split(":")))


class Peer:
    """Somebody to connect to, with the file that has his address."""

    SYN_SENT = 2
    NOT_THERE = (1, 4)  # ESTABLISHED, FIN_WAIT_1

    def __init__(self, path, backlog=8):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=backlog)
        self.listener.settimeout(PATIENCE)
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        path.write_text(f"{self.address}\n", encoding="ascii")
        self.others = []

    def close(self):
        for other in (*self.others, self.listener):
            other.close()

    def accept(self):
        other = self.listener.accept()[0]
        other.settimeout(PATIENCE)
        self.others.append(other)
        return other

    def become_deaf(self):
        """From now on whoever connects waits: the queue of a listener with a backlog of 0 is full with one."""
        self.others.append(socket.create_connection(("127.0.0.1", self.port)))

    def wait_for_caller(self):
        wait_until("somebody connects", lambda: any(state == self.SYN_SENT for state, *_ in tcp_sockets(self.port)))

    @staticmethod
    def wait_until_read(other):
        """Waits until what was sent has been read."""
        ours, theirs = other.getsockname()[1], other.getpeername()[1]
        wait_until("all is read", lambda: all(waiting == [0, 0] for port in (ours, theirs)
                                              for _, *waiting in tcp_sockets(port)))

    @classmethod
    def end(cls, other):
        """Sends no more, and waits until the end has come there: that wakes who waits for it."""
        theirs = other.getpeername()[1]
        other.shutdown(socket.SHUT_WR)
        wait_until("the end has come", lambda: not any(state in cls.NOT_THERE for state, *_ in tcp_sockets(theirs)))


class Example(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="eddy-example-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def start(self, name, *arguments, stdin=subprocess.DEVNULL):
        process = subprocess.Popen([EXAMPLES / name, *arguments], cwd=self.folder, stdin=stdin,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.kill)
        return process

    def end(self, process):
        """What a process has said at its end: exit status, standard output, standard error."""
        said, complaint = process.communicate(timeout=PATIENCE)
        return process.returncode, said, complaint

    def run_example(self, name, *arguments):
        return self.end(self.start(name, *arguments))

    def start_server(self, name, *arguments):
        """A server, and the first of the addresses that it says it listens on."""
        process = self.start(name, *arguments)
        line = ""
        while not line.endswith("\n"):  # byte by byte: what comes behind it is for end()
            byte = os.read(process.stdout.fileno(), 1).decode()
            if byte == "":
                raise AssertionError(f"{name} does not listen: {self.end(process)}")
            line += byte
        return process, line.removeprefix("listening on ").rstrip("\n")

    def interrupt(self, process):
        """Ctrl-C, once the program is ready for it."""
        wait_until("it catches SIGINT", lambda: process.poll() is not None or catches_interrupts(process))
        process.send_signal(signal.SIGINT)

    def make_peer(self, name, backlog=8):
        """A peer, whose address is in a file of that name."""
        peer = Peer(self.folder / name, backlog)
        self.addCleanup(peer.close)
        return peer

    def open_door(self, name):
        """The other end of a fifo, once a program has its own open."""
        opened = []

        def try_open():
            try:
                opened.append(os.open(self.folder / name, os.O_WRONLY | os.O_NONBLOCK))
            except OSError:
                return False
            return True

        wait_until(f"{name} is opened", try_open)
        return os.fdopen(opened[0], "wb", buffering=0)

    def drained(self, process, name, writer):
        """Waits until what was written to a fifo has been read."""

        def is_empty():
            left = fcntl.ioctl(writer.fileno(), termios.FIONREAD, struct.pack("i", 0))
            return struct.unpack("i", left)[0] == 0 or process.poll() is not None

        wait_until(f"{name} is empty", is_empty)
