/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/history.h"

#include <stdio.h>

#include "base/clock.h"

void
history_add(struct history *h, const struct observation *o)
{
	h->ring[h->count++ % HISTORY_MAX] = *o;
}

static json_t *
phase_json(uint32_t us)
{
	return us == 0 ? json_null() : json_real(us / 1000.0);
}

static json_t *
observation_json(const struct observation *o)
{
	char at[CLOCK_TEXT_SIZE], status[32];
	const char *text = o->text;

	if (o->status != 0 && o->text[0] == '\0') {
		snprintf(status, sizeof(status), "status %u", o->status);
		text = status;
	}
	return json_pack("{s:s, s:b, s:s, s:o, s:o, s:o, s:o, s:s}", "at", clock_text(o->at_ms, at),
	    "passed", o->passed, "cause", o->cause, "connect", phase_json(o->connect_us), "tls",
	    phase_json(o->tls_us), "first_byte", phase_json(o->first_byte_us), "total",
	    phase_json(o->total_us), "text", text);
}

json_t *
history_json(const struct history *h)
{
	const uint64_t n = h->count < HISTORY_MAX ? h->count : HISTORY_MAX;
	json_t *list = json_array();

	for (uint64_t i = 1; i <= n; i++)
		json_array_append_new(
		    list, observation_json(&h->ring[(h->count - i) % HISTORY_MAX]));
	return list;
}
