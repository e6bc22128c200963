# SPDX-License-Identifier: GPL-3.0-or-later
"""Secondary zones: from primaries that behave, that lie, and that are not there; from NSD, Knot DNS and BIND."""
import random
import time

import dns.edns
import dns.message
import dns.opcode
import dns.rcode
import pytest

import primaries
from gtm import SLOW, eventually

ZONE = "second.test"
BASE = [("@", "NS", "ns1"), ("ns1", "A", "192.0.2.53"), ("www", "A", "192.0.2.1"), ("mail", "MX", "10 www")]


@pytest.fixture
def primary(world):
    made = []

    def make(records=BASE, zone=ZONE, **kw):
        p = primaries.Scripted(zone + ".", records, **kw).start()
        made.append(p)
        world.finally_(p.stop)
        return p

    return make


def follow(gtm, *addresses, zone=ZONE, key=None):
    return gtm.put("zones/" + zone, {"role": "secondary", "primaries": [
        dict({"address": a}, **({"key": key} if key else {})) for a in addresses]})


def serial(gtm, zone=ZONE):
    r = gtm.ask(zone, "SOA")
    return r.answer[0][0].serial if r.rcode() == dns.rcode.NOERROR and r.answer else None


def until_serial(gtm, want, zone=ZONE, timeout=5.0):
    try:
        eventually(lambda: serial(gtm, zone) == want, timeout, what="serial %d" % want)
    except AssertionError as e:
        raise AssertionError("%s: %s" % (e, gtm.get("zones/" + zone).body)) from None


def ede(r):
    return [o.code for o in r.options if isinstance(o, dns.edns.EDEOption)]


def records(gtm, zone=ZONE):
    """Every record, without the serial's line."""
    text = gtm.must("GET", "zones/%s/file" % zone)
    return sorted(line for line in text.splitlines() if " SOA " not in line and "\tSOA\t" not in line)


# ---- the whole way ----

def test_first_transfer_changes_and_status(gtm, primary):
    p = primary()
    with gtm.stream("events") as events:
        follow(gtm, p.address)
        until_serial(gtm, 1)
        assert events.event("zone.transferred", ZONE)[1]["data"]["whole"]
    assert gtm.rdata("www." + ZONE) == ["192.0.2.1"]
    status = eventually(lambda: gtm.status("zones/" + ZONE) or None)
    assert (status["role"], status["serial"], status["primary"], status["error"]) == ("secondary", 1, p.address, None)
    assert status["last_check"] < status["next_check"] < status["expires"]

    p.change(BASE[:2] + [("www", "A", "192.0.2.9"), ("new", "TXT", '"there"')])
    r = p.notify(gtm)
    assert r.rcode() == dns.rcode.NOERROR and r.opcode() == dns.opcode.NOTIFY
    until_serial(gtm, 2)
    assert p.asked[-1] == ("IXFR", True)
    assert gtm.rdata("www." + ZONE) == ["192.0.2.9"]
    assert gtm.rdata("new." + ZONE, "TXT") == ['"there"']
    assert gtm.ask("mail." + ZONE, "MX").rcode() == dns.rcode.NXDOMAIN
    assert any("transfer zone" in a["summary"] for a in gtm.get("audit").body["items"])


def test_not_ready_until_the_first_transfer(gtm, primary):
    p = primary()
    p.stop()
    follow(gtm, p.address)
    r = gtm.ask("www." + ZONE, edns=True)
    assert r.rcode() == dns.rcode.SERVFAIL and ede(r) == [14]
    eventually(lambda: gtm.status("zones/" + ZONE).get("error"), 10)
    p.start()
    assert gtm.api("POST", "zones/%s:refresh" % ZONE).status == 202
    until_serial(gtm, 1)


def test_refresh_by_timer_and_serial_arithmetic(gtm, primary):
    p = primary(serial=4294967290, refresh=1, retry=1)
    follow(gtm, p.address)
    until_serial(gtm, 4294967290)
    p.change(BASE, serial=5)  # over the edge: ahead (RFC 1982)
    until_serial(gtm, 5)
    p.change(BASE, serial=3)  # behind: not taken
    n = len(p.asked)
    eventually(lambda: len(p.asked) > n + 1, 5)
    assert serial(gtm) == 5


def test_several_primaries_in_turn(gtm, primary):
    dead, alive = primary(), primary()
    dead.stop()
    follow(gtm, dead.address, alive.address)
    until_serial(gtm, 1, timeout=15)
    eventually(lambda: gtm.status("zones/" + ZONE).get("primary") == alive.address)


