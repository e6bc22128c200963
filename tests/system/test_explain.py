# SPDX-License-Identifier: GPL-3.0-or-later
"""What explain says is what is answered: random models, clients and resolvers, each explained and then asked for."""
import collections
import ipaddress
import json
import random

import pytest

from gtm import zone_text
from subnets import Client, rdata, scope

ZONE = "cloud-example.com"
BITS = {4: 32, 6: 128}
RESOLVERS = ["127.0.0.1", "127.88.3.4", "127.99.0.7"]
ROUNDS, CASES, DRAWS = 48, 24, 240  # each round in two states
WHAT_IF = 24                        # rounds after those


def focus(n):
    """Networks of round n: a network is in one line only."""
    return {4: (20 + n << 24, 8), 6: (0x24000000 + n << 96, 32)}


class Model:
    """Objects of one round, and the domain of it."""

    def __init__(self, r, n):
        self.r, self.n, self.objects, self.nets = r, n, [], []
        self.host = "e%d.%s" % (n, ZONE)
        self.type = r.choice(["A", "A", "A", "CNAME"])
        self.lines = self.draw_lines()
        self.words = self.lines + ["default"]
        self.strategy = r.choice(["round_robin", "weight", "sequence", "source_nearest", "hash"])
        self.links = [self.draw_pool(i) for i in range(r.randint(1, 6))]
        self.draw_domain()

    def put(self, kind, name, **spec):
        self.objects.append({"kind": kind, "name": name, "spec": spec})

    def draw_lines(self):
        names = []
        for i in range(self.r.choice([0, 1, 3, 6])):
            cidrs = self.draw_networks() + (["127.%d.0.0/16" % (88 + 11 * i)] if self.n == 0 and i < 2 else [])
            names.append("e%d-l%d" % (self.n, i))
            self.put("line", names[-1], cidrs=cidrs, parent=self.r.choice(["default"] + names[:-1]))
        return names

    def draw_networks(self):
        out = []
        for _ in range(self.r.randint(1, 4)):
            version = self.r.choice([4, 4, 6])
            start, bits = focus(self.n)[version]
            length = self.r.randint(bits + 1, {4: 32, 6: 64}[version])
            net = ipaddress.ip_network((start | self.r.getrandbits(length - bits) << BITS[version] - length, length))
            if net not in self.nets and not any(net.version == o.version and net.overlaps(o) for o in out):
                self.nets.append(net)
                out.append(net)
        return [str(x) for x in out]

    def some_lines(self, most):
        return sorted(set(self.r.choices(self.words, k=self.r.randint(1, most))))

    def draw_pool(self, i):
        r, name = self.r, "e%d-p%d" % (self.n, i)
        names = self.type == "CNAME" or self.strategy != "round_robin" and r.random() < .15
        links = []
        for k in range(r.randint(0 if i else 1, 4)):
            address = "%s-%d" % (name, k)
            state = r.choices(["available", "unavailable"], [4, 1])[0]
            self.put("address", address, type="domain" if names else "ipv4", enabled=r.random() < .92, mode="manual", manual_state=state,
                     value="%s.elsewhere.example" % address if names else "198.18.%d.%d" % (self.n, 8 * i + k))
            links.append(dict({"address": address, "weight": r.choice([0, 1, 1, 2, 7, 100]), "order": r.randint(1, 3)},
                              **({"lines": self.some_lines(2)} if r.random() < .25 else {})))
        self.put("pool", name, type="domain" if names else "ipv4", addresses=links,
                 strategy=r.choice(["round_robin", "weight", "sequence", "source_nearest", "hash"]),
                 sequence_mode=r.choice(["preemptive", "non_preemptive"]), max_answers=r.choice([0, 0, 1, 2, 3]),
                 enabled=r.random() < .92, healthy_when=r.choice(["any_ok", "any_ok", "p50_ok", "all_ok"]))
        return {"pool": name, "weight": r.choice([0, 1, 2, 5]), "order": r.randint(1, 3), "lines": self.some_lines(3)}

    def draw_domain(self):
        r = self.r
        fallback = r.choice(["fail_open", "fallback_pool", "last_good", "public_zone", "nodata"])
        self.ecs = r.random() < .85
        self.put("domain", "%s/%s" % (self.host, self.type), enabled=True, ttl=r.randint(30, 90), degraded_ttl=r.choice([0, 7]),
                 strategy=self.strategy, sequence_mode=r.choice(["preemptive", "non_preemptive"]), max_answers=r.choice([0, 0, 1, 2]),
                 line_failover=r.choice(["default", "next"]), ecs=self.ecs, fallback=fallback, pools=self.links,
                 **({"fallback_pool": r.choice(self.links)["pool"]} if fallback == "fallback_pool" else {}))

    def shake(self):
        """Others are up; every other time nobody is, and the fallback answers."""
        up = self.r.choice([0, .5])
        for o in self.objects:
            if o["kind"] == "address":
                o["spec"]["manual_state"] = "available" if self.r.random() < up else "unavailable"

    def clients(self):
        """(resolver, subnet or None)."""
        r = self.r
        for _ in range(CASES):
            version = r.choice([4, 4, 6])
            start, bits = focus(self.n)[version]
            if self.nets and r.random() < .7:
                net = r.choice(self.nets)
                version, number = net.version, int(r.choice([net.network_address, net.broadcast_address])) + r.choice([-1, 0, 0, 1])
            else:
                number = start | r.getrandbits(BITS[version] - bits)
            length = r.choice([BITS[version], {4: 24, 6: 56}[version], r.randint(1, BITS[version]), 0])
            if version == 4 and r.random() < .1:  # wrapped in IPv6
                version, number, length = 6, number | 0xffff << 32, length + 96
            subnet = str({4: ipaddress.IPv4Network, 6: ipaddress.IPv6Network}[version]((number, length), strict=False))
            yield r.choice(RESOLVERS), subnet if r.random() < .85 else None


