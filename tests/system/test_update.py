# SPDX-License-Identifier: GPL-3.0-or-later
"""UPDATE (RFC 2136) as its clients do it: nsupdate, certbot, lego; and what they may not do."""
import contextlib
import os
import select
import signal
import socket
import subprocess
import time
from unittest import mock

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update
import pytest

from gtm import SLOW, eventually, zone_text

ZONE = "cloud-example.com"
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
ALGORITHMS = {"all": "hmac-sha256", "acme": "hmac-sha512", "stranger": "hmac-sha256"}
RECORDS = """
alias IN CNAME www
multi IN A 192.0.2.1
multi IN A 192.0.2.2
mail  IN MX 10 mail
"""


@pytest.fixture(scope="module")
def gtm(shared_world):
    return prepare(shared_world.gtm())


def prepare(g):
    g.zone(ZONE, zone_text(ZONE, more=RECORDS))
    g.zone("other.test", zone_text("other.test"))
    for name, algorithm in ALGORITHMS.items():
        g.put("tsig-keys/" + name, {"algorithm": algorithm, "secret": SECRET})
    g.patch("zones/" + ZONE, update=[
        {"key": "all", "names": ["@", "*." + ZONE]},
        {"key": "acme", "names": ["*." + ZONE], "types": ["TXT"]}])
    return g


def keyring(secret=SECRET):
    return dns.tsigkeyring.from_text({name: secret for name in (*ALGORITHMS, "unknown")})


def sign(message, key="all", secret=SECRET):
    message.use_tsig(keyring(secret), keyname=key, algorithm=ALGORITHMS.get(key, "hmac-sha256"))
    return message


def update(key="all", zone=ZONE, **kw):
    u = dns.update.Update(zone)
    return sign(u, key, **kw) if key else u


def send(gtm, message, tcp=False, timeout=8):
    """dnspython checks the signature of the answer."""
    ask = dns.query.tcp if tcp else dns.query.udp
    return ask(message, gtm.ip, port=gtm.dns[1], timeout=timeout * SLOW)


def rcode(gtm, message, **kw):
    return dns.rcode.to_text(send(gtm, message, **kw).rcode())


def serial(gtm, zone=ZONE):
    return gtm.ask(zone, "SOA").answer[0][0].serial


def texts(gtm, name, rdtype="A"):
    r = gtm.ask(name, rdtype)
    return sorted(rd.to_text() for rrset in r.answer for rd in rrset)


def nsupdate(gtm, lines, tcp=False, key="all"):
    text = "server %s %d\nkey %s:%s %s\n%s\nsend\nanswer\n" % (*gtm.dns, ALGORITHMS[key], key, SECRET, lines)
    return subprocess.run(["nsupdate"] + (["-v"] if tcp else []), input=text, capture_output=True, text=True,
                          timeout=20 * SLOW)


# ---- real clients ----

@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("zone_line", ["", "zone %s\n" % ZONE])
def test_nsupdate(gtm, tcp, zone_line):
    """Without a zone line it asks for the SOA first, signed, and wants the answer signed."""
    name = "nsu-%d-%d.%s" % (tcp, bool(zone_line), ZONE)
    before = serial(gtm)
    r = nsupdate(gtm, zone_line + "prereq nxdomain %s\nupdate add %s 60 A 192.0.2.9\nupdate add %s 60 TXT \"hello\""
                 % (name, name, name), tcp)
    assert r.returncode == 0 and "NOERROR" in r.stdout, r
    assert texts(gtm, name) == ["192.0.2.9"] and texts(gtm, name, "TXT") == ['"hello"']
    assert serial(gtm) == before + 1, "one message, one step"
    r = nsupdate(gtm, zone_line + "prereq yxrrset %s A\nupdate delete %s" % (name, name), tcp)
    assert r.returncode == 0 and "NOERROR" in r.stdout, r
    assert gtm.ask(name).rcode() == dns.rcode.NXDOMAIN


