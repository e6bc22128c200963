# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates by DNS UPDATE, with the real programs: certbot (dns-rfc2136) and lego (rfc2136) against pebble, an ACME
server that asks gtmd for the TXT records itself. And certbot's own client class by itself, with its search for the zone."""
import os
import subprocess
import warnings

import dns.rcode
import pytest

import secondary
from gtm import SLOW, eventually, loopback, zone_text

ZONE, HOST = "cloud-example.com", "www.cloud-example.com"
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
KEY = "acme"


@pytest.fixture
def gtm(gtm):
    gtm.zone(ZONE, zone_text())
    gtm.zone("deep.sub." + ZONE, zone_text("deep.sub." + ZONE))
    gtm.put("tsig-keys/" + KEY, {"algorithm": "hmac-sha512", "secret": SECRET})
    for zone in (ZONE, "deep.sub." + ZONE):
        gtm.patch("zones/" + zone, update=[{"key": KEY, "names": ["*." + zone], "types": ["TXT"]}])
    return gtm


def until_gone(gtm, name):
    eventually(lambda: gtm.ask(name, "TXT").rcode() == dns.rcode.NXDOMAIN, what="%s is clean" % name)


# ---- certbot's client ----

def certbot_client(gtm, secret=SECRET):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plugin = pytest.importorskip("certbot_dns_rfc2136._internal.dns_rfc2136")
    import dns.tsig
    return plugin._RFC2136Client(gtm.ip, gtm.dns[1], KEY, secret, dns.tsig.HMAC_SHA512)


@pytest.mark.parametrize("zone", (ZONE, "deep.sub." + ZONE), ids=("zone", "child"))
def test_certbots_client(gtm, zone):
    client = certbot_client(gtm)
    name = "_acme-challenge.some.host." + zone
    assert client._find_domain(name) == zone
    for token in ("one", "two"):
        client.add_txt_record(name, token, 60)
    assert sorted(gtm.rdata(name, "TXT")) == ['"one"', '"two"']
    client.del_txt_record(name, "one")
    assert gtm.rdata(name, "TXT") == ['"two"']
    client.del_txt_record(name, "two")
    until_gone(gtm, name)


def test_certbots_client_with_a_wrong_secret(gtm):
    client = certbot_client(gtm, secret="d3Jvbmd3cm9uZ3dyb25nd3JvbmdlZQ==")
    with pytest.raises(Exception, match="(?i)tsig|signature|error"):
        client.add_txt_record("_acme-challenge." + HOST, "one", 60)
    assert gtm.ask("_acme-challenge." + HOST, "TXT").rcode() == dns.rcode.NXDOMAIN


# ---- the programs ----

PEBBLE = """{"pebble": {"listenAddress": "%(ip)s:14000", "managementListenAddress": "%(ip)s:15000", "certificate": "cert.pem",
"privateKey": "key.pem", "httpPort": 5002, "tlsPort": 5001, "ocspResponderURL": "", "externalAccountBindingRequired": false}}
"""


class Pebble:
    def __init__(self, folder, gtm):
        self.folder, self.ip = str(folder), loopback()
        self.cert = os.path.join(self.folder, "cert.pem")
        os.makedirs(self.folder)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                        "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=pebble", "-addext",
                        "subjectAltName=IP:%s" % self.ip], check=True, capture_output=True, cwd=self.folder)
        with open(os.path.join(self.folder, "config.json"), "w") as f:
            f.write(PEBBLE % {"ip": self.ip})
        env = dict(os.environ, PEBBLE_VA_NOSLEEP="1", PEBBLE_WFE_NONCEREJECT="0", PEBBLE_AUTHZREUSE="0")
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(["pebble", "-config", "config.json", "-strict", "-dnsserver", "%s:%d" % gtm.dns],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, env=env)
        eventually(lambda: b"Listening on: %s:14000" % self.ip.encode() in self.log(), 20, what="pebble")

    @property
    def url(self):
        return "https://%s:14000/dir" % self.ip

    def log(self):
        assert self.process.poll() is None
        with open(os.path.join(self.folder, "log"), "rb") as f:
            return f.read()

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def pebble(world, gtm, tmp_path):
    if not secondary.program("pebble"):
        pytest.skip("not installed")
    p = Pebble(tmp_path / "pebble", gtm)
    world.finally_(p.stop)
    return p


def run(command, **env):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120 * SLOW, env=dict(os.environ, **env))
    assert done.returncode == 0, done.stdout + done.stderr


def subject_names(pem):
    done = subprocess.run(["openssl", "x509", "-in", pem, "-noout", "-ext", "subjectAltName"], capture_output=True, text=True)
    return sorted(done.stdout.split("\n")[1].replace("DNS:", "").replace(" ", "").split(","))


def test_certbot(gtm, pebble, tmp_path):
    if not secondary.program("certbot"):
        pytest.skip("not installed")
    ini = tmp_path / "rfc2136.ini"
    ini.write_text("dns_rfc2136_server = %s\ndns_rfc2136_port = %d\ndns_rfc2136_name = %s\ndns_rfc2136_secret = %s\n"
                   "dns_rfc2136_algorithm = HMAC-SHA512\n" % (*gtm.dns, KEY, SECRET))
    ini.chmod(0o600)
    folder = tmp_path / "certbot"
    names = [HOST, "*." + HOST, "x.deep.sub." + ZONE]
    run(["/usr/bin/certbot", "certonly", "-n", "--agree-tos", "--register-unsafely-without-email", "--server", pebble.url,
         "--no-verify-ssl", "--config-dir", folder / "etc", "--work-dir", folder / "work", "--logs-dir", folder / "log",
         "--dns-rfc2136", "--dns-rfc2136-credentials", ini, "--dns-rfc2136-propagation-seconds", "0",
         *[x for n in names for x in ("-d", n)]])
    assert subject_names(folder / "etc" / "live" / HOST / "cert.pem") == sorted(names)
    for name in (HOST, "x.deep.sub." + ZONE):
        until_gone(gtm, "_acme-challenge." + name)
    eventually(lambda: gtm.log().count("by key %s" % KEY) >= 6, what="three records came and went")


def test_lego(gtm, pebble, tmp_path):
    if not secondary.program("lego"):
        pytest.skip("not installed")
    names = [HOST, "x.deep.sub." + ZONE]
    run(["lego", "--server", pebble.url, "--email", "someone@example.com", "--accept-tos", "--path", str(tmp_path / "lego"),
         "--dns", "rfc2136", "--dns.disable-cp", "--dns.resolvers", "%s:%d" % gtm.dns,
         *[x for n in names for x in ("--domains", n)], "run"],
        LEGO_CA_CERTIFICATES=pebble.cert, RFC2136_NAMESERVER="%s:%d" % gtm.dns, RFC2136_TSIG_KEY=KEY,
        RFC2136_TSIG_SECRET=SECRET, RFC2136_TSIG_ALGORITHM="hmac-sha512.", RFC2136_SEQUENCE_INTERVAL="1")
    assert subject_names(tmp_path / "lego" / "certificates" / (HOST + ".crt")) == sorted(names)
    for name in names:
        until_gone(gtm, "_acme-challenge." + name)
    eventually(lambda: gtm.log().count("by key %s" % KEY) >= 4, what="two records came and went")
