# SPDX-License-Identifier: GPL-3.0-or-later
"""Catalog zones (RFC 9432): made here for knotd and named, consumed from knotd, named and a scripted primary."""
import os
import signal

import dns.rcode
import dns.rdatatype
import dns.tsigkeyring
import dns.update
import pytest

import primaries
import secondary
from gtm import eventually, zone_text

CATALOG, OTHER = "catalog.test", "other-catalog.test"
BASE = [("@", "NS", "ns1"), ("ns1", "A", "192.0.2.53"), ("www", "A", "192.0.2.1")]
VERSION = [("@", "NS", "invalid."), ("version", "TXT", '"2"')]


def zones(gtm):
    return sorted(z["name"] for z in gtm.get("zones").body["items"])


def serial(gtm, zone=CATALOG):
    r = gtm.ask(zone, "SOA")
    return r.answer[0][0].serial if r.rcode() == dns.rcode.NOERROR and r.answer else None


def until_serial(gtm, want, zone=CATALOG, timeout=5.0):
    eventually(lambda: serial(gtm, zone) == want, timeout, what="serial %d of %s" % (want, zone))


def until_served(ask, name, address, timeout=20.0):
    eventually(lambda: ask(name) == [address], timeout, what="%s is %s" % (name, address))


# ---- consumed, from a primary that says what it is told to ----

def member(zone, node, groups=(), coo=None):
    return ([(node + ".zones", "PTR", zone)] + [("group.%s.zones" % node, "TXT", '"%s"' % g) for g in groups] +
            ([("coo.%s.zones" % node, "PTR", coo)] if coo else []))


@pytest.fixture
def primary(world):
    def make(records, zone=CATALOG, members=(), start=True):
        p = primaries.Scripted(zone + ".", records)
        for m in members:
            p.others[m] = primaries.Scripted(m, BASE, ip=p.ip)
        world.finally_(p.stop)
        return p.start()

    return make


def consume(gtm, p, catalog=CATALOG):
    gtm.put("zones/" + catalog, {"role": "secondary", "primaries": [{"address": p.address}], "catalog_consumer": True})


def transfers(p, zone):
    return sum(1 for rdtype, _ in p.others[zone].asked if rdtype in ("AXFR", "IXFR"))


def test_members_of_a_catalog_come_and_go(gtm, primary):
    p = primary(VERSION + member("one.test.", "n1", ["red"]) + member("own.test.", "n2") +
                member("many.test.", "n4", ["b", "a"]), members=("one.test.", "two.test.", "many.test."))
    gtm.zone("own.test", "@ 300 IN SOA ns h 1 2 3 4 5\n@ 300 IN NS ns\n")
    consume(gtm, p)
    until_serial(gtm, 1, "one.test")
    until_serial(gtm, 1, "many.test")
    spec = gtm.spec("zones/one.test")
    assert [peer["address"] for peer in spec["primaries"]] == [p.address]
    assert (spec["role"], spec["catalog"], spec["labels"]) == ("secondary", CATALOG, {"group": "red"})
    assert gtm.spec("zones/many.test")["labels"] == {"group": "a,b"}
    assert gtm.spec("zones/own.test")["role"] == "primary", "it is left alone"

    p.change(VERSION + member("two.test.", "n3"))
    p.notify(gtm)
    until_serial(gtm, 1, "two.test")
    eventually(lambda: zones(gtm) == [CATALOG, "own.test", "two.test"])
    assert gtm.ask("www.one.test").rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize("broken", (
    [("@", "NS", "invalid.")], [("@", "NS", "invalid."), ("version", "TXT", '"1"')],
    VERSION + [("version", "TXT", '"3"')],
    VERSION + member("one.test.", "n1") + member("one.test.", "n2"), VERSION + member("a.test.", "n1") + member("b.test.", "n1"),
    VERSION + member("one.test.", "n1", coo="a.test.") + [("coo.n1.zones", "PTR", "b.test.")]),
    ids=("no version", "other version", "two versions", "listed twice", "two in one", "two coo"))
