/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records are grouped as they come, in linear time: a map of owners, each with the short list of
 * its sets, each with the list of its records. Zone files keep a name's records together, so the
 * owner of the record before is tried first. All of this lives in one arena until the sets are
 * made.
 *
 *   owners (hash) -> owner -> group A -> record, record
 *                          -> group MX -> record
 */
#include "zone/zonefile.h"

#include <ctype.h>
#include <errno.h>
#include <libzscanner/scanner.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "dns/name.h"
#include "dns/query.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/zonefile_check.h"
#include "zone/zonefile_generate.h"

#define PROBLEMS_MAX     20
#define DEFAULT_TTL_S    3600
#define PROGRESS_RECORDS 4096

struct record {
	struct record *next;
	uint16_t len;
	uint8_t data[];
};

struct group {
	struct group *next; /* at the same owner */
	struct owner *owner;
	struct record *first, **last;
	uint64_t line; /* of its first record */
	size_t size;   /* as rrset_new wants it */
	uint32_t ttl_s;
	uint16_t type;
};

struct owner {
	uint64_t hash;
	struct group *groups, **last;
	uint8_t *name; /* in the result's arena */
	size_t len;
};

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

	struct arena arena;
	struct group **groups; /* in the order of first appearance */
	size_t n_groups, cap_groups;
	struct owner **slots; /* open addressing, NULL = free */
	size_t n_slots, n_owners;
	struct owner *recent;
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

static size_t
find_slot(const struct loader *l, uint64_t hash, const uint8_t *name, size_t len)
{
	size_t at = hash & (l->n_slots - 1);

	for (; l->slots[at] != NULL; at = (at + 1) & (l->n_slots - 1)) {
		const struct owner *o = l->slots[at];

		if (o->hash == hash && o->len == len && memcmp(o->name, name, len) == 0)
			break;
	}
	return at;
}

static void
grow_slots(struct loader *l)
{
	struct owner **old = l->slots;
	size_t n = l->n_slots;

	l->n_slots = n == 0 ? 1024 : n * 2;
	l->slots = xcalloc(l->n_slots, sizeof(struct owner *));
	for (size_t i = 0; i < n; i++)
		if (old[i] != NULL)
			l->slots[find_slot(l, old[i]->hash, old[i]->name, old[i]->len)] = old[i];
	free(old);
}

static struct owner *
new_owner(struct loader *l, uint64_t hash, const uint8_t *name, size_t len)
{
	struct owner *o = arena_alloc(&l->arena, sizeof(*o));

	o->hash = hash;
	o->last = &o->groups;
	o->name = arena_memdup(&l->out->arena, name, len);
	o->len = len;
	l->n_owners++;
	return o;
}

static struct owner *
find_owner(struct loader *l, const uint8_t *name, size_t len)
{
	uint64_t hash;
	size_t at;

	if (l->recent != NULL && l->recent->len == len && memcmp(l->recent->name, name, len) == 0)
		return l->recent;
	if ((l->n_owners + 1) * 4 > l->n_slots * 3)
		grow_slots(l);
	hash = hash_bytes(name, len);
	at = find_slot(l, hash, name, len);
	if (l->slots[at] == NULL)
		l->slots[at] = new_owner(l, hash, name, len);
	return l->recent = l->slots[at];
}

