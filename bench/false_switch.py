#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Living targets behind a network that loses 20 % of all packets each way, probed as by default: how many are called dead.

    false_switch.py [SECONDS [TARGETS]]     600, and 100 of each protocol; at the end the same without repetition, shorter
"""
import collections
import sys
import tempfile
import time

from lab import harness, lab, machine  # noqa: I001 (it sets the path of the next)

import lossy

LOSS = 20
PROTOCOLS = ["tcp", "http", "https", "tls", "grpc", "udp", "dns", "ping"]


def outcomes(g):
    return {line.split('"')[1]: int(line.split()[-1]) for line in g.must("GET", "/metrics").splitlines()
            if line.startswith("gtm_probes_total{")}


def edges(g):
    """address.down by protocol"""
    seen, since = collections.Counter(), 0
    while True:
        page = g.must("GET", "events?limit=1000&since=%d" % since)["items"]
        seen.update(e["object"]["name"].rstrip("0123456789") for e in page if e["kind"] == "address.down")
        if not page:
            return seen
        since = max(e["id"] for e in page)


def trial(seconds, n, repeat):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write("probe:\n  repeat: %s\n" % ("true" if repeat else "false"))
        config.flush()
        with lab(args=("--config", config.name)) as g:
            for i, p in enumerate(PROTOCOLS):
                assert g.api("POST", "config:apply", {"objects": lossy.objects(p, n, i * n)}).status == 200
            time.sleep(10)
            before, packets = outcomes(g), lossy.lost()
            time.sleep(seconds)
            made = {k: v - before[k] for k, v in outcomes(g).items()}
            print("%-22s %4d s, %d targets: %d probes passed, %d failed, %d none; %d packets lost" % (
                "with repetition" if repeat else "without repetition", seconds, n * len(PROTOCOLS), made["passed"],
                made["failed"], made["none"], lossy.lost() - packets))
            down = edges(g)
            print("%-22s %d%s" % ("  false downs", sum(down.values()), ": " + ", ".join(
                "%s %d" % (p, down[p]) for p in PROTOCOLS) if down else "") + ("   target 0" if repeat else ""))


def main():
    seconds, n = (int(a) for a in (sys.argv[1:] + ["600", "100"][len(sys.argv) - 1:]))
    machine()
    with lossy.network(LOSS) as loss, tempfile.TemporaryDirectory() as directory:
        if loss is None:
            sys.exit("takes root, a network namespace and nft")
        targets = lossy.Targets(directory)
        try:
            trial(seconds, n, True)
            trial(min(seconds, 60), n, False)
        finally:
            targets.stop()


main()
