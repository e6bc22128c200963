# SPDX-License-Identifier: GPL-3.0-or-later
"""What the servers of test_steering_peers.py are given to serve, said once; each of them gets it in its own words.

    World    networks (a line each), sites with their addresses, names steered over them; who is down
    Oracle   who answers a client, and how wide that holds: slow and obvious, by RFC 7871

Everything is drawn from a seed, so a failure comes again.
"""
import dataclasses
import functools
import ipaddress
import random

ZONE = "geo.test."
TTL = 60
DEFAULT = "default"
TOP = {4: 2 ** 32 - 1, 6: 2 ** 128 - 1}
BITS = {4: 32, 6: 128}


@dataclasses.dataclass(eq=False)
class Name:
    label: str
    sites: dict       # {site: [IPv4]}
    nets: list        # [(network, site)]
    default: str      # site of all others
    next_line: bool   # when a site is down its clients go where the network around theirs does; else to the default at once
    places: dict = dataclasses.field(default_factory=dict)  # {(continent, country?, subdivision?): site}, after the networks


@dataclasses.dataclass(eq=False)
class Weighted:
    label: str
    shares: dict  # {IPv4: weight}


@dataclasses.dataclass(eq=False)
class Lined:
    label: str
    groups: dict  # {network, None for all others: {IPv4: weight}}


class World:
    """rows: [(network, (continent, country, subdivision?))], what a data set says; made a file by those who need one."""

    def __init__(self, names, weighted=(), lined=(), down=(), rows=()):
        self.names, self.weighted, self.lined, self.down, self.rows = names, weighted, lined, frozenset(down), rows


def around(place):
    """A place and those that it lies in, closest first."""
    return [place[:n] for n in range(len(place), 0, -1)]


# ---- drawing one ----

def _network(r, version, inside):
    """A random network, below one of `inside` every other time."""
    if inside and r.random() < .6:
        outer = r.choice(inside)
        longest = {4: 32, 6: 64}[version]
        if outer.prefixlen < longest:
            bits = r.randint(outer.prefixlen + 1, longest)
            room = bits - outer.prefixlen
            return ipaddress.ip_network((int(outer.network_address) | r.getrandbits(room) << BITS[version] - bits, bits))
    if version == 4:
        bits = r.choice([4, 8, 9, 12, 15, 16, 16, 20, 22, 24, 24, 25, 28, 30, 32])
        return ipaddress.ip_network((r.getrandbits(bits) << 32 - bits, bits))
    bits = r.choice([16, 24, 29, 32, 32, 36, 40, 44, 48, 48, 56, 60, 64])
    start = 0x20010db8 << 96 if bits >= 32 else 0x2400 << 112
    keep = 32 if bits >= 32 else 12
    return ipaddress.ip_network((start | r.getrandbits(bits - keep) << 128 - bits, bits))


def _has_twin(net, taken):
    """Would it cover another one of the networks together with its other half? gdnsd then does not know which of them wins."""
    outer = net.supernet()
    twin = next(half for half in outer.subnets() if half != net)
    halves = list(net.subnets()) if net.prefixlen < net.max_prefixlen else []
    return outer in taken and twin in taken or bool(halves) and all(half in taken for half in halves)


def _networks(r, version, n, taken):
    out = []
    while len(out) < n:
        net = _network(r, version, out)
        # 0/8 is where IPv6 turns into IPv4 for gdnsd, and 127/8 where our resolvers are
        if net in taken or version == 4 and int(net.network_address) >> 24 in (0, 127) or _has_twin(net, taken):
            continue
        taken.add(net)
        out.append(net)
    return out


def geo_name(r, taken, label, n_sites, n4, n6, next_line=False, resolvers=()):
    """taken: networks of other names, since gtmd has one line for a network."""
    sites = {"%s-s%d" % (label, i): ["198.18.%d.%d" % (r.randrange(256), r.randrange(1, 255))
                                     for _ in range(r.choice([1, 1, 1, 2, 3]))] for i in range(n_sites)}
    names = list(sites)
    nets = [(net, r.choice(names[1:])) for net in _networks(r, 4, n4, taken) + _networks(r, 6, n6, taken)]
    nets += [(ipaddress.ip_network(text), r.choice(names[1:])) for text in resolvers]
    return Name(label, {s: sorted(set(ips)) for s, ips in sites.items()}, nets, names[0], next_line)


