# SPDX-License-Identifier: GPL-3.0-or-later
"""Zone files in and out: stable to the byte, and good in the eyes of BIND, Knot DNS and NSD.

With GTM_LARGE=1 also a zone of 1,000,000 names: what a change in it costs, what its file costs.
"""
import os
import random
import shutil
import statistics
import subprocess
import time

import dns.rdatatype
import pytest

import gtm as harness

HEAD = "$TTL 3600\n@ SOA ns host\\.master 2024010100 7200 900 1209600 300\n@ NS ns\n@ NS ns2.example.net.\nns A 192.0.2.1\n"

TYPES = HEAD + r"""
a A 192.0.2.2
a A 192.0.2.10
aaaa AAAA 2001:db8::1
aaaa AAAA ::ffff:192.0.2.1
cname CNAME a
ptr PTR a.example.org.
hinfo HINFO "a cpu" "an \"os\""
minfo MINFO a b
mx MX 10 a
mx MX 0 .
rp RP host.master txt
afsdb AFSDB 1 a
rt RT 10 a
loc LOC 51 30 12.748 N 0 7 39.611 W 0.00m 1m 10000m 10m
srv SRV 0 5 5060 a
_sip._tcp SRV 65535 65535 65535 .
naptr NAPTR 100 50 "s" "z3950+I2L+I2C" "!^.*$!a!" _z3950._tcp.gatech.edu.
kx KX 10 a
cert CERT PKIX 1 RSASHA256 MxFcby9k/yvedMfQgKzhH5er0Mu/vILz45IkskceFGgiWCn/GxHhai6V
dname DNAME example.org.
apl APL 1:192.0.2.0/24 !1:192.0.2.64/28 2:2001:db8::/32
ds DS 60485 8 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A
ds NS ns.ds
ns.ds A 192.0.2.77
sshfp SSHFP 2 1 123456789abcdef67890123456789abcdef67890
ipseckey IPSECKEY 10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
ipseckey2 IPSECKEY 10 3 2 a AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
dnskey DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==
dhcid DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=
tlsa TLSA 3 1 1 0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3
smimea SMIMEA 3 1 1 0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3
cds CDS 60485 8 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A
openpgpkey OPENPGPKEY mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+
@ CSYNC 66 3 A NS AAAA
spf SPF "v=spf1 -all"
nid NID 10 0014:4fff:ff20:ee64
l32 L32 10 10.1.2.0
l64 L64 10 2001:0DB8:1140:1000
lp LP 10 a
eui48 EUI48 00-00-5e-00-53-2a
eui64 EUI64 00-00-5e-ef-10-00-00-2a
uri URI 10 1 "ftp://ftp1.example.com/public?a=\"b\""
caa CAA 0 issue "ca.example.net; policy=ev"
caa CAA 128 iodef "mailto:x@example.com"
"""

SERVICES = HEAD + r"""
@ HTTPS 1 . alpn=h3,h2 no-default-alpn port=8443 ipv4hint=192.0.2.1,192.0.2.2 ech=AEX+DQ== ipv6hint=2001:db8::1,2001:db8::2
@ HTTPS 2 pool mandatory=alpn,ipv4hint alpn=h2 ipv4hint=192.0.2.9 key65000=abc
alias HTTPS 0 pool
_dns SVCB 1 ns alpn=dot port=853
_8443._foo SVCB 16 foo.example.org. key667="hello\210qoo"
pool A 192.0.2.9
"""

TEXTS = HEAD + "".join([
    'empty TXT ""\n',
    'many TXT "" "a" "" b\n',
    'bytes TXT "%s"\n' % "".join("\\%03d" % i for i in range(256) if i < 255),
    'quotes TXT "say \\"no\\"" back\\\\slash "semi;colon" \\;x\n',
    'blanks TXT "  two  " "\\009tab"\n',
    'long TXT %s\n' % " ".join('"%s"' % (chr(97 + i % 26) * 255) for i in range(40)),
    'dkim._domainkey TXT ( "v=DKIM1; k=rsa; "\n  "p=%s" ) ; a comment\n' % ("A" * 200),
])

