/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trying a template, and heartbeats of protocol push. */
#include <stdlib.h>

#include "api/edit.h"
#include "api/heartbeat.h"
#include "api/rest.h"
#include "base/clock.h"
#include "base/duration.h"
#include "model/nouns.h"

#define TRY_SPARE_MS 2000
#define CLOCKS_MS    (5 * 60 * 1000) /* by which those who send heartbeats may be off */
#define LIVE_MAX_MS  (24 * 3600 * 1000)

/* How long the template may take; -1 with a problem: there is no such. */
static int64_t
timeout_of(struct request *r, const char *name)
{
	const struct model_object *o =
	    model_find(control_read_begin(r->control), KIND_TEMPLATE, name);
	const int64_t timeout_ms =
	    o != NULL ? (int64_t)((const struct template_spec *)o->spec)->timeout_ms : -1;

	control_read_end(r->control);
	if (o == NULL)
		edit_not_found(r, KIND_TEMPLATE, name);
	return timeout_ms;
}

void
rest_template_try(struct request *r)
{
	static const char *const members[] = { "target", "port", "host", NULL };
	char name[KIND_NAME_SIZE];
	json_t *body;

	if (edit_target(r, name) < 0)
		return;

	const int64_t timeout_ms = timeout_of(r, name);

	if (timeout_ms < 0 || (body = request_json(r)) == NULL)
		return;
	if (request_members(r, body, "", members) == 0) {
		json_object_set_new(body, "template", json_string(name));
		if (json_object_get(body, "port") == NULL) /* ping has none */
			json_object_set_new(body, "port", json_integer(1));
		request_reply(r, 200,
		    control_ask_for(
			r->control, "try", body, (unsigned)timeout_ms + TRY_SPARE_MS, &r->diag));
	}
	json_decref(body);
}

struct beat {
	const char *template, *duration, *signature;
	int64_t at_ms;
	uint64_t for_ms;
};

static int
read_beat(struct request *r, const json_t *body, struct beat *b)
{
	static const char *const members[] = { "template", "at", "for", "signature", NULL };

	if (request_members(r, body, "", members) < 0)
		return -1;
	b->template = json_string_value(json_object_get(body, "template"));
	b->duration = json_string_value(json_object_get(body, "for"));
	b->signature = json_string_value(json_object_get(body, "signature"));
	b->at_ms = json_integer_value(json_object_get(body, "at"));
	if (b->template == NULL)
		diag_add(&r->diag, DIAG_INVALID, "template", "must be a template's name");
	if (b->signature == NULL)
		diag_add(&r->diag, DIAG_INVALID, "signature", "must be 64 hex digits");
	if (b->at_ms <= 0)
		diag_add(&r->diag, DIAG_INVALID, "at", "must be the time in ms since 1970");
	if (b->duration == NULL || duration_parse(b->duration, &b->for_ms) < 0 ||
	    b->for_ms > LIVE_MAX_MS)
		diag_add(&r->diag, DIAG_INVALID, "for", "must be a duration up to \"24h\"");
	return diag_failed(&r->diag) ? -1 : 0;
}

/* Whatever is wrong, strangers hear the same. */
static bool
is_signed(struct request *r, const char *address, const struct beat *b)
{
	const struct model *m = control_read_begin(r->control);
	const struct model_object *o = model_find(m, KIND_TEMPLATE, b->template);
	const struct template_spec *t = o != NULL ? o->spec : NULL;
	const bool good = t != NULL && t->protocol == PROTOCOL_PUSH &&
			  heartbeat_check(t->push.secret, b->template, address, b->at_ms,
			      b->duration, b->signature);

	control_read_end(r->control);
	if (!good)
		request_refuse(r, 403, DIAG_INVALID, "signature", "is not that of this address");
	return good;
}

void
rest_address_heartbeat(struct request *r)
{
	char name[KIND_NAME_SIZE];
	struct beat b;

	if (edit_target(r, name) < 0)
		return;

	json_t *body = request_json(r);

	if (body == NULL || read_beat(r, body, &b) < 0 || !is_signed(r, name, &b)) {
		json_decref(body);
		return;
	}
	if (llabs((long long)(clock_real_ms() - b.at_ms)) > CLOCKS_MS) {
		request_refuse(r, 403, DIAG_INVALID, "at", "is more than 5 minutes off our clock");
	} else {
		json_t *ask = json_pack("{s:s, s:s, s:I, s:I}", "name", name, "template",
		    b.template, "at", (json_int_t)b.at_ms, "for", (json_int_t)b.for_ms);

		request_reply(r, 200, control_ask(r->control, "beat", ask, &r->diag));
		json_decref(ask);
	}
	json_decref(body);
}
