/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/catalog.h"

#include <string.h>

#include "api/records.h"
#include "api/soa.h"
#include "dns/rrtype.h"
#include "model/nouns.h"

enum standing { ABSENT, OURS, FOREIGN };

static const struct zone_spec *
spec_after(struct edit *e, const char *zone)
{
	const struct change_op *op = change_find(&e->set, KIND_ZONE, zone);
	const struct model_object *o = model_find(e->model, KIND_ZONE, zone);
	const struct zone_spec *spec = NULL;

	if (op == NULL)
		return o != NULL ? o->spec : NULL;
	if (op->op == CHANGE_PUT) {
		json_t *j = json_loads(op->spec, 0, NULL);

		spec = kind_decode(KIND_ZONE, zone, j, &e->r->arena, &e->r->diag);
		json_decref(j);
	}
	return spec;
}

static enum standing
standing(struct edit *e, const char *catalog)
{
	const struct zone_spec *spec = spec_after(e, catalog);

	if (spec == NULL)
		return ABSENT;
	return spec->role == ZONE_PRIMARY ? OURS : FOREIGN;
}

/* One record at "LABEL.CATALOG", or none. */
static void
put(struct edit *e, const char *catalog, const char *label, uint16_t type, const uint8_t *rdata,
    size_t len)
{
	const char *text = arena_printf(&e->r->arena, "%s.%s", label, catalog);
	uint8_t owner[NAME_MAX_LEN], data[2 + NAME_MAX_LEN] = { 0, (uint8_t)len };
	struct rrset *set = NULL;

	if (name_parse_lower(text, owner) < 0) {
		diag_add(&e->r->diag, DIAG_INVALID, "catalog", "is too long a name for a catalog");
		return;
	}
	if (rdata != NULL) {
		memcpy(data + 2, rdata, len);
		set = rrset_new(type, 0, data, 2 + len);
	}
	edit_rrset(e, catalog, owner, type, set);
	rrset_free(&set);
}

static const char *
member_label(struct edit *e, const char *id)
{
	return arena_printf(&e->r->arena, "%s.zones", id);
}

static void
list(struct edit *e, const char *catalog, const char *id, const char *member)
{
	uint8_t name[NAME_MAX_LEN];
	const int len = name_parse_lower(member, name);

	if (len > 0)
		put(e, catalog, member_label(e, id), RRTYPE_PTR, name, (size_t)len);
}

static bool
has_new_soa(const struct edit *e, const char *zone)
{
	for (size_t i = e->set.count; i-- > 0;) {
		const struct change_op *op = &e->set.ops[i];

		if (op->op == CHANGE_RRSET_PUT && op->type == RRTYPE_SOA &&
		    strcmp(op->name, zone) == 0)
			return true;
	}
	return false;
}

/* The catalog changes: it says which version of the schema it is, and has a new serial. */
static void
touch(struct edit *e, const char *catalog)
{
	put(e, catalog, "version", RRTYPE_TXT,
	    (const uint8_t *)"\1"
			     "2",
	    2);
	if (!has_new_soa(e, catalog))
		soa_bump(e, catalog);
}

static void
join(struct edit *e, const char *catalog, const char *id, const char *member)
{
	switch (standing(e, catalog)) {
	case OURS:
		list(e, catalog, id, member);
		touch(e, catalog);
		break;
	case ABSENT:
		edit_warn(
		    e, "catalog zone %s is not hosted: it lists %s once it is", catalog, member);
		break;
	case FOREIGN:
		diag_add(&e->r->diag, DIAG_CONFLICT, "catalog",
		    "catalog '%s' is a secondary: its members are made by its primaries", catalog);
	}
}

static void
leave(struct edit *e, const char *catalog, const char *id)
{
	if (standing(e, catalog) != OURS)
		return;
	put(e, catalog, member_label(e, id), RRTYPE_PTR, NULL, 0);
	touch(e, catalog);
}

/* A zone that is new may be the catalog that others wait for. */
static void
gather(struct edit *e, const char *catalog)
{
	bool any = false;

	STRMAP_EACH (&e->model->objects[KIND_ZONE], entry) {
		const struct model_object *o = entry->value;
		const struct zone_spec *spec = o->spec;

		if (spec->catalog == NULL || strcmp(spec->catalog, catalog) != 0 ||
		    change_find(&e->set, KIND_ZONE, o->name) != NULL ||
		    standing(e, catalog) != OURS)
			continue;
		list(e, catalog, o->id, o->name);
		any = true;
	}
	if (any)
		touch(e, catalog);
}

static bool
differ(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a != b : strcmp(a, b) != 0;
}

static void
follow(struct edit *e, const char *zone, const char *id, bool made)
{
	const struct model_object *o = model_find(e->model, KIND_ZONE, zone);
	const struct zone_spec *old = o != NULL ? o->spec : NULL, *new = spec_after(e, zone);
	const char *was = old != NULL ? old->catalog : NULL;
	const char *is = new != NULL ? new->catalog : NULL;

	if (made && o == NULL)
		gather(e, zone);
	if (!differ(was, is))
		return;
	if (was != NULL)
		leave(e, was, o->id);
	if (is != NULL)
		join(e, is, id, zone);
}

void
catalog_follow(struct edit *e)
{
	const size_t n = e->set.count;

	/* Adding to the set moves its ops; names and ids live in its arena and stay. */
	for (size_t i = 0; i < n; i++) {
		const struct change_op op = e->set.ops[i];

		if (op.kind == KIND_ZONE && (op.op == CHANGE_PUT || op.op == CHANGE_DELETE))
			follow(e, op.name, op.id, op.op == CHANGE_PUT);
	}
}
