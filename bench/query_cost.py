# SPDX-License-Identifier: GPL-3.0-or-later
"""Instructions of one answer, user space, by callgrind: repeatable on a loaded machine.

    query_cost.py [DOMAINS [QUERIES [RANGES]]]     the table with targets
    query_cost.py --publish                        it goes to docs/performance.md as well
    query_cost.py --write-table                    what tests/house/query_cost_test.py compares with
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

import publish

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..")
PROGRAM = os.path.join(ROOT, "build", "bench", "query_cost")
TABLE = os.path.join(HERE, "query_cost.table")
# (row, target without a client subnet, target with one)
ROWS = (("static", 500, None), ("nxdomain", 600, None), ("weight", 600, None), ("sequence", 600, None), ("hash", None, None),
        ("geo", None, 900), ("geo-each", None, 900))
GATE = ("2000", "2000", "60000")  # a small world, for the test suite


def count(program, domains, queries, ranges):
    """{label: instructions a query, less those of the measuring loop}"""
    cost = {}
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["valgrind", "--quiet", "--tool=callgrind", "--instr-atstart=no",
                        "--callgrind-out-file=" + os.path.join(scratch, "out"), program, domains, queries, ranges],
                       check=True, stdout=subprocess.DEVNULL)
        for path in glob.glob(os.path.join(scratch, "out.*")):
            with open(path) as f:
                text = f.read()
            label = re.search(r"Client Request: (\S+)", text)
            if label is not None:
                cost[label[1]] = int(re.search(r"^totals: (\d+)", text, re.M)[1]) / int(queries)
    loop = cost.pop("loop")
    return {label: n - loop for label, n in cost.items()}, loop


def read_table():
    with open(TABLE) as f:
        return {label: int(n) for label, n in (line.split() for line in f if line[0] != "#")}


def write_table():
    cost, _ = count(PROGRAM, *GATE)
    with open(TABLE, "w") as f:
        f.write("# Instructions an answer, written by bench/query_cost.py --write-table; gcc 12, debugoptimized.\n")
        f.writelines("%s %.0f\n" % row for row in sorted(cost.items()))


def cell(value, target):
    """With its target, if there is one."""
    if value is None:
        return ""
    return "%.0f" % value + ("" if target is None else " (<= %d: %s)" % (target, "ok" if value <= target else "MISS"))


def main():
    subprocess.run(["ninja", "-C", os.path.join(ROOT, "build"), "bench/query_cost"], check=True, stdout=subprocess.DEVNULL)
    if sys.argv[1:] == ["--write-table"]:
        write_table()
        return
    to_docs = sys.argv[1:] == ["--publish"]
    given = [] if to_docs else sys.argv[1:]
    domains, queries, ranges = given + ["100000", "20000", "600000"][len(given):]
    cost, loop = count(PROGRAM, domains, queries, ranges)
    results = {"domains": int(domains), "ranges": int(ranges), "loop": loop, "rows": [
        [row, cell(cost[row], plain), cell(cost.get(row + "+ecs"), ecs)] for row, plain, ecs in ROWS]}
    publish.write_cost(results, to_docs)
    print(publish.cost_text(results))


if __name__ == "__main__":
    main()
