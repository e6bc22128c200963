# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones going out: AXFR, IXFR and NOTIFY, to knotd, nsd and named as secondaries, and to a client of our own."""
import signal
import socket
import subprocess
import threading
import time

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.tsigkeyring
import pytest

from gtm import DNS_PORT, SLOW, Scene, eventually, loopback, zone_text
from secondary import PEERS, Key, program

Z = "cloud-example.com"
KEY = Key("transfer.example", "hmac-sha256", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
OTHER = Key("other.example", "hmac-sha512", "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=")
ANY = [{"from": "any"}]


def put_key(gtm, key):
    gtm.put("tsig-keys/" + key.name, {"algorithm": key.algorithm, "secret": key.secret})


def host(gtm, text=None, **spec):
    gtm.zone(Z, text or zone_text())
    gtm.put("zones/" + Z, spec)
    return serial(gtm)


def serial(gtm, zone=Z):
    return int(gtm.ask(zone, "SOA").answer[0][0].serial)


def set_a(gtm, name, *addresses):
    gtm.must("PUT", "zones/%s/rrsets/%s/A" % (Z, name), {"ttl": 60, "records": list(addresses)})
    return serial(gtm)


def keyring(key):
    return dns.tsigkeyring.from_text({key.name: (key.algorithm, key.secret)})


def messages(gtm, q, timeout=30, key=None):
    """All messages that answer a request for a transfer, over TCP; TSIG is checked by dnspython."""
    out, context, progress = [], None, Progress(q)
    if key:
        q.use_tsig(keyring(key), algorithm=key.algorithm)
    with socket.create_connection(gtm.dns, timeout=timeout * SLOW) as s:
        dns.query.send_tcp(s, q)
        while not out or not progress.add(out[-1]):
            out.append(receive(s, q, context))
            context = out[-1].tsig_ctx
            assert not key or out[-1].had_tsig
    return out


def receive(s, q, context):
    head = b""
    while len(head) < 2:
        head += s.recv(2 - len(head)) or pytest.fail("closed")
    want, wire = int.from_bytes(head, "big"), b""
    while len(wire) < want:
        wire += s.recv(want - len(wire)) or pytest.fail("closed")
    return dns.message.from_wire(wire, keyring=q.keyring, request_mac=q.mac, xfr=True, tsig_ctx=context, multi=True,
                                 one_rr_per_rrset=True)


class Progress:
    """Has a transfer come to its end?"""

    def __init__(self, q):
        self.incremental = q.question[0].rdtype == dns.rdatatype.IXFR
        self.rrs, self.soas, self.over = 0, [], False

    def add(self, m):
        self.over = m.rcode() != 0
        for rr in m.answer:
            self.rrs += 1
            if rr.rdtype != dns.rdatatype.SOA:
                self.incremental = self.incremental and self.rrs > 2
                continue
            self.soas.append(rr[0].serial)
            newest = self.soas.count(self.soas[0])
            if self.incremental and self.rrs > 1:
                self.over = newest == 3
            elif not self.incremental:
                self.over = newest == 2
        return self.over or (self.incremental and self.rrs == 1)


def request(rdtype, have=None, zone=Z):
    q = dns.message.make_query(zone, rdtype)
    if have is not None:
        q.authority.append(dns.rrset.from_text(zone + ".", 0, "IN", "SOA", ". . %d 0 0 0 0" % have))
    return q


def axfr(gtm, zone=Z, **kw):
    """name/TYPE -> sorted record texts"""
    out = {}
    for m in messages(gtm, request("AXFR", zone=zone), **kw):
        assert m.rcode() == 0, m
        for rr in m.answer:
            name = "%s/%s" % (rr.name.relativize(dns.name.from_text(zone)), dns.rdatatype.to_text(rr.rdtype))
            out.setdefault(name, set()).add(rr[0].to_text())
    return {k: sorted(v) for k, v in out.items()}


def ixfr(gtm, have):
    """(+ or -, name, text) in order, SOA apart; None if it came as a whole zone"""
    rrs = [rr for m in messages(gtm, request("IXFR", have)) for rr in m.answer]
    if len(rrs) == 1:
        return []
    if rrs[1].rdtype != dns.rdatatype.SOA:
        return None
    out, sign = [], "+"
    for rr in rrs[1:-1]:
        if rr.rdtype == dns.rdatatype.SOA:
            sign = "-" if sign == "+" else "+"
        else:
            out.append((sign, rr.name.to_text(), rr[0].to_text()))
    return out


# ---- our own client ----

def test_axfr_is_the_zone(gtm):
    host(gtm, transfer=ANY)
    got = axfr(gtm)
    assert got["www/A"] == ["192.0.2.80"] and got["@/NS"] == ["ns1.%s." % Z, "ns2.%s." % Z]
    first, *_, last = [rr for m in messages(gtm, request("AXFR")) for rr in m.answer]
    assert first.rdtype == last.rdtype == dns.rdatatype.SOA
    assert sum(len(v) for v in got.values()) == 8


def test_who_may(gtm):
    put_key(gtm, KEY)
    put_key(gtm, OTHER)
    host(gtm)
    assert messages(gtm, request("AXFR"))[0].rcode() == dns.rcode.REFUSED, "by default nobody"
    gtm.put("zones/" + Z, {"transfer": [{"from": "192.0.2.0/24"}]})
    assert messages(gtm, request("AXFR"))[0].rcode() == dns.rcode.REFUSED
    assert messages(gtm, request("IXFR", 1))[0].rcode() == dns.rcode.REFUSED
    gtm.put("zones/" + Z, {"transfer": [{"from": "192.0.2.0/24"}, {"from": "127.0.0.0/8", "key": KEY.name}]})
    assert messages(gtm, request("AXFR"))[0].rcode() == dns.rcode.REFUSED, "not signed"
    assert len(axfr(gtm, key=KEY)) == 7
    assert messages(gtm, request("AXFR"), key=OTHER)[0].rcode() == dns.rcode.REFUSED, "signed by another key"
    assert messages(gtm, request("AXFR", zone="elsewhere.test"))[0].rcode() == dns.rcode.NOTAUTH
    assert messages(gtm, request("AXFR", zone="www." + Z))[0].rcode() == dns.rcode.NOTAUTH
    gtm.put("zones/" + Z, {"transfer": ANY})
    assert messages(gtm, request("IXFR"))[0].rcode() == dns.rcode.FORMERR, "no serial"


@pytest.mark.parametrize("rdtype", ["SOA", "AXFR"])
def test_bad_signatures(gtm, monkeypatch, rdtype):
    put_key(gtm, KEY)
    host(gtm, transfer=[{"from": "any", "key": KEY.name}])
    tcp = rdtype == "AXFR"

    def refusal(key, offset=0):
        q = request(rdtype)
        q.use_tsig(keyring(key), algorithm=key.algorithm)
        with monkeypatch.context() as m:
            real = time.time
            m.setattr(time, "time", lambda: real() + offset)
            wire = q.to_wire()
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as s:
            s.settimeout(5 * SLOW)
            s.connect(gtm.dns)
            s.send((len(wire).to_bytes(2, "big") if tcp else b"") + wire)
            reply = s.recv(4096)[2 if tcp else 0:]
        assert reply[3] & 15 == dns.rcode.NOTAUTH
        with pytest.raises(dns.tsig.PeerError) as e:
            dns.message.from_wire(reply, keyring=keyring(key), request_mac=q.mac)
        return e.type

    assert refusal(Key(KEY.name, KEY.algorithm, OTHER.secret)) is dns.tsig.PeerBadSignature
    assert refusal(Key("nobody.example", KEY.algorithm, KEY.secret)) is dns.tsig.PeerBadKey
    assert refusal(KEY, -1000) is dns.tsig.PeerBadTime


def test_signed_queries_get_signed_answers(gtm):
    put_key(gtm, KEY)
    host(gtm)
    for rdtype in ("SOA", "A", "TXT"):
        q = dns.message.make_query("www." + Z, rdtype)
        q.use_tsig(keyring(KEY), algorithm=KEY.algorithm)
        for ask in (dns.query.udp, dns.query.tcp):
            r = ask(q, gtm.ip, port=DNS_PORT, timeout=5 * SLOW)  # checks the signature
            assert r.had_tsig and r.rcode() == 0


def test_ixfr_is_what_changed(gtm):
    start = host(gtm, transfer=ANY)
    assert ixfr(gtm, start) == []
    set_a(gtm, "www", "192.0.2.80", "192.0.2.81")
    middle = set_a(gtm, "new", "192.0.2.1")
    gtm.delete("zones/%s/rrsets/new/A" % Z)
    set_a(gtm, "www", "192.0.2.81")
    www, new = "www.%s." % Z, "new.%s." % Z
    # Another TTL: all of the set goes and comes. What came and went again is not told (RFC 1995 5).
    assert ixfr(gtm, start) == [("-", www, "192.0.2.80"), ("+", www, "192.0.2.81")]
    assert ixfr(gtm, middle) == [("-", new, "192.0.2.1"), ("-", www, "192.0.2.80")]
    assert ixfr(gtm, start - 1) is None, "unknown: the zone whole"
    assert ixfr(gtm, serial(gtm)) == [] and ixfr(gtm, serial(gtm) + 5) == []
    r = gtm.ask(Z, "IXFR")
    assert [rr.rdtype for rr in r.answer] == [dns.rdatatype.SOA], "over UDP: come by TCP"
    gtm.patch("zones/" + Z, transfer=[{"from": "192.0.2.0/24"}])
    assert gtm.ask(Z, "IXFR").rcode() == dns.rcode.REFUSED, "not to strangers"


def test_steered_names_show_their_fallback_set(world, gtm):
    host(gtm, transfer=ANY)
    scene = Scene(world, gtm, {"dc-a": 2, "dc-b": 1}, zone=False)
    scene.domain()
    addresses = sorted(scene.values["dc-a"] + scene.values["dc-b"])
    assert axfr(gtm)["www/A"] == addresses
    assert axfr(gtm)["www/AAAA"] == ["2001:db8::80"], "what is not steered stands"
    before = serial(gtm)
    scene.down("dc-a", 0)
    scene.down("dc-a", 1)
    assert axfr(gtm)["www/A"] == addresses, "health is not the configuration's"
    assert serial(gtm) == before
    set_a(gtm, "www", "192.0.2.99")
    assert ixfr(gtm, before) == [], "the zone's own set is out of sight"
    before = serial(gtm)
    gtm.patch("addresses/dc-b-1", enabled=False)
    assert serial(gtm) > before, "secondaries must see it"
    assert ixfr(gtm, before) is None, "not by differences"
    assert axfr(gtm)["www/A"] == sorted(scene.values["dc-a"])
    gtm.patch("zones/" + Z, axfr_view="zone")
    assert axfr(gtm)["www/A"] == ["192.0.2.99"]


def test_a_slow_reader_holds_nothing_up(gtm):
    many = "\n".join("h%d IN TXT \"%s\"" % (i, "x" * 200) for i in range(50000))
    host(gtm, zone_text(more=many), transfer=ANY)
    q = request("AXFR")
    with socket.create_connection(gtm.dns) as s:
        dns.query.send_tcp(s, q)
        time.sleep(0.3)
        old = serial(gtm)
        for i in range(50):
            set_a(gtm, "slow%d" % (i % 5), "192.0.2.%d" % i)
        assert len(axfr(gtm)) > 50000, "another transfer meanwhile"
        s.settimeout(30 * SLOW)
        seen, progress = [], Progress(q)
        while not seen or not progress.add(seen[-1]):
            seen.append(receive(s, q, None))
        rrs = [rr for m in seen for rr in m.answer]
        assert rrs[0][0].serial == rrs[-1][0].serial == old, "one serial, the one of when it was asked"
        assert not any(rr.name.to_text().startswith("slow") for rr in rrs)
        dns.query.send_tcp(s, dns.message.make_query("www." + Z, "A"))  # the connection goes on
        assert receive(s, q, None).answer


def test_transfers_while_it_changes_are_whole(gtm):
    host(gtm, zone_text(more="\n".join("h%d IN A 192.0.2.1" % i for i in range(3000))), transfer=ANY)
    stop = threading.Event()

    def change():
        i = 0
        while not stop.is_set():
            i += 1  # one revision changes both names
            text = ["192.0.2.%d" % (i % 250 + 1)]
            gtm.must("PUT", "zones/%s/rrsets/left/A" % Z, {"ttl": 60, "records": text})
    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(30):
            rrs = [rr for m in messages(gtm, request("AXFR")) for rr in m.answer]
            assert rrs[0][0].serial == rrs[-1][0].serial
            assert sum(rr.rdtype == dns.rdatatype.A for rr in rrs) in (3003, 3004)
    finally:
        stop.set()
        thread.join()


@pytest.mark.skipif(program("kdig") is None, reason="kdig is not installed")
def test_kdig(gtm):
    put_key(gtm, KEY)
    start = host(gtm, transfer=[{"from": "any", "key": KEY.name}])
    set_a(gtm, "www", "192.0.2.81")

    def kdig(*what, key=KEY):
        return subprocess.run([program("kdig"), "@" + gtm.ip, "-p", str(DNS_PORT), "-y",
                               "%s:%s:%s" % (key.algorithm, key.name, key.secret), Z, *what],
                              capture_output=True, text=True, timeout=20 * SLOW).stdout
    assert "192.0.2.81" in kdig("AXFR") and ";; WARNING" not in kdig("AXFR")
    assert "192.0.2.80" in kdig("IXFR=%d" % start) and ";; WARNING" not in kdig("IXFR=%d" % start)
    assert "192.0.2.81" not in kdig("AXFR", key=Key(KEY.name, KEY.algorithm, OTHER.secret))


class Listener:
    """A secondary that only hears notices, and answers after `delay`; None: never."""

    def __init__(self, world, delay):
        self.heard, self.delay = [], delay  # (time.monotonic(), serial)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((loopback(), DNS_PORT))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        world.finally_(self.stop)

    def run(self):
        while True:
            wire, peer = self.socket.recvfrom(4096)
            if not wire:
                return
            m = dns.message.from_wire(wire)
            assert m.opcode() == dns.opcode.NOTIFY and m.flags & dns.flags.AA
            self.heard.append((time.monotonic(), m.answer[0][0].serial))
            if self.delay is not None:
                time.sleep(self.delay)
                self.socket.sendto(dns.message.make_response(m).to_wire(), peer)

    def stop(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"", self.socket.getsockname())
        self.thread.join(5)
        self.socket.close()

    def spec(self):
        return [{"address": "%s:%d" % self.socket.getsockname()}]

    def hears(self, serial, timeout=5.0):
        return eventually(lambda: [t for t, s in self.heard if s == serial], timeout, what="notice of %d" % serial)[0]


@pytest.mark.parametrize("delay", [0, 0.05])
def test_every_change_is_told(world, gtm, delay):
    listener = Listener(world, delay)
    listener.hears(host(gtm, notify=listener.spec()))
    for i in range(10):  # also while the answer to the one before is under way
        now = set_a(gtm, "www", "192.0.2.%d" % i)
        began = time.monotonic()
        assert listener.hears(now) - began < 0.5 * SLOW
        time.sleep(0.02 * (i % 3))


def test_notices_are_repeated_and_bundled(world, gtm):
    listener = Listener(world, None)
    listener.hears(host(gtm, notify=listener.spec()))
    eventually(lambda: len(listener.heard) >= 3, 6, what="repeated after 1 s and 2 s")
    listener.delay = 0
    listener.hears(set_a(gtm, "www", "192.0.2.1"))
    before = len(listener.heard)
    for i in range(40):
        now = set_a(gtm, "www", "192.0.2.%d" % (i + 2))
    listener.hears(now)
    assert len(listener.heard) - before < 30, "at most one in 100 ms"
    time.sleep(1.2)
    told = len(listener.heard)
    gtm.restart()
    eventually(lambda: len(listener.heard) > told, what="told at the start")


def test_many_are_told(world, gtm):
    """As many as a zone may have; those that never answer hold nobody up."""
    mute = [Listener(world, None) for _ in range(8)]
    all_ = mute + [Listener(world, 0) for _ in range(56)]
    first = host(gtm, notify=[x for listener in all_ for x in listener.spec()])
    for listener in all_:
        listener.hears(first)
    for i in range(5):
        now = set_a(gtm, "www", "192.0.2.%d" % i)
        began = time.monotonic()
        assert max(listener.hears(now) for listener in all_[8:]) - began < 0.5 * SLOW
    for listener in mute:
        listener.hears(now, 10)
    told = [len(listener.heard) for listener in all_[8:]]
    eventually(lambda: all(len(listener.heard) > 3 for listener in mute), 10, what="repeated")
    assert [len(listener.heard) for listener in all_[8:]] == told, "who has answered is left in peace"
    r = gtm.api("PATCH", "zones/" + Z, {"spec": {"notify": [x for listener in all_ for x in listener.spec()] +
                                                 [{"address": "127.0.0.1:1"}]}}, headers={
                                                     "Content-Type": "application/merge-patch+json"})
    assert r.status == 422 and "notify" in str(r.body), r


# ---- other people's secondaries ----

@pytest.fixture(params=PEERS, ids=lambda p: p.name)
def peer(request):
    if program({"knot": "knotd"}.get(request.param.name, request.param.name)) is None:
        pytest.skip("not installed")
    return request.param


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "tsig"])
def test_a_secondary_follows(world, gtm, peer, key):
    put_key(gtm, KEY)
    secondary = peer(world.directory, gtm, [Z], key)
    world.finally_(secondary.stop)
    now = host(gtm, transfer=[{"from": "127.0.0.0/8", **({"key": key.name} if key else {})}],
               notify=[secondary.notify_spec()])
    secondary.start()
    secondary.until_serial(Z, now, 20)
    eventually(lambda: secondary.records("www." + Z, "A") == ["192.0.2.80"])

    worst = 0
    for i in range(1, 6):
        began = time.monotonic()
        now = set_a(gtm, "www", "192.0.2.%d" % i)
        secondary.until_serial(Z, now)
        # nsd may answer from its old process for a moment
        eventually(lambda: secondary.records("www." + Z, "A") == ["192.0.2.%d" % i])
        worst = max(worst, time.monotonic() - began)
    print("%s follows within %.0f ms" % (peer.name, worst * 1000))
    # The notice leaves at once; knot's scheduler counts in seconds, named waits half of one.
    assert worst < 2.0 * SLOW
    assert "IXFR, serial" in gtm.log(), "differences, not the whole zone each time"
    gtm.delete("zones/%s/rrsets/www/A" % Z)
    secondary.until_serial(Z, serial(gtm))
    eventually(lambda: secondary.records("www." + Z, "A") == [])


