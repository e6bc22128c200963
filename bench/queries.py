# SPDX-License-Identifier: GPL-3.0-or-later
"""gtmd and its peers under the same questions: queries a second, CPU time and instructions a query, latency.

    python3 bench/queries.py [--quick] [--rounds N] [--only time|instructions] [--fifo] [--publish] [WORKLOAD...]

Servers on core 0, bench/blaster on core 1, one server thread. Of a workload every server is started; then they are asked
in turns, round by round, first as fast as they answer, then all at one rate: half of what the slowest can, 50,000 at most.
A ratio is of the CPU time a query to the echo server's in the same round. Every reply is checked, losses are counted.

--fifo      real-time scheduling of server and blaster, so that other work on the machine gets in the way less
--only      time or instructions: the other stays what it was in the results
--publish   write bench/results/queries.json and the tables and plots of docs/performance.md (else build/bench/)
"""
import argparse
import contextlib
import datetime
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import instructions
import peers
import publish
from lab import machine

Workload = publish.Workload
WORKLOADS = publish.WORKLOADS
ALL = (peers.Echo,) + peers.ALL
SOCKETS, WINDOW = 16, 12  # what is under way fits into the default receive buffer
MOST = 50000


def load_average():
    with open("/proc/loadavg") as f:
        return float(f.read().split()[0])


