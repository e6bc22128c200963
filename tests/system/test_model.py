# SPDX-License-Identifier: GPL-3.0-or-later
"""REST: the nouns by name, what is echoed, what is refused, and that a write is served when it is answered."""
import os
import stat

import dns.rcode
import pytest

from gtm import FAST, Scene, zone_text

NAME = "www.cloud-example.com"

# Each kind with the least a user must say, in an order in which they can be made.
LEAST = [
    ("zones/made.test", {}),
    ("templates/t", {"protocol": "tcp"}),
    ("addresses/a", {"type": "ipv4", "value": "203.0.113.10"}),
    ("pools/p", {"type": "ipv4", "addresses": [{"address": "a"}]}),
    ("domains/www.made.test/A", {"pools": [{"pool": "p"}]}),
]
KINDS = {"zones": "zone", "templates": "template", "addresses": "address", "pools": "pool", "domains": "domain"}
DEFAULTS = {
    "templates/t": {"interval": "5s", "timeout": "2s", "fall": 3, "rise": 2, "recheck": "200ms", "failure_rate": 50},
    "addresses/a": {"enabled": True, "mode": "auto", "checks": [], "healthy_when": "any_ok"},
    "pools/p": {"enabled": True, "healthy_when": "any_ok", "sequence_mode": "preemptive",
                "addresses": [{"address": "a", "weight": 1, "order": 1, "lines": ["default"]}]},
    "domains/www.made.test/A": {"type": "A", "ttl": 60, "enabled": False, "fallback": "fail_open",
                                "pools": [{"pool": "p", "weight": 1, "order": 1, "lines": ["default"]}]},
}


@pytest.fixture
def made(gtm):
    for path, spec in LEAST:
        assert gtm.api("PUT", path, {"spec": spec}).status == 201
    return gtm


def errors(r):
    assert r.headers["Content-Type"].startswith("application/problem+json"), r
    return {e["pointer"]: e for e in r.body["errors"]}


def test_put_get_list_delete(made):
    for path, _ in LEAST:
        r = made.get(path)
        assert r.status == 200
        assert r.body["kind"] == KINDS[path.split("/")[0]]
        assert len(r.body["id"]) == 16 and r.body["revision"] > 0 and "status" in r.body
        listing = made.must("GET", path.split("/")[0])["items"]
        assert [o["name"] for o in listing] == [r.body["name"]]
        assert listing[0]["spec"] == r.body["spec"]
        for key, value in DEFAULTS.get(path, {}).items():
            assert r.body["spec"][key] == value, (path, key)
        # What a GET shows can be PUT, and changes nothing.
        again = made.api("PUT", path, {"spec": r.body["spec"]})
        assert again.status == 200 and again.body["revision"] == r.body["revision"]
        assert made.get(path).body["spec"] == r.body["spec"]
        # ... even whole.
        assert made.api("PUT", path, r.body).status == 200
    for path, _ in reversed(LEAST):
        made.delete(path)
        assert made.get(path).status == 404
        assert made.api("DELETE", path).status == 404


def test_put_again_replaces_the_whole_spec_and_keeps_the_id(made):
    before = made.get("addresses/a").body
    made.put("addresses/a", {"type": "ipv4", "value": "203.0.113.10", "remark": "one"})
    made.put("addresses/a", {"type": "ipv4", "value": "203.0.113.10", "enabled": False})
    after = made.get("addresses/a").body
    assert after["id"] == before["id"] and after["revision"] > before["revision"]
    assert after["created"] == before["created"]
    assert after["spec"].get("remark", "") == "" and after["spec"]["enabled"] is False


def test_lists_keep_their_order(made):
    names = ["zeta", "alpha", "mid", "beta"]
    for i, n in enumerate(names):
        made.put("addresses/" + n, {"type": "ipv4", "value": "203.0.113.%d" % (20 + i)})
    made.put("pools/p", {"type": "ipv4", "addresses": [{"address": n} for n in names]})
    spec = made.spec("pools/p")
    assert [(x["address"], x["order"]) for x in spec["addresses"]] == [(n, i + 1) for i, n in enumerate(names)]
    made.put("pools/p", {"type": "ipv4", "addresses": list(reversed(spec["addresses"]))})
    assert [(x["address"], x["order"]) for x in made.spec("pools/p")["addresses"]] == [
        (n, 4 - i) for i, n in enumerate(reversed(names))]


