# SPDX-License-Identifier: GPL-3.0-or-later
"""gtmctl as people and scripts use it: verbs, output, exit codes."""
import json
import os
import queue
import subprocess
import threading

import pytest
import yaml

from gtm import GTMCTL, SLOW, Scene, eventually, loopback, zone_text

NAME = "www.cloud-example.com"


@pytest.fixture
def zone(gtm, tmp_path):
    path = tmp_path / "cloud-example.com.zone"
    path.write_text(zone_text())
    r = gtm.ctl("zone", "import", "cloud-example.com", str(path))
    assert r.returncode == 0, r
    return gtm


def ok(r):
    assert r.returncode == 0, r
    return r.stdout


def test_the_readme_way(world, zone):
    """Import, create, enable, look, kill, disable, delete: without a line of JSON."""
    gtm, sites = zone, [world.backend() for _ in range(2)]
    a, b = (s.ip for s in sites)
    ok(gtm.ctl("domain", "create", NAME, "A", "--scenario", "multi_active", "--site", "dc-a=%s:3" % a, "--site",
               "dc-b=%s:1" % b, "--check", "tcp:%d" % sites[0].port, "--interval", "200ms", "--timeout", "150ms",
               "--fall", "2", "--rise", "1", "--ttl", "30"))
    assert gtm.rdata(NAME) == ["192.0.2.80"]
    ok(gtm.ctl("domain", "enable", NAME, "A"))
    counts = gtm.draw(NAME, 400)
    assert abs(counts[(a,)] - 300) <= 6 and sum(counts.values()) == 400
    assert gtm.ask(NAME).answer[0].ttl == 30

    gtm.until_health("domains/%s/A" % NAME, "ok")
    table = ok(gtm.ctl("get", "domains"))
    assert NAME in table and "healthy" in table
    sites[0].refuse()
    gtm.until_health("pools/dc-a", "exceptional")
    assert "down" in ok(gtm.ctl("get", "pools"))
    text = ok(gtm.ctl("explain", NAME, "A"))
    assert b in text and "dc-a" in text
    described = ok(gtm.ctl("describe", "pool", "dc-a"))
    assert "exceptional" in described and "events" in described

    ok(gtm.ctl("domain", "disable", NAME, "A"))
    assert gtm.rdata(NAME) == ["192.0.2.80"]
    ok(gtm.ctl("delete", "domain", NAME, "A"))
    assert gtm.ctl("get", "domain", NAME, "A").returncode == 3


def test_create_in_every_form(zone):
    ok(zone.ctl("domain", "create", NAME, "AAAA", "--scenario", "active_standby", "--site", "a=2001:db8::1", "--site",
                "b=[2001:db8:1::1]:2", "--check", "http:80/healthz", "--enable"))
    spec = zone.spec("domains/%s/AAAA" % NAME)
    assert spec["strategy"] == "sequence" and [p["pool"] for p in spec["pools"]] == ["a", "b"]
    check = zone.spec("pools/a")["addresses"]
    address = zone.spec("addresses/" + check[0]["address"])
    assert address["value"] == "2001:db8::1"
    template = zone.spec("templates/" + address["checks"][0]["template"])
    assert (template["protocol"], template["http"]["path"]) == ("http", "/healthz")


def test_output_formats(world, zone):
    Scene(world, zone, {"dc-a": 2, "dc-b": 1}, zone=False).domain()
    whole = json.loads(ok(zone.ctl("get", "pool", "dc-a", "-o", "json")))
    assert whole["spec"] == zone.spec("pools/dc-a")
    assert yaml.safe_load(ok(zone.ctl("get", "pool", "dc-a", "-o", "yaml")))["spec"] == whole["spec"]
    assert [o["name"] for o in json.loads(ok(zone.ctl("get", "pools", "-o", "json")))] == ["dc-a", "dc-b"]
    assert ok(zone.ctl("-o", "name", "get", "pools")).split() == ["pool/dc-a", "pool/dc-b"]
    assert len(ok(zone.ctl("get", "addresses", "-o", "wide")).splitlines()) == 4
    for kind in ("zones", "templates", "addresses", "pools", "domains"):
        assert ok(zone.ctl("get", kind)).strip()
    assert "\033" not in ok(zone.ctl("get", "pools"))


