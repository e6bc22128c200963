/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The writer's side. A change composes a new node from the old one and swaps it in; order keeps
 * the tree whole for readers at every instant: ancestors appear before and vanish after what is
 * below them, a depth bit is set before and cleared after the node that needs it.
 */
#include "zone/zone.h"

#include <stdlib.h>

#include "base/mem.h"
#include "dns/rrtype.h"
#include "zone/history.h"
#include "zone/inside.h"
#include "zone/ordered.h"
#include "zone/retire.h"

/* What a new node has otherwise than the old one. */
struct edit {
	uint16_t type; /* this RRset (0: none) is replaced by `set` or, if NULL, left out */
	const struct rrset *set;
	const void *overlay;
	bool wild_child;
};

static struct edit
no_edit(const struct zone_node *old)
{
	struct edit e = { 0 };

	if (old != NULL) {
		e.overlay = old->overlay;
		e.wild_child = (old->flags & ZONE_NODE_WILD_CHILD) != 0;
	}
	return e;
}

static size_t
align4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static size_t
set_size(const struct rrset *s)
{
	return align4(sizeof(*s) + s->size);
}

/* Visit the RRsets the new node shall have, in order of type. */
static unsigned
each_set(const struct zone_node *old, const struct edit *e,
    void (*visit)(const struct rrset *s, void *arg), void *arg)
{
	unsigned n = 0;
	bool pending = e->set != NULL;

	for (unsigned i = 0; old != NULL && i < old->n_rrsets; i++) {
		const struct rrset *s = old->rrsets[i];

		if (pending && e->type <= s->type) {
			visit(e->set, arg);
			pending = false;
			n++;
		}
		if (e->type == 0 || s->type != e->type) {
			visit(s, arg);
			n++;
		}
	}
	if (pending) {
		visit(e->set, arg);
		n++;
	}
	return n;
}

static void
add_size(const struct rrset *s, void *total)
{
	*(size_t *)total += set_size(s);
}

struct packing {
	struct zone_node *node;
	uint8_t *next;
};

static void
pack_set(const struct rrset *s, void *arg)
{
	struct packing *p = arg;

	memcpy(p->next, s, sizeof(*s) + s->size);
	p->node->rrsets[p->node->n_rrsets++] = (const struct rrset *)(const void *)p->next;
	p->next += set_size(s);
	if (s->type == RRTYPE_NS)
		p->node->flags |= ZONE_NODE_CUT;
	if (s->type == RRTYPE_DNAME)
		p->node->flags |= ZONE_NODE_DNAME;
	if (s->type == RRTYPE_NSEC || s->type == RRTYPE_NSEC3)
		p->node->flags |= ZONE_NODE_CHAIN;
}

/* What has names below it exists for their sake (RFC 5155 7.2.8). */
static bool
is_hash_only(const struct zone_node *n)
{
	if ((n->flags & ZONE_NODE_CHAIN) == 0 || n->overlay != NULL || n->n_children > 0)
		return false;
	for (unsigned i = 0; i < n->n_rrsets; i++)
		if (n->rrsets[i]->type != RRTYPE_NSEC3 && n->rrsets[i]->type != RRTYPE_RRSIG)
			return false;
	return true;
}

static size_t
node_size(const struct zone_node *n)
{
	size_t size = align4(sizeof(*n) + n->n_rrsets * sizeof(n->rrsets[0]) + n->name_len);

	for (unsigned i = 0; i < n->n_rrsets; i++)
		size += set_size(n->rrsets[i]);
	return size;
}

/* `node` comes in for `old`; either may be NULL. */
static void
weigh(struct zone *z, const struct zone_node *old, const struct zone_node *node)
{
	const size_t less = old != NULL ? node_size(old) : 0;

	__atomic_store_n(
	    &z->bytes, z->bytes - less + (node != NULL ? node_size(node) : 0), __ATOMIC_RELAXED);
}

/* header | pointers | name | RRsets, each at a multiple of 4 */
static struct zone_node *
compose(const struct zone *z, const struct name_path *p, unsigned depth,
    const struct zone_node *old, const struct edit *e)
{
	const unsigned len = zone_len_at(z, p, depth);
	size_t sets = 0, head;
	unsigned n = each_set(old, e, add_size, &sets);
	struct zone_node *node;
	struct packing packing;
	uint8_t *name;

	CHECK(n <= UINT16_MAX);
	head = sizeof(*node) + n * sizeof(node->rrsets[0]);
	node = xmalloc(align4(head + len) + sets);
	name = (uint8_t *)node + head;
	memcpy(name, zone_name_at(z, p, depth), len);
	*node = (struct zone_node){
		.overlay = e->overlay,
		.name = name,
		.name_len = (uint8_t)len,
		.flags = e->wild_child ? ZONE_NODE_WILD_CHILD : 0,
		.n_children = old != NULL ? old->n_children : 0,
	};
	packing = (struct packing){ node, (uint8_t *)node + align4(head + len) };
	each_set(old, e, pack_set, &packing);
	if (depth == 0)
		node->flags &= (uint8_t)~ZONE_NODE_CUT;
	if (depth > 0 && is_hash_only(node))
		node->flags |= ZONE_NODE_HASHED;
	return node;
}

