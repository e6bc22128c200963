# SPDX-License-Identifier: GPL-3.0-or-later
"""What measured results look like: as text, in docs/performance.md between its markers, and as SVG.

    python3 bench/publish.py        tables and plots again, from bench/results
"""
import dataclasses
import json
import os
import re
import statistics

import svg

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RESULTS = os.path.join(ROOT, "bench", "results")
DOCS = os.path.join(ROOT, "docs")
PAGE = os.path.join(DOCS, "performance.md")
ORDER = ("echo", "gtmd", "gdnsd", "nsd", "knot", "pdns")


@dataclasses.dataclass
class Workload:
    name: str
    title: str
    family: str  # of the world: "static", "scale", "steer"
    asks: str    # of the blaster; {names} is the size of the big zone
    steers: str = ""
    ratio: float = 0  # target of the CPU time a query, to the echo's
    instructions: float = 0
    qps: float = 0
    tcp: bool = False

    def args(self, names):
        return self.asks.format(names=names).split()

    def fits(self, cls):
        return not self.steers or self.steers in cls.steers


WORKLOADS = (
    Workload("static", "static A, 1,000 names", "static", "--name h%.static.test --of 1000 --answers 1",
             ratio=1.05, instructions=500),
    Workload("nxdomain", "NXDOMAIN, random names", "static",
             "--name x%.static.test --of 1000000000 --rcode 3 --answers 0", ratio=1.05, instructions=600),
    Workload("tcp", "TCP, 16 connections x 32 pipelined", "static",
             "--tcp 1 --sockets 16 --window 32 --name h%.static.test --of 1000 --answers 1", qps=600000, tcp=True),
    Workload("big", "zone of {names:,} names, random", "scale", "--name n%.scale.test --of {names} --answers 1", ratio=1.15),
    Workload("weighted", "weighted 3:2:1, health-checked", "steer", "--name w%.steer.test --of 100 --answers 1",
             steers="weighted", ratio=1.05, instructions=600),
    Workload("failover", "failover of two, health-checked", "steer", "--name f%.steer.test --of 100 --answers 1",
             steers="failover", ratio=1.05, instructions=600),
    Workload("set", "all healthy ones of four", "steer", "--name s%.steer.test --of 100 --answers 4", steers="set"),
    Workload("geo", "country of a random client subnet (ECS /24)", "steer",
             "--name g%.steer.test --of 100 --ecs 1 --answers 1", steers="geo", ratio=1.05, instructions=900),
)


# ---- figures ----

def spread(values):
    return statistics.median(values), min(values), max(values)


def ratios(runs, name):
    return [mine["cpu_us"] / echo["cpu_us"] for mine, echo in zip(runs[name]["max"], runs["echo"]["max"]) if echo["cpu_us"] > 0]


def middle(runs, key):
    return statistics.median(r[key] for r in runs) if runs else None


def figures(results, w, name):
    """What is shown of one server in one workload."""
    of = results["workloads"].get(w.name)
    out = {"instructions": results["instructions"].get(w.name, {}).get(name)}
    if of and name in of["runs"]:
        runs = of["runs"][name]
        out.update(qps=spread([r["qps"] for r in runs["max"]]), cpu=middle(runs["max"], "cpu_us"),
                   ratio=spread(ratios(of["runs"], name)), p50=middle(runs["rate"], "p50_us"), p99=middle(runs["rate"], "p99_us"),
                   bad=sum(r["lost"] + r["wrong"] for r in runs["max"] + runs["rate"]), busy=middle(runs["max"], "busy"))
    return out


def cells(f):
    def text(form, *values):
        return form % values if all(v is not None for v in values) else ""
    qps, ratio = f.get("qps", (None,) * 3), f.get("ratio", (None,) * 3)
    return [text("%.0fk (%.0f to %.0f)", *(v and v / 1000 for v in qps)), text("%.2f", f.get("cpu")),
            text("%.2f (%.2f to %.2f)", *ratio), text("%.0f", f["instructions"]),
            text("%.0f / %.0f", f.get("p50"), f.get("p99")), text("%d", f.get("bad"))]


HEADS = ["server", "queries a second", "CPU us", "to echo", "instructions", "p50 / p99 us", "lost, wrong"]


def rows(results, w):
    known = set(results["workloads"].get(w.name, {}).get("runs", {})) | set(results["instructions"].get(w.name, {}))
    return [[name] + cells(figures(results, w, name)) for name in ORDER if name in known]


