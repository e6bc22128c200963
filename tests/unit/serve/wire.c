/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "dns/name.h"
#include "dns/query.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"

size_t
wire_query(uint8_t *out, uint16_t id, const char *name, uint16_t type, struct wire_edns edns)
{
	uint8_t wire[NAME_MAX_LEN];
	const int name_len = name_parse(name, wire);
	struct buf b;

	assert_true(name_len > 0);
	buf_init(&b, 512);
	buf_put_u16(&b, id);
	buf_put_u16(&b, 0);
	buf_put_u16(&b, 1);
	buf_put_u32(&b, 0);
	buf_put_u16(&b, edns.size > 0);
	buf_put(&b, wire, (size_t)name_len);
	buf_put_u16(&b, type);
	buf_put_u16(&b, DNS_CLASS_IN);
	if (edns.size > 0) {
		buf_put_u8(&b, 0);
		buf_put_u16(&b, RRTYPE_OPT);
		buf_put_u16(&b, edns.size);
		buf_put_u16(&b, edns.version);
		buf_put_u16(&b, edns.dnssec_ok ? 0x8000 : 0);
		buf_put_u16(&b, 0);
	}
	assert_false(b.overflow);
	memcpy(out, b.data, b.len);

	const size_t len = b.len;

	buf_fini(&b);
	return len;
}

static void
put_rcode(struct buf *out, unsigned rcode)
{
	static const char *const names[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",
		"REFUSED", "YXDOMAIN" };

	if (rcode < sizeof(names) / sizeof(names[0]))
		buf_puts(out, names[rcode]);
	else
		buf_printf(out, "RCODE%u", rcode);
}

/* Rdata with its names expanded: as rdata_text wants it. */
static void
expand(struct buf *out, struct buf_reader *r, uint16_t type, size_t rdlen)
{
	const struct rrtype_layout layout = rrtype_compressible(type);
	const size_t end = r->pos + rdlen;

	if (layout.names > 0) {
		const uint8_t *fixed = buf_read_bytes(r, layout.fixed);

		assert_non_null(fixed);
		buf_put(out, fixed, layout.fixed);
	}
	for (unsigned i = 0; i < layout.names; i++) {
		uint8_t name[NAME_MAX_LEN];

		const int len = name_expand(r->data, r->len, &r->pos, name);

		assert_true(len > 0);
		buf_put(out, name, (size_t)len);
	}
	assert_true(r->pos <= end);
	if (end > r->pos) {
		const size_t rest = end - r->pos;
		const uint8_t *data = buf_read_bytes(r, rest);

		assert_non_null(data);
		buf_put(out, data, rest);
	}
}

static void
put_option(struct buf *edns, unsigned code, const uint8_t *data, unsigned len)
{
	switch (code) {
	case 3:
		buf_printf(edns, " nsid=%.*s", (int)len, (const char *)data);
		break;
	case 10:
		buf_printf(edns, " cookie=%u", len);
		break;
	case 11:
		buf_printf(edns, " keepalive=%u", (unsigned)(data[0] << 8 | data[1]));
		break;
	case 15:
		buf_printf(edns, " ede=%u", (unsigned)(data[0] << 8 | data[1]));
		if (len > 2)
			buf_printf(edns, " '%.*s'", (int)len - 2, (const char *)data + 2);
		break;
	default:
		break;
	}
}

static void
put_edns(struct buf *edns, struct buf_reader *r, uint16_t size, uint32_t ttl, uint16_t rdlen)
{
	const uint8_t *options = buf_read_bytes(r, rdlen);

	assert_int_equal(ttl >> 16 & 0xff, 0); /* we speak version 0 */
	buf_printf(edns, " %u", size);
	if (ttl & 0x8000)
		buf_puts(edns, " do");
	for (size_t i = 0; i + 4 <= rdlen;) {
		const unsigned code = (unsigned)(options[i] << 8 | options[i + 1]);
		const unsigned len = (unsigned)(options[i + 2] << 8 | options[i + 3]);

		put_option(edns, code, options + i + 4, len);
		i += 4 + len;
	}
}

