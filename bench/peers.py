# SPDX-License-Identifier: GPL-3.0-or-later
"""gtmd, NSD, Knot DNS, gdnsd, PowerDNS and the echo server, each serving a World in its own words.

    World(folder, families)     what is to be served: zone files, steered names, where addresses are
    Gtmd(folder, world) ...     servers.Server with `prefix`: on one core, under callgrind

One thread answers in each of them, nothing is limited and nothing is logged. Checks of the steered names go every two
seconds, the least gdnsd can, to bench/flap_target.
"""
import ipaddress
import json
import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(ROOT, "tests", "differential"))

import mmdb  # noqa: E402
import servers  # noqa: E402

BUILD = os.path.join(ROOT, "build", "bench")
STATIC, SCALE, STEER = "static.test.", "scale.test.", "steer.test."
TTL = 60
STATIC_NAMES = 1000
CHECK_PORT = 7581
COUNTRIES = {"EU": ("DE", "FR", "PL", "IT", "ES", "GB"), "NA": ("US", "CA"), "AS": ("JP", "CN", "IN"), "OC": ("AU",),
             "SA": ("BR",), "AF": ("ZA",)}
PLACES = [(continent, country) for continent in COUNTRIES for country in COUNTRIES[continent]]
NETWORKS = 20000


def head(zone):
    return "$ORIGIN %s\n$TTL %d\n@ 3600 IN SOA ns1 hostmaster 1 3600 600 1209600 60\n@ 3600 IN NS ns1\nns1 IN A 192.0.2.53\n" % (
        zone, TTL)