def test_one_link_added_and_taken(made):
    made.put("addresses/b", {"type": "ipv4", "value": "203.0.113.11"})
    made.must("POST", "pools/p/addresses", {"address": "b", "weight": 7})
    assert [(x["address"], x["weight"]) for x in made.spec("pools/p")["addresses"]] == [("a", 1), ("b", 7)]
    made.delete("pools/p/addresses/a")
    assert [x["address"] for x in made.spec("pools/p")["addresses"]] == ["b"]


def test_patch(made):
    made.patch("templates/t", fall=5, remark="slow")
    spec = made.spec("templates/t")
    assert (spec["fall"], spec["rise"], spec["remark"]) == (5, 2, "slow")
    made.patch("templates/t", fall=None)  # null: back to the default
    assert made.spec("templates/t")["fall"] == 3
    r = made.api("PATCH", "templates/t", {"spec": {"fall": 11}})
    assert r.status == 422 and "1..10" in errors(r)["fall"]["allowed"]
    assert made.api("PATCH", "templates/none", {"spec": {"fall": 1}}).status == 404


def test_etag_and_if_match(made):
    r = made.get("pools/p")
    etag = r.headers["ETag"]
    assert etag == '"%d"' % r.body["revision"]
    spec = dict(r.body["spec"], remark="mine")
    taken = made.api("PUT", "pools/p", {"spec": spec}, headers={"If-Match": etag})
    assert taken.status == 200 and taken.headers["ETag"] != etag
    for method in ("PUT", "PATCH"):
        late = made.api(method, "pools/p", {"spec": dict(spec, remark="late")}, headers={"If-Match": etag})
        assert late.status == 412
        assert late.body["current"]["spec"]["remark"] == "mine" and late.headers["ETag"] == taken.headers["ETag"]
    assert made.api("DELETE", "domains/www.made.test/A", headers={"If-Match": '"1"'}).status == 412
    assert made.api("PUT", "pools/p", {"spec": spec}, headers={"If-None-Match": "*"}).status == 412
    assert made.spec("pools/p")["remark"] == "mine"


@pytest.mark.parametrize("path, referrer", [
    ("templates/used", "address a"), ("addresses/a", "pool p"), ("pools/p", "domain www.made.test/A"),
    ("zones/made.test", "domain www.made.test/A")])
def test_what_is_in_use_stays(made, path, referrer):
    made.put("templates/used", {"protocol": "tcp"})
    made.patch("addresses/a", checks=[{"template": "used", "port": 9}])
    r = made.api("DELETE", path)
    assert r.status == 409
    assert r.body["referrers"] == [referrer]
    assert made.get(path).status == 200


def test_dry_run_changes_nothing(made):
    before = made.config()
    r = made.api("PUT", "pools/p?dryRun=1", {"spec": {"type": "ipv4", "remark": "dry"}})
    assert r.status == 200 and r.body["spec"]["remark"] == "dry" and r.body["dryRun"] is True
    assert made.api("PUT", "addresses/new?dryRun=1", {"spec": {"type": "ipv4", "value": "192.0.2.1"}}).status == 200
    assert made.api("DELETE", "domains/www.made.test/A?dryRun=1").status in (200, 204)
    assert made.api("PUT", "pools/p?dryRun=1", {"spec": {"type": "ipv4", "strategy": "best"}}).status == 422
    assert made.config() == before


def test_apply_many_is_one_revision_or_none(gtm):
    before = gtm.config()
    objects = [{"kind": KINDS[p.split("/")[0]], "name": p.split("/", 1)[1], "spec": s} for p, s in reversed(LEAST)]
    broken = [dict(o) for o in objects]
    broken[0] = dict(broken[0], spec={"pools": [{"pool": "p"}, {"pool": "missing"}]})
    r = gtm.api("POST", "config:apply", {"objects": broken})
    assert r.status == 422 and "objects[0].spec.pools[1].pool" in errors(r), r.body
    assert gtm.config() == before
    gtm.must("POST", "config:apply", {"objects": objects})
    revisions = {gtm.get(p).body["revision"] for p, _ in LEAST}
    assert len(revisions) == 1
    again = gtm.must("POST", "config:apply", {"objects": objects})
    assert {o["action"] for o in again["objects"]} == {"unchanged"}
    assert {gtm.get(p).body["revision"] for p, _ in LEAST} == revisions


