/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/edit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/catalog.h"
#include "api/cut.h"
#include "api/lined.h"
#include "api/ripple.h"
#include "api/route.h"
#include "api/warn.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "base/rand.h"
#include "model/nouns.h"
#include "model/target.h"

void
edit_begin(struct edit *e, struct request *r)
{
	*e = (struct edit){ .r = r,
		.dry = request_flag(r, "dryRun"),
		.warnings = json_array(),
		.specs = json_array() };
	change_init(&e->set);
	strmap_init(&e->lined);
	control_edit_begin(r->control);
	e->model = control_model(r->control);
	e->set.author = r->caller.name;
}

void
edit_end(struct edit *e)
{
	control_edit_end(e->r->control);
	change_fini(&e->set);
	strmap_fini(&e->lined);
	json_decref(e->warnings);
	json_decref(e->specs);
}

int
edit_target(struct request *r, char name[KIND_NAME_SIZE])
{
	const char *text = r->params[0];

	if (r->route->kind == KIND_DOMAIN || r->route->kind == KIND_RRSET)
		text = arena_printf(&r->arena, "%s/%s", text, r->params[1]);
	return kind_name(r->route->kind, text, name, &r->diag);
}

/* Is the ETag of `revision` in the list of a header? */
static bool
in_list(const char *header, uint64_t revision)
{
	char tag[32];

	snprintf(tag, sizeof(tag), "\"%" PRIu64 "\"", revision);
	return strcmp(header, "*") == 0 || strstr(header, tag) != NULL;
}

int
edit_precondition(struct edit *e, enum kind kind, const char *name)
{
	const char *match = request_header(e->r, MHD_HTTP_HEADER_IF_MATCH);
	const char *none = request_header(e->r, MHD_HTTP_HEADER_IF_NONE_MATCH);
	const struct model_object *o = model_find(e->model, kind, name);
	int rc = 0;

	if (match != NULL && (o == NULL || !in_list(match, o->revision)))
		rc = diag_add(&e->r->diag, DIAG_PRECONDITION, "If-Match",
		    o != NULL ? "the object has changed" : "there is no such object");
	else if (none != NULL && o != NULL && in_list(none, o->revision))
		rc = diag_add(&e->r->diag, DIAG_PRECONDITION, "If-None-Match", "the object exists");
	if (rc < 0 && o != NULL) {
		e->r->current = edit_encode(e->r, o);
		edit_etag(e->r, o->revision);
	}
	return rc;
}

json_t *
edit_spec(const struct edit *e, enum kind kind, const char *name)
{
	const struct model_object *o = model_find(e->model, kind, name);

	return o != NULL ? field_encode(kind_table[kind].fields, o->spec, true) : NULL;
}

const struct change_op *
edit_pending(const struct edit *e, enum kind kind, const char *name)
{
	return change_find(&e->set, kind, name);
}

static void
add_put(struct edit *e, enum kind kind, const char *name, const void *decoded, json_t *full,
    json_t *old)
{
	const struct model_object *o = model_find(e->model, kind, name);
	const bool again =
	    change_find(&e->set, kind, name) != NULL; /* then `old` is not what was */
	char id[17], *text = kind_spec_text(kind, decoded);
	const int64_t now = clock_real_ms();

	e->made = o == NULL;
	if (o == NULL)
		rand_hex(id, 8);
	json_array_append(e->specs, full);
	if (old != NULL)
		json_array_append(e->specs, old);
	change_add(&e->set, &(struct change_op){
				.op = CHANGE_PUT,
				.kind = kind,
				.name = name,
				.id = o != NULL ? o->id : id,
				.spec = text,
				.is = again ? NULL : full,
				.was = again ? NULL : old,
				.created_ms = o != NULL ? o->created_ms : now,
				.updated_ms = now,
			    });
	free(text);
}

static int
put_decoded(struct edit *e, enum kind kind, const char *name, const void *decoded, struct diag *d)
{
	json_t *full = field_encode(kind_table[kind].fields, decoded, true);
	json_t *old = edit_spec(e, kind, name);
	int rc = model_check_spec(e->model, &e->set, kind, name, decoded, d);

	if (rc == 0 && kind == KIND_DOMAIN)
		rc = cut_check_domain(e, name, d);
	if (rc == 0) {
		if (old == NULL || !json_equal(old, full))
			add_put(e, kind, name, decoded, full, old);
		warn_object(e, kind, name, decoded);
	}
	if (rc == 0 && kind == KIND_RRSET)
		rc = lined_put(e, name, decoded, d);
	json_decref(old);
	json_decref(full);
	return rc;
}

