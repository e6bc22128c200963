# SPDX-License-Identifier: GPL-3.0-or-later
"""A zone of a million names in gtmd, NSD and Knot DNS: load time, memory, and what one changed record costs.

    python3 bench/zone_scale.py [--names N] [--rounds N] [--changes N]

load     gtmd: PUT of the zone file to its reply (durable and served); the peers: exec to the first answer from the zone,
         less exec to the first answer of the same server with a zone of three records. Servers in turns.
restart  gtmd only: exec to the first answer with the zone in its store.
memory   PSS of all processes of a server, less the same with a zone of three records, by names.
change   REST PUT of one record set (Knot: knotc zone-set in a transaction) until the first answer that shows it.
         Meanwhile another process asks for random names: what got no answer is lost, and the gap is the longest time
         between a question sent and its reply's arrival in the kernel, so that the asker's own pauses do not count.
         The same without changes stands beside it: what of the gap is the machine's.
"""
import argparse
import contextlib
import json
import os
import random
import select
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "differential"))

import servers  # noqa: E402
from lab import machine, quantile  # noqa: E402

ZONE = "scale.test."
SO_TIMESTAMPNS = 35


def write_zone(path, names):
    with open(path, "w") as f:
        f.write("%s 3600 IN SOA ns.%s h.%s 1 3600 600 86400 60\n%s 3600 IN NS ns.%s\nns.%s 3600 IN A 192.0.2.1\n" % (
            (ZONE,) * 6))
        for start in range(0, names, 10000):
            f.write("".join("h%d.%s 300 IN A 10.%d.%d.%d\n" % (i, ZONE, i >> 16, i >> 8 & 255, i & 255)
                            for i in range(start, min(start + 10000, names))))
    return path


def question(name, ident):
    return struct.pack("!6H", ident, 0, 1, 0, 0, 0) + servers.wire_name(name) + struct.pack("!2H", 1, 1)


def pss(server):
    total = 0
    for pid in server.pids():
        with contextlib.suppress(OSError), open("/proc/%d/smaps_rollup" % pid) as f:
            total += next(int(line.split()[1]) for line in f if line.startswith("Pss:")) * 1024
    return total


def settled_pss(server):
    """Freed memory may go back to the system some time after a load."""
    last = pss(server)
    for _ in range(20):
        time.sleep(0.25)
        now = pss(server)
        if abs(now - last) < 1 << 20:
            break
        last = now
    return now


class Knot(servers.Knot):
    """With a control socket, and changes kept in memory: what we measure is knotd, not its disk."""

    def command(self):
        out = super().command()
        self.write("knot.conf", open(self.path("knot.conf")).read().replace(
            "  background-workers: 1\n", "  background-workers: 1\ncontrol:\n  listen: %s\n" % self.path("c"), 1)
            .replace("  udp-max-payload: 1232\n  automatic-acl: off\n", ""))
        return out

    def ctl(self, *args):
        subprocess.run([servers.program("knotc"), "-s", self.path("c"), *args], check=True, capture_output=True)

    def change(self, name, address):
        owner = name[:-len(ZONE) - 1]
        self.ctl("zone-begin", ZONE)
        self.ctl("zone-unset", ZONE, owner, "A")
        self.ctl("zone-set", ZONE, owner, "5", "A", address)
        self.ctl("zone-commit", ZONE)


class Gtmd(servers.Gtmd):
    load_timeout = 300.0

    def change(self, name, address):
        self.api("PUT", "zones/%s/rrsets/%s/A" % (ZONE, name[:-len(ZONE) - 1]),
                 json.dumps({"ttl": 5, "records": [address]}))


class Nsd(servers.Nsd):
    pass


for cls in (Knot, Nsd):
    cls.load_timeout = 300.0


# ---- questions while it happens ----

