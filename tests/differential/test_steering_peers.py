# SPDX-License-Identifier: GPL-3.0-or-later
"""The same sites, weights and networks in gtmd, gdnsd and Knot DNS: who answers whom, and for how wide a network that is said
to hold. Every difference is in accepted_steering.yaml with its reason, or the test fails.

A difference is between gtmd and one peer. Of a scope the oracle (steering_world.py) says what is wrong with the peer's:
"wide" holds for clients who get another answer, "narrow" could be wider; so a rule accepts nothing that is not proved. What
gtmd says itself is exactly what the oracle says, for every question.
"""
import collections
import contextlib
import ipaddress
import math
import os
import random
import re
import sys

import pytest
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import asking  # noqa: E402
import servers  # noqa: E402
import steering_servers  # noqa: E402
import steering_world as sw  # noqa: E402
import wire  # noqa: E402

pytestmark = pytest.mark.skipif(not (servers.program("gdnsd") and steering_servers.has_knot_geoip()),
                                reason="gdnsd and knot-module-geoip are not installed (packages.txt)")

RESOLVERS = ["127.1.0.0/16", "127.1.128.0/17", "127.2.0.0/16", "127.2.3.0/24", "127.2.3.4/32", "127.16.0.0/12"]

# subnet: (version, number, bits) or None; source: the resolver's address
Question = collections.namedtuple("Question", "name subnet source")
Difference = collections.namedtuple("Difference", "world question peer aspect ours theirs relation")
Heard = collections.namedtuple("Heard", "rcode answer subnet")


# ---- asking ----

def message(q):
    options = b"" if q.subnet is None else wire.subnet_option(*q.subnet)
    return wire.message(wire.name("%s.%s" % (q.name.label, sw.ZONE)), 1, 1, 0, wire.opt(options=options), 1)


def heard(raw):
    if raw is None:
        return Heard("none", frozenset(), None)
    reply = wire.parse(raw)
    return Heard(reply.rcode, frozenset((r.type, r.ttl, r.rdata) for r in reply.answer), wire.client_subnet(raw))


def replies(listeners, questions):
    """For each question what each server said; by source, since a socket has one."""
    out = {}
    for source in sorted({q.source for q in questions}):
        mine = [q for q in questions if q.source == source]
        raw = asking.udp([s.address for s in listeners], [message(q) for q in mine], source=source)
        out.update(zip(mine, zip(*([heard(x) for x in of] for of in raw))))
    return out


def questions_of(r, world, name):
    nets = sw.networks(world, name)
    n4, n6 = min(4000, len(nets) * 40), min(3000, len(nets) * 25)
    subnets = [(4, *c) for c in sw.clients(r, nets, 4, n4)] + [(6, *c) for c in sw.clients(r, nets, 6, n6)]
    out = [Question(name, s, "127.1.200.1") for s in subnets]
    sources = {"127.3.3.3", "127.31.255.254"}
    for text in RESOLVERS:
        net = ipaddress.ip_network(text)
        sources |= {str(net[1 if net.prefixlen < 32 else 0]), str(net[-2 if net.prefixlen < 32 else 0])}
    for source in sorted(sources):
        out += [Question(name, None, source), Question(name, (4, 0, 0), source), Question(name, (6, 0, 0), source),
                Question(name, r.choice(subnets), source)]
    return list(dict.fromkeys(out))


# ---- comparing ----

def client(q):
    """Whose position counts: RFC 7871 7.1.2 and 11.1, a source of 0 bits wants the resolver's."""
    if q.subnet is None or q.subnet[2] == 0:
        return 4, int(ipaddress.ip_address(q.source))
    version, number, bits = q.subnet
    if version == 6 and number >> 32 == 0xffff and bits >= 96:
        return 4, number & 0xffffffff
    return version, number


def records(ips):
    return frozenset((1, sw.TTL, ipaddress.ip_address(ip).packed) for ip in ips)


