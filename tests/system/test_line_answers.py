# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines on a real gtmd: made and changed by every way, and whom they send where while members come and go."""
import collections
import signal
import time

import pytest

from gtm import SLOW, eventually, zone_text
from subnets import Client, rdata, scope

ZONE = "cloud-example.com"
NAME = "www." + ZONE
DOMAIN = "domains/%s/A" % NAME
FROM_ZONE = "192.0.2.80"
BOUND = 4.1  # of an exact share, whatever the number of answers

# Clients: in `one` (with `inner` inside it), in `two`, in no line.
ONE, INNER, TWO, NOBODY = "10.1.0.0/24", "10.1.77.0/24", "10.2.0.0/24", "192.168.0.0/24"
LINES = {"one": ["10.1.0.0/16"], "inner": ["10.1.77.0/24"], "two": ["10.2.0.0/16", "2001:db8:2::/48"]}


class Site:
    """Pools whose addresses are up and down as the test says, not by probes: when set() returns it is answered so."""

    def __init__(self, gtm, pools, lines=LINES):
        self.gtm, self.values = gtm, {}
        gtm.zone(ZONE, zone_text(ZONE))
        for name, cidrs in lines.items():
            gtm.put("lines/" + name, {"cidrs": cidrs})
        for i, (pool, n) in enumerate(pools.items()):
            self.values[pool] = ["198.18.%d.%d" % (i, k + 1) for k in range(n)]
            for k, value in enumerate(self.values[pool]):
                gtm.put("addresses/%s-%d" % (pool, k + 1), {"type": "ipv4", "value": value, "mode": "manual"})
            gtm.put("pools/" + pool, {"type": "ipv4", "addresses": [{"address": "%s-%d" % (pool, k + 1)} for k in range(n)]})

    def domain(self, links, **spec):
        """links: {pool: lines, or more of the link}."""
        self.gtm.put(DOMAIN, dict({"enabled": True, "ttl": 60, "strategy": "source_nearest", "pools": [
            dict({"pool": p}, **(x if isinstance(x, dict) else {"lines": x})) for p, x in links.items()]}, **spec))

    def set(self, pool, up, index=None):
        for k in range(len(self.values[pool])) if index is None else [index]:
            self.gtm.patch("addresses/%s-%d" % (pool, k + 1), manual_state="available" if up else "unavailable")

    def value(self, pool):
        return tuple(self.values[pool])


@pytest.fixture
def client(gtm):
    with Client(gtm) as c:
        yield c


def who(client, subnet):
    return tuple(sorted(rdata(client.ask(NAME, subnet=subnet))))


def everybody(client):
    return {c: who(client, s) for c, s in (("one", ONE), ("inner", INNER), ("two", TWO), ("nobody", NOBODY))}


# ---- made and changed ----

def test_changes_are_answered_when_the_reply_comes(gtm, client):
    s = Site(gtm, {"rest": 1, "a": 1}, lines={"one": [], "two": []})
    s.domain({"rest": ["default"], "a": ["one"]})
    assert who(client, TWO) == s.value("rest")
    for cidrs in (["10.2.0.0/24"], ["10.1.0.0/24", "10.2.0.0/16"], ["10.2.0.0/32"], []):
        gtm.put("lines/one", {"cidrs": cidrs})
        a = client.ask(NAME, subnet="10.2.0.0/32")
        assert rdata(a) == (s.value("a") if cidrs else s.value("rest")), cidrs
        assert scope(a) == {"10.2.0.0/24": 24, "10.2.0.0/16": 16, "10.2.0.0/32": 32, "": 0}[cidrs[-1] if cidrs else ""]
        assert gtm.spec("lines/one")["cidrs"] == cidrs
    gtm.patch("lines/one", cidrs=["10.2.0.0/16"])
    assert who(client, TWO) == s.value("a")
    # A link's lines, and the parent of a line, are lines as well.
    gtm.put("lines/two", {"cidrs": ["10.3.0.0/16"], "parent": "one"})
    assert who(client, "10.3.1.1/32") == s.value("a"), "whoever is in two is in one"
    gtm.patch("lines/two", parent="default")
    assert who(client, "10.3.1.1/32") == s.value("rest")
    s.domain({"rest": ["default", "one"], "a": ["two"]})
    assert (who(client, TWO), who(client, "10.3.1.1/32")) == (s.value("rest"), s.value("a"))


