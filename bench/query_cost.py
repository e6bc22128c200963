# SPDX-License-Identifier: GPL-3.0-or-later
"""Instructions of one answer, user space, by callgrind: repeatable on a loaded machine, so ratios are exact."""
import glob
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PROGRAM = os.path.join(ROOT, "build", "bench", "query_cost")
ROWS = ("static", "weight", "sequence", "hash", "geo", "geo-each")
TARGET = 1.1


def count(domains, queries):
    """{label: instructions a query}"""
    cost = {}
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no",
                        "--callgrind-out-file=" + os.path.join(scratch, "out"), PROGRAM, str(domains), str(queries)],
                       check=True, stdout=subprocess.DEVNULL)
        for path in glob.glob(os.path.join(scratch, "out.*")):
            with open(path) as f:
                text = f.read()
            label = re.search(r"Client Request: (\S+)", text)
            if label is not None:
                cost[label[1]] = int(re.search(r"^totals: (\d+)", text, re.M)[1]) / queries
    return cost


def main():
    domains, queries = (int(a) for a in (sys.argv[1:] + ["100000", "20000"][len(sys.argv) - 1:]))
    subprocess.run(["ninja", "-C", os.path.join(ROOT, "build"), "bench/query_cost"], check=True, stdout=subprocess.DEVNULL)
    cost = count(domains, queries)
    print("instructions an answer, %d domains, 600,000 ranges; target: weight, geo and ECS <= %.1f x static" % (
        domains, TARGET))
    print("%-12s %10s %7s %12s %7s" % ("", "plain", "", "with ECS", ""))
    for row in ROWS:
        plain, ecs = cost[row], cost[row + "+ecs"]
        print("%-12s %10.0f %6.3fx %12.0f %6.3fx" % (row, plain, plain / cost["static"], ecs, ecs / cost["static+ecs"]))
    print("%-12s %10.0f" % ("nxdomain", cost["nxdomain"]))


if __name__ == "__main__":
    main()
