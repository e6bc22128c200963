# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input gets an error that names the field or line, and changes nothing: not the revision, not a GET, not DNS."""
import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess

import pytest

from gtm import API_PORT, DNS_PORT, GTMD, SLOW, eventually, loopback, url, zone_text

NAME = "www.cloud-example.com"
LONG = "x" * 65
A4 = {"type": "ipv4", "value": "203.0.113.10"}


@pytest.fixture(scope="module")
def gtm(shared_world):
    g = shared_world.gtm()
    g.zone("cloud-example.com", zone_text())
    g.put("templates/t", {"protocol": "tcp", "interval": "1h"})
    g.put("addresses/four", A4)
    g.put("addresses/twin", A4)
    g.put("addresses/six", {"type": "ipv6", "value": "2001:db8::10"})
    g.put("pools/p", {"type": "ipv4", "addresses": [{"address": "four"}]})
    g.put("domains/%s/A" % NAME, {"enabled": True, "pools": [{"pool": "p"}]})
    return g


def everything(gtm):
    answers = [gtm.ask(n, t).to_text().split("\n", 1)[1] for n, t in (
        (NAME, "A"), (NAME, "AAAA"), ("ns1.cloud-example.com", "A"), ("cloud-example.com", "SOA"), ("new.test", "A"))]
    return gtm.config(), gtm.must("GET", "zones/cloud-example.com/file"), answers


@pytest.fixture(autouse=True)
def unchanged(request):
    """Around every test that uses the shared gtmd."""
    if "gtm" not in request.fixturenames:
        yield
        return
    gtm = request.getfixturevalue("gtm")
    before = everything(gtm)
    yield
    assert everything(gtm) == before


def refused(r, status, pointer=None, detail=None, got=None, allowed=None):
    assert r.status == status, r
    assert r.headers["Content-Type"].startswith("application/problem+json")
    assert r.body["status"] == status and r.body["title"] and r.body["type"]
    found = [e for e in r.body["errors"] if pointer is None or e["pointer"] == pointer]
    assert found, "no error at %r: %s" % (pointer, r.body["errors"])
    e = found[0]
    for key, want in (("detail", detail), ("got", got), ("allowed", allowed)):
        if want is not None:
            assert want in e.get(key, ""), e


def link(**kw):
    return dict({"address": "four"}, **kw)


