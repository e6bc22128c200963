/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/ripple.h"

#include <string.h>

#include "api/soa.h"
#include "model/nouns.h"
#include "model/target.h"

static bool
is_followed(const struct model_object *zone)
{
	const struct zone_spec *z = zone->spec;

	return z->role == ZONE_PRIMARY && z->axfr_view == AXFR_VIEW_FALLBACK &&
	       (z->transfer.count > 0 || z->notify.count > 0);
}

static void
reach_domain(struct edit *e, const char *name, struct strmap *zones)
{
	char host[KIND_NAME_SIZE];
	uint16_t type;
	const struct model_object *zone;

	if (domain_name_split(name, host, &type) < 0)
		return;
	zone = model_zone_of(e->model, host);
	if (zone != NULL && is_followed(zone))
		strmap_put(zones, zone->name, e);
}

/* From an object up to the zones of the domains that use it. */
static void
reach(struct edit *e, const struct model_object *o, struct strmap *zones)
{
	if (o->kind == KIND_DOMAIN) {
		reach_domain(e, o->name, zones);
		return;
	}
	STRMAP_EACH (&o->referrers, r)
		reach(e, r->value, zones);
}

/* A domain that is drained leaves its name, in transfers too, to the zone. */
static void
reach_override(struct edit *e, const char *name, struct strmap *zones)
{
	char of[KIND_NAME_SIZE];
	enum kind kind;

	if (target_parse(name, &kind, of) == NULL && kind == KIND_DOMAIN)
		reach_domain(e, of, zones);
}

static bool
is_deleted(const struct edit *e, const char *zone)
{
	const struct change_op *op = change_find(&e->set, KIND_ZONE, zone);

	return op != NULL && op->op == CHANGE_DELETE;
}

void
ripple_add(struct edit *e)
{
	struct strmap zones;

	strmap_init(&zones);
	for (size_t i = 0; i < e->set.count; i++) {
		const struct change_op *op = &e->set.ops[i];
		const struct model_object *o;

		if ((op->op == CHANGE_PUT || op->op == CHANGE_DELETE) && op->kind == KIND_OVERRIDE)
			reach_override(e, op->name, &zones);
		if ((op->op != CHANGE_PUT && op->op != CHANGE_DELETE) ||
		    (op->kind != KIND_ADDRESS && op->kind != KIND_POOL && op->kind != KIND_DOMAIN))
			continue;
		o = model_find(e->model, op->kind, op->name);
		if (o != NULL)
			reach(e, o, &zones);
		else if (op->kind == KIND_DOMAIN) /* new */
			reach_domain(e, op->name, &zones);
	}
	STRMAP_EACH (&zones, z)
		if (!soa_is_new(e, z->key) && !is_deleted(e, z->key))
			soa_bump(e, z->key);
	strmap_fini(&zones);
}
