# SPDX-License-Identifier: GPL-3.0-or-later
"""EDNS Client Subnet on the wire (RFC 7871): whose position counts, which scope is announced, what is refused."""
import ipaddress
import random
import socket

import pytest

from gtm import zone_text
from subnets import Client, raw, rdata, scope

ZONE = "cloud-example.com"
GEO, BLIND, CHAINED, TARGET, NOTHING = ("%s.%s" % (x, ZONE) for x in ("geo", "blind", "chained", "target", "nothing"))
VALUES = {"rest": "192.0.2.1", "wide": "192.0.2.2", "mid": "192.0.2.3", "tail": "192.0.2.4", "six": "192.0.2.6", "deep": "192.0.2.7",
          "near": "192.0.2.9"}
LINES = {"wide": ["10.0.0.0/8", "198.51.100.0/24"], "mid": ["10.64.0.0/10"], "tail": ["10.64.7.0/24", "10.64.9.77/32"],
         "six": ["2001:db8::/32"], "deep": ["2001:db8:5::/48", "2001:db8:6:7000::/52"], "near": ["127.77.0.0/16"]}

RECORDS = """
alias   IN CNAME geo
mail    IN MX 10 geo
mail    IN MX 20 www
far     IN CNAME www.elsewhere.example.
"""


def site(gtm, name, value):
    gtm.put("addresses/" + name, {"type": "ipv4", "value": value})
    gtm.put("pools/" + name, {"type": "ipv4", "addresses": [{"address": name}]})


def steer(gtm, name, links, rdtype="A", **spec):
    """links: {pool: lines}."""
    gtm.put("domains/%s/%s" % (name, rdtype), dict({"enabled": True, "ttl": 30, "strategy": "source_nearest", "pools": [
        {"pool": p, "lines": lines} for p, lines in links.items()]}, **spec))


@pytest.fixture(scope="module")
def gtm(shared_world):
    g = shared_world.gtm()
    g.zone(ZONE, zone_text(ZONE, RECORDS))
    for line, cidrs in LINES.items():
        g.put("lines/" + line, {"cidrs": cidrs})
    for name, value in VALUES.items():
        site(g, name, value)
    everywhere = {"rest": ["default"], **{line: [line] for line in LINES}}
    steer(g, GEO, everywhere)
    steer(g, BLIND, everywhere, ecs=False)
    steer(g, TARGET, {"rest": ["default"], "tail": ["tail"]})
    for pool, target in (("to-target", TARGET), ("to-www", "www." + ZONE)):
        g.put("addresses/" + pool, {"type": "domain", "value": target})
        g.put("pools/" + pool, {"type": "domain", "addresses": [{"address": pool}]})
    steer(g, CHAINED, {"to-www": ["default"], "to-target": ["wide", "mid", "tail", "six"]}, rdtype="CNAME")
    g.put("addresses/gone", {"type": "ipv4", "value": "192.0.2.99", "mode": "manual", "manual_state": "unavailable"})
    g.put("pools/gone", {"type": "ipv4", "addresses": [{"address": "gone"}]})
    steer(g, NOTHING, {"gone": ["default", "wide"]}, fallback="nodata")
    return g


@pytest.fixture(scope="module")
def client(gtm):
    with Client(gtm) as c:
        yield c


@pytest.fixture(scope="module")
def near(gtm):
    """A resolver that is itself in a line."""
    with Client(gtm, source="127.77.3.4") as c:
        yield c