NAMES = HEAD + r"""
* A 192.0.2.3
*.sub TXT "below"
a.*.sub A 192.0.2.4
sub.*.x A 192.0.2.4
a\.b A 192.0.2.5
\@ A 192.0.2.6
\$dollar A 192.0.2.7
sp\032ace A 192.0.2.8
q\"uote A 192.0.2.9
semi\;colon A 192.0.2.10
paren\(s\) A 192.0.2.11
nul\000 A 192.0.2.12
high\255\128 A 192.0.2.13
UPPER.Case A 192.0.2.14
under_score._tcp A 192.0.2.15
back\\slash A 192.0.2.16
0123456789 A 192.0.2.17
""" + "x" * 63 + " A 192.0.2.18\n" + ".".join(["y" * 40] * 5) + " A 192.0.2.19\n" + "deep." * 40 + "ent A 192.0.2.20\n" + r"""
target MX 10 a\.b.odd\032name
deleg NS ns.deleg
ns.deleg AAAA 2001:db8::53
glue.below.ns.deleg A 192.0.2.21
1/2.rev PTR a
"""

UNKNOWN = HEAD + r"""
a TYPE4711 \# 4 c0000201
a TYPE65280 \# 0
b TYPE65534 \# 1 00
c TYPE1 \# 4 c0000202
d TYPE99 \# 5 04 61626364
e TYPE300 \# 300 """ + "ab" * 300 + "\n"

TTLS = """$TTL 1w
@ 0 SOA ns host 4294967295 1d 2h3m4s 4w 1
@ NS ns
ns 1h30m IN A 192.0.2.1
ns IN 2147483647 AAAA 2001:db8::1
$ORIGIN deep.%(zone)s.
@ 5 A 192.0.2.1
@ 6 A 192.0.2.2
$TTL 7
b A 192.0.2.1
$GENERATE 1-300/3 h${0,4,x} A 192.0.2.9
"""

NSEC = HEAD + r"""
a NSEC ns A RRSIG NSEC TYPE1234
ns NSEC @ A RRSIG NSEC
ns RRSIG A 13 3 3600 20370101000000 20240101000000 2642 @ aGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd29ybGQhISEhISEh
@ NSEC3PARAM 1 0 1 ab12
@ ZONEMD 2024010100 1 1 %s
cdnskey CDNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==
0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 1 1 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA NSEC3PARAM RRSIG
2t7b4g4vsa5smi47k61mv5bv1a22bojr NSEC3 1 0 0 - 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom
""" % ("ab" * 48)

ZONES = {"types": TYPES, "services": SERVICES, "texts": TEXTS, "names": NAMES, "unknown": UNKNOWN, "ttls": TTLS, "nsec": NSEC}

CHECKERS = {
    "named-checkzone": lambda zone, f: ["-i", "none", "-k", "ignore", "-n", "ignore", "-r", "ignore", zone, f],
    "kzonecheck": lambda zone, f: ["-d", "off", "-o", zone, f],
    "nsd-checkzone": lambda zone, f: [zone, f],
}


def put(gtm, zone, text):
    r = gtm.api("PUT", "zones/%s/file" % zone, text, {"Content-Type": "text/dns"})
    assert r.status in (200, 201), r
    return r.body


def export(gtm, zone):
    r = gtm.api("GET", "zones/%s/file" % zone)
    assert r.status == 200
    return r.body


@pytest.fixture(scope="module")
def shared(shared_world):
    return shared_world.gtm()


