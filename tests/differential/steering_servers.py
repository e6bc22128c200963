# SPDX-License-Identifier: GPL-3.0-or-later
"""gtmd, gdnsd and Knot DNS with its module geoip, each serving a World (steering_world.py) in its own words.

gdnsd has maps of networks and places to lists of data centres, tried in order, and an admin_state file that says who is down. Knot
has views of networks, and the zone's own record for everybody else; it knows no health, so a World with somebody down is
not for it.
"""
import glob
import json
import os

import mmdb
import servers
import steering_world as sw

def zone_text(records):
    lines = ["$ORIGIN %s" % sw.ZONE, "@ 3600 IN SOA ns1 hostmaster 1 3600 600 1209600 900", "@ 3600 IN NS ns1",
             "ns1 3600 IN A 192.0.2.53"]
    return "\n".join(lines + records) + "\n"


def has_knot_geoip():
    return bool(servers.program("knotd") and glob.glob("/usr/lib/*/knot/modules-*/geoip.so"))


class Gdnsd(servers.Server):
    name = "gdnsd"

    def __init__(self, folder, world):
        super().__init__(folder, [sw.ZONE])
        self.world = world

    def sequence(self, name, net, site):
        """Whom to try, in order, as gtmd's line_failover has it."""
        order = [site]
        if name.next_line:
            around = [(n, s) for n, s in name.nets if n.version == net.version and n != net and net.subnet_of(n)]
            order += [s for _, s in sorted(around, key=lambda x: -x[0].prefixlen)]
        return list(dict.fromkeys(order + [name.default]))

    def places(self, name):
        """The map of places: continents, in them countries, in them subdivisions; what is not there goes to the default around."""
        def below(place):
            sites = [name.places[p] for p in sw.around(place) if p in name.places]
            here = list(dict.fromkeys((sites if name.next_line else sites[:1]) + [name.default]))
            inner = sorted({p[:len(place) + 1] for p in name.places if len(p) > len(place) and p[:len(place)] == place})
            if not inner:
                return "[ %s ]" % ", ".join(here)
            return "{ default => [ %s ], %s }" % (", ".join(here), ", ".join("%s => %s" % (p[-1], below(p)) for p in inner))
        if not name.places:
            return ""
        mmdb.write(self.path("geoip", name.label + ".mmdb"), self.world.rows)
        return "       geoip2_db => %s,\n       map => %s,\n" % (self.path("geoip", name.label + ".mmdb"), below(()))

    def geo(self):
        maps, resources = [], []
        for name in self.world.names:
            nets = "".join("        %s => [ %s ]\n" % (net, ", ".join(self.sequence(name, net, site)))
                           for net, site in name.nets)
            sites = [name.default] + [s for s in name.sites if s != name.default]
            maps.append("      m-%s => {\n%s       datacenters => [ %s ],\n       nets => {\n%s       }\n      }\n" %
                        (name.label, self.places(name), ", ".join(sites), nets))
            centres = "".join("        %s => { %s }\n" % (site, ", ".join("a%d => %s" % x for x in enumerate(ips)))
                              for site, ips in name.sites.items())
            resources.append("      r-%s => {\n       map => m-%s,\n       plugin => multifo,\n       dcmap => {\n%s"
                             "       }\n      }\n" % (name.label, name.label, centres))
        for text, resource in self.lined():
            maps.append(text)
            resources.append(resource)
        return "   geoip => {\n     maps => {\n%s     },\n     resources => {\n%s     }\n   }\n" % (
            "".join(maps), "".join(resources))

    def lined(self):
        """Maps and resources of names with weights of each network's own."""
        for w in self.world.lined:
            centres = {net: "dc%d" % i for i, net in enumerate(w.groups)}
            order = [centres[None]] + [dc for net, dc in centres.items() if net is not None]
            nets = " ".join("%s => %s," % (net, dc) for net, dc in centres.items() if net is not None)
            yield "      m-%s => { datacenters => [ %s ], nets => { %s } }\n" % (w.label, ", ".join(order), nets), \
                "      r-%s => { map => m-%s, dcmap => { %s } }\n" % (w.label, w.label, ", ".join(
                    "%s => %%weighted!w-%s-%s" % (dc, w.label, dc) for dc in centres.values()))

    def weighted(self):
        def shares(of):
            return ", ".join("a%d => [ %s, %d ]" % (i, ip, n) for i, (ip, n) in enumerate(of.items()))
        resources = [(w.label, w.shares) for w in self.world.weighted]
        resources += [("%s-dc%d" % (w.label, i), of) for w in self.world.lined for i, of in enumerate(w.groups.values())]
        return "   weighted => {\n%s   }\n" % "".join("     w-%s => { %s }\n" % (label, shares(of)) for label, of in resources)

    def command(self):
        for sub in ("zones", "run", "state", "geoip"):
            os.makedirs(self.path(sub))
        self.write("config", "options => {\n  listen => %s\n  dns_port => %d\n  run_dir => %s\n  state_dir => %s\n"
                   "  udp_threads => 1\n  tcp_threads => 1\n}\nplugins => {\n%s%s}\n" %
                   (self.ip, self.port, self.path("run"), self.path("state"), self.geo(), self.weighted()))
        records = ["%s %d DYNA geoip!r-%s" % (n.label, sw.TTL, n.label) for n in (*self.world.names, *self.world.lined)]
        records += ["%s %d DYNA weighted!w-%s" % (w.label, sw.TTL, w.label) for w in self.world.weighted]
        self.write("zones/" + sw.ZONE.rstrip("."), zone_text(records))
        self.write("state/admin_state", "".join("geoip/r-%s/%s => DOWN\n" % (n.label, s) for n in self.world.names
                                                for s in n.sites if s in self.world.down))
        return [servers.program("gdnsd"), "-c", self.folder, "start"]


