/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What only the engine knows: explanations, simulations and observations. */
#include "api/edit.h"
#include "api/rest.h"
#include "api/route.h"

#define SIMULATE_MS 30000

void
rest_explain(struct request *r)
{
	static const char *const members[] = { "name", "type", "client", "ecs", "overrides",
		"draws", NULL };
	json_t *body = request_json(r);

	if (body != NULL && request_members(r, body, "", members) == 0) {
		if (!json_is_string(json_object_get(body, "name")))
			diag_add(&r->diag, DIAG_INVALID, "name", "must be a domain name");
		else
			request_reply(r, 200, control_ask(r->control, "explain", body, &r->diag));
	}
	json_decref(body);
}

/* Its members and their ranges are the simulator's, which tells what is wrong with them. */
void
rest_simulate(struct request *r)
{
	json_t *body = request_json(r);

	if (body != NULL)
		request_reply(
		    r, 200, control_ask_for(r->control, "simulate", body, SIMULATE_MS, &r->diag));
	json_decref(body);
}

void
rest_address_health(struct request *r)
{
	char name[KIND_NAME_SIZE];

	if (edit_target(r, name) < 0)
		return;

	const bool exists = model_find(control_read_begin(r->control), KIND_ADDRESS, name) != NULL;

	control_read_end(r->control);
	if (!exists) {
		edit_not_found(r, KIND_ADDRESS, name);
		return;
	}

	json_t *ask = json_pack("{s:s}", "name", name);

	request_reply(r, 200, control_ask(r->control, "observe", ask, &r->diag));
	json_decref(ask);
}