class Explained:
    """One explanation, and what the answers say of it."""

    def __init__(self, told, model, resolver, subnet):
        self.told, self.model = told, model
        self.about = (model.host, resolver, subnet, json.dumps(told, indent=1))
        self.leads = collections.Counter()
        for c in told["candidates"]:
            self.leads[c["value"].rstrip(".")] += c["probability"]
        self.pools = {c["value"].rstrip("."): c["pool"] for c in told["candidates"]}  # no value is in two

    def check(self, a, subnet):
        answer, about = self.told["answer"], self.about
        records = [x.rstrip(".") for x in rdata(a)]
        assert a.rcode == answer["rcode"], about
        assert bool(records) == bool(answer["rdata"]) and len(set(records)) == len(records), (records, about)
        assert {x.ttl for x in a.answer} <= {answer["ttl"]}, (a, about)
        if subnet is not None:
            assert scope(a) == self.told["scope"], (a, about)
        if self.told["steered"] and records:
            assert self.leads[records[0]] > 0, (records, about)
            assert set(records) <= set(self.leads), (records, about)
            of = {self.pools[x] for x in records}
            assert len(of) == 1 or self.model.strategy == "round_robin" or self.told["fallback"], (records, about)
            if len({self.pools[x] for x, p in self.leads.items() if p > 0}) == 1 or self.model.strategy == "round_robin":
                assert len(records) == len(answer["rdata"]), (records, about)
        elif not self.told["steered"]:
            assert records == [x.rstrip(".") for x in answer["rdata"]], about
        if max(self.leads.values(), default=0) > 1 - 1e-9:
            assert records[0] == answer["rdata"][0].rstrip("."), about

    def check_line(self):
        """Whoever leads is linked by the line that is told, unless no line had anybody."""
        links = {x["pool"]: x["lines"] for x in self.model.links}
        if self.told["fallback"] or any("all available pools answer" in x["text"] for x in self.told["decision"]):
            return
        for c in self.told["candidates"]:
            if c["probability"] > 0:
                assert self.told["line"] in links[c["pool"]], self.about

    def check_counts(self, answers):
        first = collections.Counter(rdata(a)[0].rstrip(".") for a in answers if a.answer)
        for value in set(first) | set(self.leads):
            assert abs(first[value] - len(answers) * self.leads[value]) <= 6, (value, first, self.about)


