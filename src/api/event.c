/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/event.h"

#include <stdlib.h>
#include <string.h>

#include "api/hub.h"
#include "api/stream.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/json_out.h"

static const char *
text_or(const json_t *object, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : otherwise;
}

/* RFC 3339 text or milliseconds; else now. */
static int64_t
time_of(const json_t *at)
{
	int64_t ms;

	if (json_is_integer(at))
		return json_integer_value(at);
	if (json_is_string(at) && clock_parse(json_string_value(at), &ms) == 0)
		return ms;
	return clock_real_ms();
}

void
event_decode(const json_t *j, struct store_event *e)
{
	const json_t *object = json_object_get(j, "object"), *data = json_object_get(j, "data");
	const char *kind = text_or(object, "kind", NULL), *name = text_or(object, "name", NULL);

	*e = (struct store_event){
		.at_ms = time_of(json_object_get(j, "at")),
		.kind = text_or(j, "kind", "unknown"),
		.object_kind = name != NULL ? kind : NULL,
		.object_name = kind != NULL ? name : NULL,
		.severity = text_or(j, "severity", "info"),
		.text = text_or(j, "text", ""),
		.data = data != NULL ? json_text(data) : NULL,
	};
}

json_t *
event_encode(const struct store_event *e)
{
	char at[CLOCK_TEXT_SIZE];
	json_t *j = json_pack("{s:I, s:s, s:s, s:s, s:s}", "id", (json_int_t)e->id, "at",
	    clock_text(e->at_ms, at), "kind", e->kind, "severity", e->severity, "text", e->text);

	CHECK(j != NULL);
	if (e->object_kind != NULL)
		json_object_set_new(j, "object",
		    json_pack("{s:s, s:s}", "kind", e->object_kind, "name", e->object_name));
	if (e->data != NULL)
		json_object_set_new(j, "data", json_loads(e->data, JSON_DECODE_ANY, NULL));
	return j;
}

unsigned
event_topic(const char *kind)
{
	return strncmp(kind, "config.", 7) == 0 ? HUB_CONFIG : HUB_EVENTS;
}

/* As event_encode. */
static void
write_event(const struct store_event *e, struct buf *out)
{
	char at[CLOCK_TEXT_SIZE];
	struct json_out o;

	json_out_init(&o, out);
	json_out_open(&o, NULL, '{');
	json_out_number(&o, "id", (int64_t)e->id);
	json_out_text(&o, "at", clock_text(e->at_ms, at));
	json_out_text(&o, "kind", e->kind);
	json_out_text(&o, "severity", e->severity);
	json_out_text(&o, "text", e->text);
	if (e->object_kind != NULL) {
		json_out_open(&o, "object", '{');
		json_out_text(&o, "kind", e->object_kind);
		json_out_text(&o, "name", e->object_name);
		json_out_close(&o, '}');
	}
	if (e->data != NULL)
		json_out_json(&o, "data", e->data);
	json_out_close(&o, '}');
}

char *
event_frame(const struct store_event *e)
{
	struct buf text;
	char *frame;

	buf_init(&text, SIZE_MAX);
	write_event(e, &text);
	frame = stream_frame(
	    event_topic(e->kind) == HUB_CONFIG ? "config" : "event", e->id, buf_str(&text));
	buf_fini(&text);
	return frame;
}
