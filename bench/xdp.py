# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU a query, all in, of servers by AF_XDP and by the kernel's sockets: one wire, one core for the server, one for the load.

usage: xdp.py [rounds [seconds]]

All in means the server's threads and the thread that takes frames off the wire (threaded NAPI of the veth), all on CPU 0,
by what the scheduler gave them. The client's end has its own such thread, on CPU 1 with the generator, so nothing of the
client is counted. Servers take turns; all run at the same time, but only one is asked.
"""
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile

from lab import ROOT, harness, machine

import netns
import wired

KNOTD = "/usr/sbin/knotd"
BLAST = os.path.join(ROOT, "build", "bench", "xdp_blast")
ECHO = os.path.join(ROOT, "build", "bench", "xdp_echo")
NAME, STEERED, ZONE = "www.cloud-example.com", "steered.cloud-example.com", "cloud-example.com"
SERVER_CPU, CLIENT_CPU = 0, 1
TARGET = 2.0
WINDOW = 192  # the ring of a veth holds 256 frames
FIFO = os.sched_param(1)
IP = netns.Wire.SERVER


def threads(pid):
    with contextlib.suppress(FileNotFoundError):
        yield from (int(t) for t in os.listdir("/proc/%d/task" % pid))


def napi_threads(device):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open("/proc/%s/comm" % pid) as f:
            if f.read().startswith("napi/%s-" % device):
                yield int(pid)


def on_cpu_ns(tid):
    with contextlib.suppress(OSError), open("/proc/%d/schedstat" % tid) as f:
        return int(f.read().split()[0])
    return 0


def place(tids, cpu, fifo=True):
    for tid in tids:
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(tid, {cpu})
            if fifo:
                os.sched_setscheduler(tid, os.SCHED_FIFO, FIFO)


def prepare(wire):
    """Each end takes its frames off the wire in a thread of its own (NAPI), with and without XDP, and gets them one by one.

    Without TSO the kernel believes that GRO is of use for every frame, and goes by NAPI; else it delivers in the thread
    that sends, and the server would pay for what the client receives, or the other way round."""
    for n, device in ((wire.server, "srv"), (wire.client, "cli")):
        subprocess.run(n.command("ethtool", "-K", device, "gro", "on", "tso", "off", "tx-udp-segmentation", "off"), check=True)
        subprocess.run(n.command("sh", "-c", "echo 1 >/sys/class/net/%s/threaded" % device), check=True)


# ---- the servers: each a context manager that gives (pids, names to ask) ----

@contextlib.contextmanager
def gtmd(wire, directory, xdp):
    g = wired.Wired(directory, wire, listen=[IP + ":53"], interfaces=["srv"] if xdp else [])
    g.start()
    try:
        g.zone(ZONE, harness.zone_text(ZONE))
        g.put("addresses/a", {"type": "ipv4", "value": "192.0.2.99"})
        g.put("pools/p", {"type": "ipv4", "strategy": "round_robin", "addresses": [{"address": "a"}]})
        g.put("domains/%s/A" % STEERED, {"strategy": "weight", "pools": [{"pool": "p", "weight": 1}]})
        if xdp:
            harness.eventually(lambda: g.counters()["xdp_sockets"] == 1)
        yield g.pids() + [g.process.pid], {"static": NAME, "steered": STEERED}
    finally:
        g.stop()


KNOT_CONFIG = """
server:
    rundir: "{dir}"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    listen: {ip}@53
    {mode}
database:
    storage: "{dir}"
zone:
  - domain: {zone}
    file: "{dir}/zone"
    zonefile-load: whole