int
edit_put(struct edit *e, enum kind kind, const char *name, const json_t *spec, struct diag *d)
{
	const struct model_object *o = model_find(e->model, kind, name);
	json_t *whole = kind_keep_secrets(kind, spec, o != NULL ? o->spec : NULL);
	struct arena arena;
	int rc = -EINVAL;

	arena_init(&arena);

	const void *decoded = kind_decode(kind, name, whole, &arena, d);

	if (decoded != NULL)
		rc = put_decoded(e, kind, name, decoded, d);
	json_decref(whole);
	arena_fini(&arena);
	return rc;
}

/* An override goes with its object: before it, in the same revision. */
static void
delete_override(struct edit *e, enum kind kind, const char *name)
{
	char override[KIND_NAME_SIZE];

	if (kind != KIND_ADDRESS && kind != KIND_POOL && kind != KIND_DOMAIN)
		return;
	target_text(kind, name, override);
	if (model_find(e->model, KIND_OVERRIDE, override) == NULL)
		return;
	if (e->set.count == 0)
		e->set.summary = arena_printf(
		    &e->set.arena, "delete %s '%s' and its override", kind_table[kind].name, name);
	change_add(&e->set,
	    &(struct change_op){ .op = CHANGE_DELETE, .kind = KIND_OVERRIDE, .name = override });
}

int
edit_delete(struct edit *e, enum kind kind, const char *name)
{
	if (model_find(e->model, kind, name) == NULL) {
		edit_not_found(e->r, kind, name);
		return -EINVAL;
	}

	if (kind == KIND_ZONE)
		lined_delete_zone(e, name);

	const int rc = model_check_delete(e->model, &e->set, kind, name, &e->r->diag);

	if (rc == 0 && kind == KIND_RRSET)
		lined_delete(e, name);
	if (rc == 0)
		delete_override(e, kind, name);
	if (rc == 0)
		change_add(&e->set,
		    &(struct change_op){ .op = CHANGE_DELETE, .kind = kind, .name = name });
	return rc;
}

void
edit_rrset(
    struct edit *e, const char *zone, const uint8_t *owner, uint16_t type, const struct rrset *set)
{
	change_add(&e->set, &(struct change_op){
				.op = set != NULL ? CHANGE_RRSET_PUT : CHANGE_RRSET_DELETE,
				.kind = KIND_ZONE,
				.name = zone,
				.owner = owner,
				.type = type,
				.ttl_s = set != NULL ? set->ttl_s : 0,
				.rdata = set != NULL ? set->data : NULL,
				.rdata_len = set != NULL ? set->size : 0,
			    });
}

/* The store stays as it is while we edit. */
const uint16_t *
edit_types(struct edit *e, const char *zone, const uint8_t *owner, size_t *n)
{
	struct edit_owner *o = &e->owner;

	if (strcmp(o->zone, zone) != 0 || !name_equal(o->name, owner)) {
		snprintf(o->zone, sizeof(o->zone), "%s", zone);
		memcpy(o->name, owner, name_len(owner));
		o->n = records_types(control_store(e->r->control), zone, owner, o->types);
	}
	*n = o->n;
	return o->types;
}

/* "192.0.2.1:53, 192.0.2.2:53" */
static const char *
list_primaries(struct edit *e, const struct field_list *primaries)
{
	const struct peer_spec *p = primaries->items;
	const char *out = "its primaries";

	for (size_t i = 0; i < primaries->count; i++)
		out =
		    i == 0 ? p[i].address : arena_printf(&e->r->arena, "%s, %s", out, p[i].address);
	return out;
}

int
edit_records_allowed(struct edit *e, const char *zone)
{
	const struct model_object *o = model_find(e->model, KIND_ZONE, zone);
	const struct zone_spec *spec = o != NULL ? o->spec : NULL;

	if (spec == NULL || spec->role == ZONE_PRIMARY)
		return 0;
	return diag_add(&e->r->diag, DIAG_CONFLICT, "zone",
	    "zone '%s' is a secondary: its records come from %s", zone,
	    list_primaries(e, &spec->primaries));
}

void
edit_warn(struct edit *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	json_array_append_new(e->warnings, json_vsprintf(fmt, ap));
	va_end(ap);
}

/* "put pool 'dc-a'", "put pool 'dc-a' and 3 more". */
static const char *
summary(struct edit *e)
{
	const struct change_op *op = &e->set.ops[0];
	const char *verb = op->op == CHANGE_PUT      ? "put"
			   : op->op == CHANGE_DELETE ? "delete"
						     : "change records of";
	const char *noun =
	    op->op == CHANGE_PUT || op->op == CHANGE_DELETE ? kind_table[op->kind].name : "zone";

	if (e->set.count == 1)
		return arena_printf(&e->set.arena, "%s %s '%s'", verb, noun, op->name);
	return arena_printf(
	    &e->set.arena, "%s %s '%s' and %zu more", verb, noun, op->name, e->set.count - 1);
}

