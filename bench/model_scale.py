# SPDX-License-Identifier: GPL-3.0-or-later
"""One gtmd with 1,000,000 records, 100,000 steered domains and 200,000 checked addresses, and with a hundredth of each.

    python3 bench/model_scale.py [--domains N] [--changes N] [--only engine|server] [--publish]

engine   instructions of one change in the engine (change_cost.c under callgrind): a verdict, a weight, a record replaced
         and a new one. What they are must not depend on the size.
server   the real gtmd: load time of the zone file (PUT) and of the objects (config:apply, 5,000 at a time), memory, restart
         until the first answer; one change by REST until it is durable and served, and the CPU time of all of gtmd for it;
         CPU time of a query for random records and random domains.
"""
import argparse
import contextlib
import datetime
import glob
import json
import os
import random
import re
import statistics
import subprocess
import tempfile
import time

import peers
import publish
from lab import harness, lab, machine

ZONE = "large.test"
CHECK_PORT = 7584
RECORDS, SITES = 10, 2  # for each domain
AT_ONCE = 5000
FRACTION = 100


# ---- the engine alone ----

def engine(domains, changes):
    """{change: instructions}"""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no",
                        "--callgrind-out-file=" + os.path.join(scratch, "out"), os.path.join(peers.BUILD, "change_cost"),
                        str(domains), str(changes)], check=True, stdout=subprocess.DEVNULL)
        cost = {}
        for path in glob.glob(os.path.join(scratch, "out.*")):
            with open(path) as f:
                text = f.read()
            label = re.search(r"Client Request: (\S+)", text)
            if label is not None:
                cost[label[1]] = int(re.search(r"^totals: (\d+)", text, re.M)[1]) / changes
        return cost


# ---- the server ----

def ip(first, i):
    return "%d.%d.%d.%d" % (first, 64 + (i >> 16), i >> 8 & 255, i & 255)


def numbered(letter, i, of):
    """As wide as the greatest of them, which is how the generator asks."""
    return "%s%0*d" % (letter, len(str(of - 1)), i)


def domain(i, weight):
    return {"enabled": True, "strategy": "weight", "pools": [{"pool": "p%d" % (SITES * i)},
                                                             {"pool": "p%d" % (SITES * i + 1), "weight": weight}]}


def objects(domains):
    yield "template", "t", {"protocol": "tcp", "interval": "1h", "timeout": "2s"}
    for i in range(SITES * domains):
        yield "address", "a%d" % i, {"type": "ipv4", "value": ip(10, i), "checks": [
            {"template": "t", "port": CHECK_PORT, "target": ip(127, i)}]}
        yield "pool", "p%d" % i, {"type": "ipv4", "addresses": [{"address": "a%d" % i}]}
        if i % SITES == SITES - 1:
            yield "domain", "%s.%s/A" % (numbered("w", i // SITES, domains), ZONE), domain(i // SITES, 3)


def fill(g, domains):
    """Seconds that the zone and the objects took."""
    text = "$TTL 300\n@ IN SOA ns1 host 1 3600 900 86400 60\n@ IN NS ns1\nns1 IN A 192.0.2.1\n" + "".join(
        "%s IN A %s\n" % (numbered("h", i, RECORDS * domains), ip(11, i)) for i in range(RECORDS * domains))
    begin = time.monotonic()
    g.must("PUT", "zones/%s/file" % ZONE, text, headers={"Content-Type": "text/dns"}, keep=g.connect(False, 300)[0])
    zone_s = time.monotonic() - begin
    batch, spent, connection = [], 0, g.connect(False, 300)[0]
    for kind, name, spec in objects(domains):
        batch.append({"kind": kind, "name": name, "spec": spec})
        if len(batch) == AT_ONCE or name.startswith(numbered("w", domains - 1, domains) + "."):
            body = json.dumps({"objects": batch})
            begin = time.monotonic()
            reply = g.api("POST", "config:apply", body, keep=connection)
            spent += time.monotonic() - begin
            if reply.status != 200:
                raise RuntimeError("%d %s" % (reply.status, str(reply.body)[:500]))
            batch = []
    return zone_s, spent


def settled(g, domains):
    """All addresses have been checked, and nothing more is done."""
    checked = SITES * domains

    def passed():
        m = re.search(r'^gtm_probes_total{outcome="passed"} (\d+)', g.must("GET", "/metrics"), re.M)
        return m is not None and int(m[1]) >= checked
    harness.eventually(passed, 300, every=0.2, what="%d addresses are checked" % checked)
    last = cpu_s(g)
    for _ in range(100):
        time.sleep(0.5)
        now = cpu_s(g)
        if now - last < 0.02:
            return
        last = now


def cpu_s(g):
    total = 0
    for pid in g.pids():
        for thread in os.listdir("/proc/%d/task" % pid):
            with contextlib.suppress(OSError), open("/proc/%d/task/%s/schedstat" % (pid, thread)) as f:
                total += int(f.read().split()[0])
    return total / 1e9


def pss_mib(g):
    out = {}
    for name in ("engine", "control"):
        with open("/proc/%d/smaps_rollup" % g.pid(name)) as f:
            out[name] = int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M)[1]) / 1024
    return out