def certbot_zone(gtm, name, key):
    """certbot-dns-rfc2136, _find_domain and _query_soa: the first guess whose signed SOA query has an answer."""
    for guess in (".".join(name.split(".")[i:]) for i in range(name.count(".") + 1)):
        domain = dns.name.from_text(guess)
        request = dns.message.make_query(domain, dns.rdatatype.SOA, dns.rdataclass.IN)
        request.flags ^= dns.flags.RD
        sign(request, key)
        response = send(gtm, request, tcp=True)
        assert response.had_tsig
        if (response.rcode() == dns.rcode.NOERROR and response.flags & dns.flags.AA
                and response.get_rrset(response.answer, domain, dns.rdataclass.IN, dns.rdatatype.SOA)):
            return guess
    raise AssertionError("no zone")


def test_certbot(gtm):
    name = "_acme-challenge.www." + ZONE
    zone = certbot_zone(gtm, name, "acme")
    assert zone == ZONE
    rel = dns.name.from_text(name).relativize(dns.name.from_text(zone))
    for token in ("one", "two"):  # a wildcard certificate wants both at once
        u = update("acme", zone)
        u.add(rel, 120, dns.rdatatype.TXT, token)
        assert rcode(gtm, u, tcp=True) == "NOERROR"
    assert texts(gtm, name, "TXT") == ['"one"', '"two"']
    for token in ("one", "two"):
        u = update("acme", zone)
        u.delete(rel, dns.rdatatype.TXT, token)
        assert rcode(gtm, u, tcp=True) == "NOERROR"
    assert gtm.ask(name, "TXT").rcode() == dns.rcode.NXDOMAIN


def test_lego(gtm):
    """lego walks up with plain SOA queries, then removes the set and inserts its own in one message."""
    name = "_acme-challenge.deep.er." + ZONE
    labels = name.split(".")
    zone = next(z for z in (".".join(labels[i:]) for i in range(len(labels)))
                if any(rr.rdtype == dns.rdatatype.SOA and rr.name == dns.name.from_text(z)
                       for rr in gtm.ask(z, "SOA", edns=True).answer))
    assert zone == ZONE
    for token in ("first", "second"):
        u = update("acme", zone)
        u.delete(name + ".", "TXT")
        u.add(name + ".", 120, "TXT", token)
        assert rcode(gtm, u) == "NOERROR"
    assert texts(gtm, name, "TXT") == ['"second"']


# ---- prerequisites ----

PREREQUISITES = [
    (lambda u: u.present("www"), "NOERROR"),
    (lambda u: u.present("nowhere"), "NXDOMAIN"),
    (lambda u: u.present("www", "A"), "NOERROR"),
    (lambda u: u.present("www", "MX"), "NXRRSET"),
    (lambda u: u.present("multi", "A", "192.0.2.2", "192.0.2.1"), "NOERROR"),
    (lambda u: u.present("multi", "A", "192.0.2.1"), "NXRRSET"),
    (lambda u: u.present("multi", "A", "192.0.2.1", "192.0.2.2", "192.0.2.3"), "NXRRSET"),
    (lambda u: u.present("mail", "MX", "10 MAIL"), "NOERROR"),
    (lambda u: u.absent("www"), "YXDOMAIN"),
    (lambda u: u.absent("nowhere"), "NOERROR"),
    (lambda u: u.absent("www", "A"), "YXRRSET"),
    (lambda u: u.absent("www", "MX"), "NOERROR"),
]


@pytest.mark.parametrize("case", range(len(PREREQUISITES)))
def test_prerequisites(gtm, case):
    require, expected = PREREQUISITES[case]
    name = "pre-%d" % case
    u = update()
    require(u)
    u.add(name, 60, "A", "192.0.2.1")
    assert rcode(gtm, u) == expected
    assert bool(texts(gtm, name + "." + ZONE)) == (expected == "NOERROR")


# ---- rules of the zone ----

def test_what_a_zone_must_keep_is_kept(gtm):
    before = serial(gtm)
    u = update()
    u.delete("@")
    u.delete("@", "NS", "ns1")
    u.delete("@", "NS", "ns2")
    u.delete("@", "SOA")
    u.add("www", 60, "CNAME", "ns1")
    u.add("alias", 60, "A", "192.0.2.1")
    assert rcode(gtm, u) == "NOERROR"
    assert texts(gtm, ZONE, "NS") == ["ns2.%s." % ZONE], "the last one stays"
    assert texts(gtm, "www." + ZONE) == ["192.0.2.80"]
    assert serial(gtm) == before + 1
    u = update()
    u.add("@", 300, "NS", "ns1")
    assert rcode(gtm, u) == "NOERROR"


