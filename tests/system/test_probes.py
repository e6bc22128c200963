# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes of every protocol against real servers: from a template to a switched answer."""
import contextlib
import http.server
import os
import shutil
import socketserver
import ssl
import subprocess
import tempfile
import threading

import dns.message
import dns.rcode
import dns.rrset
import pytest

from gtm import FAST, Gtm, eventually, loopback, zone_text

NAME = "www.cloud-example.com"
RHYTHM = {k: v for k, v in FAST.items() if k != "protocol"}
RHYTHM.update(interval="500ms", timeout="450ms")


class Served:
    """A server in a thread; what it says can be changed."""

    def __init__(self, world, server, kind):
        self.ip, self.port = server.server_address[:2]
        self.kind, self.server = kind, server
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        world.finally_(self.stop)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class _Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.server.body.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *unused):
        pass


class _Server(http.server.ThreadingHTTPServer):
    body, context, daemon_threads = "all is well", None, True

    def finish_request(self, request, client_address):
        with contextlib.suppress(OSError):
            if self.context:
                request = self.context.wrap_socket(request, server_side=True)
            super().finish_request(request, client_address)


def web(world, cert=None):
    server = _Server((loopback(), 0), _Web)
    if cert:
        show(server, cert)
    return Served(world, server, "web")


def show(server, cert):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert)
    server.context = context


def certificate(directory, stem, name, days=30, ca=None):
    """PEM file of a certificate and its key; `ca` the stem of its issuer, else self-signed."""
    pem, key, csr = (directory / (stem + end) for end in (".pem", ".key", ".csr"))

    def openssl(*args):
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, cwd=directory)
    extension = "subjectAltName=DNS:" + name
    if ca is None:
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", pem,
                "-subj", "/CN=" + stem, "-days", days, "-addext", extension)
    else:
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", csr,
                "-subj", "/CN=" + stem)
        (directory / "ext").write_text(extension)
        openssl("x509", "-req", "-in", csr, "-CA", ca + ".pem", "-CAkey", ca + ".key", "-CAcreateserial", "-days", days,
                "-extfile", "ext", "-out", pem)
    pem.write_text(pem.read_text() + key.read_text())
    return pem


def scene(gtm, template, first, second):
    """A sequence of two sites with one address each: the answer tells which is up."""
    gtm.zone("cloud-example.com", zone_text())
    gtm.put("templates/t", dict(RHYTHM, **template))
    for name, site in (("a", first), ("b", second)):
        gtm.put("addresses/" + name, {"type": "ipv4", "value": site.ip, "checks": [{"template": "t", "port": site.port}]})
        gtm.put("pools/" + name, {"type": "ipv4", "addresses": [{"address": name}]})
    gtm.put("domains/%s/A" % NAME, {"enabled": True, "ttl": 1, "strategy": "sequence",
                                   "pools": [{"pool": "a"}, {"pool": "b"}]})
    gtm.until_health("addresses/a", "ok")
    gtm.until_health("addresses/b", "ok")
    eventually(lambda: gtm.rdata(NAME) == [first.ip])


def switches(gtm, address, to, cause):
    """The first site fails for this cause, and the answer goes to the other."""
    gtm.until_health("addresses/" + address, "exceptional")
    assert eventually(lambda: gtm.rdata(NAME) == [to.ip])
    seen = gtm.must("GET", "addresses/%s/health" % address)
    assert cause in str(seen["checks"][0]["observations"]), seen


def test_body_decides(world, gtm):
    a, b = web(world), web(world)
    scene(gtm, {"protocol": "http", "http": {"expect_body": "^all is (well|good)$"}}, a, b)
    a.server.body = "all is lost"
    switches(gtm, "a", b, "http_body")
    a.server.body = "all is good"
    assert eventually(lambda: gtm.rdata(NAME) == [a.ip])


def test_https_with_a_bad_certificate(world, gtm, tmp_path):
    ca = certificate(tmp_path, "ca", "ca.example")
    good = certificate(tmp_path, "good", NAME, 10, ca="ca")
    stranger = certificate(tmp_path, "stranger", NAME)
    wrong = certificate(tmp_path, "wrong", "elsewhere.example", ca="ca")
    a, b = web(world, good), web(world, good)
    trust = "".join(ca.read_text().partition("-----END CERTIFICATE-----\n")[:2])
    template = {"protocol": "https", "http": {"host": NAME}, "tls": {"ca": trust, "full_handshake_every": 2}}
    with gtm.stream() as events:
        scene(gtm, template, a, b)
        told = events.event("cert.expiring", "a")[1]
    assert told["severity"] == "warning" and told["data"]["days"] in (9, 10), told
    metrics = gtm.must("GET", "/metrics")
    assert "gtm_certificates_expiring 2" in metrics and "gtm_certificate_days_min" in metrics, metrics
    show(a.server, stranger)
    switches(gtm, "a", b, "self-signed")
    show(a.server, good)
    assert eventually(lambda: gtm.rdata(NAME) == [a.ip])
    show(a.server, wrong)
    switches(gtm, "a", b, "wrong name")


