# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the query path is configured: who we are, cookies, who may ask, the rate limit, TCP connections."""
import contextlib
import socket
import time

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdataclass
import pytest

from gtm import SLOW, eventually, zone_text

SECRET = "00112233445566778899aabbccddeeff"
CLIENT = bytes(range(8))


def server(world, tmp_path, text, **kw):
    path = tmp_path / "gtm.yaml"
    path.write_text(text)
    g = world.gtm(args=["-c", str(path)], **kw)
    g.zone("cloud-example.com", zone_text())
    return g


def option(message, code):
    return next((o for o in message.options if o.otype == code), None)


def cookie(g, data, **kw):
    return g.ask("www.cloud-example.com", edns=0, options=[dns.edns.GenericOption(dns.edns.COOKIE, data)], **kw)


def chaos(g, name):
    q = dns.message.make_query(name, "TXT", rdclass=dns.rdataclass.CH)
    return dns.query.udp(q, g.ip, port=g.dns[1], timeout=3)


def test_nobody_is_told_who_we_are_by_default(gtm):
    for name in ("id.server", "hostname.bind", "version.bind", "version.server"):
        assert chaos(gtm, name).rcode() == dns.rcode.REFUSED
    gtm.zone("cloud-example.com", zone_text())
    r = gtm.ask("www.cloud-example.com", edns=0, options=[dns.edns.GenericOption(dns.edns.NSID, b"")])
    assert r.answer and option(r, dns.edns.NSID) is None


def test_who_we_are(world, tmp_path):
    g = server(world, tmp_path, "dns: {nsid: here, id: node-1, version: OpenGTM}")
    r = g.ask("www.cloud-example.com", edns=0, options=[dns.edns.GenericOption(dns.edns.NSID, b"")])
    assert option(r, dns.edns.NSID).data == b"here"
    assert chaos(g, "id.server").answer[0][0].strings == (b"node-1",)
    assert chaos(g, "VERSION.bind").answer[0][0].strings == (b"OpenGTM",)


def test_cookies_hold_across_servers_with_one_secret(world, tmp_path):
    one, two = (server(world, tmp_path, "dns: {cookie_secret: %s}" % SECRET) for _ in range(2))
    other = server(world, tmp_path, "dns: {cookie_secret: %s, cookie_secret_previous: %s}" % (SECRET[::-1], SECRET))
    first = option(cookie(one, CLIENT), dns.edns.COOKIE).data
    assert len(first) == 24 and first[:8] == CLIENT
    for g in (one, two):
        assert option(cookie(g, first), dns.edns.COOKIE).data == first, "a good cookie is given back as it is"
    assert option(cookie(other, first), dns.edns.COOKIE).data != first
    assert cookie(one, CLIENT[:7]).rcode() == dns.rcode.FORMERR


def test_cookies_can_be_off(world, tmp_path):
    g = server(world, tmp_path, "dns: {cookies: false}")
    assert option(cookie(g, CLIENT), dns.edns.COOKIE) is None


def test_access_list(world, tmp_path):
    refuse = server(world, tmp_path, "dns: {allow: [192.0.2.0/24]}")
    r = refuse.ask("www.cloud-example.com", edns=0)
    assert r.rcode() == dns.rcode.REFUSED and not r.answer
    allow = server(world, tmp_path, "dns: {allow: [192.0.2.0/24, 127.0.0.0/8]}")
    assert allow.rdata("www.cloud-example.com") == ["192.0.2.80"]


def test_rate_limit_slips_and_spares_cookies(world, tmp_path):
    g = server(world, tmp_path, "dns: {rate_limit: {answers: 5, slip: 1}}")
    seen = [g.ask("www.cloud-example.com") for _ in range(40)]
    slipped = [r for r in seen if r.flags & dns.flags.TC]
    assert slipped and not any(r.answer for r in slipped)
    assert len([r for r in seen if r.answer]) >= 5
    assert g.rdata("www.cloud-example.com", tcp=True) == ["192.0.2.80"], "a real client comes by TCP"
    good = option(cookie(g, CLIENT, tcp=True), dns.edns.COOKIE).data
    for _ in range(40):
        r = cookie(g, good)
        assert r.answer and not r.flags & dns.flags.TC, "who shows a good cookie is no forger"


