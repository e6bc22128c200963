# SPDX-License-Identifier: GPL-3.0-or-later
"""dns.xdp: queries past the kernel's stack, on a veth pair between network namespaces; and what stays the kernel's."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import zlib

import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import dns.update
import pytest

from gtm import SLOW, eventually, zone_text
from netns import Namespace, Wire, closing_all, ipv4, ipv6, udp
from wired import Wired, blast

ZONE, WWW = "cloud-example.com", "www.cloud-example.com"
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
MANY = "\n".join("many IN TXT \"%s\"" % (chr(97 + i) * 90) for i in range(20))
WANTS_ROOT = "needs root and network namespaces"


def can_make_namespaces():
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    with contextlib.suppress(AssertionError):
        n = Namespace("gtm%d-try" % os.getpid())
        subprocess.run(["ip", "netns", "del", n.name], check=True)
        return True
    return False


pytestmark = pytest.mark.skipif(not can_make_namespaces(), reason=WANTS_ROOT)


@contextlib.contextmanager
def serving(world, wire=None, diverts=True, directory=None, **kw):
    wire = wire or Wire()
    try:
        where = directory or world.directory / ("gtm%d" % len(world.gtms))
        os.makedirs(where, exist_ok=True)
        g = Wired(where, wire, **kw)
        world.gtms.append(g)
        g.start()
        if diverts:
            eventually(lambda: g.counters()["xdp_sockets"] > 0, what="queries are diverted")
        g.zone(ZONE, zone_text(ZONE, more=MANY))
        yield g
        g.stop()
    finally:
        for g in world.gtms:
            with contextlib.suppress(AssertionError):
                g.stop()
        wire.close()


@pytest.fixture(scope="module")
def served(shared_world):
    with serving(shared_world) as g:
        yield g


QUESTIONS = [(WWW, "A", {}), (WWW, "AAAA", {}), (WWW, "MX", {}), ("nx." + ZONE, "A", {}), (ZONE, "SOA", {}),
             ("www.other.test", "A", {}), ("many." + ZONE, "TXT", {}), ("many." + ZONE, "TXT", {"use_edns": 0}),
             ("many." + ZONE, "TXT", {"use_edns": 0, "payload": 4096}), (WWW, "TXT", {"use_edns": 0, "payload": 1232})]


@pytest.mark.parametrize("to", [Wire.SERVER, Wire.SERVER6])
def test_answers_are_those_of_the_kernels_sockets(served, to):
    before = served.counters()
    for name, rdtype, options in QUESTIONS:
        got = served.ask(name, rdtype, to, **options)
        whole = served.ask(name, rdtype, to, tcp=True, **options)
        assert got.rcode() == whole.rcode() and got.question == whole.question
        if got.flags & dns.flags.TC:
            assert name.startswith("many.")
            assert len(got.to_wire()) <= (512 if not options else 1232)
        else:
            assert got.answer == whole.answer and got.authority == whole.authority
    after = served.counters()
    assert after["xdp_queries"] - before["xdp_queries"] == len(QUESTIONS)
    assert after["queries"] - before["queries"] == 2 * len(QUESTIONS)


@pytest.mark.parametrize("to, words", [(Wire.SERVER, ("count", 200000)), (Wire.SERVER6, ("count", 200000)),
                                       (Wire.SERVER, ("count", 100000, "window", 900, "flows", 1)),
                                       (Wire.SERVER, ("count", 5000, "window", 1, "flows", 1))])
def test_no_stall_under_load(served, to, words):
    """Not one is lost: windows are below what the kernel queues for the client (netdev_max_backlog is 1000)."""
    before = served.counters()
    r = blast(served.wire, WWW, *words, to=to)
    after = served.counters()
    assert r["sent"] == r["answered"] == words[1] and not r["lost"] and not r["wrong"] and not r["late"], r
    assert after["xdp_queries"] - before["xdp_queries"] >= words[1], r
    assert after["xdp_dropped"] == before["xdp_dropped"] and after["xdp_refused"] == 0


def test_more_than_the_rings_hold(served):
    """What is too much is lost, counted or not; nothing stalls, nothing is wrong, and afterwards all is as before."""
    r = blast(served.wire, WWW, "count", 60000, "window", 20000, "flows", 4)
    assert r["answered"] > 0 and not r["wrong"], r
    r = blast(served.wire, WWW, "count", 20000)
    assert r["answered"] == 20000 and not r["lost"] and not r["wrong"], r


def test_idle_means_asleep(served):
    served.ask(WWW)
    before = served.wakeups()
    for _ in range(100):
        served.get("/healthz")
    assert served.wakeups() - before < 20


# ---- what is the kernel's ----

def test_ping_tcp_and_other_ports_pass(served):
    wire = served.wire
    before = served.counters()["xdp_queries"]
    with wire.client:
        ping = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with wire.server:
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with closing_all(ping, other, listener):
        ping.settimeout(5 * SLOW)
        ping.sendto(b"\x08\0\xf7\xfd\0\1\0\1", (wire.SERVER, 0))
        while (reply := ping.recv(2048)[20:])[0] != 0:  # an unreachable of earlier may come first
            pass
        assert reply[4:8] == b"\0\1\0\1"
        listener.bind((wire.SERVER, 5353))
        listener.settimeout(5 * SLOW)
        other.sendto(b"hello", (wire.SERVER, 5353))
        assert listener.recv(100) == b"hello"
    assert served.ask(WWW, tcp=True).answer
    assert served.counters()["xdp_queries"] == before


V4 = socket.inet_aton(Wire.CLIENT), socket.inet_aton(Wire.SERVER)
V6 = socket.inet_pton(socket.AF_INET6, Wire.CLIENT6), socket.inet_pton(socket.AF_INET6, Wire.SERVER6)


def query(ident, name=WWW):
    q = dns.message.make_query(name, "A")
    q.id = ident
    return q.to_wire()


def is_answer(frame, ident):
    """Is it the answer with that ID to what came from port 4444 + ID?"""
    at = {0x0800: 14 + 20, 0x86dd: 14 + 40}.get(struct.unpack_from("!H", frame, 12)[0])
    return at is not None and len(frame) >= at + 20 and \
        struct.unpack_from("!HH", frame, at) == (53, 4444 + ident) and struct.unpack_from("!H", frame, at + 8)[0] == ident


def until_answer(frames, ident):
    """The tag and the frame of the answer, and all frames before it."""
    seen = []
    for tag, frame in frames.replies(5 * SLOW):
        if is_answer(frame, ident):
            return tag, frame, seen
        seen.append(frame)


def test_fragments_options_and_extension_headers_pass(served):
    """The kernel puts them together and answers: what it answers is no query of ours."""
    before = served.counters()
    whole = udp(*V4, query(1), 4445)
    passed = {
        1: [ipv4(*V4, whole[:24], fragment=0x2000, ident=77), ipv4(*V4, whole[24:], fragment=3, ident=77)],
        2: [ipv4(*V4, udp(*V4, query(2), 4446), options=b"\1\1\1\1")],
    }
    six = {3: ipv6(*V6, bytes((17, 0, 1, 4, 0, 0, 0, 0)) + udp(*V6, query(3), 4447), next_header=60)}
    frames = served.wire.frames()
    with closing_all(frames):
        for ident, packets in passed.items():
            for p in packets:
                frames.send(frames.macs + b"\x08\0" + p)
            until_answer(frames, ident)
        for ident, packet in six.items():
            frames.send(frames.macs + b"\x86\xdd" + packet)
            until_answer(frames, ident)
    after = served.counters()
    assert after["xdp_queries"] == before["xdp_queries"]
    assert after["queries"] - before["queries"] == 3


DAMAGED = {
    "checksum": ipv4(*V4, udp(*V4, query(9), 4453, damage=1)),
    "header checksum": ipv4(*V4, udp(*V4, query(9), 4453), damage=1),
    "checksum, IPv6": None,
    "cut short": ipv4(*V4, udp(*V4, query(9), 4453))[:-5],
    "UDP longer than IP": ipv4(*V4, udp(*V4, query(9), 4453, length=400)),
    "UDP shorter than its header": ipv4(*V4, udp(*V4, query(9), 4453, length=7)),
    "IP shorter than its header": ipv4(*V4, udp(*V4, query(9), 4453), length=19),
    "from loopback": ipv4(socket.inet_aton("127.0.0.1"), V4[1], udp(socket.inet_aton("127.0.0.1"), V4[1], query(9), 4453)),
    "from multicast": ipv4(socket.inet_aton("224.0.0.1"), V4[1], udp(socket.inet_aton("224.0.0.1"), V4[1], query(9), 4453)),
    "from port 0": ipv4(*V4, udp(*V4, query(9), 0)),
}


@pytest.mark.parametrize("how", DAMAGED)
def test_damaged_ones_are_dropped_and_counted(served, how):
    before = served.counters()
    frames = served.wire.frames()
    with closing_all(frames):
        if DAMAGED[how] is None:
            frames.send(frames.macs + b"\x86\xdd" + ipv6(*V6, udp(*V6, query(9), 4453, damage=1)))
        else:
            frames.send(frames.macs + b"\x08\0" + DAMAGED[how])
        # Frames of one queue are served in their order.
        frames.send(frames.macs + b"\x08\0" + ipv4(*V4, udp(*V4, query(5), 4449)))
        _, _, seen = until_answer(frames, 5)
    assert not [f for f in seen if is_answer(f, 9)]
    after = served.counters()
    assert after["xdp_malformed"] - before["xdp_malformed"] == 1
    assert after["xdp_queries"] - before["xdp_queries"] == 1


@pytest.mark.parametrize("tag", [b"\x81\0\x60\x07"])
def test_a_tagged_query_gets_a_tagged_answer(served, tag):
    frames = served.wire.frames()
    with closing_all(frames):
        frames.send(frames.macs + tag + b"\x08\0" + ipv4(*V4, udp(*V4, query(6), 4450)))
        got, answer, _ = until_answer(frames, 6)
        assert got == struct.unpack("!H", tag[2:])[0] and answer[:12] == frames.macs[6:] + frames.macs[:6]
        frames.send(frames.macs + tag + b"\x86\xdd" + ipv6(*V6, udp(*V6, query(7), 4451)))
        got, _, _ = until_answer(frames, 7)
        assert got == struct.unpack("!H", tag[2:])[0]


def test_short_answers_are_padded(served):
    """To what Ethernet carries at least, with zeros."""
    frames = served.wire.frames()
    with closing_all(frames):
        broken = struct.pack("!HHHHHH", 8, 0, 2, 0, 0, 0)  # FORMERR: just a header
        frames.send(frames.macs + b"\x08\0" + ipv4(*V4, udp(*V4, broken, 4452)))
        _, answer, _ = until_answer(frames, 8)
    assert len(answer) == 60 and answer[14 + 20 + 8 + 12:] == bytes(6)
    assert answer[14 + 20 + 8 + 3] & 15 == dns.rcode.FORMERR


# ---- handed over ----

@pytest.mark.parametrize("to", [Wire.SERVER, Wire.SERVER6, Wire.SECOND6])
def test_updates_notifies_and_signed_queries(served, to):
    """They leave the query path; the answer comes by the socket of the address that was asked."""
    g = served
    g.put("tsig-keys/all", {"algorithm": "hmac-sha256", "secret": SECRET})
    g.patch("zones/" + ZONE, update=[{"key": "all", "names": ["@", "*." + ZONE]}])
    ring = dns.tsigkeyring.from_text({"all": SECRET})
    before = g.counters()
    name = "new%d" % zlib.crc32(to.encode())
    up = dns.update.Update(ZONE, keyring=ring, keyname="all", keyalgorithm=dns.tsig.HMAC_SHA256)
    up.add(name, 300, "A", "192.0.2.77")
    r = g.send(up, to)
    assert r.rcode() == dns.rcode.NOERROR and r.had_tsig
    assert [rd.to_text() for rd in g.ask(name + "." + ZONE, to=to).answer[0]] == ["192.0.2.77"]
    signed = dns.message.make_query(WWW, "A")
    signed.use_tsig(ring, "all", algorithm=dns.tsig.HMAC_SHA256)
    r = g.send(signed, to)
    assert r.had_tsig and r.answer
    assert notify_to(g, to)
    after = g.counters()
    assert after["handed_over"] - before["handed_over"] == 3
    assert after["xdp_queries"] - before["xdp_queries"] == 1  # the unsigned question


def notify_to(g, to):
    notify = dns.message.make_query(ZONE, "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    return g.send(notify, to).opcode() == dns.opcode.NOTIFY


def test_all_addresses_of_the_machine(world):
    """A listener for all: each of them is diverted, and what is handed over is answered by the one that was asked."""
    with serving(world, listen=["0.0.0.0:53"]) as g:
        for n, to in enumerate((Wire.SERVER, Wire.SECOND)):
            assert g.ask(WWW, to=to).answer
            assert notify_to(g, to)
            assert g.counters()["xdp_queries"] == n + 1


def test_only_what_is_listened_at(world):
    """Another address of the machine, and another port, are not ours."""
    with serving(world, listen=[Wire.SERVER + ":53"]) as g:
        with g.wire.server:
            other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with other, closing_all(g.wire.frames()) as (frames,):
            other.bind((Wire.SECOND, 53))
            other.settimeout(5 * SLOW)
            second = socket.inet_aton(Wire.SECOND)
            frames.send(frames.macs + b"\x08\0" + ipv4(V4[0], second, udp(V4[0], second, query(11), 4455)))
            assert other.recv(2048) == query(11)
        assert "xdp_queries" in g.counters() and g.counters()["xdp_queries"] == 0


# ---- life ----

class Questioner(threading.Thread):
    """Asks without pause and notes the longest time without an answer."""

    def __init__(self, g):
        super().__init__(daemon=True)
        with g.wire.client:
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(0.02)
        self.socket.connect((Wire.SERVER, 53))
        self.halt, self.longest, self.answered = threading.Event(), 0.0, 0

    def run(self):
        last = time.monotonic()
        ident = 0
        while not self.halt.is_set():
            ident = (ident + 1) & 0xffff
            with contextlib.suppress(OSError):
                self.socket.send(query(ident))
                while struct.unpack_from("!H", self.socket.recv(2048))[0] != ident:
                    pass
                self.answered += 1
                self.longest = max(self.longest, time.monotonic() - last)
                last = time.monotonic()

    def stop(self):
        self.halt.set()
        self.join()
        self.socket.close()
        return self.longest


def test_the_engine_dies(world):
    with serving(world) as g:
        questioner = Questioner(g)
        questioner.start()
        for _ in range(3):
            n = questioner.answered
            eventually(lambda: questioner.answered > n + 50)
            g.kill("engine")
            eventually(lambda: g.counters().get("xdp_sockets") == 1 and g.counters()["xdp_queries"] > 10, 10,
                       what="the next engine serves by AF_XDP")
        assert questioner.stop() < 1.0 * SLOW
        r = blast(g.wire, WWW, "count", 50000)
        assert r["answered"] == 50000 and not r["lost"] and not r["wrong"], r


def test_without_an_engine_queries_wait_in_the_kernels_sockets(world):
    """As they do without AF_XDP: a query sent while there is no engine is answered by the next one."""
    with serving(world) as g:
        supervisor = g.process.pid
        os.kill(supervisor, signal.SIGSTOP)
        try:
            engine = g.kill("engine")
            with g.wire.client:
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            with s:
                s.settimeout(5 * SLOW)
                s.connect((Wire.SERVER, 53))
                # All its threads: the last one closes the sockets.
                eventually(lambda: os.listdir("/proc/%d/task" % engine) == [str(engine)] and not g.pid("engine"))
                assert g.wire.has_program()
                s.send(query(99))
                os.kill(supervisor, signal.SIGCONT)
                assert s.recv(2048)[:2] == b"\0\x63"
        finally:
            os.kill(supervisor, signal.SIGCONT)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_at_the_interface(world, how):
    with serving(world) as g:
        assert g.wire.has_program()
        if how == signal.SIGKILL:
            g.kill("supervisor")
        else:
            assert g.stop() == 0
        eventually(lambda: not g.wire.has_program(), what="the program is gone")
        if how == signal.SIGKILL:
            g.start()
            eventually(lambda: g.counters()["xdp_sockets"] == 1)
            assert g.ask(WWW).answer


def test_the_interface_goes_down_and_up(world):
    """Also before the start: it is served as soon as frames come."""
    wire = Wire()
    wire.server.ip("link", "set", "srv", "down")
    with serving(world, wire=wire) as g:
        for n in range(3):
            wire.server.ip("link", "set", "srv", "up")
            assert eventually(lambda: g.ask(WWW, timeout=0.5).answer)
            assert g.counters()["xdp_queries"] > n
            wire.server.ip("link", "set", "srv", "down")


def test_the_interface_goes_away(world):
    """Then nothing comes; the engine lives and sleeps."""
    with serving(world) as g:
        assert g.ask(WWW).answer
        g.wire.server.ip("link", "del", "srv")
        before = eventually(lambda: g.wakeups())
        for _ in range(100):
            assert g.get("/healthz").status == 200
        assert g.wakeups() - before < 20


def test_an_unprivileged_engine(world):
    """Root opens, another user serves; also after the death of the first engine."""
    directory = tempfile.mkdtemp(prefix="gtm-xdp-")
    os.chmod(directory, 0o755)
    world.finally_(lambda: shutil.rmtree(directory))
    with serving(world, directory=directory, user="nobody") as g:
        assert os.stat("/proc/%d" % g.pid("engine")).st_uid != 0
        assert g.ask(WWW).answer and g.counters()["xdp_queries"] == 1
        g.kill("engine")
        eventually(lambda: g.ask(WWW).answer and g.counters().get("xdp_queries", 0) > 0, 10)


def unavailable(g, why):
    """Told in the log, as an event and as a metric; served by the kernel's sockets."""
    c = g.counters()
    assert c["xdp_interfaces"] == 1 and c["xdp_interfaces_failed"] == 1 and c["xdp_sockets"] == 0
    assert re.search(r"warn .*no AF_XDP: .*%s.*ordinary sockets serve" % why, g.log())
    eventually(lambda: re.search(why, json.dumps(g.must("GET", "events?kind=xdp.unavailable"))), what="an event")
    for to in (Wire.SERVER, Wire.SERVER6):
        assert g.ask(WWW, to=to).answer
    assert blast(g.wire, WWW, "count", 20000)["wrong"] == 0
    assert "xdp_queries" not in g.counters()


