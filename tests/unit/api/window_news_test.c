/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/window_news.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/event.h"
#include "base/agenda.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rand.h"

#define DAY INT64_C(1764547200000) /* 2025-12-01T00:00:00Z */
#define S   1000

static const char *objects[] = { "pool/dc-a", "address/dc-b-1", "pool/p3", "pool/p4", "pool/p5",
	"pool/p6" };

static struct maintenance_spec
spec(int64_t starts_s, int64_t ends_s, uint32_t every_s)
{
	return (struct maintenance_spec){ .objects = { objects, 2 },
		.state = MAINTENANCE_DRAIN,
		.starts_ms = DAY + starts_s * S,
		.ends_ms = DAY + ends_s * S,
		.every_ms = every_s * S,
		.reason = "patches" };
}

static void
edit(const struct maintenance_spec *was, const struct maintenance_spec *is, struct window_told *t,
    int64_t now_s, json_t *out)
{
	const struct window_edit e = { .name = "w", .author = "eve", .was = was, .is = is };

	window_news_edit(&e, t, DAY + now_s * S, out);
}

/* "began@10 ended@20 ": kinds and times; empties `out`. */
static const char *
story(json_t *out)
{
	static char text[4096];
	const json_t *e;
	size_t i, len = 0;

	text[0] = '\0';
	json_array_foreach(out, i, e)
	{
		int64_t at;

		assert_int_equal(clock_parse(json_string_value(json_object_get(e, "at")), &at), 0);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s@%lld ",
		    strchr(json_string_value(json_object_get(e, "kind")), '.') + 1,
		    (long long)(at - DAY) / S);
		assert_true(len < sizeof(text));
	}
	json_array_clear(out);
	return text;
}

static const char *
last_text(const json_t *out)
{
	return json_string_value(
	    json_object_get(json_array_get(out, json_array_size(out) - 1), "text"));
}

/* As another process has it, from the last event of `out`, if that says anything. */
static void
restart(const json_t *out, struct window_told *t)
{
	struct window_told again = { .open = !t->open };
	struct store_event e;

	if (json_array_size(out) == 0)
		return;
	event_decode(json_array_get(out, json_array_size(out) - 1), &e);
	assert_true(window_news_recall(&e, &again));
	free((char *)(uintptr_t)e.data);
	assert_int_equal(again.open, t->open);
	if (t->open)
		assert_true(again.span.starts_ms == t->span.starts_ms &&
			    again.span.ends_ms == t->span.ends_ms);
	*t = again;
}

static void
test_a_window_from_plan_to_end(void **state)
{
	const struct maintenance_spec s = spec(10, 20, 0);
	struct window_told t = { .open = false };
	json_t *out = json_array();

	(void)state;
	edit(NULL, &s, &t, 1, out);
	assert_string_equal(last_text(out),
	    "maintenance 'w' is planned by eve from 2025-12-01T00:00:10.000Z until "
	    "2025-12-01T00:00:20.000Z: 'drain' on pool 'dc-a', address 'dc-b-1': patches");
	assert_string_equal(story(out), "planned@1 ");
	assert_true(window_news_due(&s, &t) == DAY + 10 * S);
	window_news_pass("w", &s, &t, DAY + 9999, out);
	assert_string_equal(story(out), "");
	window_news_pass("w", &s, &t, DAY + 10 * S, out);
	assert_string_equal(last_text(out),
	    "maintenance 'w' has begun: 'drain' on pool 'dc-a', address 'dc-b-1' until "
	    "2025-12-01T00:00:20.000Z: patches");

	const json_t *e = json_array_get(out, 0), *data = json_object_get(e, "data");

	assert_string_equal(json_string_value(json_object_get(e, "severity")), "warning");
	assert_string_equal(
	    json_string_value(json_object_get(json_object_get(e, "object"), "kind")),
	    "maintenance");
	assert_int_equal(json_array_size(json_object_get(data, "objects")), 2);
	assert_string_equal(json_string_value(json_object_get(data, "state")), "drain");
	assert_string_equal(story(out), "began@10 ");
	assert_true(window_news_due(&s, &t) == DAY + 20 * S);
	window_news_pass("w", &s, &t, DAY + 25 * S, out);
	assert_string_equal(last_text(out),
	    "maintenance 'w' has ended: no more 'drain' on pool 'dc-a', address 'dc-b-1': patches");
	assert_string_equal(story(out), "ended@20 ");
	assert_true(window_news_due(&s, &t) == AGENDA_NEVER);
	edit(&s, NULL, &t, 30, out);
	assert_string_equal(story(out), ""); /* it is over: its deletion is no news */
	json_decref(out);
}

