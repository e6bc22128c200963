# SPDX-License-Identifier: GPL-3.0-or-later
"""Strategies at both levels, what drops out, what is left when nothing is."""
import collections
import signal
import time

import dns.rcode
import dns.rdatatype
import pytest

from gtm import FAST, Scene, eventually, zone_text

NAME = "www.cloud-example.com"
DOMAIN = "domains/%s/A" % NAME
EXACT = 6


def near(counts, shares):
    """Each member within 6 of its share, and nobody else."""
    n, total = sum(counts.values()), sum(shares.values())
    assert {k for k, v in counts.items() if v} <= {(ip,) for ip in shares}, counts
    for ip, w in shares.items():
        assert abs(counts[(ip,)] - n * w / total) <= EXACT, (counts, shares)


@pytest.mark.parametrize("weights", [[1, 1], [3, 1], [1, 100], [7, 5], [65535, 1]])
def test_weight_of_pools(world, gtm, weights):
    s = Scene(world, gtm, {"a": 1, "b": 1})
    s.domain("weight", weights)
    near(gtm.draw(NAME, 1000), {s.values["a"][0]: weights[0], s.values["b"][0]: weights[1]})


def test_weight_times_weight(world, gtm):
    s = Scene(world, gtm, {"a": 2, "b": 1})
    gtm.patch("pools/a", strategy="weight", addresses=[{"address": "a-1", "weight": 1}, {"address": "a-2", "weight": 3}])
    s.domain("weight", [2, 1])
    near(gtm.draw(NAME, 1200), {s.values["a"][0]: 2, s.values["a"][1]: 6, s.values["b"][0]: 4})
    # A member that drops out: its pool keeps its share.
    s.down("a", 1)
    near(gtm.draw(NAME, 900), {s.values["a"][0]: 2, s.values["b"][0]: 1})


def test_weight_zero_is_standby(world, gtm):
    s = Scene(world, gtm, {"a": 1, "b": 1})
    s.domain("weight", [1, 0])
    assert set(gtm.draw(NAME, 100)) == {(s.values["a"][0],)}
    s.down("a")
    assert set(gtm.draw(NAME, 100)) == {(s.values["b"][0],)}
    s.up("a")
    assert set(gtm.draw(NAME, 100)) == {(s.values["a"][0],)}


def test_weight_zero_in_a_pool(world, gtm):
    s = Scene(world, gtm, {"a": 2})
    gtm.patch("pools/a", strategy="weight", addresses=[{"address": "a-1", "weight": 0}, {"address": "a-2"}])
    s.domain("weight")
    assert set(gtm.draw(NAME, 50)) == {(s.values["a"][1],)}
    s.down("a", 1)
    assert set(gtm.draw(NAME, 50)) == {(s.values["a"][0],)}


def test_round_robin_of_addresses_rotates(world, gtm):
    s = Scene(world, gtm, {"a": 3})
    s.domain("weight")
    one, two, three = s.values["a"]
    answers = [tuple(s.answers()) for _ in range(6)]
    turns = [(one, two, three), (two, three, one), (three, one, two)]
    k = turns.index(answers[0])
    assert set(answers) == set(turns) and answers[:3] == answers[3:], answers
    assert answers[1] in (turns[(k + 1) % 3], turns[(k + 2) % 3])
    s.down("a", 1)
    assert set(gtm.draw(NAME, 10)) == {(one, three), (three, one)}


def test_round_robin_of_pools_is_all_their_members(world, gtm):
    s = Scene(world, gtm, {"a": 2, "b": 1})
    s.domain("round_robin")
    everyone = sorted(s.values["a"] + s.values["b"])
    counts = gtm.draw(NAME, 9)
    assert {tuple(sorted(c)) for c in counts} == {tuple(everyone)}
    assert collections.Counter(c[0] for c in counts.elements()) == {ip: 3 for ip in everyone}
    s.down("b")
    assert {tuple(sorted(c)) for c in gtm.draw(NAME, 4)} == {tuple(sorted(s.values["a"]))}


@pytest.mark.parametrize("level", ["domain", "pool"])
def test_sequence_preemptive(world, gtm, level):
    s = Scene(world, gtm, {"a": 1, "b": 1} if level == "domain" else {"a": 2})
    first, second = [ip for v in s.values.values() for ip in v]
    if level == "domain":
        s.domain("sequence")
        one = ("a", 0)
    else:
        gtm.patch("pools/a", strategy="sequence")
        s.domain("weight")
        one = ("a", 0)
    assert set(gtm.draw(NAME, 20)) == {(first,)}
    s.down(*one)
    assert set(gtm.draw(NAME, 20)) == {(second,)}
    s.up(*one)
    assert set(gtm.draw(NAME, 20)) == {(first,)}