def test_the_rate_limit_is_that_of_all_workers(world, tmp_path):
    """Many ports, so many workers; what goes out to a limited prefix is no more than came in."""
    g = server(world, tmp_path, "dns: {rate_limit: {answers: 20, slip: 1}}", workers=4)
    text = "\n".join("big IN TXT \"%s\"" % ("%02d" % i * 50) for i in range(8))
    g.zone("cloud-example.com", zone_text(more=text))
    q = dns.message.make_query("big.cloud-example.com", "TXT", use_edns=0, payload=1232).to_wire()
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(64)]
        for s in sockets:
            s.settimeout(5)
            s.connect(g.dns)
        began = time.monotonic()
        replies = []
        for _ in range(10):
            for s in sockets:
                s.send(q)
            replies += [s.recv(4096) for s in sockets]
        passed_s = time.monotonic() - began
    whole = [r for r in replies if len(r) > 500]
    assert 20 <= len(whole) <= 20 + 20 * passed_s + 1, (len(whole), passed_s)
    rest = [r for r in replies if len(r) <= 500]
    assert all(r[2] & 2 for r in rest), "truncated"
    assert sum(map(len, rest)) <= len(rest) * len(q)


# ---- TCP connections ----

def tcp_client(stack, g, source):
    s = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    s.settimeout(5)
    s.bind((source, 0))
    s.connect(g.dns)
    return s


def alive(s):
    """Ask by this connection."""
    q = dns.message.make_query("www.cloud-example.com", "A")
    try:
        dns.query.send_tcp(s, q)
        return bool(dns.query.receive_tcp(s, one_rr_per_rrset=True)[0].answer)
    except (EOFError, OSError):
        return False


def closed(s):
    s.setblocking(False)
    try:
        return s.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_a_source_gives_up_its_own_idle_connections(world, tmp_path):
    """A tenth of all connections is one source's share; whoever wants more loses the one of its own that is idle longest."""
    g = server(world, tmp_path, "dns: {tcp_max_clients: 400, tcp_idle: 60s}")
    with contextlib.ExitStack() as stack:
        quiet = [tcp_client(stack, g, "127.0.0.%d" % i) for i in range(11, 31)]  # 20 others, one each
        assert all(map(alive, quiet))
        greedy = [tcp_client(stack, g, "127.0.0.2")]
        for _ in range(199):
            greedy.append(tcp_client(stack, g, "127.0.0.2"))
            assert alive(greedy[0]), "it is never the one that is idle longest"
        eventually(lambda: sum(map(closed, greedy)) == 160, what="40 of the greedy one are left")
        assert [closed(s) for s in greedy[1:161]] == [True] * 160, "the oldest went"
        for s in greedy:
            s.settimeout(5)
        assert not any(map(closed, quiet))
        for s in quiet:
            s.settimeout(5)
        assert all(map(alive, quiet)) and all(map(alive, greedy[161:])) and alive(greedy[0])


def test_a_full_house_gives_up_the_longest_idle(world, tmp_path):
    g = server(world, tmp_path, "dns: {tcp_max_clients: 100, tcp_idle: 60s}")
    with contextlib.ExitStack() as stack:
        all_ = [tcp_client(stack, g, "127.0.%d.%d" % (1 + i // 200, 1 + i % 200)) for i in range(100)]
        assert all(map(alive, all_))
        assert alive(all_[0]), "now the second is idle longest"
        slow = 0.0
        for i in range(50):
            began = time.monotonic()
            late = tcp_client(stack, g, "127.0.9.%d" % (1 + i))
            assert alive(late), "whoever comes is served"
            slow = max(slow, time.monotonic() - began)
        assert slow < 0.05 * SLOW * 4, "target 50 ms; this machine is shared"
        gone = [closed(s) for s in all_]
        assert gone == [False] + [True] * 50 + [False] * 49
        for s in all_:
            s.settimeout(5)
        assert alive(all_[0]) and alive(all_[99])


@pytest.mark.parametrize("text,says", [
    ("dns:\n  allow: [192.0.2.1/24]\n", ":2: dns.allow[0]"),
    ("dns:\n  cookie_secret: short\n", ":2: dns.cookie_secret"),
    ("dns:\n  cookie_secret: 0011223344556677z899aabbccddeeff\n", ":2: dns.cookie_secret: must be 32 hex digits"),
    ("dns:\n  rate_limit:\n    slip: 11\n", ":3: dns.rate_limit.slip"),
    ("dns:\n  deny: ignore\n", ":2: dns.deny"),
])
def test_bad_settings(world, tmp_path, text, says):
    path = tmp_path / "gtm.yaml"
    path.write_text(text)
    g = world.gtm(start=False, args=["-c", str(path)])
    g.start(ready=False)
    assert g.process.wait(timeout=10) == 78
    assert says in g.log() and "z899" not in g.log()
    g.process = None