# method, path, body, status, pointer, part of detail, got, allowed
CASES = {
    "unknown field": ("PUT", "pools/n", {"type": "ipv4", "colour": "red"}, 422, "colour", "unknown", None, "strategy"),
    "unknown nested field": ("PUT", "pools/n", {"type": "ipv4", "addresses": [link(wieght=1)]}, 422,
                             "addresses[0].wieght", "unknown", None, "weight"),
    "wrong type": ("PUT", "pools/n", {"type": "ipv4", "enabled": "yes"}, 422, "enabled", "true or false", "yes", None),
    "list is no list": ("PUT", "pools/n", {"type": "ipv4", "addresses": "four"}, 422, "addresses", "array", "four", None),
    "fraction": ("PUT", "templates/n", {"protocol": "tcp", "fall": 1.5}, 422, "fall", None, "1.5", "1..10"),
    "weight too high": ("PUT", "pools/n", {"type": "ipv4", "addresses": [link(), link(weight=65536)]}, 422,
                        "addresses[1].weight", None, "65536", "0..65535"),
    "weight below zero": ("PUT", "pools/n", {"type": "ipv4", "addresses": [link(weight=-1)]}, 422,
                          "addresses[0].weight", None, "-1", "0..65535"),
    "ttl zero": ("PUT", "domains/n.cloud-example.com/A", {"ttl": 0}, 422, "ttl", None, "0", "1..86400"),
    "ttl too high": ("PUT", "domains/n.cloud-example.com/A", {"ttl": 86401}, 422, "ttl", None, "86401", "1..86400"),
    "unknown word": ("PUT", "pools/n", {"type": "ipv4", "strategy": "best"}, 422, "strategy", None, "best", "round_robin"),
    "required": ("PUT", "addresses/n", {"type": "ipv4"}, 422, "value", "required", None, None),
    "duplicate address": ("PUT", "pools/n", {"type": "ipv4", "addresses": [link(), link()]}, 422,
                          "addresses[1].address", "twice", "four", None),
    "duplicate value": ("PUT", "pools/n", {"type": "ipv4", "addresses": [link(), link(address="twin")]}, 422,
                        "addresses[1].address", "same value", "203.0.113.10", None),
    "ipv6 in an ipv4 pool": ("PUT", "pools/n", {"type": "ipv4", "addresses": [link(address="six")]}, 422,
                             "addresses[0].address", "ipv6", None, "ipv4"),
    "ipv6 value of an ipv4 address": ("PUT", "addresses/n", {"type": "ipv4", "value": "2001:db8::1"}, 422,
                                      "value", "IPv4", "2001:db8::1", None),
    "no address": ("PUT", "addresses/n", {"type": "ipv4", "value": "203.0.113.300"}, 422, "value", None, "203.0.113.300", None),
    "missing address": ("PUT", "pools/n", {"type": "ipv4", "addresses": [link(address="nobody")]}, 422,
                        "addresses[0].address", "nobody", None, None),
    "missing template": ("PUT", "addresses/n", dict(A4, checks=[{"template": "none", "port": 80}]), 422,
                         "checks[0].template", "none", None, None),
    "missing pool": ("PUT", "domains/n.cloud-example.com/A", {"pools": [{"pool": "p"}, {"pool": "none"}]}, 422,
                     "pools[1].pool", "none", None, None),
    "port": ("PUT", "addresses/n", dict(A4, checks=[{"template": "t", "port": 65536}]), 422, "checks[0].port", None,
             "65536", "1..65535"),
    "outside every zone": ("PUT", "domains/www.example.org/A", {}, 422, "name", "create zone 'example.org'", None, None),
    "name too long": ("PUT", "pools/" + LONG, {"type": "ipv4"}, 422, "name", None, None, "64"),
    "label too long": ("PUT", "domains/%s.cloud-example.com/A" % ("y" * 64), {}, 422, "name", None, None, None),
    "domain too long": ("PUT", "domains/%s.cloud-example.com/A" % ".".join(["y" * 50] * 5), {}, 422, "name", None, None, None),
    "unknown rrtype": ("PUT", "domains/n.cloud-example.com/TXT", {}, 422, "name", None, None, "AAAA"),
    "timeout over interval": ("PUT", "templates/n", {"protocol": "tcp", "interval": "1s", "timeout": "2s"}, 422,
                              "timeout", "interval", "2s", None),
    "no duration": ("PUT", "templates/n", {"protocol": "tcp", "interval": "fast"}, 422, "interval", None, "fast", None),
    "interval too short": ("PUT", "templates/n", {"protocol": "tcp", "interval": "10ms"}, 422, "interval", None, "10ms", "100ms"),
    "spec missing": ("PUT", "pools/n", None, 422, "spec", "missing", None, None),
    "patch out of range": ("PATCH", "pools/p", {"addresses": [link(weight=70000)]}, 422, "addresses[0].weight", None,
                           "70000", "0..65535"),
    "patch unknown field": ("PATCH", "domains/%s/A" % NAME, {"tll": 5}, 422, "tll", "unknown", None, "ttl"),
}


@pytest.mark.parametrize("case", CASES)
def test_rest(gtm, case):
    method, path, spec, status, *where = CASES[case]
    r = gtm.api(method, path, {"spec": spec} if spec is not None else {})
    refused(r, status, *where)


def test_every_problem_is_told_at_once(gtm):
    r = gtm.api("PUT", "pools/n", {"spec": {"type": "ipv5", "strategy": 7, "addresses": [{"weight": -1}], "x": 1}})
    assert {e["pointer"] for e in r.body["errors"]} >= {"type", "strategy", "addresses[0].address", "addresses[0].weight", "x"}


