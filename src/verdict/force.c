/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verdict/force.h"

bool
force_span(const struct force_window *w, int64_t now_ms, struct force_span *out)
{
	int64_t past_ms = 0; /* start of the one in question, after the first */

	if (now_ms >= w->ends_ms && w->every_ms > 0)
		past_ms = ((now_ms - w->ends_ms) / w->every_ms + 1) * w->every_ms;
	out->starts_ms = w->starts_ms + past_ms;
	out->ends_ms = w->ends_ms + past_ms;
	return now_ms < out->ends_ms;
}

/* Is it open; if so until when, else when does it open (INT64_MAX: never again)? */
static bool
is_open(const struct force_window *w, int64_t now_ms, int64_t *turn_ms)
{
	struct force_span span;
	const bool has = force_span(w, now_ms, &span), open = has && span.starts_ms <= now_ms;

	*turn_ms = open ? span.ends_ms : has ? span.starts_ms : INT64_MAX;
	return open;
}

struct force_verdict
force_at(
    const struct force_override *o, const struct force_window *windows, size_t n, int64_t now_ms)
{
	struct force_verdict v = {
		.by = FORCE_BY_OVERRIDE, .until_ms = INT64_MAX, .next_ms = INT64_MAX
	};
	int64_t turn_ms;

	if (o->force != FORCE_NONE && now_ms < o->until_ms)
		return (struct force_verdict){ .force = o->force,
			.by = FORCE_BY_OVERRIDE,
			.until_ms = o->until_ms,
			.next_ms = o->until_ms };
	for (size_t i = 0; i < n; i++) {
		/* The words of the enum are in the order of caution. */
		if (is_open(&windows[i], now_ms, &turn_ms) && windows[i].force > v.force) {
			v.force = windows[i].force;
			v.by = (int)i;
			v.until_ms = turn_ms;
		}
		v.next_ms = turn_ms < v.next_ms ? turn_ms : v.next_ms;
	}
	return v;
}
