# SPDX-License-Identifier: GPL-3.0-or-later
"""Record sets with lines and weights: what the zone itself answers by who asks, and its plain view for everybody else."""
import dns.edns
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsigkeyring
import dns.update
import dns.zone
import pytest

from gtm import eventually, zone_text

Z = "cloud-example.com"
WWW = "www." + Z
SETS = "zones/%s/rrsets/" % Z
SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

# Custom lines, so that no data set is needed: a site of a carrier, in that carrier, and another.
LINES = {
    "office": {"parent": "telecom", "cidrs": ["10.1.2.0/24", "2001:db8:1::/48"]},
    "dsl": {"parent": "telecom", "cidrs": ["10.1.0.0/16"]},
    "cable": {"cidrs": ["10.2.0.0/16"]},
}
OFFICE, DSL, CABLE, ELSEWHERE = "10.1.2.0/24", "10.1.9.0/24", "10.2.9.0/24", "192.0.2.0/24"


def rr(data, line=None, **more):
    return dict({"data": data}, **({"line": line} if line else {}), **more)


def put(gtm, owner, rdtype, records, ttl=60, query=""):
    return gtm.must("PUT", SETS + "%s/%s%s" % (owner, rdtype, query), {"ttl": ttl, "records": records})


def refused(gtm, owner, rdtype, records, status=422, **more):
    r = gtm.api("PUT", SETS + "%s/%s" % (owner, rdtype), dict({"ttl": 60, "records": records}, **more))
    assert r.status == status, r
    return {e["pointer"]: e for e in r.body["errors"]}


def ask(gtm, network, name=WWW, rdtype="A", **kw):
    address, bits = network.split("/")
    return gtm.ask(name, rdtype, edns=0, options=[dns.edns.ECSOption(address, int(bits))], **kw)


def by(gtm, network, name=WWW, rdtype="A", **kw):
    """Sorted answers for a client of that network, and their scope."""
    r = ask(gtm, network, name, rdtype, **kw)
    assert r.rcode() == dns.rcode.NOERROR, r
    scope = next(o.scopelen for o in r.options if isinstance(o, dns.edns.ECSOption))
    return sorted(rd.to_text() for s in r.answer for rd in s), scope


def serial(gtm):
    return gtm.ask(Z, "SOA").answer[0][0].serial


def export(gtm):
    return gtm.must("GET", "zones/%s/file" % Z)


def transfer(gtm):
    return dns.zone.from_xfr(dns.query.xfr(gtm.ip, Z, port=gtm.dns[1], relativize=False), relativize=False)


def shown(zone, owner, rdtype):
    found = zone.get_rdataset(owner + ".", rdtype)
    return sorted(rd.to_text() for rd in found) if found else []


@pytest.fixture
def gtm(world):
    g = world.gtm()
    g.zone(Z, zone_text())
    for name, spec in LINES.items():
        g.put("lines/" + name, spec)
    return g


FOUR = [rr("192.0.2.1"), rr("192.0.2.2", "telecom"), rr("192.0.2.3", "office"), rr("192.0.2.4", "cable")]


# ---- whom it answers ----

def test_the_best_line_answers(gtm):
    put(gtm, "www", "A", FOUR)
    assert by(gtm, OFFICE) == (["192.0.2.3"], 24)
    assert by(gtm, DSL) == (["192.0.2.2"], 21), "dsl is part of telecom; 10.1.2.0/24 is not of the same mind"
    assert by(gtm, CABLE) == (["192.0.2.4"], 16)
    assert by(gtm, ELSEWHERE) == (["192.0.2.1"], 1)
    assert by(gtm, "2001:db8:1:2::/56") == (["192.0.2.3"], 48)
    assert gtm.rdata(WWW) == ["192.0.2.1"], "who has no line"
    assert gtm.rdata(WWW, "AAAA") == ["2001:db8::80"] and gtm.rdata(WWW, "TXT") == ['"from the zone"']
    r = ask(gtm, OFFICE)
    assert r.answer[0].ttl == 60