class World:
    """families: of "static", "scale", "steer"; names: of the zone SCALE; steered: names of each kind."""

    def __init__(self, folder, families, names=1000000, steered=100):
        self.folder, self.families, self.names, self.steered = str(folder), families, names, steered
        r = random.Random(1)
        self.sites = ["127.66.0.%d" % (i + 1) for i in range(40)]  # where a target listens
        self.weighted = ["w%02d" % i for i in range(steered)]
        self.failover = ["f%02d" % i for i in range(steered)]
        self.sets = ["s%02d" % i for i in range(steered)]
        self.geo = ["g%02d" % i for i in range(steered)]
        self.shares = {n: list(zip(r.sample(range(40), 3), (3, 2, 1))) for n in self.weighted}
        self.orders = {n: r.sample(range(40), 2) for n in self.failover}
        self.members = {n: r.sample(range(40), 4) for n in self.sets}
        self.zones = {}
        if "static" in families:
            self.zones[STATIC] = self.write("static", head(STATIC), ("h%03d IN A 192.0.2.%d\n" % (i, i % 250 + 1)
                                                                     for i in range(STATIC_NAMES)))
        if "scale" in families:
            width = len(str(names - 1))
            self.zones[SCALE] = self.write("scale", head(SCALE), (
                "n%0*d IN A 10.%d.%d.%d\n" % (width, i, i >> 16 & 255, i >> 8 & 255, i & 255) for i in range(names)))
        if "steer" in families:
            self.mmdb = os.path.join(self.folder, "geo.mmdb")
            mmdb.write(self.mmdb, self.rows(r))

    def rows(self, r):
        """A country for each of the networks that the address space of clients is cut into."""
        return [(ipaddress.ip_network(((1 << 24) + i * (223 << 24) // NETWORKS >> 10 << 10, 22)), r.choice(PLACES))
                for i in range(NETWORKS)]

    def write(self, file, start, lines=()):
        path = os.path.join(self.folder, file + ".zone")
        with open(path, "w") as f:
            f.write(start)
            f.writelines(lines)
        return path

    def steer_zone(self, folder, lines):
        path = os.path.join(folder, "steer.zone")
        with open(path, "w") as f:
            f.write(head(STEER) + "".join(line + "\n" for line in lines))
        return path


class Peer(servers.Server):
    steers = ()  # of "weighted", "failover", "set", "geo"
    load_timeout = 300.0

    def __init__(self, folder, world, prefix=()):
        super().__init__(folder, dict(world.zones))
        self.world, self.prefix = world, list(prefix)

    def launch(self):
        words = self.prefix + self.command()
        with open(self.path("log"), "ab") as log:
            self.process = servers.subprocess.Popen(words, stdin=servers.subprocess.DEVNULL, stdout=log, stderr=log,
                                                    cwd=self.folder, env=dict(os.environ, LC_ALL="C"))

    def has_steered(self):
        return "steer" in self.world.families and bool(self.steers)


class Echo(Peer):
    name = "echo"

    def command(self):
        return [os.path.join(BUILD, "echo"), self.ip, str(self.port)]

    def wait_served(self, every=0.02):
        deadline = time.monotonic() + 10
        while "ready" not in self.log() and time.monotonic() < deadline:
            time.sleep(every)


class Nsd(Peer, servers.Nsd):
    def command(self):
        out = super().command()
        with open(self.path("nsd.conf")) as f:
            text = f.read()
        self.write("nsd.conf", text.replace("minimal-responses: no", "minimal-responses: yes")
                   .replace("tcp-count: 16", "tcp-count: 100"))
        return out


class Knot(Peer, servers.Knot):
    steers = ("weighted", "geo")

    def command(self):
        world = self.world
        if not self.has_steered():
            return super().command()
        self.zones[STEER] = world.steer_zone(self.folder, ["%s %d IN A %s" % (n, TTL, world.sites[0])
                                                           for n in world.weighted + world.geo])
        out = super().command()
        weights = "".join("%s.%s:\n" % (n, STEER) + "".join("- weight: %d\n  A: %s\n" % (w, world.sites[i])
                                                             for i, w in world.shares[n]) for n in world.weighted)
        places = "".join("%s.%s:\n" % (n, STEER) + "".join('- geo: "%s"\n  A: %s\n' % (";".join(p), world.sites[i])
                                                            for i, p in enumerate(PLACES)) for n in world.geo)
        head = "mod-geoip:\n  - id: weighted\n    config-file: %s\n    ttl: %d\n    mode: weighted\n" % (
            self.write("weights", weights), TTL)
        head += ("  - id: geo\n    config-file: %s\n    ttl: %d\n    mode: geodb\n    geodb-file: %s\n"
                 "    geodb-key: [continent/code, country/iso_code]\n" % (self.write("places", places), TTL, world.mmdb))
        with open(self.path("knot.conf")) as f:
            text = f.read()
        text = text.replace("server:\n", "server:\n  edns-client-subnet: on\n", 1).replace("template:\n", head + "template:\n", 1)
        entry = '  - domain: "%s"\n' % STEER
        self.write("knot.conf", text.replace(entry, entry + "    module: [mod-geoip/weighted, mod-geoip/geo]\n"))
        return out


class Gdnsd(Peer):
    name = "gdnsd"
    steers = ("weighted", "failover", "set", "geo")

    def plugins(self):
        world = self.world
        site = world.sites.__getitem__
        weighted = "".join("  %s => { service_types => t, %s }\n" % (n, ", ".join(
            "a%d => [ %s, %d ]" % (i, site(i), w) for i, w in world.shares[n])) for n in world.weighted)
        failover = "".join("  %s => { service_types => t, primary => %s, secondary => %s }\n" % (
            (n,) + tuple(map(site, world.orders[n]))) for n in world.failover)
        sets = "".join("  %s => { service_types => t, %s }\n" % (n, ", ".join(
            "a%d => %s" % (i, site(i)) for i in world.members[n])) for n in world.sets)
        inner = " ".join("%s => { %s }," % (c, ", ".join("%s => [ dc%d, dc-default ]" % (country, PLACES.index((c, country)))
                                                           for country in COUNTRIES[c])) for c in COUNTRIES)
        centres = ", ".join(["dc-default"] + ["dc%d" % i for i in range(len(PLACES))])
        geo = " maps => { m => { geoip2_db => %s, datacenters => [ %s ], map => { %s } } }\n resources => {\n%s }\n" % (
            world.mmdb, centres, inner, "".join(
                "  %s => { map => m, plugin => multifo, service_types => up, dcmap => { dc-default => { a => %s }, %s } }\n" % (
                    n, site(39), ", ".join("dc%d => { a => %s }" % (i, site(i)) for i in range(len(PLACES))))
                for n in world.geo))
        return ("service_types => { t => { plugin => tcp_connect, port => %d, interval => 2, timeout => 1 } }\n"
                "plugins => {\n weighted => {\n%s }\n simplefo => {\n%s }\n multifo => {\n%s }\n geoip => {\n%s }\n}\n" % (
                    CHECK_PORT, weighted, failover, sets, geo))

    def command(self):
        for sub in ("zones", "run", "state", "geoip"):
            os.makedirs(self.path(sub))
        for zone, path in self.world.zones.items():
            os.symlink(path, self.path("zones", zone.rstrip(".")))
        text = ("options => {\n  listen => %s\n  dns_port => %d\n  run_dir => %s\n  state_dir => %s\n  udp_threads => 1\n"
                "  tcp_threads => 1\n}\n" % (self.ip, self.port, self.path("run"), self.path("state")))
        if self.has_steered():
            text += self.plugins()
            world = self.world
            os.rename(world.steer_zone(self.folder, [
                "%s %d DYNA %s!%s" % (n, TTL, plugin, n) for plugin, names in (
                    ("weighted", world.weighted), ("simplefo", world.failover), ("multifo", world.sets), ("geoip", world.geo))
                for n in names]), self.path("zones", STEER.rstrip(".")))
            self.zones[STEER] = None
        self.write("config", text)
        return [servers.program("gdnsd"), "-c", self.folder, "start"]


class Pdns(Peer):
    """Its packet cache answers what does not change; names with Lua are never in it. Of failover it knows no order in
    this version: one of those that are up answers."""
    name = "pdns"
    steers = ("weighted", "failover", "set")

    def lua(self):
        world = self.world
        quoted = lambda i: "'%s'" % world.sites[i]  # noqa: E731
        for n in world.weighted:
            yield "%s IN LUA A \"pickwrandom({%s})\"" % (n, ",".join("{%d,%s}" % (w, quoted(i)) for i, w in world.shares[n]))
        for n in world.failover:
            yield "%s IN LUA A \"ifportup(%d,{%s})\"" % (n, CHECK_PORT, ",".join(map(quoted, world.orders[n])))
        for n in world.sets:
            yield "%s IN LUA A \"ifportup(%d,{%s},{selector='all'})\"" % (n, CHECK_PORT, ",".join(map(quoted, world.members[n])))

    def command(self):
        if self.has_steered():
            self.zones[STEER] = self.world.steer_zone(self.folder, self.lua())
        self.write("named.conf", "".join('zone "%s" { type master; file "%s"; };\n' % z for z in self.zones.items()))
        self.write("pdns.conf", "".join("%s=%s\n" % x for x in (
            ("launch", "bind"), ("bind-config", self.path("named.conf")), ("local-address", self.ip), ("local-port", self.port),
            ("socket-dir", self.folder), ("config-dir", self.folder), ("enable-lua-records", "shared"),
            ("lua-health-checks-interval", 2), ("lua-health-checks-expire-delay", 36000), ("receiver-threads", 1),
            ("distributor-threads", 1), ("security-poll-suffix", ""), ("edns-subnet-processing", "no"), ("loglevel", 0),
            ("guardian", "no"), ("daemon", "no"), ("reuseport", "no"), ("tcp-idle-timeout", 60),
            ("max-tcp-transactions-per-conn", 0))))
        return [servers.program("pdns_server"), "--config-dir=" + self.folder]


class Gtmd(Peer, servers.Gtmd):
    steers = ("weighted", "failover", "set", "geo")

    def command(self):
        out = servers.Gtmd.command(self)
        config = "probe:\n  host_rate: 0\n"
        if self.has_steered():
            config += "geo:\n  databases:\n    - file: %s\n" % self.world.mmdb
        return out[:1] + ["-c", self.write("gtmd.yaml", config)] + out[1:]

    def domain(self, name, strategy, pools):
        return "domain", "%s.%s/A" % (name, STEER.rstrip(".")), {"ttl": TTL, "enabled": True, "strategy": strategy,
                                                                 "pools": pools}

    def objects(self):
        world = self.world
        yield "template", "t", {"protocol": "tcp", "interval": "2s", "timeout": "1s", "fall": 3, "rise": 1}
        for i, ip in enumerate(world.sites):
            yield "address", "b%d" % i, {"type": "ipv4", "value": ip, "checks": [{"template": "t", "port": CHECK_PORT}]}
            yield "pool", "p%d" % i, {"type": "ipv4", "addresses": [{"address": "b%d" % i}]}
        for n in world.weighted:
            yield self.domain(n, "weight", [{"pool": "p%d" % i, "weight": w} for i, w in world.shares[n]])
        for n in world.failover:
            yield self.domain(n, "sequence", [{"pool": "p%d" % i} for i in world.orders[n]])
        for n in world.sets:
            yield self.domain(n, "round_robin", [{"pool": "p%d" % i} for i in world.members[n]])
        for n in world.geo:
            yield self.domain(n, "source_nearest", [{"pool": "p%d" % i, "lines": [place[1].lower()]}
                                                    for i, place in enumerate(PLACES)] + [{"pool": "p39"}])

    def load(self):
        if self.has_steered():
            self.zones[STEER] = self.world.steer_zone(self.folder, [])
        servers.Gtmd.load(self)
        if self.has_steered():
            self.api("POST", "config:apply", json.dumps({"objects": [
                {"kind": k, "name": n, "spec": s} for k, n, s in self.objects()]}))


ALL = (Gtmd, Nsd, Knot, Gdnsd, Pdns)
