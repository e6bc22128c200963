/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/recount.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/json_out.h"
#include "base/mem.h"

#define APPLIED "config.applied"

struct store_event
recount_event(
    uint64_t revision, int64_t at_ms, const char *author, const char *summary, bool applied)
{
	struct json_out o;
	struct buf data;
	size_t len;

	buf_init(&data, SIZE_MAX);
	json_out_init(&o, &data);
	json_out_open(&o, NULL, '{');
	json_out_number(&o, "revision", (int64_t)revision);
	json_out_text(&o, "author", author != NULL ? author : "");
	json_out_json(&o, "applied", applied ? "true" : "false");
	json_out_close(&o, '}');
	buf_put_u8(&data, '\0');
	return (struct store_event){ .at_ms = at_ms,
		.kind = APPLIED,
		.severity = "info",
		.text = summary != NULL ? summary : "",
		.data = (const char *)buf_take(&data, &len) };
}

static int
read_revision(const struct store_event *e, void *revision)
{
	json_t *data = json_loads(e->data, 0, NULL);

	*(uint64_t *)revision = (uint64_t)json_integer_value(json_object_get(data, "revision"));
	json_decref(data);
	return 1;
}

struct missing {
	uint64_t told; /* up to here */
	struct store_event *events;
	size_t count;
};

/* Newest first. What is not known to be served will be: the engine gets it when it comes. */
static int
collect(const struct store_audit_entry *a, void *arg)
{
	struct missing *m = arg;

	if (a->revision <= m->told)
		return 1;
	m->events[m->count++] =
	    recount_event(a->revision, a->at_ms, a->author, xstrdup(a->summary), false);
	return 0;
}

void
recount_changes(struct store *store, struct scribe *scribe)
{
	const struct store_event_filter newest = {
		.kind = APPLIED, .newest_first = true, .limit = 1
	};
	struct missing m = { .told = 0 };

	/* Without any there is nothing to go on from. */
	if (store_events(store, &newest, read_revision, &m.told) != 1 ||
	    m.told >= store_revision(store))
		return;
	m.events = xcalloc(RECOUNT_MAX, sizeof(*m.events));
	if (store_audit(store, 0, RECOUNT_MAX, collect, &m) >= 0)
		for (size_t i = m.count; i-- > 0;)
			scribe_note(scribe, &m.events[i]);
	for (size_t i = 0; i < m.count; i++) {
		free((char *)(uintptr_t)m.events[i].text);
		free((char *)(uintptr_t)m.events[i].data);
	}
	free(m.events);
}
