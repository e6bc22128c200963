# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed scenario: two sites, a ratio, failover, failback, and the name given back."""
import time

import dns.flags
import dns.rcode
import pytest

from gtm import Asker, eventually, zone_text

NAME = "www.cloud-example.com"
CHECK = {"protocol": "tcp", "interval": "200ms", "timeout": "150ms", "fall": 2, "rise": 1}
# Counts stay this close to their share (2-model: the sequence is exact, not random).
EXACT = 6


@pytest.fixture
def sites(world):
    return {"dc-a": world.backend(), "dc-b": world.backend()}


def scenario(sites, kind="multi_active", enabled=True, **check):
    any_site = next(iter(sites.values()))
    return {"scenario": kind, "name": NAME, "type": "A", "ttl": 60, "enabled": enabled,
            "check": dict(CHECK, port=any_site.port, **check),
            "sites": [{"name": n, "weight": 1, "addresses": [b.ip]} for n, b in sites.items()]}


def assert_shares(counts, shares, n):
    assert sum(counts.values()) == n
    total = sum(shares.values())
    for ip, share in shares.items():
        assert abs(counts[(ip,)] - n * share / total) <= EXACT, counts


def test_the_whole_story(gtm, sites):
    a, b = sites["dc-a"], sites["dc-b"]

    # 1. The Public Zone answers.
    gtm.zone("cloud-example.com", zone_text())
    assert gtm.rdata(NAME) == ["192.0.2.80"]

    # 2.-5. The access domain, created disabled: it probes, and the zone goes on answering.
    made = gtm.must("POST", "domains:from-scenario", scenario(sites, enabled=False))
    assert made
    # 6. The marks are there before it is enabled.
    for name in gtm.must("GET", "addresses")["items"]:
        gtm.until_health("addresses/" + name["name"], "ok")
    assert gtm.rdata(NAME) == ["192.0.2.80"]

    # 8. Enabled, it overrides the record of this name and type ...
    gtm.must("POST", "domains/%s/A:enable" % NAME)
    counts = gtm.draw(NAME, 1000)
    assert_shares(counts, {a.ip: 1, b.ip: 1}, 1000)
    r = gtm.ask(NAME)
    assert r.flags & dns.flags.AA and r.answer[0].ttl == 60
    # ... and no other.
    assert gtm.rdata(NAME, "AAAA") == ["2001:db8::80"]
    assert gtm.rdata(NAME, "TXT") == ['"from the zone"']
    assert gtm.ask(NAME, "MX").rcode() == dns.rcode.NOERROR

    # Any ratio.
    pools = gtm.spec("domains/%s/A" % NAME)["pools"]
    pools[0]["weight"] = 3
    gtm.patch("domains/%s/A" % NAME, pools=pools)
    counts = gtm.draw(NAME, 1000)
    assert_shares(counts, {a.ip: 3, b.ip: 1}, 1000)

    # One data centre fails: its address leaves the answers within fall x interval and a bit.
    with Asker(gtm, NAME) as asker, gtm.stream() as stream:
        at = b.refuse()
        last = at
        while time.monotonic() < last + 1.0:
            asked = time.monotonic()
            if asker.ask() == (b.ip,):
                last = asked
            assert last - at < 5, "the dead site is still answered"
        print("last answer with the dead site %.0f ms after it died" % ((last - at) * 1000))
        stream.event("address.down")
        assert set(gtm.draw(NAME, 200)) == {(a.ip,)}

        # It recovers, and comes back by itself.
        b.accept()
        eventually(lambda: asker.ask() == (b.ip,))
        stream.event("address.up")
    assert_shares(gtm.draw(NAME, 1000), {a.ip: 3, b.ip: 1}, 1000)

    # Disabled: the zone's record again, at once; enabled: the answers again.
    gtm.must("POST", "domains/%s/A:disable" % NAME)
    assert gtm.rdata(NAME) == ["192.0.2.80"]
    gtm.must("POST", "domains/%s/A:enable" % NAME)
    assert gtm.rdata(NAME)[0] in (a.ip, b.ip)

    # Deleted: likewise.
    gtm.delete("domains/%s/A" % NAME)
    assert gtm.rdata(NAME) == ["192.0.2.80"]
    assert gtm.get("domains/%s/A" % NAME).status == 404