class _Datagrams(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        reply = self.server.answer(data)
        if reply is not None:
            sock.sendto(reply, self.client_address)


def datagrams(world, answer):
    server = socketserver.UDPServer((loopback(), 0), _Datagrams)
    server.answer = answer
    return Served(world, server, "udp")


def test_udp(world, gtm):
    a, b = (datagrams(world, lambda data: b"up " + data) for _ in range(2))
    scene(gtm, {"protocol": "udp", "talk": {"send": "\\x01\\n", "expect": "^up \\x01\\n$"}}, a, b)
    a.server.answer = lambda data: b"sick"
    switches(gtm, "a", b, "udp_expect")
    a.server.answer = lambda data: b"up " + data
    assert eventually(lambda: gtm.rdata(NAME) == [a.ip])


def test_dns(world, gtm):
    def says(ip, rcode=dns.rcode.NOERROR):
        def answer(data):
            reply = dns.message.make_response(dns.message.from_wire(data))
            reply.set_rcode(rcode)
            reply.answer.append(dns.rrset.from_text("probe.example.", 1, "IN", "A", ip))
            return reply.to_wire()
        return answer
    a, b = (datagrams(world, says("192.0.2.1")) for _ in range(2))
    scene(gtm, {"protocol": "dns", "dns": {"name": "probe.example", "expect_answer": "192.0.2.1"}}, a, b)
    a.server.answer = says("192.0.2.2")
    switches(gtm, "a", b, "dns_answer")
    a.server.answer = says("192.0.2.1")
    assert eventually(lambda: gtm.rdata(NAME) == [a.ip])
    a.server.answer = says("192.0.2.1", dns.rcode.SERVFAIL)
    switches(gtm, "a", b, "dns_rcode")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has privileges to drop")
def test_ping_when_root_is_gone(world):
    """The engine keeps the right to open raw sockets, and no other; control keeps none."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        config = os.path.join(directory, "gtmd.yaml")
        with open(config, "w") as f:
            f.write("user: nobody\n")
        gtm = Gtm(directory, args=("--config", config))
        shutil.chown(gtm.dir, "nobody")
        gtm.start()
        try:
            kept = {}
            for name in ("engine", "control"):
                with open("/proc/%d/status" % gtm.pid(name)) as f:
                    kept[name] = int(next(line for line in f if line.startswith("CapEff:")).split()[1], 16)
            assert kept["control"] == 0 and kept["engine"] in (0, 1 << 13), kept
            gtm.put("templates/t", dict(RHYTHM, protocol="ping"))
            gtm.put("addresses/a", {"type": "ipv4", "value": loopback(), "checks": [{"template": "t", "port": 1}]})
            if kept["engine"]:
                gtm.until_health("addresses/a", "ok")
            else:
                eventually(lambda: "CAP_NET_RAW" in gtm.log())
        finally:
            assert gtm.stop() in (None, 0)


def test_the_key_is_kept_and_never_shown(gtm, tmp_path):
    pem = certificate(tmp_path, "own", NAME).read_text()
    certificate_, key = (pem[pem.index("-----BEGIN " + what):].partition("-----END " + what + "-----\n") for what in (
        "CERTIFICATE", "PRIVATE KEY"))
    tls = {"certificate": "".join(certificate_[:2]), "key": "".join(key[:2])}
    gtm.put("templates/t", {"protocol": "https", "tls": tls})
    spec = gtm.spec("templates/t")
    assert "key" not in spec["tls"] and "PRIVATE" not in str(spec)
    spec["remark"] = "again"
    gtm.put("templates/t", spec)  # without the key: it would be refused if it were lost
    assert "PRIVATE" not in str(gtm.get("templates/t"))


def test_scenario_asks_for_the_domains_name(world, gtm):
    gtm.zone("cloud-example.com", zone_text())
    made = gtm.ctl("domain", "create", NAME, "A", "--scenario", "multi_active", "--check", "https:443/healthz",
                   "--site", "dc-a=127.9.9.9")
    assert made.returncode == 0, made.stderr
    (template,) = gtm.must("GET", "templates")["items"]
    assert template["spec"]["protocol"] == "https"
    assert template["spec"]["http"]["host"] == NAME and template["spec"]["http"]["path"] == "/healthz"