def test_lines_by_cli_and_yaml(gtm, client, tmp_path):
    s = Site(gtm, {"rest": 1, "a": 1}, lines={})
    file = tmp_path / "lines.yaml"

    def apply(cidrs):
        file.write_text("kind: line\nname: office\nspec: {cidrs: [%s]}\n---\nkind: domain\nname: %s/A\nspec:\n  enabled: true\n"
                        "  strategy: source_nearest\n  pools:\n  - {pool: a, lines: [office]}\n  - {pool: rest}\n" % (cidrs, NAME))
        return gtm.ctl("apply", "-f", str(file))
    r = apply("10.1.0.0/16, '2001:db8:7::/48'")
    assert r.returncode == 0, r
    assert (who(client, ONE), who(client, TWO), who(client, "2001:db8:7::/56")) == (s.value("a"), s.value("rest"), s.value("a"))
    assert "office" in gtm.ctl("get", "lines").stdout
    r = apply("10.2.0.0/16")
    assert r.returncode == 0, r
    assert (who(client, ONE), who(client, TWO)) == (s.value("rest"), s.value("a"))
    r = apply("10.2.0.0/16, 10.2.3.0/24")
    assert r.returncode == 1 and "cidrs[1]" in r.stderr and "10.2.0.0/16" in r.stderr, r
    assert who(client, TWO) == s.value("a")
    r = gtm.ctl("delete", "line", "office")
    assert r.returncode == 4 and "domain %s/A" % NAME in r.stderr + r.stdout, r
    gtm.patch(DOMAIN, pools=[{"pool": "rest"}])
    assert gtm.ctl("delete", "line", "office").returncode == 0
    assert gtm.ctl("get", "line", "office").returncode == 3
    exported = gtm.ctl("export").stdout
    assert "kind: line" not in exported and "kind: pool" in exported


def refused(gtm, status, method, path, spec=None):
    r = gtm.api(method, path, None if spec is None else {"spec": spec})
    assert r.status == status, r
    return r.body


def test_a_line_in_use_is_not_deleted(gtm, client):
    s = Site(gtm, {"rest": 1, "a": 2})
    s.domain({"rest": ["default"], "a": ["one"]})
    gtm.patch("pools/a", addresses=[{"address": "a-1", "lines": ["two"]}, {"address": "a-2"}])
    gtm.put("lines/child", {"parent": "inner"})
    for line, referrer in (("one", "domain %s/A" % NAME), ("two", "pool a"), ("inner", "line child")):
        body = refused(gtm, 409, "DELETE", "lines/" + line)
        assert body["referrers"] == [referrer]
        assert gtm.get("lines/" + line).status == 200
    assert who(client, ONE) == (s.values["a"][1],)
    gtm.delete("lines/child")
    gtm.delete("lines/inner")
    assert who(client, INNER) == (s.values["a"][1],)


def test_unknown_lines_are_refused(gtm, client):
    s = Site(gtm, {"rest": 1, "a": 1})
    s.domain({"rest": ["default"], "a": ["one"]})
    before = gtm.config()
    pools = [{"pool": "rest"}, {"pool": "a", "lines": ["one", "nowhere"]}]
    e = refused(gtm, 422, "PUT", DOMAIN, {"enabled": True, "pools": pools})["errors"]
    assert [(x["pointer"], x["got"]) for x in e] == [("pools[1].lines[1]", "nowhere")] and "telecom" in e[0]["allowed"]
    e = refused(gtm, 422, "PUT", "pools/a", {"type": "ipv4", "addresses": [{"address": "a-1", "lines": ["cn_nowhere"]}]})["errors"]
    assert [x["pointer"] for x in e] == ["addresses[0].lines[0]"]
    e = refused(gtm, 422, "PUT", "lines/two", {"cidrs": [], "parent": "nowhere"})["errors"]
    assert [x["pointer"] for x in e] == ["parent"]
    assert gtm.config() == before
    assert everybody(client) == {"one": s.value("a"), "inner": s.value("a"), "two": s.value("rest"), "nobody": s.value("rest")}