def test_scenario_makes_everything_in_one_revision(gtm, sites):
    gtm.zone("cloud-example.com", zone_text())
    before = {k: len(gtm.must("GET", k)["items"]) for k in ("templates", "addresses", "pools", "domains")}
    assert set(before.values()) == {0}
    gtm.must("POST", "domains:from-scenario", scenario(sites))
    objects = [o for k in before for o in gtm.must("GET", k)["items"]]
    assert len(objects) == 1 + 2 + 2 + 1
    assert len({o["revision"] for o in objects}) == 1
    spec = gtm.spec("domains/%s/A" % NAME)
    assert spec["strategy"] == "weight"
    assert [(p["pool"], p["weight"], p["lines"]) for p in spec["pools"]] == [
        ("dc-a", 1, ["default"]), ("dc-b", 1, ["default"])]


def test_scenario_is_refused_whole(gtm, sites):
    gtm.zone("cloud-example.com", zone_text())
    before = gtm.config()
    body = scenario(sites)
    body["sites"][1]["addresses"].append("192.0.2.300")
    r = gtm.api("POST", "domains:from-scenario", body)
    assert r.status == 422
    assert any("sites[1].addresses[1]" in e["pointer"] for e in r.body["errors"]), r.body
    assert gtm.config() == before
    assert gtm.rdata(NAME) == ["192.0.2.80"]


@pytest.mark.parametrize("mode", ["preemptive", "non_preemptive"])
def test_active_standby(gtm, sites, mode):
    a, b = sites["dc-a"], sites["dc-b"]
    gtm.zone("cloud-example.com", zone_text())
    body = scenario(sites, "active_standby", interval="100ms", timeout="90ms", recheck="50ms")
    body["sequence_mode"] = mode
    gtm.must("POST", "domains:from-scenario", body)
    spec = gtm.spec("domains/%s/A" % NAME)
    assert (spec["strategy"], spec["sequence_mode"]) == ("sequence", mode)
    assert [p["order"] for p in spec["pools"]] == [1, 2]
    assert set(gtm.draw(NAME, 50)) == {(a.ip,)}
    a.refuse()
    eventually(lambda: gtm.rdata(NAME) == [b.ip])
    gtm.until_health("pools/dc-a", "exceptional")
    a.accept()
    gtm.until_health("pools/dc-a", "ok")
    assert gtm.rdata(NAME) == [a.ip if mode == "preemptive" else b.ip]


def test_http_check(gtm, sites):
    a, b = sites["dc-a"], sites["dc-b"]
    gtm.zone("cloud-example.com", zone_text())
    body = scenario(sites, protocol="http")
    body["check"]["http"] = {"path": "/healthz", "host": "www.cloud-example.com", "expect_status": ["200"]}
    gtm.must("POST", "domains:from-scenario", body)
    gtm.until_health("pools/dc-a", "ok")
    assert set(gtm.draw(NAME, 20)) == {(a.ip,), (b.ip,)}
    request = a.requests[-1]
    assert request.startswith(b"GET /healthz HTTP/1.1\r\n") and b"\r\nHost: www.cloud-example.com\r\n" in request
    a.status = 503
    eventually(lambda: set(gtm.draw(NAME, 20)) == {(b.ip,)})
    a.status = 200
    eventually(lambda: set(gtm.draw(NAME, 20)) == {(a.ip,), (b.ip,)})
    a.mute = True  # it accepts, and never answers
    eventually(lambda: set(gtm.draw(NAME, 20)) == {(b.ip,)})
