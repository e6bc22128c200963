# SPDX-License-Identifier: GPL-3.0-or-later
"""The seven scenarios on a real gtmd: what they answer to whom, and what they answer when a site dies."""
import collections
import json
import os
import re
import shlex

import dns.edns
import pytest

from gtm import ROOT, eventually, zone_text

NAME = "www.cloud-example.com"
DOMAIN = "domains/%s/A" % NAME
MAKE = "domains:from-scenario"
CHECK = {"protocol": "tcp", "interval": "100ms", "timeout": "90ms", "recheck": "50ms", "fall": 2, "rise": 1}
PUBLIC = ["192.0.2.80"]
# Clients of custom lines below the built-in carriers, so that carriers need no data here; and of one of our own.
CLIENTS = {"telecom": "198.18.1.0/24", "unicom": "198.18.2.0/24", "office": "198.18.9.0/24", "nobody": "198.18.7.0/24"}


class Stage:
    """Sites of backends by line, and questions of their clients."""

    def __init__(self, world, gtm):
        self.world, self.gtm = world, gtm
        gtm.zone("cloud-example.com", zone_text(more="mail IN A 192.0.2.25"))
        for line in ("telecom", "unicom"):
            gtm.put("lines/clients-of-" + line, {"parent": line, "cidrs": [CLIENTS[line]]})
        gtm.put("lines/office", {"cidrs": [CLIENTS["office"]]})
        self.sites = {}

    def site(self, name, *lines, **extra):
        """A site with one backend per line (none: one in all); as the request has it."""
        backends = {line: self.world.backend(kind="tcp") for line in lines or [None]}
        self.sites[name] = backends
        if None in backends:
            return dict({"name": name, "addresses": [backends[None].ip]}, **extra)
        return dict({"name": name, "lines": {line: [b.ip] for line, b in backends.items()}}, **extra)

    def make(self, scenario, *sites, **extra):
        body = dict({"scenario": scenario, "name": NAME, "type": "A", "ttl": 1, "enabled": True,
                     "check": dict(CHECK, port=8080), "sites": list(sites)}, **extra)
        made = self.gtm.must("POST", MAKE, body)
        if body["enabled"]:
            self.gtm.until_health(DOMAIN, "ok")
        return made

    def ip(self, site, line=None):
        return self.sites[site][line].ip

    def ask(self, client=None):
        """The answer to a client of that line, by its subnet; None: without one."""
        if client is None:
            return self.gtm.rdata(NAME)
        net, bits = CLIENTS[client].split("/")
        return self.gtm.rdata(NAME, edns=True, options=[dns.edns.ECSOption(net, int(bits))])

    def draw(self, client, n):
        return collections.Counter(ip for _ in range(n) for ip in self.ask(client)[:1])

    def kill(self, site, *lines):
        for line in lines or self.sites[site]:
            self.sites[site][line].refuse()
        for line in lines or self.sites[site]:
            self.until(site, line, "exceptional")

    def heal(self, site, *lines):
        for line in lines or self.sites[site]:
            self.sites[site][line].accept()
            self.until(site, line, "ok")

    def until(self, site, line, health):
        self.gtm.until_health("addresses/%s%s-1" % (site, "" if line is None else "-" + line), health)


@pytest.fixture
def stage(world, gtm):
    return Stage(world, gtm)


def untouched(gtm):
    """What the operator had at other names and types."""
    assert gtm.rdata(NAME, "AAAA") == ["2001:db8::80"]
    assert gtm.rdata(NAME, "TXT") == ['"from the zone"']
    assert gtm.rdata("mail.cloud-example.com") == ["192.0.2.25"]
    assert gtm.rdata("ns1.cloud-example.com") == ["192.0.2.53"]


def test_health_check_only_tells_and_does_not_switch(stage, gtm):
    stage.make("health_check_only", stage.site("dc-a"), stage.site("dc-b"))
    both = {stage.ip("dc-a"), stage.ip("dc-b")}
    with gtm.stream() as stream:
        assert set(stage.ask()) == both
        stage.kill("dc-a")
        stream.event("address.down")
        assert all(set(stage.ask()) == both for _ in range(20)), "it tells, and answers all the same"
        stage.heal("dc-a")
        stream.event("address.up")


