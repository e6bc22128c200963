# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may become a probe node, who is one, and who is not any more. All on loopback."""
import contextlib
import datetime
import hashlib
import json
import os

import socket
import ssl
import struct
import subprocess


import pytest
from gtm import SLOW, eventually
from places import Node

ENROL = 18  # feed/message.h


@pytest.fixture(scope="module")
def server(shared_world):
    g = shared_world.gtm(start=False)
    g.args += ["--nodes", "%s:8054" % g.ip]
    return g.start()


@pytest.fixture
def node(world, server):
    """node(name): one that is not started; its object is there."""
    def make(name):
        server.put("nodes/" + name, {})
        n = Node(world.directory / name, name)
        world.gtms.append(n)
        return n
    return make


def invite(server, name, **kw):
    return server.must("POST", "nodes/%s:token" % name, kw)


def until_state(server, name, state, timeout=10.0):
    eventually(lambda: server.status("nodes/" + name).get("state") == state, timeout, what="%s is %s" % (name, state))


def refused(n, token, why, code=78):
    """gtmd --join ends by itself, saying why; nothing is left behind."""
    n.start(join=token)
    n.ended = n.process.wait(15 * SLOW)
    assert n.ended == code, n.log()
    assert why in n.log(), n.log()
    assert not os.path.exists(os.path.join(n.dir, "node.identity"))
    n.ended = 0


def repack(token, **changes):
    """The token with other contents and a good checksum."""
    raw = bytes.fromhex(token.split("-", 1)[1])[:-4]
    at = 1 + raw[0]
    parts = {"server": raw[1:at]}
    n = struct.unpack_from("!H", raw, at)[0]
    parts["node"] = raw[at + 2:at + 2 + n]
    at += 2 + n
    parts["secret"], parts["authority"] = raw[at:at + 16], raw[at + 16:at + 48]
    parts.update(changes)
    raw = (bytes([len(parts["server"])]) + parts["server"] + struct.pack("!H", len(parts["node"])) + parts["node"] +
           parts["secret"] + parts["authority"])
    return "gtm1-" + (raw + hashlib.sha256(raw).digest()[:4]).hex()


def test_a_token_is_good_once(server, node):
    n = node("once")
    r = invite(server, "once")
    assert r["command"].endswith("--join " + r["token"])
    n.start(join=r["token"])
    until_state(server, "once", "healthy")
    assert oct(os.stat(os.path.join(n.dir, "node.identity")).st_mode & 0o777) == "0o600"
    # The next starts need no token; the same one is not good again.
    assert n.stop() == 0
    n.start()
    until_state(server, "once", "healthy")
    other = node("once-more")
    refused(other, r["token"], "the token is wrong, was used, or is too old")
    # Nothing of it can be read back, not by those who may read all.
    for text in (str(server.must("GET", "nodes/once")), str(server.config()), str(server.must("GET", "audit"))):
        assert "'certificate'" not in text and hashlib.sha256(bytes.fromhex(r["token"][5:])).hexdigest() not in text


def test_the_command_works_when_it_is_pasted(server, node):
    """By a shell, on a machine that has gtmd and nothing else; the words on stderr say what it needs."""
    n = node("pasted")
    directory = os.path.join(os.path.dirname(n.dir), "it's a node")
    n.dir = directory
    said = server.ctl("node", "token", "pasted", "--dir", directory)
    assert said.returncode == 0, said.stderr
    assert "may write to " + directory in said.stderr and "no other file" in said.stderr
    assert "warning: %s:8054 can only be reached on the server itself" % server.ip in said.stderr
    n.paste(said.stdout)
    until_state(server, "pasted", "healthy")
    assert n.stop() == 0
    n.paste(said.stdout)  # once more: it says what to do instead
    assert n.process.wait(15 * SLOW) == 78
    assert "is node 'pasted' already: start it without --join" in n.log()
    n.ended = 0
    default = server.must("POST", "nodes/pasted:token", {"server": "gtm.example.com:8054"})
    assert default["command"].startswith("gtmd --data-dir /var/lib/opengtm --join gtm1-") and "warnings" not in default
    assert default["dir"] == "/var/lib/opengtm" and default["server"] == "gtm.example.com:8054"


