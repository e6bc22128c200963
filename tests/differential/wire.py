# SPDX-License-Identifier: GPL-3.0-or-later
"""DNS messages as this test needs them: queries in every variant, replies in a form that can be compared.

A name is a tuple of labels (bytes); a Reply's sections are frozensets of records, names folded, so neither order nor
compression nor the case of a compressed name counts as a difference.
"""
import collections
import functools
import struct

TYPES = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "NULL": 10, "PTR": 12, "HINFO": 13, "MX": 15, "TXT": 16, "RP": 17,
    "AFSDB": 18, "X25": 19, "ISDN": 20, "RT": 21, "SIG": 24, "KEY": 25, "PX": 26, "AAAA": 28, "LOC": 29, "NXT": 30,
    "SRV": 33, "NAPTR": 35, "KX": 36, "CERT": 37, "DNAME": 39, "OPT": 41, "APL": 42, "DS": 43, "SSHFP": 44,
    "IPSECKEY": 45, "RRSIG": 46, "NSEC": 47, "DNSKEY": 48, "DHCID": 49, "NSEC3": 50, "NSEC3PARAM": 51, "TLSA": 52,
    "SMIMEA": 53, "CDS": 59, "CDNSKEY": 60, "OPENPGPKEY": 61, "CSYNC": 62, "ZONEMD": 63, "SVCB": 64, "HTTPS": 65,
    "SPF": 99, "NID": 104, "L32": 105, "L64": 106, "LP": 107, "EUI48": 108, "EUI64": 109, "TKEY": 249, "TSIG": 250,
    "IXFR": 251, "AXFR": 252, "MAILB": 253, "MAILA": 254, "ANY": 255, "URI": 256, "CAA": 257}
TYPE_NAMES = {v: k for k, v in TYPES.items()}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 6: "YXDOMAIN",
          9: "NOTAUTH", 16: "BADVERS", 23: "BADCOOKIE"}
CLASSES = {"IN": 1, "CH": 3, "HS": 4, "NONE": 254, "ANY": 255}

# Where names are in the rdata of the types in which a server may compress or fold them: bytes before, names.
NAMES_IN = {2: (0, 1), 5: (0, 1), 6: (0, 2), 12: (0, 1), 15: (2, 1), 17: (0, 2), 18: (2, 1), 21: (2, 1), 26: (2, 2),
            33: (6, 1), 36: (2, 1), 39: (0, 1), 47: (0, 1)}


def type_number(text):
    return TYPES[text] if text in TYPES else int(text[4:])


def type_text(number):
    return TYPE_NAMES.get(number, "TYPE%d" % number)


# ---- names ----

@functools.lru_cache(maxsize=None)
def name(text):
    """Labels of presentation text."""
    labels, label, i, raw = [], bytearray(), 0, text.encode("latin-1")
    while i < len(raw):
        c = raw[i:i + 1]
        if c == b"\\":
            if raw[i + 1:i + 4].isdigit():
                label.append(int(raw[i + 1:i + 4]))
                i += 4
                continue
            c, i = raw[i + 1:i + 2], i + 1
        elif c == b".":
            if label:
                labels.append(bytes(label))
            label, i = bytearray(), i + 1
            continue
        label += c
        i += 1
    if label:
        labels.append(bytes(label))
    return tuple(labels)


def name_text(labels):
    def plain(c):
        return chr(c) if 33 <= c < 127 and c not in b'."\\;()@$' else "\\%03d" % c
    return "".join("".join(map(plain, x)) + "." for x in labels) or "."


def name_wire(labels):
    return b"".join(bytes([len(x)]) + x for x in labels) + b"\0"


def fits(labels):
    return sum(len(x) + 1 for x in labels) < 255 and all(0 < len(x) < 64 for x in labels)


# ---- queries ----

def option(code, data=b""):
    return struct.pack("!HH", code, len(data)) + data


def opt(size=1232, version=0, flags=0, options=b"", owner=b"\0", rdlen=None):
    return owner + struct.pack("!HHBBHH", 41, size, 0, version, flags,
                               len(options) if rdlen is None else rdlen) + options


DO = 0x8000
ECS4 = option(8, struct.pack("!HBB", 1, 24, 0) + bytes([198, 51, 100]))
ECS6 = option(8, struct.pack("!HBB", 2, 56, 0) + bytes.fromhex("20010db8000102"))