def test_a_soa_is_taken_when_it_is_newer(gtm):
    before = serial(gtm)
    for ahead, after in ((100, before + 100), (-5, before + 100)):
        u = update()
        u.add("@", 3600, "SOA", "ns1 hostmaster %d 3600 600 86400 60" % (before + ahead))
        assert rcode(gtm, u) == "NOERROR"
        assert serial(gtm) == after


def test_nothing_new_makes_no_revision(gtm):
    before = serial(gtm)
    u = update()
    u.add("www", 300, "A", "192.0.2.80")
    u.delete("nowhere")
    assert rcode(gtm, u) == "NOERROR"
    assert serial(gtm) == before
    u = update()
    u.add("multi", 77, "A", "192.0.2.1")
    assert rcode(gtm, u) == "NOERROR"
    assert gtm.ask("multi." + ZONE).answer[0].ttl == 77 and len(texts(gtm, "multi." + ZONE)) == 2


# ---- who may what ----

@pytest.mark.parametrize("tcp", [False, True])
def test_unsigned(gtm, tcp):
    u = update(None)
    u.add("unsigned", 60, "A", "192.0.2.1")
    u.use_edns(0)
    r = send(gtm, u, tcp)
    assert r.rcode() == dns.rcode.REFUSED
    assert "signed" in [o for o in r.options if o.otype == dns.edns.EDE][0].text
    assert gtm.ask("unsigned." + ZONE).rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize("key,secret,error", [
    ("unknown", SECRET, dns.tsig.PeerBadKey), ("all", "d3Jvbmc=", dns.tsig.PeerBadSignature)])
@pytest.mark.parametrize("kind", ["update", "query"])
def test_wrong_key(gtm, key, secret, error, kind):
    m = update(key, secret=secret)
    if kind == "query":
        m = sign(dns.message.make_query(ZONE, "SOA"), key, secret)
    else:
        m.add("bad", 60, "A", "192.0.2.1")
    with pytest.raises(error):
        send(gtm, m)
    assert gtm.ask("bad." + ZONE).rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize("kind", ["update", "query"])
def test_wrong_time(gtm, kind):
    m = update() if kind == "update" else sign(dns.message.make_query(ZONE, "SOA"))
    if kind == "update":
        m.add("late", 60, "A", "192.0.2.1")
    real = time.time
    with mock.patch("time.time", lambda: real() - 400):
        wire = m.to_wire()
    with mock.patch.object(m, "to_wire", lambda *a, **k: wire), pytest.raises(dns.tsig.PeerBadTime):
        send(gtm, m)
    assert gtm.ask("late." + ZONE).rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize("key,name,rdtype,data", [
    ("acme", "x", "A", "192.0.2.1"),  # not this type
    ("acme", "@", "TXT", "apex"),  # not this name
    ("stranger", "x", "TXT", "nothing at all"),
])
def test_not_permitted(gtm, key, name, rdtype, data):
    before = serial(gtm)
    u = update(key)
    u.add("fine", 60, "TXT", "would be permitted")
    u.add(name, 60, rdtype, data)
    u.use_edns(0)
    r = send(gtm, u)
    assert r.rcode() == dns.rcode.REFUSED and r.had_tsig
    assert key in [o for o in r.options if o.otype == dns.edns.EDE][0].text
    assert serial(gtm) == before and not texts(gtm, "fine." + ZONE, "TXT")
    eventually(lambda: "key %s may not" % key in gtm.log())


def test_deleting_a_name_takes_the_right_to_any_type(gtm):
    u = update("acme")
    u.delete("mail")
    assert rcode(gtm, u) == "REFUSED"
    assert texts(gtm, "mail." + ZONE, "MX")


def test_other_zones(gtm):
    for zone, expected in (("other.test", "REFUSED"), ("nowhere.test", "NOTAUTH"), ("www." + ZONE, "NOTAUTH")):
        u = update(zone=zone)
        u.add("x", 60, "A", "192.0.2.1")
        assert rcode(gtm, u) == expected


