/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "verdict/track.h"

/* Whatever came, the newest sixteen are there, newest first. */
static void
test_newest(void **state)
{
	static char causes[40][8];

	(void)state;
	for (int n = 0; n <= 40; n++) {
		struct track t = { 0 };

		for (int i = 0; i < n; i++) {
			snprintf(causes[i], sizeof(causes[i]), "c%d", i);
			track_add(&t, i % 2 == 0 ? FLAP_DOWN : FLAP_UP, causes[i], 1000 * i);
		}

		json_t *list = track_json(&t);
		const int kept = n < TRACK_MAX ? n : TRACK_MAX;

		assert_int_equal(json_array_size(list), kept);
		assert_true(
		    n == 0 ? track_last(&t) == NULL : track_last(&t)->at_ms == 1000 * (n - 1));
		for (int i = 0; i < kept; i++) {
			const json_t *e = json_array_get(list, (size_t)i);
			const int was = n - 1 - i;
			char at[40];

			snprintf(at, sizeof(at), "1970-01-01T00:00:%02d.000Z", was);
			assert_string_equal(
			    json_string_value(json_object_get(e, "cause")), causes[was]);
			assert_string_equal(json_string_value(json_object_get(e, "at")), at);
			assert_string_equal(json_string_value(json_object_get(e, "verdict")),
			    was % 2 == 0 ? "down" : "up");
		}
		json_decref(list);
		track_fini(&t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_newest) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
