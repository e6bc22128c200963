# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulations, asked of a server and of gtmsim; and balance traffic, learned from real queries."""
import collections
import heapq
import json
import os
import socket
import subprocess
import threading
import time

import dns.message
import pytest

from gtm import GTMCTL, SLOW, Scene

NAME = "www.cloud-example.com"
GTMSIM = os.path.join(os.path.dirname(GTMCTL), "gtmsim")


@pytest.fixture
def scene(world, gtm):
    s = Scene(world, gtm, {"dc-a": 1, "dc-b": 1, "dc-c": 1})
    s.domain(weights=[3, 2, 1], ttl=60)
    return s


def simulate(gtm, **more):
    return gtm.must("POST", "simulate", dict({"name": NAME, "type": "A"}, **more))


def test_shares_and_drain(scene, gtm):
    r = simulate(gtm, resolvers={"count": 2000, "skew": 0, "rate": 5000},
                 failures=[{"address": "dc-a-1", "down": "30m", "up": "35m"}])
    assert (r["ttl"], r["balance"], r["caches"]) == (60, "answers", 2000)
    assert [(m["pool"], m["address"]) for m in r["members"]] == [
        ("dc-a", "dc-a-1"), ("dc-b", "dc-b-1"), ("dc-c", "dc-c-1")]
    for m in r["members"]:
        low, high = m["expected"]
        assert low < m["desired"] < high and low <= m["clients"] <= high
    assert abs(sum(m["clients"] for m in r["members"]) - 1) < 1e-9
    failure = r["failures"][0]
    # Two failures of a probe every 100 ms; then whoever has the answer keeps it for its TTL.
    assert 0.1 < failure["detected"] < 1
    assert abs(failure["clients"] - 0.5) < 0.03
    assert 25 < failure["drained"]["p50"] < 35 and 55 < failure["drained"]["p99"] <= 63
    assert abs(failure["curve"][0][1] - 0.5) < 0.05 and failure["curve"][-1][1] == 0
    # Nothing of it has happened.
    assert len(gtm.draw(NAME, 30)) == 3
    assert gtm.status("addresses/dc-a-1")["health"] == "ok"


def test_same_seed_same_report(scene, gtm):
    ask = {"resolvers": {"count": 300}, "duration": "30m", "failures": [{"address": "dc-b-1", "down": "20m"}]}
    assert simulate(gtm, seed=7, **ask) == simulate(gtm, seed=7, **ask)
    assert simulate(gtm, seed=7, **ask) != simulate(gtm, seed=8, **ask)


def test_the_remedy(scene, gtm):
    """Colajanni, Yu and Cardellini: with skewed resolvers plain weights miss the target."""
    ask = {"resolvers": {"skew": 1.0}, "duration": "2h", "warm_up": "1h"}
    even = simulate(gtm, resolvers={"skew": 0}, duration="2h", warm_up="1h")["load"]
    plain = simulate(gtm, balance="answers", **ask)["load"]
    traffic = simulate(gtm, balance="traffic", ttl_min=10, **ask)["load"]
    assert plain["stddev"] > 5 * even["stddev"]
    assert traffic["stddev"] < plain["stddev"] / 3
    assert traffic["max_deviation"] < plain["max_deviation"] / 2


def test_bad_input(scene, gtm):
    def errors(**more):
        r = gtm.api("POST", "simulate", dict({"name": NAME, "type": "A"}, **more))
        assert r.status in (400, 404, 422), r
        return {e["pointer"] for e in r.body["errors"]}

    assert errors(resolvers={"count": 0, "skew": "much"}) == {"resolvers.count", "resolvers.skew"}
    assert errors(resolvers={"ttl": [{"mode": "stretch"}]}) == {"resolvers.ttl[0].time"}
    assert errors(resolvers={"from": [{"cidr": "10.0.0.0/33"}]}) == {"resolvers.from[0].cidr"}
    assert errors(failures=[{"address": "nobody", "down": "1m"}]) == {"failures[0].address"}
    assert errors(failures=[{"address": "dc-a-1", "down": "2h"}]) == {"failures[0].down"}
    assert errors(colour="red") == {"colour"}
    assert errors(name="other.cloud-example.com") == {"name"}
    assert errors(type="MX") == {"type"}
    assert errors(resolvers={"count": 1000000, "rate": 10000000}, duration="168h") == {"duration"}


def test_long_ones_block_nobody(scene, gtm):
    """While one runs, DNS and the API answer; a second one is told to come again."""
    long = {"name": NAME, "type": "A", "resolvers": {"count": 10000, "rate": 10000, "skew": 0.5}, "ttl": 20,
            "duration": "2h", "window": "10m"}
    short = {"name": NAME, "type": "A", "resolvers": {"count": 10}, "duration": "30m"}
    done = []

    def run():
        while not done or done[-1].status == 503:  # a short one may be there first
            done.append(gtm.api("POST", "simulate", long))

    asker = threading.Thread(target=run)
    asker.start()
    answered, refused = 0, []
    while asker.is_alive():
        assert gtm.rdata(NAME) and gtm.must("POST", "explain", {"name": NAME, "type": "A"})
        answered += 1
        r = gtm.api("POST", "simulate", short)
        assert r.status in (200, 503)
        refused += [r] if r.status == 503 else []
    asker.join()
    assert answered >= 3
    assert refused and "another simulation" in json.dumps(refused[0].body)
    assert done[-1].status == 200 and done[-1].body["queries"] > 1000000


