/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "verdict/votes.h"

/* u up, d down, ? no verdict; capitals: not fresh. */
static const struct {
	const char *story, *votes;
	uint32_t rate;
	char held, want;
} stories[] = {
	{ "one of four is not half", "duuu", 50, 'u', 'u' },
	{ "two of four are half", "uddu", 50, 'u', 'd' },
	{ "one of four, any node", "uudu", 0, 'u', 'd' },
	{ "nobody fails, any node", "uuuu", 0, 'd', 'u' },
	{ "all must fail", "dddu", 100, 'u', 'u' },
	{ "all fail", "dddd", 100, 'u', 'd' },
	{ "one of three is less than 34 percent", "duu", 34, 'u', 'u' },
	{ "one of three is more than 33 percent", "duu", 33, 'u', 'd' },
	{ "a stale vote does not count", "dUUU", 50, 'u', 'd' },
	{ "who does not know does not count", "d???", 50, 'u', 'd' },
	{ "no fresh vote: up holds", "DDDD", 50, 'u', 'u' },
	{ "no fresh vote: down holds", "UU", 50, 'd', 'd' },
	{ "no vote at all", "", 50, '?', '?' },
	{ "the only one", "d", 100, 'u', 'd' },
};

static enum flap_verdict
read_verdict(char c)
{
	return strchr("uU", c) != NULL   ? FLAP_UP
	       : strchr("dD", c) != NULL ? FLAP_DOWN
					 : FLAP_UNKNOWN;
}

static void
test_stories(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
		struct votes v = { 0 };

		for (const char *c = stories[i].votes; *c != '\0'; c++)
			votes_add(&v, read_verdict(*c), strchr("ud?", *c) != NULL);
		if (votes_verdict(&v, stories[i].rate, read_verdict(stories[i].held)) !=
		    read_verdict(stories[i].want))
			fail_msg("%s", stories[i].story);
	}
}

/* Every set of up to five votes, each of six kinds, every rate: by counting
 */
static void
test_exhaustive(void **state)
{
	(void)state;
	for (unsigned n = 0; n <= 5; n++) {
		unsigned sets = 1;

		for (unsigned i = 0; i < n; i++)
			sets *= 6;
		for (unsigned set = 0; set < sets; set++) {
			struct votes v = { 0 };
			unsigned fresh = 0, down = 0, left = set;

			for (unsigned i = 0; i < n; i++, left /= 6) {
				const enum flap_verdict says = (enum flap_verdict)(left % 6 % 3);
				const bool is_fresh = left % 6 >= 3;

				votes_add(&v, says, is_fresh);
				fresh += is_fresh && says != FLAP_UNKNOWN;
				down += is_fresh && says == FLAP_DOWN;
			}
			assert_int_equal(votes_differ(&v), down != 0 && down != fresh);
			for (uint32_t rate = 0; rate <= 100; rate++) {
				enum flap_verdict want = FLAP_UP;

				/* down / fresh >= rate / 100 */
				if (down >= 1 && down * 100 >= rate * fresh)
					want = FLAP_DOWN;
				for (enum flap_verdict held = FLAP_UNKNOWN; held <= FLAP_DOWN;
				     held++)
					assert_int_equal(votes_verdict(&v, rate, held),
					    fresh == 0 ? held : want);
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories),
		cmocka_unit_test(test_exhaustive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