def test_a_broken_catalog_changes_nothing(gtm, primary, broken):
    p = primary(VERSION + member("one.test.", "n1"), members=("one.test.",))
    with gtm.stream("events") as events:
        consume(gtm, p)
        until_serial(gtm, 1, "one.test")
        p.change(broken)
        p.notify(gtm)
        events.event("zone.catalog_broken", CATALOG)
    assert zones(gtm) == [CATALOG, "one.test"]
    assert gtm.rdata("www.one.test") == ["192.0.2.1"]
    p.change(VERSION)
    p.notify(gtm)
    eventually(lambda: zones(gtm) == [CATALOG])


def test_another_node_is_another_zone(gtm, primary):
    p = primary(VERSION + member("one.test.", "n1"), members=("one.test.",))
    consume(gtm, p)
    until_serial(gtm, 1, "one.test")
    before, asked = gtm.get("zones/one.test").body["id"], transfers(p, "one.test.")
    p.others["one.test."].versions = [(1, [*BASE, ("new", "A", "192.0.2.9")])]  # the same serial: nobody would ask for it
    p.change(VERSION + member("one.test.", "n2"))
    p.notify(gtm)
    eventually(lambda: gtm.rdata("new.one.test") == ["192.0.2.9"])
    assert gtm.get("zones/one.test").body["id"] != before and transfers(p, "one.test.") == asked + 1


@pytest.mark.parametrize("order", ("coo first", "other first"))
@pytest.mark.parametrize("node", ("n1", "n2"), ids=("same node", "other node"))
def test_change_of_ownership(gtm, primary, order, node):
    a = primary(VERSION + member("one.test.", "n1") + member("two.test.", "n9"), members=("one.test.", "two.test."))
    b = primary(VERSION, OTHER, members=("one.test.", "two.test."))
    consume(gtm, a)
    consume(gtm, b, OTHER)
    until_serial(gtm, 1, "one.test")
    until_serial(gtm, 1, "two.test")
    until_serial(gtm, 1, OTHER)
    was = gtm.get("zones/one.test").body["id"]

    def give():
        a.change(VERSION + member("one.test.", "n1", coo=OTHER + ".") + member("two.test.", "n9"))
        a.notify(gtm)
        until_serial(gtm, 2)

    def take():  # two.test is not given away
        b.change(VERSION + member("one.test.", node) + member("two.test.", "n9"))
        b.notify(gtm)
        until_serial(gtm, 2, OTHER)

    for step in (give, take) if order == "coo first" else (take, give):
        step()
    eventually(lambda: gtm.spec("zones/one.test")["catalog"] == OTHER)
    assert [peer["address"] for peer in gtm.spec("zones/one.test")["primaries"]] == [b.address]
    assert (gtm.get("zones/one.test").body["id"] == was) == (node == "n1")
    until_served(gtm.rdata, "www.one.test", "192.0.2.1")
    assert (transfers(b, "one.test.") > 0) == (node != "n1"), "what is the same zone is kept"
    assert gtm.spec("zones/two.test")["catalog"] == CATALOG

    a.change(VERSION + member("two.test.", "n9"))  # given away for good
    a.notify(gtm)
    until_serial(gtm, 3)
    assert gtm.spec("zones/one.test")["catalog"] == OTHER and gtm.rdata("www.one.test") == ["192.0.2.1"]
    b.change(VERSION)
    b.notify(gtm)
    eventually(lambda: zones(gtm) == [CATALOG, OTHER, "two.test"])


# ---- made here ----

def listed(gtm, catalog=CATALOG):
    """{owner below the catalog: texts} of all that is kept."""
    items = gtm.get("zones/%s/rrsets?limit=1000" % catalog).body["items"]
    below = ".zones." + catalog
    return {i["owner"][:-len(catalog) - 1]: i["records"] for i in items if i["owner"].rstrip(".").endswith(below)}


def entry(gtm, zone, **more):
    node = gtm.get("zones/" + zone).body["id"]
    out = {node + ".zones": [zone + "."]}
    out.update({"%s.%s.zones" % (k, node): [v] for k, v in more.items()})
    return out


