/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plot.h"

static const struct plot three = { .n_sites = 3, .weights = { 3, 2, 1 }, .domain = "'ttl': 60" };

#define NUMBER(r, path) plot_number(r, path)

/* Many equal resolvers that honour TTLs: clients follow the weights, and answers exactly. */
static void
test_no_skew(void **state)
{
	static const double wanted[] = { 0.5, 2 / 6.0, 1 / 6.0 };
	json_t *r = plot_run(&three,
	    "'resolvers': {'count': 3000, 'skew': 0, 'rate': 3000, 'whole_seconds': false}");
	char path[64];

	(void)state;
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "members[%d].desired", i);
		assert_true(fabs(NUMBER(r, path) - wanted[i]) < 1e-9);
		snprintf(path, sizeof(path), "members[%d].clients", i);
		assert_true(fabs(NUMBER(r, path) - wanted[i]) < 0.005);
		snprintf(path, sizeof(path), "members[%d].answers", i);
		assert_true(fabs(NUMBER(r, path) - wanted[i]) < 0.0005);
	}
	assert_true(NUMBER(r, "load.stddev") < 0.012);
	/* Every client is somebody's: 3000 a second for 50 minutes, within five sigma. */
	assert_true(fabs(NUMBER(r, "clients") - 9e6) < 5 * 3000);
	/* A resolver asks once per TTL and idle second: 1/61 a second each. */
	assert_true(fabs(NUMBER(r, "queries") / (3000.0 * 3000 / 61) - 1) < 0.01);
	json_decref(r);
}

/* The result of Colajanni, Yu and Cardellini: with skewed resolvers plain weights miss the target.
 */
static void
test_skew_misses(void **state)
{
	double last = 0;

	(void)state;
	for (int skew = 0; skew <= 12; skew += 4) {
		json_t *r =
		    plot_run(&three, "'resolvers': {'count': 1000, 'skew': %g}", skew / 10.0);
		const double stddev = NUMBER(r, "load.stddev");

		assert_true(stddev > last);
		last = stddev;
		json_decref(r);
	}
	assert_true(last > 0.08);
}

static double
stddev_of(const char *balance, const char *more)
{
	json_t *r = plot_run(
	    &three, "'balance': '%s', 'duration': '3h', 'warm_up': '90m', %s", balance, more);
	const double stddev = NUMBER(r, "load.stddev");

	json_decref(r);
	return stddev;
}

