/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A zone that is replaced whole (ZONE_CLEAR and the RRsets that follow) is built beside the old one
 * and swapped in: readers see the old or the new zone. Single RRsets are changed in place. Overlays
 * follow their names: into a new zone from the parent that had them, and back when the zone goes.
 */
#include <string.h>

#include "app/engine_state.h"
#include "base/check.h"
#include "dns/name.h"

static void
wire_name(const char *text, uint8_t out[NAME_MAX_LEN])
{
	CHECK(name_parse_lower(text, out) > 0);
}

/* ---- overlays ---- */

void
engine_zones_overlay(struct engine *e, const uint8_t *host, const void *overlay)
{
	struct zone *z = zones_find(e->zones, host);
	if (z != NULL)
		engine_transfer_overlay(e, z, host, overlay);
}

struct move {
	struct engine *engine;
	struct zone *from; /* only overlays of names that live here, or NULL */
	struct zone *to;   /* or NULL */
};

static void
put_overlay(void *arg, const uint8_t *host, const void *overlay)
{
	const struct move *m = arg;
	if (m->from == NULL || zones_find(m->engine->zones, host) == m->from)
		engine_transfer_overlay(m->engine, m->to, host, overlay);
}

static void
clear_overlay(void *arg, const uint8_t *host, const void *overlay UNUSED)
{
	const struct move *m = arg;
	/* The name's zone is the new one by now; in the old one it must not linger. */
	if (zones_find(m->engine->zones, host) == m->to)
		engine_transfer_overlay(m->engine, m->from, host, NULL);
}

/* `fresh` takes the place of an equal apex, or of that part of its parent. */
static void
bring_in(struct engine *e, struct zone *fresh)
{
	const uint8_t *apex = zone_apex(fresh);
	struct zone *before = zones_find(e->zones, apex);
	struct move m = { .engine = e, .from = before, .to = fresh };
	if (before != NULL)
		tree_overlays(e->tree, apex, put_overlay, &m);
	engine_transfer_equip(e, fresh);
	const bool same = before != NULL && name_equal(zone_apex(before), apex);
	engine_history_forget(e, apex);
	zones_add(e->zones, fresh);
	if (before != NULL && !same)
		tree_overlays(e->tree, apex, clear_overlay, &m);
}

static void
take_out(struct engine *e, const uint8_t *apex)
{
	struct zone *z = zones_exact(e->zones, apex);
	struct zone *parent = zones_find_above(e->zones, apex);
	if (z == NULL)
		return;
	struct move m = { .engine = e, .from = z, .to = parent };
	if (parent != NULL)
		tree_overlays(e->tree, apex, put_overlay, &m);
	zones_remove(e->zones, apex);
}

/* ---- change sets ---- */

struct rebuild {
	struct engine *engine;
	struct zone *fresh; /* being filled, or NULL */
};

static void
finish_rebuild(struct rebuild *r)
{
	if (r->fresh != NULL)
		bring_in(r->engine, r->fresh);
	r->fresh = NULL;
}

/* The zone an operation works on: the one being rebuilt, else the served one (made if there is
 * none). */
static struct zone *
zone_of(struct rebuild *r, const char *name)
{
	uint8_t apex[NAME_MAX_LEN];
	wire_name(name, apex);
	if (r->fresh != NULL && name_equal(zone_apex(r->fresh), apex))
		return r->fresh;
	finish_rebuild(r);
	struct zone *z = zones_exact(r->engine->zones, apex);
	if (z == NULL) {
		z = zone_new(apex);
		zone_set_stale(z, true); /* until engine_secondary.c has looked */
		bring_in(r->engine, z);
	}
	return z;
}

/* The same, about to change at this RRset. */
static struct zone *
touch(struct rebuild *r, const struct change_op *op)
{
	struct zone *z = zone_of(r, op->name);
	if (z != r->fresh) {
		engine_transfer_hold(r->engine, z);
		engine_transfer_touch(r->engine, z, op->owner, op->type);
	}
	return z;
}

static void
apply_op(struct rebuild *r, const struct change_op *op)
{
	uint8_t apex[NAME_MAX_LEN];
	switch (op->op) {
	case CHANGE_PUT:
		if (op->kind == KIND_ZONE)
			(void)zone_of(r, op->name);
		break;
	case CHANGE_ZONE_CLEAR:
		finish_rebuild(r);
		wire_name(op->name, apex);
		r->fresh = zone_new(apex);
		break;
	case CHANGE_RRSET_PUT: {
		struct rrset *set = rrset_new(op->type, op->ttl_s, op->rdata, op->rdata_len);
		CHECK(set != NULL);
		zone_put(touch(r, op), op->owner, set);
		break;
	}
	case CHANGE_RRSET_DELETE:
		zone_del(touch(r, op), op->owner, op->type);
		break;
	case CHANGE_DELETE:
		break; /* after the tree has let go of the names */
	}
}

void
engine_zones_before(struct engine *e, const struct change_set *c)
{
	struct rebuild r = { .engine = e };
	engine_transfer_begin(e);
	for (size_t i = 0; i < c->count; i++)
		apply_op(&r, &c->ops[i]);
	finish_rebuild(&r);
}

void
engine_zones_after(struct engine *e, const struct change_set *c)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct change_op *op = &c->ops[i];
		if (op->op != CHANGE_DELETE || op->kind != KIND_ZONE)
			continue;
		uint8_t apex[NAME_MAX_LEN];
		wire_name(op->name, apex);
		take_out(e, apex);
	}
	engine_transfer_finish(e, c);
}