@pytest.fixture(scope="module")
def gtm(shared_world):
    g = shared_world.gtm()
    # Every other name has a record of its own; under what-if all of them, since a name may exist for its steering only.
    own = [*range(0, ROUNDS, 2), *range(ROUNDS, ROUNDS + WHAT_IF)]
    g.zone(ZONE, zone_text(ZONE, "".join("e%d IN A 192.0.2.%d\n" % (n, n + 1) for n in own)))
    return g


@pytest.fixture(scope="module")
def clients(gtm):
    opened = {r: Client(gtm, source=r) for r in RESOLVERS}
    yield opened
    for c in opened.values():
        c.close()


def explain(gtm, keep, model, resolver, subnet, **more):
    ask = dict({"name": model.host, "type": model.type, "client": resolver}, **more)
    r = gtm.api("POST", "explain", dict(ask, ecs=subnet) if subnet else ask, keep=keep)
    assert r.status == 200, r
    return Explained(r.body, model, resolver, subnet)


def compare(gtm, connection, clients, model, told):
    fallback = gtm.status("domains/%s/%s" % (model.host, model.type))["fallback"]
    for i, (resolver, subnet) in enumerate(model.clients()):
        e = explain(gtm, connection, model, resolver, subnet)
        question = (model.host, model.type, subnet)
        for a in clients[resolver].many([question] * 4):
            e.check(a, subnet)
        e.check_line()
        assert e.told["fallback"] == fallback, e.about
        if i % 8 == 0 and e.told["steered"]:
            e.check_counts(clients[resolver].many([question] * DRAWS))
        told[fallback] += 1
        told["scope"] += e.told["scope"] > 0


def test_what_if_is_what_then_happens(gtm, clients):
    """Explained with overrides while everybody is well; then they are so in earnest, and the answers are those."""
    connection, _ = gtm.connect(unix=False)
    fallbacks = collections.Counter()
    for n in range(ROUNDS, ROUNDS + WHAT_IF):
        model = Model(random.Random(n), n)
        addresses = [o for o in model.objects if o["kind"] == "address"]
        for o in addresses:
            o["spec"]["mode"] = "auto"
        gtm.must("POST", "config:apply", {"objects": model.objects})
        share = model.r.choice([.3, .6, 1])
        overrides = {o["name"]: "down" for o in addresses if model.r.random() < share}
        asked = list(model.clients())
        told = [explain(gtm, connection, model, *c, overrides=overrides) for c in asked]
        for o in addresses:
            if o["name"] in overrides:
                o["spec"].update(mode="manual", manual_state="unavailable")
        gtm.must("POST", "config:apply", {"objects": addresses})
        fallback = gtm.status("domains/%s/%s" % (model.host, model.type))["fallback"]
        for (resolver, subnet), e in zip(asked, told):
            for a in clients[resolver].many([(model.host, model.type, subnet)] * 3):
                e.check(a, subnet)
            assert e.told["fallback"] == fallback, e.about
        fallbacks[fallback] += 1
    connection.close()
    assert len(fallbacks) >= 4, fallbacks


@pytest.mark.parametrize("part", range(2))
def test_explained_as_answered(gtm, clients, part):
    connection, _ = gtm.connect(unix=False)
    told = collections.Counter()
    for n in range(part * ROUNDS // 2, (part + 1) * ROUNDS // 2):
        model = Model(random.Random(n), n)
        for state in range(2):
            gtm.must("POST", "config:apply", {"objects": model.objects})
            compare(gtm, connection, clients, model, told)
            model.shake()
    print(dict(told))
    connection.close()
    assert told["scope"] > 100 and told[None] > 300, told
    assert all(told[f] >= CASES for f in ("fail_open", "fallback_pool", "last_good", "public_zone", "nodata")), told
