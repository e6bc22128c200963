# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking things out by hand and by plan: overrides, maintenance windows, and what keeps going up and down."""
import datetime
import os
import signal
import time

import pytest

from gtm import SLOW, Scene, eventually

NAME = "www.cloud-example.com"
DOMAIN = "domains/%s/A" % NAME


def at(seconds, now=None):
    """So many seconds from now, RFC 3339."""
    t = (now or datetime.datetime.now(datetime.timezone.utc)) + datetime.timedelta(seconds=seconds)
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (t.microsecond // 1000)


@pytest.fixture
def scene(world, gtm):
    s = Scene(world, gtm, {"dc-a": 2, "dc-b": 1})
    s.domain(strategy="sequence")
    for address in ("dc-a-1", "dc-a-2", "dc-b-1"):
        gtm.until_health("addresses/" + address, "ok")
    return s


def answers(gtm, *values):
    """From now on, and right now: a write is served when it returns."""
    got = gtm.rdata(NAME)
    assert sorted(got) == sorted(values), (got, values)
    return True


def backend(scene, address):
    pool, _, n = address.rpartition("-")
    return scene.backends[pool][int(n) - 1]


def value(scene, address):
    return backend(scene, address).ip


def impose(gtm, path, state, **more):
    return gtm.must("PUT", path + "/override", dict({"state": state, "reason": "kernel upgrade"}, **more))


def events(gtm, *kinds):
    items = gtm.get("events?limit=1000").body["items"]
    return [e for e in items if e["kind"] in kinds]


def errors(reply):
    return {e["pointer"]: e for e in reply.body["errors"]}


# ---- what it means ----

def test_states_of_an_address(gtm, scene):
    one, two = value(scene, "dc-a-1"), value(scene, "dc-a-2")
    answers(gtm, one, two)
    o = impose(gtm, "addresses/dc-a-1", "drain")
    assert o["kind"] == "override" and o["name"] == "address/dc-a-1"
    assert o["spec"] == {"state": "drain", "reason": "kernel upgrade", "by": "token:admin"}
    answers(gtm, two)
    eventually(lambda: gtm.status("addresses/dc-a-1")["state"] == "drained")
    status = gtm.status("addresses/dc-a-1")
    assert status["health"] == "ok" and status["availability"] == "unavailable"
    assert status["override"] == {"state": "drain", "reason": "kernel upgrade", "until": None,
                                  "since": o["updated"], "by": "token:admin"}
    assert [o["name"] for o in gtm.get("addresses?state=drained").body["items"]] == ["dc-a-1"]
    assert 'gtm_states{kind="address",state="drained"} 1' in gtm.get("/metrics").body
    pool = gtm.status("pools/dc-a")
    assert (pool["state"], pool["available"], pool["total"]) == ("healthy", 1, 1)

    impose(gtm, "addresses/dc-a-1", "down")
    answers(gtm, two)
    eventually(lambda: gtm.status("pools/dc-a")["state"] == "degraded")
    assert gtm.status("addresses/dc-a-1")["state"] == "forced"
    eventually(lambda: events(gtm, "address.down"))
    assert "kernel upgrade" in events(gtm, "address.down")[-1]["text"]

    gtm.delete("addresses/dc-a-1/override")
    answers(gtm, one, two)
    backend(scene, "dc-a-1").refuse()
    gtm.until_health("addresses/dc-a-1", "exceptional")
    answers(gtm, two)
    impose(gtm, "addresses/dc-a-1", "up")
    answers(gtm, one, two)
    assert gtm.status("addresses/dc-a-1")["health"] == "exceptional"


def test_states_of_a_pool_and_a_domain(gtm, scene):
    a, b = [value(scene, "dc-a-1"), value(scene, "dc-a-2")], value(scene, "dc-b-1")
    for state in ("drain", "down"):
        impose(gtm, "pools/dc-a", state)
        answers(gtm, b)
    impose(gtm, "pools/dc-b", "drain")
    assert gtm.rdata(NAME) == ["192.0.2.80"]  # nobody may answer: the zone does
    gtm.delete("pools/dc-b/override")
    gtm.delete("pools/dc-a/override")

    impose(gtm, DOMAIN, "up")
    for address in ("dc-a-1", "dc-a-2"):
        backend(scene, address).refuse()
        gtm.until_health("addresses/" + address, "exceptional")
    answers(gtm, *a)  # frozen
    assert gtm.status(DOMAIN)["state"] == "forced"
    gtm.delete(DOMAIN + "/override")
    answers(gtm, b)
    impose(gtm, DOMAIN, "down")
    answers(gtm, *a)  # fail-open: the smallest order, health ignored
    impose(gtm, DOMAIN, "drain")
    assert gtm.rdata(NAME) == ["192.0.2.80"]
    eventually(lambda: gtm.status(DOMAIN)["state"] == "drained")
    explained = gtm.must("POST", "explain", {"name": NAME, "type": "A"})
    assert not explained["steered"]
    assert any(s["step"] == "override" and "kernel upgrade" in s["text"] for s in explained["decision"])


def test_explain_says_why_an_address_gets_nothing(gtm, scene):
    def lines():
        told = gtm.must("POST", "explain", {"name": NAME, "type": "A"})
        return {c["address"]: (c["state"], c["because"]) for c in told["candidates"]}

    assert {because for _, because in lines().values()} == {None, "its pool stands by"}
    impose(gtm, "pools/dc-a", "drain", until="2099-01-01T00:00:00Z")
    drained = "its pool is drained by token:admin until 2099-01-01T00:00:00.000Z: kernel upgrade"
    assert lines() == {"dc-a-1": ("healthy", drained), "dc-a-2": ("healthy", drained), "dc-b-1": ("healthy", None)}
    row = [r for r in gtm.ctl("explain", NAME, "A").stdout.splitlines() if "dc-a-1" in r][0]
    assert row.startswith("dc-a") and row.endswith("  0.0 %  " + drained)
    gtm.delete("pools/dc-a/override")
    gtm.put("maintenances/racks", {"objects": ["address/dc-a-1"], "state": "down", "starts": at(-1),
                                   "ends": "2099-01-01T00:00:00Z", "reason": "moving racks"})
    assert lines()["dc-a-1"] == ("forced", "it is forced down by maintenance 'racks' until 2099-01-01T00:00:00.000Z: "
                                           "moving racks")
    gtm.delete("maintenances/racks")
    gtm.put("addresses/dc-a-1", dict(gtm.spec("addresses/dc-a-1"), enabled=False))
    assert lines()["dc-a-1"] == ("disabled", "it is disabled")


# ---- the path for change ----

def test_rest(gtm, scene):
    path = "pools/dc-a/override"
    assert gtm.get(path).status == 404
    assert gtm.api("DELETE", path).status == 404
    for missing in ("pools/nope/override", "addresses/nope/override", "domains/nope.cloud-example.com/A/override"):
        for method, body in (("GET", None), ("PUT", {"state": "up", "reason": "x"}), ("DELETE", None)):
            assert gtm.api(method, missing, body).status == 404, (method, missing)
    made = gtm.api("PUT", path, {"state": "drain", "reason": "one"})
    assert made.status == 201 and made.headers["ETag"] == '"%d"' % made.body["revision"]
    again = gtm.api("PUT", path, {"state": "down", "reason": "two"}, headers={"If-Match": made.headers["ETag"]})
    assert again.status == 200
    stale = gtm.api("PUT", path, {"state": "up", "reason": "three"}, headers={"If-Match": made.headers["ETag"]})
    assert stale.status == 412 and stale.body["current"]["spec"]["state"] == "down"
    assert gtm.api("DELETE", path, headers={"If-Match": made.headers["ETag"]}).status == 412
    got = gtm.get(path)
    assert got.body["spec"]["reason"] == "two" and got.headers["ETag"] == again.headers["ETag"]
    assert [o["name"] for o in gtm.get("overrides").body["items"]] == ["pool/dc-a"]
    dry = gtm.api("PUT", path + "?dryRun=1", {"state": "up", "reason": "dry"})
    assert dry.status == 200 and dry.body["dryRun"]
    assert gtm.get(path).body["spec"]["reason"] == "two"
    assert gtm.api("DELETE", path, headers={"If-Match": again.headers["ETag"]}).status == 204
    told = events(gtm, "override.set", "override.lifted")
    assert [e["kind"] for e in told] == ["override.set", "override.set", "override.lifted"]
    assert told[0]["object"] == {"kind": "pool", "name": "dc-a"}
    assert told[0]["data"] == {"state": "drain", "reason": "one", "by": "token:admin"}
    assert told[2]["data"]["reason"] == "two" and "lifted" in told[2]["text"]
    audit = gtm.get("audit").body["items"]
    assert audit[0]["summary"] == "delete override 'pool/dc-a'"


def test_bad_input(gtm, scene):
    path = "addresses/dc-a-1/override"
    revision = gtm.config()["revision"]

    def wrong(body):
        r = gtm.api("PUT", path, body)
        assert r.status == 422, r
        return errors(r)

    assert wrong({"reason": "x"})["state"]["detail"] == "is required"
    assert wrong({"state": "up"})["reason"]["detail"] == "is required"
    assert wrong({"state": "up", "reason": "  "})["reason"]["detail"] == "must not be blank"
    e = wrong({"state": "sideways", "reason": "x"})["state"]
    assert e["got"] == '"sideways"' and e["allowed"] == "up, down, drain"
    e = wrong({"state": "up", "reason": "x", "until": "2020-01-01T00:00:00Z"})["until"]
    assert e["detail"] == "is past already" and e["got"] == "2020-01-01T00:00:00Z" and "later than" in e["allowed"]
    e = wrong({"state": "up", "reason": "x", "until": "tomorrow"})["until"]
    assert e["got"] == '"tomorrow"' and e["allowed"].startswith("RFC 3339")
    assert wrong({"state": "up", "reason": "x", "for": "soon"})["for"]["got"] == "soon"
    assert "for" in wrong({"state": "up", "reason": "x", "for": "1m", "until": at(60)})
    assert "by" in wrong({"state": "up", "reason": "x", "by": "somebody else"})
    r = gtm.api("POST", "config:apply", {"objects": [{"kind": "override", "name": "address/dc-a-1",
                                                      "spec": {"state": "up", "reason": "x"}}]})
    assert r.status == 422 and errors(r)["objects[0].kind"]["got"] == "override"
    assert gtm.config()["revision"] == revision and gtm.get(path).status == 404


def test_it_goes_with_its_object_and_is_no_configuration(gtm, scene):
    impose(gtm, DOMAIN, "drain")
    impose(gtm, "pools/dc-b", "drain")
    assert "override" not in {o["kind"] for o in gtm.config()["objects"]}
    assert "kernel upgrade" not in gtm.ctl("export").stdout
    applied = gtm.ctl("apply", "-f", "-", stdin=gtm.ctl("export").stdout)
    assert applied.returncode == 0, applied.stderr
    assert len(gtm.get("overrides").body["items"]) == 2
    before = gtm.config()["revision"]
    gtm.delete(DOMAIN)
    assert gtm.config()["revision"] == before + 1
    assert [o["name"] for o in gtm.get("overrides").body["items"]] == ["pool/dc-b"]
    told = events(gtm, "override.lifted")
    assert len(told) == 1 and told[0]["object"]["name"] == NAME + "/A" and "went with it" in told[0]["text"]
    scene.domain(strategy="sequence")  # what is made anew is under no override
    answers(gtm, value(scene, "dc-a-1"), value(scene, "dc-a-2"))
    assert gtm.get(DOMAIN + "/override").status == 404


# ---- time ----

def test_it_expires(gtm, scene):
    two = value(scene, "dc-a-2")
    with gtm.stream() as stream:
        impose(gtm, "addresses/dc-a-1", "drain", **{"for": "%dms" % (1500 * SLOW)})
        answers(gtm, two)
        until = gtm.get("addresses/dc-a-1/override").body["spec"]["until"]
        event = stream.event("override.expired", "dc-a-1")[1]
        assert event["at"] == until and event["data"]["reason"] == "kernel upgrade"
    assert gtm.get("addresses/dc-a-1/override").status == 404
    eventually(lambda: answers(gtm, value(scene, "dc-a-1"), two))
    eventually(lambda: gtm.status("addresses/dc-a-1")["state"] == "healthy")
    assert len(events(gtm, "override.expired")) == 1 and not events(gtm, "override.lifted")
    # Given more time, it does not end when it was to end first.
    impose(gtm, "addresses/dc-a-1", "drain", until=at(0.4))
    impose(gtm, "addresses/dc-a-1", "drain", **{"for": "1h"})
    impose(gtm, "addresses/dc-a-2", "up", until=at(0.6))
    eventually(lambda: gtm.get("addresses/dc-a-2/override").status == 404)
    answers(gtm, two)
    assert gtm.get("addresses/dc-a-1/override").status == 200


def test_the_engine_alone_lets_it_expire(gtm, scene):
    one, two = value(scene, "dc-a-1"), value(scene, "dc-a-2")
    impose(gtm, "addresses/dc-a-1", "drain", until=at(2.5 * SLOW))
    answers(gtm, two)
    os.kill(gtm.pid("control"), signal.SIGSTOP)
    answers(gtm, two)
    eventually(lambda: answers(gtm, one, two))
    os.kill(gtm.pid("control"), signal.SIGCONT)
    eventually(lambda: gtm.get("addresses/dc-a-1/override").status == 404)
    eventually(lambda: len(events(gtm, "override.expired")) == 1)  # told when the engine has it, too


@pytest.mark.parametrize("victim", ["engine", "control", "supervisor"])
def test_it_survives_kills(gtm, scene, victim):
    one, two = value(scene, "dc-a-1"), value(scene, "dc-a-2")
    impose(gtm, "addresses/dc-a-1", "drain", **{"for": "1h"})
    impose(gtm, "pools/dc-b", "down")
    if victim == "supervisor":
        gtm.restart(signal.SIGKILL)
    else:
        old = gtm.kill(victim)
        eventually(lambda: gtm.pid(victim) not in (None, old))
    eventually(gtm.is_ready)
    for _ in range(20):
        eventually(lambda: answers(gtm, two))
    eventually(lambda: gtm.status("addresses/dc-a-1").get("state") == "drained")
    eventually(lambda: gtm.status("pools/dc-b").get("override", {}).get("by") == "token:admin")
    assert {o["name"] for o in gtm.get("overrides").body["items"]} == {"address/dc-a-1", "pool/dc-b"}
    gtm.delete("addresses/dc-a-1/override")
    answers(gtm, one, two)
    assert not events(gtm, "override.expired")


def test_what_ended_while_we_were_down(gtm, scene):
    impose(gtm, "addresses/dc-a-1", "drain", until=at(1))
    until = time.monotonic() + 1
    assert gtm.stop() == 0
    eventually(lambda: time.monotonic() >= until)  # the time itself is what is waited for
    gtm.start()
    eventually(lambda: answers(gtm, value(scene, "dc-a-1"), value(scene, "dc-a-2")))
    eventually(lambda: gtm.get("addresses/dc-a-1/override").status == 404)
    eventually(lambda: len(events(gtm, "override.expired")) == 1)  # told when the engine has it, too


# ---- gtmctl ----

def test_ctl(gtm, scene):
    r = gtm.ctl("pool", "drain", "dc-a", "--for", "30m", "--reason", "moving racks")
    assert r.returncode == 0 and "dc-a is drained until" in r.stderr and r.stdout == ""
    answers(gtm, value(scene, "dc-b-1"))
    r = gtm.ctl("get", "overrides")
    assert "pool/dc-a" in r.stdout and "moving racks" in r.stdout and "uid:" in r.stdout
    eventually(lambda: "drained" in gtm.ctl("get", "pool", "dc-a").stdout)
    wide = gtm.ctl("get", "pool", "dc-a", "-o", "wide").stdout
    assert "drain by uid:" in wide and "moving racks" in wide
    assert "moving racks" in gtm.ctl("get", "override", "pool/dc-a", "-o", "yaml").stdout
    assert gtm.ctl("pool", "ready", "dc-a").returncode == 0
    answers(gtm, value(scene, "dc-a-1"), value(scene, "dc-a-2"))
    r = gtm.ctl("domain", "force-down", NAME, "A", "--until", at(3600), "--reason", "a drill", "-o", "json")
    assert r.returncode == 0 and '"state": "down"' in r.stdout
    eventually(lambda: "forced" in gtm.ctl("get", "domain", NAME, "A").stdout)
    assert gtm.ctl("domain", "ready", NAME + "/A").returncode == 0
    assert gtm.ctl("address", "force-up", "dc-a-1", "--reason", "the probe is wrong").returncode == 0
    assert gtm.ctl("delete", "override", "address/dc-a-1").returncode == 0

    assert gtm.ctl("pool", "drain", "dc-a").returncode == 2  # why?
    assert gtm.ctl("pool", "drain", "dc-a", "x", "--reason", "x").returncode == 2
    assert gtm.ctl("domain", "drain", NAME, "--reason", "x").returncode == 2
    assert gtm.ctl("pool", "drain", "dc-a", "--reason", "x", "--for", "1m", "--until", at(60)).returncode == 2
    assert gtm.ctl("get", "override", "dc-a").returncode == 2
    assert gtm.ctl("pool", "drain", "nope", "--reason", "x").returncode == 3
    assert gtm.ctl("pool", "ready", "dc-a").returncode == 3
    r = gtm.ctl("pool", "drain", "dc-a", "--reason", "x", "--for", "soon")
    assert r.returncode == 1 and "soon" in r.stderr
    assert "--reason" in gtm.ctl("help", "address", "force-down").stdout


# ---- maintenance ----

def test_maintenance_windows(gtm, scene):
    one, two, b = value(scene, "dc-a-1"), value(scene, "dc-a-2"), value(scene, "dc-b-1")
    window = {"objects": ["pool/dc-a"], "starts": at(1.5 * SLOW), "ends": at(3600), "reason": "patches"}
    gtm.put("maintenances/patches", window)
    answers(gtm, one, two)
    eventually(lambda: answers(gtm, b))
    eventually(lambda: gtm.status("pools/dc-a")["state"] == "drained")
    status = gtm.status("pools/dc-a")["maintenance"]
    assert status["name"] == "patches" and status["reason"] == "patches"
    impose(gtm, "pools/dc-a", "up")  # an override wins
    answers(gtm, one, two)
    gtm.delete("pools/dc-a/override")
    answers(gtm, b)
    gtm.put("maintenances/patches", dict(window, ends=at(1 + SLOW)))
    eventually(lambda: answers(gtm, one, two))
    eventually(lambda: "maintenance" not in gtm.status("pools/dc-a"))

    # It is configuration: it stands in the YAML, and keeps its objects.
    assert "kind: maintenance" in gtm.ctl("export").stdout
    assert gtm.ctl("apply", "-f", "-", stdin=gtm.ctl("export").stdout).returncode == 0
    gtm.delete(DOMAIN)
    r = gtm.api("DELETE", "pools/dc-a")
    assert r.status == 409 and r.body["referrers"] == ["maintenance patches"]
    r = gtm.api("PUT", "maintenances/bad", {"spec": dict(window, objects=["pool/nope"])})
    assert r.status == 422 and errors(r)["objects[0]"]["got"] == "nope"
    r = gtm.api("PUT", "maintenances/bad", {"spec": dict(window, every="200ms")})
    assert r.status == 422 and "every" in errors(r)
    r = gtm.api("PUT", "maintenances/bad", {"spec": dict(window, objects=["pool/dc-a", "pool/dc-a", "dc-a"],
                                                         ends="2020-01-01T00:00:00Z", reason=" ")})
    assert set(errors(r)) == {"objects[1]", "objects[2]", "ends", "reason"}  # all at once
    assert all(e.get("got") and e.get("allowed") for e in errors(r).values())
    r = gtm.api("PUT", "maintenances/bad", {"spec": dict(window, objects=["pool/nope", "pool/dc-a", "address/nope"])})
    assert set(errors(r)) == {"objects[0]", "objects[2]"}
    assert "patches" in gtm.ctl("get", "maintenances").stdout
    gtm.delete("maintenances/patches")
    gtm.delete("pools/dc-a")


def test_maintenance_holds(gtm, scene):
    """Under a hold nothing of the pool's addresses changes, and nobody is woken; not even by a new engine."""
    one, two = value(scene, "dc-a-1"), value(scene, "dc-a-2")
    gtm.put("maintenances/network", {"objects": ["pool/dc-a"], "state": "hold", "starts": at(-1), "ends": at(3600),
                                     "reason": "the network between"})
    eventually(lambda: "maintenance" in gtm.status("addresses/dc-a-1"))
    backend(scene, "dc-a-1").refuse()
    gtm.until_health("addresses/dc-a-1", "exceptional")
    answers(gtm, one, two)
    assert gtm.status("addresses/dc-a-1")["state"] == "healthy"
    gtm.kill("engine")
    eventually(lambda: gtm.status("addresses/dc-a-1").get("health") == "exceptional")
    eventually(lambda: answers(gtm, one, two))
    assert not events(gtm, "address.down")
    gtm.delete("maintenances/network")
    answers(gtm, two)
    eventually(lambda: events(gtm, "address.down"))


# ---- what is told of windows ----

def told(gtm, name):
    """[(kind without "maintenance.", time)] of a window's events, oldest first."""
    return [(e["kind"].partition(".")[2], e["at"]) for e in gtm.get("events?object=maintenance/" + name).body["items"]]


def test_windows_are_told(gtm, scene):
    starts, ends = at(1.5 * SLOW), at(3 * SLOW)
    window = {"objects": ["pool/dc-a"], "starts": starts, "ends": ends, "reason": "patches"}
    with gtm.stream(topics="events") as stream:
        gtm.put("maintenances/patches", window)
        planned = stream.event("maintenance.planned", "patches")[1]
        assert planned["data"]["by"] == "token:admin" and starts in planned["text"]
        began = stream.event("maintenance.began", "patches", timeout=10)[1]
        eventually(lambda: answers(gtm, value(scene, "dc-b-1")))  # it is the engine's clock that opens it
        ended = stream.event("maintenance.ended", "patches", timeout=10)[1]
    assert began["at"] == starts and began["severity"] == "warning"
    assert began["object"] == {"kind": "maintenance", "name": "patches"}
    assert began["text"] == "maintenance 'patches' has begun: 'drain' on pool 'dc-a' until %s: patches" % ends
    assert began["data"] == {"state": "drain", "objects": ["pool/dc-a"], "objects_total": 1, "starts": starts,
                             "ends": ends, "reason": "patches"}
    assert ended["at"] == ends and ended["severity"] == "info" and ended["data"]["early"] is False
    listed = gtm.ctl("events").stdout
    assert "maintenance.began" in listed and began["text"] in listed
    assert ended["text"] in gtm.ctl("events", "--kind", "maintenance.ended").stdout
    assert [k for k, _ in told(gtm, "patches")] == ["planned", "began", "ended"]


def test_edits_of_windows_are_told(gtm, scene):
    window = {"objects": ["pool/dc-a", "address/dc-b-1"], "starts": at(-1), "ends": at(3600), "reason": "patches"}
    gtm.put("maintenances/patches", window)
    gtm.put("maintenances/patches", dict(window, labels={"team": "a"}))  # no news
    gtm.put("maintenances/patches", dict(window, ends=at(7200)))
    gtm.put("maintenances/patches", dict(window, starts=at(1800), ends=at(1900)))
    gtm.put("maintenances/patches", dict(window, starts=at(2800), ends=at(2900)))
    assert gtm.api("DELETE", "maintenances/patches?dryRun=1").status == 204
    gtm.delete("maintenances/patches")
    items = eventually(lambda: [e for e in gtm.get("events?object=maintenance/patches").body["items"]
                                if e["kind"] == "maintenance.cancelled"] and
                       gtm.get("events?object=maintenance/patches").body["items"])
    assert [e["kind"].partition(".")[2] for e in items] == ["began", "changed", "ended", "planned", "cancelled"]
    assert items[2]["data"]["early"] and "was cut short by token:admin" in items[2]["text"]
    assert "'drain' on pool 'dc-a', address 'dc-b-1'" in items[4]["text"]
    gtm.put("maintenances/patches", window)
    gtm.delete("maintenances/patches")
    eventually(lambda: [k for k, _ in told(gtm, "patches")][5:] == ["began", "ended"])


@pytest.mark.parametrize("victim", ["engine", "control", "supervisor"])
def test_windows_are_told_once_whoever_dies(gtm, scene, victim):
    gtm.put("maintenances/patches", {"objects": ["pool/dc-a"], "starts": at(-1), "ends": at(3600), "reason": "patches"})
    gtm.put("maintenances/later", {"objects": ["pool/dc-b"], "starts": at(1800), "ends": at(3600), "reason": "x"})
    eventually(lambda: told(gtm, "patches") and told(gtm, "later"))
    if victim == "supervisor":
        gtm.restart(signal.SIGKILL)
    else:
        old = gtm.kill(victim)
        eventually(lambda: gtm.pid(victim) not in (None, old))
    eventually(gtm.is_ready)
    eventually(lambda: "maintenance" in gtm.status("pools/dc-a"))
    # What comes after the start comes after what the start would tell.
    gtm.put("maintenances/patches", dict(gtm.spec("maintenances/patches"), ends=at(-0.5)))
    eventually(lambda: [k for k, _ in told(gtm, "patches")] == ["began", "ended"])
    assert [k for k, _ in told(gtm, "later")] == ["planned"]


def test_windows_without_control(gtm, scene):
    """What begins and ends while control is away is told when it is back, with the time at which it was."""
    starts, ends = at(1 * SLOW), at(2 * SLOW)
    gtm.put("maintenances/patches", {"objects": ["pool/dc-a"], "starts": starts, "ends": ends, "reason": "patches"})
    os.kill(gtm.pid("control"), signal.SIGSTOP)
    eventually(lambda: answers(gtm, value(scene, "dc-b-1")))
    eventually(lambda: answers(gtm, value(scene, "dc-a-1"), value(scene, "dc-a-2")))
    os.kill(gtm.pid("control"), signal.SIGCONT)
    eventually(lambda: told(gtm, "patches")[1:] == [("began", starts), ("ended", ends)])


def test_windows_while_we_were_down(gtm, scene):
    now = datetime.datetime.now(datetime.timezone.utc)
    starts, ends, last = at(1 * SLOW, now), at(1.5 * SLOW, now), at(2.5 * SLOW, now)
    until = time.monotonic() + 2.5 * SLOW
    gtm.put("maintenances/patches", {"objects": ["pool/dc-a"], "starts": starts, "ends": ends, "reason": "patches",
                                     "every": "%dms" % (1500 * SLOW)})
    eventually(lambda: told(gtm, "patches"))
    assert gtm.stop() == 0
    eventually(lambda: time.monotonic() >= until)  # the time itself is what is waited for
    gtm.start()
    eventually(lambda: len(told(gtm, "patches")) >= 4)
    assert told(gtm, "patches")[1:4] == [("began", starts), ("ended", ends), ("began", last)]
    gtm.delete("maintenances/patches")

# ---- damping ----

def flap(gtm, scene, address, times):
    for i in range(times):
        backend(scene, address).refuse() if i % 2 == 0 else backend(scene, address).accept()
        gtm.until_health("addresses/" + address, "exceptional" if i % 2 == 0 else "ok")


def test_flapping_is_damped(gtm, scene):
    two = value(scene, "dc-a-2")
    spec = dict(gtm.spec("addresses/dc-a-1"), damping={"transitions": 3, "window": "5m", "hold": "1m", "hold_max": "1m"})
    gtm.put("addresses/dc-a-1", spec)
    flap(gtm, scene, "dc-a-1", 4)
    event = eventually(lambda: events(gtm, "address.flapping"))[0]
    assert event["object"]["name"] == "dc-a-1" and event["data"]["held"] == "down" and "held down for 1m" in event["text"]
    status = gtm.status("addresses/dc-a-1")
    assert status["state"] == "down" and status["health"] == "ok" and status["availability"] == "unavailable"
    assert status["damped"]["held"] == "down"
    answers(gtm, two)
    explained = gtm.must("POST", "explain", {"name": NAME, "type": "A"})
    assert any(s["step"] == "damping" and "dc-a-1" in s["text"] for s in explained["decision"])
    assert "flapping, held down" in gtm.ctl("get", "address", "dc-a-1", "-o", "wide").stdout
    gtm.kill("engine")  # a new one knows
    eventually(lambda: gtm.status("addresses/dc-a-1").get("damped"))
    eventually(lambda: answers(gtm, two))
    downs = len(events(gtm, "address.down"))
    flap(gtm, scene, "dc-a-1", 2)
    answers(gtm, two)
    assert len(events(gtm, "address.down")) == downs
    impose(gtm, "addresses/dc-a-1", "up")  # an override wins
    answers(gtm, value(scene, "dc-a-1"), two)
    gtm.delete("addresses/dc-a-1/override")
    spec["damping"]["transitions"] = 0
    gtm.put("addresses/dc-a-1", spec)
    answers(gtm, value(scene, "dc-a-1"), two)


def test_flapping_is_held_up_where_it_is_needed(gtm, scene):
    gtm.put(DOMAIN, dict(gtm.spec(DOMAIN), pools=[{"pool": "dc-b", "order": 1}, {"pool": "dc-a", "order": 2}]))
    gtm.put("addresses/dc-b-1", dict(gtm.spec("addresses/dc-b-1"), damping={
        "transitions": 2, "window": "5m", "hold": "%ds" % (3 * SLOW), "hold_max": "1h"}))
    flap(gtm, scene, "dc-b-1", 3)
    event = eventually(lambda: events(gtm, "address.flapping"))[0]
    assert event["data"]["held"] == "up"
    answers(gtm, value(scene, "dc-b-1"))
    assert gtm.status("addresses/dc-b-1")["state"] == "healthy"
    # It stays down, and the hold ends.
    eventually(lambda: answers(gtm, value(scene, "dc-a-1"), value(scene, "dc-a-2")), timeout=10)
    eventually(lambda: gtm.status("addresses/dc-b-1")["state"] == "down")