def test_expires_and_comes_back(gtm, primary):
    p = primary(refresh=1, retry=1, expire=3)
    with gtm.stream("events") as events:
        follow(gtm, p.address)
        until_serial(gtm, 1)
        time.sleep(2.5)  # refreshed meanwhile: nothing expires
        assert serial(gtm) == 1
        p.stop()
        failed = events.event("zone.refresh_failed", ZONE, 10)
        assert p.ip in failed[1]["text"]
        events.event("zone.expired", ZONE, 10)
        r = gtm.ask("www." + ZONE, edns=True)
        assert r.rcode() == dns.rcode.SERVFAIL and ede(r) == [24]
        gtm.kill("engine")  # what has expired stays so
        gtm.wait_ready()
        eventually(lambda: gtm.ask("www." + ZONE).rcode() == dns.rcode.SERVFAIL)
        p.start()
        until_serial(gtm, 1, timeout=15)


def test_expires_with_control_dead(gtm, primary):
    p = primary(refresh=1, retry=1, expire=4)
    follow(gtm, p.address)
    until_serial(gtm, 1)
    p.stop()
    gtm.kill("control")
    assert serial(gtm) == 1
    eventually(lambda: gtm.ask("www." + ZONE).rcode() == dns.rcode.SERVFAIL, 8)


def test_control_killed_mid_transfer(gtm, primary):
    p = primary()
    follow(gtm, p.address)
    until_serial(gtm, 1)
    was = records(gtm)
    p.change(BASE + [("a%d" % i, "A", "192.0.2.7") for i in range(1000)])
    slow = []

    def answer(q, tcp):
        if not tcp or q.question[0].rdtype not in (251, 252):
            return None
        slow.append(q)
        head = p.messages(q, p.stream(q))
        return [m for wire in head[:3] for m in (wire, 0.3)] + [None] if len(slow) < 2 else None

    p.answer = answer
    p.notify(gtm)
    eventually(lambda: slow)
    gtm.kill("control")
    assert serial(gtm) == 1 and gtm.rdata("www." + ZONE) == ["192.0.2.1"]
    eventually(lambda: serial(gtm) == 2, 15)
    assert len(records(gtm)) == len(was) + 1000


# ---- who may say what ----

def test_notify_from_strangers(gtm, primary):
    p = primary()
    follow(gtm, p.address)
    until_serial(gtm, 1)
    gtm.zone("own.test", "@ 300 IN SOA ns h 1 2 3 4 5\n@ 300 IN NS ns\n")
    n = len(p.asked)
    assert p.notify(gtm, source=primaries.loopback()).rcode() == dns.rcode.REFUSED
    assert p.notify(gtm, zone="unknown.test.").rcode() == dns.rcode.NOTAUTH
    assert p.notify(gtm, zone="own.test.").rcode() == dns.rcode.NOTAUTH
    time.sleep(0.2)
    assert len(p.asked) == n


def test_records_are_not_edited_here(gtm, primary):
    p = primary()
    follow(gtm, p.address)
    until_serial(gtm, 1)
    for method, path, body in (("PUT", "rrsets/www/A", {"ttl": 5, "records": ["192.0.2.5"]}), ("DELETE", "rrsets/www/A", None),
                               ("PUT", "file", "@ 300 IN SOA ns h 1 2 3 4 5\n@ 300 IN NS ns\n")):
        r = gtm.api(method, "zones/%s/%s" % (ZONE, path), body,
                    headers={"Content-Type": "text/dns"} if path == "file" else None)
        assert r.status == 409 and p.address in str(r.body), r.body
    assert gtm.api("POST", "zones/own.test:refresh").status == 404
    gtm.zone("own.test", "@ 300 IN SOA ns h 1 2 3 4 5\n@ 300 IN NS ns\n")
    assert gtm.api("POST", "zones/own.test:refresh").status == 409


def test_a_secondary_becomes_a_primary(gtm, primary):
    p = primary(refresh=1, expire=2)
    follow(gtm, p.address)
    until_serial(gtm, 1)
    gtm.put("zones/" + ZONE, {"role": "primary"})
    p.stop()
    eventually(lambda: gtm.status("zones/" + ZONE) == {})
    gtm.must("PUT", "zones/%s/rrsets/own/A" % ZONE, {"ttl": 5, "records": ["192.0.2.5"]})
    time.sleep(2.2)  # nothing expires any more
    assert gtm.rdata("own." + ZONE) == ["192.0.2.5"] and serial(gtm) == 2


def test_gtmctl_asks_for_a_refresh(gtm, primary):
    p = primary()
    follow(gtm, p.address)
    until_serial(gtm, 1)
    p.change(BASE + [("more", "A", "192.0.2.2")])
    done = gtm.ctl("zone", "refresh", ZONE)
    assert done.returncode == 0, done.stderr
    until_serial(gtm, 2)
    p.versions[-1] = (2, BASE)  # the same serial, other records
    done = gtm.ctl("zone", "refresh", ZONE, "--whole")
    assert done.returncode == 0, done.stderr
    eventually(lambda: gtm.ask("more." + ZONE).rcode() == dns.rcode.NXDOMAIN)