@pytest.mark.parametrize("level", ["domain", "pool"])
def test_sequence_goes_by_order_not_by_place(world, gtm, level):
    s = Scene(world, gtm, {"a": 1, "b": 1} if level == "domain" else {"a": 2})
    second, first = [ip for v in s.values.values() for ip in v]
    if level == "domain":
        s.domain("sequence", pools=[{"pool": "a", "order": 9}, {"pool": "b", "order": 2}])
    else:
        gtm.patch("pools/a", strategy="sequence", addresses=[
            {"address": "a-1", "order": 9}, {"address": "a-2", "order": 2}])
        s.domain("weight")
    assert s.answers() == [first] and second != first


@pytest.mark.parametrize("level", ["domain", "pool"])
def test_sequence_non_preemptive_stays_and_its_pointer_survives(world, gtm, level):
    s = Scene(world, gtm, {"a": 1, "b": 1} if level == "domain" else {"a": 2})
    first, second = [ip for v in s.values.values() for ip in v]
    other = ("b", 0) if level == "domain" else ("a", 1)
    if level == "domain":
        s.domain("sequence", sequence_mode="non_preemptive")
    else:
        gtm.patch("pools/a", strategy="sequence", sequence_mode="non_preemptive")
        s.domain("weight")
    assert s.answers() == [first]
    s.down("a", 0)
    assert s.answers() == [second]
    s.up("a", 0)
    assert s.answers() == [second], "it stays where it is"

    old = gtm.kill("engine")
    eventually(lambda: gtm.pid("engine") not in (None, old))
    assert s.answers() == [second], "the pointer survives kill -9 of the engine"
    gtm.restart()
    assert s.answers() == [second], "... and a restart"
    gtm.restart(signal.SIGKILL)
    assert s.answers() == [second], "... and kill -9 of all"
    s.down(*other)
    assert s.answers() == [first], "it moves when the current one fails"


def test_fail_open(world, gtm):
    """Everything down: the smallest-order non-empty pool answers with all its enabled addresses."""
    s = Scene(world, gtm, {"a": 3, "b": 1})
    gtm.patch("addresses/a-3", enabled=False)
    s.domain("sequence")
    with gtm.stream() as stream:
        for pool, n in (("a", 0), ("a", 1), ("b", 0)):
            s.down(pool, n)
        stream.event("domain.fail_open", NAME + "/A")
        for _ in range(20):
            r = gtm.ask(NAME)
            assert r.rcode() == dns.rcode.NOERROR
            assert sorted(rd.to_text() for rd in r.answer[0]) == sorted(s.values["a"][:2])
        status = gtm.status(DOMAIN)
        assert status["health"] == "exceptional" and status["state"] == "fail-open"
        s.up("b")
        stream.event("domain.degraded", NAME + "/A")
        assert s.answers() == [s.values["b"][0]]
        s.up("a", 0)
        s.up("a", 1)
        stream.event("domain.recovered", NAME + "/A")


def test_fail_open_skips_empty_pools(world, gtm):
    s = Scene(world, gtm, {"b": 1})
    gtm.put("pools/empty", {"type": "ipv4", "addresses": []})
    s.domain("weight", pools=[{"pool": "empty"}, {"pool": "b"}])
    assert s.answers() == s.values["b"]
    s.down("b")
    assert s.answers() == s.values["b"]


def test_no_usable_member_at_all(world, gtm):
    """No pool linked: as if the domain were not there. All members disabled: never SERVFAIL or REFUSED."""
    s = Scene(world, gtm, {"a": 1})
    s.domain("weight", pools=[])
    assert s.answers() == ["192.0.2.80"]
    s.domain("weight")
    gtm.patch("addresses/a-1", enabled=False)
    assert gtm.ask(NAME).rcode() == dns.rcode.NOERROR
    assert s.values["a"][0] not in s.answers()


def test_disabled_members_are_never_used(world, gtm):
    s = Scene(world, gtm, {"a": 2, "b": 1})
    s.domain("weight")
    gtm.patch("addresses/a-1", enabled=False)
    assert {ip for c in gtm.draw(NAME, 50) for ip in c} == {s.values["a"][1], s.values["b"][0]}
    gtm.patch("pools/a", enabled=False)
    assert set(gtm.draw(NAME, 50)) == {(s.values["b"][0],)}
    s.down("b")
    assert set(gtm.draw(NAME, 50)) == {(s.values["b"][0],)}, "fail-open does not touch disabled ones"
    gtm.patch("addresses/a-1", enabled=True)
    gtm.patch("pools/a", enabled=True)
    assert {ip for c in gtm.draw(NAME, 50) for ip in c} == set(s.values["a"])


