/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/explain.h"

#include "cli/kinds.h"
#include "cli/table.h"

#define BAR_WIDTH 20

static void
write_answer(struct buf *b, const json_t *reply, bool colour, struct arena *a)
{
	buf_printf(
	    b, "%sanswer%s      ", term_on(colour, STYLE_BOLD), term_off(colour, STYLE_BOLD));
	term_clean(b, kinds_text(kinds_at(reply, "answer.rdata"), a));
	buf_printf(b, "  (%s, TTL %s)\n", kinds_text(kinds_at(reply, "answer.rcode"), a),
	    kinds_text(kinds_at(reply, "answer.ttl"), a));
	buf_printf(b, "from        %s\n",
	    json_is_true(json_object_get(reply, "steered")) ||
		    json_object_get(reply, "steered") == NULL
		? "the access domain"
	    : json_is_true(json_object_get(reply, "lined")) ? "the zone, by line"
							    : "the zone");
	buf_printf(b, "line        %s\nECS scope   /%s\n",
	    kinds_text(json_object_get(reply, "line"), a),
	    kinds_text(json_object_get(reply, "scope"), a));
	if (json_is_string(json_object_get(reply, "fallback")))
		buf_printf(b, "%sfallback    %s%s\n", term_on(colour, STYLE_BAD),
		    kinds_text(json_object_get(reply, "fallback"), a), term_off(colour, STYLE_BAD));
}

static const char *
share_text(double share, struct arena *a)
{
	struct buf b;

	buf_init(&b, 256);
	term_bar(&b, share, BAR_WIDTH);
	const char *text = arena_printf(a, "%s %5.1f %%", buf_str(&b), share * 100);

	buf_fini(&b);
	return text;
}

/* Why it gets nothing, or gets something whatever its health; "" if nothing is to be said. */
static const char *
because_text(const json_t *candidate)
{
	const char *text = json_string_value(json_object_get(candidate, "because"));

	return text != NULL ? text : "";
}

static bool
any_because(const json_t *candidates)
{
	const json_t *c;
	size_t i;

	json_array_foreach(candidates, i, c)
	{
		if (*because_text(c) != '\0')
			return true;
	}
	return false;
}

static void
write_candidates(struct buf *b, const json_t *reply, bool colour, struct arena *a)
{
	const json_t *list = json_object_get(reply, "candidates"), *c;
	const json_t *draws = json_object_get(reply, "draws");
	const bool lined = json_is_true(json_object_get(reply, "lined"));
	const bool drawn = json_is_object(draws), because = any_because(list);
	struct table t;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	table_init(&t, 5 + drawn + because);
	t.right = drawn ? 1u << 5 : 0;
	table_head(&t, lined ? "LINE" : "POOL");
	table_head(&t, lined ? "WEIGHT" : "ADDRESS");
	table_head(&t, "VALUE");
	table_head(&t, "STATE");
	table_head(&t, "PROBABILITY");
	if (drawn)
		table_head(&t, "DRAWN");
	if (because)
		table_head(&t, "WHY");
	json_array_foreach(list, i, c)
	{
		const char *state = kinds_text(json_object_get(c, "state"), a);
		const char *value = kinds_text(json_object_get(c, "value"), a);
		const json_t *n = json_object_get(draws, value);

		table_cell(
		    &t, STYLE_PLAIN, kinds_text(json_object_get(c, lined ? "line" : "pool"), a));
		table_cell(&t, STYLE_PLAIN,
		    kinds_text(json_object_get(c, lined ? "weight" : "address"), a));
		table_cell(&t, STYLE_PLAIN, value);
		table_cell(&t, term_state_style(state), state);
		table_cell(&t, STYLE_PLAIN,
		    share_text(json_number_value(json_object_get(c, "probability")), a));
		if (drawn)
			table_cell(&t, STYLE_PLAIN, n != NULL ? kinds_text(n, a) : "0");
		if (because)
			table_cell(&t, STYLE_PLAIN, because_text(c));
	}
	buf_puts(b, "\n");
	table_write(&t, b, colour, "");
	table_fini(&t);
}

static void
write_decision(struct buf *b, const json_t *reply, bool colour, struct arena *a)
{
	const json_t *list = json_object_get(reply, "decision"), *step;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	buf_printf(b, "\n%swhy%s\n", term_on(colour, STYLE_BOLD), term_off(colour, STYLE_BOLD));
	json_array_foreach(list, i, step)
	{
		buf_printf(b, "%3zu. ", i + 1);
		term_clean(b, kinds_text(json_object_get(step, "step"), a));
		buf_puts(b, ": ");
		term_clean(b, kinds_text(json_object_get(step, "text"), a));
		buf_puts(b, "\n");
	}
}

void
explain_write(struct buf *b, const json_t *reply, bool colour)
{
	struct arena a;

	arena_init(&a);
	write_answer(b, reply, colour, &a);
	write_candidates(b, reply, colour, &a);
	write_decision(b, reply, colour, &a);
	arena_fini(&a);
}