def test_a_catalog_made_here_is_in_step(gtm):
    gtm.put("zones/early.test", {"catalog": CATALOG})  # before there is a catalog
    gtm.put("zones/" + CATALOG, {})
    assert gtm.rdata("version." + CATALOG, "TXT") == ['"2"'] and listed(gtm) == entry(gtm, "early.test")
    before = serial(gtm)
    made = gtm.put("zones/late.test", {"catalog": CATALOG})
    assert gtm.rdata("%s.zones.%s" % (made["id"], CATALOG), "PTR") == ["late.test."]
    assert listed(gtm) == {**entry(gtm, "early.test"), **entry(gtm, "late.test")} and serial(gtm) == before + 1
    gtm.patch("zones/late.test", remark="nothing to do with it")
    assert serial(gtm) == before + 1
    gtm.patch("zones/early.test", catalog=None)
    gtm.delete("zones/late.test")
    assert listed(gtm) == {} and serial(gtm) == before + 3
    gtm.put("zones/from.test", {"role": "secondary", "primaries": [{"address": "127.0.0.1:1"}], "catalog_consumer": True})
    assert gtm.api("PUT", "zones/x.test", {"spec": {"catalog": "from.test"}}).status == 409


def test_properties_and_moving(gtm):
    for catalog in (CATALOG, OTHER):
        gtm.put("zones/" + catalog, {})
    gtm.put("zones/m.test", {"catalog": CATALOG, "labels": {"group": "red", "owner": "nobody's business"}})
    assert listed(gtm) == entry(gtm, "m.test", group='"red"')
    gtm.patch("zones/m.test", labels={"group": "blue", "coo": OTHER})
    assert listed(gtm) == entry(gtm, "m.test", group='"blue"', coo=OTHER + ".")
    gtm.patch("zones/m.test", catalog=OTHER)
    assert listed(gtm) == entry(gtm, "m.test", group='"blue"', coo=OTHER + "."), "consumers must see it on both"
    assert listed(gtm, OTHER) == entry(gtm, "m.test", group='"blue"')
    gtm.patch("zones/m.test", labels={"coo": None, "group": None})
    assert listed(gtm) == {} and listed(gtm, OTHER) == entry(gtm, "m.test")
    gtm.patch("zones/m.test", catalog=CATALOG)  # without a word it just changes
    assert listed(gtm, OTHER) == {} and listed(gtm) == entry(gtm, "m.test")
    gtm.patch("zones/m.test", catalog=OTHER, labels={"coo": OTHER})
    gtm.delete("zones/m.test")
    assert listed(gtm) == listed(gtm, OTHER) == {}
    r = gtm.api("PUT", "zones/x.test", {"spec": {"catalog": CATALOG, "labels": {"coo": "no..name"}}})
    assert r.status == 422 and "labels.coo" in str(r.body)


