# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine's prober may and may not: heartbeats, scripts, kept connections, sources, caps, and few descriptors."""
import hashlib
import hmac
import http.server
import os
import selectors
import socket
import subprocess
import threading
import time

import pytest

from gtm import FAST, eventually, loopback

SECRET = "correct horse battery staple"


def configured(world, text, prefix=()):
    """A gtmd with this configuration file, not yet started."""
    path = world.directory / "gtmd.yaml"
    path.write_text(text)
    gtm = world.gtm(start=False, args=("--config", str(path)))
    plain = gtm.command
    gtm.command = lambda: list(prefix) + plain()
    return gtm


def address(gtm, name, ip, port, template="t"):
    gtm.put("addresses/" + name, {"type": "ipv4", "value": ip, "checks": [{"template": template, "port": port}]})


def observations(gtm, name):
    return gtm.must("GET", "addresses/%s/health" % name)["checks"][0]["observations"]


def metric(gtm, name):
    return float(next(line for line in gtm.must("GET", "/metrics").splitlines() if line.startswith(name + " ")).split()[1])


# -- trying a template --

def test_try(world, gtm):
    a = world.backend()
    gtm.put("templates/web", {"protocol": "http"})
    tried = gtm.must("POST", "templates/web:try", {"target": a.ip, "port": a.port})
    assert tried["passed"] is True and tried["total"] >= tried["first_byte"] >= tried["connect"] > 0, tried
    assert tried["resolve"] is None and tried["tls"] is None
    shown = gtm.ctl("probe", "try", "web", "%s:%d" % (a.ip, a.port))
    assert shown.returncode == 0 and shown.stdout.startswith("passed"), shown
    assert "first_byte" in shown.stdout and "resolve " in shown.stdout, shown.stdout

    a.status = 503
    tried = gtm.must("POST", "templates/web:try", {"target": a.ip, "port": a.port})
    assert (tried["passed"], tried["cause"], tried["text"]) == (False, "http_status", "status 503")
    a.refuse()
    shown = gtm.ctl("probe", "try", "web", "%s:%d" % (a.ip, a.port))
    assert shown.returncode == 1 and "l4_refused" in shown.stdout, shown
    assert a.requests and b"Host: %s:%d\r\n" % (a.ip.encode(), a.port) in a.requests[0]


@pytest.mark.parametrize("path,body,status", [
    ("templates/none:try", {"target": "127.0.0.1", "port": 80}, 404),
    ("templates/web:try", {"target": "localhost", "port": 80}, 422),
    ("templates/web:try", {"target": "127.0.0.1", "port": 65536}, 422),
    ("templates/web:try", {"target": "127.0.0.1", "prt": 80}, 422),
])
def test_try_refuses(gtm, path, body, status):
    gtm.put("templates/web", {"protocol": "http"})
    assert gtm.api("POST", path, body).status == status


def test_a_try_that_takes_its_time(world, gtm):
    a = world.backend()
    a.mute = True
    gtm.put("templates/web", {"protocol": "http", "interval": "10s", "timeout": "1500ms"})
    tried = gtm.must("POST", "templates/web:try", {"target": a.ip, "port": a.port})
    assert (tried["passed"], tried["cause"]) == (False, "http_timeout") and tried["total"] >= 1500, tried


def test_detection_is_told(gtm):
    gtm.put("templates/t", {"protocol": "tcp", "interval": "5s", "timeout": "2s", "recheck": "200ms", "fall": 3})
    assert gtm.status("templates/t")["detection"] == {"worst": "11s", "typical": "2900ms"}
    assert "2900ms, at worst 11s" in gtm.ctl("get", "templates", "-o", "wide").stdout
    assert "at worst 11s" in gtm.ctl("describe", "template", "t").stdout


# -- heartbeats --

def heartbeat(gtm, name, duration, at=None, secret=SECRET, **changed):
    at = at or int(time.time() * 1000)
    key = hmac.new(secret.encode(), b"beat\n" + name.encode(), hashlib.sha256).hexdigest()
    signature = hmac.new(key.encode(), ("%d\n%s" % (at, duration)).encode(), hashlib.sha256).hexdigest()
    body = dict({"template": "beat", "at": at, "for": duration, "signature": signature}, **changed)
    return gtm.api("POST", "addresses/%s:heartbeat" % name, body, token=False)