"""


@contextlib.contextmanager
def started(wire, command, log):
    with open(log, "wb") as out:
        p = subprocess.Popen(wire.server.command(*command), stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    try:
        yield p
        assert p.poll() is None, open(log).read()
    finally:
        p.terminate()
        p.wait()


@contextlib.contextmanager
def knot(wire, directory, xdp):
    with open(directory + "/zone", "w") as f:
        f.write(harness.zone_text(ZONE))
    with open(directory + "/knot.conf", "w") as f:
        f.write(KNOT_CONFIG.format(dir=directory, ip=IP, zone=ZONE, mode=""))
        if xdp:
            f.write("xdp:\n    listen: srv@53\n")
    with started(wire, [KNOTD, "-c", directory + "/knot.conf"], directory + "/log") as p:
        answers(wire)
        yield [p.pid], {"static": NAME}


@contextlib.contextmanager
def echo(wire, directory):
    with started(wire, [ECHO, "srv", IP + ":53"], directory + "/log") as p:
        harness.eventually(wire.has_program)
        yield [p.pid], {"static": NAME}


def answers(wire):
    def ready():
        with contextlib.suppress(AssertionError):
            return wired.blast(wire, NAME, "count", 10)["answered"] == 10
    harness.eventually(ready, 20)


ROWS = {
    "echo by AF_XDP": (echo, ()),
    "gtmd by AF_XDP": (gtmd, (True,)),
    "knot by AF_XDP": (knot, (True,)),
    "gtmd by sockets": (gtmd, (False,)),
    "knot by sockets": (knot, (False,)),
}


def load(wire, name, seconds):
    command = wire.client.command("chrt", "-f", "1", BLAST, "cli", wire.mac(wire.server, "srv").hex(), wire.CLIENT, IP, name,
                                  str(seconds), str(WINDOW), str(CLIENT_CPU))
    r = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def measure(wire, pids, name, seconds):
    """(us a query, queries a second), and what went wrong."""
    tids = [t for pid in pids for t in threads(pid)]
    napi = list(napi_threads("srv"))
    assert napi and list(napi_threads("cli")), "no threaded NAPI"
    place(tids + napi, SERVER_CPU)
    place(napi_threads("cli"), CLIENT_CPU)
    before = [sum(map(on_cpu_ns, group)) for group in (tids, napi)]
    r = load(wire, name, seconds)
    spent = [sum(map(on_cpu_ns, group)) - b for group, b in zip((tids, napi), before)]
    return sum(spent) / r["answered"] / 1000, spent[1] / r["answered"] / 1000, r["answered"] / r["seconds"], r


def one(make, args, seconds, results):
    """A wire and a server of its own: an XDP program is there or not."""
    wire = netns.Wire()
    try:
        prepare(wire)
        with tempfile.TemporaryDirectory(prefix="gtm-bench-") as directory, make(wire, directory, *args) as (pids, names):
            for kind, name in names.items():
                measure(wire, pids, name, 1)
                results.setdefault(kind, []).append(measure(wire, pids, name, seconds))
    finally:
        wire.close()


def middle(values, unit=""):
    return "%.2f%s (%.2f to %.2f)" % (statistics.median(values), unit, min(values), max(values))


def show(label, runs):
    us, napi, qps = ([r[i] for r in runs] for i in range(3))
    wrong, lost = sum(r[3]["wrong"] for r in runs), sum(r[3]["lost"] for r in runs)
    print("%-26s %s, of it off the wire %.2f  %4.0fk/s  wrong %d, lost %d" % (
        label, middle(us, " us/q"), statistics.median(napi), statistics.median(qps) / 1000, wrong, lost))


def compare(label, some, others):
    """Of the same rounds."""
    print("%-42s %s" % (label, middle([a[0] / b[0] for a, b in zip(some, others)])))


def main():
    if os.geteuid() != 0:
        sys.exit("xdp: needs root, for network namespaces")
    rounds, seconds = (int(a) for a in (sys.argv[1:] + ["5", "2"][len(sys.argv) - 1:]))
    subprocess.run(["ninja", "-C", os.path.join(ROOT, "build"), "gtmd", "tests/blast/blast", "bench/xdp_echo", "bench/xdp_blast"], check=True,
                   stdout=subprocess.DEVNULL)
    machine()
    results = {row: {} for row in ROWS}
    for n in range(rounds):
        for row in list(ROWS)[::1 if n % 2 == 0 else -1]:
            one(*ROWS[row], seconds, results[row])
    print("CPU a query, all in, %d rounds of %d s in turns; target: gtmd by AF_XDP <= %.1f us, ahead of knot" % (
        rounds, seconds, TARGET))
    for row, kinds in results.items():
        for kind, runs in kinds.items():
            show(row if kind == "static" else "%s, %s" % (row, kind), runs)
    ours, static = results["gtmd by AF_XDP"], {row: kinds["static"] for row, kinds in results.items()}
    compare("gtmd / echo, by AF_XDP", ours["static"], static["echo by AF_XDP"])
    compare("gtmd / knot, by AF_XDP", ours["static"], static["knot by AF_XDP"])
    compare("gtmd steered / knot static, by AF_XDP", ours["steered"], static["knot by AF_XDP"])
    compare("gtmd by AF_XDP / by sockets", ours["static"], static["gtmd by sockets"])


if __name__ == "__main__":
    main()
