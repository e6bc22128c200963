/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The record sets of a zone, one at a time. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/cut.h"
#include "api/edit.h"
#include "api/lined.h"
#include "api/records.h"
#include "api/rest.h"
#include "api/route.h"
#include "api/soa.h"
#include "api/warn.h"
#include "dns/rrtype.h"
#include "zone/zonefile.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     10000

static const char *const members[] = { "ttl", "records", "owner", "type", "zone", "dryRun",
	"warnings", NULL };

struct target {
	char zone[KIND_NAME_SIZE];
	uint8_t apex[NAME_MAX_LEN];
	uint8_t owner[NAME_MAX_LEN];
	uint16_t type;
};

static bool
zone_exists(struct request *r, const char *zone)
{
	const bool exists = model_find(control_read_begin(r->control), KIND_ZONE, zone) != NULL;

	control_read_end(r->control);
	if (!exists)
		edit_not_found(r, KIND_ZONE, zone);
	return exists;
}

static int
parse(struct request *r, struct target *t)
{
	if (edit_target(r, t->zone) < 0 || !zone_exists(r, t->zone) ||
	    records_owner(t->zone, r->params[1], t->owner, &r->diag) < 0)
		return -EINVAL;
	if (rrtype_parse(r->params[2], &t->type) < 0 || rrtype_is_meta(t->type)) {
		diag_add(&r->diag, DIAG_INVALID, "type", "is not a type of records");
		diag_detail(&r->diag, r->params[2], "A, AAAA, CNAME, MX, TXT, ... or TYPE65280");
		return -EINVAL;
	}
	return name_parse_lower(t->zone, t->apex) < 0 ? -EINVAL : 0;
}

static const struct model_object *
find_lined(const struct model *m, const struct target *t)
{
	return lined_in(m, t->zone, t->owner, t->type);
}

static void
missing(struct request *r)
{
	diag_add(&r->diag, DIAG_NOT_FOUND, "", "there are no %s records at %s", r->params[2],
	    r->params[1]);
}

/* A set as it was put: with its lines, if it has any. */
static json_t *
encode(const struct model *m, const char *zone, const uint8_t *owner, const struct rrset *set)
{
	const struct model_object *o = lined_in(m, zone, owner, set->type);

	return o == NULL ? records_encode(owner, set) : lined_encode(owner, set->type, o->spec);
}

struct page {
	const struct model *model;
	const char *zone;
	json_t *items;
	const char *cursor, *type, *text;
	char next[NAME_TEXT_SIZE + RRTYPE_TEXT_SIZE];
	uint64_t limit;
	bool more;
};

static bool
collect(const uint8_t *owner, const struct rrset *set, void *arg)
{
	struct page *p = arg;
	char name[NAME_TEXT_SIZE], text[RRTYPE_TEXT_SIZE], key[sizeof(p->next)];
	const char *type = rrtype_text(set->type, text);

	name_text(owner, name);
	snprintf(key, sizeof(key), "%s/%s", name, type);
	if (p->cursor != NULL) {
		if (strcmp(p->cursor, key) == 0)
			p->cursor = NULL;
		return true;
	}
	if (p->type != NULL && strcasecmp(p->type, type) != 0)
		return true;
	if (p->text != NULL && strcasestr(name, p->text) == NULL)
		return true;
	if (json_array_size(p->items) == p->limit) {
		p->more = true;
		return false;
	}
	memcpy(p->next, key, sizeof(key));
	json_array_append_new(p->items, encode(p->model, p->zone, owner, set));
	return true;
}

void
rest_rrset_list(struct request *r)
{
	struct page p = {
		.cursor = request_query(r, "cursor"),
		.type = request_query(r, "type"),
		.text = request_query(r, "q"),
	};
	char zone[KIND_NAME_SIZE];

	if (edit_target(r, zone) < 0 || !zone_exists(r, zone) ||
	    request_number(r, "limit", LIMIT_DEFAULT, LIMIT_MAX, &p.limit) < 0)
		return;

	json_t *reply = json_object();

	p.zone = zone;
	p.items = json_array();
	json_object_set_new(reply, "items", p.items);
	p.model = control_read_begin(r->control);
	if (records_walk(control_store(r->control), zone, collect, &p, &r->diag) == 0 && p.more)
		json_object_set_new(reply, "next", json_string(p.next));
	control_read_end(r->control);
	request_reply(r, 200, reply);
}

void
rest_rrset_get(struct request *r)
{
	struct target t;

	if (parse(r, &t) < 0)
		return;

	struct rrset *set = records_find(control_store(r->control), t.zone, t.owner, t.type);
	const struct model_object *o = find_lined(control_read_begin(r->control), &t);

	if (o != NULL)
		request_reply(r, 200, lined_encode(t.owner, t.type, o->spec));
	else if (set != NULL)
		request_reply(r, 200, records_encode(t.owner, set));
	else
		missing(r);
	control_read_end(r->control);
	rrset_free(&set);
}

/* The rules of the zone as a whole for one set that joins the others at its owner. */
static int
check(struct edit *e, const struct target *t, const struct rrset *set)
{
	uint16_t others[RECORDS_TYPES];
	size_t n, n_others = 0;
	const uint16_t *types = edit_types(e, t->zone, t->owner, &n);

	for (size_t i = 0; i < n; i++)
		if (types[i] != t->type)
			others[n_others++] = types[i];
	return zonefile_check_set(t->apex, t->owner, set, others, n_others, &e->r->diag);
}