@pytest.mark.parametrize("body, where", [
    ('{"spec": {"type": "ipv4",}}', "line 1,"), ("{", "line 1,"), ("", ""), ("[]", ""), ('"text"', ""), ("nul", "line 1,"),
    ('{"spec": {"type": "ipv4"}}\n trailing', "line 2,"), ("\0", ""), (b"\xff\xfe{}", "")])
def test_broken_json(gtm, body, where):
    r = gtm.api("PUT", "pools/n", body, headers={"Content-Type": "application/json"})
    refused(r, 400)
    if where:
        assert where in json.dumps(r.body["errors"]), r.body


def test_duplicate_key_in_json(gtm):
    r = gtm.api("PUT", "pools/n", '{"spec": {"type": "ipv4", "enabled": true, "enabled": false}}')
    refused(r, 400, detail="enabled")


def test_body_too_large(gtm):
    r = gtm.api("PUT", "pools/n", json.dumps({"spec": {"type": "ipv4", "remark": "x" * (1 << 20)}}))
    refused(r, 413)


def test_wrong_content_type(gtm):
    r = gtm.api("PUT", "pools/n", "{}", headers={"Content-Type": "text/plain"})
    refused(r, 415, allowed="application/json")


def test_name_and_kind_must_agree_with_the_url(gtm):
    refused(gtm.api("PUT", "pools/n", {"kind": "address", "spec": {"type": "ipv4"}}), 422, "kind")
    refused(gtm.api("PUT", "pools/n", {"name": "m", "spec": {"type": "ipv4"}}), 422, "name")


@pytest.mark.parametrize("body, pointer", [
    ({"scenario": "best"}, "scenario"), ({"sites": []}, "sites"), ({"ttl": 0}, "ttl"), ({"name": "www.example.org"}, "name"),
    ({"check": {"protocol": "tcp", "port": 0}}, "check.port"), ({"check": {"protocol": "smtp", "port": 1}}, "check.protocol"),
    ({"sites": [{"name": "s", "addresses": ["203.0.113.1"], "weight": 65536}]}, "sites[0].weight"),
    ({"sites": [{"name": "s", "addresses": ["2001:db8::1"]}]}, "sites[0].addresses[0]"), ({"colour": "red"}, "colour")])
def test_scenario(gtm, body, pointer):
    whole = dict({"scenario": "multi_active", "name": "n.cloud-example.com", "type": "A", "check": {"protocol": "tcp", "port": 80},
                  "sites": [{"name": "s1", "addresses": ["203.0.113.1"]}, {"name": "s2", "addresses": ["203.0.113.2"]}]}, **body)
    refused(gtm.api("POST", "domains:from-scenario", whole), 422, pointer)


ZONES = {
    "syntax": (zone_text(more="broken IN A not-an-address"), 11),
    "unknown type": (zone_text(more="broken IN NOSUCH x"), 11),
    "outside": (zone_text(more="www.example.org. IN A 192.0.2.1"), 11),
    "cname beside others": (zone_text(more="www IN CNAME elsewhere"), 11),
    "no soa": ("$TTL 60\n@ IN NS ns1\n", None),
    "two soa": (zone_text(more="@ IN SOA ns2 hostmaster 1 2 3 4 5"), 3),
    "unfinished": (zone_text(more='x IN TXT ( "a"'), None),
    "empty": ("", None),
}


@pytest.mark.parametrize("case", ZONES)
@pytest.mark.parametrize("zone", ["cloud-example.com", "new.test"])
def test_zone_file(gtm, case, zone):
    text, line = ZONES[case]
    text = text.replace("cloud-example.com", zone)
    r = gtm.api("PUT", "zones/%s/file" % zone, text, headers={"Content-Type": "text/dns"})
    refused(r, 422)
    if line is not None:
        assert any("line %d" % line in e["pointer"] for e in r.body["errors"]), r.body
    if zone == "new.test":
        assert gtm.get("zones/new.test").status == 404


