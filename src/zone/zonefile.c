/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records are piled up as they come, then sorted, checked and packed. */
#include "zone/zonefile.h"

#include <ctype.h>
#include <errno.h>
#include <libzscanner/scanner.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "dns/name.h"
#include "dns/query.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/pack.h"
#include "zone/pile.h"
#include "zone/zonefile_check.h"
#include "zone/zonefile_generate.h"

#define PROBLEMS_MAX     20
#define DEFAULT_TTL_S    3600
#define PROGRESS_RECORDS 4096
#define SOA_TIMERS       20 /* bytes after the two names, serial first */

struct loader {
	const char *label;
	const char *text;
	size_t len;
	uint8_t apex[NAME_MAX_LEN];
	struct zonefile *out;
	struct diag *d;
	const struct zonefile_hooks *hooks;
	size_t problems;
	size_t generated;           /* records, by all $GENERATE together */
	const uint32_t *generating; /* the number it is at, or NULL */

	struct pile *pile;
};

static void
complain(struct loader *l, uint64_t line, const char *why)
{
	char *where = xasprintf("%s:%llu", l->label, (unsigned long long)line);

	l->problems++;
	if (l->generating != NULL)
		diag_add(l->d, DIAG_INVALID, where, "%s (generated for %u)", why, *l->generating);
	else
		diag_add(l->d, DIAG_INVALID, where, "%s", why);
	free(where);
}

static const char *
refuse(const struct loader *l, const zs_scanner_t *s, const uint8_t *owner)
{
	if (s->r_class != DNS_CLASS_IN)
		return "only class IN is supported";
	if (s->r_ttl > INT32_MAX)
		return "the TTL is over 2147483647 (RFC 2181)";
	if (!rdata_check(s->r_type, s->r_data, (uint16_t)s->r_data_length))
		return "malformed data for this type";
	return zonefile_check_rule(l->apex, owner, s->r_type, 1, NULL, 0);
}

static void
add_record(struct loader *l, const zs_scanner_t *s)
{
	uint8_t owner[NAME_MAX_LEN];
	const char *why;

	name_copy_lower(owner, s->r_owner);
	why = refuse(l, s, owner);
	if (why != NULL) {
		complain(l, s->line_counter, why);
		return;
	}
	pile_add(l->pile,
	    &(struct pile_record){
		.line = (uint32_t)s->line_counter,
		.ttl_s = s->r_ttl,
		.type = s->r_type,
		.rdata_len = (uint16_t)s->r_data_length,
		.owner_len = (uint8_t)s->r_owner_length,
	    },
	    owner, s->r_data);
	l->out->records++;
}

/* One step; false at the end, or when nothing more can be understood. */
static bool
step(struct loader *l, zs_scanner_t *s)
{
	if (zs_parse_record(s) != 0)
		return false;
	switch (s->state) {
	case ZS_STATE_DATA:
		add_record(l, s);
		break;
	case ZS_STATE_ERROR:
		complain(l, s->line_counter, zs_strerror(s->error.code));
		return !s->error.fatal;
	case ZS_STATE_INCLUDE:
		complain(l, s->line_counter,
		    "$INCLUDE names a file, and this is text alone: gtmctl zone import reads it");
		return false;
	default:
		return false;
	}
	if (l->generating == NULL && l->out->records % PROGRESS_RECORDS == 0 &&
	    l->hooks->progress != NULL)
		l->hooks->progress(l->hooks->arg, (size_t)(s->input.current - l->text));
	return true;
}

/*
 * Whole lines, the first of which is `line`; false if the end was not reached. The scanner keeps
 * origin, TTL and owner from one piece to the next, but ends each with a line of its own.
 */
static bool
scan_piece(struct loader *l, zs_scanner_t *s, const char *text, size_t len, uint64_t line)
{
	if (len == 0)
		return true;
	if (zs_set_input_string(s, text, len) != 0)
		return false;
	s->line_counter = line;
	while (l->problems < PROBLEMS_MAX && step(l, s))
		;
	return s->state == ZS_STATE_EOF;
}

