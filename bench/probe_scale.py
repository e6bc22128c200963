#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes by the thousands: CPU and memory of the engine, and how late probes start, by its own histogram,
beside how late a thread wakes that does nothing but sleep (probe_target).

    probe_scale.py [SECONDS [HTTP_TARGETS [TCP_TARGETS]]]     20,000 HTTP checks every 10 s, then 10,000 tcp checks/s

GTM_FAVOUR=1: engine and targets run before whatever else a shared machine has to do.
"""
import contextlib
import os
import re
import subprocess
import sys
import time

from lab import ROOT, harness, lab, machine

HTTP, TCP = 7480, 7481
TARGET = os.path.join(ROOT, "build", "bench", "probe_target")
TICK = os.sysconf("SC_CLK_TCK")


def favour(pid):
    if os.environ.get("GTM_FAVOUR"):
        harness.favour(pid)


@contextlib.contextmanager
def target():
    with subprocess.Popen([TARGET, str(HTTP), str(TCP)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          start_new_session=True) as p:
        favour(p.pid)
        assert p.stdout.readline() == "ready\n", "probe_target did not start"
        yield p
        p.stdin.close()
        print("target answered (http, tcp): " + p.stdout.read().strip())


def fill(g, name, spec, port, targets):
    favour(g.pid("engine"))
    objects = [{"kind": "template", "name": name, "spec": spec}]
    objects += [{"kind": "address", "name": "%s%d" % (name, i), "spec": {
        "type": "ipv4", "value": "127.77.%d.%d" % (i // 250, i % 250 + 1), "checks": [{"template": name, "port": port}]}}
        for i in range(targets)]
    for at in range(0, len(objects), 5000):
        assert g.api("POST", "config:apply", {"objects": objects[at:at + 5000]}).status == 200
    harness.eventually(lambda: g.status("addresses/%s%d" % (name, targets - 1)).get("health") == "ok", 60)


def cpu_s(pid):
    """User, system"""
    with open("/proc/%d/stat" % pid) as f:
        words = f.read().rsplit(")", 1)[1].split()
    return int(words[11]) / TICK, int(words[12]) / TICK


def memory_mib(pid):
    with open("/proc/%d/smaps_rollup" % pid) as f:
        return int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M)[1]) / 1024


def metrics(g):
    text = g.must("GET", "/metrics")
    lag = {float(m[1]): int(m[2]) for m in re.finditer(r'^gtm_probe_lag_seconds_bucket{le="([^"]+)"} (\d+)', text, re.M)}
    outcomes = {m[1]: int(m[2]) for m in re.finditer(r'^gtm_probes_total{outcome="(\w+)"} (\d+)', text, re.M)}
    return lag, outcomes


def bound(before, after, q):
    """The bound in ms of the bucket that holds the quantile."""
    n = after[float("inf")] - before[float("inf")]
    return min(le for le in after if after[le] - before[le] >= q * n) * 1000


def asleep(control):
    """p50, p99, p999 in ms since the last time"""
    control.stdin.write("?\n")
    control.stdin.flush()
    return [int(us) / 1000 for us in control.stdout.readline().split()]


def load():
    with open("/proc/loadavg") as f:
        return f.read().split()[0]


def measure(g, control, what, seconds, cpu_target, memory_target):
    pid = g.pid("engine")
    asleep(control)
    lag, outcomes = metrics(g)
    began, cpu = time.monotonic(), cpu_s(pid)
    time.sleep(seconds)
    spent, cpu2 = time.monotonic() - began, cpu_s(pid)
    others = asleep(control)
    lag2, outcomes2 = metrics(g)
    made = {k: outcomes2[k] - outcomes[k] for k in outcomes2}
    user, system = cpu2[0] - cpu[0], cpu2[1] - cpu[1]
    n = sum(made.values())
    print("%-32s %5.1f %% of a core (user %.1f, system %.1f), %.1f us a probe   target <= %d %%" % (
        what, (user + system) / spent * 100, user / spent * 100, system / spent * 100, (user + system) / n * 1e6, cpu_target))
    print("%-32s %5.0f /s; %s" % ("", n / spent, ", ".join("%d %s" % (v, k) for k, v in made.items())))
    print("%-32s p50 <= %g ms, p99 <= %g ms, p999 <= %g ms                target p99 < 20 ms" % (
        "  lag", bound(lag, lag2, 0.5), bound(lag, lag2, 0.99), bound(lag, lag2, 0.999)))
    print("%-32s p50 %.2f ms, p99 %.2f ms, p999 %.2f ms; load %s" % (("  who only sleeps wakes late by",) + tuple(others) + (load(),)))
    print("%-32s %5.1f MiB%s" % ("  memory of the engine (PSS)", memory_mib(pid), memory_target))


def main():
    seconds, https, tcps = (int(a) for a in (sys.argv[1:] + ["30", "20000", "10000"][len(sys.argv) - 1:]))
    subprocess.run(["ninja", "-C", os.path.join(ROOT, "build"), "bench/probe_target"], check=True, stdout=subprocess.DEVNULL)
    machine()
    with target() as control:
        with lab() as g:
            print("memory before: %.1f MiB" % memory_mib(g.pid("engine")))
            fill(g, "web", {"protocol": "http", "interval": "10s", "timeout": "2s"}, HTTP, https)
            time.sleep(10)  # out of the first round
            measure(g, control, "%d http checks every 10 s" % https, seconds, 25, "   target <= 64 MiB")
        with lab() as g:
            fill(g, "tcp", {"protocol": "tcp", "interval": "1s", "timeout": "500ms"}, TCP, tcps)
            time.sleep(3)
            measure(g, control, "%d tcp checks every 1 s" % tcps, seconds, 50, "")


main()