def test_bad_invitations(server, node):
    node("unasked")
    wrong = {"server": 7, "dir": ["x"], "for": 1}
    r = server.api("POST", "nodes/unasked:token", wrong)
    assert r.status == 422 and {e["pointer"] for e in r.body["errors"]} == set(wrong)
    r = server.api("POST", "nodes/unasked:token", {"dir": "node", "server": "nowhere"})
    assert r.status == 422 and {e["pointer"] for e in r.body["errors"]} == {"dir", "server"}
    assert server.ctl("node", "token", "unasked", "--dir", "relative").returncode == 1


def test_tokens_that_are_not_good(server, node):
    n = node("bad")
    token = invite(server, "bad")["token"]
    refused(n, token[:-2], "damaged")
    refused(n, "gtm1-", "damaged")
    refused(n, "secret", "is not a token")
    refused(n, repack(token, secret=bytes(16)), "the token is wrong, was used, or is too old")
    refused(n, repack(token, node=b"nobody"), "the token is wrong, was used, or is too old")
    node("good")
    refused(n, repack(token, node=b"good"), "the token is wrong, was used, or is too old")
    # Another server than the one that made it: the secret is not even sent.
    refused(n, repack(token, authority=bytes(32)), "cannot be joined", code=1)
    refused(n, repack(token, server=b"127.0.0.1:1"), "127.0.0.1:1", code=1)
    # None of that has used it up.
    n.start(join=token)
    until_state(server, "bad", "healthy")


def test_a_token_has_its_time(server, node):
    n = node("late")
    r = invite(server, "late", **{"for": "1s"})
    ends = datetime.datetime.fromisoformat(r["expires"].replace("Z", "+00:00"))
    eventually(lambda: datetime.datetime.now(datetime.timezone.utc) > ends, timeout=3)
    refused(n, r["token"], "the token is wrong, was used, or is too old")
    assert server.api("POST", "nodes/late:token", {"for": "900h"}).status == 422
    assert server.api("POST", "nodes/nobody:token", {}).status == 404


def test_deleted_and_disabled_are_cut_off(server, node):
    n = node("gone")
    backend = "127.0.0.1"
    server.put("templates/t", {"protocol": "tcp", "interval": "1s", "timeout": "500ms", "fall": 1, "rise": 1})
    server.put("addresses/a", {"type": "ipv4", "value": backend, "checks": [{"template": "t", "port": 1}]})
    n.start(join=invite(server, "gone")["token"])

    def voters():
        return [v["node"] for v in server.must("GET", "addresses/a/health")["checks"][0]["nodes"]]

    eventually(lambda: "gone" in voters())
    server.patch("nodes/gone", enabled=False)
    assert "gone" not in voters()
    assert server.status("nodes/gone")["state"] == "disabled"
    eventually(lambda: "cut this node off" in n.log())
    eventually(lambda: "does not know this node" in n.log(), timeout=15)
    server.patch("nodes/gone", enabled=True)
    eventually(lambda: "gone" in voters(), timeout=15)
    server.delete("nodes/gone")
    assert "gone" not in voters()
    # Made anew by the same name, it is another: the old certificate is nothing.
    before = n.log().count("does not know this node")
    server.put("nodes/gone", {})
    eventually(lambda: n.log().count("does not know this node") >= before, timeout=10)
    assert server.status("nodes/gone")["connected"] is False
    server.delete("addresses/a")


def test_a_new_enrolment_ends_the_old(server, node, world):
    first = node("twice")
    first.start(join=invite(server, "twice")["token"])
    until_state(server, "twice", "healthy")
    second = Node(world.directory / "second", "twice")
    world.gtms.append(second)
    second.start(join=invite(server, "twice")["token"])
    eventually(lambda: "cut this node off" in first.log() or "does not know this node" in first.log(), timeout=10)
    eventually(lambda: "does not know this node" in first.log(), timeout=15)
    until_state(server, "twice", "healthy")
    eventually(lambda: "connected to" in second.log())


def test_a_directory_is_one_or_the_other(server, world):
    n = Node(world.directory / "mixed", "mixed")
    world.gtms.append(n)
    server.put("nodes/mixed", {})
    open(os.path.join(n.dir, "gtm.db"), "w").close()
    refused(n, invite(server, "mixed")["token"], "holds the database of a server")


def test_no_listener_no_nodes(world):
    g = world.gtm()
    g.put("nodes/n", {})
    r = g.api("POST", "nodes/n:token", {})
    assert r.status == 503 and "--nodes" in str(r.body)
    r = g.ctl("node", "add", "m")
    assert r.returncode == 1 and "--nodes" in r.stderr