def test_nothing_to_ask_there(world):
    with serving(world, diverts=False, listen=["127.0.0.1:53"]) as g:
        assert "no AF_XDP: srv: no address of dns.listen can be asked there" in g.log()
        assert not g.wire.has_program()


def test_no_right_to_lock_memory(world):
    limits = ["prlimit", "--memlock=65536:65536", "setpriv", "--bounding-set=-ipc_lock"]
    with serving(world, diverts=False, prefix=limits) as g:
        unavailable(g, "no right to lock memory")


def test_no_such_interface(world):
    with serving(world, diverts=False, interfaces=["absent0"]) as g:
        unavailable(g, "there is no interface 'absent0'")


@pytest.mark.parametrize("missing", ["-bpf,-sys_admin,-net_admin,-net_raw", "-bpf,-sys_admin", "-net_admin,-sys_admin"])
def test_without_the_rights(world, missing):
    setpriv = ["setpriv", "--bounding-set=" + missing]
    with serving(world, diverts=False, prefix=setpriv) as g:
        unavailable(g, "Operation not permitted: start as root")
        assert not g.wire.has_program()


def test_the_rights_that_are_enough(world):
    """Those the guide names."""
    enough = "-all,+net_bind_service,+net_admin,+net_raw,+bpf,+ipc_lock"
    with serving(world, prefix=["setpriv", "--bounding-set=" + enough]) as g:
        assert g.ask(WWW).answer and g.counters()["xdp_queries"] == 1