/* "www.example.com A", "www.example.com RRSIG(A)". */
static void
put_outline(struct buf *out, const char *owner, uint16_t type, const uint8_t *rdata)
{
	char text[RRTYPE_TEXT_SIZE], covered[RRTYPE_TEXT_SIZE];

	buf_printf(out, "%s %s", owner, rrtype_text(type, text));
	if (type == RRTYPE_RRSIG)
		buf_printf(out, "(%s)", rrtype_text((uint16_t)(rdata[0] << 8 | rdata[1]), covered));
}

/* Returns the extended bits of the rcode, if the record was OPT. */
static unsigned
put_rr(struct buf *out, struct buf *edns, struct buf_reader *r, bool outline)
{
	uint8_t owner[NAME_MAX_LEN];
	char name[NAME_TEXT_SIZE], type_text[RRTYPE_TEXT_SIZE];
	struct buf rdata;

	assert_true(name_expand(r->data, r->len, &r->pos, owner) > 0);

	const uint16_t type = buf_read_u16(r), class = buf_read_u16(r);
	const uint32_t ttl = buf_read_u32(r);
	const uint16_t rdlen = buf_read_u16(r);

	assert_false(r->bad);
	if (type == RRTYPE_OPT) {
		put_edns(edns, r, class, ttl, rdlen);
		return ttl >> 24;
	}
	assert_true(class == DNS_CLASS_IN || class == DNS_CLASS_CH);
	buf_init(&rdata, RDATA_MAX_LEN);
	expand(&rdata, r, type, rdlen);
	buf_puts(out, out->len > 0 && out->data[out->len - 1] != '|' ? ", " : " ");
	if (outline) {
		put_outline(out, name_text(owner, name), type, rdata.data);
	} else {
		buf_printf(
		    out, "%s %u %s ", name_text(owner, name), ttl, rrtype_text(type, type_text));
		rdata_text(type, rdata.data, (uint16_t)rdata.len, out);
	}
	buf_fini(&rdata);
	return 0;
}

static char *
describe(const uint8_t *msg, size_t len, bool outline)
{
	struct buf_reader r = { .data = msg, .len = len };
	struct buf sections, edns, out;

	buf_init(&sections, 1 << 20);
	buf_init(&edns, 4096);
	buf_init(&out, 1 << 20);
	buf_read_u16(&r);

	const uint16_t flags = buf_read_u16(&r), questions = buf_read_u16(&r);
	uint16_t counts[3];
	uint8_t qname[NAME_MAX_LEN];
	unsigned rcode = flags & 15;

	for (int i = 0; i < 3; i++)
		counts[i] = buf_read_u16(&r);
	assert_true(flags & 0x8000);
	assert_true(questions <= 1);
	if (questions == 1) {
		assert_true(name_expand(msg, len, &r.pos, qname) > 0);
		buf_read_u32(&r);
	}
	for (int i = 0; i < 3; i++) {
		buf_puts(&sections, " |");
		while (counts[i]-- > 0)
			rcode |= put_rr(&sections, &edns, &r, outline) << 4;
	}
	assert_false(r.bad);
	assert_int_equal(r.pos, len);
	put_rcode(&out, rcode);
	if (flags & 0x0400)
		buf_puts(&out, " aa");
	if (flags & 0x0200)
		buf_puts(&out, " tc");
	buf_puts(&out, buf_str(&sections));
	buf_puts(&out, " |");
	buf_puts(&out, buf_str(&edns));
	buf_put_u8(&out, 0);
	buf_fini(&sections);
	buf_fini(&edns);
	return (char *)buf_take(&out, &(size_t){ 0 });
}

char *
wire_text(const uint8_t *msg, size_t len)
{
	return describe(msg, len, false);
}

char *
wire_outline(const uint8_t *msg, size_t len)
{
	return describe(msg, len, true);
}
