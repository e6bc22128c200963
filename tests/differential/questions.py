# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked about a zone: names in, near, above and below all that is in it, in all types and wire variants.

The same seed asks the same questions; small zones are asked all of them, large ones a sample.
"""
import random
import struct

import wire
from wire import Query, message, query

EVERY_NAME = ["A", "AAAA", "NS", "CNAME", "DS", "TXT", "MX", "SOA", "ANY"]
SOME = ["DNAME", "PTR", "SRV", "HTTPS", "SVCB", "CAA", "NAPTR", "DNSKEY", "NSEC", "NSEC3", "NSEC3PARAM", "RRSIG", "CDS",
        "CDNSKEY", "TLSA", "HINFO", "SPF", "TYPE65280", "TYPE1234", "TYPE65534", "KEY", "NULL", "LOC"]
META = ["OPT", "TSIG", "TKEY", "AXFR", "IXFR", "MAILB", "MAILA", "TYPE0", "TYPE128", "TYPE65535"]
USUAL = ["plain", "edns", "do", "edns-512", "do-512", "edns-4096", "do-4096"]
LIMIT = 2600  # a zone


def mixed_case(labels, r):
    return tuple(bytes(c ^ 32 if 65 <= c & 0xdf <= 90 and r.random() < .5 else c for c in x) for x in labels)


def around(owner, apex, r):
    """The name, and those about it."""
    yield owner
    yield (b"x",) + owner
    yield (b"*",) + owner
    yield (b"y", b"x") + owner
    if len(owner) > len(apex):
        above, first = owner[1:], owner[0]
        yield above
        yield (b"zz-none",) + above
        yield (b"*",) + above
        yield (first + b"0",) + above
        yield (first[:-1] + bytes([first[-1] ^ 1]),) + above
        yield mixed_case(owner, r)
        if first == b"*":
            yield (b"made-by-it",) + above
            yield (b"two", b"labels") + above
            yield (b"below", b"*") + above
    elif apex:
        yield apex[1:]
        yield (b"none",) + apex[1:]
        yield (apex[0] + b"0",) + apex[1:]


def about(zone, r):
    """(labels, type text) without end of repetition; the caller samples."""
    owners = {}
    for owner, rrtype, _ in zone.records:
        if rrtype != "RRSIG":
            owners.setdefault(owner, []).append(rrtype)
    names = list(owners)
    if len(names) > 600:
        names = [zone.apex] + r.sample(names, 500)
    for owner in names:
        for n in dict.fromkeys(around(owner, zone.apex, r)):
            if wire.fits(n):
                for t in dict.fromkeys(owners.get(n, owners[owner]) + r.sample(EVERY_NAME, 3) + r.sample(SOME, 1)):
                    yield n, t
        for t in EVERY_NAME + r.sample(SOME, 3):
            yield owner, t
    for t in EVERY_NAME + SOME + META:
        yield zone.apex, t
        yield (b"none",) + zone.apex, t


def for_zone(zone):
    r = random.Random(zone.name)
    asked = list(dict.fromkeys(about(zone, r)))
    if len(asked) > LIMIT:
        asked = r.sample(asked, LIMIT)
    rare = list(wire.VARIANTS)
    for labels, t in asked:
        number = wire.type_number(t)
        yield query(zone.name, labels, number, r.choice(USUAL))
        if zone.signed:
            yield query(zone.name, labels, number, "do-4096")
        if r.random() < .25:
            yield query(zone.name, labels, number, r.choice(rare))


def odd(zone):
    """Each way to be wrong or unusual, at a few names."""
    apex = zone.apex
    names = [apex, (b"www",) + apex, (b"none", b"none") + apex, (b"elsewhere", b"example")]
    for labels in names:
        for variant in wire.ODD_VARIANTS:
            for qtype in (1, 6):
                yield query(zone.name, labels, qtype, variant)
        for text in META:
            yield query(zone.name, labels, wire.type_number(text), "edns")

        def special(variant, silent=False, qtype=1, **kw):
            return Query(zone.name, labels, qtype, variant, message(labels, qtype, **kw), silent)

        for cls, number in wire.CLASSES.items():
            if cls != "IN":
                yield special("class-" + cls, qclass=number)
        yield special("class-0", qclass=0)
        yield special("class-65280", qclass=65280)
        for opcode in (1, 2, 3, 6, 7, 15):
            yield special("opcode-%d" % opcode, flags=opcode << 11)
            yield special("opcode-%d-edns" % opcode, flags=opcode << 11, extra=wire.opt(), arcount=1)
            yield special("opcode-%d-empty" % opcode, flags=opcode << 11, qdcount=0)
        yield special("notify", qtype=6, flags=4 << 11)
        yield special("update", qtype=6, flags=5 << 11)
        yield special("no-question", qdcount=0)
        yield special("no-question-edns", qdcount=0, extra=wire.opt(), arcount=1)
        yield special("flag-aa", flags=0x0400)
        yield special("flag-tc", flags=0x0200)
        yield special("flag-ra", flags=0x0080)
        yield special("flag-z", flags=0x0040)
        yield special("rcode-in-query", flags=3)
        yield special("response", silent=True, flags=0x8000)
        whole = message(labels, 1)
        two = struct.pack("!5H", 0, 2, 0, 0, 0) + whole[10:] * 2
        record = wire.name_wire(labels) + struct.pack("!HHIH", 1, 1, 0, 4) + bytes(4)
        yield Query(zone.name, labels, 1, "two-questions", two, False)
        yield Query(zone.name, labels, 1, "answer-in-query", message(labels, 1, ancount=1, extra=record), False)
        yield Query(zone.name, labels, 1, "authority-in-query", message(labels, 1, nscount=1, extra=record), False)
        yield Query(zone.name, labels, 1, "ixfr-udp", message(labels, 251, nscount=1, extra=wire.name_wire(apex) + struct.pack(
            "!HHIH", 6, 1, 0, 22) + bytes(22)), False)
        yield Query(zone.name, labels, 1, "question-cut", whole[:-1], False)
        yield Query(zone.name, labels, 1, "name-cut", whole[:14], False)
        yield Query(zone.name, labels, 1, "header-cut", whole[:6], True)
        yield Query(zone.name, labels, 1, "label-type", whole[:10] + b"\x41" + whole[11:], False)
        yield Query(zone.name, labels, 1, "pointer", whole[:10] + b"\xc0\x0c" + whole[-4:], False)


def of_chaos():
    for labels in (("id", "server"), ("version", "bind"), ("hostname", "bind"), ("version", "server"), ("other", "bind")):
        labels = tuple(x.encode() for x in labels)
        for qtype in (1, 16, 255):
            yield Query("chaos", labels, qtype, "chaos", message(labels, qtype, 3), False)


def of_world(zones):
    found = {}
    for zone in zones:
        for q in for_zone(zone):
            found[q.wire] = q
    for q in odd(zones[0]):
        found[q.wire] = q
    for q in of_chaos():
        found[q.wire] = q
    return list(found.values())