def test_another_program_is_there(world):
    with serving(world) as first:
        second = Wired(world.directory, first.wire, listen=[Wire.SERVER + ":54"], api="127.0.0.1:8054")
        world.gtms.append(second)
        second.start()
        assert re.search(r"no AF_XDP: .*srv.*another XDP program is there", second.log())
        second.stop()
        assert first.ask(WWW).answer and first.wire.has_program()


def test_generic_mode(world):
    """A driver that cannot: veth with frames longer than a page."""
    with serving(world, wire=Wire(mtu=9000)) as g:
        assert "generic mode" in g.log()
        for to in (Wire.SERVER, Wire.SERVER6):
            r = blast(g.wire, WWW, "count", 30000, "gso", 0, to=to)
            assert r["answered"] == 30000 and not r["wrong"], r
        assert g.counters()["xdp_queries"] > 60000
        large = dns.message.make_query(WWW, "A", use_edns=0, payload=4096, pad=1900)
        n = g.counters()["xdp_queries"]
        assert g.send(large).answer, "too long for our memory, so it is the kernel's"
        assert g.counters()["xdp_queries"] == n


def test_answers_fit_the_interface(world):
    with serving(world, wire=Wire(mtu=600), listen=[Wire.SERVER + ":53"]) as g:
        r = g.ask("many." + ZONE, "TXT", use_edns=0, payload=1232)
        assert r.flags & dns.flags.TC and len(r.to_wire()) <= 600 - 28
        assert g.counters()["xdp_queries"] == 1


def test_every_queue_has_its_worker(world):
    with serving(world, wire=Wire(queues=2)) as g:
        assert g.counters()["xdp_sockets"] == 2
        r = blast(g.wire, WWW, "count", 50000, "flows", 64)
        assert r["answered"] == 50000 and not r["lost"] and not r["wrong"], r
        assert min(g.wakeups(0), g.wakeups(1)) > 100, "the flows are spread over both"
        g.kill("engine")
        eventually(lambda: g.counters().get("xdp_sockets") == 2, 10)
