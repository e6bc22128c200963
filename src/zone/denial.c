/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NSEC: the record at or before a name in canonical order matches or covers it.
 * NSEC3: the same among hashes, in a circle. Existence is proven by the *closest provable
 * encloser*: the closest one with an NSEC3 of its own, since opt-out leaves out unsigned cuts and
 * the empty non-terminals above them.
 */
#include "zone/denial.h"

#include "dns/nsec3.h"
#include "dns/rrtype.h"
#include "zone/inside.h"
#include "zone/ordered.h"

static void
add(struct denial *d, const struct zone_node *n)
{
	if (n == NULL || d->n == DENIAL_MAX)
		return;
	for (unsigned i = 0; i < d->n; i++)
		if (d->nodes[i] == n)
			return;
	d->nodes[d->n++] = n;
}

static void
make_wildcard(uint8_t out[NAME_MAX_LEN + 2], const uint8_t *parent)
{
	out[0] = 1;
	out[1] = '*';
	memcpy(out + 2, parent, name_len(parent));
}

/* NSEC */

static void
add_nsec(struct denial *d, const struct zone *z, const uint8_t *name)
{
	const struct ordered *chain = __atomic_load_n(&z->chain, __ATOMIC_ACQUIRE);
	const struct zone_node *n = ordered_floor(chain, name);

	while (n != NULL && zone_node_find(n, RRTYPE_NSEC) == NULL)
		n = ordered_before(chain, n->name);
	add(d, n);
}

/* NSEC3 */

struct hashing {
	struct denial *d;
	const struct zone *z;
	struct nsec3_params params;
};

static bool
has_params(const struct zone_node *n, uint16_t type, struct nsec3_params *p)
{
	const struct rrset *s = zone_node_find(n, type);
	uint32_t pos = 0;
	uint16_t len = 0;
	const uint8_t *rdata = s != NULL ? rrset_next(s, &pos, &len) : NULL;

	return rdata != NULL && nsec3_read(rdata, len, p);
}

static bool
start(struct hashing *h, struct denial *d, const struct zone *z)
{
	const struct zone_node *apex = zone_apex_node(z);

	h->d = d;
	h->z = z;
	if (apex == NULL || !has_params(apex, RRTYPE_NSEC3PARAM, &h->params))
		return false;
	d->too_costly = h->params.iterations > NSEC3_ITERATIONS_MAX;
	return !d->too_costly;
}

/* Two chains may live in a zone while its parameters change. */
static bool
is_ours(const struct hashing *h, const struct zone_node *n)
{
	struct nsec3_params p;

	return has_params(n, RRTYPE_NSEC3, &p) && nsec3_same(&p, &h->params);
}

/* The owner of the NSEC3 that `name` would have; false if it is too long to exist. */
static bool
hashed_owner(const struct hashing *h, const uint8_t *name, uint8_t out[NAME_MAX_LEN])
{
	uint8_t hash[NSEC3_HASH_LEN];

	if (NSEC3_LABEL_LEN + h->z->apex_len > NAME_MAX_LEN)
		return false;
	nsec3_hash(&h->params, name, hash);
	nsec3_label(hash, out);
	memcpy(out + NSEC3_LABEL_LEN, h->z->apex, h->z->apex_len);
	return true;
}

static bool
add_match(const struct hashing *h, const uint8_t *name)
{
	uint8_t owner[NAME_MAX_LEN];
	const struct zone_node *n;

	if (!hashed_owner(h, name, owner))
		return false;
	n = zone_find(h->z, owner);
	if (n == NULL || !is_ours(h, n))
		return false;
	add(h->d, n);
	return true;
}

static void
add_cover(const struct hashing *h, const uint8_t *name)
{
	const struct ordered *chain = __atomic_load_n(&h->z->chain, __ATOMIC_ACQUIRE);
	uint8_t owner[NAME_MAX_LEN];
	const struct zone_node *n;

	if (!hashed_owner(h, name, owner))
		return;
	n = ordered_floor(chain, owner);
	while (n != NULL && !is_ours(h, n))
		n = ordered_before(chain, n->name);
	if (n == NULL) /* before the first: the last one covers it */
		n = ordered_last(chain);
	while (n != NULL && !is_ours(h, n))
		n = ordered_before(chain, n->name);
	add(h->d, n);
}

/*
 * The closest provable encloser of `name`, at most `depth` below the apex, and that nothing is
 * between. Returns the encloser.
 */
static const uint8_t *
add_encloser(const struct hashing *h, const uint8_t *name, unsigned depth)
{
	unsigned skip = name_labels(name) - h->z->apex_labels - depth;
	const uint8_t *next = name_skip(name, skip - 1), *encloser = next + 1 + *next;

	while (!add_match(h, encloser) && depth-- > 0) {
		next = name_skip(name, ++skip - 1);
		encloser = next + 1 + *next;
	}
	add_cover(h, next);
	return encloser;
}

static unsigned
depth_of(const struct zone *z, const uint8_t *name)
{
	return name_labels(name) - z->apex_labels;
}

static void
type_nsec3(const struct hashing *h, const struct zone_node *n)
{
	const unsigned depth = depth_of(h->z, n->name);

	if (!add_match(h, n->name) && depth > 0)
		add_encloser(h, n->name, depth - 1);
}

void
denial_type(struct denial *d, const struct zone *z, const struct zone_node *n)
{
	struct hashing h;

	if (zone_signed(z) == ZONE_NSEC)
		add_nsec(d, z, n->name);
	else if (start(&h, d, z))
		type_nsec3(&h, n);
}

void
denial_name(
    struct denial *d, const struct zone *z, const uint8_t *qname, const struct zone_node *encloser)
{
	uint8_t wildcard[NAME_MAX_LEN + 2];
	struct hashing h;

	if (zone_signed(z) == ZONE_NSEC) {
		make_wildcard(wildcard, encloser->name);
		add_nsec(d, z, qname);
		add_nsec(d, z, wildcard);
	} else if (start(&h, d, z)) {
		make_wildcard(wildcard, add_encloser(&h, qname, depth_of(z, encloser->name)));
		add_cover(&h, wildcard);
	}
}

void
denial_expansion(
    struct denial *d, const struct zone *z, const uint8_t *qname, const struct zone_node *encloser)
{
	struct hashing h;

	if (zone_signed(z) == ZONE_NSEC)
		add_nsec(d, z, qname);
	else if (start(&h, d, z))
		add_cover(
		    &h, name_skip(qname, name_labels(qname) - name_labels(encloser->name) - 1));
}

void
denial_wildcard_type(struct denial *d, const struct zone *z, const uint8_t *qname,
    const struct zone_node *encloser, const struct zone_node *wildcard)
{
	struct hashing h;

	if (zone_signed(z) == ZONE_NSEC) {
		add_nsec(d, z, qname);
		add_nsec(d, z, wildcard->name);
	} else if (start(&h, d, z)) {
		add_encloser(&h, qname, depth_of(z, encloser->name));
		add_match(&h, wildcard->name);
	}
}
