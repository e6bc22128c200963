# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines: custom ones as objects, data sets as files, and what a client is answered by them."""
import json
import os
import signal

import dns.edns
import pytest

from gtm import eventually, zone_text

NAME = "www.cloud-example.com"
SITES = {"cn": "203.0.113.1", "us": "203.0.113.2", "office": "203.0.113.3", "else": "203.0.113.4"}


def errors(reply):
    return {e["pointer"]: e for e in reply.body["errors"]}


# ---- custom lines ----

def test_a_line_is_an_object(gtm):
    gtm.put("lines/office", {"parent": "cn_telecom_zhejiang", "cidrs": ["10.0.0.0/8", "2001:DB8::/32"]})
    assert gtm.spec("lines/office") == {
        "parent": "cn_telecom_zhejiang", "cidrs": ["10.0.0.0/8", "2001:DB8::/32"], "remark": "", "labels": {}}
    gtm.put("lines/desk", {"parent": "office", "cidrs": ["10.1.0.0/16"]})
    assert [o["name"] for o in gtm.get("lines").body["items"]] == ["desk", "office"]
    gtm.restart()
    assert gtm.spec("lines/desk")["parent"] == "office"


def test_what_a_line_may_not_be(gtm):
    def refused(name, spec):
        r = gtm.api("PUT", "lines/" + name, {"spec": spec})
        assert r.status == 422, r
        return errors(r)

    gtm.put("lines/office", {"cidrs": ["10.0.0.0/8"]})
    revision = gtm.config()["revision"]
    assert "built-in line 'cn'" in refused("cn", {})["name"]["detail"]
    assert "alias" in refused("internal", {})["name"]["detail"]
    e = refused("x", {"cidrs": ["192.0.2.0/24", "10.1.2.3/8"]})["cidrs[1]"]
    assert "bits set" in e["detail"] and e["allowed"] == "10.0.0.0/8"
    assert "lies inside cidrs[1]" in refused("x", {"cidrs": ["10.1.0.0/16", "10.0.0.0/9"]})["cidrs[0]"]["detail"]
    assert "line 'office'" in refused("x", {"cidrs": ["10.0.0.0/8"]})["cidrs[0]"]["detail"]
    assert "no line named 'moon'" in refused("x", {"parent": "moon"})["parent"]["detail"]
    assert "own ancestor" in refused("office", {"parent": "office"})["parent"]["detail"]
    assert gtm.config()["revision"] == revision


def test_lines_of_links(gtm):
    gtm.put("addresses/a", {"type": "ipv4", "value": "192.0.2.1"})
    gtm.put("lines/office", {"cidrs": ["10.0.0.0/8"]})
    gtm.put("pools/p", {"type": "ipv4", "addresses": [{"address": "a", "lines": ["office", "aliyun"]}]})
    assert gtm.spec("pools/p")["addresses"][0]["lines"] == ["office", "aliyun"], "as it was sent"
    r = gtm.api("PUT", "pools/p", {"spec": {"type": "ipv4", "addresses": [{"address": "a", "lines": ["cn", "moon"]}]}})
    e = errors(r)["addresses[0].lines[1]"]
    assert "no line named 'moon'" in e["detail"] and "custom line" in e["allowed"]
    r = gtm.api("PUT", "pools/p", {"spec": {"type": "ipv4", "addresses": [{"address": "a", "lines": ["cn", "internal"]}]}})
    assert "same line as lines[0]" in errors(r)["addresses[0].lines[1]"]["detail"]
    r = gtm.api("DELETE", "lines/office")
    assert r.status == 409 and r.body["referrers"] == ["pool p"]
    gtm.put("lines/desk", {"parent": "office"})
    r = gtm.api("DELETE", "lines/office")
    assert sorted(r.body["referrers"]) == ["line desk", "pool p"]


def test_a_parent_may_be_younger_than_its_child(gtm):
    gtm.put("lines/child", {"cidrs": ["192.0.2.0/24"]})
    gtm.put("lines/parent", {})
    gtm.put("lines/child", {"parent": "parent", "cidrs": ["192.0.2.0/24"]})
    gtm.restart()
    gtm.kill("engine")
    gtm.wait_ready()
    config = gtm.config()
    for name in "child", "parent":
        gtm.delete("lines/" + name)
    gtm.must("POST", "config:apply", {"objects": config["objects"]})  # the child comes first in it
    assert gtm.spec("lines/child")["parent"] == "parent"


# ---- data sets ----

COUNTRIES = "1.0.0.0/8,CN,Zhejiang\n2.0.0.0/8,US,CA\n2001:db8::/32,CN,\n"
NETWORKS = "1.0.0.0/9,4134,Chinanet\n2.0.0.0/16,16509,Amazon\n"