def test_gtmctl(scene, gtm):
    def ctl(*args):
        return gtm.ctl("simulate", NAME, "A", *args, timeout=60)

    r = ctl("--resolvers", "500", "--ttl-stretch", "5m=20", "--fail", "dc-a-1@20m:25m", "--for", "40m")
    assert r.returncode == 0, r.stderr
    for word in ("dc-a-1", "WANTED", "EXPECTED", "failure of dc-a-1 at 20m, back at 25m", "drained", "\u2588"):
        assert word in r.stdout, r.stdout
    r = ctl("--ttl", "30", "--ttl", "60", "--balance", "answers", "--balance", "traffic", "--for", "30m")
    lines = r.stdout.splitlines()
    assert len(lines) == 5 and lines[0].split()[:3] == ["SKEW", "TTL", "BALANCE"]
    assert [line.split()[1:3] for line in lines[1:]] == [
        ["30", "answers"], ["30", "traffic"], ["60", "answers"], ["60", "traffic"]]
    r = ctl("--for", "30m", "-o", "json")
    assert json.loads(r.stdout)["name"] == NAME
    assert ctl("--fail", "dc-a-1").returncode == 2
    assert ctl("--skew", "big").returncode == 2
    bad = ctl("--fail", "nobody@20m")
    assert bad.returncode == 1 and "failures[0].address" in bad.stderr


def test_gtmsim_agrees(scene, gtm, tmp_path):
    """The same model in a file, the same seed: the same report, without a server."""
    file = tmp_path / "gtm.yaml"
    file.write_text(gtm.ctl("export").stdout)
    args = ["--seed", "3", "--fail", "dc-b-1@20m", "--for", "40m", "-o", "json"]
    run = lambda *a: subprocess.run([GTMSIM, *a], capture_output=True, text=True, timeout=60 * SLOW)  # noqa: E731
    r = run(str(file), NAME, "A", *args)
    assert r.returncode == 0, r.stderr
    asked = gtm.ctl("simulate", NAME, "A", *args, timeout=60)
    assert json.loads(r.stdout) == json.loads(asked.stdout)
    assert "Examples" in run("--help").stdout
    assert run(str(file), "none.example.com", "A").returncode == 1
    assert run(str(file)).returncode == 2
    file.write_text("kind: pool\nname: p\nspec:\n  type: ipv7\n")
    r = run(str(file), NAME, "A")
    assert r.returncode == 1 and "gtm.yaml:4" in r.stderr


class Resolvers:
    """Resolvers at 127.0.N.1 that keep an answer for its TTL and ask again when their next client comes."""

    def __init__(self, gtm, idle):
        self.gtm, self.answers = gtm, collections.defaultdict(list)
        self.sockets = {}
        for i in range(len(idle)):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind(("127.0.%d.1" % (i + 1), 0))
            s.connect(gtm.dns)
            s.settimeout(5 * SLOW)
            self.sockets[i] = s
        self.idle = idle
        self.due = [(time.monotonic() + 0.1 * i, i) for i in self.sockets]

    def step(self):
        """The next query, when it is due: pacing is what is tested here."""
        at, i = heapq.heappop(self.due)
        time.sleep(max(0, at - time.monotonic()))
        self.sockets[i].send(dns.message.make_query(NAME, "A").to_wire())
        m = dns.message.from_wire(self.sockets[i].recv(4096))
        self.answers[i].append(m.answer[0][0].to_text())
        heapq.heappush(self.due, (time.monotonic() + m.answer[0].ttl + self.idle[i], i))

    def close(self):
        for s in self.sockets.values():
            s.close()


def told(gtm, client):
    r = gtm.must("POST", "explain", {"name": NAME, "type": "A", "client": client})
    return next(s["text"] for s in r["decision"] if s["step"] == "balance"), r


def test_balance_traffic_is_learned(world, gtm):
    """Four resolvers with equal traffic and two sites: each is found out and stays, two here and two there."""
    s = Scene(world, gtm, {"dc-a": 1, "dc-b": 1})
    s.domain(weights=[1, 1], ttl=1, balance="traffic")
    r = Resolvers(gtm, [0.05] * 4)
    world.finally_(r.close)
    deadline = time.monotonic() + 60 * SLOW
    while not all("always gets the same member" in told(gtm, "127.0.%d.1" % (i + 1))[0] for i in range(4)):
        assert time.monotonic() < deadline, told(gtm, "127.0.1.1")[0]
        for _ in range(8):
            r.step()
    r.answers.clear()
    for _ in range(16):
        r.step()
    seats = [set(r.answers[i]) for i in range(4)]
    assert [len(x) for x in seats] == [1] * 4
    assert collections.Counter(min(x) for x in seats) == {s.values["dc-a"][0]: 2, s.values["dc-b"][0]: 2}
    # explain says the same, and what a stranger gets.
    for i in range(4):
        text, e = told(gtm, "127.0.%d.1" % (i + 1))
        assert e["answer"]["rdata"] == list(seats[i])
        assert [c["probability"] for c in e["candidates"] if c["value"] in seats[i]] == [pytest.approx(1)]
    assert "little traffic" in told(gtm, "127.0.9.1")[0]
    assert len(gtm.draw(NAME, 50)) == 2
    # A site dies: not one more answer with it.
    s.down("dc-a")
    r.answers.clear()
    for _ in range(8):
        r.step()
    assert {a for x in r.answers.values() for a in x} == {s.values["dc-b"][0]}