static struct group *
find_group(struct loader *l, struct owner *o, const zs_scanner_t *s)
{
	struct group *g;

	for (g = o->groups; g != NULL; g = g->next)
		if (g->type == s->r_type)
			return g;
	g = arena_alloc(&l->arena, sizeof(*g));
	g->owner = o;
	g->last = &g->first;
	g->line = s->line_counter;
	g->ttl_s = s->r_ttl;
	g->type = s->r_type;
	*o->last = g;
	o->last = &g->next;
	MEM_GROW(&l->groups, &l->cap_groups, l->n_groups + 1);
	l->groups[l->n_groups++] = g;
	return g;
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
	struct record *r;
	struct group *g;
	const char *why;

	name_copy_lower(owner, s->r_owner);
	why = refuse(l, s, owner);
	if (why != NULL) {
		complain(l, s->line_counter, why);
		return;
	}
	g = find_group(l, find_owner(l, owner, s->r_owner_length), s);
	r = arena_alloc(&l->arena, sizeof(*r) + s->r_data_length);
	r->len = (uint16_t)s->r_data_length;
	memcpy(r->data, s->r_data, s->r_data_length);
	*g->last = r;
	g->last = &r->next;
	g->size += 2u + r->len;
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

	while ((size_t)(end - p) > n) {
		if (strncasecmp(p, word, n) == 0 && isspace((unsigned char)p[n]))
			return p;
		p = memmem(p, (size_t)(end - p), "\n$", 2);
		if (p == NULL)
			break;
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

static const struct group *
apex_group(const struct loader *l, uint16_t type)
{
	size_t len = name_len(l->apex);
	const struct owner *o;

	if (l->n_slots == 0)
		return NULL;
	o = l->slots[find_slot(l, hash_bytes(l->apex, len), l->apex, len)];
	for (const struct group *g = o != NULL ? o->groups : NULL; g != NULL; g = g->next)
		if (g->type == type)
			return g;
	return NULL;
}

/* The rules for a set, seen from the sets before it at its owner. */
static void
check_group(struct loader *l, const struct group *g, size_t count)
{
	uint16_t have[64];
	size_t n = 0;
	const char *why;

	for (const struct group *o = g->owner->groups; o != g && n < ARRAY_LEN(have); o = o->next)
		have[n++] = o->type;
	why = zonefile_check_rule(l->apex, g->owner->name, g->type, count, have, n);
	if (why != NULL && l->problems < PROBLEMS_MAX)
		complain(l, g->line, why);
}

static struct rrset *
make_set(const struct group *g, struct buf *scratch)
{
	buf_clear(scratch);
	for (const struct record *r = g->first; r != NULL; r = r->next) {
		buf_put_u16(scratch, r->len);
		buf_put(scratch, r->data, r->len);
	}
	return rrset_new(g->type, g->ttl_s, scratch->data, scratch->len);
}

static void
make_items(struct loader *l)
{
	struct zonefile *out = l->out;
	struct buf scratch;

	buf_init(&scratch, SIZE_MAX);
	out->items = xcalloc(l->n_groups, sizeof(*out->items));
	for (size_t i = 0; i < l->n_groups; i++) {
		struct group *g = l->groups[i];
		struct rrset *set = make_set(g, &scratch);

		if (set == NULL) {
			complain(l, g->line, "over 65535 records of one name and type");
			break;
		}
		out->items[out->count++] = (struct zonefile_item){ g->owner->name, set };
		check_group(l, g, set->count);
	}
	buf_fini(&scratch);
}

static void
finish(struct loader *l)
{
	if (l->problems > 0)
		return;
	if (apex_group(l, RRTYPE_SOA) == NULL)
		complain(l, 1, "the zone has no SOA record at its apex");
	if (apex_group(l, RRTYPE_NS) == NULL)
		complain(l, 1, "the zone has no NS record at its apex");
	make_items(l);
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

/* zscanner refuses DOS line ends: fold them to what they mean. NULL if there are none. */
static char *
unix_lines(const char *text, size_t *len)
{
	const char *end = text + *len;
	char *copy, *p;

	if (*len == 0 || memmem(text, *len, "\r\n", 2) == NULL)
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
	arena_init(&out->arena);
	if (name_parse_lower(origin, l.apex) < 0)
		return diag_add(d, DIAG_INVALID, label, "invalid zone name '%s'", origin);
	name_text(l.apex, apex);
	if (l.apex[0] != 0)
		strcat(apex, ".");
	copy = unix_lines(text, &l.len);
	l.text = copy != NULL ? copy : text;
	arena_init(&l.arena);
	load(&l, apex);
	arena_fini(&l.arena);
	free(l.groups);
	free(l.slots);
	free(copy);
	if (l.problems == 0)
		return 0;
	zonefile_fini(out);
	return -EINVAL;
}

void
zonefile_fini(struct zonefile *z)
{
	for (size_t i = 0; i < z->count; i++)
		rrset_free(&z->items[i].set);
	free(z->items);
	arena_fini(&z->arena);
	memset(z, 0, sizeof(*z));
	arena_init(&z->arena);
}