def test_a_secondary_with_a_wrong_key_gets_nothing(world, gtm, peer):
    put_key(gtm, KEY)
    host(gtm, transfer=[{"from": "any", "key": KEY.name}])
    secondary = peer(world.directory, gtm, [Z], Key(KEY.name, KEY.algorithm, OTHER.secret))
    world.finally_(secondary.stop)
    secondary.start()
    # It asks for the SOA or the zone first, signed; either is answered NOTAUTH.
    eventually(lambda: "bad signature" in gtm.log() or "tsig indicates error" in secondary.log(), 20)
    assert not secondary.serial(Z)


def test_a_large_zone(world, gtm, peer):
    many = "\n".join("host%d IN A 10.%d.%d.%d" % (i, i >> 16, i >> 8 & 255, i & 255) for i in range(50000))
    now = host(gtm, zone_text(more=many), transfer=ANY)
    secondary = peer(world.directory, gtm, [Z])
    world.finally_(secondary.stop)
    gtm.patch("zones/" + Z, notify=[secondary.notify_spec()])
    secondary.start()
    secondary.until_serial(Z, now, 60)
    for i in (0, 1, 12345, 49999):
        assert secondary.records("host%d.%s" % (i, Z), "A") == ["10.%d.%d.%d" % (i >> 16, i >> 8 & 255, i & 255)]
    now = set_a(gtm, "host777", "192.0.2.7")
    secondary.until_serial(Z, now, 20)
    # NSD's former process may answer once more.
    eventually(lambda: secondary.records("host777." + Z, "A") == ["192.0.2.7"])