def test_manual_mode(world, gtm):
    s = Scene(world, gtm, {"a": 1, "b": 1})
    s.domain("weight")
    a, b = s.values["a"][0], s.values["b"][0]
    gtm.patch("addresses/a-1", mode="manual", manual_state="unavailable")
    assert set(gtm.draw(NAME, 20)) == {(b,)}
    gtm.until_health("addresses/a-1", "ok")
    assert gtm.status("addresses/a-1")["availability"] == "unavailable"
    gtm.patch("addresses/a-1", manual_state="available")
    s.down("a")  # health is still probed and shown, but does not switch
    assert gtm.status("addresses/a-1")["availability"] == "available"
    assert set(gtm.draw(NAME, 20)) == {(a,), (b,)}
    gtm.patch("addresses/a-1", mode="auto")
    assert set(gtm.draw(NAME, 20)) == {(b,)}


@pytest.mark.parametrize("rule, down, available", [
    ("any_ok", 3, True), ("any_ok", 4, False), ("p30_ok", 2, True), ("p30_ok", 3, False), ("p50_ok", 2, True),
    ("p50_ok", 3, False), ("p70_ok", 1, True), ("p70_ok", 2, False), ("all_ok", 0, True), ("all_ok", 1, False),
    ({"at_least": 2}, 2, True), ({"at_least": 2}, 3, False), ({"percent": 75}, 1, True), ({"percent": 75}, 2, False)])
def test_healthy_when_of_a_pool(world, shared, rule, down, available):
    """Four members of which `down` are down; pool b stands by."""
    gtm, s = shared
    gtm.patch("pools/a", healthy_when="any_ok")  # a merge-patch of an object would keep its old members
    gtm.patch("pools/a", healthy_when=rule)
    for i in range(4):
        (s.down if i < down else s.up)("a", i, wait=False)
    for i in range(4):
        gtm.until_health("addresses/a-%d" % (i + 1), "exceptional" if i < down else "ok")
    health = "ok" if down == 0 else "ok_alert" if available else "exceptional"
    gtm.until_health("pools/a", health)
    expect = set(s.values["a"][down:]) if available else {s.values["b"][0]}
    assert {ip for c in gtm.draw(NAME, 12) for ip in c} == expect


@pytest.fixture(scope="module")
def shared(shared_world):
    gtm = shared_world.gtm()
    s = Scene(shared_world, gtm, {"a": 4, "b": 1})
    for i in range(4):  # each test takes some of them down and back, as if nothing had been before
        gtm.patch("addresses/a-%d" % (i + 1), damping={"transitions": 0})
    s.domain("sequence")
    return gtm, s


@pytest.mark.parametrize("rule, health", [("any_ok", "ok_alert"), ("all_ok", "exceptional"), ("p50_ok", "ok_alert"),
                                          ("p70_ok", "exceptional"), ({"at_least": 1}, "ok_alert")])
def test_healthy_when_of_an_address(world, gtm, rule, health):
    """Two checks, one port of them dead."""
    b = world.backend(kind="tcp")
    gtm.put("templates/fast", FAST)
    gtm.put("addresses/a", {"type": "ipv4", "value": b.ip, "healthy_when": rule, "checks": [
        {"template": "fast", "port": b.port}, {"template": "fast", "port": 9}]})
    gtm.until_health("addresses/a", health)
    assert gtm.status("addresses/a")["availability"] == ("unavailable" if health == "exceptional" else "available")


def test_address_without_checks(gtm):
    gtm.put("addresses/a", {"type": "ipv4", "value": "192.0.2.9"})
    gtm.until_health("addresses/a", "ok_no_monitor")
    assert gtm.status("addresses/a")["availability"] == "available"


def test_probe_target_may_differ_from_the_answer(world, gtm):
    s = Scene(world, gtm, {"a": 1, "b": 1})
    hidden = world.backend(kind="tcp")
    gtm.put("addresses/a-1", {"type": "ipv4", "value": "203.0.113.99", "checks": [
        {"template": "fast", "port": hidden.port, "target": hidden.ip}]})
    s.domain("sequence")
    assert s.answers() == ["203.0.113.99"]
    hidden.refuse()
    eventually(lambda: s.answers() == s.values["b"])


