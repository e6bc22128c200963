/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "zone/retire.h"

struct ring {
	size_t count;
	struct tsig_key keys[];
};

struct keyring {
	struct ring *ring; /* never NULL */
};

/* Index of `name`, or of the first key after it. */
static size_t
place(const struct ring *r, const uint8_t *name)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (name_order(r->keys[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
is_at(const struct ring *r, size_t i, const uint8_t *name)
{
	return i < r->count && name_equal(r->keys[i].name, name);
}

static struct ring *
ring_of(size_t count)
{
	struct ring *r = xcalloc(1, sizeof(*r) + count * sizeof(r->keys[0]));

	r->count = count;
	return r;
}

/* The secrets do not stay in freed memory. */
static void
wipe(void *ptr)
{
	struct ring *r = ptr;

	explicit_bzero(r->keys, r->count * sizeof(r->keys[0]));
	free(r);
}

static void
publish(struct keyring *k, struct ring *r)
{
	struct ring *old = k->ring;

	__atomic_store_n(&k->ring, r, __ATOMIC_RELEASE);
	retire(old, wipe);
}

/* A copy with `skip` keys left out at `at` and room for `gap` there. */
static struct ring *
reshape(const struct ring *old, size_t at, size_t skip, size_t gap)
{
	struct ring *r = ring_of(old->count - skip + gap);

	memcpy(r->keys, old->keys, at * sizeof(r->keys[0]));
	memcpy(r->keys + at + gap, old->keys + at + skip,
	    (old->count - at - skip) * sizeof(r->keys[0]));
	return r;
}

void
keyring_put(struct keyring *k, const struct tsig_key *key)
{
	const size_t at = place(k->ring, key->name);
	struct ring *r = reshape(k->ring, at, is_at(k->ring, at, key->name), 1);

	r->keys[at] = *key;
	publish(k, r);
}

void
keyring_remove(struct keyring *k, const uint8_t *name)
{
	const size_t at = place(k->ring, name);

	if (is_at(k->ring, at, name))
		publish(k, reshape(k->ring, at, 1, 0));
}

const struct tsig_key *
keyring_find(const struct keyring *k, const uint8_t *name)
{
	if (k == NULL)
		return NULL;

	const struct ring *r = __atomic_load_n(&k->ring, __ATOMIC_ACQUIRE);
	const size_t at = place(r, name);

	return is_at(r, at, name) ? &r->keys[at] : NULL;
}

struct keyring *
keyring_new(void)
{
	struct keyring *k = xcalloc(1, sizeof(*k));

	k->ring = ring_of(0);
	return k;
}

void
keyring_free(struct keyring **k)
{
	if (*k == NULL)
		return;
	wipe((*k)->ring);
	free(*k);
	*k = NULL;
}