def test_long_lists_are_whole(gtm):
    gtm.must("POST", "config:apply", {"objects": [
        {"kind": "address", "name": "a%03d" % i, "spec": {"type": "ipv4", "value": "10.0.0.%d" % (i % 250)}}
        for i in range(250)]})
    assert len(ok(gtm.ctl("get", "addresses", "-o", "name")).split()) == 250


YAML = """kind: template
name: web
spec:
  protocol: http
  interval: 1s
  timeout: 800ms
  http:
    host: www.cloud-example.com
    path: /healthz
    headers:
      X-From: "gtm: \\"probe\\""
---
kind: address
name: one
spec: {type: ipv4, value: 203.0.113.1, checks: [{template: web, port: 80}], labels: {env: "yes", n: "1"}}
---
kind: pool
name: both
spec:
  type: ipv4
  strategy: weight
  healthy_when: {at_least: 1}
  addresses:
    - {address: one, weight: 3}
    - address: two
---
# what it refers to may come later
kind: address
name: two
spec:
  type: ipv4
  value: 203.0.113.2
  remark: "caf\\u00e9: # not a comment"
---
kind: domain
name: www.cloud-example.com/A
spec:
  ttl: 20
  strategy: weight
  pools:
    - pool: both
"""


def test_apply_export_round_trip(zone, world):
    r = zone.ctl("apply", "-f", "-", "--dry-run", stdin=YAML)
    assert r.returncode == 0 and zone.get("pools/both").status == 404
    r = zone.ctl("apply", "-f", "-", stdin=YAML)
    assert "create pool both" in ok(r)
    assert zone.spec("templates/web")["http"]["headers"] == {"X-From": 'gtm: "probe"'}
    assert zone.spec("addresses/one")["labels"] == {"env": "yes", "n": "1"}
    assert zone.spec("addresses/two")["remark"] == "café: # not a comment"
    assert zone.spec("pools/both")["healthy_when"] == {"at_least": 1}

    first = ok(zone.ctl("export"))
    before = zone.config()
    again = zone.ctl("apply", "-f", "-", stdin=first)
    assert again.returncode == 0 and zone.config() == before, "applying what is there changes nothing"
    assert again.stdout == ""

    other = world.gtm()
    ok(other.ctl("apply", "-f", "-", stdin=first))
    assert ok(other.ctl("export")) == first, "byte for byte"


def test_apply_changes_what_differs(zone):
    ok(zone.ctl("apply", "-f", "-", stdin=YAML))
    out = ok(zone.ctl("apply", "-f", "-", stdin=YAML.replace("weight: 3", "weight: 4")))
    assert out.splitlines() == ["update pool both"]
    assert zone.spec("pools/both")["addresses"][0]["weight"] == 4


def test_zone_export_is_what_import_takes(zone):
    text = ok(zone.ctl("zone", "export", "cloud-example.com"))
    r = zone.ctl("zone", "import", "cloud-example.com", "-", stdin=text)
    assert r.returncode == 0
    assert ok(zone.ctl("zone", "export", "cloud-example.com")) == text


def test_exit_codes(world, zone):
    Scene(world, zone, {"dc-a": 1}, zone=False).domain()
    code = lambda *args, **kw: zone.ctl(*args, **kw).returncode  # noqa: E731
    assert code("get", "pools") == 0
    assert code() == 2 and code("gett", "pools") == 2 and code("get", "ponds") == 2
    assert code("get", "pools", "--colour") == 2 and code("apply") == 2 and code("get", "domain", NAME) == 2
    assert code("get", "pool", "none") == 3 and code("delete", "pool", "none") == 3
    assert code("domain", "enable", "none.cloud-example.com", "A") == 3
    r = zone.ctl("delete", "pool", "dc-a")
    assert r.returncode == 4 and "domain %s/A" % NAME in r.stderr and not r.stdout
    assert code("explain", NAME, "NOSUCH") == 1