def test_a_pool_serves_two_domains(world, gtm):
    s = Scene(world, gtm, {"a": 1, "b": 1})
    s.domain("sequence")
    gtm.put("domains/api.cloud-example.com/A", {"enabled": True, "strategy": "sequence", "pools": [
        {"pool": "b"}, {"pool": "a"}]})
    names = (NAME, "api.cloud-example.com")
    assert [gtm.rdata(n) for n in names] == [s.values["a"], s.values["b"]]
    s.down("a")
    assert [gtm.rdata(n) for n in names] == [s.values["b"], s.values["b"]]
    s.up("a")
    gtm.delete(DOMAIN)
    assert gtm.rdata("api.cloud-example.com") == s.values["b"]


def test_one_identical_check_runs_once(world, gtm):
    """Three pools and four addresses of one value: one probe per interval, until the last of them is gone."""
    gtm.zone("cloud-example.com", zone_text())
    b = world.backend(kind="tcp")
    gtm.put("templates/fast", dict(FAST, interval="200ms", talk={"send": "hello"}))  # or the backend would not see it
    for i in range(4):
        gtm.put("addresses/x%d" % i, {"type": "ipv4", "value": b.ip, "checks": [{"template": "fast", "port": b.port}]})
    for i in range(3):
        gtm.put("pools/p%d" % i, {"type": "ipv4", "addresses": [{"address": "x%d" % i}]})
        gtm.put("domains/n%d.cloud-example.com/A" % i, {"enabled": True, "pools": [{"pool": "p%d" % i}]})
    gtm.until_health("addresses/x3", "ok")
    start = len(b.connects)
    eventually(lambda: len(b.connects) >= start + 6)
    gaps = [y - x for x, y in zip(b.connects[start:], b.connects[start + 1:])]
    assert sum(gaps) / len(gaps) > 0.15, gaps
    # Down in one place is down in all.
    b.refuse()
    for i in range(4):
        gtm.until_health("addresses/x%d" % i, "exceptional")
    b.accept()
    gtm.until_health("addresses/x0", "ok")
    # No orphan probes.
    for i in range(4):
        gtm.patch("addresses/x%d" % i, checks=[])
    seen = len(b.connects)
    other = world.backend(kind="tcp")
    gtm.put("addresses/x0", {"type": "ipv4", "value": other.ip, "checks": [{"template": "fast", "port": other.port}]})
    eventually(lambda: len(other.connects) >= 4)
    assert len(b.connects) <= seen + 1, "a probe under way may still arrive; none after it"


def test_probing_goes_on_while_disabled(world, gtm):
    s = Scene(world, gtm, {"a": 1})
    s.domain("weight", enabled=False)
    s.down("a")
    s.up("a")
    assert s.answers() == ["192.0.2.80"]


def test_rapid_recheck(world, gtm):
    """Interval 3 s, fall 3, recheck 100 ms: the failures after the first come at once, and a verdict well before 6 s."""
    b = world.backend(kind="http")
    gtm.put("templates/slow", {"protocol": "http", "interval": "3s", "timeout": "1s", "recheck": "100ms", "fall": 3, "rise": 3})
    gtm.put("addresses/a", {"type": "ipv4", "value": b.ip, "checks": [{"template": "slow", "port": b.port}]})
    gtm.until_health("addresses/a", "ok")
    b.status = 500
    seen = len(b.connects)
    gtm.until_health("addresses/a", "exceptional", timeout=8)
    bad = b.connects[seen:]
    assert len(bad) >= 3 and bad[2] - bad[0] < 2.0, "two rechecks take 0.2 s, not two intervals"
    b.status = 200
    seen = len(b.connects)
    gtm.until_health("addresses/a", "ok", timeout=8)
    good = b.connects[seen:]
    assert len(good) >= 3 and good[2] - good[0] < 2.0


def test_one_failure_is_no_verdict(world, gtm):
    b = world.backend(kind="http")
    gtm.put("templates/calm", dict(FAST, protocol="http", fall=3))
    gtm.put("addresses/a", {"type": "ipv4", "value": b.ip, "checks": [{"template": "calm", "port": b.port}]})
    gtm.until_health("addresses/a", "ok")
    with gtm.stream("events,health") as stream:
        b.status = 500
        seen = len(b.requests)
        eventually(lambda: len(b.requests) > seen)
        b.status = 200
        eventually(lambda: len(b.requests) > seen + 5)
        assert not [m for m in stream.messages if m[1].get("kind") == "address.down"]
    assert gtm.status("addresses/a")["health"] == "ok"