def test_edits_by_hand(gtm):
    key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    gtm.put("tsig-keys/all", {"algorithm": "hmac-sha256", "secret": key})
    gtm.put("zones/" + CATALOG, {"update": [{"key": "all", "names": ["@", "*." + CATALOG]}]})
    gtm.put("zones/m.test", {"catalog": CATALOG})
    keep, before = listed(gtm), serial(gtm)
    node = next(iter(keep))
    for path, records in (("x.zones/PTR", ["x.test."]), (node + "/PTR", ["y.test."]), ("version/TXT", ['"3"']),
                          ("group." + node + "/TXT", ['"red"'])):
        r = gtm.api("PUT", "zones/%s/rrsets/%s" % (CATALOG, path), {"ttl": 0, "records": records})
        assert r.status == 409 and "catalog" in str(r.body), r
    assert gtm.api("DELETE", "zones/%s/rrsets/%s/PTR" % (CATALOG, node)).status == 409
    for name in (node, "x.zones", "version"):
        u = dns.update.Update(CATALOG)
        u.add(name, 0, "TXT", '"by hand"')
        u.use_tsig(dns.tsigkeyring.from_text({"all": key}), keyname="all", algorithm="hmac-sha256")
        assert dns.query.udp(u, gtm.ip, port=gtm.dns[1], timeout=8).rcode() == dns.rcode.REFUSED
    assert listed(gtm) == keep and serial(gtm) == before
    gtm.must("PUT", "zones/%s/rrsets/note/TXT" % CATALOG, {"ttl": 60, "records": ['"not part of the list"']})

    text = gtm.must("GET", "zones/%s/file" % CATALOG)
    kind = {"Content-Type": "text/dns"}
    assert gtm.api("PUT", "zones/%s/file" % CATALOG, text.encode(), headers=kind).status == 200, "an export is taken"
    r = gtm.api("PUT", "zones/%s/file" % CATALOG, (text + "x.zones 0 IN PTR x.test.\n").encode(), headers=kind)
    assert r.status == 409 and "x.zones" in str(r.body), r
    bare = "\n".join(line for line in text.splitlines() if "zones" not in line and "version" not in line) + "\n"
    assert gtm.api("PUT", "zones/%s/file" % CATALOG, bare.encode(), headers=kind).status == 200
    assert listed(gtm) == keep and gtm.rdata("version." + CATALOG, "TXT") == ['"2"'], "the list came back"
    assert gtm.rdata("note." + CATALOG, "TXT") == ['"not part of the list"']

    gtm.put("zones/" + OTHER, {})  # written by hand as a whole: nobody here is on it
    gtm.must("PUT", "zones/%s/rrsets/x.zones/PTR" % OTHER, {"ttl": 0, "records": ["x.test."]})


def public(gtm, zone, peer, **spec):
    gtm.zone(zone, zone_text(zone))
    gtm.patch("zones/" + zone, transfer=[{"from": "any"}], notify=[peer.notify_spec()], **spec)


@pytest.mark.parametrize("kind", (secondary.Knot, secondary.Named), ids=lambda k: k.name)
def test_real_consumer(world, gtm, tmp_path, kind):
    if not secondary.program({"knot": "knotd"}.get(kind.name, kind.name)):
        pytest.skip("not installed")
    peer = kind(tmp_path, gtm, [], catalog=CATALOG)
    world.finally_(peer.stop)

    def ask(name):
        return peer.records(name, "A")

    gtm.put("zones/" + CATALOG, {"transfer": [{"from": "any"}], "notify": [peer.notify_spec()]})
    public(gtm, "one.test", peer, catalog=CATALOG)
    peer.start()
    until_served(ask, "www.one.test", "192.0.2.80")
    public(gtm, "two.test", peer, catalog=CATALOG, labels={"group": "red"})
    until_served(ask, "www.two.test", "192.0.2.80")
    if kind is secondary.Knot:  # it has a template of that name
        eventually(lambda: os.path.exists(os.path.join(peer.folder, "two.test.red")), 20)
    gtm.must("PUT", "zones/two.test/rrsets/www/A", {"ttl": 60, "records": ["192.0.2.2"]})
    until_served(ask, "www.two.test", "192.0.2.2")
    gtm.patch("zones/one.test", catalog=None)
    eventually(lambda: peer.ask("www.one.test", "A").rcode() == dns.rcode.REFUSED, 20, what="one.test goes")
    assert ask("www.two.test") == ["192.0.2.2"]


def test_real_consumer_of_two_catalogs(world, gtm, tmp_path):
    """A zone changes catalogs; the consumer follows the new one. BIND does; Knot 3.2 does not take members over."""
    if not secondary.program("named"):
        pytest.skip("not installed")
    peer = secondary.Named(tmp_path, gtm, [], catalog=CATALOG)
    peer.also = OTHER
    world.finally_(peer.stop)
    for catalog in (CATALOG, OTHER):
        gtm.put("zones/" + catalog, {"transfer": [{"from": "any"}], "notify": [peer.notify_spec()]})
    public(gtm, "one.test", peer, catalog=CATALOG)
    peer.start()
    until_served(lambda name: peer.records(name, "A"), "www.one.test", "192.0.2.80")
    gtm.patch("zones/one.test", labels={"coo": OTHER})
    peer.until_serial(CATALOG, serial(gtm), 20)
    gtm.patch("zones/one.test", catalog=OTHER)
    peer.until_serial(OTHER, serial(gtm, OTHER), 20)
    until_served(lambda name: peer.records(name, "A"), "www.one.test", "192.0.2.80")
    gtm.patch("zones/one.test", labels={"coo": None})
    peer.until_serial(CATALOG, serial(gtm), 20)
    gtm.must("PUT", "zones/one.test/rrsets/www/A", {"ttl": 60, "records": ["192.0.2.2"]})
    until_served(lambda name: peer.records(name, "A"), "www.one.test", "192.0.2.2")
    assert zones(gtm) == [CATALOG, "one.test", OTHER]