class KnotGeoip(servers.Knot):
    name = "knot-geoip"

    def __init__(self, folder, world):
        super().__init__(folder, {})
        self.world = world
        self.zones = {sw.ZONE: self.write("zone", zone_text([
            "%s %d IN A %s" % (n.label, sw.TTL, ip) for n in world.names for ip in n.sites[n.default]] + [
                "%s %d IN A %s" % (w.label, sw.TTL, ip) for w in world.weighted for ip in w.shares]))}

    def views(self):
        """A module has networks or places, not both."""
        out = []
        for name in self.world.names:
            out.append("%s.%s:\n" % (name.label, sw.ZONE))
            for what, site in [("net: %s" % net, site) for net, site in name.nets] + \
                    [('geo: "%s"' % ";".join(place), site) for place, site in name.places.items()]:
                out.append("- %s\n" % what)
                out += ["  A: %s\n" % ip for ip in name.sites[site]]
        return "".join(out)

    def mode(self):
        if not self.world.rows:
            return "subnet"
        mmdb.write(self.path("geo.mmdb"), self.world.rows)
        return "geodb\n    geodb-file: %s\n    geodb-key: [continent/code, country/iso_code, subdivisions/0/iso_code]" % \
            self.path("geo.mmdb")

    def weights(self):
        return "".join("%s.%s:\n" % (w.label, sw.ZONE) +
                       "".join("- weight: %d\n  A: %s\n" % (n, ip) for ip, n in w.shares.items())
                       for w in self.world.weighted)

    def command(self):
        command = super().command()
        with open(self.path("knot.conf")) as f:
            text = f.read().replace("server:\n", "server:\n  edns-client-subnet: on\n", 1)
        modules = [m for m, on in (("geo", self.world.names), ("weighted", self.world.weighted)) if on]
        head = "mod-geoip:\n"
        for module, file, mode in (("geo", self.write("views", self.views()), self.mode()),
                                   ("weighted", self.write("weights", self.weights()), "weighted")):
            if module in modules:
                head += "  - id: %s\n    config-file: %s\n    ttl: %d\n    mode: %s\n" % (module, file, sw.TTL, mode)
        text = text.replace("template:\n", head + "template:\n", 1)
        text += "    module: [%s]\n" % ", ".join("mod-geoip/" + m for m in modules)
        self.write("knot.conf", text)
        return command


