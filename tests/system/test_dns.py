# SPDX-License-Identifier: GPL-3.0-or-later
"""What an authoritative server says on the wire, without any steering."""
import socket
import struct

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import pytest

from gtm import zone_text

BIG = "\n".join("big IN TXT \"%s\"" % (chr(97 + i % 26) * 200 + str(i)) for i in range(40))
MEDIUM = "\n".join("medium IN A 203.0.113.%d" % i for i in range(1, 51))
RECORDS = """
alias      IN CNAME www
alias2     IN CNAME alias
outside    IN CNAME www.elsewhere.test.
across     IN CNAME www.other.test.
loop1      IN CNAME loop2
loop2      IN CNAME loop1
dangling   IN CNAME nowhere
*.wild     IN A 192.0.2.7
*.wild     IN TXT "wildcard"
known.wild IN TXT "known"
*.walias   IN CNAME www
a.b.ent    IN A 192.0.2.8
sub        IN NS ns.sub
sub        IN NS ns.elsewhere.test.
ns.sub     IN A 192.0.2.9
ns.sub     IN AAAA 2001:db8::9
sub        IN DS 12345 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE2A2C3E1F5E4E7D2C0F6A1B2C
mail       IN MX 10 www
typeless   IN TYPE65280 \\# 3 abcdef
""" + BIG + "\n" + MEDIUM
Z = "cloud-example.com."


@pytest.fixture(scope="module")
def gtm(shared_world):
    g = shared_world.gtm()
    g.zone("cloud-example.com", zone_text(more=RECORDS))
    g.zone("other.test", zone_text("other.test"))
    return g


def rdata(section, rdtype=None):
    return sorted(rd.to_text() for rrset in section for rd in rrset
                  if rdtype is None or rrset.rdtype == dns.rdatatype.from_text(rdtype))


def assert_negative(r, rcode, ttl=60):
    assert r.rcode() == rcode
    assert r.flags & dns.flags.AA
    assert [rr.rdtype for rr in r.authority] == [dns.rdatatype.SOA]
    assert r.authority[0].ttl == ttl, "negative TTL is min(SOA TTL, minimum)"


@pytest.mark.parametrize("tcp", [False, True])
def test_positive(gtm, tcp):
    r = gtm.ask("www.cloud-example.com", tcp=tcp)
    assert r.rcode() == dns.rcode.NOERROR
    assert r.flags & dns.flags.AA and r.flags & dns.flags.QR and not r.flags & dns.flags.RA
    assert rdata(r.answer) == ["192.0.2.80"]
    assert r.answer[0].ttl == 300


def test_recursion_desired_is_copied(gtm):
    assert gtm.ask("www.cloud-example.com", flags=dns.flags.RD).flags & dns.flags.RD
    assert not gtm.ask("www.cloud-example.com").flags & dns.flags.RD


def test_names_compare_without_case_and_the_question_is_echoed(gtm):
    q = dns.message.make_query("wWw.CLOUD-example.Com", "A")
    r = dns.query.udp(q, gtm.ip, port=gtm.dns[1], timeout=3)
    assert rdata(r.answer) == ["192.0.2.80"]
    assert r.question[0].name.to_text() == "wWw.CLOUD-example.Com."
    assert r.answer[0].name.to_text() == "wWw.CLOUD-example.Com."


@pytest.mark.parametrize("name", ["www.cloud-example.com", "ent.cloud-example.com", "b.ent.cloud-example.com",
                                  "x.wild.cloud-example.com", "known.wild.cloud-example.com", "cloud-example.com"])
def test_nodata(gtm, name):
    r = gtm.ask(name, "SRV")
    assert_negative(r, dns.rcode.NOERROR)
    assert not r.answer


def test_nodata_where_a_name_beats_the_wildcard(gtm):
    assert_negative(gtm.ask("known.wild.cloud-example.com", "A"), dns.rcode.NOERROR)


