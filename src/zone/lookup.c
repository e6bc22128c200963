/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From RFC 1034 section 4.3.2 step 3, by hash probes instead of a walk down the tree:
 *   a. the shallowest cut or DNAME above the name decides, looked for only at depths that have any;
 *   b. the name itself;
 *   c. the closest encloser: existence is monotone in depth (empty non-terminals are nodes), so it
 * is found by bisection, trying the parent first since that is what random subdomains hit; d. "*"
 * below it, only if its flag says so (RFC 4592: no other wildcard can apply).
 */
#include "dns/rrtype.h"
#include "zone/inside.h"
#include "zone/zone.h"

/* Depths of cuts or DNAMEs in 0..last of word `w`, as bits. */
static uint64_t
barriers(const struct zone *z, unsigned w, unsigned last)
{
	uint64_t bits = depths_word(&z->cuts, w) | depths_word(&z->dnames, w);

	if (last / 64 == w)
		bits &= ~UINT64_C(0) >> (63 - last % 64);
	return bits;
}

/* Does the node end the way down to a name `depth` deep? Fills `out` then. */
static bool
stops(const struct zone_node *n, unsigned at, unsigned depth, uint16_t qtype, struct lookup *out)
{
	bool here = at == depth;

	/* RFC 4035 section 3.1.4.1: DS at a cut is the parent's. */
	if ((n->flags & ZONE_NODE_CUT) && !(here && qtype == RRTYPE_DS))
		out->kind = LOOKUP_DELEGATION;
	else if ((n->flags & ZONE_NODE_DNAME) && !here)
		out->kind = LOOKUP_DNAME;
	else
		return false;
	out->node = n;
	return true;
}

static bool
find_barrier(const struct zone *z, const struct name_path *p, unsigned depth, uint16_t qtype,
    struct lookup *out)
{
	for (unsigned w = 0; w <= depth / 64; w++) {
		for (uint64_t bits = barriers(z, w, depth); bits != 0; bits &= bits - 1) {
			unsigned d = w * 64 + (unsigned)__builtin_ctzll(bits);
			const struct zone_node *n = zone_node_at(z, p, d);

			if (n == NULL) /* nothing below exists either */
				return false;
			if (stops(n, d, depth, qtype, out))
				return true;
		}
	}
	return false;
}

/* Deepest existing node above the name, which does not exist and lies at `depth`. */
static const struct zone_node *
closest_encloser(const struct zone *z, const struct name_path *p, unsigned depth)
{
	unsigned has = 0, lacks = depth, probe = depth - 1;
	const struct zone_node *best = NULL;

	while (lacks - has > 1) {
		const struct zone_node *n = zone_node_at(z, p, probe);

		if (zone_node_exists(n)) {
			best = n;
			has = probe;
		} else {
			lacks = probe;
		}
		probe = has + (lacks - has) / 2;
	}
	return best != NULL ? best : zone_node_at(z, p, 0);
}

static const struct zone_node *
find_wildcard(const struct zone *z, const struct zone_node *encloser)
{
	uint8_t name[2 + NAME_MAX_LEN] = { 1, '*' };
	const unsigned len = 2u + encloser->name_len;
	struct zone_node *n;

	if (len > NAME_MAX_LEN)
		return NULL;
	memcpy(name + 2, encloser->name, encloser->name_len);
	n = zone_node_of(z, name, len);
	return zone_node_exists(n) ? n : NULL;
}

void
lookup_around(
    const struct zone *z, const struct name_path *p, uint16_t qtype, struct lookup *out, bool sure)
{
	const unsigned depth = zone_depth(z, p);

	*out = (struct lookup){ .kind = LOOKUP_NAME };
	if (!sure) {
		if (find_barrier(z, p, depth, qtype, out))
			return;
		out->node = zone_node_at(z, p, depth);
		if (zone_node_exists(out->node))
			return;
	}
	out->node = NULL; /* that of an NSEC3 is none */
	out->encloser = closest_encloser(z, p, depth);
	if (out->encloser->flags & ZONE_NODE_WILD_CHILD)
		out->node = find_wildcard(z, out->encloser);
	out->wildcard = out->node != NULL;
	if (!out->wildcard)
		out->kind = LOOKUP_NXDOMAIN;
}

void
lookup_path(const struct zone *z, const struct name_path *p, uint16_t qtype, struct lookup *out)
{
	const struct zone_node *node;
	const enum lookup_glance seen = lookup_glance(z, p, &node);

	if (LIKELY(seen == LOOKUP_THERE))
		*out = (struct lookup){ .kind = LOOKUP_NAME, .node = node };
	else
		lookup_around(z, p, qtype, out, seen != LOOKUP_BARRED);
}

void
lookup(const struct zone *z, const uint8_t *qname, uint16_t qtype, struct lookup *out)
{
	struct name_path p;

	name_path_of(&p, qname);
	lookup_path(z, &p, qtype, out);
}
