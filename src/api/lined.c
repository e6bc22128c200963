/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/lined.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/cut.h"
#include "api/records.h"
#include "api/soa.h"
#include "api/warn.h"
#include "base/check.h"
#include "dns/rrtype.h"
#include "zone/zonefile.h"

const char *
lined_name(struct arena *a, const uint8_t *owner, uint16_t type)
{
	char name[NAME_TEXT_SIZE], text[RRTYPE_TEXT_SIZE];

	return arena_printf(a, "%s/%s", name_text(owner, name), rrtype_text(type, text));
}

const struct model_object *
lined_find(const struct model *m, const uint8_t *owner, uint16_t type)
{
	char name[NAME_TEXT_SIZE], text[RRTYPE_TEXT_SIZE], key[NAME_TEXT_SIZE + RRTYPE_TEXT_SIZE];

	if (m->objects[KIND_RRSET].count == 0)
		return NULL;
	snprintf(key, sizeof(key), "%s/%s", name_text(owner, name), rrtype_text(type, text));
	return model_find(m, KIND_RRSET, key);
}

const struct model_object *
lined_in(const struct model *m, const char *zone, const uint8_t *owner, uint16_t type)
{
	const struct model_object *o = lined_find(m, owner, type);

	return o != NULL && strcmp(((const struct rrset_spec *)o->spec)->zone, zone) == 0 ? o
											  : NULL;
}

/* -- as REST has them -- */

/* What is not quite right is told by the object's fields: so it is meant. */
static bool
says_more(const json_t *record)
{
	const char *key, *text;
	json_t *value;

	if (!json_is_object(record) || !json_is_string(json_object_get(record, "data")))
		return json_is_object(record);
	json_object_foreach((json_t *)(uintptr_t)record, key, value)
	{
		text = json_string_value(value);
		if (strcmp(key, "data") == 0 ||
		    (strcmp(key, "line") == 0 && text != NULL && strcmp(text, "default") == 0) ||
		    (strcmp(key, "weight") == 0 && json_is_null(value)) ||
		    (strcmp(key, "enabled") == 0 && json_is_true(value)) ||
		    (strcmp(key, "remark") == 0 && text != NULL && text[0] == '\0'))
			continue;
		return true;
	}
	return false;
}

bool
lined_is_meant(const json_t *records)
{
	const json_t *record;
	size_t i;

	json_array_foreach(
	    (json_t *)(uintptr_t)records, i, record) if (says_more(record)) return true;
	return false;
}

json_t *
lined_strings(const json_t *records)
{
	json_t *list = json_array(), *record;
	size_t i;

	if (!json_is_array(records)) {
		json_decref(list);
		return json_incref((json_t *)(uintptr_t)records);
	}
	json_array_foreach((json_t *)(uintptr_t)records, i, record) json_array_append(
	    list, json_is_object(record) ? json_object_get(record, "data") : record);
	return list;
}

json_t *
lined_encode(const uint8_t *owner, uint16_t type, const struct rrset_spec *s)
{
	char name[NAME_TEXT_SIZE], text[RRTYPE_TEXT_SIZE];
	json_t *spec = field_encode(rrset_fields, s, false);
	json_t *j = json_pack("{s:s, s:s, s:I, s:O}", "owner", name_text(owner, name), "type",
	    rrtype_text(type, text), "ttl", (json_int_t)s->ttl_s, "records",
	    json_object_get(spec, "records"));

	json_decref(spec);
	return j;
}

/* -- the plain view -- */

static bool
has_default(const struct rrset_spec *s)
{
	const struct record_spec *r = s->records.items;

	for (size_t i = 0; i < s->records.count; i++) {
		if (r[i].enabled && strcmp(rrset_record_line(&r[i]), "default") == 0)
			return true;
	}
	return false;
}

struct rrset *
lined_plain(uint16_t type, const struct rrset_spec *s, struct diag *d)
{
	const struct record_spec *r = s->records.items;
	const bool all = !has_default(s);
	struct rrset *set = NULL;
	struct buf data;

	buf_init(&data, SIZE_MAX);
	for (size_t i = 0; i < s->records.count; i++) {
		if (!r[i].enabled || (!all && strcmp(rrset_record_line(&r[i]), "default") != 0) ||
		    (type == RRTYPE_CNAME && data.len > 0))
			continue;
		buf_put_u16(&data, r[i].rdlen);
		buf_put(&data, r[i].rdata, r[i].rdlen);
	}
	if (data.len > 0) {
		set = rrset_new(type, s->ttl_s, data.data, data.len);
		if (set == NULL)
			diag_add(d, DIAG_INVALID, "records", "the set is too large");
	}
	buf_fini(&data);
	return set;
}

/* -- put and delete -- */

struct place {
	const char *zone;
	uint8_t apex[NAME_MAX_LEN];
	uint8_t owner[NAME_MAX_LEN];
	uint16_t type;
};

static void
place(struct place *at, const char *name, const char *zone)
{
	char owner[KIND_NAME_SIZE];

	at->zone = zone;
	CHECK(domain_name_split(name, owner, &at->type) == 0);
	CHECK(name_parse_lower(owner, at->owner) > 0 && name_parse_lower(zone, at->apex) > 0);
}

