# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU time that one change costs gtmd, all of it, thread by thread.

    python3 bench/change_cpu.py [--only KIND,...] [--seconds S] [--threads] [--hold KIND]

The data and the changes are those of under_change.py, one kind at a time and without questions:

  record    PUT of one record set
  domain    PUT of one domain, its weights drawn anew
  weights   config:apply of 20 domains: the time of one of them
  lined     config:apply of 20 record sets with weights: the time of one of them
  verdict   an address goes down or up, and with it its pool and three domains

What it costs to probe the addresses meanwhile is measured before and taken off. `--hold` says which processes to
look at with perf or strace, and makes one kind alone.
"""
import argparse
import collections
import os
import random
import sys
import time

import under_change as uc
from lab import lab, machine


def threads(g):
    """{(process, thread): seconds}"""
    spent = collections.Counter()
    for name in ("engine", "control"):
        pid = g.pid(name)
        for thread in os.listdir("/proc/%d/task" % pid):
            with open("/proc/%d/task/%s/comm" % (pid, thread)) as f:
                comm = f.read().strip()
            with open("/proc/%d/task/%s/schedstat" % (pid, thread)) as f:
                spent[name, comm] += int(f.read().split()[0]) / 1e9
    return spent


def change_domain(g, connection, r):
    d = uc.domain(r.randrange(uc.DOMAINS), r)
    return 1, uc.send(g, connection, "PUT", "domains/%s" % d["name"], {"spec": d["spec"]})


WRITES = {"record": (120, uc.change_record), "domain": (120, change_domain), "weights": (15, uc.change_weights),
          "lined": (15, uc.change_lined)}


def spend(g, seconds, until):
    """(seconds, CPU time by thread) of `until(end)`."""
    before, began = threads(g), time.monotonic()
    n = until(began + seconds)
    time.sleep(0.3)
    took = time.monotonic() - began
    after = threads(g)
    return n, took, collections.Counter({k: after[k] - before[k] for k in after})


def writes(g, kind):
    rate, change = WRITES[kind]
    connection, r = g.connect(False)[0], random.Random(kind)

    def until(end):
        n, due = 0, time.monotonic()
        while time.monotonic() < end:
            n += change(g, connection, r)[0]
            due += 1 / rate
            time.sleep(max(0, due - time.monotonic()))
        return n
    return until


def idle(end):
    time.sleep(max(0, end - time.monotonic()))
    return 1


def verdicts(g, backend, edges):
    def until(end):
        edges.new()
        backend("f")
        time.sleep(max(0, end - time.monotonic()))
        n = edges.new()
        backend("s")
        return n
    return until


def show(kind, n, took, spent, quiet, by_thread):
    net = {k: (spent[k] - quiet[k] * took) / n * 1e6 for k in spent}
    parts = collections.Counter()
    for (process, _), us in net.items():
        parts[process] += us
    print("%-8s %6d in %4.1f s  %6.0f us  engine %6.0f  control %6.0f" % (
        kind, n, took, sum(net.values()), parts["engine"], parts["control"]), flush=True)
    if by_thread:
        for (process, thread), us in sorted(net.items(), key=lambda x: -x[1])[:8]:
            print("           %-8s %-16s %7.0f us" % (process, thread, us), flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--only", default="record,domain,weights,lined,verdict")
    p.add_argument("--seconds", type=float, default=8)
    p.add_argument("--threads", action="store_true")
    p.add_argument("--hold")
    a = p.parse_args()
    a.favour = False
    machine()
    with uc.flapping(a) as backend, lab() as g:
        uc.fill(g)
        time.sleep(2)
        edges = uc.Edges(g)
        if a.hold:
            print("engine %d control %d" % (g.pid("engine"), g.pid("control")), flush=True)
        _, took, spent = spend(g, a.seconds / 2, idle)
        quiet = {k: v / took for k, v in spent.items()}
        for kind in [a.hold] if a.hold else a.only.split(","):
            until = verdicts(g, backend, edges) if kind == "verdict" else writes(g, kind)
            show(kind, *spend(g, a.seconds, until), collections.Counter(quiet), a.threads)
            time.sleep(2.5 if kind == "verdict" else 0)


if __name__ == "__main__":
    main()