def test_active_standby(stage, gtm):
    stage.make("active_standby", stage.site("dc-a"), stage.site("dc-b"), failback_delay="1s")
    assert stage.ask() == [stage.ip("dc-a")]
    stage.kill("dc-a")
    assert stage.ask() == [stage.ip("dc-b")]
    stage.heal("dc-a")
    assert stage.ask() == [stage.ip("dc-b")], "not before it has been up for a while"
    eventually(lambda: stage.ask() == [stage.ip("dc-a")])


def test_multi_active(stage, gtm):
    stage.make("multi_active", stage.site("dc-a", weight=3), stage.site("dc-b"))
    counts = stage.draw(None, 400)
    assert abs(counts[stage.ip("dc-a")] - 300) <= 6 and sum(counts.values()) == 400
    stage.kill("dc-a")
    assert stage.draw(None, 20) == {stage.ip("dc-b"): 20}


def test_single_dc_multi_isp(stage, gtm):
    stage.make("single_dc_multi_isp", stage.site("dc-a", "telecom", "unicom", "office", "default"))
    everything = {stage.ip("dc-a", line) for line in stage.sites["dc-a"]}
    for line in ("telecom", "unicom", "office"):
        assert stage.ask(line) == [stage.ip("dc-a", line)]
    assert set(stage.ask("nobody")) == set(stage.ask()) == everything
    # A carrier's access fails: its clients go to all that is left.
    stage.kill("dc-a", "telecom")
    assert set(stage.ask("telecom")) == everything - {stage.ip("dc-a", "telecom")}
    assert stage.ask("unicom") == [stage.ip("dc-a", "unicom")]
    stage.heal("dc-a", "telecom")
    assert stage.ask("telecom") == [stage.ip("dc-a", "telecom")]
    # All of it fails: all of it is answered.
    stage.kill("dc-a")
    assert set(stage.ask("telecom")) == everything


@pytest.mark.parametrize("mode", ["preemptive", "non_preemptive"])
def test_active_standby_multi_isp(stage, gtm, mode):
    stage.make("active_standby_multi_isp", stage.site("dc-a", "telecom", "unicom"),
               stage.site("dc-b", "telecom", "unicom"), sequence_mode=mode)
    assert stage.ask("telecom") == [stage.ip("dc-a", "telecom")]
    assert stage.ask("unicom") == [stage.ip("dc-a", "unicom")]
    assert stage.ask("nobody") == [stage.ip("dc-a", "telecom")]
    stage.kill("dc-a", "unicom")
    assert stage.ask("unicom") == [stage.ip("dc-b", "unicom")], "the standby site, by the client's carrier"
    assert stage.ask("telecom") == [stage.ip("dc-a", "telecom")]
    stage.heal("dc-a", "unicom")
    assert stage.ask("unicom") == [stage.ip("dc-a" if mode == "preemptive" else "dc-b", "unicom")]
    # One carrier fails at both sites: the default pool, primaries first.
    stage.kill("dc-a", "unicom")
    stage.kill("dc-b", "unicom")
    assert stage.ask("unicom") == [stage.ip("dc-a", "telecom")]
    stage.kill("dc-a", "telecom")
    assert stage.ask("unicom") == stage.ask("telecom") == [stage.ip("dc-b", "telecom")]


def test_multi_active_multi_isp(stage, gtm):
    stage.make("multi_active_multi_isp", stage.site("dc-a", "telecom", "unicom", weight=3),
               stage.site("dc-b", "telecom", "unicom"))
    for line in ("telecom", "unicom"):
        counts = stage.draw(line, 200)
        assert abs(counts[stage.ip("dc-a", line)] - 150) <= 6 and sum(counts.values()) == 200
        assert set(counts) == {stage.ip("dc-a", line), stage.ip("dc-b", line)}
    counts = stage.draw("nobody", 200)
    assert len(counts) == 4 and abs(sum(counts[stage.ip("dc-a", line)] for line in ("telecom", "unicom")) - 150) <= 6
    stage.kill("dc-a")
    assert stage.draw("telecom", 10) == {stage.ip("dc-b", "telecom"): 10}
    assert set(stage.draw("nobody", 10)) == {stage.ip("dc-b", "telecom"), stage.ip("dc-b", "unicom")}