def test_all_records_of_a_line_are_one_answer(gtm):
    put(gtm, "www", "A", ["192.0.2.1", "192.0.2.2", rr("192.0.2.2", "cable"), rr("192.0.2.3", "cable"), rr("192.0.2.4", "cable")])
    assert by(gtm, CABLE)[0] == ["192.0.2.2", "192.0.2.3", "192.0.2.4"]
    assert by(gtm, ELSEWHERE)[0] == ["192.0.2.1", "192.0.2.2"]
    orders = {tuple(rd.to_text() for rd in ask(gtm, CABLE).answer[0]) for _ in range(6)}
    assert len(orders) == 3, "rotated"


def test_no_line_no_data(gtm):
    put(gtm, "www", "A", [rr("192.0.2.4", "cable")])
    assert by(gtm, CABLE)[0] == ["192.0.2.4"]
    r = ask(gtm, DSL)
    assert r.rcode() == dns.rcode.NOERROR and not r.answer and r.authority[0].rdtype == dns.rdatatype.SOA
    assert next(o.scopelen for o in r.options if isinstance(o, dns.edns.ECSOption)) == 15, "for 10.0.0.0/15"


def test_disabled_records_count_as_not_there(gtm):
    put(gtm, "www", "A", ["192.0.2.1", rr("192.0.2.2", "telecom"), rr("192.0.2.3", "office", enabled=False)])
    assert by(gtm, OFFICE)[0] == ["192.0.2.2"], "the next best line"
    put(gtm, "www", "A", [rr("192.0.2.1", enabled=False), rr("192.0.2.2", "telecom")])
    assert by(gtm, ELSEWHERE)[0] == []
    put(gtm, "new", "A", [rr("192.0.2.1", enabled=False, remark="later")])
    assert gtm.ask("new." + Z).rcode() == dns.rcode.NXDOMAIN
    assert gtm.must("GET", SETS + "new/A")["records"] == [rr("192.0.2.1", enabled=False, remark="later")]
    gtm.delete(SETS + "new/A")
    assert gtm.get(SETS + "new/A").status == 404


def test_weights_are_exact(gtm):
    put(gtm, "www", "A", [rr("192.0.2.1", weight=3), rr("192.0.2.2", weight=1), rr("192.0.2.3", weight=0), rr("192.0.2.9", "cable")])
    n = 800
    drawn = gtm.draw(WWW, n)
    assert set(map(len, drawn)) == {1}, "one record each"
    assert abs(drawn[("192.0.2.1",)] - n * 3 / 4) <= 5 and abs(drawn[("192.0.2.2",)] - n / 4) <= 5, drawn
    assert ("192.0.2.3",) not in drawn, "stands by"
    put(gtm, "www", "A", [rr("192.0.2.1", weight=3, enabled=False), rr("192.0.2.3", weight=0)])
    assert gtm.rdata(WWW) == ["192.0.2.3"]


def test_one_weight_makes_a_line_weighted(gtm):
    put(gtm, "www", "A", [rr("192.0.2.1", weight=1), "192.0.2.2", rr("192.0.2.3", "cable"), rr("192.0.2.4", "cable")])
    assert {len(a) for a in gtm.draw(WWW, 10)} == {1}
    assert len(by(gtm, CABLE)[0]) == 2, "the other line has none"


# ---- types ----

def test_mail_goes_by_line_with_its_addresses(gtm):
    put(gtm, "@", "MX", ["10 mx", rr("10 mx-cable", "cable")])
    put(gtm, "mx", "A", ["192.0.2.25"])
    put(gtm, "mx-cable", "A", ["192.0.2.26", rr("192.0.2.27", "cable")])
    r = ask(gtm, CABLE, Z, "MX")
    assert [rd.to_text() for rd in r.answer[0]] == ["10 mx-cable.%s." % Z]
    assert {s.name.to_text(): [rd.to_text() for rd in s] for s in r.additional} == {"mx-cable.%s." % Z: ["192.0.2.26"]}, \
        "what stands beside the answer goes by the resolver"
    assert by(gtm, ELSEWHERE, Z, "MX")[0] == ["10 mx.%s." % Z]