def title(results, w):
    of = results["workloads"].get(w.name, {})
    return w.title.format(names=results["names"]) + ("; latency at %d,000 a second" % (of["rate"] // 1000) if "rate" in of else "")


def verdicts(results, w):
    """Targets and whether gtmd reaches them."""
    f = figures(results, w, "gtmd")
    for what, value, bound, good in (
            ("CPU to echo", f.get("ratio", (None,))[0], w.ratio, lambda v, b: v <= b),
            ("instructions", f["instructions"], w.instructions, lambda v, b: v <= b),
            ("queries a second", f.get("qps", (None,))[0], w.qps, lambda v, b: v >= b)):
        if bound and value is not None:
            yield "%s %s %s %g: %s" % (what, ("%.2f" if value < 10 else "%.0f") % value, "target", bound,
                                       "ok" if good(value, bound) else "MISS")


def noise(results):
    """How much the same echo differed from run to run, and the load while it ran."""
    spreads, loads = [], []
    for of in results["workloads"].values():
        qps = [r["qps"] for r in of["runs"]["echo"]["max"]]
        spreads.append((max(qps) - min(qps)) / statistics.median(qps) * 100)
        loads += [r["load"] for runs in of["runs"].values() for r in runs["max"] + runs["rate"]]
    return "%s UTC, load %.1f at the start%s; %d rounds of %.1f s%s" % (
        results["when"], results["load_before"],
        ", %.1f to %.1f meanwhile (the run itself makes 2)" % (min(loads), max(loads)) if loads else "", results["rounds"],
        results["seconds"], ", server and generator scheduled as real-time" if results["fifo"] else "") + (
            "; the echo server's maximum differed by %.0f %% (median over workloads; worst %.0f %%)" % (
                statistics.median(spreads), max(spreads)) if spreads else "")


def measured(results):
    return [w for w in WORKLOADS if w.name in results["workloads"] or w.name in results["instructions"]]


# ---- as text ----

def table_text(head, body):
    widths = [max(len(row[i]) for row in [head] + body) for i in range(len(head))]
    return "\n".join("  ".join(c.ljust(n) if i == 0 else c.rjust(n) for i, (c, n) in enumerate(zip(row, widths)))
                     for row in [head] + body)


def queries_text(results):
    out = [noise(results)]
    for w in measured(results):
        out += ["", title(results, w), table_text(HEADS, rows(results, w))]
        out += ["    gtmd: " + v for v in verdicts(results, w)]
    return "\n".join(out)


# ---- as a page ----

def table_page(head, body):
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] + ["---:"] * (len(head) - 1)] + body)


def into_page(marker, text):
    with open(PAGE) as f:
        page = f.read()
    begin, end = "<!-- %s: written by bench/publish.py -->\n" % marker, "<!-- end of %s -->" % marker
    if begin not in page or end not in page:
        raise ValueError("%s has no place for %s" % (PAGE, marker))
    page = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: begin + "\n" + text + "\n\n" + end, page, flags=re.S)
    with open(PAGE, "w") as f:
        f.write(page)


def queries_page(results):
    out = [noise(results) + "."]
    for w in measured(results):
        out.append("### " + title(results, w)[0].upper() + title(results, w)[1:])
        found = list(verdicts(results, w))
        out.append(table_page(HEADS, rows(results, w)) + ("\n\ngtmd: " + "; ".join(found) + "." if found else ""))
    return "\n\n".join(out)


def plot_queries(results, folder):
    for key, name, what, digits in (
            ("ratio", "ratio", "CPU time a query, times the echo server's (median; less is better)", 2),
            ("instructions", "instructions", "user-space instructions a query (less is better)", 0)):
        groups = []
        for w in measured(results):
            bars = []
            for server in ORDER[1:]:
                f = figures(results, w, server).get(key)
                value = f[0] if isinstance(f, tuple) else f
                if value is not None:
                    bars.append((server, value, f[1:] if isinstance(f, tuple) else None))
            if bars and not w.tcp or key == "instructions" and bars:
                groups.append((w.title.format(names=results["names"]), bars))
        if groups:
            svg.write(os.path.join(folder, "queries-%s.svg" % name), what, groups, digits,
                      cap=6 if key == "ratio" else 10000, line=1 if key == "ratio" else None)


# ---- under change ----

LIMIT = 1.5  # of the p99 while things change, to that while they do not
CHANGE_HEADS = ["", "questions a second", "p50 us", "p99 us", "p99.9 us", "longest us", "gap without a reply us",
                "waits for its core", "lost, wrong"]


def change_rows(results):
    for what in ("quiet", "changing"):
        runs = results["runs"][what]
        yield [what, "%.0f" % middle(runs, "qps")] + ["%.0f" % middle(runs, k) for k in ("p50_us", "p99_us", "p999_us")] + [
            "%.0f" % max(r["max_us"] for r in runs), "%.0f" % max(r["gap_us"] for r in runs),
            "%.1f %%" % (100 * middle(runs, "waited")), "%d" % sum(r["lost"] + r["wrong"] for r in runs)]


def change_says(results):
    quiet, changing = results["runs"]["quiet"], results["runs"]["changing"]
    pairs = spread([c["p99_us"] / q["p99_us"] for q, c in zip(quiet, changing)])
    applied = {k: statistics.mean(r[k + "_s"] for r in changing) for k in ("records", "weights", "verdicts")}
    bad = sum(r["lost"] + r["wrong"] for r in changing)
    yield ("changes applied a second: %.0f records, %.0f weights, %.0f verdicts, %.0f in all; a write took %.1f ms (median; "
           "longest %.0f), %d were durable and not yet served after a second" % (
               *applied.values(), sum(applied.values()), results["write_ms"], results["write_max_ms"], results["unserved"]))
    yield "p99 while changing, times the quiet one: %.2f (%.2f to %.2f), target <= %.1f: %s" % (
        *pairs, LIMIT, "ok" if pairs[0] <= LIMIT else "MISS")
    yield "lost or wrong while changing: %d, target 0: %s" % (bad, "ok" if bad == 0 else "MISS")


