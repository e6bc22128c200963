/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an operator imposes on an address, a pool or a domain: GET, PUT and DELETE of
 * .../{name}/override. The object is of kind override and named after its target; its reason and
 * times take the one path for change.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/edit.h"
#include "api/rest.h"
#include "api/route.h"
#include "base/clock.h"
#include "base/duration.h"
#include "model/target.h"

/* The names of the target, which the URL says, and of its override. 0 or -EINVAL. */
static int
find_names(struct request *r, char name[KIND_NAME_SIZE], char override[KIND_NAME_SIZE])
{
	if (edit_target(r, name) < 0)
		return -EINVAL;
	target_text(r->route->kind, name, override);
	return 0;
}

/* Tell which of the two is not there, if one is not. */
static const struct model_object *
find(struct request *r, const struct model *m, const char *name, const char *override)
{
	const struct model_object *o = model_find(m, KIND_OVERRIDE, override);

	if (model_find(m, r->route->kind, name) == NULL)
		edit_not_found(r, r->route->kind, name);
	else if (o == NULL)
		diag_add(&r->diag, DIAG_NOT_FOUND, "override", "%s '%s' has no override",
		    kind_table[r->route->kind].name, name);
	return o;
}

void
rest_override_get(struct request *r)
{
	char name[KIND_NAME_SIZE], override[KIND_NAME_SIZE];

	if (find_names(r, name, override) < 0)
		return;

	const struct model *m = control_read_begin(r->control);
	const struct model_object *o = find(r, m, name, override);

	if (o != NULL) {
		request_reply(r, 200, edit_encode(r, o));
		edit_etag(r, o->revision);
	}
	control_read_end(r->control);
}

/* -- PUT -- */

/* `for` counts from now, by our clock; what is past is a slip. `spec` is changed. */
static void
set_until(struct request *r, json_t *spec)
{
	const int64_t now_ms = clock_real_ms();
	const char *text = json_string_value(json_object_get(spec, "for"));
	const json_t *given = json_object_get(spec, "until");
	char until[CLOCK_TEXT_SIZE], now[CLOCK_TEXT_SIZE];
	uint64_t for_ms;
	int64_t until_ms;

	if (json_is_string(given) && clock_parse(json_string_value(given), &until_ms) == 0 &&
	    until_ms <= now_ms) {
		diag_add(&r->diag, DIAG_INVALID, "until", "is past already");
		diag_detail(&r->diag, json_string_value(given),
		    arena_printf(&r->arena, "later than %s", clock_text(now_ms, now)));
	}
	if (json_object_get(spec, "for") == NULL)
		return;
	if (given != NULL && !json_is_null(given)) {
		diag_add(&r->diag, DIAG_INVALID, "for", "cannot be given together with until");
	} else if (text == NULL || duration_parse(text, &for_ms) < 0 || for_ms == 0) {
		diag_add(&r->diag, DIAG_INVALID, "for", "is not a duration");
		diag_detail(&r->diag, text, "\"30m\", \"2h\", \"1d\"");
	} else {
		json_object_set_new(
		    spec, "until", json_string(clock_text(now_ms + (int64_t)for_ms, until)));
	}
	json_object_del(spec, "for");
}

/* The body as a spec; NULL with problems. New reference. */
static json_t *
read_spec(struct request *r)
{
	static const char *const members[] = { "state", "reason", "until", "for", NULL };
	json_t *spec = request_json(r);

	if (spec == NULL)
		return NULL;
	if (request_members(r, spec, "", members) == 0)
		set_until(r, spec);
	json_object_set_new(spec, "by", json_string(r->caller.name));
	if (!diag_failed(&r->diag))
		return spec;
	json_decref(spec);
	return NULL;
}

void
rest_override_put(struct request *r)
{
	const enum kind kind = r->route->kind;
	char name[KIND_NAME_SIZE], override[KIND_NAME_SIZE];
	json_t *spec = find_names(r, name, override) < 0 ? NULL : read_spec(r);
	struct edit e;

	if (spec == NULL)
		return;
	edit_begin(&e, r);
	if (model_find(e.model, kind, name) == NULL) {
		edit_not_found(r, kind, name);
	} else if (edit_precondition(&e, KIND_OVERRIDE, override) == 0 &&
		   edit_put(&e, KIND_OVERRIDE, override, spec, &r->diag) == 0) {
		edit_commit(&e);
		edit_reply(&e, KIND_OVERRIDE, override);
	}
	edit_end(&e);
	json_decref(spec);
}

void
rest_override_delete(struct request *r)
{
	char name[KIND_NAME_SIZE], override[KIND_NAME_SIZE];
	struct edit e;

	if (find_names(r, name, override) < 0)
		return;
	edit_begin(&e, r);
	if (find(r, e.model, name, override) != NULL &&
	    edit_precondition(&e, KIND_OVERRIDE, override) == 0 &&
	    edit_delete(&e, KIND_OVERRIDE, override) == 0 && edit_commit(&e) == 0)
		request_reply(r, 204, NULL);
	edit_end(&e);
}