class Run:
    def __init__(self, a, folder):
        self.a, self.folder = a, folder
        fifo = ["chrt", "-f", "1"] if a.fifo else []
        self.server_prefix, self.load_prefix = fifo + ["taskset", "-c", "0"], fifo + ["taskset", "-c", "1"]

    def started(self, stack, cls, world, prefix=None):
        server = cls(tempfile.mkdtemp(dir=self.folder), world)
        server.prefix = self.server_prefix if prefix is None else prefix(server.folder)
        stack.callback(server.stop)
        return server.start()

    def blast(self, server, workload, *options):
        args = workload.args(self.a.names)
        if isinstance(server, peers.Echo):
            args += ["--rcode", "0", "--answers", "0"]
        if not workload.tcp and "--sockets" not in options:
            args += ["--sockets", str(SOCKETS), "--window", str(WINDOW)]
        out = subprocess.run(self.load_prefix + [os.path.join(peers.BUILD, "blaster"), *args, "--pids",
                                                 ",".join(map(str, server.pids())), *options, server.ip, str(server.port)],
                             capture_output=True, text=True, timeout=60)
        if out.returncode != 0:
            raise RuntimeError("%s, %s: %s" % (server.name, workload.name, out.stderr))
        return dict(json.loads(out.stdout), load=load_average())

    def settle(self, server, workload):
        """Until every reply is right: checks have been made."""
        deadline = time.monotonic() + 30
        while True:
            got = self.blast(server, workload, "--count", "2000", "--sockets", "1", "--window", "16")
            if got["wrong"] == 0 and got["lost"] == 0:
                return
            if time.monotonic() > deadline:
                raise RuntimeError("%s, %s: %s" % (server.name, workload.name, got))
            time.sleep(0.5)

    def workload(self, servers, w):
        runs = {s.name: {"max": [], "rate": []} for s in servers}
        for s in servers:
            self.settle(s, w)
        seconds = ["--seconds", str(self.a.seconds), "--warm", "0.2"]
        for _ in range(self.a.rounds):
            for s in servers:
                runs[s.name]["max"].append(self.blast(s, w, *seconds, "--seed", "7"))
        if w.tcp:
            return {"runs": runs}
        slowest = min(statistics.median(r["qps"] for r in of["max"]) for of in runs.values())
        rate = max(1000, min(MOST, int(slowest / 2) // 1000 * 1000))
        for _ in range(self.a.rounds):
            for s in servers:
                runs[s.name]["rate"].append(self.blast(s, w, *seconds, "--sockets", "8", "--rate", str(rate), "--seed", "8"))
        return {"rate": rate, "runs": runs}

    def family(self, family, workloads, results):
        """All servers with the same data, then one workload after the other."""
        world = peers.World(tempfile.mkdtemp(dir=self.folder), [family], self.a.names)
        classes = [c for c in ALL if c is peers.Echo or any(w.fits(c) for w in workloads)]
        with contextlib.ExitStack() as stack:
            servers = [self.started(stack, c, world) for c in classes]
            for w in workloads:
                print("%s ..." % w.name, file=sys.stderr, flush=True)
                results["workloads"][w.name] = self.workload(
                    [s for s in servers if isinstance(s, peers.Echo) or w.fits(type(s))], w)
                publish.write_queries(results, False)  # what there is, if the run is ended

    def instructions(self, workloads):
        """{workload: {server: instructions a query}}"""
        workloads = [w for w in workloads if w.family != "scale"]
        world = peers.World(tempfile.mkdtemp(dir=self.folder), {w.family for w in workloads}, self.a.names)
        cost = {w.name: {} for w in workloads}
        for cls in (peers.Echo,) + peers.ALL:
            mine = [w for w in workloads if cls is peers.Echo or w.fits(cls)]
            if cls is peers.Pdns and not self.a.all_instructions or not mine:
                continue
            print("instructions: %s ..." % cls.name, file=sys.stderr, flush=True)
            with contextlib.ExitStack() as stack:
                server = self.started(stack, cls, world, instructions.prefix)
                for w in mine:
                    if cls is not peers.Echo:
                        self.settle(server, w)
                time.sleep(3)  # what starting has left to do
                args = [(w.name, w.args(self.a.names) + (["--rcode", "-1", "--answers", "-1"] if cls is peers.Echo else []))
                        for w in mine]
                for name, n in instructions.count(server, args, self.a.queries).items():
                    cost[name][cls.name] = n
        return cost


@contextlib.contextmanager
def target():
    """Where the checks go."""
    command = ["taskset", "-c", "1", os.path.join(peers.BUILD, "flap_target"), str(peers.CHECK_PORT), str(peers.CHECK_PORT + 1)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout.readline() == "ready\n", "flap_target did not start"
        yield
        p.stdin.close()


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=", ".join(w.name for w in WORKLOADS))
    p.add_argument("--quick", action="store_true", help="a few minutes: 3 rounds of half a second, a smaller big zone")
    p.add_argument("--rounds", type=int)
    p.add_argument("--seconds", type=float)
    p.add_argument("--names", type=int)
    p.add_argument("--queries", type=int, help="for counting instructions")
    p.add_argument("--only", choices=["time", "instructions"])
    p.add_argument("--all-instructions", action="store_true", help="of PowerDNS as well, which takes long")
    p.add_argument("--fifo", action="store_true")
    p.add_argument("--publish", action="store_true")
    a = p.parse_args()
    quick = dict(rounds=3, seconds=0.5, names=100000, queries=2000)
    full = dict(rounds=5, seconds=1.5, names=1000000, queries=10000)
    for key, value in (quick if a.quick else full).items():
        if getattr(a, key) is None:
            setattr(a, key, value)
    unknown = set(a.workloads) - {w.name for w in WORKLOADS}
    if unknown:
        p.error("no such workload: %s (there are %s)" % (", ".join(sorted(unknown)), ", ".join(w.name for w in WORKLOADS)))
    return a


def keep(results, earlier, only):
    """What was not measured this time is as it was."""
    if only == "instructions":
        results.update({k: v for k, v in earlier.items() if k != "instructions"})
    elif "instructions" in earlier:
        results["instructions"] = earlier["instructions"]


def main():
    a = arguments()
    build = ["bench/" + name for name in ("blaster", "echo", "flap_target")]
    subprocess.run(["ninja", "-C", os.path.join(peers.ROOT, "build"), *build], check=True, stdout=subprocess.DEVNULL)
    machine()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))  # whatever was started is stopped
    chosen = [w for w in WORKLOADS if not a.workloads or w.name in a.workloads]
    results = {"when": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M"), "load_before": load_average(),
               "fifo": a.fifo, "rounds": a.rounds, "seconds": a.seconds, "names": a.names, "workloads": {}, "instructions": {}}
    with tempfile.TemporaryDirectory(prefix="gtm-queries-") as folder, target():
        run = Run(a, folder)
        for family in ("static", "scale", "steer"):
            mine = [w for w in chosen if w.family == family]
            if mine and a.only != "instructions":
                run.family(family, mine, results)
        if a.only != "time":
            results["instructions"] = run.instructions(chosen)
    results["load_after"] = load_average()
    if a.only:
        keep(results, publish.read("queries", a.publish), a.only)
    publish.write_queries(results, a.publish)
    print(publish.queries_text(results))


if __name__ == "__main__":
    main()
