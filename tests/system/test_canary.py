# SPDX-License-Identifier: GPL-3.0-or-later
"""A canary among mutants: whatever arrives, the next good question is answered, and no process has died.

    GTM_MUTANTS=5000000 python3 -m pytest tests/system/test_canary.py        for a night
    GTM_SEED=...                                                            the same mutants again; a failure tells it
"""
import os
import random
import socket
import struct

import pytest

from gtm import SLOW

MUTANTS = int(os.environ.get("GTM_MUTANTS", 50000))
SEED = int(os.environ.get("GTM_SEED", random.randrange(1 << 32)))
UDP_BATCH, TCP_BATCH = 64, 32
ZONE = """$ORIGIN canary.test.
$TTL 300
@ IN SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 192.0.2.53
www A 192.0.2.80
*.wild A 192.0.2.81
alias CNAME www
sub NS ns.sub
ns.sub A 192.0.2.82
dn DNAME wild
big TXT {}
mx MX 10 www
https HTTPS 1 . alpn=h2
""".format(" ".join('"%s"' % ("x" * 250) for _ in range(8)))

NAMES = ["canary.test", "www.canary.test", "x.y.wild.canary.test", "alias.canary.test", "q.sub.canary.test",
         "a.b.dn.canary.test", "big.canary.test", "none.canary.test", "elsewhere.example", "", "id.server"]


def name(text):
    return b"".join(bytes([len(x)]) + x.encode() for x in text.split(".") if x) + b"\0"


def record(owner, rrtype, cls=1, ttl=0, rdata=b""):
    return owner + struct.pack("!HHIH", rrtype, cls, ttl, len(rdata)) + rdata


def option(code, data=b""):
    return struct.pack("!HH", code, len(data)) + data


def seeds():
    """Good messages of every kind, to start from."""
    options = [b"", option(3), option(8, b"\0\1\x18\0\xc6\x33\x64"), option(8, b"\0\2\x38\0" + bytes(7)), option(10, b"12345678"),
               option(10, b"12345678" + bytes(16)), option(11), option(12, bytes(30)),
               option(3) + option(10, bytes(8)) + option(8, b"\0\1\x20\0\1\2\3\4")]
    soa = name("canary.test") + name("canary.test") + struct.pack("!5I", 1, 2, 3, 4, 5)
    tsig = record(name("key.test"), 250, 255, 0, name("hmac-sha256") + bytes(6) + b"\1\x2c" + b"\0\x20" + bytes(32) + bytes(6))
    out = []
    for i, text in enumerate(NAMES):
        question = name(text) + struct.pack("!HH", (1, 28, 6, 2, 16, 43, 15, 255, 65, 5, 252)[i % 11], 3 if i == 10 else 1)
        out.append(struct.pack("!6H", 1, 0x100, 1, 0, 0, 0) + question)
        for o in options:
            out.append(struct.pack("!6H", 1, 0, 1, 0, 0, 1) + question + record(b"\0", 41, 1232, 0x8000 * (i & 1), o))
    zone = name("canary.test") + struct.pack("!HH", 6, 1)
    update = record(name("new.canary.test"), 1, 1, 60, b"\1\2\3\4")
    out += [
        struct.pack("!6H", 1, 4 << 11, 1, 1, 0, 0) + zone + record(name("canary.test"), 6, 1, 0, soa),
        struct.pack("!6H", 1, 5 << 11, 1, 1, 1, 0) + zone + record(name("www.canary.test"), 255, 255) + update,
        struct.pack("!6H", 1, 5 << 11, 1, 0, 1, 1) + zone + update + tsig,
        struct.pack("!6H", 1, 0, 1, 0, 1, 0) + name("canary.test") + b"\0\xfb\0\1" + record(name("canary.test"), 6, 1, 0, soa),
        struct.pack("!6H", 1, 0, 1, 0, 0, 2) + zone + record(b"\0", 41, 1232) + tsig,
    ]
    return out