/*
 * The rules of the zone, which the store knows as it is and the edit as it will be: a set with
 * lines that comes beside another one in the same edit is not there yet.
 */
static int
check_company(struct edit *e, const struct place *at, struct diag *d)
{
	const bool is_cname = at->type == RRTYPE_CNAME;
	char owner[NAME_TEXT_SIZE];
	static char cname[] = "a CNAME", others[] = "others";
	const char *with =
	    strmap_put(&e->lined, name_text(at->owner, owner), is_cname ? cname : others);

	if (with == NULL || (is_cname ? with == cname : with == others))
		return 0;
	diag_add(
	    d, DIAG_INVALID, "name", "a CNAME cannot stand beside other records of '%s'", owner);
	return -EINVAL;
}

static int
check(struct edit *e, const struct place *at, const struct rrset *set, struct diag *d)
{
	uint16_t others[RECORDS_TYPES];
	size_t n, n_others = 0;
	const uint16_t *types = edit_types(e, at->zone, at->owner, &n);

	for (size_t i = 0; i < n; i++)
		if (types[i] != at->type)
			others[n_others++] = types[i];
	return zonefile_check_set(at->apex, at->owner, set, others, n_others, d) < 0
		   ? -EINVAL
		   : check_company(e, at, d);
}

static bool
has_serial(const struct edit *e, const char *zone)
{
	for (size_t i = e->set.count; i-- > 0;) {
		const struct change_op *op = &e->set.ops[i];

		if (op->op == CHANGE_RRSET_PUT && op->type == RRTYPE_SOA &&
		    strcmp(op->name, zone) == 0)
			return true;
	}
	return false;
}

/* The RRset becomes `set` (NULL: none), and the serial moves if that is a change. */
static void
show(struct edit *e, const struct place *at, const struct rrset *set)
{
	struct rrset *old =
	    records_find(control_store(e->r->control), at->zone, at->owner, at->type);

	if ((old == NULL) != (set == NULL) || (old != NULL && !rrset_equal(old, set))) {
		edit_rrset(e, at->zone, at->owner, at->type, set);
		if (!has_serial(e, at->zone))
			soa_bump(e, at->zone);
	}
	rrset_free(&old);
}

int
lined_put(struct edit *e, const char *name, const struct rrset_spec *s, struct diag *d)
{
	const size_t before = d->count;
	struct place at;
	struct rrset *set;
	int rc;

	place(&at, name, s->zone);
	set = lined_plain(at.type, s, d);
	if (d->count > before || edit_records_allowed(e, s->zone) < 0 ||
	    cut_check_domain(e, name, d) < 0 || (set != NULL && check(e, &at, set, d) < 0)) {
		rc = -EINVAL;
	} else {
		show(e, &at, set);
		warn_lined(e, at.zone, at.apex);
		warn_records(e, at.owner, at.type);
		rc = 0;
	}
	rrset_free(&set);
	return rc;
}

void
lined_delete(struct edit *e, const char *name)
{
	const struct model_object *o = model_find(e->model, KIND_RRSET, name);
	struct place at;

	place(&at, name, ((const struct rrset_spec *)o->spec)->zone);
	show(e, &at, NULL);
}

static void
drop(struct edit *e, const char *name)
{
	change_add(
	    &e->set, &(struct change_op){ .op = CHANGE_DELETE, .kind = KIND_RRSET, .name = name });
}

void
lined_delete_zone(struct edit *e, const char *zone)
{
	const struct model_object *z = model_find(e->model, KIND_ZONE, zone);

	if (z == NULL || e->model->objects[KIND_RRSET].count == 0)
		return;
	STRMAP_EACH (&z->referrers, it) {
		const struct model_object *o = it->value;

		if (o->kind == KIND_RRSET)
			drop(e, o->name);
	}
}

/* Is what comes just the set's plain view? */
static bool
is_view(const struct model_object *o, lined_find_f *find, void *arg)
{
	const struct rrset_spec *s = o->spec;
	struct diag d;
	struct place at;

	diag_init(&d);
	place(&at, o->name, s->zone);

	struct rrset *view = lined_plain(at.type, s, &d), *comes = find(arg, at.owner, at.type);
	const bool same = view == NULL ? comes == NULL : comes != NULL && rrset_equal(view, comes);

	rrset_free(&view);
	rrset_free(&comes);
	diag_fini(&d);
	return same;
}

void
lined_replace(struct edit *e, const char *zone, lined_find_f *find, void *arg)
{
	const struct model_object *z = model_find(e->model, KIND_ZONE, zone);

	if (z == NULL || e->model->objects[KIND_RRSET].count == 0)
		return;
	STRMAP_EACH (&z->referrers, it) {
		const struct model_object *o = it->value;

		if (o->kind != KIND_RRSET || is_view(o, find, arg))
			continue;
		drop(e, o->name);
		edit_warn(e,
		    "the lines of the record set %s are gone: the file says something else than "
		    "its plain view",
		    o->name);
	}
}
