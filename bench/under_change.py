# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers while records, weights and verdicts change about a thousand times a second.

    python3 bench/under_change.py [--rounds N] [--seconds S] [--favour] [--publish]

Questions at half of what gtmd can, for quiet and changing stretches in turns: what is lost, the latency, the longest
time without any reply, and for how much of the time the thread that answers waited for its core, which is what changes
can do to it here and the noise of the machine cannot. They go to the names whose records, weights and members' health change. The thread that answers
(dns-udp-0) is on core 0 and the generator on core 1; all else of gtmd, the targets and whoever changes things run where
there is room.

  records   PUT of one record set, over kept connections, each durable and served; and config:apply of 20 record sets
            with weights
  weights   config:apply of 20 domains, their weights drawn anew
  verdicts  200 HTTP checks a second with fall and rise 1, whose targets say 503 and 200 in turns
"""
import argparse
import contextlib
import datetime
import glob
import http.client
import json
import os
import random
import re
import statistics
import subprocess
import sys
import threading
import time

import peers
import publish
from lab import harness, lab, machine

FLAP_PORT = 7583
FLAPPING, DOMAINS, RECORDS, BATCH = 200, 200, 1000, 20
ZONE = "change.test"


def favoured(a, command, **options):
    """In a session of its own, which is what the kernel groups by."""
    p = subprocess.Popen(command, start_new_session=True, **options)
    if a.favour:
        harness.favour(p.pid)
    return p


# ---- what is served ----

def address(i):
    return "127.67.%d.%d" % (i // 250, i % 250 + 1)


def domain(i, r):
    return {"kind": "domain", "name": "w%03d.%s/A" % (i, ZONE), "spec": {
        "enabled": True, "strategy": "weight",
        "pools": [{"pool": "p%d" % ((i + 67 * k) % FLAPPING), "weight": r.randrange(1, 100)} for k in range(3)]}}


def record_set(i, r):
    return {"kind": "rrset", "name": "r%03d.%s/A" % (i, ZONE), "spec": {"zone": ZONE, "ttl": 60, "records": [
        {"data": "192.0.2.%d" % k, "weight": r.randrange(1, 100)} for k in r.sample(range(1, 250), 3)]}}


def fill(g):
    r = random.Random(1)
    g.zone(ZONE, "$TTL 60\n@ IN SOA ns1 host 1 3600 900 86400 60\n@ IN NS ns1\nns1 IN A 192.0.2.1\n" + "".join(
        "h%03d IN A 192.0.2.1\n" % i for i in range(RECORDS)))
    objects = [{"kind": "template", "name": "flap", "spec": {
        "protocol": "http", "interval": "1s", "recheck": "1s", "timeout": "400ms", "fall": 1, "rise": 1}}]
    for i in range(FLAPPING):
        objects += [{"kind": "address", "name": "a%d" % i, "spec": {
            "type": "ipv4", "value": address(i), "checks": [{"template": "flap", "port": FLAP_PORT}],
            "damping": {"transitions": 0}}},
            {"kind": "pool", "name": "p%d" % i, "spec": {"type": "ipv4", "addresses": [{"address": "a%d" % i}]}}]
    g.must("POST", "config:apply", {"objects": objects + [make(i, r) for i in range(DOMAINS) for make in (domain, record_set)]})
    harness.eventually(lambda: g.status("addresses/a%d" % (FLAPPING - 1)).get("health") == "ok", 30)


def names_file(folder):
    path = os.path.join(folder, "names")
    with open(path, "w") as f:
        for i in range(RECORDS):
            f.write("h%03d.%s\nw%03d.%s\nr%03d.%s\n" % (i, ZONE, i % DOMAINS, ZONE, i % DOMAINS, ZONE))
    return path


# ---- changes ----

class Changer(threading.Thread):
    """Calls `change` at a rate, over a connection of its own; counts what was changed, and by how much it fell behind."""

    def __init__(self, g, what, rate, change):
        super().__init__(daemon=True)
        self.g, self.what, self.rate, self.change = g, what, rate, change
        self.done, self.unserved, self.took, self.problem = 0, 0, [], None
        self.on, self.ends = threading.Event(), False
        self.connection = g.connect(False)[0]

    def run(self):
        r, due = random.Random(self.name), time.monotonic()
        while not self.ends:
            if not self.on.wait(0.1):
                due = time.monotonic()
                continue
            due = max(due + 1 / self.rate, time.monotonic() - 0.1)
            begin = time.monotonic()
            try:
                n, served = self.change(self.g, self.connection, r)
            except (OSError, http.client.HTTPException, harness.Refused) as e:
                self.problem = e
                return
            self.done += n
            self.unserved += not served
            self.took.append(time.monotonic() - begin)
            time.sleep(max(0, due - time.monotonic()))


def send(g, connection, method, path, body):
    """Durable when this returns; False: not yet served within a second."""
    reply = g.api(method, path, body, keep=connection)
    if reply.status not in (200, 201):
        raise harness.Refused("%s %s: %d %s" % (method, path, reply.status, reply.body))
    return reply.headers.get("GTM-Applied", "1") == "1"


def change_record(g, connection, r):
    return 1, send(g, connection, "PUT", "zones/%s/rrsets/h%03d/A" % (ZONE, r.randrange(RECORDS)),
                   {"ttl": 60, "records": ["192.0.2.%d" % r.randrange(1, 250)]})


def change_weights(g, connection, r):
    return BATCH, send(g, connection, "POST", "config:apply", {"objects": [domain(i, r) for i in r.sample(range(DOMAINS), BATCH)]})


def change_lined(g, connection, r):
    return BATCH, send(g, connection, "POST", "config:apply", {"objects": [record_set(i, r) for i in r.sample(range(DOMAINS), BATCH)]})


class Edges:
    """Of addresses, told in the log as they happen."""

    def __init__(self, g):
        self.log = open(g.log_path, errors="replace")
        self.new()

    def new(self):
        return len(re.findall(r" address\.(?:up|down): ", self.log.read()))


# ---- questions ----

def answering(g):
    """The thread that answers by UDP, as /proc names it."""
    for thread in glob.glob("/proc/%d/task/*" % g.pid("engine")):
        with open(thread + "/comm") as f:
            if f.read().startswith("dns-udp"):
                return thread
    raise RuntimeError("no thread answers")


def place(g):
    """The answering thread on core 0; all else where there is room."""
    subprocess.run(["taskset", "-p", "-c", "0", os.path.basename(answering(g))], check=True, capture_output=True)


def waited_ns(g):
    """For a core, though it had something to do."""
    with open(answering(g) + "/schedstat") as f:
        return int(f.read().split()[1])


def blast(g, a, names, *options):
    command = ["taskset", "-c", "1", os.path.join(peers.BUILD, "blaster"), "--file", names, "--answers", "1", "--warm", "0.2",
               "--pids", str(g.pid("engine")), *options, g.dns[0], str(g.dns[1])]
    began, waited = time.monotonic_ns(), waited_ns(g)
    with favoured(a, command, stdout=subprocess.PIPE, text=True) as p:
        out, _ = p.communicate(timeout=120)
    waited = (waited_ns(g) - waited) / (time.monotonic_ns() - began)
    if p.returncode != 0:
        raise RuntimeError("the generator ended with %d" % p.returncode)
    return dict(json.loads(out), waited=waited)


def stretch(g, a, changers, backend, edges, names, options):
    """One in which things change; with how many of each."""
    for c in changers:
        c.on.set()
    backend("f")
    edges.new()
    began, done = time.monotonic(), [c.done for c in changers]
    got = blast(g, a, names, *options)
    spent = time.monotonic() - began
    for what in ("records", "weights"):
        got[what + "_s"] = sum(c.done - n for c, n in zip(changers, done) if c.what == what) / spent
    for c in changers:
        c.on.clear()
    got["verdicts_s"] = edges.new() / (time.monotonic() - began)
    backend("s")
    return got


def measure(g, a, backend, names):
    changers = [Changer(g, "records", a.puts / 4, change_record) for _ in range(4)] + [
        Changer(g, "records", a.records / BATCH, change_lined)] + [
        Changer(g, "weights", a.weights / BATCH / 2, change_weights) for _ in range(2)]
    edges = Edges(g)
    for c in changers:
        c.start()
    most = blast(g, a, names, "--sockets", "16", "--window", "12", "--seconds", "2")["qps"]
    rate = a.rate or int(most / 2)
    options = ["--sockets", "4", "--rate", str(rate), "--sleeps", "1", "--seconds", str(a.seconds)]
    runs = {"quiet": [], "changing": []}
    for _ in range(a.rounds):
        runs["quiet"].append(blast(g, a, names, *options))
        runs["changing"].append(stretch(g, a, changers, backend, edges, names, options))
        time.sleep(2.5)  # the last 503s are followed by a 200, and what has queued up is done
    for c in changers:
        c.ends = True
        c.on.set()
        c.join()
        if c.problem is not None:
            raise c.problem
    return {"most": most, "rate": rate, "runs": runs, "unserved": sum(c.unserved for c in changers),
            "write_ms": statistics.median(t for c in changers for t in c.took) * 1000,
            "write_max_ms": max(t for c in changers for t in c.took) * 1000}


@contextlib.contextmanager
def flapping(a):
    command = [os.path.join(peers.BUILD, "flap_target"), str(FLAP_PORT - 1), str(FLAP_PORT)]
    with favoured(a, command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout.readline() == "ready\n", "flap_target did not start"

        def say(word):
            p.stdin.write(word)
            p.stdin.flush()
        yield say
        p.stdin.close()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--rounds", type=int, default=9)
    p.add_argument("--seconds", type=float, default=3)
    p.add_argument("--puts", type=float, default=60, help="record sets a second, one by one")
    p.add_argument("--records", type=float, default=240, help="record sets a second, in batches")
    p.add_argument("--weights", type=float, default=500, help="domains a second")
    p.add_argument("--rate", type=int, help="questions a second, instead of half the maximum")
    p.add_argument("--favour", action="store_true", help="run before other work of the machine")
    p.add_argument("--publish", action="store_true")
    a = p.parse_args()
    build = ["bench/blaster", "bench/flap_target"]
    subprocess.run(["ninja", "-C", os.path.join(peers.ROOT, "build"), *build], check=True, stdout=subprocess.DEVNULL)
    machine()
    with contextlib.suppress(OSError):
        os.setsid()
        if a.favour:
            harness.favour(os.getpid())
    results = {"when": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M"), "favour": a.favour,
               "load_before": os.getloadavg()[0], "seconds": a.seconds}
    with flapping(a) as backend, lab() as g:
        if a.favour:
            with open("/proc/%d/autogroup" % g.process.pid, "w") as f:
                f.write("-15")  # its threads among themselves are as they are
        fill(g)
        place(g)
        results.update(measure(g, a, backend, names_file(g.dir)))
    results["load_after"] = os.getloadavg()[0]
    publish.write_change(results, a.publish)
    print(publish.change_text(results))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