def change_head(results):
    return "%s UTC, load %.1f at the start; at %d questions a second, half of %.0f; %d stretches of %g s each in turns%s" % (
        results["when"], results["load_before"], results["rate"], results["most"], len(results["runs"]["quiet"]),
        results["seconds"], "; run before other work of the machine" if results["favour"] else "")


def change_text(results):
    return "\n".join([change_head(results), table_text(CHANGE_HEADS, list(change_rows(results))), *change_says(results)])


def publish_change(results):
    into_page("change", change_head(results) + ".\n\n" + table_page(CHANGE_HEADS, list(change_rows(results))) + "\n\n" +
              "\n".join("- " + line for line in change_says(results)))


# ---- scale ----

def scale_rows(results):
    """[what, at a hundredth, at full size, the one by the other]"""
    def row(what, form, small, large):
        return [what, form % small, form % large, "%.2f" % (large / small)]
    if "engine" in results:
        small, large = results["engine"]
        for label, what in (("verdict", "engine: a verdict changes, and with it a pool and a domain"),
                            ("weight", "engine: a domain is put with another weight"), ("record", "engine: a record is replaced"),
                            ("new-record", "engine: a record is added")):
            yield row(what + ", instructions", "%.0f", small[label], large[label])
    if "server" in results:
        small, large = results["server"]
        for change in small["changes"]:
            for key, what, form in (("ms", "until served, ms", "%.1f"), ("max_ms", "longest, ms", "%.1f"),
                                    ("cpu_us", "CPU of all of gtmd, us", "%.0f")):
                yield row("REST: one %s, %s" % (change, what), form, small["changes"][change][key], large["changes"][change][key])
        for name in small["query_us"]:
            yield row("query for a random %s, CPU us" % name, "%.2f", small["query_us"][name], large["query_us"][name])
        yield row("load of the records, s", "%.2f", small["zone_s"], large["zone_s"])
        yield row("load of the objects by REST, s", "%.2f", small["objects_s"], large["objects_s"])
        yield row("stop, s", "%.2f", small["stop_s"], large["stop_s"])
        yield row("start until an answer, s", "%.2f", small["restart_s"], large["restart_s"])
        for name in small["mib"]:
            yield row("memory of the %s process, MiB" % name, "%.1f", small["mib"][name], large["mib"][name])


def scale_heads(results):
    return ["", "a hundredth", "{records:,} records, {domains:,} domains, {addresses:,} addresses".format(**results), "ratio"]


def scale_text(results):
    return "%s UTC, load %.1f\n" % (results["when"], results["load_before"]) + table_text(
        scale_heads(results), list(scale_rows(results)))


def publish_scale(results):
    into_page("scale", "%s UTC, load %.1f at the start, %.1f at the end.\n\n" % (
        results["when"], results["load_before"], results["load_after"]) + table_page(
            scale_heads(results), list(scale_rows(results))))


# ---- one answer ----

COST_HEADS = ["instructions", "plain", "with ECS"]


def cost_head(results):
    return "{domains:,} domains, {ranges:,} networks; the measuring loop's own {loop:.0f} instructions are taken off".format(**results)


def cost_text(results):
    return cost_head(results) + "\n" + table_text(COST_HEADS, results["rows"])


def publish_cost(results):
    into_page("cost", cost_head(results) + ".\n\n" + table_page(COST_HEADS, results["rows"]))


# ---- files ----

def folder_of(to_docs):
    return RESULTS if to_docs else os.path.join(ROOT, "build", "bench")


def read(name, to_docs):
    """What was written last; {} if nothing was."""
    try:
        with open(os.path.join(folder_of(to_docs), name + ".json")) as f:
            return json.load(f)
    except FileNotFoundError:
        return {}


def write(name, results, to_docs):
    folder = folder_of(to_docs)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name + ".json"), "w") as f:
        json.dump(results, f, indent=1)
        f.write("\n")
    if to_docs:
        PUBLISHED[name](results)


def write_queries(results, to_docs):
    write("queries", results, to_docs)


def write_change(results, to_docs):
    write("change", results, to_docs)


def write_scale(results, to_docs):
    write("scale", results, to_docs)


def write_cost(results, to_docs):
    write("cost", results, to_docs)


def publish_queries(results):
    os.makedirs(os.path.join(DOCS, "images"), exist_ok=True)
    plot_queries(results, os.path.join(DOCS, "images"))
    into_page("queries", queries_page(results))


PUBLISHED = {"queries": publish_queries, "change": publish_change, "scale": publish_scale,
             "cost": publish_cost}


def main():
    for name, function in PUBLISHED.items():
        path = os.path.join(RESULTS, name + ".json")
        if os.path.exists(path):
            with open(path) as f:
                function(json.load(f))


if __name__ == "__main__":
    main()
