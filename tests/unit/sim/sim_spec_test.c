/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plot.h"

static const struct plot two = { .n_sites = 2, .weights = { 1, 1 } };

static void
assert_refused(const char *request, const char *path)
{
	const char *text = plot_refusal(&two, request);

	if (strstr(text, path) == NULL)
		fail_msg("%s: %s", request, text);
}

static void
test_paths(void **state)
{
	(void)state;
	assert_refused("'what': 1", "what");
	assert_refused("'resolvers': {'count': 0}", "resolvers.count");
	assert_refused("'resolvers': {'skew': 'big'}", "resolvers.skew");
	assert_refused("'resolvers': {'skew': -1}", "resolvers.skew");
	assert_refused(
	    "'resolvers': {'from': [{'cidr': '192.0.2.1/24'}]}", "resolvers.from[0].cidr");
	assert_refused(
	    "'resolvers': {'from': [{'cidr': '192.0.2.0/24', 'share': 0}]}", "resolvers.from");
	assert_refused("'resolvers': {'ttl': [{}, {'mode': 'stretch'}]}", "resolvers.ttl[1].time");
	assert_refused("'resolvers': {'ttl': [{'mode': 'forget'}]}", "resolvers.ttl[0].mode");
	assert_refused("'failures': [{'address': 'a9', 'down': '1m'}]", "failures[0].address");
	assert_refused("'failures': [{'address': 'a1', 'down': '2h'}]", "failures[0].down");
	assert_refused(
	    "'failures': [{'address': 'a1', 'down': '2m', 'up': '1m'}]", "failures[0].up");
	assert_refused("'duration': '5m'", "warm_up");
	assert_refused("'duration': '15m', 'window': '10m'", "window");
	assert_refused("'type': 'AAAA'", "name");
}

static void
test_work_is_bounded(void **state)
{
	(void)state;
	assert_refused(
	    "'duration': '168h', 'resolvers': {'count': 1000000, 'rate': 10000000}", "duration");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_work_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
