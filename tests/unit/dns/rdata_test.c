/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dns/rdata.h"
#include "dns/rrtype.h"

static const struct {
	const char *type, *text;
} rows[] = {
	{ "A", "192.0.2.1" },
	{ "AAAA", "2001:db8::1" },
	{ "NS", "ns" },
	{ "CNAME", "www.example.net." },
	{ "SOA", "ns hostmaster 2026010100 1d 2h 4w 300" },
	{ "PTR", "host.example.net." },
	{ "HINFO", "\"x86\" \"Linux box\"" },
	{ "MX", "10 mail" },
	{ "TXT", "\"v=spf1 -all\" \"a\\\"b\\000\\255\" \"\"" },
	{ "RP", "admin txt" },
	{ "AFSDB", "1 db" },
	{ "LOC", "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m" },
	{ "SRV", "1 2 5060 sip" },
	{ "NAPTR", "100 10 \"u\" \"E2U+sip\" \"!^.*$!sip:info@example.com!\" ." },
	{ "KX", "10 kx" },
	{ "CERT", "PKIX 1 RSASHA256 AQIDBA==" },
	{ "DNAME", "example.org." },
	{ "APL", "1:192.168.32.0/21 !1:192.168.38.0/28" },
	{ "DS", "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118" },
	{ "SSHFP", "4 2 123456789ABCDEF67890123456789ABCDEF67890123456789ABCDEF123456789" },
	{ "IPSECKEY", "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==" },
	{ "RRSIG", "A 13 3 3600 20300101000000 20260101000000 12345 example.com. AQIDBAUGBwg=" },
	{ "NSEC", "host A MX RRSIG NSEC TYPE1234" },
	{ "DNSKEY", "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxIL" },
	{ "DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=" },
	{ "NSEC3", "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr MX DNSKEY NS SOA" },
	{ "NSEC3PARAM", "1 0 12 aabbccdd" },
	{ "TLSA", "3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
	{ "CDS", "0 0 0 00" },
	{ "CDNSKEY", "0 3 0 AA==" },
	{ "OPENPGPKEY", "AQIDBA==" },
	{ "CSYNC", "66 3 A NS AAAA" },
	{ "ZONEMD", "2018031500 1 1 FEBE3D4CE2EC2FFA4BA99D46CD69D6D29711E55217057BEE"
		    "7EB1A7B641A47BA7FED2DD5B97AE499FAFA4F22C6BD647DE" },
	{ "SVCB", "1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1" },
	{ "HTTPS", "0 pool.svc.example." },
	{ "HTTPS",
	    "16 foo.example.org. mandatory=alpn,ipv4hint alpn=h2 ipv4hint=192.0.2.1 ech=AAA=" },
	{ "EUI48", "00-00-5e-00-53-2a" },
	{ "EUI64", "00-00-5e-ef-10-00-00-2a" },
	{ "L32", "10 10.1.2.0" },
	{ "LP", "10 l64" },
	{ "URI", "10 1 \"ftp://ftp1.example.com/public\"" },
	{ "CAA", "0 issue \"letsencrypt.org\"" },
	{ "TYPE4711", "\\# 3 abcdef" },
	{ "TYPE4711", "\\# 0" },
	{ "A", "\\# 4 C0000201" },
};

/* Text -> wire -> text -> wire: the two wires are equal. */
static void
round_trip(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf wire, text, again;
		const char *why = NULL;
		uint16_t type;

		buf_init(&wire, RDATA_MAX_LEN);
		buf_init(&text, SIZE_MAX);
		buf_init(&again, RDATA_MAX_LEN);
		assert_int_equal(rrtype_parse(rows[i].type, &type), 0);
		if (rdata_parse(type, rows[i].text, "example.com", &wire, &why) != 0)
			fail_msg("%s %s: %s", rows[i].type, rows[i].text, why);
		rdata_text(type, wire.data, (uint16_t)wire.len, &text);
		if (rdata_parse(type, buf_str(&text), ".", &again, &why) != 0)
			fail_msg("%s: from '%s': %s", rows[i].type, buf_str(&text), why);
		assert_int_equal(wire.len, again.len);
		if (wire.len > 0)
			assert_memory_equal(wire.data, again.data, wire.len);
		buf_fini(&wire);
		buf_fini(&text);
		buf_fini(&again);
	}
}

