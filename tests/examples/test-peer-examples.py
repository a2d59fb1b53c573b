#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the examples of the network with peers that everybody has: curl, nginx, socat, and dnsmasq for names.

All of it runs in a network namespace of its own, with addresses and a name server of its own; where that is not
allowed, all is skipped, and says so.
"""

import hashlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from example import CANCELLED, PATIENCE, Example, tap, wait_until

os.environ["PATH"] += ":/usr/sbin:/sbin"  # where nginx is, which not everybody has there
MARK = "EDDY_TEST_IN_NAMESPACE"
NAMES = """
port=53
listen-address=127.0.0.1
bind-interfaces
no-resolv
no-hosts
local=/test/
address=/web.test/10.9.0.1
address=/web.test/fd09::1
address=/both.test/10.9.0.2
address=/both.test/fd08::1
ptr-record=1.0.9.10.in-addr.arpa,web.test
srv-host=_message._tcp.service.test,web.test,4000,1
srv-host=_message._tcp.service.test,both.test,4001,2
"""
NGINX = """
user root;
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 10.9.0.1:80; listen [fd09::1]:80; root {folder}/www; }}
}}
"""
# fd08::1 is behind an interface that leads nowhere: who connects to it hears nothing.
SET_UP = """
set -e
ip link set lo up
ip address add 10.9.0.1/32 dev lo
ip address add 10.9.0.2/32 dev lo
ip address add fd09::1/128 dev lo nodad
ip link add nowhere type veth peer name deaf
ip link set deaf up
ip link set nowhere up
ip address add fd08::2/64 dev nowhere nodad
ip neighbour add fd08::1 lladdr 02:00:00:00:00:01 dev nowhere
echo nameserver 127.0.0.1 >{folder}/resolv.conf
mount --bind {folder}/resolv.conf /etc/resolv.conf
"""


def enter_namespace():
    """Begins again in a namespace; comes back there, and where there is none to be had."""
    if MARK in os.environ:
        return
    unshare = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
    may = subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode == 0
    os.environ[MARK] = "yes" if may else "no"
    if may:
        os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])


def listening_ports():
    """In hexadecimal, as /proc has them."""
    lines = pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return [line.split()[1].split(":")[1] for line in lines if line.split()[3] == "0A"]


class Peers(Example):
    @classmethod
    def setUpClass(cls):
        cls.place = None
        cls.peers = []
        if os.environ[MARK] != "yes":
            return
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="eddy-peers-"))
        cls.addClassCleanup(shutil.rmtree, cls.place)
        subprocess.run(["sh", "-c", SET_UP.format(folder=cls.place)], check=True, timeout=PATIENCE)
        cls.contents = os.urandom(5 << 20)
        (cls.place / "www").mkdir()
        (cls.place / "www" / "file").write_bytes(cls.contents)
        (cls.place / "nginx.conf").write_text(NGINX.format(folder=cls.place), encoding="ascii")
        (cls.place / "names.conf").write_text(NAMES, encoding="ascii")
        cls.begin("dnsmasq", "--no-daemon", "--conf-file=names.conf", "--pid-file=")
        cls.begin("nginx", "-e", "stderr", "-p", str(cls.place), "-c", "nginx.conf")
        for address in (("127.0.0.1", 53), ("10.9.0.1", 80)):
            wait_until(f"somebody listens on {address}", lambda where=address: cls.listens(where))

    @classmethod
    def begin(cls, *command):
        """A peer, for all tests or for the one that stops it."""
        with open(cls.place / "said", "ab") as said:
            process = subprocess.Popen(command, cwd=cls.place, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        cls.peers.append(process)
        cls.addClassCleanup(process.wait)
        cls.addClassCleanup(process.kill)
        return process

    @classmethod
    def listens(cls, address):
        try:
            socket.create_connection(address, timeout=PATIENCE).close()
        except OSError as failure:
            if any(process.poll() is not None for process in cls.peers):
                raise AssertionError((cls.place / "said").read_text()) from failure
            return False
        return True

    def setUp(self):
        super().setUp()
        if self.place is None:
            self.skipTest("no network namespace may be made here")

    def curl(self, *arguments):
        answer = subprocess.run(["curl", "--no-progress-meter", "--fail", *arguments], cwd=self.folder,
                                capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual((answer.returncode, answer.stderr), (0, b""))
        return answer.stdout

    def assert_file(self, contents):
        self.assertEqual(hashlib.sha256(contents).digest(), hashlib.sha256(self.contents).digest())

    def read_message(self, address, style="await"):
        (self.folder / "address").write_text(f"{address}\n", encoding="ascii")
        return self.start("read-message", style, "address")

    def test_curl_and_nginx(self):
        """tcp-proxy: curl and nginx, found by name, one after the other on one connection and at once on many"""
        process, address = self.start_server("tcp-proxy", "127.0.0.1:0", "web.test:80")
        url = f"http://{address}/file"
        self.assert_file(self.curl(url))
        self.assertEqual(self.curl(url, url, "--range", "100-4095"), self.contents[100:4096] * 2)
        at_once = [word for number in range(20) for word in ("--output", f"file-{number}", url)]
        self.curl("--parallel", "--parallel-immediate", *at_once)
        for number in range(20):
            self.assert_file((self.folder / f"file-{number}").read_bytes())
        self.interrupt(process)
        status, said, complaint = self.end(process)
        self.assertEqual((status, complaint), (130, ""))
        self.assertRegex(said, r"^0 open, \d+ ended, 0 failed; \d+ bytes there, \d+ back\n$")

    def test_families(self):
        """tcp-proxy: from IPv4 to IPv6 and back, through two of them, to the echo server, with socat"""
        _, echo = self.start_server("echo-server", "[fd09::1]:0")
        _, second = self.start_server("tcp-proxy", "10.9.0.1:0", echo)
        _, first = self.start_server("tcp-proxy", "[::1]:0", second)
        self.assertTrue(first.startswith("[::1]:"), first)
        answer = subprocess.run(["socat", "-t60", "-", f"TCP6:{first}"], input=self.contents[:1000000],
                                capture_output=True, timeout=PATIENCE, check=True)
        self.assertEqual(answer.stdout, self.contents[:1000000])

    def test_message_by_name(self):
        """read-message: from socat, by the name of its host, in each style"""
        for style in ("callbacks", "futures", "await"):
            with self.subTest(style=style):
                self.begin("socat", "-u", "SYSTEM:echo hello", "TCP-LISTEN:4000,reuseaddr,bind=10.9.0.1")
                wait_until("socat listens", lambda: "0FA0" in listening_ports())
                self.assertEqual(self.end(self.read_message("web.test:4000", style)), (0, "hello\n", ""))

    def test_dead_family(self):
        """read-message: where a host's IPv6 address leads nowhere, its IPv4 address answers, and soon"""
        self.begin("socat", "-u", "SYSTEM:echo hello", "TCP-LISTEN:4001,reuseaddr,bind=10.9.0.2")
        wait_until("socat listens", lambda: "0FA1" in listening_ports())
        began = time.monotonic()
        self.assertEqual(self.end(self.read_message("both.test:4001")), (0, "hello\n", ""))
        self.assertLess(time.monotonic() - began, 20)  # of 127 seconds, after which the kernel gives up

    def test_look_up(self):
        """look-up: a name, an address and a service at once, in the order of the arguments"""
        status, said, complaint = self.run_example("look-up", "web.test", "10.9.0.1", "nobody.test",
                                                   "_message._tcp.service.test")
        self.assertEqual(status, 1)
        lines = said.splitlines()
        self.assertEqual(set(lines[:2]), {"web.test: 10.9.0.1", "web.test: fd09::1"})
        self.assertEqual(lines[2:], ["10.9.0.1: web.test", "_message._tcp.service.test: web.test:4000",
                                     "_message._tcp.service.test: both.test:4001"])
        self.assertRegex(complaint, r"^look-up: .*nobody\.test.*\n$")

    def test_no_such_name(self):
        """read-message: a host that there is not"""
        status, said, complaint = self.end(self.read_message("nobody.test:4000"))
        self.assertEqual((status, said), (1, ""))
        self.assertRegex(complaint, r"^read-message: .*nobody\.test")

    def test_interrupted_while_looking_up(self):
        """read-message: Ctrl-C while the name server is silent"""
        # It ends at once, and leaves what a lookup had under way on a fiber's stack, where LeakSanitizer does
        # not look: what is only named there is no leak.
        options = os.environ.get("ASAN_OPTIONS", "")
        self.addCleanup(os.environ.__setitem__, "ASAN_OPTIONS", options)
        os.environ["ASAN_OPTIONS"] = options + ":detect_leaks=0"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind(("127.0.0.2", 53))
            silent.settimeout(PATIENCE)
            (self.place / "resolv.conf").write_text("nameserver 127.0.0.2\n", encoding="ascii")
            try:
                for style in ("callbacks", "futures", "await"):
                    with self.subTest(style=style):
                        process = self.read_message("web.test:4000", style)
                        silent.recv(512)
                        self.interrupt(process)
                        status, said, complaint = self.end(process)
                        self.assertEqual((status, said), (1, ""))
                        self.assertRegex(complaint, rf"^read-message: (.*: )?{CANCELLED}\n$")
            finally:
                (self.place / "resolv.conf").write_text("nameserver 127.0.0.1\n", encoding="ascii")


if __name__ == "__main__":
    enter_namespace()
    tap.main()