static void
set_bit(struct depths *d, unsigned depth, bool on)
{
	uint64_t *word = &d->bits[depth / 64], bit = UINT64_C(1) << depth % 64;

	__atomic_store_n(word, on ? *word | bit : *word & ~bit, __ATOMIC_RELEASE);
}

static bool
has_bits(const struct depths *d)
{
	return (d->bits[0] | d->bits[1]) != 0;
}

static void
count(struct zone *z, unsigned depth, uint8_t flags, int by)
{
	if ((flags & (ZONE_NODE_CUT | ZONE_NODE_DNAME)) == 0)
		return;
	if (z->tallies == NULL)
		z->tallies = xcalloc(1, sizeof(*z->tallies));
	if (flags & ZONE_NODE_CUT) {
		z->tallies->cuts[depth] += (uint32_t)by;
		set_bit(&z->cuts, depth, z->tallies->cuts[depth] > 0);
	}
	if (flags & ZONE_NODE_DNAME) {
		z->tallies->dnames[depth] += (uint32_t)by;
		set_bit(&z->dnames, depth, z->tallies->dnames[depth] > 0);
	}
	__atomic_store_n(&z->barred, has_bits(&z->cuts) || has_bits(&z->dnames), __ATOMIC_RELEASE);
}

static void
need_chain(struct zone *z)
{
	if (z->chain == NULL)
		__atomic_store_n(&z->chain, ordered_new(z->apex_labels), __ATOMIC_RELEASE);
}

/* Keep the chain of a signed zone: `node` comes in for `old`, either may be NULL. */
static void
enchain(struct zone *z, const struct zone_node *old, const struct zone_node *node)
{
	if (node != NULL && (node->flags & ZONE_NODE_CHAIN)) {
		need_chain(z);
		ordered_put(z->chain, node);
	} else if (old != NULL && (old->flags & ZONE_NODE_CHAIN)) {
		ordered_remove(z->chain, old->name);
	}
}

static uint32_t
read_u32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* RFC 2308 section 5: the smaller one of the SOA's TTL and its last field. */
uint32_t
zone_negative_ttl(const struct rrset *soa)
{
	uint32_t pos = 0;
	uint16_t len = 0;
	const uint8_t *rdata = rrset_next(soa, &pos, &len);
	const uint32_t minimum = rdata == NULL || len < 4 ? 0 : read_u32(rdata + len - 4);

	return minimum < soa->ttl_s ? minimum : soa->ttl_s;
}

/* `apex` comes in for `old` (NULL: there was none): a SOA of its own makes new negative answers. */
static void
prepare_negative(struct zone *z, const struct zone_node *old, const struct zone_node *apex)
{
	const struct rrset *soa = zone_node_find(apex, RRTYPE_SOA);
	const struct rrset *before = old == NULL ? NULL : zone_node_find(old, RRTYPE_SOA);
	struct prepared *was = z->negative, *is = NULL;
	const uint8_t *rdata;
	uint32_t pos = 0;
	uint16_t len;

	if (soa != NULL && before != NULL && was != NULL && rrset_equal(soa, before))
		return;
	if (soa != NULL && (rdata = rrset_next(soa, &pos, &len)) != NULL)
		is = prepared_new(z->apex, RRTYPE_SOA, zone_negative_ttl(soa), rdata, len);
	__atomic_store_n(&z->negative, is, __ATOMIC_RELEASE);
	if (was != NULL)
		retire(was, free);
}

const struct prepared *
zone_negative(const struct zone *z)
{
	return __atomic_load_n(&z->negative, __ATOMIC_ACQUIRE);
}

/* Readers that see the zone announced as signed find its chain: it is published before. */
static void
announce(struct zone *z, const struct zone_node *apex)
{
	enum zone_signed is = ZONE_UNSIGNED;

	if (zone_node_find(apex, RRTYPE_DNSKEY) != NULL) {
		if (zone_node_find(apex, RRTYPE_NSEC3PARAM) != NULL)
			is = ZONE_NSEC3;
		else if (zone_node_find(apex, RRTYPE_NSEC) != NULL)
			is = ZONE_NSEC;
	}
	if (is != ZONE_UNSIGNED)
		need_chain(z);
	__atomic_store_n(&z->is_signed, (uint8_t)is, __ATOMIC_RELEASE);
}

