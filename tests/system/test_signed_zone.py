# SPDX-License-Identifier: GPL-3.0-or-later
"""A pre-signed zone goes out as it came in: by AXFR, by IXFR, as a file, and to a validating secondary."""
import re
import subprocess

import dns.rdatatype
import dns.zone
import pytest

import secondary
from gtm import eventually, zone_text
from test_transfer_out import ANY, Z, messages, request, serial

# TTLs that differ at one name, so that its signatures differ, too.
RECORDS = """
many 60   IN A    192.0.2.1
many 3600 IN TXT  "longer"
many 7200 IN AAAA 2001:db8::1
*.wild 30 IN TXT  "wild"
cut       IN NS   ns.elsewhere.example.
"""

pytestmark = pytest.mark.skipif(not secondary.program("dnssec-signzone"), reason="not installed")


@pytest.fixture(scope="module")
def sign(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sign")

    def run(*command):
        done = subprocess.run([secondary.program(command[0]), *command[1:]], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    for how in (["-f", "KSK"], []):
        run("dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", *how, Z)

    def sign(text, *how):
        with open(folder / "plain", "w") as f:
            f.write(text)
        run("dnssec-signzone", "-q", "-S", "-o", Z, "-O", "full", "-f", "signed", *how, "plain")
        with open(folder / "signed") as f:
            return f.read()
    return sign


def records(gtm, q):
    return [rr for m in messages(gtm, q) for rr in m.answer]


def signatures(rrs):
    return [rr for rr in rrs if rr.rdtype == dns.rdatatype.RRSIG]


def check_ttls(rrs):
    ttls = {(rr.name, rr.rdtype): rr.ttl for rr in rrs}
    found = signatures(rrs)
    for rr in found:
        assert rr.ttl == ttls[rr.name, rr[0].type_covered], rr
    assert {rr.ttl for rr in found if rr.name.labels[0] == b"many"} == {60, 3600, 7200}
    return found


@pytest.mark.parametrize("how", ([], ["-3", "aabb", "-H", "1"]), ids=("nsec", "nsec3"))
def test_each_signature_has_the_ttl_of_what_it_covers(gtm, sign, how):
    gtm.zone(Z, sign(zone_text(more=RECORDS), *how))
    gtm.patch("zones/" + Z, transfer=ANY)
    rrs = records(gtm, request("AXFR"))
    if not how:
        assert len(check_ttls(rrs)) > 15
    assert all(rr.ttl == rr[0].original_ttl for rr in signatures(rrs))

    text = gtm.must("GET", "zones/%s/file" % Z)
    written = dns.zone.from_text(text, origin=Z, relativize=False, check_origin=False)
    assert sorted((str(n), t.ttl, r.to_text()) for n, t in written.iterate_rdatasets() for r in t) == sorted(
        (rr.name.to_text(), rr.ttl, rr[0].to_text()) for rr in rrs[1:])
    before = serial(gtm)
    gtm.zone(Z, text)
    assert serial(gtm) == before, "an export is what there is"


def test_signatures_in_differences(world, gtm, sign, tmp_path):
    # So many that the next file is taken for a few changes.
    first = sign(zone_text(more=RECORDS + "".join("h%d IN A 192.0.2.1\n" % i for i in range(400))))
    gtm.zone(Z, first)
    old = serial(gtm)
    peers = [kind(tmp_path, gtm, [Z]).start() for kind in secondary.PEERS if kind.name != "knot"]
    for p in peers:
        world.finally_(p.stop)
    gtm.patch("zones/" + Z, transfer=ANY, notify=[p.notify_spec() for p in peers])
    for p in peers:
        p.until_serial(Z, serial(gtm))
    # Signatures that still hold are kept by the signer.
    text = re.sub(r"(?m)^(many\.\S+)\s+60\s+IN\s+A\s", r"\1 90 IN A ", first)
    text = re.sub(r"(hostmaster\.\S+) %d " % old, r"\1 %d " % (old + 1), text)
    assert text != first
    gtm.zone(Z, sign(text + "new.%s. 10 IN A 192.0.2.9\n" % Z))
    rrs = records(gtm, request("IXFR", old))
    assert rrs[1].rdtype == dns.rdatatype.SOA, "differences"
    assert all(rr.ttl == rr[0].original_ttl for rr in signatures(rrs))
    many = {(rr.ttl, dns.rdatatype.to_text(rr[0].type_covered)) for rr in signatures(rrs) if rr.name.labels[0] == b"many"}
    assert {(60, "A"), (90, "A")} <= many
    whole = {(rr.name, rr.ttl, rr[0].to_text()) for rr in records(gtm, request("AXFR"))}
    for p in peers:
        p.until_serial(Z, serial(gtm))
        eventually(lambda p=p: len(p.records("new." + Z, "A")) == 1)
        got = {(rr.name, rr.ttl, rd.to_text()) for name in ("many", "new", "@") for rdtype in ("A", "TXT", "AAAA", "SOA")
               for rr in p.ask(Z if name == "@" else "%s.%s" % (name, Z), rdtype).answer for rd in rr}
        assert got and got <= whole
