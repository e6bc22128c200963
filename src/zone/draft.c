/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/draft.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/zonefile_check.h"

struct record {
	struct record *next;
	uint16_t len;
	uint8_t data[];
};

struct group {
	struct group *next; /* at the same owner */
	struct group *next_touched;
	struct owner *owner;
	struct record *first, **last;
	struct rrset *before; /* as the source has it, or NULL */
	struct rrset *after;  /* by draft_check; NULL: empty */
	uint32_t ttl_s;
	uint16_t type;
};

struct owner {
	uint64_t hash;
	struct group *groups, **last;
	size_t len;
	uint8_t name[];
};

struct draft {
	uint8_t apex[NAME_MAX_LEN];
	struct draft_source source;
	struct arena arena;
	size_t bytes, max_bytes;
	struct owner **slots; /* open addressing, NULL = free */
	size_t n_slots, n_owners;
	struct owner *recent; /* transfers keep a name's records together */
	struct group *groups, **last;
};

static const char malformed[] = "malformed data for this type";
static const char too_large[] = "the transfer takes more memory than is allowed";

struct draft *
draft_new(const uint8_t *apex, size_t max_bytes, const struct draft_source *source)
{
	struct draft *d = xcalloc(1, sizeof(*d));

	name_copy_lower(d->apex, apex);
	d->max_bytes = max_bytes;
	d->last = &d->groups;
	if (source != NULL)
		d->source = *source;
	arena_init(&d->arena);
	return d;
}

void
draft_free(struct draft **dp)
{
	struct draft *d = *dp;

	if (d == NULL)
		return;
	for (struct group *g = d->groups; g != NULL; g = g->next_touched) {
		rrset_free(&g->before);
		rrset_free(&g->after);
	}
	arena_fini(&d->arena);
	free(d->slots);
	free(d);
	*dp = NULL;
}

static void *
alloc(struct draft *d, size_t size)
{
	d->bytes += size;
	return arena_alloc(&d->arena, size);
}

/* -- owners -- */

static size_t
find_slot(const struct draft *d, uint64_t hash, const uint8_t *name, size_t len)
{
	size_t at = hash & (d->n_slots - 1);

	for (; d->slots[at] != NULL; at = (at + 1) & (d->n_slots - 1)) {
		const struct owner *o = d->slots[at];

		if (o->hash == hash && o->len == len && memcmp(o->name, name, len) == 0)
			break;
	}
	return at;
}

static void
grow_slots(struct draft *d)
{
	struct owner **old = d->slots;
	const size_t n = d->n_slots;

	d->n_slots = n == 0 ? 64 : n * 2;
	d->bytes += (d->n_slots - n) * sizeof(*old);
	d->slots = xcalloc(d->n_slots, sizeof(*old));
	for (size_t i = 0; i < n; i++)
		if (old[i] != NULL)
			d->slots[find_slot(d, old[i]->hash, old[i]->name, old[i]->len)] = old[i];
	free(old);
}

static struct owner *
new_owner(struct draft *d, uint64_t hash, const uint8_t *name, size_t len)
{
	struct owner *o = alloc(d, sizeof(*o) + len);

	o->hash = hash;
	o->last = &o->groups;
	o->len = len;
	memcpy(o->name, name, len);
	d->n_owners++;
	return o;
}

/* NULL: its present sets cannot be read. */
static struct owner *
find_owner(struct draft *d, const uint8_t *name)
{
	const size_t len = name_len(name);

	if (d->recent != NULL && d->recent->len == len && memcmp(d->recent->name, name, len) == 0)
		return d->recent;
	if ((d->n_owners + 1) * 4 > d->n_slots * 3)
		grow_slots(d);

	const uint64_t hash = hash_bytes(name, len);
	const size_t at = find_slot(d, hash, name, len);

	d->recent = d->slots[at];
	if (d->recent != NULL)
		return d->recent;
	d->recent = d->slots[at] = new_owner(d, hash, name, len);
	if (d->source.load != NULL && d->source.load(d->source.arg, name, d) < 0)
		return NULL;
	return d->recent;
}