class Mutator:
    """Each mutant is a few careless edits away from a good message, or nothing like one."""

    def __init__(self, seed):
        self.r = random.Random(seed)
        self.seeds = seeds()

    def mutant(self):
        r = self.r
        if r.random() < .05:
            return r.randbytes(r.choice((0, 1, 11, 12, 13, 17, 100, 600, 1500)))
        data = bytearray(r.choice(self.seeds))
        for _ in range(r.choice((1, 1, 1, 2, 3, 8))):
            r.choice(self.edits)(self, data)
        return bytes(data[:4000])

    def flip(self, data):
        if data:
            data[self.r.randrange(len(data))] ^= 1 << self.r.randrange(8)

    def byte(self, data):
        if data:
            data[self.r.randrange(len(data))] = self.r.choice((0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff))

    def header(self, data):
        if len(data) >= 12:
            data[self.r.randrange(2, 12)] = self.r.choice((0, 1, 2, 0x28, 0x80, 0xff))

    def cut(self, data):
        del data[self.r.randrange(len(data) + 1):]

    def splice(self, data):
        other = self.r.choice(self.seeds)
        at = self.r.randrange(len(data) + 1)
        data[at:] = other[self.r.randrange(len(other)):]

    def insert(self, data):
        data[self.r.randrange(len(data) + 1):0] = self.r.randbytes(self.r.randrange(1, 9))

    def repeat(self, data):
        at = self.r.randrange(len(data) + 1)
        data[at:at] = data[at:at + 40] * self.r.randrange(1, 20)

    edits = (flip, flip, byte, header, cut, splice, insert, repeat)


class Canary:
    """One good question by UDP or TCP, over sockets that nothing else uses."""

    def __init__(self, address):
        self.address, self.n = address, 0
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.settimeout(5 * SLOW)
        self.udp.connect(address)
        self.tcp = None

    def question(self):
        self.n = self.n + 1 & 0xffff
        return struct.pack("!6H", self.n, 0, 1, 0, 0, 0) + name("www.canary.test") + struct.pack("!HH", 1, 1)

    def check(self, reply):
        assert struct.unpack_from("!H", reply)[0] == self.n and reply[2:4] == b"\x84\0" and reply.endswith(b"\xc0\0\2\x50"), reply.hex()

    def ask_udp(self):
        self.udp.send(self.question())
        self.check(self.udp.recv(4096))

    def ask_tcp(self):
        q = self.question()
        with socket.create_connection(self.address, timeout=5 * SLOW) as s, s.makefile("rb") as f:
            s.sendall(struct.pack("!H", len(q)) + q)
            self.check(f.read(struct.unpack("!H", f.read(2))[0]))

    def close(self):
        self.udp.close()


def fed(gtm, feed, ask, mutants, batch):
    """Feed batches, ask the canary after each; on failure tell what was fed last."""
    assert MUTANTS >= batch
    mutator = Mutator(SEED)
    pids = {n: gtm.pid(n) for n in ("engine", "control")}
    for _ in range(mutants // batch):
        packets = [mutator.mutant() for _ in range(batch)]
        try:
            feed(packets)
            ask()
        except (OSError, AssertionError, struct.error) as e:
            pytest.fail("GTM_SEED=%d: %r after\n%s" % (SEED, e, "\n".join(p.hex() for p in packets)))
    assert {n: gtm.pid(n) for n in pids} == pids, "GTM_SEED=%d: a process ended" % SEED


@pytest.fixture(scope="module")
def cage(shared_world):
    gtm = shared_world.gtm()
    gtm.zone("canary.test", ZONE)
    canary = Canary(gtm.dns)
    yield gtm, canary
    canary.close()


def test_udp(cage):
    gtm, canary = cage
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(gtm.dns)

        def feed(packets):
            for p in packets:
                s.send(p)
        fed(gtm, feed, canary.ask_udp, MUTANTS * 4 // 5, UDP_BATCH)


def test_tcp(cage):
    """Pipelined mutants in good frames, then one frame that lies about its length; the server closes when we do."""
    gtm, canary = cage
    r = random.Random(SEED)

    def feed(packets):
        stream = b"".join(struct.pack("!H", len(p)) + p for p in packets)
        if r.random() < .5:
            stream += struct.pack("!H", r.choice((0, 1, 11, 12, 500, 65535))) + r.randbytes(r.randrange(40))
        with socket.create_connection(gtm.dns, timeout=5 * SLOW) as s:
            try:
                s.sendall(stream)
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
            except ConnectionResetError:
                pass  # it may well be told off
    fed(gtm, feed, canary.ask_tcp, MUTANTS // 5, TCP_BATCH)
