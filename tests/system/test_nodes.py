# SPDX-License-Identifier: GPL-3.0-or-later
"""Several vantage points: a server, three probe nodes and their targets, each in a network namespace of its own."""
import signal
import time

import pytest
from gtm import SLOW, eventually
from places import Land, Node, Server, Target, invite

NODES = ["east", "west", "south"]
FRESH = 3.5  # s: three intervals of 1 s and a timeout of 500 ms


@pytest.fixture(scope="module")
def land():
    land = Land()
    yield land
    land.close()


class Net:
    def __init__(self, land, world):
        self.land, self.world = land, world
        self.server = Server(world.directory / "server", land.place())
        world.gtms.append(self.server)
        self.server.start()
        self.target = Target(land.place())
        world.finally_(self.target.stop)
        self.nodes = {}
        for name in NODES:
            self.nodes[name] = n = Node(world.directory / name, name, land.place())
            world.gtms.append(n)
            n.start(join=invite(self.server, name, city=name))
        for name in NODES:
            self.until_state(name, "healthy")
        self.server.put("templates/fast", self.template())

    def template(self, **more):
        """Says a word: a probe that only looks whether they listen leaves no connection, and Target knows no peer."""
        return {"protocol": "tcp", "interval": "1s", "timeout": "500ms", "fall": 2, "rise": 1, "recheck": "100ms",
                "talk": {"send": "hello"}, **more}

    def until_state(self, name, state, timeout=10.0):
        eventually(lambda: self.server.status("nodes/" + name).get("state") == state, timeout,
                   what="node %s is %s" % (name, state))

    def address(self, name, template="fast", ip=None, port=8080):
        self.server.put("addresses/" + name, {"type": "ipv4", "value": ip or self.target.ip,
                                              "checks": [{"template": template, "port": port}]})

    def check(self, name):
        return self.server.must("GET", "addresses/%s/health" % name)["checks"][0]

    def votes(self, name):
        """{node: verdict} of the votes that are fresh."""
        return {n["node"]: n["verdict"] for n in self.check(name)["nodes"] if n["fresh"]}

    def until_votes(self, name, want, timeout=10.0):
        eventually(lambda: self.votes(name) == want, timeout, what="votes on %s are %s" % (name, want))

    def until_verdict(self, name, want, timeout=10.0):
        eventually(lambda: self.check(name)["verdict"] == want, timeout, what="%s is %s" % (name, want))


def votes(local="up", **others):
    return {"local": local, **{n: others.get(n, "up") for n in NODES}}


@pytest.fixture(scope="module")
def net(land, shared_world):
    return Net(land, shared_world)


@pytest.fixture(autouse=True)
def whole(request):
    """Every test begins and ends with all of them there, and nothing in their way."""
    yield
    if "net" not in request.fixturenames:
        return
    net = request.getfixturevalue("net")
    for place in net.land.places:
        for other in net.land.places:
            if other is not place:
                place.find(other.ip)
    for name in NODES:
        net.until_state(name, "healthy", timeout=20)


def test_a_quorum_decides(net):
    """failure_rate 50: one of four is not enough, two are. What differs can be seen, and why."""
    s, target = net.server, net.target.ip
    net.address("quorum")
    net.until_votes("quorum", votes())
    assert net.check("quorum")["disagree"] is False

    net.nodes["east"].place.refuse(target)
    net.until_votes("quorum", votes(east="down"))
    check = net.check("quorum")
    assert (check["verdict"], check["disagree"], check["votes"]) == ("up", True, {"fresh": 4, "down": 1})
    east = next(n for n in check["nodes"] if n["node"] == "east")
    assert [(e["verdict"], e["cause"]) for e in east["edges"]] == [("down", "l4_unreachable")]
    assert east["observations"][0]["cause"] == "l4_unreachable"
    assert s.status("addresses/quorum")["availability"] == "available"
    out = s.ctl("describe", "address", "quorum").stdout
    assert "check fast:8080  up, 1 of 4 fresh votes down: they disagree" in out
    assert any(line.split()[:3] == ["east", "down", "yes"] and "l4_unreachable" in line for line in out.splitlines())

    with s.stream() as stream:
        net.nodes["west"].place.refuse(target)
        stream.event("address.down", "quorum")
    check = net.check("quorum")
    assert (check["verdict"], check["votes"]) == ("down", {"fresh": 4, "down": 2})
    assert [e["verdict"] for e in check["edges"]] == ["down"]
    assert s.status("addresses/quorum")["availability"] == "unavailable"
    eventually(lambda: s.status("nodes/west")["down"] == 1)
    metrics = s.get("/metrics").body
    assert 'gtm_probe_votes{node="west",verdict="down"} 1' in metrics
    assert "gtm_checks_disagreeing 1" in metrics

    with s.stream() as stream:
        net.nodes["west"].place.find(target)
        stream.event("address.up", "quorum")
    s.delete("addresses/quorum")