@pytest.mark.parametrize("cidrs,pointers", [
    (["10.9.0.0/16", "10.9.1.0/24"], ["cidrs[1]"]), (["10.9.1.0/24", "10.9.0.0/16"], ["cidrs[0]"]),
    (["10.9.0.0/16", "10.9.0.0/16"], ["cidrs[1]"]), (["0.0.0.0/0", "10.9.0.0/16"], ["cidrs[1]"]),
    (["10.9.0.0/16", "10.2.0.0/16"], ["cidrs[1]"]), (["2001:db8:2::/48"], ["cidrs[0]"]),
    (["2001:db8::/32", "2001:db8:1::/48"], ["cidrs[1]"]), (["10.9.0.1/16"], ["cidrs[0]"]), (["10.9.0.0/33"], ["cidrs[0]"]),
    (["10.9"], ["cidrs[0]"]), (["any"], ["cidrs[0]"]), (["10.9.0.0/16", "x", "10.9.0.0/99"], ["cidrs[1]", "cidrs[2]"]),
    ([""], ["cidrs[0]"]), (["2001:db8::1/32"], ["cidrs[0]"])])
def test_networks_that_are_refused_change_nothing(shared_site, cidrs, pointers):
    """In another network of the line, the same as another line's, or none at all."""
    gtm, client, s = shared_site
    before = gtm.config()
    e = refused(gtm, 422, "PUT", "lines/one", {"cidrs": cidrs})["errors"]
    assert [x["pointer"] for x in e] == pointers
    assert all(x["detail"] and x["got"].strip('"') in cidrs for x in e), e
    assert gtm.config() == before
    assert (who(client, ONE), who(client, "10.9.1.0/24")) == (s.value("a"), s.value("rest"))


@pytest.fixture(scope="module")
def shared_site(shared_world):
    gtm = shared_world.gtm()
    s = Site(gtm, {"rest": 1, "a": 1})
    s.domain({"rest": ["default"], "a": ["one"]})
    with Client(gtm) as client:
        yield gtm, client, s


@pytest.mark.parametrize("name", ["default", "cn", "telecom", "cn_telecom_zhejiang"])
def test_a_line_cannot_take_the_name_of_a_built_in_one(shared_site, name):
    gtm, _, _ = shared_site
    assert refused(gtm, 422, "PUT", "lines/" + name, {"cidrs": ["10.9.0.0/16"]})["errors"][0]["pointer"] == "name"


def test_a_line_cannot_be_its_own_ancestor(shared_site):
    gtm, _, _ = shared_site
    gtm.put("lines/p", {"parent": "default"})
    gtm.put("lines/q", {"parent": "p"})
    for name, parent in (("p", "q"), ("p", "p"), ("q", "q")):
        assert refused(gtm, 422, "PUT", "lines/" + name, {"parent": parent})["errors"][0]["pointer"] == "parent"
    assert (gtm.spec("lines/p")["parent"], gtm.spec("lines/q")["parent"]) == ("default", "p")


# ---- who answers while members come and go ----

def test_the_longest_network_wins(gtm, client):
    s = Site(gtm, {"rest": 1, "a": 1, "b": 1, "c": 1})
    s.domain({"rest": ["default"], "a": ["one"], "b": ["inner"], "c": ["two"]})
    assert everybody(client) == {"one": s.value("a"), "inner": s.value("b"), "two": s.value("c"), "nobody": s.value("rest")}
    s.domain({"rest": ["default"], "a": ["one", "two"], "b": ["two"]})
    assert everybody(client) == {"one": s.value("a"), "inner": s.value("a"), "two": s.value("a"), "nobody": s.value("rest")}, \
        "ties go by order"


@pytest.mark.parametrize("failover,inner", [("default", "rest"), ("next", "a")])
def test_line_failover(gtm, client, failover, inner):
    s = Site(gtm, {"rest": 1, "a": 1, "b": 1})
    s.domain({"rest": ["default"], "a": ["one"], "b": ["inner"]}, line_failover=failover)
    s.set("b", False)
    assert everybody(client) == {"one": s.value("a"), "inner": s.value(inner), "two": s.value("rest"), "nobody": s.value("rest")}
    s.set("a", False)
    assert set(everybody(client).values()) == {s.value("rest")}
    assert scope(client.ask(NAME, subnet=INNER)) == 0, "nobody is told apart any more"
    s.set("b", True)
    assert (who(client, INNER), who(client, ONE)) == (s.value("b"), s.value("rest"))