@pytest.mark.parametrize("rdtype,one,two", [
    ("TXT", '"one"', '"two" "parts"'),
    ("SRV", "0 5 5060 a.example.net.", "0 5 5061 b.example.net."),
    ("HTTPS", '1 . alpn="h2"', '1 . alpn="h3"'),
    ("CAA", '0 issue "a.example"', '0 issue "b.example"'),
    ("TYPE65280", "\\# 2 0102", "\\# 2 0304"),
])
def test_any_type(gtm, rdtype, one, two):
    put(gtm, "x", rdtype, [one, rr(two, "cable")])
    assert by(gtm, ELSEWHERE, "x." + Z, rdtype)[0] == [one]
    assert by(gtm, CABLE, "x." + Z, rdtype)[0] == [two]
    assert gtm.ask("x." + Z, "ANY").answer, "something"


def test_cname_hides_and_is_followed(gtm):
    put(gtm, "go", "CNAME", ["www", rr("cdn.example.net.", "cable")])
    assert gtm.rdata("go." + Z) == [WWW + ".", "192.0.2.80"]
    assert by(gtm, CABLE, "go." + Z)[0] == ["cdn.example.net."]
    assert by(gtm, CABLE, "go." + Z, "CNAME")[0] == ["cdn.example.net."]
    assert by(gtm, CABLE, "go." + Z, "TXT")[0] == ["cdn.example.net."]
    assert refused(gtm, "go", "TXT", ["x", rr("y", "cable")])
    put(gtm, "two", "CNAME", [rr("a.example.net.", weight=1), rr("b.example.net.", weight=1)])
    drawn = gtm.draw("two." + Z, 100, "CNAME")
    assert min(drawn.values()) >= 48 and {len(a) for a in drawn} == {1} and len(drawn) == 2, drawn
    assert shown(transfer_of(gtm), "two." + Z, "CNAME") == ["a.example.net."]


def transfer_of(gtm):
    gtm.patch("zones/" + Z, transfer=[{"from": "any"}])
    return transfer(gtm)


def test_wildcards(gtm):
    put(gtm, "*.dyn", "A", ["192.0.2.1", rr("192.0.2.2", "cable")])
    assert by(gtm, CABLE, "a.b.dyn." + Z)[0] == ["192.0.2.2"]
    assert by(gtm, ELSEWHERE, "a.dyn." + Z)[0] == ["192.0.2.1"]


# ---- REST ----

def test_get_gives_back_what_was_put(gtm):
    said = ["192.0.2.1", rr("192.0.2.2", "aliyun", weight=7, remark="the cloud"), rr("192.0.2.3", enabled=False), rr("192.0.2.4", weight=0)]
    reply = put(gtm, "www", "A", said)
    assert reply["records"] == said and reply["ttl"] == 60
    assert gtm.must("GET", SETS + "www/A") == {"owner": WWW, "type": "A", "ttl": 60, "records": said}
    listed = gtm.must("GET", SETS[:-1] + "?type=A&q=www")["items"]
    assert listed == [{"owner": WWW, "type": "A", "ttl": 60, "records": said}]
    assert gtm.spec("rrsets/%s/A" % WWW) == {"zone": Z, "ttl": 60, "records": said}
    # objects that say nothing but data are strings, and no object is made
    reply = put(gtm, "www", "A", [rr("192.0.2.1"), rr("192.0.2.2", "default", enabled=True, remark="")])
    assert reply["records"] == ["192.0.2.1", "192.0.2.2"]
    assert gtm.get("rrsets/%s/A" % WWW).status == 404
    assert gtm.rdata(WWW) == ["192.0.2.1", "192.0.2.2"]