static bool
scan_generated(struct loader *l, zs_scanner_t *s, const struct zonefile_generate *g, uint64_t line)
{
	bool more = true;
	struct buf text;

	buf_init(&text, SIZE_MAX);
	for (uint64_t n = g->start; more && n <= g->stop; n += g->step) {
		const uint32_t number = (uint32_t)n;
		const char *why;

		buf_clear(&text);
		why = zonefile_generate_write(g, number, &text);
		l->generating = &number;
		if (why != NULL)
			complain(l, line, why);
		more = why == NULL && scan_piece(l, s, (char *)text.data, text.len, line);
	}
	l->generating = NULL;
	buf_fini(&text);
	return more;
}

/* False when there is no use in going on. */
static bool
generate(struct loader *l, zs_scanner_t *s, const char *text, size_t len, uint64_t line)
{
	struct zonefile_generate g;
	const char *why = zonefile_generate_read(&g, text, len);

	if (why != NULL) {
		complain(l, line, why);
		return l->problems < PROBLEMS_MAX;
	}
	l->generated += zonefile_generate_count(&g);
	if (l->generated > ZONEFILE_GENERATED_MAX) {
		complain(l, line, "$GENERATE makes over 1000000 records in all");
		return false;
	}
	return scan_generated(l, s, &g, line);
}

/* The next line that begins with $GENERATE, or the end. */
static const char *
find_generate(const char *p, const char *end)
{
	static const char word[] = "$GENERATE";
	const size_t n = sizeof(word) - 1;
	const char *begin = p;

	while ((size_t)(end - p) > n) {
		p = memchr(p, '$', (size_t)(end - p) - n);
		if (p == NULL)
			break;
		if ((p == begin || p[-1] == '\n') && strncasecmp(p, word, n) == 0 &&
		    isspace((unsigned char)p[n]))
			return p;
		p++;
	}
	return end;
}

static uint64_t
count_lines(const char *p, const char *end)
{
	uint64_t n = 0;

	while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		n++;
		if (++p == end)
			break;
	}
	return n;
}

static void
scan(struct loader *l, zs_scanner_t *s)
{
	const char *p = l->text, *end = p + l->len;
	uint64_t line = 1;

	while (p < end) {
		const char *directive = find_generate(p, end);
		const char *next = directive < end ? memchr(directive, '\n', end - directive) : end;

		next = next == NULL || next == end ? end : next + 1;
		if (!scan_piece(l, s, p, (size_t)(directive - p), line) || directive == end)
			break;
		line += count_lines(p, directive);
		if (!generate(l, s, directive, (size_t)(next - directive), line++))
			break;
		p = next;
	}
}

static void
require_apex(struct loader *l, uint16_t type, const char *why)
{
	struct rrpage_set set;

	if (!zonefile_find(l->out, l->apex, type, &set))
		complain(l, 1, why);
}

static void
finish(struct loader *l)
{
	struct pack pack = { .apex = l->apex, .pile = l->pile, .out = &l->out->sets };

	if (l->problems > 0)
		return;
	pack_run(&pack);
	require_apex(l, RRTYPE_SOA, "the zone has no SOA record at its apex");
	require_apex(l, RRTYPE_NS, "the zone has no NS record at its apex");
	for (size_t i = 0; i < pack.count && l->problems < PROBLEMS_MAX; i++)
		complain(l, pack.problems[i].line, pack.problems[i].why);
}

static void
load(struct loader *l, const char *origin)
{
	zs_scanner_t *s = xmalloc(sizeof(*s)); /* 400 kB: not on a stack */

	if (zs_init(s, origin, DNS_CLASS_IN, DEFAULT_TTL_S) == 0) {
		scan(l, s);
		zs_deinit(s);
		finish(l);
	} else {
		complain(l, 1, "invalid zone name");
	}
	free(s);
}