# ---- consumed, from real ones ----

class Producer:
    """A real primary with a catalog and members that change."""

    def __init__(self, *args):
        self.members = {}  # zone -> group
        super().__init__(*args)

    def member_file(self, zone):
        return self.write("m." + zone, zone_text(zone))

    def follow(self, members):
        self.members = members
        self.command()  # writes the configuration
        self.process.send_signal(signal.SIGHUP)


class KnotProducer(Producer, primaries.Knot):
    """It makes the catalog itself, and answers no questions about it."""

    def serial(self):
        return 1 if "[%s.] loaded" % self.zone in self.log() else None

    def command(self):
        super().command()
        with open(os.path.join(self.folder, "knot.conf")) as f:
            head = f.read().split("zone:\n")[0]
        text = head + "zone:\n  - domain: %s\n    catalog-role: generate\n    notify: secondary\n    acl: transfer\n" % self.zone
        for zone, group in self.members.items():
            text += """  - domain: %s
    file: %s
    zonefile-sync: -1
    notify: secondary
    acl: transfer
    catalog-role: member
    catalog-zone: %s
%s""" % (zone, self.member_file(zone), self.zone, "    catalog-group: %s\n" % group if group else "")
        return [primaries.program("knotd"), "-c", self.write("knot.conf", text)]


class NamedProducer(Producer, primaries.Named):
    """A catalog written by hand."""

    number = 1

    def command(self):
        super().command()
        with open(os.path.join(self.folder, "named.conf")) as f:
            text = f.read()
        for zone in self.members:
            text += 'zone "%s" { type primary; file "%s"; allow-transfer { any; }; also-notify { %s port %d; }; };\n' % (
                zone, self.member_file(zone), *self.to)
        self.write("zone", self.text())
        return [primaries.program("named"), "-g", "-n", "1", "-c", self.write("named.conf", text)]

    def text(self):
        self.number += 1
        lines = ["$TTL 0", "@ IN SOA invalid. invalid. %d 3600 600 86400 0" % self.number, "@ IN NS invalid.",
                 'version IN TXT "2"']
        for zone, group in self.members.items():
            node = zone.split(".")[0]
            lines.append("%s.zones IN PTR %s." % (node, zone))
            if group:
                lines += ['group.%s.zones IN TXT "%s"' % (node, group), 'other.ext.%s.zones IN TXT "unknown property"' % node]
        return "\n".join(lines) + "\n"


@pytest.mark.parametrize("kind", (KnotProducer, NamedProducer), ids=("knot", "named"))
def test_real_producer(world, gtm, tmp_path, kind):
    if not primaries.program("knotd" if kind is KnotProducer else "named"):
        pytest.skip("not installed")
    p = kind(tmp_path / "peer", CATALOG, "", gtm.dns)
    world.finally_(p.stop)
    p.members = {"one.test": "red"}
    p.start()
    consume(gtm, p)
    until_served(gtm.rdata, "www.one.test", "192.0.2.80")
    assert gtm.spec("zones/one.test")["labels"] == {"group": "red"}
    p.follow({"one.test": "red", "two.test": None})
    until_served(gtm.rdata, "www.two.test", "192.0.2.80")
    p.follow({"two.test": None})
    eventually(lambda: zones(gtm) == [CATALOG, "two.test"], 20)
    assert gtm.ask("www.one.test").rcode() == dns.rcode.REFUSED
    assert gtm.rdata("www.two.test") == ["192.0.2.80"]