def test_what_is_refused(gtm):
    put(gtm, "www", "A", FOUR)
    revision = gtm.config()["revision"]
    e = refused(gtm, "www", "A", ["192.0.2.1", rr("192.0.2.2", "cable"), rr("192.0.2.3", "moon")])
    assert e["records[2].line"]["detail"] == "no line named 'moon' exists" and "custom line" in e["records[2].line"]["allowed"]
    assert "records[1].weight" in refused(gtm, "www", "A", ["192.0.2.1", rr("192.0.2.2", weight=65536)])
    assert "records[0].weight" in refused(gtm, "www", "A", [rr("192.0.2.2", weight=-1)])
    assert "records[0].enabled" in refused(gtm, "www", "A", [rr("192.0.2.2", enabled="no")])
    assert "records[0].wieght" in refused(gtm, "www", "A", [rr("192.0.2.2", wieght=1)])
    assert "records[0].data" in refused(gtm, "www", "A", [{"line": "cable"}])
    assert "records[1].data" in refused(gtm, "www", "A", ["192.0.2.1", rr("nonsense", "cable")])
    e = refused(gtm, "www", "A", [rr("192.0.2.2", "cable"), rr("192.0.2.2"), rr("192.0.2.2", "cable")])
    assert "records[0]" in e["records[2].data"]["detail"]
    e = refused(gtm, "www", "AAAA", [rr("2001:db8::1", "cable"), rr("2001:DB8:0::1", "cable")])
    assert "records[1].data" in e, "the same on the wire"
    assert "name" in refused(gtm, "www", "DNAME", [rr("example.net.", "cable")])
    assert "name" in refused(gtm, "@", "NS", [rr("ns1", "cable")])
    e = refused(gtm, "www", "A", [rr("10.0.%d.%d" % (i >> 8, i & 255), "cable") for i in range(257)])
    assert "more than 256" in e["records[256].line"]["detail"]
    assert refused(gtm, "www", "CNAME", [rr("a.example.", "cable")])
    assert refused(gtm, "@", "CNAME", [rr("a.example.", "cable")])
    assert "ttl" in refused(gtm, "www", "A", [rr("192.0.2.1", "cable")], ttl=-1)
    assert gtm.config()["revision"] == revision and by(gtm, CABLE)[0] == ["192.0.2.4"]


def test_dry_run_changes_nothing(gtm):
    before = gtm.config()["revision"], export(gtm)
    reply = put(gtm, "www", "A", FOUR, query="?dryRun=1")
    assert reply["dryRun"] and reply["records"][1:] == FOUR[1:]
    assert (gtm.config()["revision"], export(gtm)) == before and gtm.get("rrsets/%s/A" % WWW).status == 404


def test_a_line_in_use_stays(gtm):
    put(gtm, "www", "A", FOUR)
    r = gtm.api("DELETE", "lines/cable")
    assert r.status == 409 and r.body["referrers"] == ["rrset %s/A" % WWW]
    put(gtm, "www", "A", FOUR[:3])
    gtm.delete("lines/cable")


def test_set_and_view_are_one_revision(gtm):
    before = gtm.config()["revision"], serial(gtm)
    put(gtm, "www", "A", FOUR)
    assert (gtm.config()["revision"], serial(gtm)) == (before[0] + 1, before[1] + 1)
    put(gtm, "www", "A", [FOUR[0], rr("192.0.2.200", "cable")])
    assert (gtm.config()["revision"], serial(gtm)) == (before[0] + 2, before[1] + 1), "the view is the same"
    put(gtm, "www", "A", [FOUR[0], rr("192.0.2.200", "cable")])
    assert gtm.config()["revision"] == before[0] + 2, "nothing changes"
    gtm.delete(SETS + "www/A")
    assert gtm.get("rrsets/%s/A" % WWW).status == 404 and gtm.rdata(WWW) == []
    assert serial(gtm) == before[1] + 2


def test_the_zone_takes_its_sets_along(gtm):
    put(gtm, "www", "A", FOUR)
    gtm.delete("zones/" + Z)
    assert gtm.get("rrsets").body["items"] == []
    gtm.delete("lines/cable")
    gtm.zone(Z, zone_text())
    assert gtm.rdata(WWW) == ["192.0.2.80"]


def test_the_object_is_another_way_in(gtm):
    gtm.put("rrsets/%s/A" % WWW, {"zone": Z, "ttl": 30, "records": FOUR})
    assert by(gtm, CABLE)[0] == ["192.0.2.4"] and "192.0.2.1" in export(gtm)
    gtm.patch("rrsets/%s/A" % WWW, ttl=90)
    assert ask(gtm, CABLE).answer[0].ttl == 90 and gtm.ask(WWW).answer[0].ttl == 90
    gtm.delete("rrsets/%s/A" % WWW)
    assert gtm.rdata(WWW) == []
    r = gtm.api("PUT", "rrsets/%s/A" % WWW, {"spec": {"zone": "example.org", "records": FOUR}})
    assert "zone" in {e["pointer"] for e in r.body["errors"]}