def apart(nets):
    """Networks of a site together as lines, as few as can be: those of a line may not lie in each other."""
    out = []
    for net, site in nets:
        for of, group in out:
            if of == site and not any(net.version == x.version and net.overlaps(x) for x in group):
                group.append(net)
                break
        else:
            out.append((site, [net]))
    return out


CONTINENTS = {"EU": "europe", "NA": "north_america", "AS": "asia", "OC": "oceania", "SA": "south_america", "AF": "africa"}


def line_of(place):
    return "_".join(place[1:]).lower() or CONTINENTS[place[0]]


class GtmdSteering(servers.Gtmd):
    def __init__(self, folder, world):
        super().__init__(folder, {})
        self.world = world
        self.zones = {sw.ZONE: self.write("zone", zone_text([]))}

    def site_objects(self, site, ips):
        down = {"mode": "manual", "manual_state": "unavailable"} if site in self.world.down else {}
        for i, ip in enumerate(ips):
            yield "address", "%s-%d" % (site, i), dict({"type": "ipv4", "value": ip}, **down)
        yield "pool", site, {"type": "ipv4", "addresses": [{"address": "%s-%d" % (site, i)} for i in range(len(ips))]}

    def geo_objects(self, name):
        lines = {s: [] for s in name.sites}
        lines[name.default].append(sw.DEFAULT)
        for i, (site, nets) in enumerate(apart(name.nets)):
            line = "%s-n%d" % (name.label, i)
            lines[site].append(line)
            yield "line", line, {"cidrs": [str(net) for net in nets]}
        for place, site in name.places.items():
            lines[site].append(line_of(place))
        for site, ips in name.sites.items():
            yield from self.site_objects(site, ips)
        yield "domain", "%s.%s/A" % (name.label, sw.ZONE.rstrip(".")), {
            "ttl": sw.TTL, "enabled": True, "strategy": "source_nearest",
            "line_failover": "next" if name.next_line else "default",
            "pools": [{"pool": s, "lines": lines[s]} for s in name.sites if lines[s]]}

    def weighted_objects(self, w):
        for i, ip in enumerate(w.shares):
            yield from self.site_objects("%s-s%d" % (w.label, i), [ip])
        yield "domain", "%s.%s/A" % (w.label, sw.ZONE.rstrip(".")), {
            "ttl": sw.TTL, "enabled": True, "strategy": "weight",
            "pools": [{"pool": "%s-s%d" % (w.label, i), "weight": n} for i, n in enumerate(w.shares.values())]}

    def command(self):
        command = super().command()
        if not self.world.rows:
            return command
        mmdb.write(self.path("geo.mmdb"), self.world.rows)
        config = self.write("gtm.yaml", "geo:\n  databases:\n    - file: %s\n" % self.path("geo.mmdb"))
        return command[:1] + ["-c", config] + command[1:]

    def lined_objects(self, w):
        links = []
        for g, (net, shares) in enumerate(w.groups.items()):
            line = sw.DEFAULT if net is None else "%s-l%d" % (w.label, g)
            if net is not None:
                yield "line", line, {"cidrs": [net]}
            for i, (ip, weight) in enumerate(shares.items()):
                pool = "%s-g%d-%d" % (w.label, g, i)
                yield from self.site_objects(pool, [ip])
                links.append({"pool": pool, "weight": weight, "lines": [line]})
        yield "domain", "%s.%s/A" % (w.label, sw.ZONE.rstrip(".")), {
            "ttl": sw.TTL, "enabled": True, "strategy": "weight", "pools": links}

    def load(self):
        super().load()
        objects = [o for n in self.world.names for o in self.geo_objects(n)] + \
            [o for w in self.world.weighted for o in self.weighted_objects(w)] + \
            [o for w in self.world.lined for o in self.lined_objects(w)]
        self.api("POST", "config:apply", json.dumps({"objects": [
            {"kind": k, "name": n, "spec": s} for k, n, s in objects]}))