int
edit_commit(struct edit *e)
{
	char revision[24];

	catalog_follow(e);
	if (diag_failed(&e->r->diag))
		return -EINVAL;
	e->receipt.applied = true;
	e->receipt.revision = e->model->revision;
	if (!e->dry && e->set.count > 0) {
		if (e->set.summary == NULL)
			e->set.summary = summary(e);
		ripple_add(e);
		if (control_edit_commit(e->r->control, &e->set, &e->receipt, &e->r->diag) < 0)
			return -EINVAL;
	}
	snprintf(revision, sizeof(revision), "%" PRIu64, e->receipt.revision);
	request_set_header(e->r, "GTM-Revision", revision);
	if (!e->dry)
		request_set_header(e->r, "GTM-Applied", e->receipt.applied ? "1" : "0");
	return 0;
}

/* What a dry run would have made, in the shape of model_encode. */
static json_t *
encode_pending(const struct edit *e, const struct change_op *op)
{
	char created[CLOCK_TEXT_SIZE], updated[CLOCK_TEXT_SIZE];
	json_t *j = json_object(), *spec = json_loads(op->spec, 0, NULL);
	struct arena *a = &e->r->arena;
	const void *decoded = kind_decode(op->kind, op->name, spec, a, &e->r->diag);

	json_decref(spec);
	json_object_set_new(j, "kind", json_string(kind_table[op->kind].name));
	json_object_set_new(j, "name", json_string(op->name));
	json_object_set_new(j, "id", json_string(op->id));
	json_object_set_new(j, "revision", json_integer((json_int_t)e->model->revision + 1));
	json_object_set_new(j, "created", json_string(clock_text(op->created_ms, created)));
	json_object_set_new(j, "updated", json_string(clock_text(op->updated_ms, updated)));
	/* Once more through the table: secrets are not for replies. */
	json_object_set_new(j, "spec", field_encode(kind_table[op->kind].fields, decoded, false));
	return j;
}

void
edit_reply(struct edit *e, enum kind kind, const char *name)
{
	const struct change_op *op = edit_pending(e, kind, name);
	const struct model_object *o = model_find(e->model, kind, name);
	json_t *reply;

	if (diag_failed(&e->r->diag))
		return;
	if (e->dry && op != NULL) {
		reply = encode_pending(e, op);
	} else {
		reply = edit_encode(e->r, o);
		edit_etag(e->r, o->revision);
	}

	edit_reply_json(e, e->made && !e->dry ? 201 : 200, reply);
}

void
edit_reply_json(struct edit *e, unsigned status, json_t *reply)
{
	if (diag_failed(&e->r->diag)) {
		json_decref(reply);
		return;
	}
	if (json_array_size(e->warnings) > 0)
		json_object_set(reply, "warnings", e->warnings);
	if (e->dry)
		json_object_set_new(reply, "dryRun", json_true());
	request_reply(e->r, status, reply);
}

/* How long it takes with this template until a dead target is down. */
static void
add_detection(json_t *status, const struct template_spec *t)
{
	char worst[DURATION_TEXT_SIZE], typical[DURATION_TEXT_SIZE];
	uint32_t worst_ms, typical_ms;

	if (template_detection(t, &worst_ms, &typical_ms))
		json_object_set_new(status, "detection",
		    json_pack("{s:s, s:s}", "worst", duration_text(worst_ms, worst), "typical",
			duration_text(typical_ms, typical)));
}

json_t *
edit_encode(struct request *r, const struct model_object *o)
{
	json_t *j = model_encode(o);
	json_t *status = control_status_find(r->control, o->kind, o->name);

	if (status == NULL)
		status = json_object();
	if (o->kind == KIND_TEMPLATE)
		add_detection(status, o->spec);
	json_object_set_new(j, "status", status);
	return j;
}

void
edit_etag(struct request *r, uint64_t revision)
{
	char tag[32];

	snprintf(tag, sizeof(tag), "\"%" PRIu64 "\"", revision);
	request_set_header(r, MHD_HTTP_HEADER_ETAG, tag);
}

void
edit_not_found(struct request *r, enum kind kind, const char *name)
{
	diag_add(
	    &r->diag, DIAG_NOT_FOUND, "name", "there is no %s '%s'", kind_table[kind].name, name);
}