def test_the_description_has_them(gtm):
    doc = gtm.must("GET", "openapi.json")
    schema = doc["paths"]["/api/v1/zones/{zone}/rrsets/{owner}/{type}"]["put"]["requestBody"]["content"]["application/json"]["schema"]
    string, record = schema["properties"]["records"]["items"]["oneOf"]
    assert string["type"] == "string" and set(record["properties"]) == {"data", "line", "weight", "enabled", "remark"}
    assert record["properties"]["line"]["default"] == "default" and record["required"] == ["data"]
    assert "rrset" in doc["components"]["schemas"] and "/api/v1/rrsets/{name}/{type}" in doc["paths"]


# ---- beside domains ----

def test_a_domain_goes_first(gtm):
    put(gtm, "www", "A", FOUR)
    gtm.put("addresses/a", {"type": "ipv4", "value": "203.0.113.1"})
    gtm.put("pools/p", {"type": "ipv4", "addresses": [{"address": "a"}]})
    gtm.put("domains/%s/A" % WWW, {"enabled": True, "pools": [{"pool": "p"}]})
    assert by(gtm, CABLE)[0] == ["203.0.113.1"]
    reply = put(gtm, "www", "A", FOUR[:2] + [rr("192.0.2.40", "cable")])
    assert any("hidden by the enabled domain" in w for w in reply["warnings"])
    assert by(gtm, CABLE)[0] == ["203.0.113.1"]
    gtm.must("POST", "domains/%s/A:disable" % WWW)
    assert by(gtm, CABLE)[0] == ["192.0.2.40"], "the newest, at once"
    gtm.must("POST", "domains/%s/A:enable" % WWW)
    assert by(gtm, CABLE)[0] == ["203.0.113.1"]
    gtm.delete(SETS + "www/A")
    gtm.delete("domains/%s/A" % WWW)
    assert gtm.rdata(WWW) == []


def test_explain_tells(gtm):
    put(gtm, "www", "A", [rr("192.0.2.1", weight=3), rr("192.0.2.2", weight=1), rr("192.0.2.4", "cable"), rr("192.0.2.5", "office", enabled=False)])
    r = gtm.must("POST", "explain", {"name": WWW, "type": "A", "ecs": CABLE})
    assert (r["lined"], r["steered"], r["line"], r["scope"]) == (True, False, "cable", 16)
    assert r["answer"]["rdata"] == ["192.0.2.4"] and r["answer"]["ttl"] == 60
    r = gtm.must("POST", "explain", {"name": WWW, "type": "A", "ecs": ELSEWHERE, "draws": 400})
    assert r["line"] == "default"
    assert [(c["value"], c["line"], c.get("weight"), c["state"], round(c["probability"], 6)) for c in r["candidates"]] == [
        ("192.0.2.1", "default", 3, "enabled", 0.75), ("192.0.2.2", "default", 1, "enabled", 0.25),
        ("192.0.2.4", "cable", None, "enabled", 0.0), ("192.0.2.5", "office", None, "disabled", 0.0)]
    assert abs(r["draws"]["192.0.2.1"] - 300) <= 5
    for network in CABLE, ELSEWHERE, OFFICE, "10.1.0.0/16", "::ffff:10.2.9.0/120", "2001:db8:1::/64", "2001:db9::/32", "0.0.0.0/0":
        r = gtm.must("POST", "explain", {"name": WWW, "type": "A", "ecs": network, "client": gtm.ip})
        values = {c["value"] for c in r["candidates"] if c["probability"] > 0}
        got, scope = by(gtm, network)
        assert set(got) <= values and scope == r["scope"], (network, got, scope, r)
    text = gtm.ctl("explain", WWW, "A", "--client", CABLE)
    assert text.returncode == 0 and "the zone, by line" in text.stdout and "cable" in text.stdout, text


# ---- the plain view ----

def test_transfers_show_the_plain_view(gtm):
    put(gtm, "www", "A", FOUR)
    put(gtm, "only", "A", [rr("192.0.2.7", "cable"), rr("192.0.2.8", "office"), rr("192.0.2.9", "office", enabled=False)])
    zone = transfer_of(gtm)
    assert shown(zone, WWW, "A") == ["192.0.2.1"]
    assert shown(zone, "only." + Z, "A") == ["192.0.2.7", "192.0.2.8"]