def test_any_node_may_suffice(net):
    net.server.put("templates/any", net.template(failure_rate=0))
    net.address("any", template="any")
    net.until_votes("any", votes())
    net.nodes["south"].place.refuse(net.target.ip)
    net.until_verdict("any", "down")
    assert net.check("any")["votes"] == {"fresh": 4, "down": 1}
    # The same votes by another rule, at once.
    net.server.patch("templates/any", failure_rate=50)
    assert net.check("any")["verdict"] == "up"
    net.server.delete("addresses/any")


def test_silence_costs_the_vote(net):
    """A node that is cut off without a word keeps its vote for its freshness time, and no longer."""
    s, target = net.server, net.target.ip
    net.address("silence")
    net.until_votes("silence", votes())
    for name in ("east", "west"):
        net.nodes[name].place.refuse(target)
    net.until_verdict("silence", "down")

    with s.stream() as stream:
        net.nodes["east"].place.lose(s.place.ip)
        began = time.monotonic()
        _, _, up_at, _ = stream.event("address.up", "silence", timeout=15)
        # Heard up to a second before it was cut off.
        assert FRESH - 1.5 < up_at - began < (FRESH + 1.5) * SLOW, "after %.1f s" % (up_at - began)
        assert net.check("silence")["votes"] == {"fresh": 3, "down": 1}
        stream.event("probe.node_lost", "east", timeout=15)
    net.until_state("east", "down")
    # It has gone on probing, alone, and its vote is there as soon as it is back.
    with s.stream() as stream:
        net.nodes["east"].place.find(s.place.ip)
        stream.event("probe.node_back", "east", timeout=20)
        stream.event("address.down", "silence", timeout=20)
    s.delete("addresses/silence")


def test_our_own_vote_is_left(net):
    s = net.server
    net.address("alone")
    net.until_votes("alone", votes())
    for name in NODES:
        net.nodes[name].place.lose(s.place.ip)
    net.until_votes("alone", {"local": "up"}, timeout=15)
    s.place.refuse(net.target.ip)
    net.until_verdict("alone", "down", timeout=5)
    s.place.find(net.target.ip)
    net.until_verdict("alone", "up", timeout=5)
    s.delete("addresses/alone")


def test_nobody_left_the_last_verdict_holds(net):
    s = net.server
    s.put("templates/afar", net.template(nodes=["east", "west"]))
    net.address("held", template="afar")
    net.until_votes("held", {"east": "up", "west": "up"})
    for name in ("east", "west"):
        net.nodes[name].place.refuse(net.target.ip)
    net.until_votes("held", {"east": "down", "west": "down"})
    assert net.check("held")["verdict"] == "down"
    with s.stream() as stream:
        for name in ("east", "west"):
            net.nodes[name].place.lose(s.place.ip)
        _, event, _, _ = stream.event("probe.stale", timeout=15)
    assert "'afar/%s/8080'" % net.target.ip in event["text"]
    assert net.votes("held") == {} and net.check("held")["verdict"] == "down"
    assert s.get("/metrics").body.count("gtm_checks_stale 1\n") == 1
    with s.stream() as stream:
        for name in ("east", "west"):
            net.nodes[name].place.find(s.place.ip)
        stream.event("probe.fresh", timeout=20)
    for name in ("east", "west"):
        net.nodes[name].place.find(net.target.ip)
    net.until_verdict("held", "up", timeout=15)
    # 409: the template names it.
    assert s.api("DELETE", "nodes/east").status == 409
    s.delete("addresses/held")
    s.delete("templates/afar")