static void
refused(void **state)
{
	static const struct {
		uint16_t type;
		const char *text;
	} bad[] = {
		{ RRTYPE_A, "" },
		{ RRTYPE_A, "1.2.3" },
		{ RRTYPE_A, "1.2.3.4 5" },
		{ RRTYPE_A, "1.2.3.4\nx A 5.6.7.8" },
		{ RRTYPE_A, "1.2.3.4\n$INCLUDE /etc/passwd" },
		{ RRTYPE_A, "1.2.3.4\n$TTL 5x" },
		{ RRTYPE_A, "(1.2.3.4" },
		{ RRTYPE_A, "; nothing" },
		{ RRTYPE_A, "\\# 3 010203" },
		{ RRTYPE_AAAA, "1.2.3.4" },
		{ RRTYPE_MX, "mail" },
		{ RRTYPE_TXT, "\"open" },
		{ RRTYPE_OPT, "\\# 0" },
		{ 4711, "abc" },
		{ RRTYPE_NSEC3, "\\# 10 00046D61696CC00C2373" }, /* a salt of 105 bytes */
		{ RRTYPE_NSEC3, "\\# 8 0100000000FF0102" },      /* a hash of 255 */
		{ RRTYPE_NSEC3PARAM, "\\# 6 010000000201" },
		{ RRTYPE_NSEC3PARAM, "\\# 6 010000000001" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *why = NULL;
		struct buf out;

		buf_init(&out, RDATA_MAX_LEN);
		if (rdata_parse(bad[i].type, bad[i].text, "example.com.", &out, &why) != -EINVAL)
			fail_msg("taken: %s", bad[i].text);
		assert_non_null(why);
		assert_int_equal(out.len, 0);
		buf_fini(&out);
	}
}

static void
accepted(void **state)
{
	const char *why;
	struct buf out;

	(void)state;
	buf_init(&out, RDATA_MAX_LEN);
	assert_int_equal(
	    rdata_parse(RRTYPE_MX, "( 10\n\tmail ) ; why", "Example.com", &out, &why), 0);
	assert_int_equal(out.len, 20);
	assert_memory_equal(out.data, "\0\12\4mail\7Example\3com", 20);
	buf_fini(&out);
}

/* Bytes that are no rdata of their type come out in generic form and read back where allowed. */
static void
odd_wire(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, SIZE_MAX);
	rdata_text(RRTYPE_A, (const uint8_t *)"\1\2\3", 3, &out);
	assert_string_equal(buf_str(&out), "\\# 3 010203");
	buf_clear(&out);
	rdata_text(RRTYPE_MX, (const uint8_t *)"\0\1\77x", 4, &out);
	assert_string_equal(buf_str(&out), "\\# 4 00013F78");
	buf_clear(&out);
	rdata_text(RRTYPE_A, (const uint8_t *)"", 0, &out);
	assert_string_equal(buf_str(&out), "\\# 0");
	buf_fini(&out);
}

static void
long_text(void **state)
{
	static uint8_t data[RDATA_MAX_LEN];
	struct buf text, back;
	const char *why;

	(void)state;
	for (size_t i = 0; i + 256 <= sizeof(data); i += 256)
		data[i] = 255;
	buf_init(&text, SIZE_MAX);
	buf_init(&back, RDATA_MAX_LEN);
	rdata_text(RRTYPE_TXT, data, 255 * 256, &text);
	assert_true(text.len > 255 * 255 * 4);
	assert_int_equal(rdata_parse(RRTYPE_TXT, buf_str(&text), ".", &back, &why), 0);
	assert_int_equal(back.len, 255 * 256);
	assert_memory_equal(back.data, data, back.len);
	buf_fini(&text);
	buf_fini(&back);
}

/* An address is read without the scanner, which must say the same. */
static void
test_addresses_as_the_scanner_reads_them(void **state UNUSED)
{
	static const struct {
		uint16_t type;
		const char *text;
	} addresses[] = { { RRTYPE_A, "192.0.2.1" }, { RRTYPE_A, "0.0.0.0" }, { RRTYPE_A, "1.2.3" },
		{ RRTYPE_A, "192.0.2.256" }, { RRTYPE_A, "192.0.2.01" }, { RRTYPE_A, "" },
		{ RRTYPE_A, "::1" }, { RRTYPE_AAAA, "2001:db8::1" }, { RRTYPE_AAAA, "::" },
		{ RRTYPE_AAAA, "::ffff:192.0.2.1" }, { RRTYPE_AAAA, "192.0.2.1" },
		{ RRTYPE_AAAA, "1::2::3" } };

	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		struct buf by_hand, scanned;
		char padded[64];
		const char *why;

		buf_init(&by_hand, RDATA_MAX_LEN);
		buf_init(&scanned, RDATA_MAX_LEN);
		snprintf(
		    padded, sizeof(padded), "%s ", addresses[i].text); /* more than an address */

		const int rc =
		    rdata_parse(addresses[i].type, addresses[i].text, ".", &by_hand, &why);

		assert_int_equal(rc, rdata_parse(addresses[i].type, padded, ".", &scanned, &why));
		assert_int_equal(by_hand.len, scanned.len);
		if (by_hand.len > 0)
			assert_memory_equal(by_hand.data, scanned.data, scanned.len);
		buf_fini(&by_hand);
		buf_fini(&scanned);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_as_the_scanner_reads_them),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(refused),
		cmocka_unit_test(accepted),
		cmocka_unit_test(odd_wire),
		cmocka_unit_test(long_text),
	};

	return cmocka_run_group_tests_name("rdata", tests, NULL, NULL);
}
