/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verdict/track.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

const char *const track_words[] = {
	[FLAP_UNKNOWN] = "unknown",
	[FLAP_UP] = "up",
	[FLAP_DOWN] = "down",
};

void
track_fini(struct track *t)
{
	free(t->edges);
	*t = (struct track){ 0 };
}

void
track_add(struct track *t, enum flap_verdict v, const char *cause, int64_t at_ms)
{
	if (t->count == t->cap && t->cap < TRACK_MAX) {
		t->cap = t->cap == 0 ? 2 : (uint8_t)(2 * t->cap);
		t->edges = xrealloc(t->edges, t->cap * sizeof(*t->edges));
		t->next = t->count;
	}
	t->edges[t->next] = (struct track_edge){ at_ms, cause, (uint8_t)v };
	t->next = (uint8_t)((t->next + 1) % TRACK_MAX);
	if (t->count < t->cap)
		t->count++;
}

const struct track_edge *
track_last(const struct track *t)
{
	return t->count == 0 ? NULL : &t->edges[(t->next + TRACK_MAX - 1) % TRACK_MAX];
}

json_t *
track_json(const struct track *t)
{
	json_t *list = json_array();
	char at[CLOCK_TEXT_SIZE];

	for (unsigned i = 1; i <= t->count; i++) {
		const struct track_edge *e = &t->edges[(t->next + TRACK_MAX - i) % TRACK_MAX];

		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:s}", "at", clock_text(e->at_ms, at), "verdict",
			      track_words[e->verdict], "cause", e->cause));
	}
	return list;
}