# ---- signatures ----

def test_signed(gtm, primary):
    p = primary(key=primaries.KEY, records=BASE + [("a%d" % i, "A", "192.0.2.7") for i in range(500)])
    name, secret = primaries.KEY
    gtm.put("tsig-keys/" + name, {"algorithm": "hmac-sha256", "secret": secret})
    follow(gtm, p.address, key=name)
    until_serial(gtm, 1)
    p.change(BASE)
    r = p.notify(gtm, key=primaries.KEY, source=primaries.loopback())  # the key will do
    assert r.rcode() == dns.rcode.NOERROR
    until_serial(gtm, 2)
    assert p.asked[-1] == ("IXFR", True)


def test_wrong_key(gtm, primary):
    p = primary(key=primaries.KEY)
    gtm.put("tsig-keys/" + primaries.KEY[0], {"algorithm": "hmac-sha256", "secret": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="})
    follow(gtm, p.address, key=primaries.KEY[0])
    error = eventually(lambda: gtm.status("zones/" + ZONE).get("error"), 15)
    assert "sign" in error or "NOTAUTH" in error, error
    assert gtm.ask("www." + ZONE).rcode() == dns.rcode.SERVFAIL


def test_unsigned_answer_to_a_signed_question(gtm, primary):
    p = primary()  # knows no key, answers all the same
    gtm.put("tsig-keys/" + primaries.KEY[0], {"algorithm": "hmac-sha256", "secret": primaries.KEY[1]})
    p.on_bad_signature = lambda wire: [answer_unsigned(p, wire)]
    follow(gtm, p.address, key=primaries.KEY[0])
    eventually(lambda: "signed" in (gtm.status("zones/" + ZONE).get("error") or ""), 15)


def answer_unsigned(p, wire):
    q = dns.message.from_wire(wire[:10] + bytes(2) + wire[12:], ignore_trailing=True)  # not looking at the signature
    return p.messages(q, p.stream(q))[0]


# ---- liars ----

def garbage(p, q):
    return [bytes(random.randrange(256) for _ in range(200))]


def cut(p, q):
    wire = p.messages(q, p.stream(q))[0]
    return [bytearray(len(wire).to_bytes(2, "big") + wire[:len(wire) // 2]), None]


def cut_message(p, q):
    wire = p.messages(q, p.stream(q))[0]
    return [wire[:len(wire) // 2]]


def no_end(p, q):
    return p.messages(q, p.stream(q)[:-1]) + [None]


def other_end(p, q):
    return p.messages(q, p.stream(q)[:-1] + [p.soa(99)])


def no_soa(p, q):
    return p.messages(q, p.stream(q)[1:])


def foreign(p, q):
    rrs = p.stream(q)
    return p.messages(q, rrs[:-1] + [p.rrset("www.elsewhere.test.", "A", "192.0.2.1"), rrs[-1]])


def bad_company(p, q):
    rrs = p.stream(q)
    return p.messages(q, rrs[:-1] + [p.rrset("www", "CNAME", "ns1"), rrs[-1]])


def refusal(p, q):
    r = dns.message.make_response(q)
    r.set_rcode(dns.rcode.REFUSED)
    return [r.to_wire()]


LIES = {garbage: "", cut: "closed", cut_message: "within a record", no_end: "closed", other_end: "another SOA", no_soa: "does not begin",
        foreign: "outside", bad_company: "CNAME", refusal: "REFUSED"}


@pytest.mark.parametrize("lie", LIES, ids=lambda f: f.__name__)
def test_broken_transfers_are_refused_whole(gtm, primary, lie):
    p = primary(retry=1)
    follow(gtm, p.address)
    until_serial(gtm, 1)
    was, p.versions = records(gtm), [(7, BASE[:2] + [("www", "A", "192.0.2.66"), ("evil", "A", "192.0.2.66")])]
    p.answer = lambda q, tcp: lie(p, q) if tcp and q.question[0].rdtype in (251, 252) else None
    p.notify(gtm)
    error = eventually(lambda: gtm.status("zones/" + ZONE).get("error"), 15)
    assert LIES[lie] in error, error
    assert records(gtm) == was and serial(gtm) == 1 and gtm.rdata("www." + ZONE) == ["192.0.2.1"]
    p.answer = None
    until_serial(gtm, 7, timeout=10)


def test_differences_that_do_not_fit_are_followed_by_all_of_it(gtm, primary):
    p = primary()
    follow(gtm, p.address)
    until_serial(gtm, 1)
    p.versions = [(1, [("ghost", "A", "192.0.2.6")]), (2, BASE + [("new", "A", "192.0.2.2")])]
    p.notify(gtm)
    until_serial(gtm, 2)
    assert p.asked[-2:] == [("IXFR", True), ("AXFR", True)]
    assert gtm.rdata("new." + ZONE) == ["192.0.2.2"]


# ---- real primaries ----

def text(serial, extra=""):
    return """$ORIGIN second.test.
$TTL 300
@   IN SOA %s
@   IN NS  ns1
ns1 IN A   192.0.2.53
www IN A   192.0.2.%d
MixED IN MX 10 WWW
%s
""" % (primaries.soa(serial, refresh=60, retry=2), serial % 250, extra)


@pytest.mark.parametrize("peer", primaries.PEERS, ids=lambda p: p.__name__.lower())
@pytest.mark.parametrize("signed", (False, True), ids=("plain", "signed"))
def test_real_primary(world, gtm, tmp_path, peer, signed):
    if not primaries.program({"Knot": "knotd"}.get(peer.__name__, peer.__name__.lower())):
        pytest.skip("not installed")
    key = primaries.KEY if signed else None
    if signed:
        gtm.put("tsig-keys/" + key[0], {"algorithm": "hmac-sha256", "secret": key[1]})
    p = peer(tmp_path / "peer", ZONE, text(1, "old IN TXT \"going\""), gtm.dns, key).start()
    world.finally_(p.stop)
    follow(gtm, p.address, key=key and key[0])
    until_serial(gtm, 1)
    assert gtm.rdata("old." + ZONE, "TXT") == ['"going"']

    with gtm.stream("events") as events:
        p.change(text(2, "fresh IN AAAA 2001:db8::2"))
        until_serial(gtm, 2, timeout=20)  # by NOTIFY: the timer is a minute away
        got = events.wait(lambda e, d: d.get("kind") == "zone.transferred" and d["data"]["serial"] == 2)
    assert not got[1]["data"]["whole"], "IXFR"
    assert gtm.rdata("fresh." + ZONE, "AAAA") == ["2001:db8::2"]
    assert gtm.rdata("www." + ZONE) == ["192.0.2.2"]
    assert gtm.ask("old." + ZONE, "TXT").rcode() == dns.rcode.NXDOMAIN


def test_fifty_thousand_names(world, gtm, tmp_path):
    if not primaries.program("knotd"):
        pytest.skip("not installed")
    names = "\n".join("h%d IN A 192.0.2.%d" % (i, i % 250) for i in range(50000))
    p = primaries.Knot(tmp_path / "peer", ZONE, text(1, names), gtm.dns).start()
    world.finally_(p.stop)
    at = time.monotonic()
    follow(gtm, p.address)
    until_serial(gtm, 1, timeout=30)
    assert time.monotonic() - at < 15 * SLOW
    for i in (0, 49999, random.randrange(50000)):
        assert gtm.rdata("h%d.%s" % (i, ZONE)) == ["192.0.2.%d" % (i % 250)]
    with gtm.stream("events") as events:
        p.change(text(2, names.replace("h777 IN A 192.0.2.27", "h777 IN A 192.0.2.255")))
        until_serial(gtm, 2, timeout=20)
        got = events.wait(lambda e, d: d.get("kind") == "zone.transferred" and d["data"]["serial"] == 2)
    assert got[1]["data"]["records"] < 20
    assert gtm.rdata("h777." + ZONE) == ["192.0.2.255"]


# ---- gtmd to gtmd ----

def folded(gtm):
    """Compression may change the case of names."""
    return [line.lower() for line in records(gtm)]


@pytest.mark.parametrize("signed", (False, True), ids=("plain", "signed"))
def test_from_another_gtmd(world, gtm, signed):
    master, (name, secret) = world.gtm(), primaries.KEY
    key = {"key": name} if signed else {}
    for g in (gtm, master):
        g.put("tsig-keys/" + name, {"algorithm": "hmac-sha256", "secret": secret})
    master.zone(ZONE, text(1, "a IN A 192.0.2.1"))
    master.patch("zones/" + ZONE, transfer=[dict({"from": "127.0.0.0/8"}, **key)],
                 notify=[dict({"address": "%s:%d" % gtm.dns}, **key)])
    follow(gtm, "%s:%d" % master.dns, key=name if signed else None)
    until_serial(gtm, serial(master))
    assert folded(gtm) == folded(master)
    with gtm.stream("events") as events:
        for i in range(3):
            master.must("PUT", "zones/%s/rrsets/b%d/A" % (ZONE, i), {"ttl": 60, "records": ["192.0.2.2"]})
        until_serial(gtm, serial(master), timeout=10)  # by NOTIFY: the timer is a minute away
        got = events.wait(lambda e, d: d.get("kind") == "zone.transferred" and d["data"]["serial"] == serial(gtm))
        assert not got[1]["data"]["whole"], "IXFR"
    assert folded(gtm) == folded(master)
