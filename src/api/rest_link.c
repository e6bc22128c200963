/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small edits of one member: a pool's address links, a domain's switch. */
#include <string.h>

#include "api/edit.h"
#include "api/rest.h"
#include "api/route.h"
#include "api/scenario.h"

/* Put `spec` (taken) as the request's object and reply with it. */
static void
finish(struct edit *e, const char *name, json_t *spec)
{
	const enum kind kind = e->r->route->kind;

	if (!diag_failed(&e->r->diag) && edit_precondition(e, kind, name) == 0 &&
	    edit_put(e, kind, name, spec, &e->r->diag) == 0) {
		edit_commit(e);
		edit_reply(e, kind, name);
	}
	json_decref(spec);
}

/* The spec of the object that the URL names, under the editor's lock; NULL with a problem. */
static json_t *
begin(struct edit *e, struct request *r, const char *name)
{
	json_t *spec;

	edit_begin(e, r);
	spec = edit_spec(e, r->route->kind, name);
	if (spec == NULL)
		edit_not_found(r, r->route->kind, name);
	return spec;
}

static void
add_link(struct request *r, const char *name, json_t *link)
{
	struct edit e;
	json_t *spec = begin(&e, r, name);

	if (spec != NULL) {
		json_array_append(json_object_get(spec, "addresses"), link);
		finish(&e, name, spec);
	}
	edit_end(&e);
}

void
rest_pool_link(struct request *r)
{
	static const char *const members[] = { "address", "weight", "order", "lines", NULL };
	char name[KIND_NAME_SIZE];

	if (edit_target(r, name) < 0)
		return;

	json_t *link = request_json(r);

	if (link != NULL && request_members(r, link, "", members) == 0)
		add_link(r, name, link);
	json_decref(link);
}

void
rest_pool_unlink(struct request *r)
{
	char name[KIND_NAME_SIZE];
	struct edit e;
	size_t i;

	if (edit_target(r, name) < 0)
		return;

	json_t *spec = begin(&e, r, name), *list = json_object_get(spec, "addresses"), *link;

	json_array_foreach(list, i, link)
	{
		const char *address = json_string_value(json_object_get(link, "address"));

		if (address != NULL && strcmp(address, r->params[1]) == 0)
			break;
	}
	if (spec != NULL && json_array_remove(list, i) < 0)
		diag_add(&r->diag, DIAG_NOT_FOUND, "address", "pool '%s' has no address '%s'", name,
		    r->params[1]);
	if (spec != NULL)
		finish(&e, name, spec);
	edit_end(&e);
}

static void
toggle(struct request *r, bool enabled)
{
	char name[KIND_NAME_SIZE];
	struct edit e;

	if (edit_target(r, name) < 0)
		return;

	json_t *spec = begin(&e, r, name);

	if (spec != NULL) {
		json_object_set_new(spec, "enabled", json_boolean(enabled));
		finish(&e, name, spec);
	}
	edit_end(&e);
}

void
rest_domain_enable(struct request *r)
{
	toggle(r, true);
}

void
rest_domain_disable(struct request *r)
{
	toggle(r, false);
}

void
rest_scenario(struct request *r)
{
	json_t *body = request_json(r);
	struct edit e;

	if (body != NULL) {
		edit_begin(&e, r);
		scenario_make(&e, body);
		edit_end(&e);
	}
	json_decref(body);
}
