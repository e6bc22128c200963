/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A zone's records as one file, out and in. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/edit.h"
#include "api/problem.h"
#include "api/record_index.h"
#include "api/records.h"
#include "api/rest.h"
#include "api/route.h"
#include "api/soa.h"
#include "base/check.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "model/nouns.h"
#include "zone/zonefile.h"

#define LARGE 50000 /* sets */

/* free does not give millions of small pieces back to the system. */
static void
give_back(size_t sets)
{
	if (sets > LARGE)
		malloc_trim(0);
}

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
	give_back(all.count);
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

/*
 * How the file compares with what is stored. A file that changes little becomes the changes, so
 * they cost what they are; one that changes much replaces the zone, seen by readers as one swap.
 */
struct compare {
	struct edit *edit;
	const char *zone;
	struct zonefile *file;
	struct record_index index;
	bool *same; /* by item: stored just so */
	size_t n_same, stored;
	struct change_set gone; /* stored and not in the file, up to FEW of it */
	struct rrset *soa;      /* stored; to rrset_free */
	size_t file_soa;
};

#define FEW(c) (((c)->file->count + 63) / 64)

static void
note_gone(struct compare *c, const uint8_t *owner, uint16_t type)
{
	if (c->gone.count <= FEW(c))
		change_add(&c->gone, &(struct change_op){
					 .op = CHANGE_RRSET_DELETE,
					 .kind = KIND_ZONE,
					 .name = c->zone,
					 .owner = owner,
					 .type = type,
				     });
}

/* Equal but for a serial that is not ahead. */
static bool
soa_same(const struct rrset *mine, const struct rrset *stored)
{
	struct rrset *level = soa_with_serial(mine, soa_serial(stored));
	const bool same =
	    rrset_equal(level, stored) && !soa_newer(soa_serial(mine), soa_serial(stored));

	rrset_free(&level);
	return same;
}

static bool
compare(const uint8_t *owner, const struct rrset *set, void *arg)
{
	struct compare *c = arg;
	const size_t at = record_index_find(&c->index, owner, set->type);

	c->stored++;
	if (at == RECORD_INDEX_NONE) {
		note_gone(c, owner, set->type);
		return true;
	}

	const struct rrset *mine = c->file->items[at].set;

	if (set->type == RRTYPE_SOA)
		c->soa = rrset_new(set->type, set->ttl_s, set->data, set->size);
	c->same[at] = set->type == RRTYPE_SOA ? soa_same(mine, set) : rrset_equal(mine, set);
	c->n_same += c->same[at];
	return true;
}

/* Enabled domains that stand before records of the file. */
static void
warn_steered(struct edit *e, const struct record_index *index)
{
	STRMAP_EACH (&e->model->objects[KIND_DOMAIN], it) {
		const struct model_object *o = it->value;
		const struct domain_spec *spec = o->spec;
		const char *slash = strrchr(o->name, '/');
		char host[KIND_NAME_SIZE];
		uint8_t owner[NAME_MAX_LEN];
		uint16_t type;

		if (!spec->enabled || spec->pools.count == 0 || slash == NULL)
			continue;
		snprintf(host, sizeof(host), "%.*s", (int)(slash - o->name), o->name);
		if (name_parse_lower(host, owner) > 0 && rrtype_parse(slash + 1, &type) == 0 &&
		    record_index_find(index, owner, type) != RECORD_INDEX_NONE)
			edit_warn(e, "the records at %s are hidden by the enabled domain", o->name);
	}
}

/* Never let the serial fall behind what secondaries have seen. */
static void
settle_serial(struct compare *c)
{
	struct rrset **mine = &c->file->items[c->file_soa].set;

	if (c->soa == NULL || soa_newer(soa_serial(*mine), soa_serial(c->soa)))
		return;

	struct rrset *next = soa_with_serial(*mine, soa_next(c->edit, c->zone, c->soa));

	rrset_free(mine);
	*mine = next;
	c->same[c->file_soa] = false;
}

static void
add_changes(struct compare *c)
{
	const bool few = c->file->count - c->n_same <= FEW(c) && c->gone.count <= FEW(c);

	if (!few)
		change_add(&c->edit->set,
		    &(struct change_op){
			.op = CHANGE_ZONE_CLEAR, .kind = KIND_ZONE, .name = c->zone });
	for (size_t i = 0; few && i < c->gone.count; i++)
		change_add(&c->edit->set, &c->gone.ops[i]);
	for (size_t i = 0; i < c->file->count; i++) {
		struct zonefile_item *item = &c->file->items[i];

		if (!few || !c->same[i])
			edit_rrset(c->edit, c->zone, item->owner, item->set->type, item->set);
		rrset_free(&item->set); /* the edit has it: a large zone is large */
	}
}

static int
replace(struct edit *e, const char *zone, struct zonefile *z)
{
	struct compare c = { .edit = e, .zone = zone, .file = z };
	uint8_t apex[NAME_MAX_LEN];
	int rc;

	CHECK(name_parse_lower(zone, apex) > 0);
	record_index_init(&c.index, z);
	change_init(&c.gone);
	c.same = xcalloc(z->count, sizeof(*c.same));
	c.file_soa = record_index_find(&c.index, apex, RRTYPE_SOA);
	rc = records_walk(control_store(e->r->control), zone, compare, &c, &e->r->diag);
	warn_steered(e, &c.index);
	record_index_fini(&c.index);
	if (rc == 0 && (c.n_same != c.stored || c.n_same != z->count)) {
		settle_serial(&c);
		add_changes(&c);
	}
	rrset_free(&c.soa);
	change_fini(&c.gone);
	free(c.same);
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
		const json_int_t records = (json_int_t)z->records, sets = (json_int_t)z->count;
		const bool made = e.made;

		zonefile_fini(z);
		give_back((size_t)sets); /* before the commit needs as much again */
		e.set.summary =
		    arena_printf(&e.set.arena, "%s zone '%s' from a file of %zu records",
			made ? "make" : "replace", zone, (size_t)records);
		edit_commit(&e);
		edit_reply_json(&e, made && !e.dry ? 201 : 200,
		    json_pack("{s:s, s:I, s:I, s:b}", "zone", zone, "records", records, "rrsets",
			sets, "changed", e.set.count > 0));
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
	const int rc =
	    zonefile_parse((const char *)r->body.data, r->body.len, zone, "zone", &z, &d);

	const size_t sets = z.count;

	buf_fini(&r->body);
	if (rc == 0)
		load(r, zone, &z);
	else
		adopt_lines(&r->diag, &d);
	zonefile_fini(&z);
	diag_fini(&d);
	give_back(sets);
}