def wanted(oracle, q):
    version, number = client(q)
    subnet = None
    if q.subnet is not None:
        of, whole, bits = q.subnet
        scope = 0 if bits == 0 else oracle.scope(version, number) + (96 if of != version else 0)
        subnet = wire.Subnet({4: 1, 6: 2}[of], bits, scope, whole.to_bytes(sw.BITS[of] // 8, "big")[:(bits + 7) // 8])
    return Heard("NOERROR", records(oracle.values(version, number)), subnet)


def judge_scope(oracle, q, scope):
    version, number = client(q)
    scope -= 96 if version != q.subnet[0] and scope > 0 else 0
    if q.subnet[2] == 0 or not 0 <= scope <= sw.BITS[version]:
        return "other"
    if scope == 0:  # RFC 7871 7.2.1: for everybody, at least of the family
        return "narrow" if oracle.scope(version, number) == 0 else "wide"
    if not oracle.holds(version, number, scope):
        return "wide"
    return "narrow" if scope > oracle.scope(version, number) else "exact"


def differences(world, oracle, q, peer, ours, theirs):
    def found(aspect, a, b, relation=None):
        return Difference(world, q, peer, aspect, a, b, relation)
    if ours.rcode != theirs.rcode:
        yield found("rcode", ours.rcode, theirs.rcode)
        return
    if ours.answer != theirs.answer:
        yield found("answer", ours.answer, theirs.answer)
    if (ours.subnet is None) != (theirs.subnet is None):
        yield found("option", ours.subnet, theirs.subnet)
    elif ours.subnet is not None:
        if ours.subnet._replace(scope=0) != theirs.subnet._replace(scope=0):
            yield found("echo", ours.subnet, theirs.subnet)
        if ours.subnet.scope != theirs.subnet.scope:
            yield found("scope", ours.subnet.scope, theirs.subnet.scope, judge_scope(oracle, q, theirs.subnet.scope))


class Rule:
    KEYS = {"world", "name", "peer", "aspect", "family", "client", "relation", "theirs"}

    def __init__(self, spec):
        assert set(spec) == {"id", "reason", "when"} and set(spec["when"]) <= self.KEYS, spec
        self.id, self.matched = spec["id"], 0
        self.patterns = {k: re.compile(str(v)) for k, v in spec["when"].items()}

    def matches(self, d):
        of = {"world": d.world, "name": d.question.name.label, "peer": d.peer, "aspect": d.aspect,
              "family": "none" if d.question.subnet is None else str(d.question.subnet[0]), "client": where(d.question),
              "relation": d.relation or "none", "theirs": show(d.theirs)}
        if not all(p.fullmatch(of[k]) for k, p in self.patterns.items()):
            return False
        self.matched += 1
        return True


def where(q):
    if q.subnet is None:
        return "from " + q.source
    version, number, bits = q.subnet
    return "%s/%d" % (ipaddress.ip_address(number) if version == 4 else ipaddress.IPv6Address(number), bits)


def show(value):
    if isinstance(value, frozenset):
        texts = ["%s/%d" % (ipaddress.ip_address(d) if t == 1 else "type%d" % t, ttl) for t, ttl, d in sorted(value)]
        return " ".join(texts) or "empty"
    return str(value)


def tell(d):
    return "%s %s %s: %s of %s\n      ours:   %s\n      theirs: %s (%s)" % (
        d.world, d.question.name.label, where(d.question), d.aspect, d.peer, show(d.ours), show(d.theirs), d.relation)


def report(found):
    kinds = collections.defaultdict(list)
    for d in found:
        kinds[d.world, d.peer, d.aspect, d.relation].append(d)
    return "\n".join("%d x %s\n    %s" % (len(ds), " ".join(map(str, k)), "\n    ".join(map(tell, ds[:4])))
                     for k, ds in sorted(kinds.items(), key=str))


# ---- the worlds ----

def worlds():
    r, taken = random.Random("steering"), set()
    healthy = sw.World([sw.geo_name(r, taken, "flat", 4, 30, 12), sw.geo_name(r, taken, "deep", 7, 160, 60, resolvers=RESOLVERS),
                        sw.geo_name(r, taken, "four", 3, 25, 0)],
                       [sw.Weighted("w11", {"198.19.0.1": 1, "198.19.0.2": 1}),
                        sw.Weighted("w31", {"198.19.1.1": 3, "198.19.1.2": 1}),
                        sw.Weighted("w5", {"198.19.2.%d" % (i + 1): n for i, n in enumerate([7, 5, 3, 2, 1])}),
                        sw.Weighted("wfar", {"198.19.3.1": 254, "198.19.3.2": 1})])
    taken = set()
    names = [sw.geo_name(r, taken, "next", 6, 110, 40, next_line=True), sw.geo_name(r, taken, "home", 6, 80, 30)]
    down = [site for n in names for site in list(n.sites)[1:3]]
    whole = [("EU",), ("NA",), ("NA", "US"), ("NA", "US", "CA"), ("AS", "CN"), ("AS", "CN", "ZJ"), ("OC", "AU")]
    split = [("EU", "DE"), ("EU", "PL"), ("NA", "US", "NY"), ("AS",), ("AS", "JP")]
    rows = sw.geo_rows(r, 150, 60)
    places = [sw.placed_name(r, taken, "whole", whole), sw.placed_name(r, taken, "split", split)]
    mixed = [sw.placed_name(r, taken, "mixed", whole, 30, 10), sw.placed_name(r, taken, "upwards", whole, next_line=True)]
    failed = [n.places[place] for n in mixed for place in (("NA", "US"), ("AS", "CN", "ZJ"))]
    lined = [sw.Lined("lined", {None: {"198.19.4.1": 2, "198.19.4.2": 1}, "10.20.0.0/16": {"198.19.4.3": 1, "198.19.4.4": 3},
                                "10.20.30.0/24": {"198.19.4.5": 5, "198.19.4.6": 5, "198.19.4.7": 1}})]
    return {"healthy": healthy, "failing": sw.World(names, lined=lined, down=down), "data": sw.World(places, rows=rows),
            "data-failing": sw.World(mixed, rows=rows, down=failed)}


BOTH, GDNSD = (steering_servers.Gdnsd, steering_servers.KnotGeoip), (steering_servers.Gdnsd,)
PEERS = {"healthy": BOTH, "failing": GDNSD, "data": BOTH, "data-failing": GDNSD}


class Run:
    def __init__(self, folder, title, world):
        self.asked, self.found, self.wrong = 0, [], []
        with contextlib.ExitStack() as stack:
            self.servers = [stack.enter_context(s(folder, world)) for s in (steering_servers.GtmdSteering,) + PEERS[title]]
            for name in world.names:
                self.compare(title, world, name)
            self.drawn = {w.label: self.draw([Question(w, None, "127.1.200.1")] * DRAWS)[0] for w in world.weighted}
            for w in world.lined:  # by turns, so that each network's share is taken amid the others
                asked = [Question(w, subnet, "127.1.200.1") for _ in range(DRAWS) for subnet in LINED]
                for net, drawn in zip(w.groups, self.draw(asked, len(LINED))):
                    self.drawn[w.label, net] = drawn
            self.exit = self.servers[0].stop()

    def compare(self, title, world, name):
        r, oracle = random.Random(name.label), sw.Oracle(world, name)
        for q, (ours, *theirs) in replies(self.servers, questions_of(r, world, name)).items():
            self.asked += 1
            want = wanted(oracle, q)
            if ours != want:
                self.wrong.append((q, want, ours))
            for peer, said in zip(self.servers[1:], theirs):
                self.found += differences(title, oracle, q, peer.name, ours, said)

    def draw(self, asked, turns=1):
        """For each of the questions asked by turns {server: Counter of the addresses that came}."""
        raw = asking.udp([s.address for s in self.servers], [message(q) for q in asked], source=asked[0].source)
        return [{s.name: collections.Counter(x for reply in of[at::turns] for x in heard(reply).answer)
                 for s, of in zip(self.servers, raw)} for at in range(turns)]


@pytest.fixture(scope="module")
def rules():
    with open(os.path.join(HERE, "accepted_steering.yaml")) as f:
        return [Rule(spec) for spec in yaml.safe_load(f)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("steering")
    out = {}
    for title, world in worlds().items():
        (folder / title).mkdir()
        out[title] = Run(folder / title, title, world)
    return out


@pytest.mark.parametrize("title", PEERS)
def test_no_difference(runs, rules, title):
    run = runs[title]
    print("%s: asked %d, %d differences: %s" % (title, run.asked, len(run.found), dict(collections.Counter(
        (d.peer, d.aspect, d.relation) for d in run.found))))
    assert run.exit == 0
    found = [d for d in run.found if not any([rule.matches(d) for rule in rules])]
    assert not found, report(found)


@pytest.mark.parametrize("title", PEERS)
def test_ours_is_exact(runs, title):
    wrong = runs[title].wrong
    assert not wrong, "\n".join("%s %s\n    wanted %s\n    got    %s" % (q.name.label, where(q), want, got)
                                for q, want, got in wrong[:10])


def test_every_rule_is_needed(runs, rules):
    unused = [rule.id for rule in rules if not rule.matched]
    assert not unused, "accepted_steering.yaml lists what never happened: %s" % ", ".join(unused)


# ---- weights ----

DRAWS = 3000
LINED = [(4, 0x08080808, 32), (4, 0x0a140101, 32), (4, 0x0a141e07, 32)]  # a client of each group of `lined`
BOUND = 4.1  # of an exact share, whatever the number of answers (docs/internals/steer.md)
SIGMAS = 5   # of peers who draw lots


def check_shares(title, shares, drawn):
    total = sum(shares.values())
    for server, counts in drawn.items():
        worst = 0.0
        for ip, weight in shares.items():
            share = weight / total
            off = counts[next(iter(records([ip])))] - DRAWS * share
            worst = max(worst, abs(off))
            bound = BOUND if server == "gtmd" else SIGMAS * math.sqrt(DRAWS * share * (1 - share)) + 1
            assert abs(off) <= bound, (server, title, dict(counts))
        assert sum(counts.values()) == DRAWS, (server, title, dict(counts))
        print("%s %s: %d answers, none further than %.1f from its share" % (title, server, DRAWS, worst))


@pytest.mark.parametrize("w", worlds()["healthy"].weighted, ids=lambda w: w.label)
def test_shares(runs, w):
    check_shares(w.label, w.shares, runs["healthy"].drawn[w.label])


@pytest.mark.parametrize("w", worlds()["failing"].lined, ids=lambda w: w.label)
def test_shares_of_each_line(runs, w):
    for net, shares in w.groups.items():
        check_shares("%s of %s" % (w.label, net), shares, runs["failing"].drawn[w.label, net])
