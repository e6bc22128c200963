/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A zone's records as one file, out and in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/edit.h"
#include "api/problem.h"
#include "api/records.h"
#include "api/rest.h"
#include "api/route.h"
#include "api/soa.h"
#include "base/check.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "model/nouns.h"
#include "zone/zonefile.h"

struct items {
	struct zonefile_item *list;
	size_t count, cap;
	struct arena owners;
};

static bool
gather(const uint8_t *owner, const struct rrset *set, void *arg)
{
	struct items *all = arg;

	MEM_GROW(&all->list, &all->cap, all->count + 1);
	all->list[all->count++] = (struct zonefile_item){
		.owner = arena_memdup(&all->owners, owner, name_len(owner)),
		.set = rrset_new(set->type, set->ttl_s, set->data, set->size),
	};
	return true;
}

static void
items_fini(struct items *all)
{
	for (size_t i = 0; i < all->count; i++)
		rrset_free(&all->list[i].set);
	free(all->list);
	arena_fini(&all->owners);
}

void
rest_zonefile_get(struct request *r)
{
	char zone[KIND_NAME_SIZE];
	uint8_t apex[NAME_MAX_LEN];
	struct items all = { .list = NULL };

	if (edit_target(r, zone) < 0)
		return;

	const bool exists = model_find(control_read_begin(r->control), KIND_ZONE, zone) != NULL;

	control_read_end(r->control);
	if (!exists || name_parse_lower(zone, apex) < 0) {
		edit_not_found(r, KIND_ZONE, zone);
		return;
	}
	arena_init(&all.owners);
	if (records_walk(control_store(r->control), zone, gather, &all, &r->diag) == 0) {
		zonefile_write(all.list, all.count, apex, &r->text);
		r->text_type = "text/dns; charset=utf-8";
	}
	items_fini(&all);
}

/* The parser says "zone:12"; a client that sent a body wants "line 12". */
static void
adopt_lines(struct diag *to, const struct diag *from)
{
	for (const struct diag_problem *p = from->first; p != NULL; p = p->next) {
		const char *line = strrchr(p->where, ':');
		char where[64];

		snprintf(where, sizeof(where), "line %s", line != NULL ? line + 1 : "");
		diag_add(to, DIAG_INVALID, line != NULL ? where : p->where, "%s", p->detail);
		diag_detail(to, p->got, p->allowed);
	}
}

static const char *
key_of(const uint8_t *owner, uint16_t type, char out[NAME_TEXT_SIZE + RRTYPE_TEXT_SIZE])
{
	char name[NAME_TEXT_SIZE], text[RRTYPE_TEXT_SIZE];

	snprintf(out, NAME_TEXT_SIZE + RRTYPE_TEXT_SIZE, "%s/%s", name_text(owner, name),
	    rrtype_text(type, text));
	return out;
}

/* How the file compares with what is stored. */
struct compare {
	struct strmap sets; /* "owner/TYPE" -> struct rrset * of the file */
	struct rrset *soa;  /* stored; to rrset_free */
	struct rrset **file_soa;
	size_t same, stored;
};

static bool
compare(const uint8_t *owner, const struct rrset *set, void *arg)
{
	struct compare *c = arg;
	char key[NAME_TEXT_SIZE + RRTYPE_TEXT_SIZE];
	struct rrset *mine = strmap_find(&c->sets, key_of(owner, set->type, key));

	c->stored++;
	if (mine == NULL)
		return true;
	if (set->type != RRTYPE_SOA) {
		c->same += rrset_equal(mine, set);
		return true;
	}
	c->soa = rrset_new(set->type, set->ttl_s, set->data, set->size);

	struct rrset *level = soa_with_serial(mine, soa_serial(set));

	c->same += rrset_equal(level, set) && !soa_newer(soa_serial(mine), soa_serial(set));
	rrset_free(&level);
	return true;
}

/* Enabled domains that stand before records of the file. */
static void
warn_steered(struct edit *e, const struct strmap *sets)
{
	STRMAP_EACH (&e->model->objects[KIND_DOMAIN], it) {
		const struct model_object *o = it->value;
		const struct domain_spec *spec = o->spec;

		if (spec->enabled && spec->pools.count > 0 && strmap_find(sets, o->name) != NULL)
			edit_warn(e, "the records at %s are hidden by the enabled domain", o->name);
	}
}

/* Never let the serial fall behind what secondaries have seen. */
static void
settle_serial(struct edit *e, const char *zone, struct compare *c)
{
	if (c->soa == NULL || c->file_soa == NULL ||
	    soa_newer(soa_serial(*c->file_soa), soa_serial(c->soa)))
		return;

	struct rrset *next = soa_with_serial(*c->file_soa, soa_next(e, zone, c->soa));

	rrset_free(c->file_soa);
	*c->file_soa = next;
}

static int
replace(struct edit *e, const char *zone, struct zonefile *z)
{
	char key[NAME_TEXT_SIZE + RRTYPE_TEXT_SIZE];
	struct compare c = { .soa = NULL };
	int rc;

	strmap_init(&c.sets);
	for (size_t i = 0; i < z->count; i++) {
		struct zonefile_item *item = &z->items[i];

		strmap_put(&c.sets, key_of(item->owner, item->set->type, key), item->set);
		if (item->set->type == RRTYPE_SOA)
			c.file_soa = &item->set;
	}
	rc = records_walk(control_store(e->r->control), zone, compare, &c, &e->r->diag);
	warn_steered(e, &c.sets);
	if (rc == 0 && (c.same != c.stored || c.same != z->count)) {
		settle_serial(e, zone, &c);
		change_add(&e->set, &(struct change_op){
					.op = CHANGE_ZONE_CLEAR, .kind = KIND_ZONE, .name = zone });
		for (size_t i = 0; i < z->count; i++)
			edit_rrset(
			    e, zone, z->items[i].owner, z->items[i].set->type, z->items[i].set);
	}
	rrset_free(&c.soa);
	strmap_fini(&c.sets);
	return rc;
}

static void
load(struct request *r, const char *zone, struct zonefile *z)
{
	struct edit e;
	json_t *spec;

	edit_begin(&e, r);
	spec = json_object();
	if ((model_find(e.model, KIND_ZONE, zone) != NULL ||
		edit_put(&e, KIND_ZONE, zone, spec, &r->diag) == 0) &&
	    edit_records_allowed(&e, zone) == 0 && replace(&e, zone, z) == 0) {
		const bool made = e.made;

		e.set.summary =
		    arena_printf(&e.set.arena, "%s zone '%s' from a file of %zu records",
			made ? "make" : "replace", zone, z->records);
		edit_commit(&e);
		edit_reply_json(&e, made && !e.dry ? 201 : 200,
		    json_pack("{s:s, s:I, s:I, s:b}", "zone", zone, "records",
			(json_int_t)z->records, "rrsets", (json_int_t)z->count, "changed",
			e.set.count > 0));
	}
	json_decref(spec);
	edit_end(&e);
}

void
rest_zonefile_put(struct request *r)
{
	char zone[KIND_NAME_SIZE];
	struct zonefile z = { .count = 0 };
	struct diag d;

	if (edit_target(r, zone) < 0)
		return;
	diag_init(&d);
	if (zonefile_parse((const char *)r->body.data, r->body.len, zone, "zone", &z, &d) == 0)
		load(r, zone, &z);
	else
		adopt_lines(&r->diag, &d);
	zonefile_fini(&z);
	diag_fini(&d);
}
