#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the examples that are servers, against Python's sockets and socat; test-peer-examples.py has other peers."""

import contextlib
import hashlib
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import unittest

from example import PATIENCE, Example, status_of, tap, wait_until

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: a close is a reset


def split(address):
    host, port = address.rsplit(":", 1)
    return host.strip("[]"), int(port)


def connect(address):
    other = socket.create_connection(split(address), timeout=PATIENCE)
    other.settimeout(PATIENCE)
    return other


def read_to_end(other):
    pieces = []
    while piece := other.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def send_and_read(other, data):
    """Sends all, ends, and returns all that comes back meanwhile and afterwards."""
    def send():
        other.sendall(data)
        other.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    answer = read_to_end(other)
    sender.join()
    return answer


def is_refused(address):
    try:
        connect(address).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass  # it came between
    return False


def is_reset(other):
    """Whether the next that comes is a reset."""
    try:
        return other.recv(1) == b"" and False
    except ConnectionResetError:
        return True


def n_sockets(process):
    """How many sockets a process has open."""
    fds = f"/proc/{process.pid}/fd"
    count = 0
    for fd in os.listdir(fds):
        try:
            count += os.readlink(f"{fds}/{fd}").startswith("socket:")
        except FileNotFoundError:
            pass
    return count


class Server(Example):
    """What both servers do."""

    def exchange(self, address, size):
        data = os.urandom(size)
        with connect(address) as other:
            self.assertEqual(hashlib.sha256(send_and_read(other, data)).digest(), hashlib.sha256(data).digest())

    def exchange_many(self, address, count):
        failures = []

        def exchange_one(number):
            try:
                self.exchange(address, (number * 7919) % 100000)
            except Exception as failure:  # pylint: disable=broad-except
                failures.append(failure)

        threads = [threading.Thread(target=exchange_one, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def stop(self, process):
        """Ctrl-C, and what was said until the end."""
        self.interrupt(process)
        status, said, complaint = self.end(process)
        self.assertEqual(status, 130, complaint)
        return said, complaint


class EchoServer(Server):
    def test_echo(self):
        """echo-server: sends back what comes, on one thread and on two"""
        for threads in ((), ("-t", "2")):
            with self.subTest(threads=threads):
                process, address = self.start_server("echo-server", *threads, "127.0.0.1:0")
                self.exchange(address, 0)
                self.exchange(address, 3 << 20)
                self.exchange_many(address, 60)
                total = (3 << 20) + sum((number * 7919) % 100000 for number in range(60))
                self.assertEqual(self.stop(process), (f"62 served, 0 failed, {total} bytes\n", ""))

    def test_piece_by_piece(self):
        """echo-server: answers each piece before the next"""
        process, address = self.start_server("echo-server", "127.0.0.1:0")
        with connect(address) as other:
            for number in range(100):
                piece = b"%d\n" % number
                other.sendall(piece)
                self.assertEqual(other.recv(100), piece)
        self.stop(process)

    def test_socat(self):
        """echo-server: socat, by TCP and on a UNIX socket"""
        process, address = self.start_server("echo-server", "127.0.0.1:0")
        in_folder, path = self.start_server("echo-server", "./socket")
        self.assertEqual(path, "./socket")
        for where in (f"TCP:{address}", "UNIX-CONNECT:socket"):
            with self.subTest(where=where):
                answer = subprocess.run(["socat", "-t60", "-", where], cwd=self.folder, input=b"x" * 200000,
                                        capture_output=True, timeout=PATIENCE, check=True)
                self.assertEqual(answer.stdout, b"x" * 200000)
        self.assertEqual(self.stop(process)[0], "1 served, 0 failed, 200000 bytes\n")
        self.assertEqual(self.stop(in_folder)[0], "1 served, 0 failed, 200000 bytes\n")

    def test_name(self):
        """echo-server: listens on all addresses of a name"""
        process, address = self.start_server("echo-server", "localhost:0")
        self.exchange(address, 1000)
        self.stop(process)

    def test_at_most(self):
        """echo-server: no more connections at once than it was told; the others wait"""
        process, address = self.start_server("echo-server", "-c", "2", "127.0.0.1:0")
        others = [connect(address) for _ in range(3)]
        for other in others:
            self.addCleanup(other.close)
            other.sendall(b"hello")
        for other in others[:2]:
            self.assertEqual(other.recv(5), b"hello")
        self.assertEqual(n_sockets(process), 3)
        others[0].close()
        self.assertEqual(others[2].recv(5), b"hello")
        others[1].close()
        others[2].close()
        self.assertEqual(self.stop(process), ("3 served, 0 failed, 15 bytes\n", ""))

    def test_idle(self):
        """echo-server: a silent client is cut off"""
        process, address = self.start_server("echo-server", "-i", "1", "127.0.0.1:0")
        with connect(address) as other:
            self.assertEqual(other.recv(1), b"")
        said, complaint = self.stop(process)
        self.assertEqual(said, "0 served, 1 failed, 0 bytes\n")
        self.assertRegex(complaint, r"^echo-server: .*127\.0\.0\.1:\d+.*timed out\n$")

    def test_reset(self):
        """echo-server: a client that resets ends its own connection only"""
        process, address = self.start_server("echo-server", "127.0.0.1:0")
        with connect(address) as staying:
            leaving = connect(address)
            leaving.sendall(b"hello")
            self.assertEqual(leaving.recv(5), b"hello")
            leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            leaving.close()
            self.assertEqual(send_and_read(staying, b"hello"), b"hello")
        said, complaint = self.stop(process)
        self.assertEqual(said, "1 served, 1 failed, 10 bytes\n")
        self.assertRegex(complaint, r"^echo-server: .*127\.0\.0\.1:\d+.*: Connection reset by peer\n$")

    def test_graceful(self):
        """echo-server: at Ctrl-C accepts no more, and serves those that there are to their ends"""
        for threads in ((), ("-t", "2")):
            with self.subTest(threads=threads):
                process, address = self.start_server("echo-server", "-g", "60", *threads, "127.0.0.1:0")
                with connect(address) as other:
                    other.sendall(b"hello")
                    self.assertEqual(other.recv(5), b"hello")
                    self.interrupt(process)
                    wait_until("it does not listen", lambda where=address: is_refused(where))
                    self.assertEqual(send_and_read(other, b", world"), b", world")
                status, said, complaint = self.end(process)
                self.assertEqual((status, complaint), (130, ""))
                # Who asked whether it listens may have been one.
                self.assertRegex(said, r"^\d+ served, 0 failed, 12 bytes\n$")

    def test_grace_is_over(self):
        """echo-server: who is still there when the grace is over is cut off; at a second Ctrl-C all is"""
        for grace, status in (("1", 130), ("60", -signal.SIGINT)):
            with self.subTest(grace=grace):
                process, address = self.start_server("echo-server", "-g", grace, "127.0.0.1:0")
                with connect(address) as other:
                    other.sendall(b"hello")
                    self.assertEqual(other.recv(5), b"hello")
                    self.interrupt(process)
                    wait_until("it does not listen", lambda where=address: is_refused(where))
                    if status < 0:
                        process.send_signal(signal.SIGINT)
                    self.assertEqual(other.recv(1), b"")
                self.assertEqual(self.end(process)[0], status)

    def test_failures(self):
        """echo-server: says why it cannot listen"""
        taken = self.make_peer("address")
        for address, complaint in ((taken.address, r".*Address already in use"),
                                   ("127.0.0.1:x:y", r".*127\.0\.0\.1:x:y.*"),
                                   ("192.0.2.1:0", r".*Cannot assign requested address"),
                                   ("./no/where", r".*No such file or directory"),
                                   ("./" + 200 * "x", r"\./x{200}: too long for a socket")):
            with self.subTest(address=address):
                status, said, complained = self.run_example("echo-server", address)
                self.assertEqual((status, said), (1, ""))
                self.assertRegex(complained, rf"^echo-server: {complaint}\n$")


class TcpProxy(Server):
    def start_proxy(self, target, *options):
        return self.start_server("tcp-proxy", *options, "127.0.0.1:0", target)

    def echoing_proxy(self, *options):
        """A proxy, and its target, which is the echo server."""
        target, address = self.start_server("echo-server", "127.0.0.1:0")
        return target, *self.start_proxy(address, *options)

    def test_through(self):
        """tcp-proxy: passes on all bytes, both ways, and the end of each way"""
        _, process, address = self.echoing_proxy()
        self.exchange(address, 0)
        self.exchange(address, 3 << 20)
        self.exchange_many(address, 60)
        total = (3 << 20) + sum((number * 7919) % 100000 for number in range(60))
        self.assertEqual(self.stop(process),
                         (f"0 open, 62 ended, 0 failed; {total} bytes there, {total} back\n", ""))

    @contextlib.contextmanager
    def both_ends(self, address, target, client_first):
        """A connection through the proxy: the end that begins, and the other one."""
        with self.subTest(client_first=client_first), connect(address) as client, target.accept() as other:
            yield (client, other) if client_first else (other, client)

    def test_half_close(self):
        """tcp-proxy: an end on one side leaves the other way open, from either side"""
        target = self.make_peer("address")
        process, address = self.start_proxy(target.address)
        for client_ends in (True, False):
            with self.both_ends(address, target, client_ends) as (first, second):
                first.sendall(b"question")
                first.shutdown(socket.SHUT_WR)
                self.assertEqual(read_to_end(second), b"question")
                second.sendall(b"answer")
                self.assertEqual(first.recv(6), b"answer")
                second.shutdown(socket.SHUT_WR)
                self.assertEqual(read_to_end(first), b"")
        self.stop(process)

    def test_reset(self):
        """tcp-proxy: what is cut off on one side is cut off on the other, and does not look like an end"""
        target = self.make_peer("address")
        process, address = self.start_proxy(target.address)
        for client_resets in (True, False):
            with self.both_ends(address, target, client_resets) as (first, second):
                first.sendall(b"hello")
                self.assertEqual(second.recv(5), b"hello")
                first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                first.close()
                self.assertTrue(is_reset(second))
        said, complaint = self.stop(process)
        self.assertEqual(said, "0 open, 0 ended, 2 failed; 5 bytes there, 5 back\n")
        self.assertRegex(complaint, r"^(tcp-proxy: .*: Connection reset by peer\n){2}$")

    def test_no_target(self):
        """tcp-proxy: where there is no target, the client is told by the end, and people by a message"""
        target = self.make_peer("address")
        target.close()
        process, address = self.start_proxy(target.address)
        with connect(address) as client:
            self.assertEqual(client.recv(1), b"")
        said, complaint = self.stop(process)
        self.assertEqual(said, "0 open, 0 ended, 1 failed; 0 bytes there, 0 back\n")
        self.assertRegex(complaint, rf"^tcp-proxy: .*{re.escape(target.address)}.*: Connection refused\n$")

    def test_at_most(self):
        """tcp-proxy: no more connections at once than it was told; the others wait"""
        target = self.make_peer("address")
        process, address = self.start_proxy(target.address, "-c", "1")
        with connect(address) as first, connect(address) as second:
            second.sendall(b"second")
            with target.accept() as other:
                first.sendall(b"first")
                self.assertEqual(other.recv(6), b"first")
                self.assertEqual(n_sockets(process), 3)
                first.close()
            with target.accept() as other:
                self.assertEqual(other.recv(6), b"second")
        said, complaint = self.stop(process)
        self.assertEqual(said, "0 open, 2 ended, 0 failed; 11 bytes there, 0 back\n")
        self.assertRegex(complaint, r"^tcp-proxy: full\n")

    def test_idle(self):
        """tcp-proxy: cuts off what nothing goes through, and nothing else"""
        target = self.make_peer("address")
        process, address = self.start_proxy(target.address, "-i", "1", "-p", "1")
        with connect(address) as silent, connect(address) as busy:
            others = [target.accept() for _ in range(2)]
            silent.settimeout(0.2)
            n_sent = 0
            while True:  # one way only
                busy.sendall(b"x")
                n_sent += 1
                try:
                    silent.recv(1)
                except TimeoutError:
                    continue
                except ConnectionResetError:
                    break
                self.fail("an end that nobody sent")
            self.assertGreater(n_sent, 4)
            busy.shutdown(socket.SHUT_WR)
            received = 0
            for other in others:
                try:
                    received += len(read_to_end(other))
                except ConnectionResetError:
                    pass
                other.close()
            self.assertEqual(received, n_sent)
        said, complaint = self.stop(process)
        self.assertIn("2 open, 0 ended, 0 failed; 0 bytes there, 0 back\n", said)
        self.assertRegex(said.splitlines()[-1], rf"^0 open, 1 ended, 1 failed; {n_sent} bytes there, 0 back$")
        self.assertRegex(complaint, r"^tcp-proxy: .*idle.*\n$")

    def test_never_reading(self):
        """tcp-proxy: what a target does not read is not read either; nobody's memory grows"""
        target = self.make_peer("address")
        process, address = self.start_proxy(target.address)
        with connect(address) as client, target.accept() as other:
            client.setblocking(False)
            n_sent = 0
            misses = 0
            while misses < 20:
                try:
                    n_sent += client.send(bytes(1 << 16))
                    misses = 0
                except BlockingIOError:
                    misses += 1
                    threading.Event().wait(0.005)
            self.assertLess(int(status_of(process)["VmRSS"].split()[0]), 40 << 10)
            client.settimeout(PATIENCE)
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(len(read_to_end(other)), n_sent)
        self.stop(process)

    def test_graceful(self):
        """tcp-proxy: at Ctrl-C accepts no more, and lets those that there are come to their ends"""
        target, process, address = self.echoing_proxy("-g", "60")
        with connect(address) as client:
            client.sendall(b"hello")
            self.assertEqual(client.recv(5), b"hello")
            self.interrupt(process)
            wait_until("it does not listen", lambda: is_refused(address))
            self.assertEqual(send_and_read(client, b", world"), b", world")
        status, said, complaint = self.end(process)
        self.assertEqual((status, complaint), (130, ""))
        # Who asked whether it listens may have been one.
        self.assertRegex(said, r"^0 open, \d+ ended, 0 failed; 12 bytes there, 12 back\n$")
        self.stop(target)

    def test_grace_is_over(self):
        """tcp-proxy: who is still there when the grace is over is cut off; at a second Ctrl-C all is"""
        for grace, status in (("1", 130), ("60", -signal.SIGINT)):
            with self.subTest(grace=grace):
                target = self.make_peer("address")
                process, address = self.start_proxy(target.address, "-g", grace)
                with connect(address) as client, target.accept() as other:
                    client.sendall(b"hello")
                    self.assertEqual(other.recv(5), b"hello")
                    self.interrupt(process)
                    wait_until("it does not listen", lambda where=address: is_refused(where))
                    if status < 0:
                        process.send_signal(signal.SIGINT)
                    for end in (client, other):
                        self.assertTrue(status < 0 or is_reset(end))
                self.assertEqual(self.end(process)[0], status)


class Datagrams(Example):
    def test_ask_and_answer(self):
        """datagrams: a question and its answer, between two of it, and with socat"""
        process, address = self.start_server("datagrams", "answer", "127.0.0.1:0")
        self.assertEqual(self.run_example("datagrams", "ask", address, "how long?"), (0, "9\n", ""))
        answer = subprocess.run(["socat", "-t1", "-", f"UDP:{address}"], input=b"x" * 1200, capture_output=True,
                                timeout=PATIENCE, check=True)
        self.assertEqual(answer.stdout, b"1200")
        self.interrupt(process)
        self.assertEqual(self.end(process), (130, "", ""))

    def test_lost(self):
        """datagrams: what is lost is asked again, and given up at last"""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("127.0.0.1", 0))
            other.settimeout(PATIENCE)
            address = f"127.0.0.1:{other.getsockname()[1]}"
            process = self.start("datagrams", "ask", address, "anybody?")
            for answer in (None, b"me"):
                question, asker = other.recvfrom(100)
                self.assertEqual(question, b"anybody?")
                if answer is not None:
                    other.sendto(answer, asker)
            self.assertEqual(self.end(process), (0, "me\n", ""))
            status, said, complaint = self.run_example("datagrams", "ask", address, "anybody?")
            self.assertEqual((status, said), (1, ""))
            self.assertRegex(complaint, rf"^datagrams: .*{address}.*timed out\n$")
            other.setblocking(False)
            for _ in range(5):
                self.assertEqual(other.recv(100), b"anybody?")
            self.assertRaises(BlockingIOError, other.recv, 100)
        status, said, complaint = self.run_example("datagrams", "ask", address, "anybody?")
        self.assertEqual((status, said), (1, ""))
        self.assertRegex(complaint, rf"^datagrams: .*{address}.*: Connection refused\n$")


class Use(Example):
    def test_use(self):
        """echo-server, tcp-proxy, datagrams, look-up: --help, and wrong use"""
        for name, wrong in (("echo-server", ((), ("-c", "0", "x"), ("-x", "1", "x"), ("-c", "1"), ("a", "b"))),
                            ("tcp-proxy", ((), ("a",), ("-i", "soon", "a", "b"), ("a", "b", "c"))),
                            ("datagrams", ((), ("answer",), ("ask", "a"), ("answer", "a", "b"), ("guess", "a", "b"))),
                            ("look-up", ((), ("x",) * 65))):
            status, usage, complaint = self.run_example(name, "--help")
            self.assertEqual((status, complaint), (0, ""))
            self.assertRegex(usage, rf"^usage: {name} [^\n]+\n$")
            for arguments in wrong:
                with self.subTest(name=name, arguments=arguments):
                    self.assertEqual(self.run_example(name, *arguments), (2, "", usage))


if __name__ == "__main__":
    tap.main()