def test_heartbeats(gtm):
    gtm.put("templates/beat", {"protocol": "push", "interval": "1m", "push": {"secret": SECRET}})
    assert "secret" not in gtm.spec("templates/beat")["push"]
    for name in "ab":
        address(gtm, name, loopback(), 1, "beat")
    at = int(time.time() * 1000)
    assert heartbeat(gtm, "a", "1h", at).status == 200
    gtm.until_health("addresses/a", "ok")
    assert heartbeat(gtm, "a", "1h", at).status == 409, "a replay"

    # Nobody else, nothing else, not at another time.
    assert heartbeat(gtm, "b", "1h", secret="guessed guessed guessed").status == 403
    taken = heartbeat(gtm, "b", "1h", signature="0" * 64)
    assert taken.status == 403 and "signature" in str(taken.body)
    assert heartbeat(gtm, "b", "1h", template="none").status == 403
    assert heartbeat(gtm, "none", "1h").status == 404
    assert heartbeat(gtm, "b", "1h", int(time.time() * 1000) - 600000).status == 403
    assert heartbeat(gtm, "b", "1 hour").status == 422
    assert gtm.status("addresses/b")["health"] == "unknown"

    # What was promised outlives the engine; what ends, ends.
    gtm.kill("engine")
    gtm.wait_ready()
    gtm.until_health("addresses/a", "ok")
    assert eventually(lambda: heartbeat(gtm, "a", "300ms").status == 200)
    gtm.until_health("addresses/a", "exceptional")
    assert observations(gtm, "a")[0]["cause"] == "push_expired"
    eventually(lambda: any(e["kind"] == "address.down" and "push_expired" in e["text"]
                           for e in gtm.must("GET", "events")["items"]))


# -- scripts --

def test_scripts_only_where_allowed(world, gtm):
    gtm.put("templates/t", dict(FAST, protocol="script", script={"command": "check"}))
    address(gtm, "a", loopback(), 80)
    eventually(lambda: gtm.get("events?kind=probe.resources").body["items"])
    assert gtm.status("addresses/a")["health"] == "unknown"
    assert "probe.scripts" in gtm.log()
    tried = gtm.must("POST", "templates/t:try", {"target": "127.0.0.1"})
    assert tried["passed"] is None and "probe.scripts" in tried["text"]


def test_scripts(world):
    scripts, flag = world.directory / "scripts", world.directory / "flag"
    scripts.mkdir(mode=0o755)
    os.chmod(world.directory, 0o755)
    os.chmod(scripts, 0o755)
    check = scripts / "check"
    check.write_text("#!/bin/sh\necho \"asked of $1 port $2\"\n[ -e \"$3\" ] && exit 3\nexit 0\n")
    check.chmod(0o755)
    gtm = configured(world, "probe:\n  scripts: %s\n" % scripts).start()
    for parent in [world.directory] + list(world.directory.parents)[:-2]:
        os.chmod(parent, os.stat(parent).st_mode | 0o055)
    gtm.put("templates/t", dict(FAST, protocol="script", interval="500ms", timeout="450ms", script={
        "command": "check", "args": ["{address}", "{port}", str(flag)]}))
    ip = loopback()
    address(gtm, "a", ip, 81)
    gtm.until_health("addresses/a", "ok")
    tried = gtm.must("POST", "templates/t:try", {"target": ip, "port": 81})
    assert tried["output"] == "asked of %s port 81\n" % ip
    flag.write_text("")
    gtm.until_health("addresses/a", "exceptional")
    seen = observations(gtm, "a")[0]
    assert (seen["cause"], seen["text"]) == ("script_exit", "status 3")


# -- kept connections, sources --