def test_where_to_connect_must_be_known(world):
    g = world.gtm(start=False)
    g.args += ["--nodes", "0.0.0.0:%d" % free_port()]
    g.start()
    g.put("nodes/n", {})
    r = g.api("POST", "nodes/n:token", {})
    assert r.status == 422 and "nodes.advertise" in str(r.body)
    r = g.ctl("node", "token", "n", "--server-address", "gtm.example.com:8054", "--for", "10m")
    assert r.returncode == 0 and r.stdout.startswith("gtmd --data-dir ")
    raw = bytes.fromhex(r.stdout.split()[-1][5:])
    assert raw[1:1 + raw[0]] == b"gtm.example.com:8054"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# ---- strangers ----

def context(cert=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    if cert:
        c.load_cert_chain(cert)
    return c


def connect(server, cert=None, source=None):
    raw = socket.create_connection((server.ip, 8054), timeout=10, source_address=(source, 0) if source else None)
    return context(cert).wrap_socket(raw)


def ended(s, timeout=10):
    """The peer closes, by whatever means, within the time."""
    s.settimeout(timeout * SLOW)
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while s.recv(65536):
            pass
    s.close()
    return True


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def test_a_certificate_of_ones_own_making(server, node, tmp_path):
    """Nor does a node's certificate make a server: see the unit test of authority."""
    n = node("forged")
    n.start(join=invite(server, "forged")["token"])
    until_state(server, "forged", "healthy")
    pem = str(tmp_path / "own.pem")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
            "/CN=forged", "-keyout", pem, "-out", pem + ".crt")
    with open(pem, "a") as f, open(pem + ".crt") as g:
        f.write(g.read())
    with pytest.raises((ssl.SSLError, ConnectionError)):
        s = connect(server, pem)
        s.settimeout(10 * SLOW)
        s.send(b"\0\0\0\3\1{}")
        raise ConnectionError if s.recv(1) == b"" else AssertionError("it is let in")
    with pytest.raises(ssl.SSLError):
        old = context()
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        old.wrap_socket(socket.create_connection((server.ip, 8054), timeout=10))


def frame(kind, body):
    return struct.pack("!IB", 1 + len(body), kind) + body


@pytest.mark.parametrize("words", [
    frame(1, b'{"protocol":2}'),
    frame(ENROL, b"{}"),
    frame(ENROL, b'{"node":"x","secret":"00","csr":"x"}'),
    frame(ENROL, b'{"node":"../../x","secret":"%s","csr":"x"}' % (b"0" * 32)),
    frame(ENROL, b'{"node":"once","secret":"%s","csr":"-----BEGIN"}' % (b"0" * 32)),
    frame(13, b'{"node":"once","votes":[{"key":"t/127.0.0.1/1","verdict":"down"}]}'),
    frame(99, b"[]"),
    frame(9, b"\0"),
    b"\xff\xff\xff\xff\1",
    b"\0\0\0\0",
    struct.pack("!IB", 1 << 20, ENROL),
    b"GET / HTTP/1.1\r\n\r\n",
], ids=range(12))
def test_strangers_get_nothing(server, words):
    with server.stream() as stream:
        s = connect(server)
        s.send(words)
        assert ended(s)
        assert not [m for m in stream.messages if m[0] == "config"]


