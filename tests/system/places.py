# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines in different places: network namespaces joined by a bridge in one of their own.

    land = Land()                   skips where there are none to be had
    place = land.place()            a namespace with an address, place.ip
    with place.inside(): socket()   a socket made in there stays in there
    place.lose(ip) / place.find(ip) packets from here to ip are dropped without a word, or go again
    place.refuse(ip)                they are refused at once: "no route to host"

Nothing of it can be reached from outside, and all of it goes with close().
"""
import contextlib
import ctypes
import itertools
import os
import subprocess

import gtm as harness
import pytest

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_numbers = itertools.count()


def _ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, capture_output=True, text=True)


class Place:
    def __init__(self, land, name, ip):
        self.land, self.name, self.ip = land, name, ip

    def _ip(self, *words, **kw):
        return _ip("-n", self.name, *words, **kw)

    @contextlib.contextmanager
    def inside(self):
        """This thread is in the namespace; what it opens stays there."""
        with open("/proc/thread-self/ns/net") as home, open("/var/run/netns/" + self.name) as there:
            assert _libc.setns(there.fileno(), _CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            try:
                yield
            finally:
                assert _libc.setns(home.fileno(), _CLONE_NEWNET) == 0

    def lose(self, ip):
        self._ip("route", "replace", "blackhole", ip + "/32")

    def refuse(self, ip):
        self._ip("route", "replace", "unreachable", ip + "/32")

    def find(self, ip):
        self._ip("route", "flush", ip + "/32", check=False)

    def command(self, *words):
        return ["ip", "netns", "exec", self.name, *words]


class Land:
    def __init__(self):
        self.id = "gtm%d-%d-" % (os.getpid(), next(_numbers))
        self.places = []
        self._names = []
        try:
            self._add("hub")
            _ip("-n", self.id + "hub", "link", "add", "name", "br0", "type", "bridge")
            _ip("-n", self.id + "hub", "link", "set", "br0", "up")
        except (OSError, subprocess.CalledProcessError) as e:
            self.close()
            pytest.skip("no network namespaces here: %s" % (getattr(e, "stderr", None) or e))

    def _add(self, name):
        _ip("netns", "add", self.id + name)
        self._names.append(self.id + name)
        _ip("-n", self.id + name, "link", "set", "lo", "up")

    def place(self):
        n = len(self.places) + 1
        self._add("p%d" % n)
        p = Place(self, self.id + "p%d" % n, "192.0.2.%d" % n)
        _ip("-n", p.name, "link", "add", "name", "eth", "type", "veth", "peer", "name", "p%d" % n, "netns", self.id + "hub")
        _ip("-n", self.id + "hub", "link", "set", "p%d" % n, "master", "br0", "up")
        p._ip("addr", "add", p.ip + "/24", "dev", "eth")
        p._ip("link", "set", "eth", "up")
        self.places.append(p)
        return p

    def close(self):
        for name in reversed(self._names):
            _ip("netns", "del", name, check=False)


class Server(harness.Gtm):
    """A gtmd with a listener for nodes in a place of its own; asked over its socket, which is a file."""

    def __init__(self, directory, place, **kw):
        super().__init__(directory, **kw)
        self.place = place
        self.args += ["--nodes", "%s:8054" % place.ip]

    def command(self):
        return self.place.command(*super().command())

    def api(self, *args, **kw):
        kw["unix"] = True
        return super().api(*args, **kw)

    def connect(self, unix, **kw):
        return super().connect(True, **kw)


class Node(harness.Gtm):
    """A probe node. start(join=token) enrols it."""

    def __init__(self, directory, name, place=None):
        super().__init__(directory)
        self.name, self.place, self.token, self.pasted = name, place, None, None

    def command(self):
        if self.pasted:
            return ["/bin/sh", "-c", 'gtmd() { exec "%s" "$@"; }; %s' % (harness.GTMD, self.pasted)]
        words = [harness.GTMD, "--data-dir", self.dir] + (["--join", self.token] if self.token else [])
        return self.place.command(*words) if self.place else words

    def start(self, join=None, **kw):
        self.token = join
        return super().start(ready=False, **kw)

    def paste(self, text):
        """As a person does who was sent the command; what is named there is self.dir."""
        self.pasted = text
        return self.start()


class Target(harness.Backend):
    """A TCP server in a place, that knows who came: peers."""

    def __init__(self, place, port=8080):
        self.place, self.peers = place, []
        super().__init__(ip=place.ip, port=port, kind="tcp")

    def _open(self, backlog):
        with self.place.inside():
            super()._open(backlog)

    def _drop(self, s):
        with contextlib.suppress(OSError):
            self.peers.append(s.getpeername()[0])
        super()._drop(s)

    def _take(self, listener):
        try:
            s, peer = listener.accept()
        except OSError:
            return
        self.peers.append(peer[0])
        s.close()


def invite(server, name, **spec):
    """The token of a new node, or of one that is there."""
    if server.get("nodes/" + name).status != 200:
        server.put("nodes/" + name, spec)
    return server.must("POST", "nodes/%s:token" % name, {})["token"]


