# SPDX-License-Identifier: GPL-3.0-or-later
"""Steered names inside a zone: wildcards, the apex, zone cuts, CNAMEs."""
import dns.rcode
import pytest

from gtm import zone_text

CUTS = """
sub      IN NS    ns.sub
ns.sub   IN A     192.0.2.53
moved    IN DNAME elsewhere.example.
*.wild   IN A     192.0.2.77
host.wild IN TXT  "host"
"""


@pytest.fixture
def cloud(gtm):
    gtm.zone("cloud-example.com", zone_text(more=CUTS))
    gtm.put("addresses/a", {"type": "ipv4", "value": "203.0.113.10"})
    gtm.put("pools/p", {"type": "ipv4", "addresses": [{"address": "a"}]})
    return gtm


def domain(gtm, name, **spec):
    return gtm.api("PUT", f"domains/{name}/A", {"spec": {"pools": [{"pool": "p"}], "enabled": True, **spec}})


@pytest.mark.parametrize("name,reason", [
    ("sub.cloud-example.com", "delegation of 'sub.cloud-example.com'"),
    ("www.sub.cloud-example.com", "delegation of 'sub.cloud-example.com'"),
    ("a.b.sub.cloud-example.com", "delegation of 'sub.cloud-example.com'"),
    ("www.moved.cloud-example.com", "DNAME of 'moved.cloud-example.com'"),
])
def test_below_a_cut_is_refused_with_the_reason(cloud, name, reason):
    before = cloud.config()
    r = domain(cloud, name)
    assert r.status == 422 and reason in r.body["errors"][0]["detail"]
    assert cloud.config() == before


def test_at_a_dname_and_beside_a_cut_is_fine(cloud):
    assert domain(cloud, "moved.cloud-example.com").status == 201
    assert domain(cloud, "notsub.cloud-example.com").status == 201
    assert cloud.rdata("moved.cloud-example.com") == ["203.0.113.10"]


def test_a_cut_made_above_a_domain_is_warned_of(cloud):
    assert domain(cloud, "www.later.cloud-example.com").status == 201
    r = cloud.api("PUT", "zones/cloud-example.com/rrsets/later/NS", {"ttl": 60, "records": ["ns.else.example."]})
    assert r.status == 201
    assert any("www.later.cloud-example.com/A" in w for w in r.body["warnings"])


def test_apex_domain(cloud):
    assert domain(cloud, "cloud-example.com").status == 201
    assert cloud.rdata("cloud-example.com") == ["203.0.113.10"]
    assert cloud.ask("cloud-example.com", "SOA").answer and cloud.ask("cloud-example.com", "NS").answer


def test_wildcard_domain_steers_what_has_no_records_of_its_own(cloud):
    assert domain(cloud, "*.wild.cloud-example.com").status == 201
    assert cloud.rdata("any.wild.cloud-example.com") == ["203.0.113.10"]
    assert cloud.rdata("a.b.wild.cloud-example.com") == ["203.0.113.10"]
    r = cloud.ask("host.wild.cloud-example.com", "A")
    assert r.rcode() == dns.rcode.NOERROR and not r.answer, "the name exists: the wildcard does not reach it"
    cloud.api("POST", "domains/*.wild.cloud-example.com/A:disable")
    assert cloud.rdata("any.wild.cloud-example.com") == ["192.0.2.77"]


def test_a_wildcard_domain_alone_in_its_branch_goes_without_a_trace(cloud):
    assert domain(cloud, "*.new.branch.cloud-example.com").status == 201
    assert cloud.rdata("x.new.branch.cloud-example.com") == ["203.0.113.10"]
    r = cloud.ask("branch.cloud-example.com", "A")
    assert r.rcode() == dns.rcode.NOERROR and not r.answer, "an empty non-terminal"
    assert cloud.api("DELETE", "domains/*.new.branch.cloud-example.com/A").status == 204
    assert cloud.ask("branch.cloud-example.com", "A").rcode() == dns.rcode.NXDOMAIN


def test_a_steered_cname_answers_every_type(cloud):
    cloud.put("addresses/cdn", {"type": "domain", "value": "cdn.example.net"})
    cloud.put("pools/cdn", {"type": "domain", "addresses": [{"address": "cdn"}]})
    r = cloud.api("PUT", "domains/static.cloud-example.com/CNAME", {"spec": {"pools": [{"pool": "cdn"}], "enabled": True}})
    assert r.status == 201
    for rdtype in ("A", "TXT", "CNAME"):
        answer = cloud.ask("static.cloud-example.com", rdtype).answer
        assert [rr.to_text() for rr in answer[0]] == ["cdn.example.net."]
    r = cloud.api("PUT", "domains/cloud-example.com/CNAME", {"spec": {"pools": [{"pool": "cdn"}]}})
    assert r.status == 422, "a CNAME cannot stand at the apex"