@pytest.mark.parametrize("name", ["nope.cloud-example.com", "x.www.cloud-example.com", "x.ent.cloud-example.com",
                                  "x.known.wild.cloud-example.com"])
def test_nxdomain(gtm, name):
    r = gtm.ask(name)
    assert_negative(r, dns.rcode.NXDOMAIN)
    assert not r.answer


def test_wildcard(gtm):
    for name in ("x.wild.cloud-example.com", "a.b.c.wild.cloud-example.com"):
        r = gtm.ask(name)
        assert rdata(r.answer) == ["192.0.2.7"]
        assert r.answer[0].name.to_text() == name + "."


def test_cname_chain(gtm):
    r = gtm.ask("alias2.cloud-example.com")
    assert [(rr.name.to_text(), dns.rdatatype.to_text(rr.rdtype)) for rr in r.answer] == [
        ("alias2." + Z, "CNAME"), ("alias." + Z, "CNAME"), ("www." + Z, "A")]
    assert rdata(r.answer, "A") == ["192.0.2.80"]


def test_cname_asked_for_itself(gtm):
    r = gtm.ask("alias.cloud-example.com", "CNAME")
    assert rdata(r.answer) == ["www." + Z]


def test_cname_into_another_hosted_zone(gtm):
    assert rdata(gtm.ask("across.cloud-example.com").answer, "A") == ["192.0.2.80"]


def test_cname_out_of_every_hosted_zone(gtm):
    r = gtm.ask("outside.cloud-example.com")
    assert r.rcode() == dns.rcode.NOERROR
    assert rdata(r.answer) == ["www.elsewhere.test."]


def test_cname_to_nothing_is_nxdomain_of_the_target(gtm):
    r = gtm.ask("dangling.cloud-example.com")
    assert rdata(r.answer) == ["nowhere." + Z]
    assert r.rcode() == dns.rcode.NXDOMAIN
    assert [rr.rdtype for rr in r.authority] == [dns.rdatatype.SOA]


def test_cname_loop_ends(gtm):
    r = gtm.ask("loop1.cloud-example.com")
    assert {rr.rdtype for rr in r.answer} == {dns.rdatatype.CNAME}


def test_cname_from_a_wildcard(gtm):
    r = gtm.ask("any.walias.cloud-example.com")
    assert r.answer[0].name.to_text() == "any.walias." + Z
    assert rdata(r.answer, "A") == ["192.0.2.80"]


@pytest.mark.parametrize("name", ["sub.cloud-example.com", "deep.er.sub.cloud-example.com", "ns.sub.cloud-example.com"])
def test_delegation_with_glue(gtm, name):
    r = gtm.ask(name)
    assert r.rcode() == dns.rcode.NOERROR
    assert not r.flags & dns.flags.AA and not r.answer
    assert rdata(r.authority, "NS") == ["ns.elsewhere.test.", "ns.sub." + Z]
    assert rdata(r.additional, "A") == ["192.0.2.9"] and rdata(r.additional, "AAAA") == ["2001:db8::9"]


def test_ds_at_the_cut_is_the_parents(gtm):
    r = gtm.ask("sub.cloud-example.com", "DS")
    assert r.flags & dns.flags.AA
    assert len(rdata(r.answer, "DS")) == 1


def test_apex(gtm):
    assert len(rdata(gtm.ask("cloud-example.com", "SOA").answer, "SOA")) == 1
    r = gtm.ask("cloud-example.com", "NS")
    assert rdata(r.answer) == ["ns1." + Z, "ns2." + Z]
    assert rdata(r.additional, "A") == ["192.0.2.53", "192.0.2.54"]


def test_additional_of_mx(gtm):
    r = gtm.ask("mail.cloud-example.com", "MX")
    assert rdata(r.answer) == ["10 www." + Z]
    assert rdata(r.additional, "A") == ["192.0.2.80"]