static uint64_t
hash_node(const void *item, UNUSED const void *arg)
{
	const struct zone_node *n = item;

	return name_hash(n->name, n->name_len);
}

static void
swap(struct zone *z, const struct name_path *p, unsigned depth, struct zone_node *old,
    const struct edit *e)
{
	struct zone_node *node = compose(z, p, depth, old, e);

	count(z, depth, node->flags, 1);
	table_replace(&z->nodes, zone_hash_at(z, p, depth), old, node);
	if (depth == 0)
		__atomic_store_n(&z->top, node, __ATOMIC_RELEASE);
	enchain(z, old, node);
	weigh(z, old, node);
	if (depth == 0) {
		prepare_negative(z, old, node);
		announce(z, node);
	}
	count(z, depth, old->flags, -1);
	retire(old, free);
}

/* Tell the parent that "*" below it came or went. */
static void
flag_wild_child(struct zone *z, const struct name_path *p, unsigned parent, bool on)
{
	struct zone_node *old = zone_node_at(z, p, parent);
	struct edit e = no_edit(old);

	e.wild_child = on;
	swap(z, p, parent, old, &e);
}

/* A child comes or goes: what owns an NSEC3 only exists while it has one. */
static void
count_child(struct zone *z, const struct name_path *p, unsigned parent, int by)
{
	struct zone_node *n = zone_node_at(z, p, parent);
	struct edit none = no_edit(n);

	n->n_children += (uint32_t)by;
	if (parent > 0 && is_hash_only(n) != ((n->flags & ZONE_NODE_HASHED) != 0))
		swap(z, p, parent, n, &none);
}

static void
attach(struct zone *z, const struct name_path *p, unsigned depth, const struct edit *e)
{
	struct zone_node *node = compose(z, p, depth, NULL, e);

	if (depth > 0)
		count_child(z, p, depth - 1, 1);
	count(z, depth, node->flags, 1);
	table_insert(&z->nodes, zone_hash_at(z, p, depth), node, hash_node, NULL);
	if (depth == 0)
		__atomic_store_n(&z->top, node, __ATOMIC_RELEASE);
	enchain(z, NULL, node);
	weigh(z, NULL, node);
	if (depth > 0 && name_is_wildcard(node->name))
		flag_wild_child(z, p, depth - 1, true);
}

static void
detach(struct zone *z, const struct name_path *p, unsigned depth, struct zone_node *node)
{
	if (name_is_wildcard(node->name))
		flag_wild_child(z, p, depth - 1, false);
	table_remove(&z->nodes, zone_hash_at(z, p, depth), node);
	enchain(z, node, NULL);
	weigh(z, node, NULL);
	count(z, depth, node->flags, -1);
	count_child(z, p, depth - 1, -1);
	retire(node, free);
}

/* Make the empty non-terminals that `depth` needs above it, from the top down. */
static void
plant_above(struct zone *z, const struct name_path *p, unsigned depth)
{
	struct edit none = no_edit(NULL);
	unsigned d = depth;

	while (d > 0 && zone_node_at(z, p, d - 1) == NULL)
		d--;
	for (; d < depth; d++)
		attach(z, p, d, &none);
}

/* Take away what nothing holds any more above `depth`, from the bottom up; the apex stays. */
static void
prune_above(struct zone *z, const struct name_path *p, unsigned depth)
{
	while (--depth > 0) {
		struct zone_node *n = zone_node_at(z, p, depth);

		if (n->n_rrsets > 0 || n->overlay != NULL || n->n_children > 0)
			return;
		detach(z, p, depth, n);
	}
}

static bool
leaves_nothing(const struct zone_node *old, const struct edit *e)
{
	bool last = old->n_rrsets == 0 || (old->n_rrsets == 1 && old->rrsets[0]->type == e->type);

	return last && e->set == NULL && e->overlay == NULL && old->n_children == 0;
}

static void
apply(struct zone *z, const struct name_path *p, struct zone_node *old, const struct edit *e)
{
	const unsigned depth = zone_depth(z, p);

	if (old == NULL) {
		plant_above(z, p, depth);
		attach(z, p, depth, e);
	} else if (depth > 0 && leaves_nothing(old, e)) {
		detach(z, p, depth, old);
		prune_above(z, p, depth);
	} else {
		swap(z, p, depth, old, e);
	}
}

static struct zone_node *
enter(const struct zone *z, const uint8_t *owner, struct name_path *p)
{
	OBJ_CHECK(z, ZONE_MAGIC);
	CHECK(name_below(owner, z->apex));
	name_path_of(p, owner);
	return zone_node_at(z, p, zone_depth(z, p));
}

void
zone_reserve(struct zone *z, size_t names)
{
	OBJ_CHECK(z, ZONE_MAGIC);
	table_reserve(&z->nodes, z->nodes.count + names, hash_node, NULL);
}

