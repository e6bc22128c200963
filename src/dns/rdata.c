/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/rdata.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libknot/rrset-dump.h>
#include <libknot/rrset.h>
#include <libzscanner/scanner.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dns/name.h"
#include "dns/query.h"
#include "dns/rrtype.h"

enum { TYPE_NULL = 10, TYPE_APL = 42 };

#define TEXT_MAX ((size_t)RDATA_MAX_LEN * 6)

/*
 * Read the next thing of the input: 1 a record, 0 the end, -1 anything else with its reason.
 * zscanner takes text by lines; `in` must end in a newline.
 */
static int
scan(zs_scanner_t *s, const char **why)
{
	if (zs_parse_record(s) != 0) {
		*why = zs_strerror(s->error.code);
		return -1;
	}
	switch (s->state) {
	case ZS_STATE_DATA:
		return 1;
	case ZS_STATE_EOF:
		return 0;
	case ZS_STATE_ERROR:
		*why = zs_strerror(s->error.code);
		return -1;
	default:
		*why = "only one record may be given";
		return -1;
	}
}

/* Exactly one record: text with line breaks must not smuggle in another, or a directive. */
static int
scan_one(zs_scanner_t *s, struct buf *out, const char **why)
{
	int got = scan(s, why);
	size_t len = out->len;

	if (got == 0)
		*why = "empty";
	if (got <= 0)
		return -EINVAL;
	if (!rdata_check(s->r_type, s->r_data, (uint16_t)s->r_data_length)) {
		*why = "malformed data for this type";
		return -EINVAL;
	}
	buf_put(out, s->r_data, s->r_data_length);
	got = scan(s, why);
	if (got == 0 && s->multiline)
		*why = "unbalanced parentheses";
	else if (got > 0)
		*why = "only one record may be given";
	else if (got == 0)
		return 0;
	out->len = len;
	return -EINVAL;
}

static int
scan_text(const char *origin, const char *text, size_t len, struct buf *out, const char **why)
{
	zs_scanner_t *s = xmalloc(sizeof(*s));
	int err = -EINVAL;

	if (zs_init(s, origin, DNS_CLASS_IN, 0) != 0) {
		*why = "invalid origin";
		free(s);
		return -EINVAL;
	}
	if (zs_set_input_string(s, text, len) != 0)
		*why = zs_strerror(s->error.code);
	else
		err = scan_one(s, out, why);
	zs_deinit(s);
	free(s);
	return err;
}

/* Most records, and the scanner is a structure of some hundred kilobytes that has to be cleared.
 * What is not just an address is for the scanner to read. */
static bool
scan_address(uint16_t type, const char *text, struct buf *out)
{
	uint8_t ip[16];
	const bool is_v4 = type == RRTYPE_A;

	if ((!is_v4 && type != RRTYPE_AAAA) || inet_pton(is_v4 ? AF_INET : AF_INET6, text, ip) != 1)
		return false;
	buf_put(out, ip, is_v4 ? 4 : 16);
	return true;
}

int
rdata_parse(uint16_t type, const char *text, const char *origin, struct buf *out, const char **why)
{
	uint8_t wire[NAME_MAX_LEN];
	char apex[NAME_TEXT_SIZE];
	char *line, *dotted;
	int err;

	*why = NULL;
	if (rrtype_is_meta(type)) {
		*why = "this type cannot be stored in a zone";
		return -EINVAL;
	}
	if (name_parse(origin, wire) < 0) {
		*why = "invalid origin";
		return -EINVAL;
	}
	if (scan_address(type, text, out))
		return 0;
	name_text(wire, apex);
	dotted = xasprintf("%s%s", apex, wire[0] == 0 ? "" : ".");
	line = xasprintf("@ TYPE%u %s\n", type, text);
	err = scan_text(dotted, line, strlen(line), out, why);
	free(line);
	free(dotted);
	return err;
}

/* RFC 3597 section 5. */
static void
generic_text(const uint8_t *rdata, uint16_t len, struct buf *out)
{
	buf_printf(out, "\\# %u", len);
	if (len > 0)
		buf_puts(out, " ");
	for (uint16_t i = 0; i < len; i++)
		buf_printf(out, "%02X", rdata[i]);
}