def test_ixfr_goes_on(gtm):
    """A set that gets lines is one step, not a new zone."""
    gtm.patch("zones/" + Z, transfer=[{"from": "any"}])
    put(gtm, "x", "A", ["192.0.2.1"])
    old = serial(gtm)
    put(gtm, "www", "A", FOUR)
    q = dns.message.make_query(Z, "IXFR")
    q.authority.append(dns.rrset.from_text(Z + ".", 0, "IN", "SOA", "ns1.%s. hostmaster.%s. %d 3600 600 86400 60" % (Z, Z, old)))
    r = dns.query.tcp(q, gtm.ip, port=gtm.dns[1], timeout=8, one_rr_per_rrset=True)
    assert [s.rdtype == dns.rdatatype.SOA for s in r.answer] == [True, True, False, True, False, True], r


def test_export_and_import_lose_nothing(gtm):
    put(gtm, "www", "A", FOUR)
    put(gtm, "off", "A", [rr("192.0.2.9", enabled=False)])
    config, text = gtm.config(), export(gtm)
    gtm.zone(Z, text)
    assert gtm.config() == config and by(gtm, CABLE)[0] == ["192.0.2.4"]
    gtm.zone(Z, text + "other A 192.0.2.99\n")
    assert gtm.must("GET", SETS + "www/A")["records"][1:] == FOUR[1:] and by(gtm, CABLE)[0] == ["192.0.2.4"]
    more = "".join("o%d A 192.0.2.99\n" % i for i in range(200))
    gtm.zone(Z, text + more)  # the zone is replaced whole
    assert by(gtm, CABLE)[0] == ["192.0.2.4"] and by(gtm, ELSEWHERE)[0] == ["192.0.2.1"]
    reply = gtm.zone(Z, text.replace("192.0.2.1\n", "192.0.2.111\n"))
    assert [w for w in reply["warnings"] if "rrset" in w or "record set %s/A" % WWW in w], reply
    assert by(gtm, CABLE)[0] == ["192.0.2.111"] and gtm.get("rrsets/%s/A" % WWW).status == 404
    assert gtm.must("GET", SETS + "off/A")["records"] == [rr("192.0.2.9", enabled=False)]


def test_yaml_carries_them(gtm, world):
    put(gtm, "www", "A", FOUR)
    put(gtm, "@", "MX", ["10 mx", rr("10 mx-cable", "cable", weight=2)])
    listed = gtm.ctl("get", "rrsets")
    assert "cable 192.0.2.4" in listed.stdout and "*2" in listed.stdout, listed
    text = gtm.ctl("export")
    assert text.returncode == 0, text
    other = world.gtm()
    applied = other.ctl("apply", "-f", "-", stdin=text.stdout)
    assert applied.returncode == 0, applied
    assert by(other, CABLE)[0] == ["192.0.2.4"] and by(other, ELSEWHERE)[0] == ["192.0.2.1"]
    assert other.spec("rrsets/%s/MX" % Z) == gtm.spec("rrsets/%s/MX" % Z)
    assert "192.0.2.1" in export(other)
    revision = other.config()["revision"]
    again = other.ctl("apply", "-f", "-", stdin=text.stdout)
    assert again.returncode == 0 and other.config()["revision"] == revision, again
    assert other.ctl("delete", "rrset", "%s/MX" % Z).returncode == 0
    assert other.rdata(Z, "MX") == []


def test_apply_refuses_a_cname_beside_others(gtm):
    def item(rdtype, data):
        return {"kind": "rrset", "name": "y.%s/%s" % (Z, rdtype), "spec": {"zone": Z, "records": [rr(data, "cable")]}}

    for pair in ([item("A", "192.0.2.1"), item("CNAME", "a.example.")], [item("CNAME", "a.example."), item("A", "192.0.2.1")]):
        r = gtm.api("POST", "config:apply", {"objects": pair})
        assert r.status == 422 and "CNAME" in r.body["errors"][0]["detail"], r