def test_a_secondary_of_a_zone_that_steers(world, gtm, peer):
    host(gtm, transfer=ANY)
    scene = Scene(world, gtm, {"dc-a": 2, "dc-b": 1}, zone=False)
    scene.domain()
    secondary = peer(world.directory, gtm, [Z])
    world.finally_(secondary.stop)
    gtm.patch("zones/" + Z, notify=[secondary.notify_spec()])
    secondary.start()
    secondary.until_serial(Z, serial(gtm), 20)
    # NSD may be starting a process for the zone just then, and lose a question.
    eventually(lambda: secondary.records("www." + Z, "A") == sorted(scene.values["dc-a"] + scene.values["dc-b"]))
    gtm.patch("addresses/dc-b-1", enabled=False)
    secondary.until_serial(Z, serial(gtm))
    eventually(lambda: secondary.records("www." + Z, "A") == sorted(scene.values["dc-a"]))


# ---- over restarts ----

def comes_back(gtm, how):
    """The engine ends and starts again; the data is served as before."""
    if how == "engine":
        pid = gtm.pid("engine")
        gtm.kill("engine")
        eventually(lambda: gtm.pid("engine") not in (None, pid), 10)
    else:
        gtm.restart(how)
    eventually(lambda: gtm.rdata("www." + Z), 10)