def test_references_are_checked_on_put(gtm):
    r = gtm.api("PUT", "pools/p", {"spec": {"type": "ipv4", "addresses": [{"address": "nobody"}]}})
    assert r.status == 422
    assert "nobody" in errors(r)["addresses[0].address"]["detail"]


def test_immutable(made):
    r = made.api("PUT", "addresses/a", {"spec": {"type": "ipv6", "value": "2001:db8::1"}})
    assert r.status == 422 and errors(r)["type"]["allowed"] == "ipv4"


def test_an_override_of_records_is_warned_of(gtm):
    gtm.zone("cloud-example.com", zone_text())
    for path, spec in LEAST[1:4]:
        gtm.put(path, spec)
    body = gtm.put("domains/%s/A" % NAME, {"enabled": True, "pools": [{"pool": "p"}]})
    assert any("A records at " + NAME in w for w in body["warnings"]), body


def test_labels_and_filters(made):
    made.put("addresses/b", {"type": "ipv4", "value": "203.0.113.11", "labels": {"env": "prod"}, "remark": "two"})
    names = lambda query: [o["name"] for o in made.must("GET", "addresses?" + query)["items"]]  # noqa: E731
    assert names("label=env=prod") == ["b"] and names("label=env=test") == []
    assert names("q=203.0.113.10") == ["a"] and names("q=two") == ["b"]
    page = made.must("GET", "addresses?limit=1")
    assert [o["name"] for o in page["items"]] == ["a"] and page["next"] == "a"
    assert names("limit=1&cursor=" + page["next"]) == ["b"]


@pytest.mark.parametrize("path", ["/api/v1/pools", "/api/v1/config", "/metrics"])
def test_no_token_no_answer(gtm, path):
    for token in (False, "", "0" * 64, "x"):
        r = gtm.api("GET", path, token=token)
        assert r.status == 401 and "Bearer" in r.headers["WWW-Authenticate"]
    assert gtm.get(path).status == 200


def test_a_write_without_token_changes_nothing(gtm):
    assert gtm.api("PUT", "templates/t", {"spec": {"protocol": "tcp"}}, token=False).status == 401
    assert gtm.get("templates/t").status == 404


def test_the_token_file_is_private_and_lasts(gtm):
    path = os.path.join(gtm.dir, "admin.token")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with open(path) as f:
        token = f.read()
    gtm.restart()
    with open(path) as f:
        assert f.read() == token
    assert gtm.get("pools").status == 200


def test_unix_socket_needs_no_login(gtm):
    assert stat.S_IMODE(os.stat(os.path.join(gtm.dir, "control.sock")).st_mode) == 0o600
    assert gtm.api("PUT", "templates/t", {"spec": {"protocol": "tcp"}}, unix=True).status == 201
    assert gtm.get("templates/t").status == 200


def test_harmless_endpoints(gtm):
    assert gtm.api("GET", "/healthz", token=False).status == 200
    assert gtm.api("GET", "/readyz", token=False).status == 200
    assert "version" in gtm.api("GET", "/version", token=False).body
    assert gtm.api("GET", "/api/v1/openapi.json", token=False).body["openapi"].startswith("3.1")
    assert gtm.get("/nowhere").status == 404
    assert gtm.api("POST", "/readyz", {}, token=False).status == 405


def test_read_your_writes(world, gtm):
    """Every write is served when it is answered: no waiting between PUT and question."""
    s = Scene(world, gtm, {"dc-a": 1, "dc-b": 1})
    a, b = s.values["dc-a"][0], s.values["dc-b"][0]
    s.domain()
    for i in range(20):
        only = "dc-a" if i % 2 else "dc-b"
        gtm.patch("domains/%s/A" % NAME, pools=[{"pool": only}], ttl=i + 1)
        r = gtm.ask(NAME)
        assert r.answer[0][0].to_text() == (a if i % 2 else b) and r.answer[0].ttl == i + 1
    gtm.must("POST", "domains/%s/A:disable" % NAME)
    assert gtm.rdata(NAME) == ["192.0.2.80"]


