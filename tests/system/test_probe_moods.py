# SPDX-License-Identifier: GPL-3.0-or-later
"""Thousands of targets with random behaviour: every verdict is the known truth, and there is no edge beside it.

GTM_MOODY_TARGETS and GTM_MOODY_SECONDS make it longer; `./dev asan` and `./dev tsan` do.
"""
import collections
import mmap
import os
import random
import subprocess
import time

import pytest

from gtm import GTMD, SLOW, eventually, favour
from test_probes import certificate

TARGETS = int(os.environ.get("GTM_MOODY_TARGETS", 1000))
SECONDS = float(os.environ.get("GTM_MOODY_SECONDS", 10))
MOODY = os.path.join(os.path.dirname(GTMD), "tests", "moody", "moody")
PORT, PORT2 = 7490, 7491  # and HTTPS, gRPC at the next two

GOOD, SLOW_ONE, FLAP, WRONG, HANG, RESET, CLOSE, GARBAGE, EXPIRED, SELF_SIGNED, MISNAMED = range(11)
FINE = {GOOD, SLOW_ONE, FLAP}
ALL = (GOOD, GOOD, SLOW_ONE, FLAP, WRONG, HANG, RESET, CLOSE, GARBAGE)
# Half as often under sanitizers, or this machine may be what is slow.
RHYTHM = dict({"interval": "4s", "timeout": "3s"} if SLOW <= 1 else {"interval": "8s", "timeout": "6s"}, recheck="200ms", fall=2, rise=1)
CERTIFICATES = {EXPIRED: "tls_cert", SELF_SIGNED: "tls_cert", MISNAMED: "tls_cert"}
HTTP = {WRONG: "http_status", HANG: "http_timeout", RESET: "l4_reset", CLOSE: "http_closed", GARBAGE: "http_bad"}
RUDE = {HANG: "tls_timeout", RESET: "l4_reset", CLOSE: "tls_handshake", GARBAGE: "tls_handshake"}
NAME = "moody.example"

# By the last digit of a target's number: template, port, which moods it has, and what they are called.
KINDS = {
    "web": (PORT, ALL, HTTP),
    "web2": (PORT2, ALL, HTTP),  # the port that as a whole listens or refuses
    "talk": (PORT, ALL, {WRONG: "tcp_expect", HANG: "tcp_timeout", RESET: "l4_reset", CLOSE: "tcp_expect", GARBAGE: "tcp_expect"}),
    "secure": (PORT + 2, ALL + tuple(CERTIFICATES), {**RUDE, **CERTIFICATES, WRONG: "http_status"}),
    "tls": (PORT + 2, (GOOD, GOOD, GOOD, HANG, RESET, CLOSE, GARBAGE) + tuple(CERTIFICATES), {**RUDE, **CERTIFICATES}),
    "rpc": (PORT + 3, ALL, {WRONG: "grpc_health", HANG: "grpc_timeout", RESET: "l4_reset", CLOSE: "grpc_bad", GARBAGE: "grpc_bad"}),
}
OF = ["web", "web", "web", "talk", "talk", "secure", "tls", "rpc", "rpc", "web2"]


def templates(ca):
    tls = {"ca": ca, "sni": NAME}
    return {"web": {"protocol": "http"}, "web2": {"protocol": "http"},
            "talk": {"protocol": "tcp", "talk": {"send": "GET / HTTP/1.0\\r\\n\\r\\n", "expect": "200 OK"}},
            "secure": {"protocol": "https", "tls": tls, "http": {"host": NAME}}, "tls": {"protocol": "tls", "tls": tls},
            "rpc": {"protocol": "grpc"}}


def certificates(directory):
    """What moody shows, made in `directory`; the CA's text."""
    directory.mkdir()
    ca = certificate(directory, "ca", "ca.example")
    for stem, name, days, issuer in (("good", NAME, 30, "ca"), ("expired", NAME, -1, "ca"), ("wrong", "elsewhere.example", 30, "ca"),
                                     ("self", NAME, 30, None)):
        certificate(directory, stem, name, days, ca=issuer)
    return ca.read_text()