def test_strangers_do_no_harm(server, node):
    """Many at once, slow ones, silent ones and babblers: nodes are served all the same, and no memory is lost."""
    n = node("steady")
    n.start(join=invite(server, "steady")["token"])
    until_state(server, "steady", "healthy")
    pid = server.pid("control")

    def resident():
        with open("/proc/%d/statm" % pid) as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    held, sources = [], ["127.1.%d.%d" % (i // 250, i % 250 + 1) for i in range(400)]
    before = resident()
    for source in sources:  # more than may be there at a time, each from elsewhere
        s = socket.create_connection((server.ip, 8054), timeout=10, source_address=(source, 0))
        s.send(os.urandom(3) if len(held) % 2 else b"\x16\x03\x01\x02\x00\x01\x00")
        held.append(s)
    for _ in range(60):  # one host alone
        held.append(socket.create_connection((server.ip, 8054), timeout=10, source_address=("127.2.0.1", 0)))
    # Who is nobody can still become somebody, and who is a node stays one.
    other = node("newcomer")
    other.start(join=invite(server, "newcomer")["token"])
    until_state(server, "newcomer", "healthy")
    assert server.status("nodes/steady")["state"] == "healthy"
    for s in held:
        assert ended(s, timeout=15)
    assert server.pid("control") == pid
    assert resident() - before < (30 << 20) * SLOW  # a sanitizer keeps what was freed
    assert "probe.node_lost" not in [e["kind"] for e in server.must("GET", "events")["items"]
                                     if e.get("object", {}).get("name") == "steady"]


def test_a_node_that_babbles_is_cut_off(server, node):
    """Its certificate is good, its words are not: it costs it the connection and nobody else anything."""
    n = node("babbler")
    n.start(join=invite(server, "babbler")["token"])
    until_state(server, "babbler", "healthy")
    assert n.stop() == 0
    with open(os.path.join(n.dir, "node.identity")) as f:
        identity = json.load(f)
    pem = os.path.join(n.dir, "pem")
    with open(pem, "w") as f:
        f.write(identity["key"] + identity["certificate"])
    for words in (frame(13, b"{"), frame(13, b"[]"), struct.pack("!IB", 2 << 20, 13), frame(14, b'"x"'),
                  frame(1, b'{"protocol":77}')):
        s = connect(server, pem)
        s.send(words)
        assert ended(s)
    s = connect(server, pem)
    s.send(frame(13, b'{"node":"steady","votes":[{"key":5,"verdict":[]},7,{"key":"x","verdict":"down","cause":{}}]}') +
           frame(14, b'{"seq":"x","late":[1,{}],"lag_ms":"y"}') + frame(5, b"{}") + frame(7, b'{"kind":"address.up"}') +
           frame(9, b"\0\0\0\1[]") + frame(9, b""))
    until_state(server, "babbler", "healthy")
    s.close()
    assert server.get("nodes/babbler").status == 200 and server.api("GET", "/readyz").status == 200


# ---- renewal ----

CA = """
[ca]
default_ca = own
[own]
database = {dir}/index
new_certs_dir = {dir}
serial = {dir}/serial
default_md = sha256
policy = any
x509_extensions = node
unique_subject = no
[any]
commonName = supplied
[node]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
"""


def digest(pem):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


def age(server, n, tmp_path):
    """Give the node a certificate by the server's authority that has a day left of many."""
    with open(tmp_path / "config", "w") as f:
        f.write(CA.format(dir=tmp_path))
    (tmp_path / "index").touch()
    (tmp_path / "serial").write_text("4711\n")
    pem = os.path.join(server.dir, "nodes.authority")
    path = os.path.join(n.dir, "node.identity")
    with open(path) as f:
        identity = json.load(f)
    (tmp_path / "key").write_text(identity["key"])
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.timezone.utc)
    openssl("req", "-new", "-key", str(tmp_path / "key"), "-subj", "/CN=" + n.name, "-out", str(tmp_path / "csr"))
    openssl("ca", "-batch", "-config", str(tmp_path / "config"), "-keyfile", pem, "-cert", pem, "-in",
            str(tmp_path / "csr"), "-out", str(tmp_path / "crt"), "-notext", "-startdate",
            (now - 80 * day).strftime("%Y%m%d%H%M%SZ"), "-enddate", (now + day).strftime("%Y%m%d%H%M%SZ"))
    identity["certificate"] = (tmp_path / "crt").read_text()
    with open(path, "w") as f:
        json.dump(identity, f)
    server.patch("nodes/" + n.name, certificate=digest(identity["certificate"]))
    return identity["certificate"]


def test_a_certificate_renews_itself(server, node, tmp_path):
    n = node("aged")
    n.start(join=invite(server, "aged")["token"])
    until_state(server, "aged", "healthy")
    assert n.stop() == 0
    old = age(server, n, tmp_path)
    n.start()
    eventually(lambda: "the certificate is renewed" in n.log(), timeout=10)
    with open(os.path.join(n.dir, "node.identity")) as f:
        identity = json.load(f)
    assert identity["certificate"] != old
    # The new one has been used: the old one is nothing any more.
    eventually(lambda: "node 'aged' uses its new certificate" in server.log(), timeout=10)
    (tmp_path / "old.pem").write_text((tmp_path / "key").read_text() + old)
    s = connect(server, str(tmp_path / "old.pem"))
    s.settimeout(10 * SLOW)
    assert b"does not know this node" in s.recv(65536)
    s.close()
    until_state(server, "aged", "healthy")
    # And the one after is not asked for at once.
    assert n.log().count("the certificate is renewed") == 1
    connected = n.log().count("connected to")
    n.restart()
    eventually(lambda: n.log().count("connected to") > connected, timeout=10)
    until_state(server, "aged", "healthy")
