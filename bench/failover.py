#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failover: a real backend closes its port; when was the last answer with it, and what part of that is ours?

    failover.py [TRIALS]      interval 1 s, fall 2, recheck 200 ms, refused port; sequence of two sites
"""
import random
import statistics
import sys
import time
from datetime import datetime

from lab import harness, lab, machine, show

NAME = "www.cloud-example.com"
TEMPLATE = {"protocol": "tcp", "interval": "1s", "timeout": "500ms", "recheck": "200ms", "fall": 2, "rise": 1}


def real_ms(at):
    if isinstance(at, (int, float)):
        return float(at)
    return datetime.fromisoformat(at.replace("Z", "+00:00")).timestamp() * 1000


def trial(g, asker, primary, standby, stream):
    """(seconds from the refused port to the last answer with it, ms from the verdict to the first answer without it)"""
    end = time.monotonic() + random.uniform(0.5, 1.5)  # any phase of the probe's interval
    while time.monotonic() < end:
        assert asker.ask() == (primary.ip,)
    seen = len(stream.messages)
    died = primary.refuse()
    last = died
    while True:
        answer, now, wall = asker.ask(), time.monotonic(), time.time() * 1000
        if answer == (standby.ip,):
            break
        last = now
        assert now - died < 10, "no failover"
    event = stream.wait(lambda e, d: stream.messages.index(next(m for m in stream.messages if m[1] is d)) >= seen and
                        isinstance(d, dict) and d.get("kind") == "address.down")
    verdict = wall - real_ms(event[1]["at"])
    primary.accept()
    harness.eventually(lambda: asker.ask() == (primary.ip,))
    return last - died, verdict / 1000


def main():
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    machine()
    with lab() as g:
        primary, standby = g.backend(kind="tcp"), g.backend(kind="tcp")
        g.zone("cloud-example.com", harness.zone_text())
        g.put("templates/t", TEMPLATE)
        for name, b in (("a", primary), ("b", standby)):
            g.put("addresses/" + name, {"type": "ipv4", "value": b.ip, "checks": [{"template": "t", "port": b.port}]})
            g.put("pools/" + name, {"type": "ipv4", "addresses": [{"address": name}]})
        g.put("domains/%s/A" % NAME, {"enabled": True, "strategy": "sequence", "pools": [{"pool": "a"}, {"pool": "b"}]})
        g.until_health("pools/b", "ok")
        with harness.Asker(g, NAME) as asker, g.stream("events") as stream:
            results = [trial(g, asker, primary, standby, stream) for _ in range(trials)]
    show("refused port -> last answer with it", [r[0] for r in results], "<= 1400 ms")
    show("verdict (event, 1 ms grain) -> changed answer", [max(r[1], 0) for r in results], "<= 5 ms")
    print("mean of the failover %.0f ms" % (statistics.mean(r[0] for r in results) * 1000))


main()
