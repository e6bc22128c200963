/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A zone's records as one file, out and in. */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/edit.h"
#include "api/lined.h"
#include "api/problem.h"
#include "api/rest.h"
#include "api/route.h"
#include "api/soa.h"
#include "base/check.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "model/nouns.h"
#include "store/store.h"
#include "zone/zonefile.h"

#define LARGE 50000 /* sets */

/* free does not give millions of small pieces back to the system. */
static void
give_back(size_t sets)
{
	if (sets > LARGE)
		malloc_trim(0);
}

struct gather {
	struct rrpage_book sets;
	size_t apex_len;
};

static int
gather(const struct change_op *op, void *arg)
{
	struct gather *g = arg;

	rrpage_add(&g->sets, g->apex_len,
	    &(struct rrpage_set){ op->owner, op->type, op->ttl_s, op->rdata, op->rdata_len, NULL });
	return 0;
}

void
rest_zonefile_get(struct request *r)
{
	char zone[KIND_NAME_SIZE];
	uint8_t apex[NAME_MAX_LEN];
	struct gather all;

	if (edit_target(r, zone) < 0)
		return;

	const bool exists = model_find(control_read_begin(r->control), KIND_ZONE, zone) != NULL;

	control_read_end(r->control);
	if (!exists || name_parse_lower(zone, apex) < 0) {
		edit_not_found(r, KIND_ZONE, zone);
		return;
	}
	rrpage_init(&all.sets);
	all.apex_len = name_len(apex);
	if (store_zone_rrsets(control_store(r->control), zone, gather, &all) == 0) {
		zonefile_write(&all.sets, apex, &r->text);
		r->text_type = "text/dns; charset=utf-8";
	} else {
		diag_add(&r->diag, DIAG_UNAVAILABLE, "", "the store cannot be read");
	}

	const size_t sets = all.sets.sets;

	rrpage_fini(&all.sets);
	give_back(sets);
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
 * How the file compares with what is stored: both are in the same order, so they are walked side by
 * side. A file that changes little becomes the changes, so they cost what they are; one that
 * changes much replaces the zone, seen by readers as one swap. The SOA is apart: its serial
 * follows.
 */
struct compare {
	struct edit *edit;
	const char *zone;
	struct zonefile *file;
	struct rrpage_reader reader;
	struct rrpage_set at; /* of the file, while there is `more` */
	bool more;
	struct change_set gone, come; /* what differs, up to FEW of each and one more */
	struct rrset *soa;            /* stored; to rrset_free */
};

#define FEW(c) (((c)->file->sets.sets + 63) / 64)

static bool
is_few(const struct compare *c)
{
	return c->gone.count <= FEW(c) && c->come.count <= FEW(c);
}

static void
add_put(struct change_set *to, const char *zone, const struct rrpage_set *set)
{
	change_add(to, &(struct change_op){
			   .op = CHANGE_RRSET_PUT,
			   .kind = KIND_ZONE,
			   .name = zone,
			   .owner = set->owner,
			   .type = set->type,
			   .ttl_s = set->ttl_s,
			   .rdata = set->rdata,
			   .rdata_len = set->rdata_len,
		       });
}

static void
note_come(struct compare *c)
{
	if (c->at.type != RRTYPE_SOA && c->come.count <= FEW(c))
		add_put(&c->come, c->zone, &c->at);
}

static void
note_gone(struct compare *c, const struct change_op *stored)
{
	if (c->gone.count <= FEW(c))
		change_add(&c->gone, &(struct change_op){
					 .op = CHANGE_RRSET_DELETE,
					 .kind = KIND_ZONE,
					 .name = c->zone,
					 .owner = stored->owner,
					 .type = stored->type,
				     });
}

static void
step(struct compare *c)
{
	c->more = rrpage_next(&c->reader, &c->at);
}

static bool
is_same(const struct rrpage_set *mine, const struct change_op *stored)
{
	return mine->ttl_s == stored->ttl_s && mine->rdata_len == stored->rdata_len &&
	       memcmp(mine->rdata, stored->rdata, mine->rdata_len) == 0;
}

static int
compare(const struct change_op *stored, void *arg)
{
	struct compare *c = arg;
	int diff = 1;

	while (c->more &&
	       (diff = rrpage_order(c->at.owner, c->at.type, stored->owner, stored->type)) < 0) {
		note_come(c);
		step(c);
	}
	if (!c->more || diff > 0) {
		note_gone(c, stored);
		return 0;
	}
	if (stored->type == RRTYPE_SOA)
		c->soa = rrset_new(stored->type, stored->ttl_s, stored->rdata, stored->rdata_len);
	else if (!is_same(&c->at, stored))
		note_come(c);
	step(c);
	return 0;
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

/* Enabled domains that stand before records of the file. */
static void
warn_steered(struct edit *e, const struct zonefile *file)
{
	STRMAP_EACH (&e->model->objects[KIND_DOMAIN], it) {
		const struct model_object *o = it->value;
		const struct domain_spec *spec = o->spec;
		const char *slash = strrchr(o->name, '/');
		char host[KIND_NAME_SIZE];
		uint8_t owner[NAME_MAX_LEN];
		struct rrpage_set set;
		uint16_t type;

		if (!spec->enabled || spec->pools.count == 0 || slash == NULL)
			continue;
		snprintf(host, sizeof(host), "%.*s", (int)(slash - o->name), o->name);
		if (name_parse_lower(host, owner) > 0 && rrtype_parse(slash + 1, &type) == 0 &&
		    name_below(owner, file->apex) && zonefile_find(file, owner, type, &set))
			edit_warn(e, "the records at %s are hidden by the enabled domain", o->name);
	}
}

/* The file's SOA, to rrset_free. */
static struct rrset *
file_soa(const struct zonefile *file)
{
	struct rrpage_set set;

	CHECK(zonefile_find(file, file->apex, RRTYPE_SOA, &set));
	return rrset_new(set.type, set.ttl_s, set.rdata, set.rdata_len);
}

/* Never let the serial fall behind what secondaries have seen. */
static void
settle_serial(struct compare *c, const struct rrset *mine)
{
	if (c->soa != NULL && !soa_newer(soa_serial(mine), soa_serial(c->soa)))
		zonefile_set_serial(c->file, soa_next(c->edit, c->zone, c->soa));
}

static void
add_few(struct compare *c)
{
	struct change_set *set = &c->edit->set;
	struct rrpage_set soa;

	for (size_t i = 0; i < c->gone.count; i++)
		change_add(set, &c->gone.ops[i]);
	CHECK(zonefile_find(c->file, c->file->apex, RRTYPE_SOA, &soa));
	add_put(set, c->zone, &soa);
	for (size_t i = 0; i < c->come.count; i++)
		change_add(set, &c->come.ops[i]);
}

static void
add_all(struct compare *c)
{
	struct change_op op = { .op = CHANGE_ZONE_CLEAR, .kind = KIND_ZONE, .name = c->zone };

	change_add(&c->edit->set, &op);
	op.op = CHANGE_ZONE_PAGE;
	for (size_t i = 0; i < c->file->sets.count; i++) {
		const struct rrpage page = rrpage_at(&c->file->sets, i);

		op.rdata = page.data;
		op.rdata_len = (uint32_t)page.len;
		change_add(&c->edit->set, &op);
	}
}

static void
add_changes(struct compare *c)
{
	struct rrset *mine = file_soa(c->file);

	if (c->gone.count + c->come.count > 0 || c->soa == NULL || !soa_same(mine, c->soa)) {
		settle_serial(c, mine);
		if (is_few(c))
			add_few(c);
		else
			add_all(c);
	}
	rrset_free(&mine);
}

static struct rrset *
find_in_file(void *arg, const uint8_t *owner, uint16_t type)
{
	const struct zonefile *file = arg;
	struct rrpage_set set;

	return zonefile_find(file, owner, type, &set)
		   ? rrset_new(set.type, set.ttl_s, set.rdata, set.rdata_len)
		   : NULL;
}

static int
replace(struct edit *e, const char *zone, struct zonefile *z)
{
	struct compare c = { .edit = e, .zone = zone, .file = z };
	int rc;

	change_init(&c.gone);
	change_init(&c.come);
	rrpage_open_book(&c.reader, z->apex, &z->sets);
	step(&c);
	rc = store_zone_rrsets(control_store(e->r->control), zone, compare, &c);
	for (; c.more && is_few(&c); step(&c))
		note_come(&c);
	warn_steered(e, z);
	lined_replace(e, zone, find_in_file, z);
	if (rc == 0)
		add_changes(&c);
	else
		diag_add(&e->r->diag, DIAG_UNAVAILABLE, "", "the store cannot be read");
	rrset_free(&c.soa);
	change_fini(&c.gone);
	change_fini(&c.come);
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
		const json_int_t records = (json_int_t)z->records, sets = (json_int_t)z->sets.sets;
		const bool made = e.made;

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
	struct zonefile z;
	struct diag d;

	if (edit_target(r, zone) < 0)
		return;
	diag_init(&d);
	const int rc =
	    zonefile_parse((const char *)r->body.data, r->body.len, zone, "zone", &z, &d);

	const size_t sets = z.sets.sets;

	buf_fini(&r->body);
	give_back(sets); /* what was taken to read it; others will want as much */
	if (rc == 0)
		load(r, zone, &z);
	else
		adopt_lines(&r->diag, &d);
	zonefile_fini(&z);
	diag_fini(&d);
	give_back(sets);
}