def test_fail_open_rules(gtm, client):
    """a: the default line answers for lines that are down; b: then its smallest-order pool, health ignored."""
    s = Site(gtm, {"a": 2, "rest": 3, "more": 1, "b": 1})
    s.domain({"a": {"lines": ["one"], "order": 1}, "rest": {"lines": ["default"], "order": 7}, "more": {"lines": ["default"], "order": 3},
              "b": {"lines": ["two"], "order": 2}}, strategy="sequence")
    gtm.patch("addresses/rest-3", enabled=False)
    s.set("a", False)
    assert who(client, ONE) == s.value("more"), "rule a: smallest order of the default line"
    s.set("more", False)
    assert who(client, ONE)[0] in s.values["rest"][:2], "rule a: ... that is available"
    s.set("rest", False)
    assert who(client, ONE) == s.value("b") and who(client, TWO) == s.value("b"), "whoever is available is better than nobody"
    s.set("b", False)
    for subnet in (ONE, TWO, NOBODY):
        a = client.ask(NAME, subnet=subnet)
        assert (a.rcode, rdata(a), scope(a)) == ("NOERROR", s.value("more"), 0), "rule b: order 3, not a's 1"
    gtm.patch("pools/more", enabled=False)
    for _ in range(6):
        assert who(client, TWO) == tuple(s.values["rest"][:2]), "rule b: all that are enabled, of the next"
    assert gtm.status(DOMAIN)["fallback"] == "fail_open"


def test_without_a_default_line(gtm, client):
    """Clients of no line get whoever is available; rule c: the smallest-order pool of all."""
    s = Site(gtm, {"a": 2, "b": 2})
    s.domain({"a": {"lines": ["one"], "order": 5}, "b": {"lines": ["two"], "order": 4}})
    assert (who(client, ONE), who(client, TWO)) == (s.value("a"), s.value("b"))
    everyone = {ip for _ in range(8) for ip in who(client, NOBODY)}
    assert everyone <= set(s.value("a") + s.value("b")) and everyone
    s.set("a", False)
    assert (who(client, ONE), who(client, NOBODY)) == (s.value("b"), s.value("b"))
    s.set("b", False)
    for subnet in (ONE, TWO, NOBODY):
        a = client.ask(NAME, subnet=subnet)
        assert (tuple(sorted(rdata(a))), scope(a)) == (s.value("b"), 0), "rule c: order 4"
    gtm.patch("pools/b", enabled=False)
    assert who(client, TWO) == s.value("a"), "rule c: the next that is not empty"


def test_addresses_of_a_pool_have_lines_too(gtm, client):
    s = Site(gtm, {"a": 4})
    gtm.patch("pools/a", addresses=[{"address": "a-1", "lines": ["one"]}, {"address": "a-2", "lines": ["one", "two"]},
                                    {"address": "a-3", "lines": ["inner"]}, {"address": "a-4"}])
    s.domain({"a": ["default"]}, strategy="weight")
    one, two, three, four = s.values["a"]
    assert everybody(client) == {"one": (one, two), "inner": (three,), "two": (two,), "nobody": (four,)}
    assert [scope(client.ask(NAME, subnet=x)) for x in (ONE, INNER, TWO)] == [18, 24, 16]
    s.set("a", False, 1)
    assert everybody(client) == {"one": (one,), "inner": (three,), "two": (four,), "nobody": (four,)}
    s.set("a", False, 3)
    assert who(client, TWO) == (one, three), "neither the line nor default: whoever is available"
    s.set("a", True)
    assert everybody(client) == {"one": (one, two), "inner": (three,), "two": (two,), "nobody": (four,)}


def near(counts, shares):
    n, total = sum(counts.values()), sum(shares.values())
    assert set(counts) <= {ip for ip, w in shares.items() if w}, counts
    for ip, w in shares.items():
        assert abs(counts[ip] - n * w / total) <= BOUND, (counts, shares)


def test_weights_are_exact_in_every_line(gtm, client):
    """Lines asked by turns, each at its own pace: each keeps its own ratio."""
    s = Site(gtm, {"a": 1, "b": 1, "c": 1, "d": 1})
    s.domain({"a": {"lines": ["one"], "weight": 7}, "b": {"lines": ["one", "two"], "weight": 3}, "c": {"lines": ["two"], "weight": 9},
              "d": {"lines": ["default"], "weight": 1}}, strategy="weight")
    subnets = [ONE, TWO, TWO, NOBODY, ONE, TWO] * 250
    answers = client.many([(NAME, "A", x) for x in subnets])
    a, b, c, d = (s.values[p][0] for p in "abcd")
    for subnet, shares in ((ONE, {a: 7, b: 3}), (TWO, {b: 3, c: 9}), (NOBODY, {d: 1})):
        near(collections.Counter(rdata(x)[0] for x, y in zip(answers, subnets) if y == subnet), shares)
    s.set("b", False)
    answers = client.many([(NAME, "A", x) for x in subnets])
    assert {(y, rdata(x)[0]) for x, y in zip(answers, subnets)} == {(ONE, a), (TWO, c), (NOBODY, d)}
    s.set("b", True)
    answers = client.many([(NAME, "A", ONE)] * 500)
    near(collections.Counter(rdata(x)[0] for x in answers), {a: 7, b: 3})