# Positions, who answers there, and the largest prefix around the position in which nobody else does.
PLACES = [
    ("10.64.7.9/32", "tail", 24), ("10.64.7.0/24", "tail", 24), ("10.64.7.128/25", "tail", 24), ("10.64.9.77/32", "tail", 32),
    ("10.64.9.76/32", "mid", 32), ("10.64.8.0/24", "mid", 24), ("10.64.10.1/32", "mid", 23),
    ("10.64.0.0/16", "mid", 22), ("10.65.0.0/16", "mid", 16), ("10.96.0.0/12", "mid", 11),
    ("10.0.0.0/8", "wide", 10), ("10.1.2.3/32", "wide", 10), ("10.128.0.0/9", "wide", 9), ("10.255.255.255/32", "wide", 9),
    ("11.0.0.0/8", "rest", 8), ("8.8.8.8/32", "rest", 7), ("9.255.255.255/32", "rest", 7), ("128.0.0.0/1", "rest", 2),
    ("198.51.100.255/32", "wide", 24), ("198.51.101.0/24", "rest", 24), ("127.77.1.0/24", "near", 16),
    ("2001:db8::/32", "six", 46), ("2001:db8:4::/48", "six", 48), ("2001:db8:5:1::/64", "deep", 48),
    ("2001:db8:6:7abc::1/128", "deep", 52), ("2001:db8:6:6000::/56", "six", 52), ("2001:db8:6:8000::/56", "six", 49),
    ("2001:db8:8000::/33", "six", 33), ("2001:db9::/32", "rest", 32), ("::1/128", "rest", 3), ("fe80::1/128", "rest", 1),
    ("::ffff:10.64.7.9/128", "tail", 120), ("::ffff:10.64.8.0/120", "mid", 120), ("::ffff:8.8.8.8/128", "rest", 103),
]


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_position_and_scope(client, tcp):
    for subnet, pool, want in PLACES:
        a = client.ask(GEO, subnet=subnet, tcp=tcp)
        net = ipaddress.ip_network(subnet)
        echo = ({4: 1, 6: 2}[net.version], net.prefixlen, want, net.network_address.packed[:(net.prefixlen + 7) // 8])
        assert (a.rcode, rdata(a), a.subnet) == ("NOERROR", (VALUES[pool],), echo), subnet


def test_scope_may_be_longer_than_source(client):
    """RFC 7871 7.2.1: what the resolver said was not enough to tell."""
    for subnet, want in (("10.0.0.0/4", None), ("10.64.0.0/16", 22), ("10.64.8.0/21", None), ("2001:db8::/33", 46)):
        a = client.ask(GEO, subnet=subnet)
        if want is None:
            assert scope(a) > a.subnet[1], subnet
        else:
            assert scope(a) == want > a.subnet[1], subnet


@pytest.mark.parametrize("option", [raw(1, 0, 0, b""), raw(2, 0, 0, b""), raw(0, 0, 0, b"")], ids=["v4", "v6", "family-0"])
def test_source_0_leaves_the_resolver(client, near, option):
    """RFC 7871 7.1.2: do not look at where my client is. The answer holds for whoever asks so: scope 0."""
    for tcp in (False, True):
        assert rdata(near.ask(GEO, option=option, tcp=tcp)) == (VALUES["near"],)
        a = client.ask(GEO, option=option, tcp=tcp)
        assert rdata(a) == (VALUES["rest"],)
        assert a.subnet == (int.from_bytes(option[:2], "big"), 0, 0, b"")


def test_without_an_option_the_resolver_counts(client, near):
    for edns in (True, False):
        for c, pool in ((client, "rest"), (near, "near")):
            a = c.ask(GEO, edns=edns)
            assert (rdata(a), a.subnet, a.edns) == ((VALUES[pool],), None, edns)
            assert rdata(c.ask(GEO, edns=edns, tcp=True)) == (VALUES[pool],)
    # ... and with one it does not.
    assert rdata(near.ask(GEO, subnet="10.1.2.3/32")) == (VALUES["wide"],)
    assert rdata(near.ask(GEO, subnet="8.8.8.0/24")) == (VALUES["rest"],)


def test_resolvers_of_either_family(world):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.bind(("::1", 0))
        port = s.getsockname()[1]
    g = world.gtm(args=["--dns", "[::1]:%d" % port])
    g.zone(ZONE, zone_text(ZONE))
    for name in ("rest", "near", "six"):
        site(g, name, VALUES[name])
    g.put("lines/near", {"cidrs": ["127.77.0.0/16"]})
    g.put("lines/six", {"cidrs": ["::1/128"]})
    steer(g, GEO, {"rest": ["default"], "near": ["near"], "six": ["six"]})
    for source, server, pool in (("::1", ("::1", port), "six"), ("127.77.3.4", None, "near"), ("127.78.3.4", None, "rest")):
        with Client(g, source=source, peer=server) as c:
            for tcp in (False, True):
                assert rdata(c.ask(GEO, tcp=tcp)) == (VALUES[pool],), (source, tcp)
                assert rdata(c.ask(GEO, subnet="127.77.0.0/24", tcp=tcp)) == (VALUES["near"],)
                assert rdata(c.ask(GEO, subnet="::1/128", tcp=tcp)) == (VALUES["six"],)


BAD = {
    "family-3": raw(3, 8, 0, b"\x0a"), "family-0-with-bits": raw(0, 8, 0, b"\x0a"), "family-65535": raw(65535, 0, 0, b""),
    "v4-33-bits": raw(1, 33, 0, bytes(5)), "v6-129-bits": raw(2, 129, 0, bytes(17)), "v4-255-bits": raw(1, 255, 0, bytes(32)),
    "bits-after-prefix": raw(1, 20, 0, b"\x0a\x40\x07"), "v6-bits-after-prefix": raw(2, 33, 0, bytes.fromhex("20010db801")),
    "too-long": raw(1, 24, 0, b"\x0a\x40\x07\x00"), "too-short": raw(1, 24, 0, b"\x0a\x40"),
    "whole-address": raw(1, 8, 0, b"\x0a\0\0\0"), "address-with-source-0": raw(1, 0, 0, b"\x0a"),
    "scope-in-query": raw(1, 24, 24, b"\x0a\x40\x07"), "scope-in-query-0": raw(1, 0, 1, b""),
    "empty": b"", "three-bytes": b"\0\1\x18", "no-address": raw(1, 24, 0, b""),
}


@pytest.mark.parametrize("option", BAD.values(), ids=BAD)
def test_bad_option_is_formerr(client, option):
    """RFC 7871 7.1.2 and 6."""
    for name in (GEO, BLIND, "www." + ZONE, "nowhere." + ZONE):
        for tcp in (False, True):
            a = client.ask(name, option=option, tcp=tcp)
            assert (a.rcode, a.answer, a.authority, a.edns) == ("FORMERR", (), (), True), (name, a)
    good = raw(1, 24, 0, b"\x0a\x40\x07")
    for pair in ((good, option), (option, good)):
        assert client.ask(GEO, options=pair).rcode == "FORMERR"


def test_of_two_options_the_first_counts(client):
    """RFC 7871 knows one; it must not depend on chance which, and only one comes back."""
    mid, six = raw(1, 16, 0, b"\x0a\x41"), raw(2, 48, 0, bytes.fromhex("20010db80005"))
    for options, pool in (((mid, six), "mid"), ((six, mid), "deep")):
        for tcp in (False, True):
            a = client.ask(GEO, options=options, tcp=tcp)
            assert rdata(a) == (VALUES[pool],)
            assert (a.subnet[:2], a.subnet[3]) == ((options[0][1], options[0][2]), options[0][4:])


def test_a_domain_that_does_not_look_at_it(client, near):
    for subnet, _, _ in PLACES:
        for c, pool in ((client, "rest"), (near, "near")):
            a = c.ask(BLIND, subnet=subnet)
            assert (rdata(a), scope(a)) == ((VALUES[pool],), 0), subnet


@pytest.mark.parametrize("name,rdtype,rcode", [
    ("www." + ZONE, "A", "NOERROR"), (ZONE, "NS", "NOERROR"), (ZONE, "SOA", "NOERROR"), ("www." + ZONE, "MX", "NOERROR"),
    (GEO, "AAAA", "NOERROR"), (GEO, "TXT", "NOERROR"), ("nowhere." + ZONE, "A", "NXDOMAIN"), ("far." + ZONE, "A", "NOERROR"),
    ("www.not-ours.example", "A", "REFUSED")])
def test_what_is_not_steered_holds_for_all(client, name, rdtype, rcode):
    for subnet in ("10.64.7.0/24", "2001:db8:5::/48", "8.8.8.8/32"):
        for tcp in (False, True):
            a = client.ask(name, rdtype, subnet=subnet, tcp=tcp)
            assert (a.rcode, scope(a)) == (rcode, 0)
        assert client.ask(name, rdtype).subnet is None


def test_a_chain_has_the_longest_scope_of_its_links(client):
    """`chained` steers by wide, mid, tail and six to `target`, which steers by tail; others go to a name of the zone."""
    for subnet, values, want in (
            ("10.64.7.9/32", (TARGET, VALUES["tail"]), 24),       # chained alone: 8, as wide, mid and tail go one way
            ("10.64.9.76/32", (TARGET, VALUES["rest"]), 32),
            ("10.1.2.3/32", (TARGET, VALUES["rest"]), 10),        # target alone: 10
            ("10.200.0.0/16", (TARGET, VALUES["rest"]), 9),       # target alone: 9
            ("2001:db8:5::/48", (TARGET, VALUES["rest"]), 32),    # target alone: 1, as it has no IPv6
            ("8.8.8.8/32", ("www." + ZONE, "192.0.2.80"), 7),     # www is not steered
            ("198.51.100.1/32", (TARGET, VALUES["rest"]), 24)):
        for tcp in (False, True):
            a = client.ask(CHAINED, subnet=subnet, tcp=tcp)
            assert (rdata(a), scope(a)) == (values, want), subnet
    # The same to who asks for the alias itself.
    a = client.ask(CHAINED, "CNAME", subnet="10.64.7.9/32")
    assert (rdata(a), scope(a)) == ((TARGET,), 8)


def test_an_alias_of_the_zone_has_the_scope_of_its_target(client):
    for subnet, pool, want in PLACES:
        a = client.ask("alias." + ZONE, subnet=subnet)
        assert (rdata(a), scope(a)) == ((GEO, VALUES[pool]), want), subnet


def test_nodata_fallback_holds_for_all(client):
    for subnet in ("10.64.7.0/24", "8.8.8.8/32", "2001:db8::/32"):
        a = client.ask(NOTHING, subnet=subnet)
        assert (a.rcode, a.answer, scope(a)) == ("NOERROR", (), 0)
        assert [r.type for r in a.authority] == ["SOA"]


def test_any_is_steered_as_well(client):
    a = client.ask(GEO, "ANY", subnet="10.64.7.0/24")
    assert (rdata(a), scope(a)) == ((VALUES["tail"],), 24)


def test_scope_speaks_of_the_answer_section(client):
    """RFC 7871 7.3.1: what comes beside the answer is not tied to a network, so nothing there may depend on one."""
    seen = set()
    for subnet in ("10.64.7.0/24", "8.8.8.8/32", "2001:db8:5::/48"):
        a = client.ask("mail." + ZONE, "MX", subnet=subnet)
        assert (len(a.answer), scope(a)) == (2, 0), a
        seen.add(frozenset(r.text for r in a.additional))
    assert len(seen) == 1, seen


# ---- brute force ----

BITS = {4: 32, 6: 128}
GRAIN = {4: 20, 6: 48}  # networks are this long at most: a prefix can be searched as a whole


def focus(round_):
    """Where the networks and most of the clients of a round are drawn; a network is in one line only."""
    return {4: (20 + round_ << 24, 8), 6: (0x24000000 + round_ << 96, 32)}


def random_line(r, round_, taken):
    out = []
    for _ in range(r.randint(1, 3)):
        version = r.choice([4, 4, 6])
        start, bits = focus(round_)[version]
        length = r.randint(bits, GRAIN[version])
        net = ipaddress.ip_network((start | r.getrandbits(length - bits) << BITS[version] - length, length) if length > bits else
                                   (start, bits))
        if net not in taken and not any(net.version == o.version and net.overlaps(o) for o in out):
            taken.add(net)
            out.append(net)
    return [str(n) for n in out]


def sampled(r, version, number, length):
    """Addresses of a prefix: one in each part that a network may have for itself, as far as they are 64."""
    size = BITS[version]
    first = number >> size - length << size - length if length else 0
    parts = min(6, max(0, GRAIN[version] - length))
    step = size - length - parts
    return [first + (i << step) + (r.getrandbits(step) if step else 0) for i in range(1 << parts)]


def text(version, number, length=None):
    address = ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number)
    return "%s/%d" % (address, BITS[version] if length is None else length)


def candidates(client, name, subnets):
    """Who can be answered there: rotated sets are one."""
    return [frozenset(rdata(a)) for a in client.many([(name, "A", s) for s in subnets])]


def random_model(r, g, round_):
    """Lines that lie in each other or not, links and addresses of several lines; some pools down."""
    taken, lines = set(), []
    for i in range(r.randint(1, 8)):
        cidrs = random_line(r, round_, taken)
        if cidrs:
            lines.append({"kind": "line", "name": "r%d-%d" % (round_, i), "spec": {
                "cidrs": cidrs, "parent": r.choice(["default"] + [x["name"] for x in lines])}})
    words = [x["name"] for x in lines] + ["default"]
    objects, links = list(lines), []
    for i in range(r.randint(1, 6)):
        name = "r%d-p%d" % (round_, i)
        values = range(4 * i, 4 * i + r.randint(1, 3))  # no value twice: the answer tells which pools it is from
        down = {"mode": "manual", "manual_state": "unavailable"} if r.random() < .25 else {}
        objects += [{"kind": "address", "name": "%s-%d" % (name, k), "spec": dict({"type": "ipv4", "value": "198.18.%d.%d" % (
            round_, v)}, **down)} for k, v in enumerate(values)]
        objects.append({"kind": "pool", "name": name, "spec": {"type": "ipv4", "addresses": [
            {"address": "%s-%d" % (name, k), "lines": sorted(set(r.choices(words, k=2))) if r.random() < .3 else ["default"]}
            for k in range(len(values))]}})
        links.append({"pool": name, "lines": sorted(set(r.choices(words, k=r.randint(1, 3))))})
    host = "r%d.%s" % (round_, ZONE)
    objects.append({"kind": "domain", "name": host + "/A", "spec": {
        "enabled": True, "strategy": "round_robin", "pools": links, "line_failover": r.choice(["default", "next"])}})
    g.must("POST", "config:apply", {"objects": objects})
    return host, taken


def other_half(nets, version, number, length):
    """Of the prefix that is a bit shorter: where it begins, and where a network begins or has ended there."""
    shift = BITS[version] - length
    half = number >> shift ^ 1
    points = [half << shift] + [p for n in nets if n.version == version
                                for p in (int(n.network_address), int(n.broadcast_address) + 1)]
    return [text(version, p) for p in points if p >> shift == half]


@pytest.mark.parametrize("seed", range(4))
def test_scope_by_brute_force(gtm, client, seed):
    """All of the announced prefix gets the same candidates, and the next larger one holds somebody who does not."""
    r, proved = random.Random(seed), 0
    for round_ in range(seed * 12, seed * 12 + 12):
        name, nets = random_model(r, gtm, round_)
        edges = [(n.version, int(n.network_address) + d) for n in nets for d in (0, -1, n.num_addresses - 1, n.num_addresses)]

        def anywhere(v, n):
            start, bits = focus(round_)[v]
            return [(v, start | r.getrandbits(BITS[v] - bits)) for _ in range(n)]
        for version, number in r.sample(edges, min(len(edges), 10)) + anywhere(4, 5) + anywhere(6, 5):
            a = client.ask(name, subnet=text(version, number))
            mine, length = frozenset(rdata(a)), scope(a)
            inside = sampled(r, version, number, length)
            assert set(candidates(client, name, [text(version, n) for n in inside])) == {mine}, (name, text(version, number), length)
            if length == 0:
                beyond = [(n.version, int(n.network_address)) for n in nets] + anywhere(4, 3) + anywhere(6, 3)
                assert set(candidates(client, name, [text(*b) for b in beyond])) == {mine}, (name, text(version, number))
            elif length > 1:  # 1 may also say that the other family gets something else
                there = other_half(nets, version, number, length)
                assert set(candidates(client, name, there)) - {mine}, (name, text(version, number), length)
                proved += 1
    assert proved > 50, "too few scopes depended on anything"