def test_unknown_type_passes(gtm):
    r = gtm.ask("typeless.cloud-example.com", "TYPE65280")
    assert rdata(r.answer) == ["\\# 3 abcdef"]


def test_any_is_minimal(gtm):
    r = gtm.ask("www.cloud-example.com", "ANY")
    assert r.rcode() == dns.rcode.NOERROR
    assert len(r.answer) == 1, "RFC 8482: one record set"


@pytest.mark.parametrize("name", ["example.org", ".", "com", "xcloud-example.com"])
def test_not_ours_is_refused(gtm, name):
    r = gtm.ask(name)
    assert r.rcode() == dns.rcode.REFUSED
    assert not r.flags & dns.flags.AA and not r.answer and not r.authority


def test_edns_in_edns_out(gtm):
    assert gtm.ask("www.cloud-example.com").edns == -1
    r = gtm.ask("www.cloud-example.com", edns=True, payload=4096)
    assert r.edns == 0 and r.payload == 1232
    assert gtm.ask("www.cloud-example.com", edns=True, want_dnssec=True).ednsflags & dns.flags.DO


def test_unknown_edns_option_is_ignored(gtm):
    r = gtm.ask("www.cloud-example.com", edns=True, options=[dns.edns.GenericOption(65001, b"hello")])
    assert rdata(r.answer) == ["192.0.2.80"] and not r.options


def test_badvers(gtm):
    r = gtm.ask("www.cloud-example.com", edns=1)
    assert r.rcode() == dns.rcode.BADVERS and not r.answer
    assert r.edns == 0


def raw(gtm, wire, timeout=1.0):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.connect(gtm.dns)
        s.send(wire)
        try:
            return s.recv(65535)
        except socket.timeout:
            return None


def test_two_opt_records_are_a_format_error(gtm):
    wire = bytearray(dns.message.make_query("www.cloud-example.com", "A", use_edns=0).to_wire())
    wire[10:12] = struct.pack("!H", 2)
    wire += wire[-11:]
    assert dns.message.from_wire(raw(gtm, bytes(wire))).rcode() == dns.rcode.FORMERR


def test_two_questions_are_a_format_error(gtm):
    q = dns.message.make_query("www.cloud-example.com", "A").to_wire()
    wire = q[:4] + struct.pack("!H", 2) + q[6:] + q[12:]
    r = raw(gtm, wire)
    assert r[3] & 15 == dns.rcode.FORMERR


def test_unknown_opcode(gtm):
    q = dns.message.make_query("www.cloud-example.com", "A")
    q.set_opcode(dns.opcode.STATUS)
    assert raw(gtm, q.to_wire())[3] & 15 == dns.rcode.NOTIMP


def test_a_response_gets_no_answer(gtm):
    q = dns.message.make_query("www.cloud-example.com", "A")
    q.flags |= dns.flags.QR
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(3)
        s.connect(gtm.dns)
        s.send(q.to_wire())
        s.send(b"x")  # too short for a header
        after = dns.message.make_query("www.cloud-example.com", "A")
        s.send(after.to_wire())
        assert dns.message.from_wire(s.recv(4096)).id == after.id


def test_other_class_is_refused(gtm):
    assert gtm.ask("www.cloud-example.com", rdclass="HS").rcode() == dns.rcode.REFUSED


def test_truncation_and_retry_over_tcp(gtm):
    for edns, payload in ((False, 0), (True, 512), (True, 1232), (True, 4096)):
        r = gtm.ask("big.cloud-example.com", "TXT", edns=edns, payload=payload)
        assert r.flags & dns.flags.TC
    r = gtm.ask("big.cloud-example.com", "TXT", tcp=True)
    assert not r.flags & dns.flags.TC
    assert len(rdata(r.answer)) == 40


def test_what_fits_edns_but_not_512(gtm):
    assert gtm.ask("medium.cloud-example.com").flags & dns.flags.TC
    r = gtm.ask("medium.cloud-example.com", edns=True)
    assert not r.flags & dns.flags.TC and len(rdata(r.answer)) == 50
    assert len(r.to_wire()) <= 1232