/* zscanner refuses DOS line ends: fold them to what they mean. NULL if there can be none. */
static char *
unix_lines(const char *text, size_t *len)
{
	const char *end = text + *len;
	char *copy, *p;

	if (*len == 0 || memchr(text, '\r', *len) == NULL)
		return NULL;
	copy = p = xmalloc(*len);
	for (; text < end; text++)
		if (*text != '\r' || text + 1 == end || text[1] != '\n')
			*p++ = *text;
	*len = (size_t)(p - copy);
	return copy;
}

int
zonefile_parse(const char *text, size_t len, const char *origin, const char *label,
    struct zonefile *out, struct diag *d)
{
	return zonefile_parse_told(text, len, origin, label, &(struct zonefile_hooks){ 0 }, out, d);
}

int
zonefile_parse_told(const char *text, size_t len, const char *origin, const char *label,
    const struct zonefile_hooks *hooks, struct zonefile *out, struct diag *d)
{
	struct loader l = { .label = label, .len = len, .hooks = hooks, .out = out, .d = d };
	char apex[NAME_TEXT_SIZE + 1];
	char *copy;

	memset(out, 0, sizeof(*out));
	rrpage_init(&out->sets);
	if (name_parse_lower(origin, l.apex) < 0)
		return diag_add(d, DIAG_INVALID, label, "invalid zone name '%s'", origin);
	memcpy(out->apex, l.apex, name_len(l.apex));
	name_text(l.apex, apex);
	if (l.apex[0] != 0)
		strcat(apex, ".");
	copy = unix_lines(text, &l.len);
	l.text = copy != NULL ? copy : text;
	l.pile = pile_new();
	load(&l, apex);
	pile_free(&l.pile);
	free(copy);
	if (l.problems == 0)
		return 0;
	zonefile_fini(out);
	return -EINVAL;
}

void
zonefile_fini(struct zonefile *z)
{
	rrpage_fini(&z->sets);
	z->records = 0;
}

/* -- finding -- */

/* The first set of the page at `i`. */
static void
first_of(const struct zonefile *z, size_t i, struct rrpage_reader *r, struct rrpage_set *set)
{
	const struct rrpage page = rrpage_at(&z->sets, i);

	rrpage_open(r, z->apex, page.data, page.len);
	CHECK(rrpage_next(r, set));
}

/* The page that has the set, if any has: the last one that begins at or before it. */
static size_t
find_page(const struct zonefile *z, const uint8_t *owner, uint16_t type)
{
	size_t low = 0, high = z->sets.count;
	struct rrpage_reader r;
	struct rrpage_set first;

	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;

		first_of(z, middle, &r, &first);
		if (rrpage_order(first.owner, first.type, owner, type) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

bool
zonefile_find(const struct zonefile *z, const uint8_t *owner, uint16_t type, struct rrpage_set *set)
{
	struct rrpage_reader r;
	int diff = -1;

	if (z->sets.count == 0)
		return false;

	const struct rrpage page = rrpage_at(&z->sets, find_page(z, owner, type));

	rrpage_open(&r, z->apex, page.data, page.len);
	while (diff < 0 && rrpage_next(&r, set))
		diff = rrpage_order(set->owner, set->type, owner, type);
	set->owner = owner;
	return diff == 0;
}

void
zonefile_set_serial(struct zonefile *z, uint32_t serial)
{
	struct rrpage_set soa;

	CHECK(zonefile_find(z, z->apex, RRTYPE_SOA, &soa) && soa.rdata_len > SOA_TIMERS);

	uint8_t *p =
	    z->sets.bytes.data + (soa.rdata - z->sets.bytes.data) + soa.rdata_len - SOA_TIMERS;

	for (int shift = 24; shift >= 0; shift -= 8)
		*p++ = (uint8_t)(serial >> shift);
}