def test_custom(stage, gtm):
    stage.make("multi_active", stage.site("dc-a"), enabled=False)
    gtm.delete(DOMAIN)
    body = {"scenario": "custom", "name": NAME, "enabled": True}
    made = gtm.must("POST", MAKE, body)
    assert [o["kind"] for o in made["made"]] == ["domain"] and made["reused"] == []
    assert stage.ask() == PUBLIC, "no pool: the zone answers"
    gtm.delete(DOMAIN)
    gtm.must("POST", MAKE, dict(body, strategy="sequence", pools=["dc-a"]))
    assert stage.ask() == [stage.ip("dc-a")]


@pytest.mark.parametrize("scenario, lines", [
    ("health_check_only", ()), ("active_standby", ()), ("multi_active", ()), ("single_dc_multi_isp", ("telecom", "unicom")),
    ("active_standby_multi_isp", ("telecom", "unicom")), ("multi_active_multi_isp", ("telecom", "unicom")), ("custom", ())])
def test_the_operators_records_are_untouched(stage, gtm, scenario, lines):
    """Disabled unless asked; enabled, one name and type; disabled or deleted, the zone's own record again."""
    file = gtm.must("GET", "zones/cloud-example.com/file")
    before = gtm.config()
    sites = [stage.site("dc-a", *lines)] + ([stage.site("dc-b", *lines)] if not scenario.startswith("single") else [])
    made = stage.make(scenario, *sites, enabled=False)
    objects = [o for o in gtm.config()["objects"] if o not in before["objects"]]
    assert {(o["kind"], o["name"]) for o in made["made"]} == {(o["kind"], o["name"]) for o in objects}
    assert gtm.config()["revision"] == before["revision"] + 1
    assert stage.ask() == stage.ask("telecom") == PUBLIC
    ours = {b.ip for site in stage.sites.values() for b in site.values()}

    gtm.must("POST", DOMAIN + ":enable")
    assert set(stage.ask()) | set(stage.ask("telecom")) <= ours
    untouched(gtm)
    gtm.must("POST", DOMAIN + ":disable")
    assert stage.ask() == stage.ask("telecom") == PUBLIC
    gtm.must("POST", DOMAIN + ":enable")
    assert set(stage.ask()) <= ours
    gtm.delete(DOMAIN)
    assert stage.ask() == PUBLIC
    untouched(gtm)
    assert gtm.must("GET", "zones/cloud-example.com/file") == file


def test_enabling_warns_of_what_it_hides(stage, gtm):
    made = stage.make("multi_active", stage.site("dc-a"))
    assert any("hides the static A records" in w for w in made["warnings"]), made


def test_both_families(stage, gtm):
    a = stage.site("dc-a")
    a["addresses"].append("2001:db8:a::1")
    made = stage.make("multi_active", a, type=["A", "AAAA"])
    assert len({o["revision"] for k in ("pools", "domains", "addresses") for o in gtm.must("GET", k)["items"]}) == 1
    assert stage.ask() == [stage.ip("dc-a")]
    assert gtm.rdata(NAME, "AAAA") == ["2001:db8:a::1"]
    assert [o["name"] for o in made["made"] if o["kind"] == "domain"] == [NAME + "/A", NAME + "/AAAA"]


def test_refused_whole(stage, gtm):
    a, b = stage.site("dc-a", "telecom"), stage.site("dc-b", "telecom")
    b["lines"]["telecom"].append("192.0.2.300")
    b["lines"]["uniccm"] = ["192.0.2.1"]
    before = gtm.config()
    r = gtm.api("POST", MAKE, {"scenario": "multi_active_multi_isp", "name": NAME, "enabled": True, "sites": [a, b]})
    assert r.status == 422
    assert [e["pointer"] for e in r.body["errors"]] == ["sites[1].lines.telecom[1]", "sites[1].lines.uniccm"]
    assert gtm.config() == before and stage.ask() == PUBLIC