def subnet_option(version, number, bits):
    """EDNS Client Subnet of a prefix: version 4 or 6, the address as a number."""
    size = {4: 4, 6: 16}[version]
    return option(8, struct.pack("!HBB", 1 if version == 4 else 2, bits, 0) + number.to_bytes(size, "big")[:(bits + 7) // 8])


# What follows the question, and the flags of the header: (flags, additional records, their number).
VARIANTS = {
    "plain": (0, b"", 0),
    "rd": (0x0100, b"", 0),
    "cd-ad": (0x0030, b"", 0),
    "edns": (0, opt(), 1),
    "edns-512": (0, opt(512), 1),
    "edns-4096": (0, opt(4096), 1),
    "edns-0": (0, opt(0), 1),
    "edns-65535": (0, opt(65535), 1),
    "do": (0, opt(1232, 0, DO), 1),
    "do-512": (0, opt(512, 0, DO), 1),
    "do-4096": (0, opt(4096, 0, DO), 1),
    "do-cd": (0x0010, opt(1232, 0, DO), 1),
    "edns-z": (0, opt(1232, 0, 0x4001), 1),
    "ecs4": (0, opt(options=ECS4), 1),
    "ecs6": (0, opt(options=ECS6), 1),
    "ecs-0": (0, opt(options=option(8, struct.pack("!HBB", 1, 0, 0))), 1),
    "nsid": (0, opt(options=option(3)), 1),
    "cookie": (0, opt(options=option(10, b"12345678")), 1),
    "padding": (0, opt(options=option(12, bytes(40))), 1),
    "keepalive": (0, opt(options=option(11)), 1),
    "unknown-option": (0, opt(options=option(65001, b"hello") + option(4242)), 1),
}
ODD_VARIANTS = {
    "version-1": (0, opt(version=1), 1),
    "version-255": (0, opt(version=255, flags=DO), 1),
    "version-1-options": (0, opt(version=1, options=b"\0"), 1),
    "two-opt": (0, opt() + opt(), 2),
    "opt-owner": (0, opt(owner=b"\1x\0"), 1),
    "opt-short": (0, opt(options=b"\0\3\0\4\1"), 1),
    "opt-past-end": (0, opt(rdlen=9), 1),
    "opt-cut": (0, opt()[:7], 1),
    "ecs-bits": (0, opt(options=option(8, struct.pack("!HBB", 1, 20, 0) + bytes([1, 2, 255]))), 1),
    "ecs-long": (0, opt(options=option(8, struct.pack("!HBB", 1, 24, 0) + bytes(4))), 1),
    "ecs-short": (0, opt(options=option(8, struct.pack("!HBB", 1, 24, 0) + bytes(2))), 1),
    "ecs-family": (0, opt(options=option(8, struct.pack("!HBB", 9, 8, 0) + bytes(1))), 1),
    "ecs-scope": (0, opt(options=option(8, struct.pack("!HBB", 1, 8, 8) + bytes([10]))), 1),
    "ecs-33": (0, opt(options=option(8, struct.pack("!HBB", 1, 33, 0) + bytes(5))), 1),
    "ecs-empty": (0, opt(options=option(8)), 1),
    "cookie-7": (0, opt(options=option(10, bytes(7))), 1),
    "cookie-9": (0, opt(options=option(10, bytes(9))), 1),
    "cookie-41": (0, opt(options=option(10, bytes(41))), 1),
    "tail": (0, b"garbage", 0),
    "count-1": (0, b"", 1),
    "record": (0, b"\1x\0" + struct.pack("!HHIH", 1, 1, 0, 4) + bytes(4), 1),
}

Query = collections.namedtuple("Query", "zone labels qtype variant wire silent")


def message(labels, qtype, qclass=1, flags=0, extra=b"", arcount=0, qdcount=1, ancount=0, nscount=0):
    """Without its id."""
    return struct.pack("!5H", flags, qdcount, ancount, nscount, arcount) + \
        name_wire(labels) * bool(qdcount) + struct.pack("!HH", qtype, qclass) * bool(qdcount) + extra


def query(zone, labels, qtype, variant):
    flags, extra, count = VARIANTS.get(variant) or ODD_VARIANTS[variant]
    return Query(zone, labels, qtype, variant, message(labels, qtype, 1, flags, extra, count), False)


# ---- replies ----

Reply = collections.namedtuple("Reply", "opcode rcode aa tc rd question answer authority additional edns options twice")
Record = collections.namedtuple("Record", "name type cls ttl rdata")


def _read_name(wire, pos):
    labels, end, hops = [], None, 0
    while True:
        n = wire[pos]
        if n == 0:
            return tuple(labels), end or pos + 1
        if n >= 0xc0:
            end = end or pos + 2
            pos = (n & 63) << 8 | wire[pos + 1]
            hops += 1
            if hops > 200:
                raise ValueError("compression loop")
            continue
        if n > 63:
            raise ValueError("label type")
        labels.append(wire[pos + 1:pos + 1 + n].lower())
        pos += 1 + n


def _rdata(wire, pos, length, rrtype):
    if rrtype not in NAMES_IN:
        return wire[pos:pos + length]
    before, names = NAMES_IN[rrtype]
    out, at = wire[pos:pos + before], pos + before
    for _ in range(names):
        labels, at = _read_name(wire, at)
        out += name_wire(labels)
    if at > pos + length:
        raise ValueError("rdata")
    return out + wire[at:pos + length]


@functools.lru_cache(maxsize=200000)
def parse(wire):
    """The reply without its id; ValueError or IndexError if it is no message."""
    flags, qd, an, ns, ar = struct.unpack_from("!5H", wire)
    full = b"\0\0" + wire
    pos, question = 12, b""
    for _ in range(qd):
        start = pos
        pos = _read_name(full, pos)[1] + 4
        question += full[start:pos]
    edns, options, extended, twice, sections = None, (), 0, False, []
    for count in (an, ns, ar):
        section = []
        for _ in range(count):
            owner, pos = _read_name(full, pos)
            rrtype, cls, ttl, length = struct.unpack_from("!HHIH", full, pos)
            pos += 10
            if pos + length > len(full):
                raise ValueError("record past the end")
            if rrtype == 41:
                if edns is not None:
                    raise ValueError("two OPT")
                extended = ttl >> 24
                edns = (ttl >> 16 & 255, "do" if ttl & DO else "")
                options = tuple(sorted(_options(full[pos:pos + length])))
            else:
                section.append(Record(owner, rrtype, cls, ttl, _rdata(full, pos, length, rrtype)))
            pos += length
        sections.append(frozenset(section))
        twice = twice or len(sections[-1]) != len(section)
    if pos != len(full):
        raise ValueError("bytes after the end")
    rcode = flags & 15 | extended << 4
    return Reply(flags >> 11 & 15, RCODES.get(rcode, str(rcode)), bool(flags & 0x400), bool(flags & 0x200),
                 bool(flags & 0x100), question, *sections, edns, options, twice)


def _options(data):
    while data:
        code, n = struct.unpack_from("!HH", data)
        yield code
        data = data[4 + n:]


Subnet = collections.namedtuple("Subnet", "family source scope address")


def client_subnet(wire):
    """The EDNS Client Subnet of a reply without its id, which must be one that parse takes; None: it has none."""
    qd, *counts = struct.unpack_from("!4H", wire, 2)
    full, pos = b"\0\0" + wire, 12
    for _ in range(qd):
        pos = _read_name(full, pos)[1] + 4
    for _ in range(sum(counts)):
        pos = _read_name(full, pos)[1]
        rrtype, _, _, length = struct.unpack_from("!HHIH", full, pos)
        pos += 10
        data, pos = full[pos:pos + length], pos + length
        while rrtype == 41 and data:
            code, n = struct.unpack_from("!HH", data)
            if code == 8:
                return Subnet(*struct.unpack_from("!HBB", data, 4), data[8:4 + n])
            data = data[4 + n:]
    return None


def record_text(r):
    """For people: dnspython knows how rdata is written."""
    import dns.rdata
    try:
        data = dns.rdata.from_wire(r.cls, r.type, r.rdata, 0, len(r.rdata)).to_text()
    except Exception:  # whatever is wrong with it, show it
        data = "\\# %d %s" % (len(r.rdata), r.rdata.hex())
    return "%s %d %s %s" % (name_text(r.name), r.ttl, type_text(r.type), data)