def test_one_bad_record_and_nothing_changes(gtm):
    before = serial(gtm)
    u = update()
    u.add("good", 60, "A", "192.0.2.1")
    u.add("outside.other.test.", 60, "A", "192.0.2.1")
    assert rcode(gtm, u) == "NOTZONE"
    u = update()
    u.add("good", 60, "A", "192.0.2.1")
    u.add("bad", 60, dns.rdata.GenericRdata(dns.rdataclass.IN, dns.rdatatype.SRV, b"\0\1"))
    assert rcode(gtm, u) == "FORMERR"
    assert serial(gtm) == before and gtm.ask("good." + ZONE).rcode() == dns.rcode.NXDOMAIN


def test_steered_names_are_refused(gtm):
    gtm.put("addresses/st", {"type": "ipv4", "value": "192.0.2.77"})
    gtm.put("pools/st", {"type": "ipv4", "strategy": "round_robin", "addresses": [{"address": "st"}]})
    gtm.put("domains/st.%s/A" % ZONE, {"enabled": True, "ttl": 1, "strategy": "weight", "pools": [{"pool": "st"}]})
    for edit in (lambda u: u.add("st", 60, "A", "192.0.2.1"), lambda u: u.delete("st")):
        u = update()
        edit(u)
        u.use_edns(0)
        r = send(gtm, u)
        assert r.rcode() == dns.rcode.REFUSED
        assert "steered" in [o for o in r.options if o.otype == dns.edns.EDE][0].text
    assert "is steered by an enabled domain" in gtm.log()
    u = update()
    u.add("st", 60, "TXT", "another type")
    assert rcode(gtm, u) == "NOERROR"
    gtm.patch("domains/st.%s/A" % ZONE, enabled=False)
    u = update()
    u.add("st", 60, "A", "192.0.2.1")
    assert rcode(gtm, u) == "NOERROR"


# ---- durability ----

def test_the_audit_log_names_the_key(gtm):
    u = update()
    u.add("audited", 60, "A", "192.0.2.1")
    assert rcode(gtm, u) == "NOERROR"
    newest = gtm.must("GET", "audit?limit=1")["items"][0]
    assert newest["author"] == "tsig:all" and ZONE in newest["summary"]


@pytest.mark.parametrize("tcp", [False, True])
def test_many_in_a_row(gtm, tcp):
    for i in range(200):
        u = update()
        u.add("many-%d" % tcp, 60, "A", "192.0.2.%d" % (i + 1))
        assert rcode(gtm, u, tcp=tcp) == "NOERROR"
    assert len(gtm.ask("many-%d.%s" % (tcp, ZONE), tcp=True).answer[0]) == 200


def test_what_was_answered_outlives_kill_9(world):
    gtm = prepare(world.gtm())
    for round_ in range(3):
        u = update()
        u.add("kept-%d" % round_, 60, "A", "192.0.2.1")
        assert rcode(gtm, u) == "NOERROR"
        old = gtm.kill("control")
        assert texts(gtm, "kept-%d.%s" % (round_, ZONE)) == ["192.0.2.1"]
        eventually(lambda: gtm.pid("control") not in (None, old) and gtm.is_ready(), 20)
        assert gtm.must("GET", "zones/%s/rrsets/kept-%d/A" % (ZONE, round_))["records"] == ["192.0.2.1"]
    gtm.restart(signal.SIGKILL)
    for round_ in range(3):
        assert texts(gtm, "kept-%d.%s" % (round_, ZONE)) == ["192.0.2.1"]


def test_without_control_clients_are_sent_elsewhere(world):
    gtm = prepare(world.gtm())
    os.kill(gtm.pid("control"), signal.SIGSTOP)
    try:
        for tcp in (False, True):
            assert send(gtm, plain(dns.opcode.UPDATE), tcp).rcode() == dns.rcode.SERVFAIL, "no answer within 5 s"
            assert send(gtm, sign(dns.message.make_query(ZONE, "SOA")), tcp).had_tsig, "queries need no control"
    finally:
        os.kill(gtm.pid("control"), signal.SIGCONT)
    eventually(lambda: send(gtm, plain(dns.opcode.UPDATE)).rcode() != dns.rcode.SERVFAIL)


