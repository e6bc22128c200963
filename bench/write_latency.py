#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""REST writes: how long until one is durable and served. Each reply is followed by a question that must show it.

    write_latency.py [WRITES]     on an empty model, and beside 1,000 domains
"""
import sys
import time

from lab import harness, lab, machine, show

NAME = "www.cloud-example.com"


def measure(g, writes, label):
    connection, _ = g.connect(None)
    reply, served = [], []
    spec = g.spec("domains/%s/A" % NAME)
    for i in range(writes):
        spec["ttl"] = i % 86000 + 1
        before = time.perf_counter()
        r = g.api("PUT", "domains/%s/A" % NAME, {"spec": spec}, keep=connection)
        done = time.perf_counter()
        answer = g.ask(NAME)
        served.append(time.perf_counter() - before)
        reply.append(done - before)
        assert r.status == 200 and r.headers["GTM-Applied"] == "1", r
        assert answer.answer[0].ttl == spec["ttl"], "acknowledged and not served"
    connection.close()
    show("PUT durable and served%s" % label, reply, "<= 20 ms")
    show("... and seen in an answer%s" % label, served)


def main():
    writes = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    machine()
    with lab() as g:
        g.zone("cloud-example.com", harness.zone_text())
        g.put("addresses/a", {"type": "ipv4", "value": "192.0.2.1"})
        g.put("pools/a", {"type": "ipv4", "addresses": [{"address": "a"}]})
        g.put("domains/%s/A" % NAME, {"enabled": True, "pools": [{"pool": "a"}]})
        measure(g, writes, "")
        g.must("POST", "config:apply", {"objects": [
            {"kind": "domain", "name": "n%d.cloud-example.com/A" % i, "spec": {"enabled": True, "pools": [{"pool": "a"}]}}
            for i in range(1000)]})
        measure(g, writes, ", 1,000 domains")


main()