class Geo:
    """A gtmd with two data sets and a domain that answers by line."""

    def __init__(self, world, tmp_path, countries=COUNTRIES, more="", start=True):
        self.countries, self.networks = tmp_path / "country.csv", tmp_path / "asn.csv"
        self.countries.write_text(countries)
        self.networks.write_text(NETWORKS)
        config = tmp_path / "gtm.yaml"
        config.write_text("geo:\n%s  databases:\n    - file: %s\n    - file: %s\n" % (more, self.countries, self.networks))
        self.gtm = world.gtm(start=start, args=["-c", str(config)])

    def domain(self):
        g = self.gtm
        g.zone("cloud-example.com", zone_text())
        g.put("lines/office", {"parent": "us", "cidrs": ["1.2.0.0/16"]})
        for site, ip in SITES.items():
            g.put("addresses/" + site, {"type": "ipv4", "value": ip})
            g.put("pools/" + site, {"type": "ipv4", "addresses": [{"address": site}]})
        lines = {"cn": ["internal"], "us": ["os_namerica_us"], "office": ["office"], "else": ["default"]}
        g.put("domains/%s/A" % NAME, {"enabled": True, "strategy": "source_nearest", "pools": [
            {"pool": site, "lines": lines[site]} for site in SITES]})

    def ask(self, network):
        """Which site a client of this network is sent to, and the scope of that answer."""
        address, bits = network.split("/")
        r = self.gtm.ask(NAME, edns=0, options=[dns.edns.ECSOption(address, int(bits))])
        scopes = [o.scopelen for o in r.options if isinstance(o, dns.edns.ECSOption)]
        value = r.answer[0][0].to_text()
        return next(s for s, ip in SITES.items() if ip == value), scopes[0]

    def change(self, text, at=None):
        fresh = self.countries.with_suffix(".new")
        fresh.write_text(text)
        if at is not None:
            os.utime(fresh, (at, at))
        fresh.rename(self.countries)

    def reread(self):
        self.gtm.process.send_signal(signal.SIGHUP)

    def metric(self, name):
        text = self.gtm.get("/metrics").body
        found = [line.split()[1] for line in text.splitlines() if line.split()[0] == name]
        return float(found[0]) if found else None

    def events(self, kind):
        return [e["text"] for e in self.gtm.must("GET", "events?kind=" + kind)["items"]]


@pytest.fixture
def geo(world, tmp_path):
    geo = Geo(world, tmp_path)
    geo.domain()
    return geo


def test_answers_by_data(geo):
    assert geo.ask("1.9.9.0/24") == ("cn", 13)  # 1.2.0.0/16 is another's
    assert geo.ask("1.2.3.0/24") == ("office", 16)
    assert geo.ask("2.255.0.0/16") == ("us", 8)
    assert geo.ask("9.9.9.0/24") == ("else", 5)
    assert geo.ask("2001:db8:7::/48") == ("cn", 32)
    assert geo.ask("2001:db9::/48")[0] == "else"


def test_a_new_file_takes_effect_without_a_pause(geo):
    assert geo.ask("9.9.9.0/24")[0] == "else"
    geo.change(COUNTRIES + "9.0.0.0/8,US,\n")
    geo.reread()
    eventually(lambda: geo.ask("9.9.9.0/24") == ("us", 8), what="the new data answer")
    assert geo.ask("1.2.3.0/24") == ("office", 16)
    assert geo.metric("gtm_geoip_loads_total") == 2
    assert geo.metric("gtm_geoip_age_seconds") >= 0
    assert geo.metric("gtm_geoip_ranges_ipv4") >= 5


def test_a_changed_file_is_noticed(geo):
    geo.change(COUNTRIES + "9.0.0.0/8,US,\n", at=1700000000)
    eventually(lambda: geo.ask("9.9.9.0/24") == ("us", 8), timeout=12, what="the file has been noticed")


@pytest.mark.parametrize("text,why", [
    (COUNTRIES + "9.0.0.0,9.x,US\n", "country.csv:4: "),
    ("", "says nothing about any line we know"),
    (COUNTRIES + "\0\0\n", "country.csv:4: is not text"),
])
def test_a_bad_file_changes_nothing(geo, text, why):
    geo.change(text)
    geo.reread()
    eventually(lambda: geo.metric("gtm_geoip_failed") == 1, what="the failure is counted")
    assert geo.ask("2.255.0.0/16") == ("us", 8)
    [event] = geo.events("geoip.stale")
    assert why in event and "stays" in event
    tree = geo.gtm.get("line-tree?q=us_ca").body
    assert why in tree["geo"]["problem"] and tree["items"][0]["data"]
    geo.change(COUNTRIES)
    geo.reread()
    eventually(lambda: geo.metric("gtm_geoip_failed") == 0, what="a good file is read")


def test_a_broken_database(world, tmp_path):
    path = tmp_path / "x.mmdb"
    path.write_bytes(b"\xab\xcd\xefMaxMind.com garbage")
    config = tmp_path / "gtm.yaml"
    config.write_text("geo:\n  databases:\n    - file: %s\n" % path)
    g = world.gtm(args=["-c", str(config)])
    [event] = eventually(lambda: g.must("GET", "events?kind=geoip.stale")["items"])
    assert str(path) in event["text"] and "no data of where clients are" in event["text"]
    g.zone("cloud-example.com", zone_text())
    assert g.rdata(NAME) == ["192.0.2.80"]


