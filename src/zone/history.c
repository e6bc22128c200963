/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/history.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/strmap.h"
#include "dns/name.h"
#include "dns/rrtype.h"

#define SOA_TIMERS 20 /* bytes after the two names, serial first */

struct history {
	uint32_t magic;
#define HISTORY_MAGIC 0x68157021u
	size_t limit, bytes;
	pthread_mutex_t lock; /* of the steps */
	struct history_step **steps;
	size_t count, cap;
	struct strmap touched; /* "TYPE owner" -> struct touch * */
};

/* An RRset as it was before the change set. */
struct touch {
	struct rrset *before; /* NULL: there was none */
	uint16_t type;
	uint8_t owner[];
};

uint32_t
history_serial(const struct rrset *soa)
{
	const uint8_t *p = soa->data + soa->size - SOA_TIMERS;

	CHECK(soa->type == RRTYPE_SOA && soa->size > SOA_TIMERS);
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool
history_newer(uint32_t a, uint32_t b)
{
	return a != b && (uint32_t)(a - b) < 0x80000000u;
}

/* -- steps -- */

static void
free_items(struct history_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free((void *)(uintptr_t)items[i].owner);
		rrset_free(&items[i].set);
	}
	free(items);
}

static void
unref(struct history_step *s)
{
	if (__atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	free_items(s->gone, s->n_gone);
	free_items(s->come, s->n_come);
	rrset_free(&s->old_soa);
	rrset_free(&s->new_soa);
	free(s);
}

void
history_step_unref(struct history_step **s)
{
	if (*s != NULL)
		unref(*s);
	*s = NULL;
}

/*
 * The records of `a` that `b` has not, or NULL if there are none; another TTL makes all others, but
 * for signatures, each of which says its own.
 */
static struct rrset *
minus(const struct rrset *a, const struct rrset *b)
{
	const bool alike =
	    a != NULL && b != NULL && (a->ttl_s == b->ttl_s || a->type == RRTYPE_RRSIG);
	uint32_t pos = 0, other = 0;
	uint16_t len, other_len = 0;
	const uint8_t *rdata, *theirs;
	struct rrset *rest = NULL;
	uint8_t *data;
	size_t n = 0;

	if (a == NULL)
		return NULL;
	data = xmalloc(a->size);
	theirs = alike ? rrset_next(b, &other, &other_len) : NULL;
	while ((rdata = rrset_next(a, &pos, &len)) != NULL) {
		int order = -1;

		/* Both are sorted. */
		while (theirs != NULL) {
			order = memcmp(rdata, theirs, len < other_len ? len : other_len);
			order = order != 0 ? order : (int)len - (int)other_len;
			if (order <= 0)
				break;
			theirs = rrset_next(b, &other, &other_len);
		}
		if (theirs != NULL && order == 0)
			continue;
		memcpy(data + n, rdata - 2, 2u + len);
		n += 2u + len;
	}
	if (n > 0)
		rest = rrset_new(a->type, a->ttl_s, data, n);
	free(data);
	return rest;
}

static void
add_item(struct history_item **items, size_t *n, struct history_step *s, const uint8_t *owner,
    struct rrset *set)
{
	const size_t len = name_len(owner);

	if (set == NULL)
		return;
	/* Room in powers of two, without a count of it. */
	if ((*n & (*n - 1)) == 0)
		*items = xrealloc(*items, (*n == 0 ? 1 : *n * 2) * sizeof(**items));
	(*items)[(*n)++] = (struct history_item){ xmemdup(owner, len), set };
	s->bytes += sizeof(**items) + len + sizeof(*set) + set->size;
}

void
history_step_gone(struct history_step *s, const uint8_t *owner, struct rrset *set)
{
	add_item(&s->gone, &s->n_gone, s, owner, set);
}

void
history_step_come(struct history_step *s, const uint8_t *owner, struct rrset *set)
{
	add_item(&s->come, &s->n_come, s, owner, set);
}

static const struct rrset *
find(const struct zone *z, const uint8_t *owner, uint16_t type)
{
	const struct zone_node *n = zone_find(z, owner);

	return n == NULL ? NULL : zone_node_find(n, type);
}

static struct rrset *
copy(const struct rrset *s)
{
	return s == NULL ? NULL : rrset_new(s->type, s->ttl_s, s->data, s->size);
}

static bool
is_soa(const struct zone *z, const struct touch *t)
{
	return t->type == RRTYPE_SOA && name_equal(t->owner, zone_apex(z));
}

static struct history_step *
make_step(struct history *h, const struct zone *z,
    bool (*hides)(const struct zone *z, const uint8_t *owner, uint16_t type))
{
	struct history_step *s = xcalloc(1, sizeof(*s));

	s->refs = 1;
	s->bytes = sizeof(*s);
	STRMAP_EACH (&h->touched, e) {
		struct touch *t = e->value;
		const struct rrset *after = find(z, t->owner, t->type);

		if (is_soa(z, t)) {
			s->old_soa = copy(t->before);
			s->new_soa = copy(after);
		} else if (hides == NULL || !hides(z, t->owner, t->type)) {
			history_step_gone(s, t->owner, minus(t->before, after));
			history_step_come(s, t->owner, minus(after, t->before));
		}
	}
	if (s->old_soa != NULL && s->new_soa != NULL) {
		s->from = history_serial(s->old_soa);
		s->to = history_serial(s->new_soa);
	}
	return s;
}

/* -- the chain -- */

static void
drop_oldest(struct history *h, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		h->bytes -= h->steps[i]->bytes;
		unref(h->steps[i]);
	}
	if (n == 0)
		return;
	memmove(h->steps, h->steps + n, (h->count - n) * sizeof(struct history_step *));
	h->count -= n;
}

