/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What happened: events, audit, and the live stream. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/event.h"
#include "api/hub.h"
#include "api/rest.h"
#include "api/stream.h"
#include "base/clock.h"
#include "model/kind.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     10000

static int
collect_event(const struct store_event *e, void *items)
{
	json_array_append_new(items, event_encode(e));
	return 0;
}

static int
collect_before(const struct store_event *e, void *items)
{
	json_array_insert_new(items, 0, event_encode(e));
	return 0;
}

/* "pool/dc-a" or "domain/www.example.com/A": kind, slash, name. */
static int
split_object(struct request *r, struct store_event_filter *f)
{
	const char *object = request_query(r, "object");
	const char *slash = object != NULL ? strchr(object, '/') : NULL;

	if (object == NULL)
		return 0;
	if (slash == NULL || slash == object) {
		request_refuse(r, 400, DIAG_INVALID, "object", "must be kind/name");
		diag_detail(&r->diag, object, "\"pool/dc-a\"");
		return -EINVAL;
	}
	f->object_kind = arena_strndup(&r->arena, object, (size_t)(slash - object));
	f->object_name = slash + 1;
	return 0;
}

static void
reply_items(struct request *r, int rc, json_t *items)
{
	if (rc < 0)
		diag_add(&r->diag, DIAG_UNAVAILABLE, "", "the store cannot be read");
	request_reply(r, 200, json_pack("{s:o}", "items", items));
}

void
rest_events(struct request *r)
{
	struct store_event_filter f = { .kind = request_query(r, "kind") };
	uint64_t limit;

	if (split_object(r, &f) < 0 || request_number(r, "since", 0, INT64_MAX, &f.since_id) < 0 ||
	    request_number(r, "before", 0, INT64_MAX, &f.before_id) < 0 ||
	    request_number(r, "limit", LIMIT_DEFAULT, LIMIT_MAX, &limit) < 0)
		return;

	json_t *items = json_array();

	control_flush(r->control);
	/* Whoever follows asks from where he is; whoever looks wants the latest. Both read down. */
	f.newest_first = request_query(r, "since") == NULL;
	f.limit = limit > 0 ? (size_t)limit : 1;
	reply_items(r,
	    store_events(control_store(r->control), &f,
		f.newest_first ? collect_before : collect_event, items),
	    items);
}

static int
collect_audit(const struct store_audit_entry *e, void *items)
{
	char at[CLOCK_TEXT_SIZE];

	json_array_append_new(
	    items, json_pack("{s:I, s:s, s:s?, s:s?, s:s?}", "revision", (json_int_t)e->revision,
		       "at", clock_text(e->at_ms, at), "author", e->author, "summary", e->summary,
		       "diff", e->diff));
	return 0;
}

void
rest_audit(struct request *r)
{
	uint64_t before, limit;

	if (request_number(r, "before", 0, INT64_MAX, &before) < 0 ||
	    request_number(r, "limit", LIMIT_DEFAULT, LIMIT_MAX, &limit) < 0)
		return;

	json_t *items = json_array();

	reply_items(r,
	    store_audit(control_store(r->control), before, (size_t)limit, collect_audit, items),
	    items);
}

static const struct {
	const char *word;
	unsigned topic;
} topics[] = { { "health", HUB_HEALTH }, { "events", HUB_EVENTS }, { "config", HUB_CONFIG } };

static int
parse_topics(struct request *r, unsigned *out)
{
	const char *at = request_query(r, "topics");

	*out = at == NULL ? HUB_ALL : 0;
	while (at != NULL && *at != '\0') {
		const size_t len = strcspn(at, ",");
		unsigned topic = 0;

		for (size_t i = 0; i < ARRAY_LEN(topics); i++)
			if (strlen(topics[i].word) == len && memcmp(topics[i].word, at, len) == 0)
				topic = topics[i].topic;
		if (topic == 0) {
			request_refuse(r, 400, DIAG_INVALID, "topics", "is not a topic");
			diag_detail(
			    &r->diag, arena_strndup(&r->arena, at, len), "health, events, config");
			return -EINVAL;
		}
		*out |= topic;
		at += len + (at[len] == ',');
	}
	return 0;
}

void
rest_stream(struct request *r)
{
	const char *last = request_header(r, "Last-Event-ID");
	unsigned wanted;

	if (last == NULL)
		last = request_query(r, "since");
	if (parse_topics(r, &wanted) == 0)
		stream_open(r->streams, r, wanted, last != NULL ? strtoull(last, NULL, 10) : 0,
		    last != NULL);
}
