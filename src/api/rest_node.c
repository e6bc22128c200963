/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inviting a node that probes. */
#include "api/edit.h"
#include "api/rest.h"
#include "base/duration.h"

#define FOR_MS     (3600 * 1000)
#define FOR_MIN_MS 1000
#define FOR_MAX_MS (7 * 24 * 3600 * 1000)

/* NULL: it is not there, or no text; then with a problem. */
static const char *
read_text(struct request *r, const json_t *body, const char *member)
{
	const json_t *j = json_object_get(body, member);

	if (j == NULL || json_is_string(j))
		return json_string_value(j);
	diag_add(&r->diag, DIAG_INVALID, member, "must be a string");
	return NULL;
}

static void
read_span(struct request *r, const json_t *body, uint64_t *ms)
{
	const char *text = read_text(r, body, "for");

	*ms = FOR_MS;
	if (text != NULL &&
	    (duration_parse(text, ms) < 0 || *ms < FOR_MIN_MS || *ms > FOR_MAX_MS)) {
		diag_add(&r->diag, DIAG_INVALID, "for", "must be a duration");
		diag_detail(&r->diag, text, "1s..168h");
	}
}

void
rest_node_token(struct request *r)
{
	static const char *const members[] = { "for", "server", "dir", NULL };
	char name[KIND_NAME_SIZE];
	json_t *body;

	if (edit_target(r, name) < 0 || (body = request_json(r)) == NULL)
		return;
	if (request_members(r, body, "", members) == 0) {
		struct control_invitation i = { .name = name };

		read_span(r, body, &i.for_ms);
		i.server = read_text(r, body, "server");
		i.dir = read_text(r, body, "dir");
		if (!diag_failed(&r->diag))
			request_reply(r, 200, control_invite(r->control, &i, &r->diag));
	}
	json_decref(body);
}
