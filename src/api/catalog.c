/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/catalog.h"

#include <string.h>

#include "api/catalog_kept.h"
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

static const char *
label_of(const struct zone_spec *spec, const char *key)
{
	const struct field_label *labels = spec != NULL ? spec->labels.items : NULL;

	for (size_t i = 0; labels != NULL && i < spec->labels.count; i++)
		if (strcmp(labels[i].key, key) == 0 && labels[i].value[0] != '\0')
			return labels[i].value;
	return NULL;
}

/* One record at "LABEL.CATALOG", or none. */
static void
put(struct edit *e, const char *catalog, const char *label, uint16_t type, const uint8_t *rdata,
    size_t len)
{
	const char *text = arena_printf(&e->r->arena, "%s.%s", label, catalog);
	uint8_t owner[NAME_MAX_LEN], data[2 + NAME_MAX_LEN + 1] = { 0, (uint8_t)len };
	struct store *store = control_store(e->r->control);
	struct rrset *set, *old;

	if (name_parse_lower(text, owner) < 0) {
		diag_add(&e->r->diag, DIAG_INVALID, "catalog", "is too long a name for a catalog");
		return;
	}
	if (rdata != NULL) {
		memcpy(data + 2, rdata, len);
		set = rrset_new(type, 0, data, 2 + len);
		edit_rrset(e, catalog, owner, type, set);
		rrset_free(&set);
	} else if ((old = records_find(store, catalog, owner, type)) != NULL) {
		edit_rrset(e, catalog, owner, type, NULL);
		rrset_free(&old);
	}
}

static void
put_name(struct edit *e, const char *catalog, const char *label, const char *target)
{
	uint8_t name[NAME_MAX_LEN];
	const int len = target != NULL ? name_parse_lower(target, name) : 0;

	put(e, catalog, label, RRTYPE_PTR, len > 0 ? name : NULL, len > 0 ? (size_t)len : 0);
}

static void
put_text(struct edit *e, const char *catalog, const char *label, const char *text)
{
	uint8_t data[256];
	const size_t len = text != NULL ? strlen(text) : 0; /* 255 at most, a label's value */

	data[0] = (uint8_t)len;
	if (text != NULL)
		memcpy(data + 1, text, len);
	put(e, catalog, label, RRTYPE_TXT, text != NULL ? data : NULL, 1 + len);
}

static const char *
node_label(struct edit *e, const char *property, const char *id)
{
	return arena_printf(&e->r->arena, "%s%s.zones", property, id);
}

/* The entry of `member`, which is as `spec` says; NULL: it goes. */
static void
list(struct edit *e, const char *catalog, const char *id, const char *member,
    const struct zone_spec *spec)
{
	const char *coo = label_of(spec, "coo");

	if (coo != NULL && strcmp(coo, catalog) == 0)
		coo = NULL; /* it has arrived */
	put_name(e, catalog, node_label(e, "", id), spec != NULL ? member : NULL);
	put_text(e, catalog, node_label(e, "group.", id), label_of(spec, "group"));
	put_name(e, catalog, node_label(e, "coo.", id), coo);
}

/* The catalog changes: it says which version of the schema it is, and has a new serial. */
static void
touch(struct edit *e, const char *catalog)
{
	put(e, catalog, "version", RRTYPE_TXT,
	    (const uint8_t *)"\1"
			     "2",
	    2);
	if (!soa_is_new(e, catalog))
		soa_bump(e, catalog);
}

static void
join(struct edit *e, const char *catalog, const char *id, const char *member,
    const struct zone_spec *spec)
{
	switch (standing(e, catalog)) {
	case OURS:
		list(e, catalog, id, member, spec);
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

/* Who is to have it may have no member yet: consumers want a version all the same. */
static void
expect(struct edit *e, const char *catalog)
{
	const char *text = arena_printf(&e->r->arena, "version.%s", catalog);
	uint8_t owner[NAME_MAX_LEN];
	struct rrset *version;

	if (standing(e, catalog) != OURS || name_parse_lower(text, owner) < 0)
		return;
	version = records_find(control_store(e->r->control), catalog, owner, RRTYPE_TXT);
	if (version == NULL)
		touch(e, catalog);
	rrset_free(&version);
}

static void
leave(struct edit *e, const char *catalog, const char *id)
{
	if (standing(e, catalog) != OURS)
		return;
	list(e, catalog, id, NULL, NULL);
	touch(e, catalog);
}

/* It has moved, and everybody has had time to see it: the entries it left behind go. */
static void
leave_behind(struct edit *e, const char *id, const char *now)
{
	uint8_t owner[NAME_MAX_LEN];

	STRMAP_EACH (&e->model->objects[KIND_ZONE], entry) {
		const char *text =
		    arena_printf(&e->r->arena, "%s.%s", node_label(e, "", id), entry->key);
		struct rrset *set;

		if ((now != NULL && strcmp(now, entry->key) == 0) ||
		    name_parse_lower(text, owner) < 0)
			continue;
		set = records_find(control_store(e->r->control), entry->key, owner, RRTYPE_PTR);
		if (set != NULL)
			leave(e, entry->key, id);
		rrset_free(&set);
	}
}

/* A zone that is new may be the catalog that others wait for; or its entries are to come back. */
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
		list(e, catalog, o->id, o->name, spec);
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

static bool
differ_in(const struct zone_spec *a, const struct zone_spec *b, const char *label)
{
	return differ(label_of(a, label), label_of(b, label));
}

static void
check_coo(struct edit *e, const struct zone_spec *spec)
{
	const char *coo = label_of(spec, "coo");
	uint8_t name[NAME_MAX_LEN];

	if (spec->catalog == NULL || coo == NULL || name_parse_lower(coo, name) > 0)
		return;
	diag_add(&e->r->diag, DIAG_INVALID, "labels.coo", "does not name a catalog zone");
	diag_detail(&e->r->diag, coo, "the domain name of the catalog that is to have the zone");
}

/* The old catalog: the zone leaves it, or stays on the list as one that moves. */
static void
part(struct edit *e, const struct model_object *o, const struct zone_spec *old,
    const struct zone_spec *new)
{
	const char *coo = label_of(new, "coo");

	if (coo != NULL && new->catalog != NULL && strcmp(coo, new->catalog) == 0 &&
	    standing(e, old->catalog) == OURS) {
		list(e, old->catalog, o->id, o->name, new);
		touch(e, old->catalog);
	} else {
		leave(e, old->catalog, o->id);
	}
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
	if (new != NULL)
		check_coo(e, new);
	if (label_of(old, "coo") != NULL && differ_in(old, new, "coo"))
		leave_behind(e, o->id, is);
	if (!differ(was, is) && !differ_in(old, new, "group") && !differ_in(old, new, "coo"))
		return;
	if (was != NULL && differ(was, is))
		part(e, o, old, new);
	if (is != NULL)
		join(e, is, id, zone, new);
	if (is != NULL && label_of(new, "coo") != NULL)
		expect(e, label_of(new, "coo"));
}

void
catalog_follow(struct edit *e)
{
	const size_t n = e->set.count;

	/* Adding to the set moves its ops; names and ids live in its arena and stay. */
	for (size_t i = 0; i < n; i++) {
		const struct change_op op = e->set.ops[i];

		catalog_kept_guard(e, &op);
		if (op.op == CHANGE_ZONE_CLEAR && catalog_kept_zone(e->model, op.name))
			gather(e, op.name);
		if (op.kind == KIND_ZONE && (op.op == CHANGE_PUT || op.op == CHANGE_DELETE))
			follow(e, op.name, op.id, op.op == CHANGE_PUT);
	}
}