def test_secondaries_have_no_lines(gtm):
    gtm.put("zones/example.net", {"role": "secondary", "primaries": [{"address": "127.0.0.1:9"}]})
    r = gtm.api("PUT", "zones/example.net/rrsets/www/A", {"records": [rr("192.0.2.1", "cable")]})
    assert r.status in (409, 422) and "secondary" in r.body["errors"][0]["detail"], r
    put(gtm, "www", "A", FOUR)
    r = gtm.api("PUT", "zones/" + Z, {"spec": {"role": "secondary", "primaries": [{"address": "127.0.0.1:9"}]}})
    assert r.status == 422 and WWW in {e["pointer"]: e["detail"] for e in r.body["errors"]}["role"], r


def test_update_is_refused(gtm):
    gtm.put("tsig-keys/k", {"algorithm": "hmac-sha256", "secret": SECRET})
    gtm.patch("zones/" + Z, update=[{"key": "k", "names": ["*." + Z], "types": ["any"]}])
    put(gtm, "www", "A", FOUR)

    def send(change):
        u = dns.update.Update(Z, keyring=dns.tsigkeyring.from_text({"k": SECRET}), keyname="k", keyalgorithm="hmac-sha256")
        change(u)
        return dns.rcode.to_text(dns.query.tcp(u, gtm.ip, port=gtm.dns[1], timeout=8).rcode())

    assert send(lambda u: u.add("www", 60, "A", "192.0.2.77")) == "REFUSED"
    assert "have lines or weights" in gtm.log()
    assert send(lambda u: u.delete("www", "A")) == "REFUSED"
    assert send(lambda u: u.delete("www")) == "REFUSED"
    assert send(lambda u: u.add("www", 60, "TXT", "fine")) == "NOERROR"
    assert send(lambda u: u.delete("other")) == "NOERROR"
    assert by(gtm, CABLE)[0] == ["192.0.2.4"]


# ---- a zone between ----

def test_a_child_zone_takes_the_name(gtm):
    put(gtm, "a.sub", "A", FOUR)
    assert by(gtm, CABLE, "a.sub." + Z)[0] == ["192.0.2.4"]
    gtm.zone("sub." + Z, zone_text("sub." + Z, "a A 192.0.2.200"))
    assert by(gtm, CABLE, "a.sub." + Z)[0] == ["192.0.2.200"]
    r = gtm.api("PUT", SETS + "b.sub/A", {"records": [rr("192.0.2.1", "cable")]})
    assert r.status == 422 and "sub." + Z in r.body["errors"][0]["detail"]
    gtm.delete("zones/sub." + Z)
    assert by(gtm, CABLE, "a.sub." + Z)[0] == ["192.0.2.4"]


def test_not_below_a_delegation(gtm):
    gtm.must("PUT", SETS + "cut/NS", {"records": ["ns.example.net."]})
    assert "delegation" in refused(gtm, "ns.cut", "A", [rr("192.0.2.1", "cable")])["name"]["detail"]
    put(gtm, "deep.later", "A", FOUR)
    reply = gtm.must("PUT", SETS + "later/NS", {"records": ["ns.example.net."]})
    assert any("record set deep.later" in w for w in reply["warnings"])


# ---- survival ----

def test_it_survives(gtm):
    put(gtm, "www", "A", FOUR)
    put(gtm, "w", "A", [rr("192.0.2.1", weight=1), rr("192.0.2.2", weight=1)])
    gtm.restart()
    assert by(gtm, CABLE)[0] == ["192.0.2.4"]
    gtm.kill("engine")
    eventually(lambda: by(gtm, CABLE)[0] == ["192.0.2.4"], what="the engine has them from its journal")
    gtm.wait_ready()
    gtm.kill("control")
    eventually(lambda: by(gtm, OFFICE)[0] == ["192.0.2.3"])
    gtm.wait_ready()
    assert gtm.must("GET", SETS + "www/A")["records"][1:] == FOUR[1:]
    drawn = gtm.draw("w." + Z, 100)
    assert len(drawn) == 2 and min(drawn.values()) >= 48, drawn
    gtm.restart()
    gtm.put("lines/cable", {"cidrs": ["10.3.0.0/16"]})
    assert by(gtm, CABLE)[0] == ["192.0.2.1"] and by(gtm, "10.3.0.0/24")[0] == ["192.0.2.4"]