class Moods:
    def __init__(self, world, n, certs):
        path = world.directory / "moods"
        path.write_bytes(bytes(65536))
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 65536)
        self.process = subprocess.Popen([MOODY, path, str(PORT), str(PORT2), certs], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        start_new_session=True)
        world.finally_(self.stop)
        assert self.process.stdout.readline() == b"ready\n"
        self.n = n
        self.moods = [GOOD] * n
        self.listens = True
        self.show()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def refuses(self, i):
        return OF[i % 10] == "web2" and not self.listens

    def address(self, i):
        return "127.66.%d.%d" % (i // 250, i % 250 + 1), KINDS[OF[i % 10]][0]

    def show(self):
        for i, mood in enumerate(self.moods):
            self.map[i // 250 * 256 + i % 250 + 1] = mood
        self.map[65535] = self.listens

    def shuffle(self, seed):
        r = random.Random(seed)
        self.listens = r.random() < 0.5
        self.moods = [r.choice(KINDS[OF[i % 10]][1]) if r.random() < 0.5 else mood for i, mood in enumerate(self.moods)]
        self.show()

    def truth(self, i):
        return "ok" if self.moods[i] in FINE and not self.refuses(i) else "exceptional"


def healths(gtm):
    items, cursor = [], ""
    while True:
        page = gtm.must("GET", "addresses?limit=1000" + cursor)
        items += page["items"]
        if not page.get("next"):
            return {int(o["name"][1:]): o["status"].get("health") for o in items}
        cursor = "&cursor=" + page["next"]


def edges(gtm, since):
    """Counter of (address, kind) after event `since`, and the last event's number."""
    seen = collections.Counter()
    while True:
        page = gtm.must("GET", "events?limit=1000&since=%d" % since)["items"]
        for e in page:
            if e["kind"].startswith("address."):
                seen[int(e["object"]["name"][1:]), e["kind"]] += 1
        if not page:
            return seen, since
        since = max(e["id"] for e in page)


def metric(gtm, name):
    return float(next(line for line in gtm.must("GET", "/metrics").splitlines() if line.startswith(name + " ")).split()[1])


@pytest.mark.skipif(os.geteuid() != 0, reason="binding to a device takes root")
@pytest.mark.skipif(not os.path.exists(MOODY), reason="not built here")
def test_every_verdict_is_the_truth(world, gtm):
    ca = certificates(world.directory / "certs")
    moods = Moods(world, TARGETS, world.directory / "certs")
    pid = gtm.pid("engine")
    # What is looked at is verdicts, not what else this machine has to do.
    favour(pid)
    favour(moods.process.pid)
    idle = len(os.listdir("/proc/%d/fd" % pid))
    for name, spec in templates(ca).items():
        gtm.put("templates/" + name, dict(RHYTHM, **spec))
    objects = [{"kind": "address", "name": "a%d" % i, "spec": {"type": "ipv4", "value": moods.address(i)[0], "checks": [
        {"template": OF[i % 10], "port": moods.address(i)[1]}]}} for i in range(TARGETS)]
    for at in range(0, TARGETS, 1000):
        assert gtm.api("POST", "config:apply", {"objects": objects[at:at + 1000]}).status == 200
    # Not all the time: who asks for everybody takes the CPU of who answers.
    eventually(lambda: set(healths(gtm).values()) == {"ok"}, 30, every=0.5)

    began, rounds, since = time.monotonic(), 0, edges(gtm, 0)[1]
    while rounds < 1 or time.monotonic() - began < SECONDS:
        rounds += 1
        before = [moods.truth(i) for i in range(TARGETS)]
        moods.shuffle(rounds)
        truth = {i: moods.truth(i) for i in range(TARGETS)}
        wrong = None

        def agrees():
            nonlocal wrong
            now = healths(gtm)
            wrong = {i: (now[i], moods.moods[i]) for i in truth if now[i] != truth[i]}
            return not wrong
        try:
            eventually(agrees, 40, every=0.5)
        except AssertionError:
            raise AssertionError("round %d: health and mood of those that are wrong: %s" % (rounds, wrong))
        # Those that changed did so once; the others, flapping ones among them, not at all.
        expected = collections.Counter(
            (i, "address.down" if truth[i] != "ok" else "address.up") for i in truth if truth[i] != before[i])
        seen, last = edges(gtm, since)
        eventually(lambda: sum(edges(gtm, since)[0].values()) >= sum(expected.values()), 10)
        seen, since = edges(gtm, since)
        assert seen == expected, ([(e, moods.moods[e[0]]) for e in seen - expected], expected - seen)
    print("%d targets, %d rounds in %.0f s" % (TARGETS, rounds, time.monotonic() - began))

    # The cause is that of the mood, too.
    for kind, (_, _, causes) in KINDS.items():
        for mood, cause in causes.items():
            for i in [i for i in range(TARGETS) if OF[i % 10] == kind and moods.moods[i] == mood and not moods.refuses(i)][:3]:
                seen = gtm.must("GET", "addresses/a%d/health" % i)["checks"][0]["observations"]
                assert seen[0]["cause"] == cause, (kind, mood, seen)

    # Nothing is left of checks that are deleted, not even of those in flight.
    with_http = gtm.connect(False)[0]
    for i in range(TARGETS):
        assert gtm.api("DELETE", "addresses/a%d" % i, keep=with_http).status == 204
    with_http.close()
    eventually(lambda: metric(gtm, "gtm_checks") == 0 and metric(gtm, "gtm_probe_connections") == 0, 10)
    eventually(lambda: len(os.listdir("/proc/%d/fd" % pid)) <= idle + 1, 10)
    assert gtm.pid("engine") == pid
    assert SLOW >= 1