@pytest.mark.parametrize("owner, rdtype, body", [
    ("x", "A", {"ttl": 60, "records": ["not-an-address"]}), ("x", "A", {"ttl": -1, "records": ["192.0.2.1"]}),
    ("x", "A", {"ttl": 60, "records": []}), ("www", "CNAME", {"ttl": 60, "records": ["x"]}),
    ("x", "NOSUCH", {"ttl": 60, "records": ["x"]}), ("www.example.org.", "A", {"ttl": 60, "records": ["192.0.2.1"]}),
    ("@", "SOA", {"ttl": 60, "records": ["broken"]}), ("x", "A", {"ttl": 60, "records": ["192.0.2.1"], "tll": 5})])
def test_rrset(gtm, owner, rdtype, body):
    refused(gtm.api("PUT", "zones/cloud-example.com/rrsets/%s/%s" % (url(owner), rdtype), body), 422)


def test_soa_and_ns_of_the_apex_stay(gtm):
    for rdtype in ("SOA", "NS"):
        assert gtm.api("DELETE", "zones/cloud-example.com/rrsets/@/" + rdtype).status in (409, 422)


@pytest.mark.parametrize("path", ["pools/%ff", "pools/", "pools/a%2Fb", "pools/a%00b", "zones/..", "domains/x", "domains/x/A/y"])
def test_strange_urls(gtm, path):
    assert gtm.api("PUT", path, {"spec": {"type": "ipv4"}}).status in (400, 404, 405, 422)


def test_raw_bytes_at_the_api(gtm):
    for garbage in (b"\0" * 100, b"GET\r\n\r\n", b"PUT /api/v1/pools/n HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
                    b"GET / HTTP/9.9\r\n\r\n", b"A" * 70000):
        with socket.create_connection((gtm.ip, API_PORT), timeout=0.5) as s, contextlib.suppress(OSError):
            s.sendall(garbage)
            s.shutdown(socket.SHUT_WR)
            s.recv(4096)
    assert gtm.get("pools").status == 200


# ---- gtmctl: the same, at file and line ----

YAML = """kind: address
name: one
spec:
  type: ipv4
  value: 203.0.113.77
---
kind: pool
name: yaml
spec:
  type: ipv4
  strategy: weight
  addresses:
    - address: one
      weight: 5
"""
YAML_CASES = {
    "weight": (("weight: 5", "weight: 65536"), 14, "addresses[0].weight", "0..65535"),
    "unknown field": (("strategy:", "stratgy:"), 11, "stratgy", ""),
    "wrong type": (("strategy: weight", "enabled: 5"), 11, "enabled", ""),
    "missing reference": (("- address: one", "- address: nobody"), 13, "addresses[0].address", "nobody"),
    "ipv6 value": (("203.0.113.77", "2001:db8::5"), 5, "value", "IPv4"),
    "unknown kind": (("kind: pool", "kind: pond"), 7, "kind", "pool"),
    "name too long": (("name: yaml", "name: " + LONG), 8, "name", "64"),
    "broken yaml": (("addresses:\n", "addresses: [\n"), None, "", ""),
    "tab": (("  strategy", "\tstrategy"), 11, "", ""),
    "duplicate key": (("strategy: weight", "type: ipv4"), 11, "type", ""),
}


@pytest.mark.parametrize("case", YAML_CASES)
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_apply(gtm, tmp_path, case, dry):
    (old, new), line, field, more = YAML_CASES[case]
    assert old in YAML
    path = tmp_path / "bad.yaml"
    path.write_text(YAML.replace(old, new))
    r = gtm.ctl("apply", "-f", str(path), *dry)
    assert r.returncode == 1 and not r.stdout, r
    assert (str(path) if line is None else "%s:%d:" % (path, line)) in r.stderr, r.stderr
    assert field in r.stderr and more in r.stderr, r.stderr