def ctl(gtm, *args):
    r = gtm.ctl(*args)
    assert r.returncode == 0, r
    return r.stdout


def test_by_gtmctl(stage, gtm):
    """The same on the command line: looked at first, made, explained."""
    stage.site("dc-a", "telecom", "unicom"), stage.site("dc-b", "telecom", "unicom")
    create = ["domain", "create", NAME, "A", "--scenario", "active_standby_multi_isp", "--check", "tcp:8080",
              "--interval", "100ms", "--timeout", "90ms", "--fall", "2", "--rise", "1", "--ttl", "1", "--enable",
              "--name", "pool/%s-telecom=ct" % NAME]
    for name in stage.sites:
        create += ["--site", "%s=telecom:%s,unicom:%s" % (name, stage.ip(name, "telecom"), stage.ip(name, "unicom"))]
    before = gtm.config()
    shown = ctl(gtm, *create, "--dry-run")
    assert gtm.config() == before
    assert "pool/ct" in shown and "sequence: dc-a-telecom-1, dc-b-telecom-1 (for %s-telecom)" % NAME in shown
    made = ctl(gtm, *create, "-o", "name").split()
    assert len(made) == 1 + 4 + 3 + 1 and "pool/ct" in made
    assert gtm.config()["revision"] == before["revision"] + 1
    gtm.until_health(DOMAIN, "ok")
    assert "is there already" in gtm.ctl(*create).stderr
    assert gtm.config()["revision"] == before["revision"] + 1

    net = CLIENTS["telecom"]
    told = ctl(gtm, "explain", NAME, "A", "--client", "192.0.2.53", "--ecs", net)
    assert stage.ip("dc-a", "telecom") in told and "198.18.1.0/24, from the query's EDNS Client Subnet" in told
    assert "telecom" in told
    whole = json.loads(ctl(gtm, "explain", NAME, "A", "--client", "192.0.2.53", "--ecs", net, "-o", "json"))
    assert (whole["line"], whole["answer"]["rdata"]) == ("telecom", stage.ask("telecom"))
    assert json.loads(ctl(gtm, "explain", NAME, "A", "--client", "192.0.2.53", "-o", "json"))["line"] == "default"
    down = json.loads(ctl(gtm, "explain", NAME, "A", "--ecs", net, "--down", "dc-a-telecom-1", "-o", "json"))
    assert down["answer"]["rdata"] == [stage.ip("dc-b", "telecom")]
    r = gtm.ctl("explain", NAME, "A", "--ecs", "198.18.1.1/24")
    assert r.returncode == 1 and "ecs" in r.stderr


def test_the_guide_tells_the_truth(gtm):
    """Each command of the guide, looked at only; and its request as it stands."""
    gtm.zone("example.com", zone_text("example.com"))
    with open(os.path.join(ROOT, "docs", "guide", "scenarios.md")) as f:
        text = f.read()
    commands = [shlex.split(c, comments=True)[1:] for c in
                re.findall(r"^gtmctl domain create www.*$", text.replace("\\\n", " "), re.M)]
    assert {c[c.index("--scenario") + 1] for c in commands} == {
        "health_check_only", "active_standby", "multi_active", "single_dc_multi_isp", "active_standby_multi_isp",
        "multi_active_multi_isp", "custom"}
    body = json.loads(re.search(r"```json\n(.*?)```", text, re.S).group(1))
    made = gtm.must("POST", MAKE + "?dryRun=1", body)
    assert [o["name"] for o in made["made"] if o["kind"] == "pool"] == [
        "ct", "www.example.com-unicom", "www.example.com-default"]
    for command in sorted(commands, key=lambda c: "--pool" in c):
        if "--pool" in command:
            for name in ("dc-a", "dc-b"):
                gtm.put("pools/" + name, {"type": "ipv4"})
        assert json.loads(ctl(gtm, *command, "--dry-run", "-o", "json"))["made"], command