PLACES = [("EU", "DE"), ("EU", "FR"), ("EU", "PL"), ("NA", "US", "CA"), ("NA", "US", "NY"), ("NA", "US"), ("NA", "CA"), ("AS", "JP"),
          ("AS", "CN", "ZJ"), ("AS", "CN"), ("OC", "AU"), ("SA", "BR"), ("AF", "ZA")]


def geo_rows(r, n4, n6):
    taken = set()
    return [(net, r.choice(PLACES)) for net in _networks(r, 4, n4, taken) + _networks(r, 6, n6, taken)]


def placed_name(r, taken, label, places, n4=0, n6=0, next_line=False):
    """places: [place], a site each; some sites have networks as well."""
    name = geo_name(r, taken, label, len(places) + 1, n4, n6, next_line)
    name.places = dict(zip(places, list(name.sites)[1:]))
    return name


# ---- who answers ----

class Oracle:
    """One name of a world, seen by a client."""

    def __init__(self, world, name):
        self.world, self.name = world, name
        self.nets = sorted(name.nets, key=lambda n: -n[0].prefixlen)
        self.rows = sorted(world.rows if name.places else [], key=lambda row: -row[0].prefixlen)
        self.edges = {v: self._edges(v) for v in (4, 6)}

    def site(self, version, number):
        address = ipaddress.ip_address(number) if version == 4 else ipaddress.IPv6Address(number)
        order = [site for net, site in self.nets if net.version == version and address in net]
        place = next((place for net, place in self.rows if net.version == version and address in net), ())
        order += [self.name.places[p] for p in around(place) if p in self.name.places]
        for site in order if self.name.next_line else order[:1]:
            if site not in self.world.down:
                return site
        return self.name.default

    def _edges(self, version):
        """Numbers at which somebody else begins to answer; the first is 0."""
        starts = {0}
        for net, _ in self.nets + self.rows:
            if net.version == version:
                starts |= {int(net.network_address), int(net.broadcast_address) + 1}
        out = []
        for n in sorted(starts):
            if n <= TOP[version]:
                site = self.site(version, n)
                if not out or out[-1][1] != site:
                    out.append((n, site))
        return out

    def holds(self, version, number, bits):
        """Is the answer the same for all of the prefix of that length?"""
        size = 1 << BITS[version] - bits
        first = number & ~(size - 1)
        return not any(first < n < first + size for n, _ in self.edges[version])

    @functools.lru_cache(maxsize=None)
    def scope(self, version, number):
        if len(self.edges[4]) == len(self.edges[6]) == 1 and self.edges[4][0][1] == self.edges[6][0][1]:
            return 0
        return next(bits for bits in range(1, BITS[version] + 1) if self.holds(version, number, bits))

    def values(self, version, number):
        return self.name.sites[self.site(version, number)]


# ---- where clients are ----

def wrapped(r, nets, n):
    """IPv4 clients in IPv6: mapped (RFC 4291 2.5.5.2), and by 6to4 (RFC 3056)."""
    starts = [int(net.network_address) for net in nets if net.version == 4]
    for _ in range(n if starts else 0):
        number = r.choice(starts)
        yield 0xffff << 32 | number, 128
        yield 0x2002 << 112 | number << 80, 48


def networks(world, name):
    return [net for net, _ in name.nets] + [net for net, _ in (world.rows if name.places else ())]


def clients(r, nets, version, n):
    """(number, prefix length): at, inside and beside every edge, and anywhere."""
    bits = BITS[version]
    lengths = [0, 8, 16, 20, 22, 23, 24, 25, 28, 32] if version == 4 else [0, 32, 44, 48, 56, 57, 60, 64, 96, 128]
    found = []

    def add(number, length):
        if 0 <= number <= TOP[version] and (version == 6 or number >> 24 not in (0, 127)):
            found.append((number >> bits - length << bits - length, length))
    for net in nets:
        if net.version != version:
            continue
        first, last = int(net.network_address), int(net.broadcast_address)
        for number in (first, last, first - 1, last + 1, r.randint(first, last)):
            for length in {bits, net.prefixlen, min(net.prefixlen + 1, bits), max(net.prefixlen - 1, 1), r.choice(lengths)}:
                add(number, length)
    r.shuffle(found)
    found = found[:n * 3 // 4]
    if version == 6:
        found += list(wrapped(r, nets, n // 20))
    while len(found) < n:
        add(r.getrandbits(32) if version == 4 else 0x2001 << 112 | r.getrandbits(112) if r.random() < .5 else r.getrandbits(128),
            r.choice(lengths))
    return found