def test_apply_of_what_is_not_there(gtm):
    r = gtm.ctl("apply", "-f", "/nonexistent.yaml")
    assert r.returncode == 1 and "/nonexistent.yaml" in r.stderr
    r = gtm.ctl("apply", "-f", "-", stdin="")
    assert r.returncode == 1


def test_import_of_a_broken_zone_file(gtm, tmp_path):
    path = tmp_path / "bad.zone"
    text, line = ZONES["syntax"]
    path.write_text(text)
    r = gtm.ctl("zone", "import", "cloud-example.com", str(path))
    assert r.returncode == 1 and "%s:%d:" % (path, line) in r.stderr, r.stderr


# ---- gtmd: command line and configuration file ----

def run(*args, user=None):
    return subprocess.run([GTMD, *map(str, args)], capture_output=True, text=True, timeout=20 * SLOW, user=user,
                          env=dict(os.environ, LC_ALL="C"))


@pytest.fixture
def there(tmp_path):
    """Arguments that would work."""
    ip = loopback()
    return {"--data-dir": tmp_path / "data", "--dns": "%s:%d" % (ip, DNS_PORT), "--api": "%s:%d" % (ip, API_PORT)}


def flat(options):
    return [str(x) for pair in options.items() for x in pair]


@pytest.mark.parametrize("args, word", [
    (["--colour"], "--colour"), (["-x"], "-x"), (["extra"], "extra"), (["--data-dir"], "--data-dir"),
    (["--workers", "0"], "--workers"), (["--workers", "many"], "--workers")])
def test_command_line(args, word):
    r = run(*args)
    assert r.returncode == 2 and word in r.stderr and "usage" in r.stderr.lower(), r


@pytest.mark.parametrize("option, value", [("--dns", "nonsense"), ("--dns", "127.0.0.1:99999"), ("--api", "300.0.0.1:80")])
def test_bad_addresses(there, option, value):
    r = run(*flat(dict(there, **{option: value})))
    assert r.returncode in (2, 78) and value in r.stderr, r


CONFIGS = {
    "unknown member": ("dns:\n  listen: [127.0.0.1:5300]\n  wokers: 2\n", 3, "wokers"),
    "wrong type": ("dns:\n  workers: many\n", 2, "workers"),
    "out of range": ("log_level: info\ndns:\n  workers: 65\n", 3, "1..64"),
    "unknown word": ("log_level: loud\n", 1, "loud"),
    "address": ("api:\n  listen: nowhere\n", 2, "nowhere"),
    "broken yaml": ("dns: [\n", None, ""),
    "list": ("- a\n- b\n", None, ""),
}


@pytest.mark.parametrize("case", CONFIGS)
@pytest.mark.parametrize("check", [["--check-config"], []])
def test_configuration_file(tmp_path, case, check):
    text, line, word = CONFIGS[case]
    path = tmp_path / "gtm.yaml"
    path.write_text(text)
    r = run("-c", path, *check)
    assert r.returncode == 78, r
    assert (str(path) if line is None else "%s:%d" % (path, line)) in r.stderr and word in r.stderr, r.stderr


def test_missing_configuration_file():
    r = run("-c", "/nonexistent.yaml")
    assert r.returncode == 78 and "/nonexistent.yaml" in r.stderr


def test_good_configuration_file(world, tmp_path):
    ip = loopback()
    path = tmp_path / "gtm.yaml"
    path.write_text("data_dir: %s\ndns:\n  listen:\n    - %s:%d\n  workers: 2\n  tcp_idle: 5s\napi:\n  listen: %s:%d\n" % (
        tmp_path / "dir", ip, DNS_PORT, ip, API_PORT))
    r = run("-c", path, "--check-config")
    assert r.returncode == 0, r
    assert not (tmp_path / "dir").exists(), "a check makes nothing"
    g = world.gtm(start=False, args=["-c", str(path)])
    g.start()
    # SIGHUP with a broken file: the old configuration stays.
    path.write_text("dns:\n  wokers: 2\n")
    g.process.send_signal(signal.SIGHUP)
    eventually(lambda: "%s:2" % path in g.log())
    assert g.get("/readyz").status == 200


