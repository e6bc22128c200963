# SPDX-License-Identifier: GPL-3.0-or-later
"""A real data set, as `./dev geodata` fetches it, against readers of our own: a small one of MaxMind's format, and bisection
over the rows. Kept between runs in OPENGTM_GEODATA (else the user's cache); skipped only if it cannot be had."""
import bisect
import csv
import ipaddress
import os
import random
import subprocess
import time

import dns.edns
import pytest

from gtm import ROOT, eventually, zone_text

FOLDER = os.environ.get("OPENGTM_GEODATA") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "opengtm", "geodata")
FILES = [os.path.join(FOLDER, name) for name in ("geo-whois-asn-country.mmdb", "asn-ipv4.csv", "asn-ipv6.csv")]
NETWORKS = {4134: "telecom", 4837: "unicom", 9808: "mobile", 4812: "telecom_sh", 15169: "search_google",
            16509: "cloud_aws", 8075: "cloud_azure", 37963: "cloud_aliyun", 45090: "cloud_tencent"}


@pytest.fixture(scope="module")
def files():
    if not all(os.path.exists(f) for f in FILES):
        r = subprocess.run([os.path.join(ROOT, "dev"), "geodata", FOLDER], capture_output=True, text=True)
        if r.returncode != 0:
            pytest.skip("the npm registry does not give the data set: " + r.stderr.strip()[-200:])
    return FILES


class Mmdb:
    """As much of the format as the country set needs."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.bytes = f.read()
        meta, _ = self.value(self.bytes.rindex(b"\xab\xcd\xefMaxMind.com") + 14, 0)
        self.nodes, self.size, self.version = meta["node_count"], meta["record_size"], meta["ip_version"]
        self.data = self.nodes * self.size // 4 + 16

    def value(self, at, base):
        control = self.bytes[at]
        at += 1
        kind, size = control >> 5, control & 31
        if kind == 1:
            extra = size >> 3
            n = int.from_bytes(self.bytes[at:at + extra + 1], "big")
            n += ((size & 7) << 8 * (extra + 1) if extra < 3 else 0) + (0, 2048, 526336, 0)[extra]
            return self.value(base + n, base)[0], at + extra + 1
        if kind == 0:
            kind = self.bytes[at] + 7
            at += 1
        if size >= 29:
            extra = size - 28
            size = (29, 285, 65821)[extra - 1] + int.from_bytes(self.bytes[at:at + extra], "big")
            at += extra
        if kind == 7:
            out = {}
            for _ in range(size):
                key, at = self.value(at, base)
                out[key], at = self.value(at, base)
            return out, at
        if kind == 11:
            out = []
            for _ in range(size):
                item, at = self.value(at, base)
                out.append(item)
            return out, at
        raw = self.bytes[at:at + size]
        return (raw.decode() if kind == 2 else int.from_bytes(raw, "big")), at + size

    def record(self, node, bit):
        at = node * self.size // 4
        raw = self.bytes[at:at + self.size // 4]
        if self.size == 28:
            half = raw[3] >> 4 if bit == 0 else raw[3] & 15
            return half << 24 | int.from_bytes(raw[:3] if bit == 0 else raw[4:], "big")
        return int.from_bytes(raw[:self.size // 8] if bit == 0 else raw[self.size // 8:], "big")

    def country(self, ip):
        node = 0
        number = int(ip)
        width = 128 if self.version == 6 else 32
        for i in range(width):
            node = self.record(node, number >> (width - 1 - i) & 1)
            if node >= self.nodes:
                break
        return None if node == self.nodes else self.value(self.data - 16 + node - self.nodes, self.data)[0]["country_code"]


class Rows:
    """first, last, number of an AS; ascending and apart."""

    def __init__(self, path):
        with open(path, newline="") as f:
            rows = [(int(ipaddress.ip_address(r[0])), int(ipaddress.ip_address(r[1])), int(r[2])) for r in csv.reader(f)]
        self.rows = sorted(rows)
        self.firsts = [r[0] for r in self.rows]

    def asn(self, ip):
        i = bisect.bisect_right(self.firsts, int(ip)) - 1
        return self.rows[i][2] if i >= 0 and self.rows[i][1] >= int(ip) else 0

    def draw(self, rng, version):
        first, last, _ = rng.choice(self.rows)
        return (ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address)(rng.randint(first, last))


def test_a_real_data_set(world, tmp_path, files):
    config = tmp_path / "gtm.yaml"
    config.write_text("geo:\n  max_age_days: 0\n  databases:\n" + "".join("    - file: %s\n" % f for f in files))
    g = world.gtm(start=False, args=["-c", str(config)])
    g.start()
    status = g.get("line-tree?q=nothing-at-all").body["geo"]
    assert "problem" not in status and len(status["databases"]) == 3
    metrics = dict(line.rsplit(" ", 1) for line in g.get("/metrics").body.splitlines() if line.startswith("gtm_geoip"))
    assert float(metrics["gtm_geoip_ranges_ipv4"]) > 200000 and float(metrics["gtm_geoip_ranges_ipv6"]) > 100000

    rng = random.Random(4)
    countries = Mmdb(files[0])
    seen = set()
    for version, n in (4, 900), (6, 400):
        rows = Rows(files[version // 2 - 1])
        for _ in range(n):
            ip = rows.draw(rng, version)
            lines = {line["line"] for line in g.must("POST", "lines:locate", {"ip": str(ip)})["lines"]}
            want = (countries.country(ip) or "").lower()
            assert not want or want in lines or want in ("eu", "ap", "zz"), (ip, want, lines)
            assert ("oversea" in lines) == bool(want and want != "cn"), (ip, lines)
            network = NETWORKS.get(rows.asn(ip))
            assert network is None or network in lines, (ip, rows.asn(ip), lines)
            seen |= lines
    assert {"cn", "us", "asia", "europe", "oversea", "cloud_aws"} <= seen

    # A start with what was kept needs no reading.
    began = time.monotonic()
    g.restart()
    print("start with what was kept: %.2f s" % (time.monotonic() - began))
    assert g.must("POST", "lines:locate", {"ip": "8.8.8.8"})["lines"][0]["line"] == "search_google"
    assert "data sets read" not in g.log(since_start=True)


def test_answers_by_a_real_data_set(world, tmp_path, files):
    config = tmp_path / "gtm.yaml"
    config.write_text("geo:\n  databases:\n" + "".join("    - file: %s\n" % f for f in files))
    g = world.gtm(args=["-c", str(config)])
    g.zone("cloud-example.com", zone_text())
    sites = {"google": "203.0.113.1", "cn": "203.0.113.2", "else": "203.0.113.3"}
    for site, ip in sites.items():
        g.put("addresses/" + site, {"type": "ipv4", "value": ip})
        g.put("pools/" + site, {"type": "ipv4", "addresses": [{"address": site}]})
    g.put("domains/www.cloud-example.com/A", {"enabled": True, "strategy": "source_nearest", "pools": [
        {"pool": "google", "lines": ["search_google"]}, {"pool": "cn", "lines": ["cn"]}, {"pool": "else"}]})

    def ask(network, bits):
        r = g.ask("www.cloud-example.com", edns=0, options=[dns.edns.ECSOption(network, bits)])
        return r.answer[0][0].to_text()

    eventually(lambda: ask("8.8.8.0", 24) == sites["google"])
    assert ask("2001:4860:4860::", 48) == sites["google"]
    assert ask("1.0.1.0", 24) == sites["cn"]
    assert ask("192.0.2.0", 24) == sites["else"]