/* -- sets -- */

static struct group *
find_group(struct draft *d, struct owner *o, uint16_t type)
{
	struct group *g;

	for (g = o->groups; g != NULL; g = g->next)
		if (g->type == type)
			return g;
	g = alloc(d, sizeof(*g));
	g->owner = o;
	g->last = &g->first;
	g->type = type;
	*o->last = g;
	o->last = &g->next;
	*d->last = g;
	d->last = &g->next_touched;
	return g;
}

static void
append(struct draft *d, struct group *g, const uint8_t *rdata, uint16_t len)
{
	struct record *r = alloc(d, sizeof(*r) + len);

	r->len = len;
	memcpy(r->data, rdata, len);
	*g->last = r;
	g->last = &r->next;
}

void
draft_have(struct draft *d, uint16_t type, uint32_t ttl_s, const uint8_t *data, size_t size)
{
	struct group *g = find_group(d, d->recent, type);
	const uint8_t *rdata;
	uint32_t pos = 0;
	uint16_t len;

	g->before = rrset_new(type, ttl_s, data, size);
	g->ttl_s = ttl_s;
	d->bytes += size;
	while (g->before != NULL && (rdata = rrset_next(g->before, &pos, &len)) != NULL)
		append(d, g, rdata, len);
}

const char *
draft_add(struct draft *d, const uint8_t *owner, uint16_t type, uint32_t ttl_s,
    const uint8_t *rdata, uint16_t len)
{
	const char *why = zonefile_check_rule(d->apex, owner, type, 1, NULL, 0);

	if (why != NULL)
		return why;
	if (ttl_s > INT32_MAX)
		return "the TTL is over 2147483647 (RFC 2181)";
	if (!rdata_check(type, rdata, len))
		return malformed;
	if (d->bytes > d->max_bytes)
		return too_large;

	struct owner *o = find_owner(d, owner);

	if (o == NULL)
		return "the zone's records cannot be read";

	struct group *g = find_group(d, o, type);

	g->ttl_s = ttl_s;
	append(d, g, rdata, len);
	return NULL;
}

/* Names in what may be compressed come in any case: a pointer takes the case of its target. */
static bool
same_rdata(uint16_t type, const uint8_t *a, const uint8_t *b, uint16_t len)
{
	const struct rrtype_layout l = rrtype_compressible(type);
	size_t at = l.fixed;

	if (memcmp(a, b, len) == 0)
		return true;
	if (l.names == 0 || memcmp(a, b, l.fixed) != 0)
		return false;
	for (unsigned i = 0; i < l.names; i++) {
		if (!name_equal(a + at, b + at))
			return false;
		at += name_len(a + at);
	}
	return memcmp(a + at, b + at, len - at) == 0;
}

/* Twins go together: adding what is there already adds nothing (RFC 1995 has sets in mind). */
const char *
draft_remove(
    struct draft *d, const uint8_t *owner, uint16_t type, const uint8_t *rdata, uint16_t len)
{
	struct owner *o = name_below(owner, d->apex) ? find_owner(d, owner) : NULL;
	bool found = false;

	if (d->bytes > d->max_bytes)
		return too_large;
	if (!rdata_check(type, rdata, len))
		return malformed;
	if (o == NULL)
		return "the record to delete cannot be looked up";

	struct group *g = find_group(d, o, type);
	struct record **at = &g->first;

	while (*at != NULL) {
		const struct record *r = *at;

		if (r->len == len && same_rdata(type, r->data, rdata, len)) {
			*at = r->next;
			found = true;
		} else {
			at = &(*at)->next;
		}
	}
	g->last = at;
	return found ? NULL : "a record is to be deleted that is not there";
}