def test_a_start_needs_no_files(geo):
    """What was read last is kept: the originals may be gone, and the engine may die."""
    os.remove(geo.countries)
    os.remove(geo.networks)
    geo.gtm.kill("engine")
    geo.gtm.wait_ready()
    assert geo.ask("2.255.0.0/16") == ("us", 8)
    geo.gtm.restart()
    assert geo.ask("2.255.0.0/16") == ("us", 8)
    eventually(lambda: geo.events("geoip.stale"), what="the loss is told")


def test_a_damaged_memory_is_read_anew(geo):
    geo.gtm.stop()
    path = os.path.join(geo.gtm.dir, "geo.atlas")
    with open(path, "r+b") as f:
        f.seek(200)
        f.write(b"\0\1\2\3")
    geo.gtm.start()
    assert geo.ask("2.255.0.0/16") == ("us", 8)
    assert "geo.atlas: is damaged" in geo.gtm.log(since_start=True)


def test_old_data_are_told(world, tmp_path):
    geo = Geo(world, tmp_path, more="  max_age_days: 30\n", start=False)
    os.utime(geo.networks, (1700000000, 1700000000))
    geo.gtm.start()
    [event] = eventually(lambda: geo.events("geoip.stale"))
    assert "asn.csv is" in event and "days old" in event


def test_keys_and_kinds_of_the_configuration(world, tmp_path):
    geo = Geo(world, tmp_path, countries="1.0.0.0/8,x,US,CA\n", start=False)
    config = tmp_path / "gtm.yaml"
    config.write_text('geo:\n  databases:\n    - file: %s\n      country: "3"\n      subdivision: "4"\n' % geo.countries)
    geo.gtm.start()
    assert geo.gtm.must("POST", "lines:locate", {"ip": "1.1.1.1"})["lines"][0]["line"] == "us_ca"


# ---- asking ----

def test_lines_of_an_address(geo):
    def locate(ip):
        return geo.gtm.must("POST", "lines:locate", {"ip": ip})

    reply = locate("1.2.3.4")
    assert [line["line"] for line in reply["lines"]] == [
        "office", "us", "north_america", "telecom_zj", "telecom", "cn_zj", "cn_east", "cn", "asia", "default"]
    assert reply["lines"][0]["because"] == {"line": "office", "cidr": "1.2.0.0/16"}
    telecom = reply["lines"][4]
    assert telecom["because"] == {"file": str(geo.networks), "range": ["1.0.0.0", "1.127.255.255"]}
    assert telecom["kind"] == "isp" and telecom["zh"] == "中国电信"
    assert reply["lines"][5]["because"]["file"] == str(geo.countries)
    assert [line["line"] for line in locate("9.9.9.9")["lines"]] == ["default"]
    assert locate("2001:DB8::1")["ip"] == "2001:db8::1"
    r = geo.gtm.api("POST", "lines:locate", {"ip": "1.2.3"})
    assert r.status == 422 and "ip" in errors(r)


def test_the_tree(geo):
    tree = geo.gtm.get("line-tree").body
    lines = {line["code"]: line for line in tree["items"]}
    assert len(lines) == len(tree["items"]) > 5000
    assert lines["us_ca"] == {"code": "us_ca", "parent": "us", "kind": "province", "en": "California",
                              "zh": "加利福尼亚州", "aliases": [], "data": True}
    assert lines["cn"]["aliases"] == ["internal"] and not lines["us_ny"]["data"]
    assert lines["default"]["parent"] is None
    assert all(line["parent"] in lines for line in tree["items"] if line["parent"] is not None)
    assert [d["ranges"] for d in tree["geo"]["databases"]] == [3, 2]
    below = geo.gtm.get("line-tree?parent=cloud").body["items"]
    assert {line["kind"] for line in below} == {"cloud"} and "cloud_aws" in {line["code"] for line in below}


def test_gtmctl_shows_lines(geo):
    out = geo.gtm.ctl("line", "locate", "1.2.3.4")
    rows = [line.split() for line in out.stdout.splitlines()]
    assert rows[0] == ["LINE", "KIND", "NAME", "BECAUSE"] and out.returncode == 0
    assert rows[1][:2] == ["office", "custom"] and "1.2.0.0/16 of office" in out.stdout
    out = geo.gtm.ctl("line", "list", "--kind", "isp", "telecom", "-o", "json")
    assert [line["code"] for line in json.loads(out.stdout)["items"]] == ["telecom"]
    out = geo.gtm.ctl("line", "list", "--parent", "us")
    assert "California" in out.stdout and "us_ca" in out.stdout
    out = geo.gtm.ctl("get", "lines")
    assert "office" in out.stdout and "1.2.0.0/16" in out.stdout
    assert geo.gtm.ctl("line", "locate", "nowhere").returncode != 0