@pytest.mark.parametrize("how", ("engine", signal.SIGTERM, signal.SIGKILL), ids=("engine", "stop", "kill"))
def test_a_restart_keeps_rights_and_differences(gtm, how):
    put_key(gtm, KEY)
    first = host(gtm, transfer=[{"from": "any"}, {"from": "any", "key": KEY.name}])
    for i in range(1, 4):
        last = set_a(gtm, "www", "192.0.2.%d" % i)
    want = ixfr(gtm, first)
    assert want == [("-", "www.%s." % Z, "192.0.2.80"), ("+", "www.%s." % Z, "192.0.2.3")]
    comes_back(gtm, how)
    assert axfr(gtm, key=KEY)["www/A"] == ["192.0.2.3"]
    assert ixfr(gtm, first) == want
    assert ixfr(gtm, last - 1) == [("-", "www.%s." % Z, "192.0.2.2"), want[-1]]
    assert set_a(gtm, "www", "192.0.2.4") == last + 1
    assert ixfr(gtm, last) == [("-", "www.%s." % Z, "192.0.2.3"), ("+", "www.%s." % Z, "192.0.2.4")], "the chain goes on"
    comes_back(gtm, how)
    assert ixfr(gtm, first)[-1] == ("+", "www.%s." % Z, "192.0.2.4")