def ask_random(address, names, rate, stop_fd):
    """Child process: questions at `rate` until stop_fd is readable; prints what came of them."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    s.connect(address)
    s.setblocking(False)
    r = random.Random(1)
    sent_at, worst, answered, sent, wrong = {}, [], 0, 0, 0

    def receive():
        nonlocal answered, wrong
        while True:
            try:
                data, extra, _, _ = s.recvmsg(2048, 64)
            except BlockingIOError:
                return
            at = sent_at.pop(struct.unpack_from("!H", data)[0], None)
            if at is None:
                continue
            sec, nsec = struct.unpack("qq", extra[0][2])
            answered += 1
            wrong += data[3] & 15 != 0 or data[6:8] != b"\0\1"
            worst.append(max(0.0, sec + nsec / 1e9 - at))

    lost = 0
    start = time.monotonic()
    stopping = None
    while stopping is None or time.monotonic() < stopping:
        due = int((time.monotonic() - start) * rate) - sent
        for _ in range(min(due, 64) if stopping is None else 0):
            ident = sent & 0xffff
            lost += sent_at.pop(ident, None) is not None
            s.send(question("h%d.%s" % (r.randrange(names), ZONE), ident))
            sent_at[ident] = time.time()
            sent += 1
        receive()
        if stopping is None and select.select([stop_fd], [], [], 0.0002)[0]:
            stopping = time.monotonic() + 1
    lost += len(sent_at)
    print(json.dumps({"sent": sent, "answered": answered, "lost": lost, "wrong": wrong, "gap_ms": max(worst) * 1000,
                      "p99_ms": quantile(worst, .99) * 1000}))


@contextlib.contextmanager
def asked(server, names, rate, result):
    child = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--ask", "%s:%d" % server.address, "--names", str(names),
                              "--rate", str(rate)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(0.5)
        yield
    finally:
        out, _ = child.communicate("")
        result.update(json.loads(out))


def until_shown(server, name, address, started):
    want = bytes(int(x) for x in address.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.5)
        s.connect(server.address)
        for ident in range(1 << 16):
            s.send(question(name, ident))
            with contextlib.suppress(OSError):
                if s.recv(2048).endswith(want):
                    return time.monotonic() - started
            if time.monotonic() - started > 60:
                break
    raise AssertionError("%s never showed %s" % (server.name, address))


def changes(server, names, n):
    r = random.Random(2)
    taken = []
    for i in range(n):
        name, address = "h%d.%s" % (r.randrange(names), ZONE), "192.0.2.%d" % (i % 250 + 1)
        started = time.monotonic()
        server.change(name, address)
        taken.append(until_shown(server, name, address, started))
        time.sleep(0.02)
    return taken


# ---- the run ----

def started(cls, folder, zones):
    begin = time.monotonic()
    server = cls(tempfile.mkdtemp(dir=folder), zones)
    server.launch()
    return server, begin


def one_round(cls, folder, small, big, names, figures):
    """One server: start with little, with much; figures of both."""
    base, begin = started(cls, folder, {ZONE: small})
    with contextlib.closing(contextlib.ExitStack()) as stack:
        stack.callback(base.stop)
        base.load()
        base.wait_served(0.002)
        start_s = time.monotonic() - begin
        empty = settled_pss(base)
        if cls is Gtmd:
            begin = time.monotonic()
            base.put_zone(ZONE, big)
            figures["load"].append(time.monotonic() - begin)
            base.wait_served(0.002)
            figures["memory after load"].append((settled_pss(base) - empty) / names)
            base.stop()
            begin = time.monotonic()
            base.launch()
            base.wait_served(0.002)
            figures["restart"].append(time.monotonic() - begin)
            figures["memory"].append((settled_pss(base) - empty) / names)
            return
    server, begin = started(cls, folder, {ZONE: big})
    with contextlib.closing(contextlib.ExitStack()) as stack:
        stack.callback(server.stop)
        server.wait_served(0.002)
        figures["load"].append(time.monotonic() - begin - start_s)
        figures["memory"].append((settled_pss(server) - empty) / names)


def change_run(cls, folder, big, names, n, rate):
    out = {}
    with cls(tempfile.mkdtemp(dir=folder), {ZONE: big}) as server:
        idle, busy = {}, {}
        with asked(server, names, rate, idle):
            time.sleep(min(10, n * 0.03))
        with asked(server, names, rate, busy):
            out["taken"] = changes(server, names, n)
        out["idle"], out["busy"] = idle, busy
    return out


def middle(values):
    return statistics.median(values), min(values), max(values)


def line(what, text, target=""):
    print("%-44s %-44s %s" % (what, text, target))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--names", type=int, default=1000000)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--changes", type=int, default=100)
    p.add_argument("--rate", type=int, default=5000)
    p.add_argument("--ask")
    a = p.parse_args()
    if a.ask:
        ip, port = a.ask.split(":")
        ask_random((ip, int(port)), a.names, a.rate, 0)
        return
    machine()
    figures = {c: {"load": [], "memory": [], "restart": [], "memory after load": []} for c in (Gtmd, Nsd, Knot)}
    with tempfile.TemporaryDirectory(prefix="gtm-scale-") as folder:
        small, big = write_zone(os.path.join(folder, "small"), 0), write_zone(os.path.join(folder, "big"), a.names)
        for _ in range(a.rounds):
            for cls in figures:
                one_round(cls, folder, small, big, a.names, figures[cls])
        for cls in figures:
            f = figures[cls]
            line("%s: load of %d names" % (cls.name, a.names), "%.2f s (%.2f to %.2f)" % middle(f["load"]))
            line("%s: memory a name" % cls.name, "%.0f B (%.0f to %.0f)" % middle(f["memory"]))
        f = figures[Gtmd]
        line("gtmd: restart with them", "%.2f s (%.2f to %.2f)" % middle(f["restart"]))
        line("gtmd: memory a name after the load", "%.0f B (%.0f to %.0f)" % middle(f["memory after load"]))
        line("load, gtmd / knot", "%.2f (%.2f to %.2f)" % middle([x / y for x, y in zip(f["load"], figures[Knot]["load"])]),
             "target <= 1.5")
        line("memory, gtmd / nsd", "%.2f (%.2f to %.2f)" % middle([x / y for x, y in zip(f["memory"], figures[Nsd]["memory"])]),
             "target <= 1")
        for cls, n in ((Gtmd, a.changes), (Knot, max(3, a.changes // 20))):
            c = change_run(cls, folder, big, a.names, n, a.rate)
            t = c["taken"]
            ours = cls is Gtmd
            line("%s: one change visible after" % cls.name, "p50 %.1f  p95 %.1f  max %.1f ms, n %d" % (
                quantile(t, .5) * 1e3, quantile(t, .95) * 1e3, max(t) * 1e3, n), "target < 20 ms" if ours else "")
            for when in ("idle", "busy"):
                b = c[when]
                line("%s: questions while %s" % (cls.name, "changing" if when == "busy" else "nothing changes"),
                     "%d sent, %d lost, %d wrong, gap %.1f ms, p99 %.2f" % (b["sent"], b["lost"], b["wrong"], b["gap_ms"], b["p99_ms"]),
                     "target 0 lost, gap <= 10 ms" if ours and when == "busy" else "")


if __name__ == "__main__":
    main()