static void
test_again_and_again(void **state)
{
	const struct maintenance_spec s = spec(10, 20, 30);
	struct window_told t = { .open = false };
	json_t *out = json_array();

	(void)state;
	edit(NULL, &s, &t, 15, out); /* it is open at once */
	assert_non_null(strstr(last_text(out), "has begun, put by eve: "));
	assert_string_equal(story(out), "began@15 ");
	window_news_pass("w", &s, &t, DAY + 85 * S, out);
	assert_string_equal(story(out), "ended@20 began@40 ended@50 began@70 ended@80 ");
	assert_true(window_news_due(&s, &t) == DAY + 100 * S);
	edit(&s, NULL, &t, 90, out);
	assert_string_equal(story(out), "cancelled@90 ");
	json_decref(out);
}

/* Who was away for long is told of the latest, and how many went before. */
static void
test_what_is_late(void **state)
{
	const struct maintenance_spec s = spec(10, 20, 30);
	struct window_told t = { .open = false, .upto_ms = DAY };
	json_t *out = json_array();

	(void)state;
	window_news_pass("w", &s, &t, DAY + (10 + 30 * 1000) * S, out);
	assert_int_equal(json_array_size(out), 2 * WINDOW_NEWS_LATE_MAX - 1);

	const char *first = json_string_value(json_object_get(json_array_get(out, 0), "text"));

	assert_non_null(strstr(first, "(901 earlier times passed untold)"));
	assert_true(t.open && t.span.starts_ms == DAY + (10 + 30 * 1000) * S);
	json_decref(out);
}

static void
test_edits(void **state)
{
	const struct maintenance_spec s = spec(10, 20, 0), longer = spec(10, 30, 0),
				      later = spec(50, 60, 0), over = spec(1, 2, 0);
	struct maintenance_spec other = spec(10, 20, 0), labelled = spec(10, 20, 0);
	struct window_told t = { .open = false };
	json_t *out = json_array();

	(void)state;
	edit(NULL, &s, &t, 1, out);
	edit(&s, &labelled, &t, 2, out); /* nothing that matters */
	edit(&s, &later, &t, 3, out);
	edit(&later, &over, &t, 4, out);
	edit(&over, &s, &t, 5, out);
	edit(&s, NULL, &t, 6, out);
	assert_string_equal(story(out), "planned@1 planned@3 cancelled@4 planned@5 cancelled@6 ");

	edit(NULL, &s, &t, 11, out);
	edit(&s, &labelled, &t, 12, out);
	edit(&s, &longer, &t, 13, out);
	assert_non_null(strstr(last_text(out), "goes on, changed by eve: "));
	assert_non_null(strstr(last_text(out), "until 2025-12-01T00:00:30.000Z: patches"));
	other.state = MAINTENANCE_HOLD;
	edit(&longer, &other, &t, 14, out);
	assert_non_null(strstr(last_text(out), "'hold' on pool 'dc-a'"));
	other.reason = "racks";
	edit(&s, &other, &t, 14, out);
	other.objects.count = 6;
	edit(&s, &other, &t, 15, out);
	assert_non_null(strstr(last_text(out), "'hold' on pool 'dc-a', address 'dc-b-1', pool "
					       "'p3', pool 'p4' and 2 more until"));
	edit(&other, &later, &t, 16, out);
	assert_non_null(strstr(last_text(out),
	    "maintenance 'w' was cut short by eve before its end at 2025-12-01T00:00:20.000Z: no "
	    "more 'hold' on "));
	assert_non_null(strstr(last_text(out), "; it begins again at 2025-12-01T00:00:50.000Z"));
	assert_true(json_is_true(json_object_get(
	    json_object_get(json_array_get(out, json_array_size(out) - 1), "data"), "early")));
	assert_string_equal(
	    story(out), "began@11 changed@13 changed@14 changed@14 changed@15 ended@16 ");
	window_news_pass("w", &later, &t, DAY + 55 * S, out);
	edit(&later, NULL, &t, 56, out);
	assert_non_null(strstr(last_text(out), "was deleted by eve before its end at"));
	assert_string_equal(story(out), "began@50 ended@56 ");
	json_decref(out);
}