def test_max_answers(gtm, client):
    s = Site(gtm, {"a": 4, "b": 2})
    gtm.patch("pools/a", strategy="weight", max_answers=2, addresses=[
        {"address": "a-%d" % (i + 1), "weight": w} for i, w in enumerate([4, 3, 2, 0])])
    s.domain({"a": ["default"], "b": ["one"]}, strategy="weight")
    answers = [rdata(x) for x in client.many([(NAME, "A", None)] * 900)]
    assert {len(set(x)) for x in answers} == {2}
    values = s.values["a"]
    assert not any(values[3] in x for x in answers), "weight 0 stands by"
    near(collections.Counter(x[0] for x in answers), dict(zip(values, [4, 3, 2])))
    gtm.patch(DOMAIN, max_answers=1)
    assert {len(rdata(x)) for x in client.many([(NAME, "A", None), (NAME, "A", ONE)] * 20)} == {1}
    gtm.patch(DOMAIN, max_answers=0)
    gtm.patch("pools/b", max_answers=1)
    turns = [rdata(x) for x in client.many([(NAME, "A", ONE)] * 10)]
    assert collections.Counter(turns) == {(ip,): 5 for ip in s.values["b"]}


def test_degraded_ttl(gtm, client):
    s = Site(gtm, {"rest": 2, "a": 1})
    s.domain({"rest": ["default"], "a": ["one"]}, ttl=60, degraded_ttl=5)

    def ttls():
        return {r.ttl for x in (ONE, NOBODY) for r in client.ask(NAME, subnet=x).answer}
    assert ttls() == {60}
    s.set("rest", False, 0)
    assert ttls() == {5}
    s.set("rest", True)
    assert ttls() == {60}
    s.set("rest", False)
    s.set("a", False)
    assert ttls() == {5}, "the fallback too"
    gtm.patch(DOMAIN, degraded_ttl=0)
    assert ttls() == {60}


# ---- hash ----

