/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inviting a node that probes. */
#include "api/edit.h"
#include "api/rest.h"
#include "base/duration.h"

#define FOR_MS     (3600 * 1000)
#define FOR_MIN_MS 1000
#define FOR_MAX_MS (7 * 24 * 3600 * 1000)

void
rest_node_token(struct request *r)
{
	static const char *const members[] = { "for", "server", NULL };
	char name[KIND_NAME_SIZE];
	uint64_t for_ms = FOR_MS;
	json_t *body;

	if (edit_target(r, name) < 0 || (body = request_json(r)) == NULL)
		return;
	if (request_members(r, body, "", members) == 0) {
		const json_t *span = json_object_get(body, "for");
		const char *text = json_string_value(span);
		const char *server = json_string_value(json_object_get(body, "server"));

		if (span != NULL && (text == NULL || duration_parse(text, &for_ms) < 0 ||
					for_ms < FOR_MIN_MS || for_ms > FOR_MAX_MS)) {
			diag_add(&r->diag, DIAG_INVALID, "for", "must be a duration");
			diag_detail(&r->diag, text, "1s..168h");
		} else {
			request_reply(
			    r, 200, control_invite(r->control, name, for_ms, server, &r->diag));
		}
	}
	json_decref(body);
}
