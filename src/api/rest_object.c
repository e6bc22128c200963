/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GET, PUT, PATCH and DELETE of one object of any kind. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/edit.h"
#include "api/rest.h"
#include "api/route.h"
#include "api/soa.h"

static const char *const put_members[] = { "kind", "name", "spec", "id", "revision", "created",
	"updated", "labels", "status", "warnings", NULL };
static const char *const patch_members[] = { "kind", "name", "spec", NULL };

void
rest_object_get(struct request *r)
{
	char name[KIND_NAME_SIZE];

	if (edit_target(r, name) < 0)
		return;

	const struct model *m = control_read_begin(r->control);
	const struct model_object *o = model_find(m, r->route->kind, name);

	if (o != NULL) {
		request_reply(r, 200, edit_encode(r, o));
		edit_etag(r, o->revision);
	} else {
		edit_not_found(r, r->route->kind, name);
	}
	control_read_end(r->control);
}

/* `key`, if given, must repeat what the URL says. */
static void
agree(struct request *r, const json_t *body, const char *key, const char *url)
{
	const json_t *j = json_object_get(body, key);

	if (j == NULL)
		return;

	const char *got = json_string_value(j);
	char name[KIND_NAME_SIZE];
	struct diag d;
	bool same = got != NULL && strcasecmp(got, url) == 0;

	diag_init(&d);
	if (!same && got != NULL && strcmp(key, "name") == 0)
		same = kind_name(r->route->kind, got, name, &d) == 0 && strcmp(name, url) == 0;
	diag_fini(&d);
	if (same)
		return;
	diag_add(&r->diag, DIAG_INVALID, key, "must agree with the URL");
	diag_detail(&r->diag, got, url);
}

/* The body's spec, or NULL with problems. New reference. */
static json_t *
body_spec(struct request *r, const char *name, const char *const *members)
{
	json_t *body = request_json(r);

	if (body == NULL)
		return NULL;

	json_t *spec = json_object_get(body, "spec");

	agree(r, body, "kind", kind_table[r->route->kind].name);
	agree(r, body, "name", name);
	if (request_members(r, body, "", members) == 0 && !json_is_object(spec)) {
		diag_add(&r->diag, DIAG_INVALID, "spec",
		    spec == NULL ? "is missing" : "must be an object");
	}
	spec = diag_failed(&r->diag) ? NULL : json_incref(spec);
	json_decref(body);
	return spec;
}

static void
put(struct request *r, const char *name, json_t *spec)
{
	struct edit e;

	edit_begin(&e, r);
	if (edit_precondition(&e, r->route->kind, name) == 0 &&
	    edit_put(&e, r->route->kind, name, spec, &r->diag) == 0) {
		if (r->route->kind == KIND_ZONE)
			soa_plant(&e, name);
		edit_commit(&e);
		edit_reply(&e, r->route->kind, name);
	}
	edit_end(&e);
}

void
rest_object_put(struct request *r)
{
	char name[KIND_NAME_SIZE];

	if (edit_target(r, name) < 0)
		return;

	json_t *spec = body_spec(r, name, put_members);

	if (spec != NULL)
		put(r, name, spec);
	json_decref(spec);
}

/* RFC 7396. `target` is changed in place; returns what takes its place. Takes `target`. */
static json_t *
merge(json_t *target, const json_t *patch)
{
	const char *key;
	json_t *value;

	if (!json_is_object(patch)) {
		json_decref(target);
		return json_deep_copy(patch);
	}
	if (!json_is_object(target)) {
		json_decref(target);
		target = json_object();
	}
	json_object_foreach((json_t *)(uintptr_t)patch, key, value)
	{
		if (json_is_null(value))
			json_object_del(target, key);
		else
			json_object_set_new(
			    target, key, merge(json_incref(json_object_get(target, key)), value));
	}
	return target;
}

void
rest_object_patch(struct request *r)
{
	const enum kind kind = r->route->kind;
	char name[KIND_NAME_SIZE];

	if (edit_target(r, name) < 0)
		return;

	json_t *patch = body_spec(r, name, patch_members);

	if (patch == NULL)
		return;

	struct edit e;

	edit_begin(&e, r);

	json_t *spec = edit_spec(&e, kind, name);

	if (spec == NULL)
		edit_not_found(r, kind, name);
	else
		spec = merge(spec, patch);
	if (spec != NULL && edit_precondition(&e, kind, name) == 0 &&
	    edit_put(&e, kind, name, spec, &r->diag) == 0) {
		edit_commit(&e);
		edit_reply(&e, kind, name);
	}
	edit_end(&e);
	json_decref(spec);
	json_decref(patch);
}

void
rest_object_delete(struct request *r)
{
	char name[KIND_NAME_SIZE];
	struct edit e;

	if (edit_target(r, name) < 0)
		return;
	edit_begin(&e, r);
	if (edit_precondition(&e, r->route->kind, name) == 0 &&
	    edit_delete(&e, r->route->kind, name) == 0 && edit_commit(&e) == 0)
		request_reply(r, 204, NULL);
	edit_end(&e);
}