void
zone_prefetch(const struct zone *z, const uint8_t *owner)
{
	table_prefetch(&z->nodes, name_hash(owner, name_len(owner)));
}

void
zone_put(struct zone *z, const uint8_t *owner, struct rrset *set)
{
	struct name_path p;
	struct zone_node *old = enter(z, owner, &p);
	struct edit e = no_edit(old);

	CHECK(set->type != 0);
	e.type = set->type;
	e.set = set;
	apply(z, &p, old, &e);
	rrset_free(&set);
}

void
zone_del(struct zone *z, const uint8_t *owner, uint16_t type)
{
	struct name_path p;
	struct zone_node *old = enter(z, owner, &p);
	struct edit e = no_edit(old);

	if (old == NULL || zone_node_find(old, type) == NULL)
		return;
	e.type = type;
	apply(z, &p, old, &e);
}

const void *
zone_overlay(struct zone *z, const uint8_t *owner, const void *overlay)
{
	struct name_path p;
	struct zone_node *old = enter(z, owner, &p);
	const void *before = old != NULL ? old->overlay : NULL;
	struct edit e = no_edit(old);

	if (before == overlay)
		return before;
	e.overlay = overlay;
	apply(z, &p, old, &e);
	return before;
}

struct zone *
zone_new(const uint8_t *apex)
{
	size_t len = name_len(apex);
	struct zone *z = xcalloc(1, sizeof(*z) + len);
	struct edit none = no_edit(NULL);
	struct name_path p;

	z->magic = ZONE_MAGIC;
	z->apex_len = (uint8_t)len;
	z->apex_labels = (uint8_t)name_labels(apex);
	memcpy(z->apex, apex, len);
	table_open(&z->nodes);
	pthread_mutex_init(&z->gate, NULL);
	name_path_of(&p, z->apex);
	attach(z, &p, 0, &none);
	return z;
}

void
zone_free(struct zone **z)
{
	struct zone_node *n;
	size_t at = 0;

	if (*z == NULL)
		return;
	OBJ_CHECK(*z, ZONE_MAGIC);
	while ((n = table_walk((*z)->nodes.slots, &at)) != NULL)
		free(n);
	table_close(&(*z)->nodes);
	ordered_free(&(*z)->chain);
	free((*z)->negative);
	free((*z)->tallies);
	free((*z)->policy);
	history_free(&(*z)->history);
	pthread_mutex_destroy(&(*z)->gate);
	(*z)->magic = 0;
	free(*z);
	*z = NULL;
}

void
zone_set_policy(struct zone *z, void *policy)
{
	void *old = z->policy;

	__atomic_store_n(&z->policy, policy, __ATOMIC_RELEASE);
	if (old != NULL)
		retire(old, free);
}

const void *
zone_policy(const struct zone *z)
{
	return __atomic_load_n(&z->policy, __ATOMIC_ACQUIRE);
}

void
zone_set_history(struct zone *z, struct history *h)
{
	CHECK(z->history == NULL);
	__atomic_store_n(&z->history, h, __ATOMIC_RELEASE);
}

struct history *
zone_history(const struct zone *z)
{
	return __atomic_load_n(&z->history, __ATOMIC_ACQUIRE);
}

void
zone_set_stale(struct zone *z, bool stale)
{
	__atomic_store_n(&z->stale, stale, __ATOMIC_RELAXED);
}

bool
zone_stale(const struct zone *z)
{
	return __atomic_load_n(&z->stale, __ATOMIC_RELAXED);
}

const uint8_t *
zone_apex(const struct zone *z)
{
	return z->apex;
}

enum zone_signed
zone_signed(const struct zone *z)
{
	return __atomic_load_n(&z->is_signed, __ATOMIC_ACQUIRE);
}

size_t
zone_names(const struct zone *z)
{
	return z->nodes.count;
}

size_t
zone_bytes(const struct zone *z)
{
	return __atomic_load_n(&z->bytes, __ATOMIC_RELAXED);
}

const struct zone_node *
zone_find(const struct zone *z, const uint8_t *lower_name)
{
	struct name_path p;

	if (!name_below(lower_name, z->apex))
		return NULL;
	name_path_of(&p, lower_name);
	return zone_node_at(z, &p, zone_depth(z, &p));
}

const struct zone_node *
zone_apex_node(const struct zone *z)
{
	return __atomic_load_n(&z->top, __ATOMIC_ACQUIRE);
}

void
zone_walk(const struct zone *z, void (*visit)(const struct zone_node *n, void *arg), void *arg)
{
	const struct table_slots *s = __atomic_load_n(&z->nodes.slots, __ATOMIC_ACQUIRE);
	const struct zone_node *n;
	size_t at = 0;

	while ((n = table_walk(s, &at)) != NULL)
		visit(n, arg);
}