def prefixes(n, version=4):
    if version == 4:
        return ["10.%d.%d.0/24" % (3 + i // 250, i % 250) for i in range(n)]
    return ["2001:db8:%x:%x00::/56" % (i // 256 + 16, i % 256) for i in range(n)]


def picks(client, subnets):
    return [rdata(a) for a in client.many([(NAME, "A", s) for s in subnets])]


WEIGHTS = [3, 2, 2, 1]


def sticky(gtm, level):
    if level == "domain":
        s = Site(gtm, {p: 1 for p in "abcd"})
        s.domain({p: {"weight": w} for p, w in zip("abcd", WEIGHTS)}, strategy="hash")
        return s, [(p, 0) for p in "abcd"]
    s = Site(gtm, {"a": 4})
    gtm.patch("pools/a", strategy="hash", addresses=[{"address": "a-%d" % (i + 1), "weight": w} for i, w in enumerate(WEIGHTS)])
    s.domain({"a": ["default"]}, strategy="weight")
    return s, [("a", i) for i in range(4)]


@pytest.mark.parametrize("level", ["domain", "pool"])
def test_hash_is_the_same_everywhere_and_moves_few(world, gtm, client, level):
    s, members = sticky(gtm, level)
    subnets = prefixes(1200) + prefixes(600, 6)
    mine = picks(client, subnets)

    # Stickiness: within the prefix, and again; and a scope that says so.
    assert picks(client, subnets) == mine
    assert picks(client, [x.replace(".0/24", ".201/32") for x in subnets[:300]]) == mine[:300]
    assert {scope(client.ask(NAME, subnet=x)) for x in prefixes(3)} == {24}
    assert {scope(client.ask(NAME, subnet=x)) for x in prefixes(3, 6)} == {56}

    # Shares follow the weights: within five standard deviations of drawing lots.
    counts = collections.Counter(mine)
    values = [(s.values[p][i],) for p, i in members]
    for value, w in zip(values, WEIGHTS):
        share = w / sum(WEIGHTS)
        assert abs(counts[value] - share * len(mine)) <= 5 * (len(mine) * share * (1 - share)) ** .5, counts

    # Another instance with the same configuration, and this one again.
    other = world.gtm()
    sticky(other, level)
    with Client(other) as c:
        assert picks(c, subnets) == mine
    gtm.restart()
    assert picks(client, subnets) == mine
    gtm.restart(signal.SIGKILL)
    assert picks(client, subnets) == mine

    # A member that is drained moves its own clients and nobody else; they come back with it.
    s.set(*members[1][:1], False, members[1][1])
    for before, now in zip(mine, picks(client, subnets)):
        assert now == before if before != values[1] else now in values and now != values[1]
    s.set(*members[1][:1], True, members[1][1])
    assert picks(client, subnets) == mine


def test_hash_under_max_answers(gtm, client):
    """The one drained is replaced in its place's clients; the others of their answers stay."""
    s = Site(gtm, {"a": 6})
    gtm.patch("pools/a", strategy="hash", max_answers=3)
    s.domain({"a": ["default"]}, strategy="weight")
    subnets = prefixes(300)
    mine = picks(client, subnets)
    assert {len(set(x)) for x in mine} == {3}
    s.set("a", False, 2)
    gone = s.values["a"][2]
    for before, now in zip(mine, picks(client, subnets)):
        assert gone not in now and len(set(now)) == 3
        assert [x for x in before if x != gone] == list(now)[:len(before) - (gone in before)]


# ---- sequences ----

def test_a_sequence_stays_in_each_line_by_itself(gtm, client):
    s = Site(gtm, {"a": 1, "b": 1, "c": 1, "d": 1})
    s.domain({"a": ["one", "two", "default"], "b": ["one"], "c": ["two"], "d": ["default"]}, strategy="sequence",
             sequence_mode="non_preemptive")

    def now():
        return [next(p for p in "abcd" if s.value(p) == who(client, x)) for x in (ONE, TWO, NOBODY)]
    assert now() == ["a", "a", "a"]
    s.set("a", False)
    assert now() == ["b", "c", "d"]
    s.set("a", True)
    assert now() == ["b", "c", "d"], "they stay"
    s.set("c", False)
    assert now() == ["b", "a", "d"], "only who must moves"
    s.set("c", True)
    assert now() == ["b", "a", "d"]
    old = gtm.kill("engine")
    eventually(lambda: gtm.pid("engine") not in (None, old))
    eventually(lambda: client.ask(NAME), what="the new engine answers")
    assert now() == ["b", "a", "d"], "the pointers survive kill -9 of the engine"
    gtm.restart()
    assert now() == ["b", "a", "d"], "... and a restart"
    gtm.restart(signal.SIGKILL)
    assert now() == ["b", "a", "d"], "... and kill -9 of everything"
    s.set("b", False)
    assert now() == ["a", "a", "d"]
    gtm.patch(DOMAIN, sequence_mode="preemptive")
    assert now() == ["a", "a", "a"]


@pytest.mark.parametrize("level", ["domain", "pool"])
def test_failback_delay(gtm, client, level):
    """Back to the better one when it has been available for so long, not before, and at once if the other one fails."""
    delay = .8 * SLOW
    if level == "domain":
        s = Site(gtm, {"a": 1, "b": 1})
        s.domain({"a": ["default"], "b": ["default"]}, strategy="sequence", failback_delay="%dms" % (1000 * delay))
        better, worse = ("a", 0), ("b", 0)
    else:
        s = Site(gtm, {"a": 2})
        gtm.patch("pools/a", strategy="sequence", failback_delay="%dms" % (1000 * delay))
        s.domain({"a": ["default"]})
        better, worse = ("a", 0), ("a", 1)
    first, second = ((s.values[p][i],) for p, i in (better, worse))
    eventually(lambda: who(client, None) == first)
    s.set(better[0], False, better[1])
    assert who(client, None) == second
    before = time.monotonic()
    s.set(better[0], True, better[1])
    while who(client, None) == second:
        assert time.monotonic() < before + 10 * delay
    assert who(client, None) == first and time.monotonic() - before >= delay
    s.set(better[0], False, better[1])
    s.set(better[0], True, better[1])
    assert who(client, None) == second
    s.set(worse[0], False, worse[1])
    assert who(client, None) == first, "nobody waits for a delay while the other one is down"


# ---- fallbacks ----

def all_down(s):
    for pool in s.values:
        s.set(pool, False)


def test_fallback_pool(gtm, client):
    s = Site(gtm, {"a": 1, "b": 1, "last": 3})
    s.domain({"a": ["one"], "b": ["default"]}, fallback="fallback_pool", fallback_pool="last")
    assert everybody(client)["one"] == s.value("a")
    s.set("a", False)
    assert who(client, ONE) == s.value("b")
    s.set("b", False)
    for subnet in (ONE, NOBODY):
        a = client.ask(NAME, subnet=subnet)
        assert (tuple(sorted(rdata(a))), scope(a)) == (s.value("last"), 0)
    s.set("last", False, 0)
    assert who(client, ONE) == s.value("last")[1:]
    s.set("last", False)
    assert who(client, ONE) == s.value("last"), "better somebody than nobody: all that are enabled"
    refused(gtm, 409, "DELETE", "pools/last")
    s.set("a", True)
    assert (who(client, ONE), who(client, NOBODY)) == (s.value("a"), s.value("a"))
    assert gtm.status(DOMAIN)["fallback"] is None


def test_last_good(gtm, client):
    """Who was available when anybody last was, line by line; remembered over kill -9 of everything."""
    s = Site(gtm, {"a": 2, "b": 1, "rest": 1})
    s.domain({"a": ["one"], "b": ["two"], "rest": ["default"]}, fallback="last_good")
    s.set("rest", False)
    s.set("a", False, 0)
    good = everybody(client)
    assert (good["one"], good["two"]) == ((s.values["a"][1],), s.value("b"))
    # The last one to fail takes the others' memory along: they were down by then.
    s.set("b", False)
    s.set("a", False, 1)
    last = {x: (s.values["a"][1],) for x in good}
    assert everybody(client) == last
    assert gtm.status(DOMAIN)["fallback"] == "last_good"
    gtm.restart()
    assert everybody(client) == last
    old = gtm.kill("engine")
    eventually(lambda: gtm.pid("engine") not in (None, old))
    eventually(lambda: client.ask(NAME), what="the new engine answers")
    assert everybody(client) == last
    gtm.restart(signal.SIGKILL)
    assert everybody(client) == last
    # All at once, in one revision: each line remembers its own.
    for pool in s.values:
        s.set(pool, True)
    good = everybody(client)
    assert good == {"one": s.value("a"), "inner": s.value("a"), "two": s.value("b"), "nobody": s.value("rest")}
    gtm.must("POST", "config:apply", {"objects": [
        {"kind": "address", "name": "%s-%d" % (p, i + 1), "spec": {"type": "ipv4", "value": v, "mode": "manual",
                                                                   "manual_state": "unavailable"}}
        for p, values in s.values.items() for i, v in enumerate(values)]})
    assert everybody(client) == good
    assert scope(client.ask(NAME, subnet=TWO)) == 16
    gtm.restart(signal.SIGKILL)
    assert everybody(client) == good
    gtm.patch("addresses/a-1", enabled=False)
    assert who(client, ONE) == (s.values["a"][1],), "disabled ones never answer"


def test_public_zone_and_nodata(gtm, client):
    s = Site(gtm, {"a": 1, "b": 1})
    for fallback, want in (("public_zone", (FROM_ZONE,)), ("nodata", ())):
        s.domain({"a": ["one"], "b": ["default"]}, fallback=fallback)
        s.set("a", True)
        s.set("b", True)
        assert (who(client, ONE), who(client, NOBODY)) == (s.value("a"), s.value("b"))
        all_down(s)
        for subnet in (ONE, TWO, NOBODY, None):
            for tcp in (False, True):
                a = client.ask(NAME, subnet=subnet, tcp=tcp)
                assert (a.rcode, rdata(a), scope(a)) == ("NOERROR", want, None if subnet is None else 0)
                assert ["SOA"] * (want == ()) == [r.type for r in a.authority]
        assert gtm.status(DOMAIN)["fallback"] == fallback
        gtm.restart(signal.SIGKILL)
        assert rdata(client.ask(NAME)) == want
        s.set("a", True)
        assert who(client, ONE) == who(client, NOBODY) == s.value("a"), "whoever is available is better than a fallback"
