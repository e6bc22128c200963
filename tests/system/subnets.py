# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw questions of clients anywhere: from a resolver's address, with an EDNS Client Subnet or without.

    with Client(gtm) as c:
        c.ask("www.example.com", subnet="203.0.113.0/24").rdata, .scope
        c.ask("www.example.com", option=b"...")          an option as it is
    client.many([(name, rdtype, subnet), ...])           as fast as Python goes

Replies are read without dnspython, which is slow and strict; whatever the test does not look at is not read.
"""
import collections
import ipaddress
import select
import socket
import struct
import time

from gtm import SLOW

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "ANY": 255}
NAMES = {v: k for k, v in TYPES.items()}
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 5: "REFUSED"}
OPTION_ECS = 8

Record = collections.namedtuple("Record", "name type ttl text")
# subnet: (family, source, scope, address bytes) or None; edns: is there an OPT?
Answer = collections.namedtuple("Answer", "rcode aa tc answer authority additional edns subnet ede")


def rdata(a, rrtype=None):
    return tuple(r.text for r in a.answer if rrtype is None or r.type == rrtype)


def scope(a):
    return None if a.subnet is None else a.subnet[2]


def body(subnet):
    """"203.0.113.0/24": the option's data; None: none."""
    if subnet is None:
        return None
    net = ipaddress.ip_network(subnet, strict=False)
    return raw({4: 1, 6: 2}[net.version], net.prefixlen, 0, net.network_address.packed[:(net.prefixlen + 7) // 8])


def raw(family, source, scope_, address):
    return struct.pack("!HBB", family, source, scope_) + address


def name_wire(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.rstrip(".").split(".") if x) + b"\0"


def message(name, rdtype="A", options=(), edns=True):
    """Without its id. options: the data of each Client Subnet."""
    question = name_wire(name) + struct.pack("!2H", TYPES[rdtype], 1)
    data = b"".join(struct.pack("!2H", OPTION_ECS, len(o)) + o for o in options)
    opt = b"\0" + struct.pack("!HHIH", 41, 1232, 0, len(data)) + data if edns else b""
    return struct.pack("!5H", 0, 1, 0, 0, 1 if edns else 0) + question + opt


# ---- replies ----

def _name(wire, pos):
    labels, end = [], None
    while wire[pos]:
        if wire[pos] >= 0xc0:
            end = end or pos + 2
            pos = (wire[pos] & 63) << 8 | wire[pos + 1]
        else:
            labels.append(wire[pos + 1:pos + 1 + wire[pos]].decode("latin-1"))
            pos += 1 + wire[pos]
    return ".".join(labels), end or pos + 1


def _text(wire, pos, n, rrtype):
    if rrtype == 1:
        return socket.inet_ntoa(wire[pos:pos + 4])
    if rrtype == 28:
        return socket.inet_ntop(socket.AF_INET6, wire[pos:pos + 16])
    if rrtype in (2, 5):
        return _name(wire, pos)[0]
    return wire[pos:pos + n].hex()


def parse(wire):
    _, flags, qd, *counts = struct.unpack_from("!6H", wire)
    pos, sections, edns, subnet, ede, extended = 12, [], False, None, None, 0
    for _ in range(qd):
        pos = _name(wire, pos)[1] + 4
    for count in counts:
        section = []
        for _ in range(count):
            name, pos = _name(wire, pos)
            rrtype, _, ttl, n = struct.unpack_from("!HHIH", wire, pos)
            pos += 10
            if rrtype == 41:
                assert not edns, "two OPT"
                edns, extended, at = True, ttl >> 24, pos
                while at < pos + n:
                    code, size = struct.unpack_from("!2H", wire, at)
                    data = wire[at + 4:at + 4 + size]
                    if code == OPTION_ECS:
                        assert subnet is None, "two Client Subnets"
                        subnet = struct.unpack_from("!HBB", data) + (data[4:],)
                    if code == 15:
                        ede = struct.unpack_from("!H", data)[0]
                    at += 4 + size
            else:
                section.append(Record(name, NAMES.get(rrtype, str(rrtype)), ttl, _text(wire, pos, n, rrtype)))
            pos += n
        sections.append(tuple(section))
    assert pos == len(wire), "bytes after the message"
    rcode = flags & 15 | extended << 4
    return Answer(RCODES.get(rcode, str(rcode)), bool(flags & 0x400), bool(flags & 0x200), *sections, edns, subnet, ede)


# ---- asking ----

class Client:
    """A resolver at `source`, which asks the server at `peer`: (address, port), of either family."""

    BATCH = 64

    def __init__(self, gtm, source=None, timeout=3.0, peer=None):
        self._peer, self._source, self._timeout = peer or gtm.dns, source, timeout * SLOW
        self._family = socket.AF_INET6 if ":" in self._peer[0] else socket.AF_INET
        self._id = 0
        self._socket = socket.socket(self._family, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        if source:
            self._socket.bind((source, 0))
        self._socket.connect(self._peer)
        self._socket.setblocking(False)

    def ask(self, name, rdtype="A", subnet=None, option=None, options=None, edns=True, tcp=False):
        """option: data of a Client Subnet as it is; options: several."""
        if options is None:
            data = body(subnet) if option is None else option
            options = [] if data is None else [data]
        wire = message(name, rdtype, options, edns)
        return self._tcp(wire) if tcp else self._all([wire])[0]

    def many(self, questions):
        """[(name, rdtype, subnet)] -> answers in the same order. They arrive in that order, too."""
        wires = [message(n, t, [] if s is None else [body(s)]) for n, t, s in questions]
        return [a for i in range(0, len(wires), self.BATCH) for a in self._all(wires[i:i + self.BATCH])]

    def _all(self, wires):
        """Loopback loses nothing as long as the buffer holds a batch."""
        first, out = self._id, {}
        self._id += len(wires)
        for i, w in enumerate(wires):
            self._socket.send(struct.pack("!H", first + i & 0xffff) + w)
        deadline = time.monotonic() + self._timeout
        while len(out) < len(wires):
            left = deadline - time.monotonic()
            assert left > 0, "%d of %d questions were not answered" % (len(wires) - len(out), len(wires))
            if select.select([self._socket], [], [], left)[0]:
                reply = self._socket.recv(65535)
                at = struct.unpack_from("!H", reply)[0] - first & 0xffff
                if at < len(wires):
                    out[at] = parse(reply)
        return [out[i] for i in range(len(wires))]

    def _tcp(self, wire):
        with socket.socket(self._family) as s:
            s.settimeout(self._timeout)
            if self._source:
                s.bind((self._source, 0))
            s.connect(self._peer)
            s.sendall(struct.pack("!HH", len(wire) + 2, 7) + wire)
            with s.makefile("rb") as f:
                return parse(f.read(struct.unpack("!H", f.read(2))[0]))

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()
