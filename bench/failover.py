#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failover and failback: a real backend closes its port, later opens it; the last answer that was still wrong, and ours beside
that of gdnsd and PowerDNS, in turns, each as fast as it can be set.

    failover.py [TRIALS]      a refused port; a primary and a standby under one name
"""
import contextlib
import os
import random
import sys
import tempfile
import time
from datetime import datetime

import failover_peers as peers
from lab import harness, lab, machine, show

ZONE = "cloud-example.com"
NAME = "www." + ZONE
SECOND = {"protocol": "tcp", "interval": "1s", "timeout": "500ms", "recheck": "200ms", "fall": 2, "rise": 1}
ALIKE = dict(SECOND, fall=1)  # believes the first failure, as the others are told to
KEPT = dict(SECOND, protocol="http", http={"reuse": True})
QUICK = {"protocol": "tcp", "interval": "200ms", "timeout": "150ms", "recheck": "50ms", "fall": 2, "rise": 1}


def real_ms(at):
    if isinstance(at, (int, float)):
        return float(at)
    return datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp() * 1000


def wander(asker, ip, there):
    """To any phase of the checks' interval, which is 2 s at most."""
    end = time.monotonic() + random.uniform(0.5, 2.5)
    while time.monotonic() < end:
        assert (ip in asker.ask()) == there, "another answer while nothing happens"


def until(asker, ip, there, began):
    """(time of the last answer that was wrong about `ip`, real time in ms of the first one that was right)"""
    last = began
    while True:
        answer, now, wall = asker.ask(), time.monotonic(), time.time() * 1000
        if (ip in answer) == there:
            return last, wall
        last = now
        assert now - began < 20, "no switch"


def trial(asker, primary, stream=None):
    """Seconds: failover, failback, and of ours from the verdict to the first answer without the dead one."""
    wander(asker, primary.ip, True)
    seen = len(stream.messages) if stream else 0
    died = primary.refuse()
    last, wall = until(asker, primary.ip, False, died)
    verdict = None
    if stream:
        event = stream.wait(lambda e, d: stream.messages.index(next(m for m in stream.messages if m[1] is d)) >= seen and
                            isinstance(d, dict) and d.get("kind") == "address.down")
        verdict = max(0, (wall - real_ms(event[1]["at"])) / 1000)
    wander(asker, primary.ip, False)
    primary.accept()
    came = time.monotonic()
    return last - died, until(asker, primary.ip, True, came)[0] - came, verdict


@contextlib.contextmanager
def ours(template, kind="tcp"):
    with lab() as g:
        primary, standby = g.backend(kind=kind), g.backend(kind=kind)
        g.zone(ZONE, harness.zone_text())
        g.put("templates/t", template)
        for name, b in (("a", primary), ("b", standby)):
            # A site that dies twenty times in a row is what damping is for; here each time is measured.
            g.put("addresses/" + name, {"type": "ipv4", "value": b.ip, "checks": [{"template": "t", "port": b.port}],
                                        "damping": {"transitions": 0}})
            g.put("pools/" + name, {"type": "ipv4", "addresses": [{"address": name}]})
        g.put("domains/%s/A" % NAME, {"enabled": True, "strategy": "sequence", "pools": [{"pool": "a"}, {"pool": "b"}]})
        g.until_health("pools/b", "ok")
        with g.stream("events") as stream:
            yield g, primary, stream


@contextlib.contextmanager
def theirs(start, scratch):
    primary, standby = harness.Backend(kind="tcp"), harness.Backend(kind="tcp")
    os.makedirs(scratch)
    try:
        with start(scratch, ZONE, primary, standby) as server:
            yield server, primary, None
    finally:
        primary.stop()
        standby.stop()


def main():
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    machine()
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory(prefix="gtm-bench-"))
        sides = [
            ("gtmd, interval 1 s", stack.enter_context(ours(SECOND)), "failover <= 1400 ms"),
            ("gtmd, interval 1 s, fall 1", stack.enter_context(ours(ALIKE)), None),
            ("gtmd, interval 1 s, connection kept", stack.enter_context(ours(KEPT, "kept")), None),
            ("gtmd, interval 200 ms", stack.enter_context(ours(QUICK)), None),
            ("gdnsd, interval 2 s (its least)", stack.enter_context(theirs(peers.gdnsd, scratch + "/gdnsd")), None),
            ("pdns ifportup, interval 1 s", stack.enter_context(theirs(peers.pdns, scratch + "/pdns")), None),
        ]
        results = {label: [] for label, _, _ in sides}
        for _ in range(trials):
            for label, (server, primary, stream), _ in sides:
                if server is None:
                    continue  # not installed
                with harness.Asker(server, NAME) as asker:
                    results[label].append(trial(asker, primary, stream))
    for label, _, target in sides:
        if results[label]:
            show(label + ": failover", [r[0] for r in results[label]], target)
            show(label + ": failback", [r[1] for r in results[label]])
    ours_ = [r[2] for rs in results.values() for r in rs if r[2] is not None]
    show("gtmd: verdict (event, 1 ms grain) -> answer", ours_, "<= 5 ms")


main()
