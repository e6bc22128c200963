/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
collect(void *arg, const char *data)
{
	buf_printf(arg, "<%s>", data);
}

/* Cut anywhere, the events are the same. */
static void
test_any_cut_gives_the_same_events(void **state)
{
	static const char text[] =
	    ": beat\n\nid: 7\nevent: x\ndata: {\"a\":1}\n\ndata:b\r\ndata: c\r\n\r\n\n"
	    "id:8\nnonsense\ndata: d\n\ndata: unfinished\n";

	(void)state;
	for (size_t cut = 0; cut <= sizeof(text) - 1; cut++) {
		struct buf seen;
		struct sse s;

		buf_init(&seen, 1024);
		sse_init(&s, collect, &seen);
		sse_feed(&s, text, cut);
		sse_feed(&s, text + cut, sizeof(text) - 1 - cut);
		assert_string_equal(buf_str(&seen), "<{\"a\":1}><b\nc><d>");
		assert_string_equal(s.id, "8");
		sse_fini(&s);
		buf_fini(&seen);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_cut_gives_the_same_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