def timed(g, n, change):
    """Milliseconds of each, and CPU time of one."""
    r, took, connection = random.Random(n), [], g.connect(False, 60)[0]
    change(r, connection, 0)
    before = cpu_s(g)
    for i in range(1, n + 1):
        begin = time.monotonic()
        change(r, connection, i)
        took.append((time.monotonic() - begin) * 1000)
    time.sleep(0.3)
    return {"ms": statistics.median(took), "max_ms": max(took), "cpu_us": (cpu_s(g) - before) / n * 1e6}


def query_us(g, pattern, of):
    out = subprocess.run([os.path.join(peers.BUILD, "blaster"), "--name", pattern, "--of", str(of), "--answers", "1", "--sockets",
                          "16", "--window", "12", "--warm", "0.3", "--seconds", "2", "--pids", str(g.pid("engine")), g.dns[0],
                          str(g.dns[1])], check=True, capture_output=True, text=True)
    got = json.loads(out.stdout)
    if got["wrong"] or got["lost"]:
        raise RuntimeError("%s: %s" % (pattern, got))
    return got["cpu_us"]


def server(domains, changes):
    def record(r, c, i):
        g.must("PUT", "zones/%s/rrsets/%s/A" % (ZONE, numbered("h", r.randrange(RECORDS * domains), RECORDS * domains)),
               {"ttl": 60, "records": ["192.0.2.%d" % (i % 250 + 1)]}, keep=c)

    def weight(r, c, i):
        n = r.randrange(domains)
        g.must("PUT", "domains/%s.%s/A" % (numbered("w", n, domains), ZONE), {"spec": domain(n, 4 + i % 100)}, keep=c)

    def by_hand(r, c, i):
        g.must("PATCH", "addresses/a%d" % r.randrange(SITES * domains),
               {"spec": {"mode": "manual", "manual_state": "unavailable"}}, keep=c)
    with lab() as g:
        bare = pss_mib(g)
        out = {"domains": domains}
        out["zone_s"], out["objects_s"] = fill(g, domains)
        settled(g, domains)
        out["mib"] = {k: v - bare[k] for k, v in pss_mib(g).items()}
        out["query_us"] = {"record": query_us(g, "h%." + ZONE, RECORDS * domains), "domain": query_us(g, "w%." + ZONE, domains)}
        out["changes"] = {name: timed(g, changes, f) for name, f in
                          (("record", record), ("domain", weight), ("address by hand", by_hand))}
        begin = time.monotonic()
        g.stop(timeout=120)
        out["stop_s"] = time.monotonic() - begin
        begin = time.monotonic()
        g.start(timeout=120)
        harness.eventually(lambda: g.rdata("%s.%s" % (numbered("h", 0, RECORDS * domains), ZONE)), 60)
        out["restart_s"] = time.monotonic() - begin
        return out


@contextlib.contextmanager
def target():
    command = [os.path.join(peers.BUILD, "flap_target"), str(CHECK_PORT), str(CHECK_PORT + 1)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout.readline() == "ready\n", "flap_target did not start"
        yield
        p.stdin.close()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--domains", type=int, default=100000)
    p.add_argument("--changes", type=int, default=100)
    p.add_argument("--only", choices=["engine", "server"])
    p.add_argument("--publish", action="store_true")
    a = p.parse_args()
    build = ["bench/" + name for name in ("blaster", "flap_target", "change_cost")]
    subprocess.run(["ninja", "-C", os.path.join(peers.ROOT, "build"), *build], check=True, stdout=subprocess.DEVNULL)
    machine()
    sizes = (a.domains // FRACTION, a.domains)
    results = {"when": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M"), "load_before": os.getloadavg()[0],
               "domains": a.domains, "records": RECORDS * a.domains, "addresses": SITES * a.domains}
    if a.only != "server":
        results["engine"] = [engine(n, 1000) for n in sizes]
    if a.only != "engine":
        with target():
            results["server"] = [server(n, a.changes) for n in sizes]
    results["load_after"] = os.getloadavg()[0]
    earlier = publish.read("scale", a.publish)
    if a.only == "engine" and earlier.get("domains") == a.domains:
        results = earlier | {"engine": results["engine"]}  # counted, so the time of day does not matter
    elif a.only == "server" and earlier.get("domains") == a.domains and "engine" in earlier:
        results["engine"] = earlier["engine"]
    publish.write_scale(results, a.publish)
    print(publish.scale_text(results))


if __name__ == "__main__":
    main()