/* The table of docs/guide/simulate.md, with wide margins. */
static void
test_remedy(void **state)
{
	static const char *const worlds[] = {
		"'ttl': 60, 'resolvers': {'skew': 0.8}",
		"'ttl': 60, 'resolvers': {'skew': 1.0}",
		"'ttl': 30, 'resolvers': {'skew': 1.2}",
		"'ttl': 300, 'ttl_min': 10, 'resolvers': {'skew': 1.0}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(worlds) / sizeof(worlds[0]); i++)
		assert_true(
		    stddev_of("traffic", worlds[i]) < stddev_of("answers", worlds[i]) / 2.5);
	/* Where nobody is heavy it does no harm. */
	assert_true(stddev_of("traffic", "'ttl': 60, 'resolvers': {'skew': 0}") < 0.006);
}

/* As it is in the field: some stretch, some cap, some are farms, some send ECS. */
static void
test_remedy_in_the_field(void **state)
{
	static const char mixed[] =
	    "'ttl': 60, 'resolvers': {'skew': 1.0, 'caches': 2, 'ecs': 10, 'subnets': 4, 'ttl': ["
	    "{'share': 80}, {'mode': 'stretch', 'time': '5m', 'share': 10}, "
	    "{'mode': 'cap', 'time': '30s', 'share': 10}]}";

	(void)state;
	assert_true(stddev_of("traffic", mixed) < stddev_of("answers", mixed) / 1.5);
}

/* When everybody honours the TTL, it is over after detection and one TTL. */
static void
test_drain(void **state)
{
	(void)state;
	for (int ttl = 30; ttl <= 120; ttl *= 2) {
		json_t *r = plot_run(&three,
		    "'ttl': %d, 'resolvers': {'count': 2000, 'skew': 0, 'rate': 20000},"
		    "'failures': [{'address': 'a1', 'down': '20m', 'up': '30m'}]",
		    ttl);
		const double detected = NUMBER(r, "failures[0].detected");
		const double p50 = NUMBER(r, "failures[0].drained.p50");
		const double p99 = NUMBER(r, "failures[0].drained.p99");

		/* Interval 1 s, recheck 200 ms, two failures of 500 ms. */
		assert_true(detected > 1.0 && detected < 2.3);
		assert_true(fabs(NUMBER(r, "failures[0].clients") - 0.5) < 0.03);
		/* Expiries are spread evenly over the TTL. */
		assert_true(fabs(p50 - detected - ttl / 2.0) < 0.1 * ttl + 1);
		assert_true(p99 <= ceil(detected) + ttl + 1 && p99 >= detected + 0.9 * ttl);
		/* A point of the curve is the mean of five seconds. */
		assert_true(NUMBER(r, "failures[0].curve[0][1]") < 0.53);
		assert_true(NUMBER(r, "failures[0].curve[0][1]") > 0.45 - 1.5 / ttl);
		json_decref(r);
	}
}

/* Who stretches to five minutes is there for five minutes. */
static void
test_stretch(void **state)
{
	json_t *r = plot_run(&three,
	    "'ttl': 10, 'resolvers': {'count': 1000, 'skew': 0, 'rate': 20000,"
	    "  'ttl': [{'share': 4}, {'mode': 'stretch', 'time': '5m', 'share': 1}]},"
	    "'failures': [{'address': 'a2', 'down': '20m'}]");

	(void)state;
	/* A fifth of the clients is behind those. */
	assert_true(NUMBER(r, "failures[0].drained.p50") < 15);
	assert_true(NUMBER(r, "failures[0].drained.p90") > 60);
	assert_true(NUMBER(r, "failures[0].drained.p99") > 240);
	assert_true(NUMBER(r, "failures[0].drained.p99") < 304);
	json_decref(r);
}

/* Nothing probes it, nothing sees it die. */
static void
test_unchecked(void **state)
{
	const struct plot blind = { .n_sites = 2, .weights = { 1, 1 }, .unchecked = true };
	json_t *r = plot_run(
	    &blind, "'resolvers': {'skew': 0}, 'failures': [{'address': 'a1', 'down': '20m'}]");

	(void)state;
	assert_true(NUMBER(r, "failures[0].detected") < 0);
	assert_true(NUMBER(r, "failures[0].drained.p50") < 0);
	assert_true(fabs(NUMBER(r, "members[0].clients") - 0.5) < 0.02);
	json_decref(r);
}

static void
test_repeatable(void **state)
{
	static const char request[] =
	    "'seed': %d, 'resolvers': {'ecs': 20}, 'failures': [{'address': 'a1', 'down': '20m'}]";
	char *text[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		json_t *r = plot_run(&three, request, i < 2 ? 5 : 6);

		text[i] = json_text(r);
		json_decref(r);
	}
	assert_string_equal(text[0], text[1]);
	assert_string_not_equal(text[0], text[2]);
	for (int i = 0; i < 3; i++)
		free(text[i]);
}

/* With several records in an answer clients take the first, or spread over all of them. */
static void
test_take(void **state)
{
	const struct plot all = {
		.n_sites = 4, .weights = { 1, 1, 1, 1 }, .strategy = "round_robin"
	};
	json_t *first = plot_run(&all, "'resolvers': {'count': 10, 'skew': 2}");
	json_t *any = plot_run(&all, "'resolvers': {'count': 10, 'skew': 2, 'take': 'any'}");

	(void)state;
	assert_true(NUMBER(first, "load.stddev") > 0.2);
	assert_true(NUMBER(any, "load.stddev") < 1e-4);
	json_decref(first);
	json_decref(any);
}

/* What operators impose counts as in the server, at the times they said. */
static void
test_imposed(void **state)
{
	const struct plot p = {
		.n_sites = 3,
		.weights = { 3, 2, 1 },
		.domain = "'ttl': 60",
		/* a1 is out for 20 of the 50 minutes that count, p3 for all of them, */
		.imposed = { { "address/a1", "{'state': 'drain', 'reason': 'x', "
					     "'until': '2026-01-01T00:30:00Z'}" },
		    { "pool/p3", "{'state': 'down', 'reason': 'x'}" } },
		/* and p2 for the last 10. */
		.window = "{'objects': ['pool/p2', 'address/other'], 'reason': 'x', "
			  "'starts': '2026-01-01T00:50:00Z', 'ends': '2026-01-01T01:50:00Z'}",
	};
	json_t *r = plot_run(&p,
	    "'starts': '2026-01-01T00:00:00Z', 'resolvers': {'count': 3000, 'skew': 0, 'rate': "
	    "3000}");

	(void)state;
	/* 20 minutes none, 20 minutes 3 of 5, 10 minutes all. */
	assert_true(fabs(NUMBER(r, "members[0].clients") - (20 * .6 + 10) / 50) < 0.02);
	assert_true(fabs(NUMBER(r, "members[1].clients") - (20 + 20 * .4) / 50) < 0.02);
	assert_true(NUMBER(r, "members[2].clients") == 0);
	json_decref(r);
}

/* The day of docs/internals/probe.md: three sites, default rhythm, 20 % of all packets lost each
 * way. Nobody is called dead; without repetition, every protocol is. */
static void
test_a_lossy_day(void **state)
{
	static const char *const templates[] = {
		"{'protocol': 'tcp'}",
		"{'protocol': 'http'}",
		"{'protocol': 'https'}",
		"{'protocol': 'grpc'}",
		"{'protocol': 'ping', 'ping': {'packets': 1}}",
		"{'protocol': 'dns', 'dns': {'name': 'www.example.com', 'type': 'A'}}",
	};
	static const char day[] = "'duration': '24h', 'probe_loss': 20, 'probe_repeat': %s, "
				  "'resolvers': {'count': 10, 'rate': 1}";

	(void)state;
	for (size_t i = 0; i < sizeof(templates) / sizeof(templates[0]); i++) {
		struct plot p = three;

		p.template = templates[i];

		json_t *r = plot_run(&p, day, "true"), *once = plot_run(&p, day, "false");

		assert_true(NUMBER(r, "probes.made") >= 3 * 17280);
		assert_true(NUMBER(r, "probes.failed") < 0.002 * NUMBER(r, "probes.made"));
		assert_true(NUMBER(r, "probes.false_downs") == 0);
		assert_true(NUMBER(once, "probes.failed") > 0.01 * NUMBER(once, "probes.made"));
		assert_true(NUMBER(once, "probes.false_downs") > 0);
		json_decref(r);
		json_decref(once);
	}
}

/* What really dies is seen within the time that its template tells (status.detection), whatever
 * else is lost. */
static void
test_lossy_and_dead(void **state)
{
	static const struct {
		const char *template;
		double worst_s;
	} rows[] = {
		{ "{'protocol': 'tcp'}", 5 + 2 * 2 + 2 },
		{ "{'protocol': 'dns', 'fall': 1, 'dns': {'name': 'a.example', 'type': 'A'}}",
		    5 + 2 },
		{ "{'protocol': 'http', 'interval': '1s', 'timeout': '200ms', 'recheck': '500ms'}",
		    1 + 2 * 0.5 + 0.2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int seed = 1; seed <= 20; seed++) {
			struct plot p = three;

			p.template = rows[i].template;

			json_t *r = plot_run(&p,
			    "'seed': %d, 'probe_loss': %d, 'resolvers': {'count': 10, 'rate': 1},"
			    "'failures': [{'address': 'a1', 'down': '20m'}]",
			    seed, seed % 2 * 20);
			const double detected = NUMBER(r, "failures[0].detected");

			assert_true(detected > 0 && detected <= rows[i].worst_s + 1e-6);
			json_decref(r);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_skew),
		cmocka_unit_test(test_skew_misses),
		cmocka_unit_test(test_remedy),
		cmocka_unit_test(test_remedy_in_the_field),
		cmocka_unit_test(test_drain),
		cmocka_unit_test(test_stretch),
		cmocka_unit_test(test_unchecked),
		cmocka_unit_test(test_repeatable),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_imposed),
		cmocka_unit_test(test_a_lossy_day),
		cmocka_unit_test(test_lossy_and_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