static void
test_a_clock_that_is_set_back(void **state)
{
	const struct maintenance_spec s = spec(10, 20, 0);
	struct window_told t = { .open = false, .upto_ms = DAY };
	json_t *out = json_array();

	(void)state;
	window_news_pass("w", &s, &t, DAY + 10 * S, out);
	window_news_pass("w", &s, &t, DAY + 5 * S, out);
	edit(&s, &s, &t, 5, out);
	window_news_pass("w", &s, &t, DAY + 11 * S, out);
	window_news_pass("w", &s, &t, DAY + 21 * S, out);
	window_news_pass("w", &s, &t, DAY + 5 * S, out);
	window_news_pass("w", &s, &t, DAY + 22 * S, out);
	assert_string_equal(story(out), "began@10 ended@20 ");
	json_decref(out);
}

static void
test_other_events_say_nothing(void **state)
{
	struct window_told t;
	const struct store_event others[] = {
		{ .kind = "maintenance.began", .data = NULL },
		{ .kind = "maintenance.began", .data = "{}" },
		{ .kind = "maintenance.began", .data = "{\"starts\":1,\"ends\":2}" },
		{ .kind = "pool.down",
		    .data =
			"{\"starts\":\"2025-12-01T00:00:00Z\",\"ends\":\"2025-12-01T00:00:00Z\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(window_news_recall(&others[i], &t));
}

/* The slow, obvious definition: each second, is it open? */
static bool
is_open(const struct maintenance_spec *s, int64_t now_s)
{
	for (int64_t at = s->starts_ms; at <= DAY + now_s * S; at += s->every_ms) {
		if (DAY + now_s * S < at + s->ends_ms - s->starts_ms)
			return true;
		if (s->every_ms == 0)
			break;
	}
	return false;
}

/* Whenever somebody looks, and whenever a process ends, each begin and end is told once. */
static void
test_random(void **state)
{
	struct rand_state dice;

	(void)state;
	rand_seed(&dice, 5);
	for (int round = 0; round < 3000; round++) {
		const int64_t starts = (int64_t)rand_below(&dice, 40),
			      len = 1 + (int64_t)rand_below(&dice, 10);
		/* Not one right after the other: a second would not tell them apart. */
		const struct maintenance_spec s = spec(starts, starts + len,
		    rand_below(&dice, 3) ? (uint32_t)(len + 1 + rand_below(&dice, 20)) : 0);
		struct window_told t = { .open = false, .upto_ms = DAY - S };
		json_t *out = json_array();
		char want[4096] = "";
		int64_t looked = 0;

		for (int64_t now = 0, was = false; now < 100; now++) {
			const bool is = is_open(&s, now);

			if (is != was)
				snprintf(want + strlen(want), sizeof(want) - strlen(want),
				    "%s@%lld ", is ? "began" : "ended", (long long)now);
			was = is;
			if (rand_below(&dice, 8) > 0 && now < 99)
				continue;
			window_news_pass("w", &s, &t, DAY + now * S, out);
			if (rand_below(&dice, 3) == 0)
				restart(out, &t);
			looked = now;
		}
		assert_int_equal(looked, 99);
		assert_string_equal(story(out), want);
		json_decref(out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_window_from_plan_to_end),
		cmocka_unit_test(test_again_and_again),
		cmocka_unit_test(test_what_is_late),
		cmocka_unit_test(test_edits),
		cmocka_unit_test(test_a_clock_that_is_set_back),
		cmocka_unit_test(test_other_events_say_nothing),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
