/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Comparing names in canonical order is slow, so each link has a *prefix*: the first eight bytes
 * of a form of the name that memcmp orders the same way. Labels from the apex down, each ended by
 * a 0; bytes 0 and 1 within a label become 1 1 and 1 2. Only equal prefixes leave a doubt.
 */
#include "zone/ordered.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/rand.h"
#include "dns/name.h"
#include "zone/retire.h"

#define LEVELS 16 /* each has a quarter of the one below: enough for 4^16 */
#define PREFIX 8

struct link {
	const struct zone_node *node;
	uint64_t prefix;
	unsigned levels;
	struct link *next[];
};

struct ordered {
	unsigned apex_labels;
	unsigned levels; /* in use; grows only */
	struct rand_state rng;
	struct link *head; /* no node, all levels */
};

/* What is sought, and how: up to `name`, or what lies before it only. */
struct target {
	const uint8_t *name;
	uint64_t prefix;
	bool inclusive;
};

static size_t
put_byte(uint8_t *out, size_t n, uint8_t c)
{
	if (c <= 1) {
		out[n++] = 1;
		c++;
	}
	out[n++] = c;
	return n;
}

static uint64_t
prefix_of(const struct ordered *o, const uint8_t *name)
{
	uint8_t out[PREFIX + 2] = { 0 };
	struct name_path p;
	uint64_t prefix = 0;
	size_t n = 0;

	name_path_of(&p, name);
	for (unsigned at = o->apex_labels + 1u; at <= p.labels && n < PREFIX; at++) {
		const uint8_t *label = name_path_tail(&p, at);

		for (unsigned i = 1; i <= *label && n < PREFIX; i++)
			n = put_byte(out, n, label[i]);
		n++;
	}
	for (unsigned i = 0; i < PREFIX; i++)
		prefix = prefix << 8 | out[i];
	return prefix;
}

static struct target
target(const struct ordered *o, const uint8_t *name, bool inclusive)
{
	return (struct target){ name, prefix_of(o, name), inclusive };
}

static struct link *
next_of(const struct link *l, unsigned level)
{
	return __atomic_load_n(&l->next[level], __ATOMIC_ACQUIRE);
}

static const struct zone_node *
node_of(const struct link *l)
{
	return __atomic_load_n(&l->node, __ATOMIC_ACQUIRE);
}

static bool
reaches(const struct link *l, const struct target *t)
{
	if (l->prefix != t->prefix)
		return l->prefix < t->prefix;

	const int diff = name_order(node_of(l)->name, t->name);

	return diff < 0 || (diff == 0 && t->inclusive);
}

/* The last link that reaches the target (or the head), on each level if asked for. */
static struct link *
descend(const struct ordered *o, const struct target *t, struct link *last[LEVELS])
{
	struct link *at = o->head, *next, *beyond = NULL;

	for (unsigned level = __atomic_load_n(&o->levels, __ATOMIC_RELAXED); level-- > 0;) {
		while ((next = next_of(at, level)) != beyond && next != NULL && reaches(next, t))
			at = next;
		beyond = next;
		if (last != NULL)
			last[level] = at;
	}
	return at;
}

static struct link *
new_link(unsigned levels)
{
	struct link *l = xcalloc(1, sizeof(*l) + levels * sizeof(struct link *));

	l->levels = levels;
	return l;
}

struct ordered *
ordered_new(unsigned apex_labels)
{
	struct ordered *o = xcalloc(1, sizeof(*o));

	o->apex_labels = apex_labels;
	o->levels = 1;
	o->head = new_link(LEVELS);
	rand_seed(&o->rng, rand_u64());
	return o;
}

void
ordered_free(struct ordered **o)
{
	struct link *next;

	if (*o == NULL)
		return;
	for (struct link *l = (*o)->head; l != NULL; l = next) {
		next = l->next[0];
		free(l);
	}
	free(*o);
	*o = NULL;
}

static unsigned
random_levels(struct ordered *o)
{
	unsigned n = 1;

	for (uint64_t bits = rand_next(&o->rng); n < LEVELS && (bits & 3) == 0; bits >>= 2)
		n++;
	return n;
}

static struct link *
exact(const struct link *before, const uint8_t *name)
{
	struct link *l = before->next[0];

	return l != NULL && name_order(l->node->name, name) == 0 ? l : NULL;
}

void
ordered_put(struct ordered *o, const struct zone_node *n)
{
	const struct target t = target(o, n->name, false);
	struct link *last[LEVELS];
	struct link *l = exact(descend(o, &t, last), n->name);

	if (l != NULL) {
		__atomic_store_n(&l->node, n, __ATOMIC_RELEASE);
		return;
	}
	l = new_link(random_levels(o));
	l->node = n;
	l->prefix = t.prefix;
	for (; o->levels < l->levels; __atomic_store_n(&o->levels, o->levels + 1, __ATOMIC_RELAXED))
		last[o->levels] = o->head;
	for (unsigned i = 0; i < l->levels; i++)
		l->next[i] = last[i]->next[i];
	for (unsigned i = 0; i < l->levels; i++)
		__atomic_store_n(&last[i]->next[i], l, __ATOMIC_RELEASE);
}

void
ordered_remove(struct ordered *o, const uint8_t *name)
{
	const struct target t = target(o, name, false);
	struct link *last[LEVELS];
	struct link *l = exact(descend(o, &t, last), name);

	CHECK(l != NULL);
	for (unsigned i = l->levels; i-- > 0;)
		__atomic_store_n(&last[i]->next[i], l->next[i], __ATOMIC_RELEASE);
	retire(l, free);
}

static const struct zone_node *
find(const struct ordered *o, const uint8_t *name, bool inclusive)
{
	const struct target t = target(o, name, inclusive);
	const struct link *l = descend(o, &t, NULL);

	return l != o->head ? node_of(l) : NULL;
}

const struct zone_node *
ordered_floor(const struct ordered *o, const uint8_t *name)
{
	return find(o, name, true);
}

const struct zone_node *
ordered_before(const struct ordered *o, const uint8_t *name)
{
	return find(o, name, false);
}

const struct zone_node *
ordered_last(const struct ordered *o)
{
	const struct link *at = o->head, *next;

	for (unsigned level = LEVELS; level-- > 0;)
		while ((next = next_of(at, level)) != NULL)
			at = next;
	return at != o->head ? node_of(at) : NULL;
}
