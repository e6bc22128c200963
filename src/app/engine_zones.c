/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A zone that is replaced whole (ZONE_CLEAR and the RRsets that follow) is built beside the old one
 * and swapped in: readers see the old or the new zone. Single RRsets are changed in place. Overlays
 * follow their names: into a new zone from the parent that had them, and back when the zone goes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include "app/engine_state.h"
#include "base/check.h"
#include "base/log.h"
#include "base/mem.h"
#include "dns/name.h"
#include "zone/zone_page.h"

static void
wire_name(const char *text, uint8_t out[NAME_MAX_LEN])
{
	CHECK(name_parse_lower(text, out) > 0);
}

/* ---- overlays ---- */

void
engine_zones_overlay(struct engine *e, const uint8_t *host, const void *overlay, bool shown)
{
	struct zone *z = zones_find(e->zones, host);
	if (z != NULL)
		engine_transfer_overlay(e, z, host, overlay, shown);
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
		engine_transfer_overlay(m->engine, m->to, host, overlay, true);
}

static void
clear_overlay(void *arg, const uint8_t *host, const void *overlay UNUSED)
{
	const struct move *m = arg;
	/* The name's zone is the new one by now; in the old one it must not linger. */
	if (zones_find(m->engine->zones, host) == m->to)
		engine_transfer_overlay(m->engine, m->from, host, NULL, true);
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

/* ---- zones that are replaced ---- */

/* Operations that say what is in the zone of the ZONE_CLEAR at `at`; they follow it. */
static size_t
count_run(const struct change_set *c, size_t at)
{
	size_t n = 0;
	for (size_t i = at + 1; i < c->count; i++, n++) {
		const struct change_op *op = &c->ops[i];
		if (op->op != CHANGE_ZONE_PAGE && op->op != CHANGE_RRSET_PUT &&
		    op->op != CHANGE_RRSET_DELETE)
			break;
		if (strcmp(op->name, c->ops[at].name) != 0)
			break;
	}
	return n;
}

/* Room for all names at once: growing visits them all, each time. */
static void
reserve(struct zone *z, const struct change_op *ops, size_t n)
{
	size_t owners = 0;
	for (size_t i = 0; i < n; i++)
		if (ops[i].op == CHANGE_ZONE_PAGE)
			owners += rrpage_owners(ops[i].rdata, ops[i].rdata_len);
	zone_reserve(z, owners);
}

static void
put(struct zone *z, const struct change_op *op)
{
	struct rrset *set = rrset_new(op->type, op->ttl_s, op->rdata, op->rdata_len);
	CHECK(set != NULL);
	zone_put(z, op->owner, set);
}

static int
fill(struct zone *z, const struct change_op *op)
{
	if (op->op == CHANGE_ZONE_PAGE)
		return zone_page_put(z, op->rdata, op->rdata_len);
	if (op->op == CHANGE_RRSET_PUT)
		put(z, op);
	else
		zone_del(z, op->owner, op->type);
	return 0;
}

/* The zone of the ZONE_CLEAR at `at`. NULL: damaged, or `stop` (may be NULL) is set. */
static struct zone *
build(const struct change_set *c, size_t at, const bool *stop)
{
	uint8_t apex[NAME_MAX_LEN];
	const struct change_op *ops = &c->ops[at + 1];
	const size_t n = count_run(c, at);
	wire_name(c->ops[at].name, apex);
	struct zone *z = zone_new(apex);
	reserve(z, ops, n);
	for (size_t i = 0; i < n && z != NULL; i++) {
		const bool stopped = stop != NULL && __atomic_load_n(stop, __ATOMIC_RELAXED);
		if (stop != NULL)
			urcu_qsbr_quiescent_state();
		if (stopped || fill(z, &ops[i]) < 0)
			zone_free(&z);
	}
	return z;
}

int
engine_zones_build(const struct change_set *c, struct engine_fresh *fresh, const bool *stop)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->ops[i].op != CHANGE_ZONE_CLEAR)
			continue;
		struct zone *z = build(c, i, stop);
		if (z == NULL)
			return -EINVAL;
		MEM_GROW(&fresh->zones, &fresh->cap, fresh->count + 1);
		fresh->zones[fresh->count++] = z;
	}
	return 0;
}

void
engine_zones_forget(struct engine_fresh *fresh)
{
	while (fresh->taken < fresh->count)
		zone_free(&fresh->zones[fresh->taken++]);
	free(fresh->zones);
	*fresh = (struct engine_fresh){ .zones = NULL };
}

/* ---- change sets ---- */

/* The served zone, made if there is none. */
static struct zone *
zone_of(struct engine *e, const char *name)
{
	uint8_t apex[NAME_MAX_LEN];
	wire_name(name, apex);
	struct zone *z = zones_exact(e->zones, apex);
	if (z == NULL) {
		z = zone_new(apex);
		zone_set_stale(z, true); /* until engine_secondary.c has looked */
		bring_in(e, z);
	}
	return z;
}

/* The same, about to change at this RRset. */
static struct zone *
touch(struct engine *e, const struct change_op *op)
{
	struct zone *z = zone_of(e, op->name);
	engine_transfer_hold(e, z);
	engine_transfer_touch(e, z, op->owner, op->type);
	return z;
}

/* Only a journal has pages outside of a zone that is replaced: nobody reads it then. */
static void
put_page(struct engine *e, const struct change_op *op)
{
	if (zone_page_put(zone_of(e, op->name), op->rdata, op->rdata_len) < 0)
		log_error("engine", "records of zone %s are damaged", op->name);
}

static void
apply_op(struct engine *e, const struct change_op *op)
{
	switch (op->op) {
	case CHANGE_PUT:
		if (op->kind == KIND_ZONE)
			(void)zone_of(e, op->name);
		break;
	case CHANGE_RRSET_PUT:
		put(touch(e, op), op);
		break;
	case CHANGE_RRSET_DELETE:
		zone_del(touch(e, op), op->owner, op->type);
		break;
	case CHANGE_ZONE_PAGE:
		put_page(e, op);
		break;
	case CHANGE_ZONE_CLEAR: /* with all that follows it */
	case CHANGE_DELETE:     /* after the tree has let go of the names */
		break;
	}
}

/* Bring in the zone of the ZONE_CLEAR at `at`. */
static void
replace(struct engine *e, const struct change_set *c, size_t at, struct engine_fresh *fresh)
{
	struct zone *z = fresh != NULL ? fresh->zones[fresh->taken++] : build(c, at, NULL);
	if (z != NULL)
		bring_in(e, z);
	else
		log_error("engine", "records of zone %s are damaged", c->ops[at].name);
}

void
engine_zones_before(struct engine *e, const struct change_set *c, struct engine_fresh *fresh)
{
	engine_transfer_begin(e);
	for (size_t i = 0; i < c->count; i++) {
		if (c->ops[i].op == CHANGE_ZONE_CLEAR) {
			replace(e, c, i, fresh);
			i += count_run(c, i);
		} else {
			apply_op(e, &c->ops[i]);
		}
	}
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