def test_only_where_it_is_said(net):
    s = net.server
    target = Target(net.land.place())
    net.world.finally_(target.stop)
    s.put("templates/few", net.template(nodes=["east", "local"]))
    net.address("few", template="few", ip=target.ip)
    net.until_votes("few", {"local": "up", "east": "up"})
    assert set(target.peers) == {s.place.ip, net.nodes["east"].place.ip}
    # Elsewhere at once, and no more from where it was.
    s.patch("templates/few", nodes=["west"])
    net.until_votes("few", {"west": "up"}, timeout=2)
    seen = len(target.peers)
    eventually(lambda: len(target.peers) >= seen + 3, timeout=8)
    assert set(target.peers[seen + 1:]) == {net.nodes["west"].place.ip}
    # Deleted: nobody any more.
    s.delete("addresses/few")
    gone = eventually(lambda: len(target.peers))
    net.address("other", ip=target.ip)
    net.until_votes("other", votes())
    s.delete("addresses/other")
    s.delete("templates/few")
    assert gone <= len(target.peers)
    refused = s.api("PUT", "templates/bad", {"spec": {"protocol": "tcp", "nodes": ["nowhere"]}})
    assert refused.status == 422 and "no node named 'nowhere'" in str(refused.body)


def test_changes_reach_nodes_at_once(net):
    """A check is probed, changed and gone within a moment, however long its interval."""
    s = net.server
    target = Target(net.land.place())
    net.world.finally_(target.stop)
    east = net.nodes["east"].place.ip
    s.put("templates/slow", net.template(interval="1h", timeout="1s", nodes=["east"]))
    began = time.monotonic()
    net.address("quick", template="slow", ip=target.ip)
    net.until_votes("quick", {"east": "up"}, timeout=3)
    first = time.monotonic() - began
    assert target.peers == [east]
    # Another port: another check, which is refused.
    began = time.monotonic()
    net.address("quick", template="slow", ip=target.ip, port=9)
    net.until_verdict("quick", "down", timeout=3)
    assert time.monotonic() - began < 1.5 * SLOW and first < 1.5 * SLOW
    s.delete("addresses/quick")
    s.delete("templates/slow")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_node_starts_again(net, how):
    """What it found before it died counts until its time is over; then what it finds."""
    net.address("again")
    net.nodes["east"].place.refuse(net.target.ip)
    net.until_votes("again", votes(east="down"))
    net.nodes["east"].restart(how)
    net.until_votes("again", votes(east="down"))
    net.nodes["east"].place.find(net.target.ip)
    net.until_votes("again", votes())
    net.server.delete("addresses/again")


@pytest.mark.parametrize("child", ["control", "engine"])
def test_the_server_loses_a_child(net, child):
    """Two of four see it down, and nothing that happens to the server makes it up for a moment."""
    s = net.server
    net.address(child)
    for name in ("east", "west"):
        net.nodes[name].place.refuse(net.target.ip)
    net.until_verdict(child, "down")
    net.until_votes(child, votes(east="down", west="down"))
    old = s.kill(child)
    eventually(lambda: s.pid(child) not in (None, old), timeout=10)
    # Asked all the way: what is not answered is not up.
    deadline = time.monotonic() + 20 * SLOW
    while True:
        r = None
        try:
            r = s.get("addresses/%s/health" % child)
        except OSError:
            pass
        if r is not None and r.status == 200:
            check = r.body["checks"][0]
            assert check["verdict"] == "down", check
            connected = [n["node"] for n in check["nodes"] 
                         if n["connected"] and n["node"] != "local" and "observations" in n]
            if sorted(connected) == sorted(NODES) and check["votes"] == {"fresh": 4, "down": 2}:
                break
        assert time.monotonic() < deadline
    assert child not in [e["object"]["name"] for e in s.must("GET", "events?kind=address.up")["items"]]
    s.delete("addresses/" + child)


def test_a_clock_that_is_off(net):
    """Nodes share our machine's clock: what is told is what was measured."""
    for name in NODES:
        status = eventually(lambda n=name: net.server.status("nodes/" + n) if "rtt_ms" in net.server.status("nodes/" + n) else None, timeout=10)
        assert abs(status["clock_skew_ms"]) < 500 and 0 < status["rtt_ms"] < 500 * SLOW
        assert status["version"] and status["connected"] is True
    out = net.server.ctl("get", "nodes").stdout
    assert all(name in out for name in NODES) and "healthy" in out
