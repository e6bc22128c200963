# SPDX-License-Identifier: GPL-3.0-or-later
"""Small databases in MaxMind's format (https://maxmind.github.io/MaxMind-DB/), with a city's records.

    write(path, [(ip_network("192.0.2.0/24"), ("NA", "US", "CA")), ...])

Longer prefixes win. A place is (continent, country) or (continent, country, subdivision). IPv4 stands at ::/96.
"""
import struct

RECORD_BYTES = 4


def _head(kind, size):
    """Kinds above 7 have a byte of their own; so have sizes from 29 on."""
    first = kind << 5 if kind <= 7 else 0
    extra = bytes([kind - 7]) if kind > 7 else b""
    return bytes([first | min(size, 29)]) + extra + (bytes([size - 29]) if size >= 29 else b"")


def _number(kind, n):
    data = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return _head(kind, len(data)) + data


def _value(v):
    if isinstance(v, str):
        return _head(2, len(v.encode())) + v.encode()
    if isinstance(v, dict):
        return _head(7, len(v)) + b"".join(_value(k) + _value(x) for k, x in v.items())
    if isinstance(v, list):
        return _head(11, len(v)) + b"".join(map(_value, v))
    kind, n = v
    return _number({"u16": 5, "u32": 6, "u64": 9}[kind], n)


def _record(place):
    out = {"continent": {"code": place[0]}, "country": {"iso_code": place[1]}}
    if len(place) > 2:
        out["subdivisions"] = [{"iso_code": place[2]}]
    return _value(out)


class _Tree:
    """Nodes are lists of two: a node, an offset into the data, or None."""

    def __init__(self):
        self.root, self.data, self.offsets = [None, None], b"", {}

    def offset(self, place):
        if place not in self.offsets:
            self.offsets[place] = len(self.data)
            self.data += _record(place)
        return self.offsets[place]

    def put(self, net, place):
        """After all shorter prefixes: a leaf in the way is split."""
        bits = net.prefixlen + (96 if net.version == 4 else 0)
        number = int(net.network_address)
        node = self.root
        for i in range(bits - 1):
            side = number >> 127 - i & 1
            if not isinstance(node[side], list):
                node[side] = [node[side], node[side]]
            node = node[side]
        node[number >> 128 - bits & 1] = self.offset(place)

    def nodes(self):
        found, todo = [], [self.root]
        while todo:
            node = todo.pop()
            found.append(node)
            todo += [x for x in node if isinstance(x, list)]
        return found


def write(path, rows):
    tree = _Tree()
    for net, place in sorted(rows, key=lambda row: row[0].prefixlen):
        tree.put(net, place)
    nodes = tree.nodes()
    number = {id(node): i for i, node in enumerate(nodes)}

    def pointer(x):
        return len(nodes) if x is None else number[id(x)] if isinstance(x, list) else len(nodes) + 16 + x
    search = b"".join(struct.pack("!2I", *map(pointer, node)) for node in nodes)
    about = {"binary_format_major_version": ("u16", 2), "binary_format_minor_version": ("u16", 0), "build_epoch": ("u64", 1700000000),
             "database_type": "GeoIP2-City", "description": {"en": "made by a test"}, "ip_version": ("u16", 6), "languages": ["en"],
             "node_count": ("u32", len(nodes)), "record_size": ("u16", 8 * RECORD_BYTES)}
    with open(path, "wb") as f:
        f.write(search + bytes(16) + tree.data + b"\xab\xcd\xefMaxMind.com" + _value(about))