def complaint(checker, zone, path):
    program = shutil.which(checker, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if program is None:
        return None
    r = subprocess.run([program] + CHECKERS[checker](zone, path), capture_output=True, text=True, timeout=60)
    return None if r.returncode == 0 else "%s: %s" % (checker, (r.stdout + r.stderr)[-2000:])


@pytest.mark.parametrize("name", ZONES)
def test_round_trip_and_peers(shared, tmp_path, name):
    zone = "%s.example.com" % name
    put(shared, zone, ZONES[name].replace("%(zone)s", zone))
    first = export(shared, zone)
    assert put(shared, zone, first)["changed"] is False
    assert shared.api("DELETE", "zones/" + zone).status in (200, 204)
    lines = first.splitlines(keepends=True)
    shuffled = lines[1:]
    random.Random(1).shuffle(shuffled)
    put(shared, zone, lines[0] + "".join(shuffled))
    assert export(shared, zone) == first, "the order in a file must not matter"
    path = tmp_path / "zone"
    path.write_text(first)
    assert [c for c in (complaint(k, zone, str(path)) for k in CHECKERS) if c] == []


def test_small_change_of_a_large_file(shared):
    """It costs what it changes: the audit log tells which records those were."""
    zone = "partly.example.com"
    text = HEAD + "$GENERATE 1-1000 h$ A 192.0.2.1\n"
    put(shared, zone, text)
    put(shared, zone, text.replace("$GENERATE 1-1000", "new TXT x\nh7 A 192.0.2.7\n$GENERATE 7-999"))
    assert len(shared.must("GET", "audit?limit=1")["items"][0]["diff"].splitlines()) == 10
    out = export(shared, zone)
    assert out.count("\n") == 1000 and "h7\t3600\tIN\tA\t192.0.2.7\n" in out and "h1000" not in out
    assert "2024010101" in out
    assert shared.rdata("h7." + zone) == ["192.0.2.1", "192.0.2.7"] and shared.ask("h6." + zone).rcode() == 3


def ctl(gtm, *args, **kw):
    return subprocess.run([harness.GTMCTL, *args, "--socket", os.path.join(gtm.dir, "control.sock")],
                          capture_output=True, text=True, timeout=60, **kw)


def test_gtmctl_includes_and_places(shared, tmp_path):
    (tmp_path / "inc").mkdir()
    (tmp_path / "main").write_text(HEAD + "$INCLUDE inc/hosts in\n\tTXT x\nlast A 192.0.2.9\n")
    (tmp_path / "inc" / "hosts").write_text("$GENERATE 1-2 h$ A 192.0.2.$\n$INCLUDE more\n")
    (tmp_path / "inc" / "more").write_text("m A 192.0.2.3")
    zone = "inc.example.com"
    assert ctl(shared, "zone", "check", "main", "--origin", zone, cwd=tmp_path).returncode == 0
    r = ctl(shared, "zone", "import", zone, "main", cwd=tmp_path)
    assert r.returncode == 0, r
    text = ctl(shared, "zone", "export", zone).stdout
    assert text == export(shared, zone)
    for line in ("h2.in\t3600\tIN\tA\t192.0.2.2", "m.in\t3600\tIN\tA\t192.0.2.3", 'ns\t3600\tIN\tTXT\t"x"', "last\t"):
        assert "\n" + line in text
    # What is wrong is told alike with and without the server, in the file where it is; the zone stays.
    (tmp_path / "inc" / "more").write_text("m A 192.0.2.3\n\nm CNAME x\nn A 1.2.3\n")
    wrong = ["inc/more:4: ", "inc/more:3: a CNAME"]
    for args in (["check", "main", "--origin", zone], ["import", zone, "main"]):
        r = ctl(shared, "zone", *args, cwd=tmp_path)
        assert r.returncode == 1 and wrong[0] in r.stderr and "\033" not in r.stderr, r
        (tmp_path / "inc" / "more").write_text("m A 192.0.2.3\n\nm CNAME x\n")
        r = ctl(shared, "zone", *args, cwd=tmp_path)
        assert r.returncode == 1 and wrong[1] in r.stderr, r
        (tmp_path / "inc" / "more").write_text("m A 192.0.2.3\n\nm CNAME x\nn A 1.2.3\n")
    assert export(shared, zone) == text
    r = shared.api("PUT", "zones/%s/file" % zone, HEAD + "$INCLUDE x\n", {"Content-Type": "text/dns"})
    assert r.status == 422 and r.body["errors"][0]["pointer"] == "line 6" and "gtmctl" in r.body["errors"][0]["detail"], r


def test_changes_while_the_journal_is_rewritten(world):
    """An import makes the engine write its journal anew, beside its work. Nothing of meanwhile may be lost with it."""
    gtm = world.gtm()
    connection, _ = gtm.connect(False)
    for turn in range(3):
        put(gtm, "big.example", HEAD + "$GENERATE 1-50000 h$ A 10.%d.0.1\n" % turn)
        for i in range(40):
            r = gtm.api("PUT", "zones/big.example/rrsets/t%d-%d/TXT" % (turn, i), {"ttl": 60, "records": [str(i)]},
                        keep=connection)
            assert r.status == 201, r
        if turn == 0:
            gtm.api("DELETE", "zones/big.example")
    gtm.restart(harness.signal.SIGKILL)
    assert gtm.rdata("h50000.big.example") == ["10.2.0.1"]
    assert [gtm.rdata("t2-%d.big.example" % i, "TXT") for i in range(40)] == [['"%d"' % i] for i in range(40)]
    assert gtm.ask("t1-7.big.example", "TXT").rcode() == 3


# ---- a million names ----

COUNT = int(os.environ.get("GTM_LARGE_NAMES", "1000000"))


def peak_mb(gtm):
    out = {}
    for name in ("engine", "control"):
        with open("/proc/%d/status" % gtm.pid(name)) as f:
            out[name] = int(next(line for line in f if line.startswith("VmHWM")).split()[1]) >> 10
    return out


def visible(gtm, name, address):
    return harness.eventually(lambda: any(r.startswith(address) for r in gtm.rdata(name)), timeout=120, every=0.0005)


@pytest.mark.skipif(not os.environ.get("GTM_LARGE"), reason="GTM_LARGE=1 runs it")
def test_large_zone(world, tmp_path):
    gtm = world.gtm()
    path = tmp_path / "big.zone"
    with open(path, "w") as f:
        f.write("$ORIGIN big.example.\n" + HEAD)
        f.writelines("h%07d A 10.%d.%d.%d\n" % (i, i >> 16 & 255, i >> 8 & 255, i & 255) for i in range(COUNT))
    start = time.monotonic()
    r = ctl(gtm, "zone", "import", "big.example", str(path))
    assert r.returncode == 0, r
    took = time.monotonic() - start
    visible(gtm, "h%07d.big.example" % (COUNT - 1), "10.")
    print("import: %.1f s, served after %.1f s, peak MB %s" % (took, time.monotonic() - start, peak_mb(gtm)))
    connection, _ = gtm.connect(False)
    durable, served = [], []
    for i in range(200):
        n, address = i * 4999 % COUNT, "192.0.2.%d" % (i + 1)
        start = time.perf_counter()
        r = gtm.api("PUT", "zones/big.example/rrsets/h%07d/A" % n, {"ttl": 60, "records": [address]}, keep=connection)
        assert r.status == 200, r
        assert i == 0 or r.headers["GTM-Applied"] == "1", "the first waits for the end of the import"
        durable.append(1000 * (time.perf_counter() - start))
        visible(gtm, "h%07d.big.example" % n, address)
        served.append(1000 * (time.perf_counter() - start))
    print("put of one record, ms: first %.1f, then median %.1f, worst %.1f; until seen: median %.1f, worst %.1f" % (
        durable[0], statistics.median(durable), max(durable[1:]), statistics.median(served), max(served[1:])))
    start = time.monotonic()
    text = export(gtm, "big.example")
    print("export: %.1f s for %d MB, peak MB %s" % (time.monotonic() - start, len(text) >> 20, peak_mb(gtm)))
    assert text.count("\n") == COUNT + 5
    assert statistics.median(served) < 20 * harness.SLOW