void
draft_drop(struct draft *d, const uint8_t *owner, uint16_t type)
{
	struct owner *o = find_owner(d, owner);

	if (o == NULL)
		return;

	struct group *g = find_group(d, o, type);

	g->first = NULL;
	g->last = &g->first;
}

/* -- looking -- */

size_t
draft_types(struct draft *d, const uint8_t *owner, uint16_t *out, size_t max)
{
	const struct owner *o = find_owner(d, owner);
	size_t n = 0;

	for (const struct group *g = o != NULL ? o->groups : NULL; g != NULL && n < max;
	     g = g->next)
		if (g->first != NULL)
			out[n++] = g->type;
	return n;
}

static const struct record *
first_record(struct draft *d, const uint8_t *owner, uint16_t type)
{
	const struct owner *o = find_owner(d, owner);

	for (const struct group *g = o != NULL ? o->groups : NULL; g != NULL; g = g->next)
		if (g->type == type)
			return g->first;
	return NULL;
}

const uint8_t *
draft_next(struct draft *d, const uint8_t *owner, uint16_t type, const void **at, uint16_t *len)
{
	const struct record *r = *at;

	r = r == NULL ? first_record(d, owner, type) : r->next;
	*at = r;
	if (r == NULL)
		return NULL;
	*len = r->len;
	return r->data;
}

/* -- the result -- */

static const char *
make_set(struct group *g, struct buf *scratch)
{
	buf_clear(scratch);
	for (const struct record *r = g->first; r != NULL; r = r->next) {
		buf_put_u16(scratch, r->len);
		buf_put(scratch, r->data, r->len);
	}
	rrset_free(&g->after);
	if (g->first == NULL)
		return NULL;
	g->after = rrset_new(g->type, g->ttl_s, scratch->data, scratch->len);
	return g->after == NULL ? "over 65535 records of one name and type" : NULL;
}

/* Against the sets before it at its owner; each pair is met once. */
static const char *
check_group(const struct draft *d, const struct group *g)
{
	uint16_t have[64];
	size_t n = 0;

	if (g->after == NULL)
		return NULL;
	for (const struct group *o = g->owner->groups; o != g && n < ARRAY_LEN(have); o = o->next)
		if (o->after != NULL)
			have[n++] = o->type;
	return zonefile_check_rule(d->apex, g->owner->name, g->type, g->after->count, have, n);
}

static const char *
check_apex(struct draft *d)
{
	struct owner *o = find_owner(d, d->apex);
	bool soa = false, ns = false;

	for (const struct group *g = o != NULL ? o->groups : NULL; g != NULL; g = g->next) {
		soa |= g->type == RRTYPE_SOA && g->first != NULL;
		ns |= g->type == RRTYPE_NS && g->first != NULL;
	}
	if (!soa)
		return "the zone has no SOA record at its apex";
	return ns ? NULL : "the zone has no NS record at its apex";
}

const char *
draft_check(struct draft *d, const uint8_t **owner, uint16_t *type)
{
	struct buf scratch;
	const char *why;

	*owner = d->apex;
	*type = RRTYPE_SOA;
	why = check_apex(d);
	buf_init(&scratch, SIZE_MAX);
	for (struct group *g = d->groups; g != NULL && why == NULL; g = g->next_touched) {
		*owner = g->owner->name;
		*type = g->type;
		why = make_set(g, &scratch);
	}
	for (struct group *g = d->groups; g != NULL && why == NULL; g = g->next_touched) {
		*owner = g->owner->name;
		*type = g->type;
		why = check_group(d, g);
	}
	buf_fini(&scratch);
	return why;
}

void
draft_each(const struct draft *d, draft_visit_f *visit, void *arg)
{
	for (const struct group *g = d->groups; g != NULL; g = g->next_touched) {
		const bool same = g->before == NULL || g->after == NULL
				      ? g->before == NULL && g->after == NULL
				      : rrset_equal(g->before, g->after);

		if (!same)
			visit(arg, g->owner->name, g->type, g->after);
	}
}