def test_a_zone_made_anew_inherits_nothing(gtm):
    first = host(gtm, transfer=ANY)
    set_a(gtm, "old", "192.0.2.1")
    gtm.delete("zones/" + Z)
    old = gtm.kill("engine")
    eventually(lambda: gtm.pid("engine") not in (None, old) and gtm.is_ready(), 20)
    assert host(gtm, transfer=ANY) == first, "the same serials again"
    set_a(gtm, "new", "192.0.2.1")
    comes_back(gtm, "engine")
    assert ixfr(gtm, first) == [("+", "new.%s." % Z, "192.0.2.1")]
    assert ixfr(gtm, first - 1) is None


def test_differences_that_are_more_than_the_zone(gtm):
    """RFC 1995 section 5: who is too far behind is sent the zone."""
    first = host(gtm, transfer=ANY)
    for i in range(40):  # each takes the place of the one before: condensed there is little
        last = set_a(gtm, "many", *["192.0.%d.%d" % (i, n) for n in range(100)])
    got = ixfr(gtm, first)
    assert len(got) == 100 and {sign for sign, *_ in got} == {"+"}
    assert len(ixfr(gtm, last - 1)) == 200
    for i in range(3):
        set_a(gtm, "more%d" % i, *["192.1.%d.%d" % (n // 250, n % 250) for n in range(1000)])
    for i in range(3):
        last = set_a(gtm, "more%d" % i, "192.0.2.1")
    assert len(ixfr(gtm, first)) < 200, "three names with one address each"
    gtm.delete("zones/%s/rrsets/many/A" % Z)
    for i in range(3):
        before = set_a(gtm, "more%d" % i, *["192.2.%d.%d" % (n // 250, n % 250) for n in range(1000)])
    for i in range(3):
        gtm.delete("zones/%s/rrsets/more%d/A" % (Z, i))
    assert ixfr(gtm, before) is None, "3000 records gone, and ten left"
    assert axfr(gtm).keys() == {"@/SOA", "@/NS", "ns1/A", "ns2/A", "www/A", "www/AAAA", "www/TXT"}