def test_hanging_backend_is_down_by_timeout(world, gtm):
    s = Scene(world, gtm, {"a": 1, "b": 1})
    s.domain("sequence")
    s.backends["a"][0].hang()
    gtm.until_health("addresses/a-1", "exceptional")
    assert s.answers() == s.values["b"]
    causes = [o["cause"] for o in gtm.must("GET", "addresses/a-1/health")["checks"][0]["observations"]]
    assert "l4_timeout" in causes


def test_a_changed_template_takes_effect_at_once(world, gtm):
    b = world.backend(kind="http")
    gtm.put("templates/t", {"protocol": "http", "interval": "1h", "timeout": "1s", "fall": 1, "rise": 1})
    gtm.put("addresses/a", {"type": "ipv4", "value": b.ip, "checks": [{"template": "t", "port": b.port}]})
    gtm.until_health("addresses/a", "ok")
    gtm.put("templates/t", {"protocol": "http", "interval": "100ms", "timeout": "90ms", "fall": 1, "rise": 1,
                            "http": {"expect_status": ["204"]}})
    gtm.until_health("addresses/a", "exceptional")


def test_ipv6_and_cname_answers(gtm):
    gtm.zone("cloud-example.com", zone_text())
    gtm.put("addresses/six", {"type": "ipv6", "value": "2001:db8::99"})
    gtm.put("pools/six", {"type": "ipv6", "addresses": [{"address": "six"}]})
    gtm.put("domains/%s/AAAA" % NAME, {"enabled": True, "pools": [{"pool": "six"}]})
    assert gtm.rdata(NAME, "AAAA") == ["2001:db8::99"]
    assert gtm.rdata(NAME) == ["192.0.2.80"]
    gtm.put("addresses/cdn", {"type": "domain", "value": "cdn.example.net"})
    gtm.put("pools/cdn", {"type": "domain", "addresses": [{"address": "cdn"}]})
    gtm.put("domains/app.cloud-example.com/CNAME", {"enabled": True, "pools": [{"pool": "cdn"}]})
    assert gtm.rdata("app.cloud-example.com", "CNAME") == ["cdn.example.net."]
    assert gtm.rdata("app.cloud-example.com", "A") == ["cdn.example.net."]
    gtm.put("domains/mix.cloud-example.com/A", {"enabled": True, "pools": [{"pool": "cdn"}]})
    r = gtm.ask("mix.cloud-example.com")
    assert [rr.rdtype for rr in r.answer] == [dns.rdatatype.CNAME]


def test_cname_of_the_zone_leads_to_a_steered_name(world, gtm):
    s = Scene(world, gtm, {"a": 1})
    s.domain()
    gtm.must("PUT", "zones/cloud-example.com/rrsets/alias/CNAME", {"ttl": 60, "records": [NAME + "."]})
    assert gtm.rdata("alias.cloud-example.com") == [NAME + ".", s.values["a"][0]]


def test_steered_names_survive_a_new_zone_file(world, gtm):
    s = Scene(world, gtm, {"a": 1})
    s.domain()
    gtm.zone("cloud-example.com", zone_text(more="new IN A 192.0.2.99"))
    assert s.answers() == s.values["a"] and gtm.rdata("new.cloud-example.com") == ["192.0.2.99"]


def test_ratio_over_workers(world):
    """Each worker is exact by itself: so is the sum, to 6 per worker."""
    gtm = world.gtm(workers=2)
    s = Scene(world, gtm, {"a": 1, "b": 1})
    s.domain("weight", [3, 1])
    counts = collections.Counter()
    for _ in range(20):  # a socket, and so a worker, each
        counts += gtm.draw(NAME, 50)
    assert abs(counts[(s.values["a"][0],)] - 750) <= 2 * EXACT


def test_ratio_is_not_disturbed_by_edges(world, gtm):
    """Verdict edges elsewhere and compiles of this domain do not reset its sequence."""
    s = Scene(world, gtm, {"a": 1, "b": 1})
    s.domain("weight", [3, 1])
    counts = collections.Counter()
    started = time.monotonic()
    for i in range(100):
        counts += gtm.draw(NAME, 7)
        gtm.patch(DOMAIN, ttl=i % 7 + 1)
    assert time.monotonic() > started
    near(counts, {s.values["a"][0]: 3, s.values["b"][0]: 1})
