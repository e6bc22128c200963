/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/transfer_view.h"

#include "dns/rrtype.h"
#include "steer/steered.h"

static bool
may_join_cname(uint16_t type)
{
	return type == RRTYPE_RRSIG || type == RRTYPE_NSEC;
}

/* The CNAME that a steered type shows, or NULL. */
static const struct rrset *
find_cname(const void *overlay)
{
	for (unsigned i = 0; i < steered_types(overlay); i++) {
		const struct rrset *s = steered_fallback_set(overlay, steered_type_at(overlay, i));

		if (s != NULL && s->type == RRTYPE_CNAME)
			return s;
	}
	return NULL;
}

/* The fallback set in place of the zone's `type`, or NULL; CNAMEs aside. */
static const struct rrset *
instead(const void *overlay, uint16_t type)
{
	const struct rrset *s = steered_fallback_set(overlay, type);

	return s != NULL && s->type == type && type != RRTYPE_CNAME ? s : NULL;
}

/* Has the name records that would stand beside the CNAME? */
static bool
has_company(const struct zone_node *n)
{
	for (unsigned i = 0; i < n->n_rrsets; i++)
		if (!may_join_cname(n->rrsets[i]->type))
			return true;
	for (unsigned i = 0; i < steered_types(n->overlay); i++)
		if (instead(n->overlay, steered_type_at(n->overlay, i)) != NULL)
			return true;
	return false;
}

static void
each_steered(const struct zone_node *n, transfer_view_visit_f *visit, void *arg)
{
	const struct rrset *cname = find_cname(n->overlay), *s;
	const bool alone =
	    cname != NULL &&
	    (steered_fallback_set(n->overlay, RRTYPE_CNAME) != NULL || !has_company(n));

	if (alone)
		visit(arg, n, cname);
	for (unsigned i = 0; !alone && i < steered_types(n->overlay); i++)
		if ((s = instead(n->overlay, steered_type_at(n->overlay, i))) != NULL)
			visit(arg, n, s);
	for (unsigned i = 0; i < n->n_rrsets; i++) {
		s = n->rrsets[i];
		if (alone ? may_join_cname(s->type) : instead(n->overlay, s->type) == NULL)
			visit(arg, n, s);
	}
}

void
transfer_view_each(
    const struct zone_node *n, bool fallback_view, transfer_view_visit_f *visit, void *arg)
{
	if (fallback_view && n->overlay != NULL) {
		each_steered(n, visit, arg);
		return;
	}
	for (unsigned i = 0; i < n->n_rrsets; i++)
		visit(arg, n, n->rrsets[i]);
}

static const void *
overlay_at(const struct zone *z, const uint8_t *owner)
{
	const struct zone_node *n = zone_find(z, owner);

	return n == NULL ? NULL : n->overlay;
}

bool
transfer_view_hides(const struct zone *z, const uint8_t *owner, uint16_t type)
{
	const void *overlay = overlay_at(z, owner);

	return overlay != NULL && instead(overlay, type) != NULL;
}

bool
transfer_view_is_tangled(const struct zone *z, const uint8_t *owner)
{
	const void *overlay = overlay_at(z, owner);

	return overlay != NULL && find_cname(overlay) != NULL;
}