def read_exactly(s, n):
    data = b""
    while len(data) < n:
        chunk = s.recv(n - len(data))
        assert chunk, "connection closed after %d of %d bytes" % (len(data), n)
        data += chunk
    return data


def test_tcp_pipelining(gtm):
    """A hundred questions in one segment, one of them in pieces; every answer comes, each to its id."""
    names = ["www.cloud-example.com", "nope.cloud-example.com", "x.wild.cloud-example.com", "big.cloud-example.com"]
    queries = {}
    stream = b""
    for i in range(100):
        q = dns.message.make_query(names[i % len(names)], "TXT" if i % 4 == 3 else "A", id=1000 + i)
        queries[q.id] = q
        stream += struct.pack("!H", len(q.to_wire())) + q.to_wire()
    with socket.create_connection(gtm.dns, timeout=5) as s:
        s.sendall(stream[:1001])
        s.sendall(stream[1001:])
        for _ in range(len(queries)):
            r = dns.message.from_wire(read_exactly(s, struct.unpack("!H", read_exactly(s, 2))[0]))
            q = queries.pop(r.id)
            assert r.question == q.question
            assert r.rcode() == (dns.rcode.NXDOMAIN if "nope" in str(q.question[0]) else dns.rcode.NOERROR)
    assert not queries


def test_tcp_message_of_zero_length_does_not_hurt_others(gtm):
    with socket.create_connection(gtm.dns, timeout=5) as s:
        s.sendall(b"\0\0")
        assert rdata(gtm.ask("www.cloud-example.com", tcp=True).answer) == ["192.0.2.80"]


def test_rrset_put_and_delete(gtm):
    gtm.must("PUT", "zones/cloud-example.com/rrsets/extra/A", {"ttl": 77, "records": ["192.0.2.90", "192.0.2.91"]})
    r = gtm.ask("extra.cloud-example.com")
    assert rdata(r.answer) == ["192.0.2.90", "192.0.2.91"] and r.answer[0].ttl == 77
    gtm.delete("zones/cloud-example.com/rrsets/extra/A")
    assert gtm.ask("extra.cloud-example.com").rcode() == dns.rcode.NXDOMAIN


def test_serial_moves_with_every_change(gtm):
    def serial():
        return gtm.ask("cloud-example.com", "SOA").answer[0][0].serial
    before = serial()
    gtm.must("PUT", "zones/cloud-example.com/rrsets/serial/TXT", {"ttl": 5, "records": ["\"x\""]})
    assert 0 < (serial() - before) & 0xffffffff < 1 << 31


def test_zone_file_round_trip(gtm):
    text = gtm.must("GET", "zones/other.test/file")
    gtm.zone("copy.test", text.replace("other.test", "copy.test"))
    assert gtm.rdata("www.copy.test") == ["192.0.2.80"]
    assert gtm.rdata("www.copy.test", "TXT") == ['"from the zone"']


def test_zone_replaced_whole(gtm):
    gtm.zone("swap.test", zone_text("swap.test", "old IN A 192.0.2.1"))
    gtm.zone("swap.test", zone_text("swap.test", "new IN A 192.0.2.2"))
    assert gtm.ask("old.swap.test").rcode() == dns.rcode.NXDOMAIN
    assert gtm.rdata("new.swap.test") == ["192.0.2.2"]


def test_zone_made_empty_and_deleted(gtm):
    gtm.put("zones/empty.test", {"nameservers": ["ns1.cloud-example.com"]})
    assert gtm.ask("empty.test", "SOA").flags & dns.flags.AA
    assert gtm.rdata("empty.test", "NS") == ["ns1." + Z]
    gtm.delete("zones/empty.test")
    assert gtm.ask("empty.test", "SOA").rcode() == dns.rcode.REFUSED