def test_a_dead_control_is_told_at_once(world):
    """Not after the 5 s that a silent one gets: neither to who waits already nor to who comes."""
    gtm = prepare(world.gtm())
    before = serial(gtm)
    gtm.process.send_signal(signal.SIGSTOP)  # nobody starts another control
    try:
        os.kill(gtm.pid("control"), signal.SIGSTOP)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(gtm.dns)
            s.settimeout(3 * SLOW)
            u = update()
            u.add("waits", 60, "A", "192.0.2.1")
            s.send(u.to_wire())
            assert gtm.ask("www." + ZONE).answer, "what came after it is answered"
            gtm.kill("control")
            at = time.monotonic()
            reply = s.recv(4096)
            assert reply[3] & 15 == dns.rcode.SERVFAIL and reply[2] >> 3 & 15 == dns.opcode.UPDATE
            assert reply[:2] == u.to_wire()[:2] and time.monotonic() - at < 1 * SLOW
        for tcp in (False, True):
            for message in (update(), plain(dns.opcode.NOTIFY)):
                at = time.monotonic()
                assert send(gtm, message, tcp).rcode() == dns.rcode.SERVFAIL
                assert time.monotonic() - at < 1 * SLOW
            assert gtm.ask("www." + ZONE, tcp=tcp).answer
        assert serial(gtm) == before
    finally:
        gtm.process.send_signal(signal.SIGCONT)
    u = update()
    u.add("later", 60, "A", "192.0.2.1")
    eventually(lambda: rcode(gtm, u) == "NOERROR", 20)
    assert texts(gtm, "later." + ZONE) == ["192.0.2.1"]


def test_more_than_control_may_owe(world):
    """A control that does not answer holds 256 messages; who comes then is told at once."""
    gtm = prepare(world.gtm())
    os.kill(gtm.pid("control"), signal.SIGSTOP)
    try:
        with contextlib.ExitStack() as stack:
            sockets = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(300)]
            for s in sockets:
                s.connect(gtm.dns)
                s.settimeout(8 * SLOW)
                s.send(plain(dns.opcode.UPDATE).to_wire())
                gtm.ask("www." + ZONE)  # so that none is lost in a full socket
            at = time.monotonic()
            said = eventually(lambda: (r := select.select(sockets, [], [], 0)[0])[300 - 257:] and r, 2)
            assert time.monotonic() - at < 4, "long before the 5 s of those that are owed"
            assert all(s.recv(4096)[3] & 15 == dns.rcode.SERVFAIL for s in said)
    finally:
        os.kill(gtm.pid("control"), signal.SIGCONT)
    u = update()
    u.add("after", 60, "A", "192.0.2.1")
    eventually(lambda: rcode(gtm, u) == "NOERROR", 20)


def plain(opcode):
    q = dns.message.make_query(ZONE, "SOA")
    q.set_opcode(opcode)
    return q


# ---- signed queries ----

@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("edns", [-1, 0])
@pytest.mark.parametrize("name,rdtype,expected", [
    ("www." + ZONE, "A", "NOERROR"), ("nowhere." + ZONE, "A", "NXDOMAIN"), ("elsewhere.test", "A", "REFUSED")])
def test_signed_queries_are_answered_signed(gtm, tcp, edns, name, rdtype, expected):
    for key in ALGORITHMS:
        q = sign(dns.message.make_query(name, rdtype, use_edns=edns), key)
        r = send(gtm, q, tcp)
        assert r.had_tsig and dns.rcode.to_text(r.rcode()) == expected and r.edns == edns
        assert not r.answer or r.answer == gtm.ask(name, rdtype).answer


def test_a_signed_answer_that_does_not_fit_is_truncated(gtm):
    for i in range(40):
        u = update()
        u.add("large", 60, "TXT", "%02d" % i * 20)
        assert rcode(gtm, u) == "NOERROR"
    q = sign(dns.message.make_query("large." + ZONE, "TXT"))
    r = dns.query.udp(q, gtm.ip, port=gtm.dns[1], timeout=3 * SLOW)
    assert r.flags & dns.flags.TC and r.had_tsig and not r.answer
    assert len(send(gtm, q, tcp=True).answer[0]) == 40