def test_explain(world, gtm):
    s = Scene(world, gtm, {"dc-a": 1, "dc-b": 1})
    a, b = s.values["dc-a"][0], s.values["dc-b"][0]
    s.domain(weights=[3, 1])
    gtm.until_health("pools/dc-a", "ok")
    gtm.until_health("pools/dc-b", "ok")
    ask = {"name": NAME, "type": "A"}
    r = gtm.must("POST", "explain", dict(ask, draws=1000))
    assert r["answer"]["rcode"] == "NOERROR" and r["answer"]["ttl"] == 1 and r["answer"]["rdata"][0] in (a, b)
    assert r["line"] == "default" and r["fallback"] is None and r["decision"]
    assert [(c["pool"], c["address"], c["value"], c["state"], c["probability"]) for c in r["candidates"]] == [
        ("dc-a", "dc-a-1", a, "healthy", 0.75), ("dc-b", "dc-b-1", b, "healthy", 0.25)]
    assert abs(r["draws"][a] - 750) <= 6
    # What if a were down: only asked, nothing happens.
    r = gtm.must("POST", "explain", dict(ask, overrides={"dc-a-1": "down"}))
    assert r["answer"]["rdata"] == [b]
    assert a in [x[0] for x in gtm.draw(NAME, 10)]
    # The zone's own.
    r = gtm.must("POST", "explain", {"name": "ns1.cloud-example.com", "type": "A"})
    assert r["answer"]["rdata"] == ["192.0.2.53"]
    assert gtm.must("POST", "explain", {"name": "no.cloud-example.com", "type": "A"})["answer"]["rcode"] == "NXDOMAIN"
    # The real thing agrees.
    s.down("dc-a")
    r = gtm.must("POST", "explain", ask)
    assert r["answer"]["rdata"] == [b] == s.answers()


def test_status_of_every_noun(world, gtm):
    s = Scene(world, gtm, {"dc-a": 1, "dc-b": 1})
    s.domain()
    gtm.until_health("domains/%s/A" % NAME, "ok")
    s.down("dc-a")
    gtm.until_health("domains/%s/A" % NAME, "ok_alert")
    assert gtm.status("addresses/dc-a-1")["availability"] == "unavailable"
    pool = gtm.status("pools/dc-a")
    assert (pool["health"], pool["availability"], pool["available"], pool["total"]) == ("exceptional", "unavailable", 0, 1)
    domain = gtm.status("domains/%s/A" % NAME)
    assert (domain["health"], domain["availability"], domain["available"], domain["total"]) == ("ok_alert", "available", 1, 2)
    health = gtm.must("GET", "addresses/dc-a-1/health")
    assert health["checks"][0]["verdict"] == "down"
    assert health["checks"][0]["observations"][0]["cause"] == "l4_refused"
    assert [o["name"] for o in gtm.must("GET", "addresses?health=exceptional")["items"]] == ["dc-a-1"]


def test_stream_replays(gtm):
    with gtm.stream() as live:
        gtm.put("templates/one", {"protocol": "tcp"})
        first = live.event("config.applied")
    gtm.put("templates/two", {"protocol": "tcp"})
    with gtm.stream(last_id=first[3]) as later:
        m = later.event("config.applied")
        assert m[3] > first[3]
    kinds = [e["kind"] for e in gtm.must("GET", "events")["items"]]
    assert kinds.count("config.applied") >= 2


def test_audit_says_who(gtm):
    gtm.put("templates/one", {"protocol": "tcp"})
    gtm.api("PUT", "templates/two", {"spec": FAST}, unix=True)
    entries = gtm.must("GET", "audit")["items"]
    authors = [e["author"] for e in entries[:2]]
    assert authors[0].startswith("uid:") and authors[1].startswith("token:")


def test_wildcard_and_apex_domains(world, gtm):
    gtm.zone("cloud-example.com", zone_text())
    for path, spec in LEAST[1:4]:
        gtm.put(path, spec)
    gtm.put("domains/*.cloud-example.com/A", {"enabled": True, "pools": [{"pool": "p"}]})
    gtm.put("domains/cloud-example.com/A", {"enabled": True, "pools": [{"pool": "p"}]})
    assert gtm.rdata("anything.cloud-example.com") == ["203.0.113.10"]
    assert gtm.rdata("cloud-example.com") == ["203.0.113.10"]
    assert gtm.rdata(NAME) == ["192.0.2.80"], "a name with records of its own is not below the wildcard"
    assert gtm.ask("anything.cloud-example.com", "TXT").rcode() == dns.rcode.NOERROR
    gtm.delete("domains/*.cloud-example.com/A")
    assert gtm.ask("anything.cloud-example.com").rcode() == dns.rcode.NXDOMAIN