def test_hints(gtm):
    assert "did you mean" in gtm.ctl("gett", "pools").stderr
    assert "did you mean" in gtm.ctl("get", "poools").stderr
    assert "Examples" in ok(gtm.ctl("help")) and "Examples" in ok(gtm.ctl("domain", "create", "--help"))


def test_over_tcp_with_a_token(gtm, tmp_path):
    server = "http://%s:%d" % gtm.api_addr
    run = lambda *args: subprocess.run([GTMCTL, *args], capture_output=True, text=True, timeout=20 * SLOW,  # noqa: E731
                                       env={k: v for k, v in os.environ.items() if not k.startswith("GTM_")})
    assert run("--server", server, "--token-file", os.path.join(gtm.dir, "admin.token"), "get", "pools").returncode == 0
    assert run("--server", server, "get", "pools").returncode == 5
    wrong = tmp_path / "token"
    wrong.write_text("0" * 64)
    assert run("--server", server, "--token-file", str(wrong), "get", "pools").returncode == 5
    assert run("--server", "http://%s:1" % loopback(), "get", "pools").returncode == 6
    assert run("--socket", str(tmp_path / "none.sock"), "get", "pools").returncode == 6


class Watch:
    """gtmctl events -w, line by line."""

    def __init__(self, gtm, *args):
        self.process = subprocess.Popen([GTMCTL, "--data-dir", gtm.dir, "events", "-w", *args], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self.thread = threading.Thread(target=lambda: [self.lines.put(x) for x in self.process.stdout], daemon=True)
        self.thread.start()

    def line(self, word, timeout=5.0):
        while True:
            text = self.lines.get(timeout=timeout * SLOW)
            if word in text:
                return text

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.thread.join(5)
        self.process.stdout.close()
        self.process.stderr.close()


def test_events(world, zone):
    s = Scene(world, zone, {"dc-a": 1, "dc-b": 1}, zone=False)
    s.domain()
    w = Watch(zone)
    world.finally_(w.stop)
    eventually(lambda: zone.put("templates/tick", {"protocol": "tcp", "remark": str(os.urandom(4).hex())}) and
               not w.lines.empty(), every=0.05)
    s.down("dc-a")
    assert "dc-a-1" in w.line("address.down")
    s.up("dc-a")
    assert "dc-a-1" in w.line("address.up")
    listed = ok(zone.ctl("events"))
    assert "address.down" in listed and "address.up" in listed
    only = ok(zone.ctl("events", "--kind", "address.down"))
    assert "address.down" in only and "address.up" not in only


def test_explain(world, zone):
    s = Scene(world, zone, {"dc-a": 1, "dc-b": 1}, zone=False)
    s.domain("weight", [3, 1])
    a, b = s.values["dc-a"][0], s.values["dc-b"][0]
    text = ok(zone.ctl("explain", NAME, "A", "--draws", "1000"))
    assert a in text and b in text and "75" in text
    what_if = json.loads(ok(zone.ctl("explain", NAME, "A", "--down", "dc-a-1", "-o", "json")))
    assert what_if["answer"]["rdata"] == [b]
    assert "NXDOMAIN" in ok(zone.ctl("explain", "none.cloud-example.com", "A"))


def test_version(gtm):
    assert "gtmctl" in ok(gtm.ctl("version"))


def test_apply_tells_every_object_that_is_wrong(zone):
    before = zone.config()
    r = zone.ctl("apply", "-f", "-", stdin="""\
kind: pool
name: p
spec: {type: ipv4, addresses: [{address: nowhere}]}
---
kind: domain
name: www.cloud-example.com/A
spec:
  pools:
    - {pool: p, wieght: 2}
""")
    assert r.returncode == 1 and zone.config() == before
    assert ":3: addresses[0].address" in r.stderr and ":9: pools[0].wieght" in r.stderr