class Keeping(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.connections.append(self.client_address[0])

    def do_GET(self):
        self.server.asked += 1
        self.send_response(self.server.status)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")
        if self.server.asked % self.server.ends_after == 0:
            self.close_connection = True  # without a word, as servers do when their patience ends

    def log_message(self, *unused):
        pass


def keeping(world, ends_after):
    server = http.server.ThreadingHTTPServer((loopback(), 0), Keeping)
    server.handle_error = lambda *unused: None  # probes end by a reset
    server.daemon_threads, server.ends_after = True, ends_after
    server.connections, server.asked, server.status = [], 0, 200
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    world.finally_(server.server_close)
    world.finally_(server.shutdown)
    return server


@pytest.mark.parametrize("body", ["", "^hello$"])
def test_a_connection_is_kept(world, gtm, body):
    a = keeping(world, 1000000)
    gtm.put("templates/t", dict(FAST, protocol="http", interval="200ms", timeout="150ms", fall=5,
                                http={"reuse": True, "expect_body": body}))
    address(gtm, "a", *a.server_address)
    eventually(lambda: a.asked >= 21, 20)
    # At most every tenth on a new one, but for probes that failed (on a busy machine).
    failed = sum(not o["passed"] for o in observations(gtm, "a"))
    assert 2 <= len(a.connections) <= 4 + 2 * failed, a.connections
    kept = [o for o in observations(gtm, "a") if o["passed"] and o["connect"] is None]
    assert len(kept) >= 8 - failed, observations(gtm, "a")
    a.status = 500  # over the kept connection or a new one
    gtm.until_health("addresses/a", "exceptional")


def test_a_connection_that_they_close_is_no_failure(world, gtm):
    a = keeping(world, 2)
    gtm.put("templates/t", dict(FAST, protocol="http", interval="300ms", timeout="250ms", fall=5, http={"reuse": True}))
    address(gtm, "a", *a.server_address)
    eventually(lambda: a.asked >= 12, 20)
    assert len(a.connections) >= 5
    causes = {o["cause"] for o in observations(gtm, "a")}
    assert causes <= {"", "l4_timeout", "http_timeout"}, causes
    assert gtm.status("addresses/a")["health"] == "ok"


def test_who_dies_tells_by_closing(world, gtm):
    """The next probe would come in a minute; the kept connection ends now."""
    a = world.backend(kind="kept")
    gtm.put("templates/t", dict(FAST, protocol="http", interval="1m", timeout="5s", recheck="100ms", http={"reuse": True}))
    address(gtm, "a", a.ip, a.port)
    gtm.until_health("addresses/a", "ok")
    a.refuse()
    gtm.until_health("addresses/a", "exceptional")
    assert [o["cause"] for o in observations(gtm, "a")][:2] == ["l4_refused"] * 2


def test_who_loses_patience_is_not_asked_more_often(world, gtm):
    a = world.backend(kind="kept")
    gtm.put("templates/t", dict(FAST, protocol="http", interval="1m", timeout="5s", recheck="100ms", http={"reuse": True}))
    address(gtm, "a", a.ip, a.port)
    gtm.until_health("addresses/a", "ok")
    a.hang_up()
    eventually(lambda: len(a.requests) == 2 and len(observations(gtm, "a")) == 2)
    # Once is enough for the next ten intervals.
    assert metric(gtm, "gtm_probe_connections") == 1
    a.hang_up()
    eventually(lambda: metric(gtm, "gtm_probe_connections") == 0)
    assert len(a.connects) == 2
    assert gtm.status("addresses/a")["health"] == "ok"


def test_source(world):
    a = keeping(world, 1)
    mine, theirs = loopback(), loopback()
    gtm = configured(world, "probe:\n  source: [%s, '::1']\n" % mine).start()
    gtm.put("templates/t", dict(FAST, protocol="http"))
    gtm.put("templates/own", dict(FAST, protocol="http", source=[theirs]))
    gtm.put("templates/bad", dict(FAST, protocol="http", source=["192.0.2.1"]))
    address(gtm, "a", *a.server_address)
    eventually(lambda: a.connections and set(a.connections) == {mine})
    gtm.delete("addresses/a")
    address(gtm, "b", *a.server_address, template="own")
    eventually(lambda: theirs in a.connections)
    # An address that is not ours: we learn nothing, so nobody is down.
    tried = gtm.must("POST", "templates/bad:try", {"target": a.server_address[0], "port": a.server_address[1]})
    assert tried["passed"] is None, tried


@pytest.mark.parametrize("text,where", [
    ("source: [localhost]", "probe.source[0]"),
    ("source: [127.0.0.1, 127.0.0.2]", "probe.source[1]"),
    ("scripts: scripts", "probe.scripts"),
    ("scripts: /nowhere/at/all", "probe.scripts"),
    ("scripts: /tmp", "may be written by everybody"),
])
def test_bad_configuration(world, text, where):
    gtm = configured(world, "probe:\n  %s\n" % text)
    r = subprocess.run(gtm.command() + ["--check-config"], capture_output=True, text=True)
    assert r.returncode == 78 and where in r.stderr, r


# -- caps and want --

class Slow(threading.Thread):
    """An HTTP server on many addresses' one port that takes its time, in one thread."""

    def __init__(self, world, delay):
        super().__init__(daemon=True)
        self.delay, self.ends = delay, False
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        self.listener.bind(("0.0.0.0", 0))
        self.listener.listen(4096)
        self.port = self.listener.getsockname()[1]
        self.most = 0
        self.start()
        world.finally_(self.stop)

    def run(self):
        waiting, selector = [], selectors.DefaultSelector()
        selector.register(self.listener, selectors.EVENT_READ)
        while not self.ends:
            if selector.select(0.01):
                waiting.append((time.monotonic() + self.delay, self.listener.accept()[0]))
            self.most = max(self.most, len(waiting))
            while waiting and waiting[0][0] <= time.monotonic():
                s = waiting.pop(0)[1]
                try:
                    s.recv(4096, socket.MSG_DONTWAIT)
                    s.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                except OSError:
                    pass
                s.close()
        for _, s in waiting:
            s.close()

    def stop(self):
        self.ends = True
        self.join()
        self.listener.close()


def many(gtm, n, port, **template):
    objects = [{"kind": "template", "name": "t", "spec": dict({"protocol": "http"}, **template)}]
    objects += [{"kind": "address", "name": "a%d" % i, "spec": {
        "type": "ipv4", "value": "127.99.%d.%d" % (i // 250, i % 250 + 1), "checks": [{"template": "t", "port": port}]}}
        for i in range(n)]
    assert gtm.api("POST", "config:apply", {"objects": objects}).status == 200


def healths(gtm):
    return [o["status"].get("health") for o in gtm.must("GET", "addresses?limit=1000")["items"]]


def descriptors(gtm):
    return len(os.listdir("/proc/%d/fd" % gtm.pid("engine")))


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="binding to a device takes root")


@needs_root
@pytest.mark.parametrize("connections,starved", [(10000, True), (0, False)])
def test_few_descriptors_are_no_failure(world, connections, starved):
    """100 targets at once with 90 descriptors: forced into EMFILE, and with the cap that is the default."""
    slow = Slow(world, 0.5)
    gtm = configured(world, "probe:\n  connections: %d\n" % connections, ("prlimit", "--nofile=90:90")).start()
    many(gtm, 100, slow.port, interval="10s", timeout="9s", fall=1)
    eventually(lambda: healths(gtm) == ["ok"] * 100, 20)
    events = gtm.must("GET", "events?limit=1000")["items"]
    assert not [e for e in events if e["kind"] == "address.down"], events
    assert bool([e for e in events if e["kind"] == "probe.resources"]) == starved, events
    assert 10 < slow.most <= 90
    for i in range(100):
        gtm.delete("addresses/a%d" % i)
    eventually(lambda: descriptors(gtm) < 40)



@needs_root
def test_late_is_not_failed(world):
    slow = Slow(world, 0)
    gtm = configured(world, "probe:\n  rate: 20\n").start()
    # 1,000 go at once; a cap of 20 a second holds all others back.
    many(gtm, 1060, slow.port, protocol="tcp", interval="1m", timeout="500ms", fall=1)
    eventually(lambda: gtm.must("GET", "events?kind=probe.late")["items"], 20)
    events = gtm.must("GET", "events?limit=1000&kind=address.down")["items"]
    late = [e for e in events if "l4_timeout" not in e["text"]]
    assert not late, late
    text = gtm.must("GET", "/metrics")
    assert "gtm_probe_lag_seconds_bucket" in text and "gtm_probes_delayed_total" in text, text