def test_version_and_help():
    assert run("--version").returncode == 0 and run("--help").returncode == 0
    assert "gtmd" in run("--help").stdout and run("--version").stdout.strip()


def busy(address, kind):
    s = socket.socket(socket.AF_INET, kind)
    s.bind(address)
    if kind == socket.SOCK_STREAM:
        s.listen()
    return s


@pytest.mark.parametrize("option, kind", [("--dns", socket.SOCK_DGRAM), ("--dns", socket.SOCK_STREAM), ("--api", socket.SOCK_STREAM)])
def test_port_in_use(there, option, kind):
    ip, port = there[option].split(":")
    with busy((ip, int(port)), kind):
        r = run(*flat(there))
    assert r.returncode in (1, 78), r
    assert there[option] in r.stderr and "in use" in r.stderr, r.stderr


def test_port_of_another_gtmd(gtm, there):
    r = run(*flat(dict(there, **{"--dns": "%s:%d" % gtm.dns})))
    assert r.returncode in (1, 78) and "%s:%d" % gtm.dns in r.stderr and "in use" in r.stderr, r


def test_data_directory_of_another_gtmd(gtm, there):
    r = run(*flat(dict(there, **{"--data-dir": gtm.dir})))
    assert r.returncode in (1, 78) and gtm.dir in r.stderr, r
    assert gtm.api("GET", "pools", unix=True).status == 200, "its socket is still its own"


def test_data_directory_is_a_file(there, tmp_path):
    path = tmp_path / "file"
    path.write_text("mine")
    r = run(*flat(dict(there, **{"--data-dir": path})))
    assert r.returncode in (1, 78) and str(path) in r.stderr, r
    assert path.read_text() == "mine"


def test_data_directory_not_writable(there, tmp_path):
    path = tmp_path / "locked"
    path.mkdir()
    path.chmod(0o555)
    user = None
    if os.geteuid() == 0:
        user = 65534
        for p in tmp_path.parents:  # the way down to it, and to gtmd, must be open
            if os.stat(p).st_mode & 0o005 != 0o005 and "pytest" in str(p):
                p.chmod(0o755)
        with contextlib.suppress(subprocess.SubprocessError, OSError):
            if subprocess.run([GTMD, "--version"], user=user, capture_output=True).returncode != 0:
                pytest.skip("another user cannot run gtmd here")
    try:
        r = run(*flat(dict(there, **{"--data-dir": path})), user=user)
    except PermissionError:
        pytest.skip("another user cannot run gtmd here")
    assert r.returncode in (1, 78) and str(path) in r.stderr and "denied" in r.stderr, r
    assert os.listdir(path) == []


def test_database_of_a_newer_version(world):
    g = world.gtm()
    g.put("templates/t", {"protocol": "tcp"})
    assert g.stop() == 0
    db = [os.path.join(g.dir, f) for f in os.listdir(g.dir) if f.endswith(".db") or "sqlite" in f]
    assert len(db) == 1, os.listdir(g.dir)
    with contextlib.closing(sqlite3.connect(db[0])) as c:
        version = c.execute("PRAGMA user_version").fetchone()[0]
        tables = [r[0] for r in c.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        newer(c, version, tables)
    before = open(db[0], "rb").read()
    r = subprocess.run(g.command(), capture_output=True, text=True, timeout=20 * SLOW)
    assert r.returncode == 78, r
    assert db[0] in r.stderr and "newer" in r.stderr, r.stderr
    assert open(db[0], "rb").read() == before, "nothing changed"
    with contextlib.closing(sqlite3.connect(db[0])) as c:
        newer(c, version - 1, tables)
    g.start()
    assert g.spec("templates/t")["protocol"] == "tcp"


def newer(c, version, tables):
    """Make the database one migration newer than `version`."""
    c.execute("PRAGMA user_version = %d" % (version + 1))
    c.commit()