/* By libknot into a buffer grown until it is enough; false for data it cannot read. */
static bool
known_text(const knot_rrset_t *set, struct buf *out)
{
	char small[512];
	char *text = small;
	size_t size = sizeof(small);
	int n = knot_rrset_txt_dump_data(set, 0, text, size, &KNOT_DUMP_STYLE_DEFAULT);

	while (n < 0 && size < TEXT_MAX) {
		size *= 8;
		text = xrealloc(text == small ? NULL : text, size);
		n = knot_rrset_txt_dump_data(set, 0, text, size, &KNOT_DUMP_STYLE_DEFAULT);
	}
	if (n > 0)
		buf_put(out, text, (size_t)n);
	if (text != small)
		free(text);
	return n > 0;
}

/* Lengths inside the data, which libknot believes when it writes it down. */
static bool
holds_lengths(uint16_t type, const uint8_t *rdata, uint16_t len)
{
	if (type != RRTYPE_NSEC3 && type != RRTYPE_NSEC3PARAM)
		return true;
	if (len < 5 || len - 5 < rdata[4])
		return false;

	const unsigned hash = 5u + rdata[4];

	return type == RRTYPE_NSEC3 ? hash < len && len - hash - 1 >= rdata[hash] : hash == len;
}

static bool
known_check(uint16_t type, const uint8_t *rdata, uint16_t len)
{
	uint8_t root[] = { 0 };
	char name[RRTYPE_TEXT_SIZE];
	struct buf text;
	knot_rrset_t set;
	bool ok;

	if (strncmp(rrtype_text(type, name), "TYPE", 4) == 0)
		return true;
	if (len == 0) /* libknot cannot say it; RFC 3123 allows an empty list */
		return type == TYPE_NULL || type == TYPE_APL;
	buf_init(&text, SIZE_MAX);
	knot_rrset_init(&set, root, type, DNS_CLASS_IN, 0);
	ok = holds_lengths(type, rdata, len) && knot_rrset_add_rdata(&set, rdata, len, NULL) == 0 &&
	     known_text(&set, &text);
	knot_rdataset_clear(&set.rrs, NULL);
	buf_fini(&text);
	return ok;
}

/* `fixed` bytes, a name, then `rest` bytes exactly. */
static bool
holds_name(const uint8_t *rdata, size_t len, size_t fixed, size_t rest)
{
	int n = fixed <= len ? name_check(rdata, len, fixed) : -EINVAL;

	return n > 0 && fixed + (size_t)n + rest == len;
}

static bool
holds_strings(const uint8_t *rdata, size_t len)
{
	size_t pos = 0;

	while (pos < len)
		pos += 1u + rdata[pos];
	return len > 0 && pos == len;
}

static bool
holds_soa(const uint8_t *rdata, size_t len)
{
	int n = name_check(rdata, len, 0);

	return n > 0 && holds_name(rdata, len, (size_t)n, 20);
}

/* The frequent types by hand; the rest is well-formed if libknot can write it down. */
bool
rdata_check(uint16_t type, const uint8_t *rdata, uint16_t len)
{
	switch (type) {
	case RRTYPE_A:
		return len == 4;
	case RRTYPE_AAAA:
		return len == 16;
	case RRTYPE_NS:
	case RRTYPE_CNAME:
	case RRTYPE_PTR:
	case RRTYPE_DNAME:
		return holds_name(rdata, len, 0, 0);
	case RRTYPE_SOA:
		return holds_soa(rdata, len);
	case RRTYPE_MX:
		return holds_name(rdata, len, 2, 0);
	case RRTYPE_SRV:
		return holds_name(rdata, len, 6, 0);
	case RRTYPE_TXT:
		return holds_strings(rdata, len);
	default:
		return known_check(type, rdata, len);
	}
}

void
rdata_text(uint16_t type, const uint8_t *rdata, uint16_t len, struct buf *out)
{
	uint8_t root[] = { 0 };
	knot_rrset_t set;
	bool known = false;

	knot_rrset_init(&set, root, type, DNS_CLASS_IN, 0);
	if (len > 0 && holds_lengths(type, rdata, len) &&
	    knot_rrset_add_rdata(&set, rdata, len, NULL) == 0)
		known = known_text(&set, out);
	knot_rdataset_clear(&set.rrs, NULL);
	if (!known)
		generic_text(rdata, len, out);
}
