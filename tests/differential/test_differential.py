# SPDX-License-Identifier: GPL-3.0-or-later
"""The same zones in gtmd, NSD, Knot DNS and BIND, and the same questions: no difference that accepted.yaml does not list.

To look closer: pytest -s tests/differential; the peers' disagreements among themselves end up in the summary of each test.
"""
import collections
import contextlib
import os
import sys

import pytest
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import asking  # noqa: E402
import compare  # noqa: E402
import questions  # noqa: E402
import servers  # noqa: E402
import wire  # noqa: E402
import zones as zones_  # noqa: E402

pytestmark = pytest.mark.skipif(not all(map(servers.program, ("nsd", "knotd", "named", "dnssec-signzone"))),
                                reason="peers are not installed (packages.txt)")


class Run:
    """Every question asked; the differences by zone kind."""

    def __init__(self, folder, zones):
        self.zones = {z.name: z for z in zones}
        self.found = {True: [], False: []}  # by: needs DNSSEC
        self.strays = collections.Counter()
        self.asked = collections.Counter()
        with contextlib.ExitStack() as stack:
            self.servers = [stack.enter_context(self.server(s, folder)) for s in (servers.Gtmd,) + servers.PEERS]
            addresses = [s.address for s in self.servers]
            queries = questions.of_world(zones)
            queries.sort(key=lambda q: q.silent)  # those who get no reply wait together
            replies = self.compare("UDP", queries, asking.udp(addresses, [q.wire for q in queries]))
            again = [q for q, r in zip(queries, replies) if any(isinstance(x, wire.Reply) and x.tc for x in r)]
            self.compare("TCP", again, asking.tcp(addresses, [q.wire for q in again]))
            self.exit = self.servers[0].stop()

    def server(self, kind, folder):
        s = kind(folder, {z.name: z.file_for(kind.name) for z in self.zones.values()})
        s.imported = [z.name for z in self.zones.values() if z.raw]
        return s

    def needs_dnssec(self, q):
        """Signatures, and what only DNSSEC knows: the owners of NSEC3 are no names."""
        zone = self.zones.get(q.zone)
        return bool(zone and zone.signed and (q.variant.startswith("do") or q.qtype in (46, 47, 50) or
                                              any(len(x) > 30 for x in q.labels)))

    def compare(self, transport, queries, raw):
        replies = [[compare.parse(r) for r in rs] for rs in zip(*raw)]
        for q, (ours, *peers) in zip(queries, replies):
            self.asked[transport] += 1
            self.found[self.needs_dnssec(q)] += compare.differences(q, transport, ours, peers)
            for peer, aspect in compare.strays(peers):
                self.strays[self.servers[1 + peer].name, aspect] += 1
        return replies


@pytest.fixture(scope="module")
def rules():
    with open(os.path.join(HERE, "accepted.yaml")) as f:
        return [compare.Rule(spec) for spec in yaml.safe_load(f)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("differential")
    out = {}
    for name, zones in zones_.worlds(str(folder)).items():
        (folder / name).mkdir()
        out[name] = Run(folder / name, zones)
    return out


def unlisted(found, rules):
    return [d for d in found if not any([rule.matches(d) for rule in rules])]


@pytest.mark.parametrize("world", ["zones", "root"])
def test_no_difference(runs, rules, world):
    run = runs[world]
    print("%s: asked %s" % (world, dict(run.asked)))
    print("peers against the other two:", ", ".join("%s %s %d" % (*k, n) for k, n in sorted(run.strays.items())))
    assert run.exit == 0
    found = unlisted(run.found[False], rules)
    assert not found, compare.report(found)


def test_signed(runs, rules):
    found = unlisted(runs["zones"].found[True], rules)
    assert not found, compare.report(found)


def test_every_rule_is_needed(runs, rules):
    unused = [rule.id for rule in rules if not rule.matched]
    assert not unused, "accepted.yaml lists what never happened: %s" % ", ".join(unused)
