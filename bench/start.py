#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start: from exec to the first answer, with 1,000 probed targets; cold (no verdicts known) and warm.

    start.py [ROUNDS [TARGETS]]

One of the targets is dead; the first answer must not hold it.
"""
import os
import signal
import socket
import sys
import threading
import time

from lab import harness, lab, machine, show

NAME = "www.cloud-example.com"
PORT = 7080


class Everywhere(threading.Thread):
    """Takes every connection to PORT at any loopback address."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("0.0.0.0", PORT))
        self.listener.listen(4096)
        self.start()

    def run(self):
        while True:
            try:
                self.listener.accept()[0].close()
            except OSError:
                return

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.join()
        self.listener.close()


def fill(g, targets):
    objects = [{"kind": "template", "name": "t", "spec": {"protocol": "tcp", "interval": "5s", "timeout": "1s", "fall": 2}}]
    for i in range(targets):
        objects += [
            {"kind": "address", "name": "a%d" % i, "spec": {
                "type": "ipv4", "value": "127.77.%d.%d" % (i // 250, i % 250 + 1), "checks": [{"template": "t", "port": PORT}]}},
            {"kind": "pool", "name": "p%d" % i, "spec": {"type": "ipv4", "addresses": [{"address": "a%d" % i}]}},
            {"kind": "domain", "name": "n%d.cloud-example.com/A" % i, "spec": {"enabled": True, "pools": [{"pool": "p%d" % i}]}},
        ]
    objects += [
        {"kind": "address", "name": "dead", "spec": {"type": "ipv4", "value": "127.78.0.1", "checks": [{"template": "t", "port": 9}]}},
        {"kind": "pool", "name": "dead", "spec": {"type": "ipv4", "addresses": [{"address": "dead"}]}},
        {"kind": "domain", "name": NAME + "/A", "spec": {"enabled": True, "strategy": "sequence", "pools": [
            {"pool": "dead"}, {"pool": "p0"}]}},
    ]
    g.zone("cloud-example.com", harness.zone_text())
    g.must("POST", "config:apply", {"objects": objects})
    g.until_health("addresses/dead", "exceptional", 20)
    g.until_health("addresses/a%d" % (targets - 1), "ok", 20)


def first_answer(g):
    """Seconds from exec to the first answer."""
    before = time.monotonic()
    g.start(ready=False)
    while True:
        try:
            with harness.Asker(g, NAME, timeout=0.02) as asker:
                assert asker.ask() == ("127.77.0.1",), "the dead address was answered"
                return time.monotonic() - before
        except (ConnectionRefusedError, socket.timeout):
            assert time.monotonic() - before < 10, g.log()[-2000:]


def restarts(g, rounds, forget):
    seconds = []
    for _ in range(rounds):
        g.wait_ready(30)
        g.stop(signal.SIGTERM)
        for f in os.listdir(g.dir):
            if f in forget:
                os.unlink(os.path.join(g.dir, f))
        seconds.append(first_answer(g))
    g.wait_ready(30)
    return seconds


def engine_kills(g, rounds):
    seconds = []
    for _ in range(rounds):
        g.kill("engine")
        before = time.monotonic()
        with harness.Asker(g, NAME, timeout=10) as asker:
            assert asker.ask() == ("127.77.0.1",)
        seconds.append(time.monotonic() - before)
        g.wait_ready(30)
    return seconds


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    targets = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    machine()
    everywhere = Everywhere()
    try:
        with lab() as g:
            fill(g, targets)
            show("warm start -> first answer, %d targets" % targets, restarts(g, rounds, ()), "<= 1000 ms")
            show("cold: no verdicts, one probe round first", restarts(g, rounds, ("engine.verdicts",)), "<= 1000 ms")
            show("cold: no engine files at all", restarts(g, rounds, ("engine.verdicts", "engine.model")), "<= 1000 ms")
            show("kill -9 engine, again and again -> answer", engine_kills(g, rounds), "<= 1000 ms")
    finally:
        everywhere.stop()


main()