static void
append(struct history *h, struct history_step *s)
{
	size_t old = 0, bytes;

	if (h->count > 0 && h->steps[h->count - 1]->to != s->from)
		drop_oldest(h, h->count);
	MEM_GROW(&h->steps, &h->cap, h->count + 1);
	h->steps[h->count++] = s;
	h->bytes += s->bytes;
	/* A quarter of room at a time: moving the rest costs little then. */
	if (h->bytes <= h->limit)
		return;
	for (bytes = h->bytes; old < h->count && bytes > h->limit / 4 * 3; old++)
		bytes -= h->steps[old]->bytes;
	drop_oldest(h, old);
}

static void
forget_touched(struct history *h)
{
	STRMAP_EACH (&h->touched, e) {
		struct touch *t = e->value;

		rrset_free(&t->before);
		free(t);
	}
	strmap_fini(&h->touched);
	strmap_init(&h->touched);
}

void
history_touch(struct history *h, const struct zone *z, const uint8_t *owner, uint16_t type)
{
	const size_t len = name_len(owner);
	char name[NAME_TEXT_SIZE], key[NAME_TEXT_SIZE + 8];

	OBJ_CHECK(h, HISTORY_MAGIC);
	snprintf(key, sizeof(key), "%u %s", type, name_text(owner, name));
	if (strmap_find(&h->touched, key) != NULL)
		return;

	struct touch *t = xmalloc(sizeof(*t) + len);

	t->before = copy(find(z, owner, type));
	t->type = type;
	memcpy(t->owner, owner, len);
	strmap_put(&h->touched, key, t);
}

enum history_outcome
history_commit(struct history *h, const struct zone *z,
    bool (*hides)(const struct zone *z, const uint8_t *owner, uint16_t type))
{
	OBJ_CHECK(h, HISTORY_MAGIC);
	if (h->touched.count == 0)
		return HISTORY_SAME;

	struct history_step *s = make_step(h, z, hides);
	const bool good = s->new_soa != NULL && s->old_soa != NULL && history_newer(s->to, s->from);

	forget_touched(h);
	pthread_mutex_lock(&h->lock);
	if (good) {
		append(h, s);
	} else {
		drop_oldest(h, h->count);
		unref(s);
	}
	pthread_mutex_unlock(&h->lock);
	return good ? HISTORY_STEP : HISTORY_BROKEN;
}

const struct history_step *
history_latest(const struct history *h)
{
	return h->count > 0 ? h->steps[h->count - 1] : NULL;
}

static void
drop_newest(struct history *h)
{
	struct history_step *s = h->steps[--h->count];

	h->bytes -= s->bytes;
	unref(s);
}

/* The newest ones go until one leads to `serial`; all of them if none does. */
static void
cut(struct history *h, uint32_t serial)
{
	while (h->count > 0 && h->steps[h->count - 1]->to != serial)
		drop_newest(h);
}

void
history_recall(struct history *h, struct history_step *s)
{
	OBJ_CHECK(h, HISTORY_MAGIC);
	pthread_mutex_lock(&h->lock);
	cut(h, s->from);
	append(h, s);
	pthread_mutex_unlock(&h->lock);
}

void
history_settle(struct history *h, uint32_t serial)
{
	OBJ_CHECK(h, HISTORY_MAGIC);
	pthread_mutex_lock(&h->lock);
	cut(h, serial);
	pthread_mutex_unlock(&h->lock);
}

void
history_drop(struct history *h)
{
	OBJ_CHECK(h, HISTORY_MAGIC);
	forget_touched(h);
	pthread_mutex_lock(&h->lock);
	drop_oldest(h, h->count);
	pthread_mutex_unlock(&h->lock);
}

size_t
history_since(struct history *h, uint32_t serial, struct history_step ***steps)
{
	size_t first = 0, n = 0;

	OBJ_CHECK(h, HISTORY_MAGIC);
	pthread_mutex_lock(&h->lock);
	while (first < h->count && h->steps[first]->from != serial)
		first++;
	n = h->count - first;
	*steps = n == 0 ? NULL : xmemdup(h->steps + first, n * sizeof(**steps));
	for (size_t i = 0; i < n; i++)
		__atomic_add_fetch(&(*steps)[i]->refs, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&h->lock);
	return n;
}

void
history_release(struct history_step **steps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		unref(steps[i]);
	free(steps);
}

struct history *
history_new(size_t limit)
{
	struct history *h = xcalloc(1, sizeof(*h));

	h->magic = HISTORY_MAGIC;
	h->limit = limit;
	pthread_mutex_init(&h->lock, NULL);
	strmap_init(&h->touched);
	return h;
}

void
history_free(struct history **h)
{
	struct history *old = *h;

	if (old == NULL)
		return;
	history_drop(old);
	strmap_fini(&old->touched);
	pthread_mutex_destroy(&old->lock);
	old->magic = 0;
	free(old->steps);
	free(old);
	*h = NULL;
}