/* A SOA keeps its own serial only if that is ahead of the old one. */
static void
save(struct edit *e, const struct target *t, struct rrset **set, const struct rrset *old)
{
	if (t->type != RRTYPE_SOA) {
		edit_rrset(e, t->zone, t->owner, t->type, *set);
		soa_bump(e, t->zone);
		return;
	}
	if (old != NULL && !soa_newer(soa_serial(*set), soa_serial(old))) {
		struct rrset *next = soa_with_serial(*set, soa_next(e, t->zone, old));

		rrset_free(set);
		*set = next;
	}
	edit_rrset(e, t->zone, t->owner, t->type, *set);
}

/* A set without lines takes the place of one that has some. */
static void
forget_lines(struct edit *e, const struct target *t)
{
	const struct model_object *o = find_lined(e->model, t);

	if (o != NULL)
		change_add(&e->set, &(struct change_op){
					.op = CHANGE_DELETE, .kind = KIND_RRSET, .name = o->name });
}

static void
put(struct request *r, const struct target *t, struct rrset **set)
{
	struct rrset *old;
	struct edit e;

	edit_begin(&e, r);
	old = records_find(control_store(r->control), t->zone, t->owner, t->type);
	if (edit_records_allowed(&e, t->zone) == 0 && check(&e, t, *set) == 0) {
		const bool is_new = old == NULL && find_lined(e.model, t) == NULL;

		forget_lines(&e, t);
		if (old == NULL || !rrset_equal(old, *set))
			save(&e, t, set, old);
		warn_records(&e, t->owner, t->type);
		cut_warn_records(&e, t->zone, t->owner, t->type);
		edit_commit(&e);
		edit_reply_json(&e, is_new && !e.dry ? 201 : 200, records_encode(t->owner, *set));
	}
	rrset_free(&old);
	edit_end(&e);
}

/* The object's spec from the body. New reference. */
static json_t *
lined_spec(const struct target *t, const json_t *body)
{
	json_t *spec =
	    json_pack("{s:s, s:O}", "zone", t->zone, "records", json_object_get(body, "records"));

	if (json_object_get(body, "ttl") != NULL)
		json_object_set(spec, "ttl", json_object_get(body, "ttl"));
	return spec;
}

static void
put_lined(struct request *r, const struct target *t, const json_t *body)
{
	json_t *spec = lined_spec(t, body);
	char name[KIND_NAME_SIZE];
	struct rrset *old;
	struct edit e;

	edit_begin(&e, r);
	old = records_find(control_store(r->control), t->zone, t->owner, t->type);
	if (edit_records_allowed(&e, t->zone) == 0 &&
	    kind_name(KIND_RRSET, lined_name(&r->arena, t->owner, t->type), name, &r->diag) == 0 &&
	    edit_put(&e, KIND_RRSET, name, spec, &r->diag) == 0) {
		const bool is_new = old == NULL && find_lined(e.model, t) == NULL;
		const struct rrset_spec *said =
		    kind_decode(KIND_RRSET, name, spec, &r->arena, &r->diag);

		edit_commit(&e);
		edit_reply_json(
		    &e, is_new && !e.dry ? 201 : 200, lined_encode(t->owner, t->type, said));
	}
	rrset_free(&old);
	edit_end(&e);
	json_decref(spec);
}

static void
put_plain(struct request *r, const struct target *t, json_t *body)
{
	struct rrset *set;

	json_object_set_new(body, "records", lined_strings(json_object_get(body, "records")));
	set = records_decode(t->zone, t->type, body, &r->diag);
	if (set != NULL)
		put(r, t, &set);
	rrset_free(&set);
}

void
rest_rrset_put(struct request *r)
{
	struct target t;

	if (parse(r, &t) < 0)
		return;

	json_t *body = request_json(r);

	if (body != NULL && request_members(r, body, "", members) == 0) {
		if (lined_is_meant(json_object_get(body, "records")))
			put_lined(r, &t, body);
		else
			put_plain(r, &t, body);
	}
	json_decref(body);
}

void
rest_rrset_delete(struct request *r)
{
	struct target t;
	struct edit e;

	if (parse(r, &t) < 0)
		return;
	if (name_equal(t.owner, t.apex) && (t.type == RRTYPE_SOA || t.type == RRTYPE_NS)) {
		diag_add(&r->diag, DIAG_CONFLICT, "type",
		    "a zone needs its %s records: replace them instead", r->params[2]);
		return;
	}
	edit_begin(&e, r);

	struct rrset *old = records_find(control_store(r->control), t.zone, t.owner, t.type);

	if (old == NULL && find_lined(e.model, &t) == NULL) {
		missing(r);
	} else if (edit_records_allowed(&e, t.zone) == 0) {
		forget_lines(&e, &t);
		if (old != NULL) {
			edit_rrset(&e, t.zone, t.owner, t.type, NULL);
			soa_bump(&e, t.zone);
		}
		if (edit_commit(&e) == 0)
			request_reply(r, 204, NULL);
	}
	rrset_free(&old);
	edit_end(&e);
}
