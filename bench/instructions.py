# SPDX-License-Identifier: GPL-3.0-or-later
"""User-space instructions a query of a whole server, by callgrind: real sockets, a fixed number of questions.

The same server is asked n and then 2 n questions, with its counters set to zero before each, and the difference is taken:
what it does by the way, and what valgrind's own calls cost, drop out.
"""
import glob
import os
import re
import subprocess

import peers

WINDOW = 32  # questions under way: what a batch can be
VALGRIND = ["valgrind", "--quiet", "--tool=callgrind", "--trace-children=yes", "--dump-instr=no"]


def control(option, pids):
    for pid in pids:
        subprocess.run(["callgrind_control", option, str(pid)], check=True, capture_output=True, timeout=60)


def dumped(folder):
    """Sum over the dumps that are there, which are then gone."""
    total = 0
    for path in glob.glob(os.path.join(folder, "callgrind.*.*")):
        with open(path) as f:
            found = re.search(r"^totals: (\d+)", f.read(), re.M)
        total += int(found[1]) if found else 0
        os.remove(path)
    return total


def traced(server):
    """Its processes but for those that only hold others."""
    out = []
    for pid in server.pids():
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            words = f.read().split(b"\0")
        if any(b"callgrind" in w or b"valgrind" in w for w in words[:3]):
            out.append(pid)
    return out


def asked(server, pids, args, n):
    control("-z", pids)
    out = subprocess.run([os.path.join(peers.BUILD, "blaster"), "--sockets", "1", "--window", str(WINDOW), "--count", str(n),
                          "--timeout", "10000", *args, server.ip, str(server.port)], check=True, capture_output=True, text=True)
    if out.stderr:
        raise RuntimeError(server.name + ": " + out.stderr)
    control("-d", pids)
    return dumped(server.folder)


def count(server, workloads, n):
    """server: started with VALGRIND as its prefix. {workload: instructions a query}"""
    pids, cost = traced(server), {}
    for name, args in workloads:
        asked(server, pids, args, n)  # warm
        once, twice = asked(server, pids, args, n), asked(server, pids, args, 2 * n)
        cost[name] = (twice - once) / n
    return cost


def prefix(folder):
    return VALGRIND + ["--callgrind-out-file=" + os.path.join(folder, "callgrind.%p")]
