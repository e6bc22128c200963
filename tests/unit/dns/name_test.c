/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"
#include "dns/name.h"

#define WIRE(s) (const uint8_t *)(s)

static void
text_and_wire(void **state)
{
	static const struct {
		const char *text, *wire, *back;
	} rows[] = {
		{ ".", "\0", "." },
		{ "com", "\3com", "com" },
		{ "www.Example.com.", "\3www\7Example\3com", "www.Example.com" },
		{ "a\\.b.c", "\3a.b\1c", "a\\.b.c" },
		{ "\\065\\000x.c", "\3A\0x\1c", "A\\000x.c" },
		{ "*.example", "\1*\7example", "*.example" },
		{ "\\@", "\1@", "\\@" },
		{ "_sip._tcp.x", "\4_sip\4_tcp\1x", "_sip._tcp.x" },
		{ "a\\ b\\\"\\;", "\5a b\";", "a\\032b\\\"\\;" },
		{ "a+b.~", "\3a+b\1~", "a\\+b.\\~" },
		{ "\\255\\127", "\2\377\177", "\\255\\127" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t wire[NAME_MAX_LEN];
		char text[NAME_TEXT_SIZE];
		int n = name_parse(rows[i].text, wire);

		assert_true(n > 0);
		assert_int_equal(n, name_len(WIRE(rows[i].wire)));
		assert_memory_equal(wire, rows[i].wire, (size_t)n);
		assert_string_equal(name_text(wire, text), rows[i].back);
	}
}

static void
bad_text(void **state)
{
	static const char *const rows[] = { "", "..", ".a", "a..b", "a\\", "a\\1", "a\\12x",
		"\\256" };
	uint8_t wire[NAME_MAX_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(name_parse(rows[i], wire), -EINVAL);
}

/* "aaa...a." of n letters, `times` over. */
static void
repeat(char *out, size_t n, size_t times)
{
	while (times-- > 0) {
		memset(out, 'a', n);
		out[n] = '.';
		out += n + 1;
	}
	*out = '\0';
}

static void
limits(void **state)
{
	uint8_t wire[NAME_MAX_LEN];
	char text[600];

	(void)state;
	repeat(text, 63, 1);
	assert_int_equal(name_parse(text, wire), 65);
	repeat(text, 64, 1);
	assert_int_equal(name_parse(text, wire), -EINVAL);
	repeat(text, 1, 127);
	assert_int_equal(name_parse(text, wire), 255);
	assert_int_equal(name_labels(wire), 127);
	repeat(text, 1, 128);
	assert_int_equal(name_parse(text, wire), -ENAMETOOLONG);
	repeat(text, 63, 3);
	strcat(text, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
	assert_int_equal(name_parse(text, wire), 255);
	strcat(text, "b");
	assert_int_equal(name_parse(text, wire), -ENAMETOOLONG);
}

static void
random_round_trip(void **state)
{
	struct rand_state r;

	(void)state;
	rand_seed(&r, 7);
	for (int i = 0; i < 20000; i++) {
		uint8_t wire[NAME_MAX_LEN], back[NAME_MAX_LEN];
		char text[NAME_TEXT_SIZE];
		size_t len = 0;

		while (rand_below(&r, 6) != 0) {
			size_t n = 1 + rand_below(&r, rand_below(&r, 8) == 0 ? 63 : 5);

			if (len + n + 2 > NAME_MAX_LEN)
				break;
			wire[len++] = (uint8_t)n;
			while (n-- > 0)
				wire[len++] = (uint8_t)rand_next(&r);
		}
		wire[len++] = 0;
		assert_int_equal(name_parse(name_text(wire, text), back), len);
		assert_memory_equal(wire, back, len);
		assert_int_equal(name_check(wire, len, 0), len);
		assert_int_equal(name_check(wire, len - 1, 0), -EINVAL);
	}
}

static void
compare(void **state)
{
	const uint8_t *a = WIRE("\3wWw\7exAmple\3com"), *b = WIRE("\3www\7example\3COM");
	uint8_t lower[NAME_MAX_LEN];
	struct name_path p;

	(void)state;
	assert_true(name_equal(a, b));
	assert_false(name_equal(a, WIRE("\3www\7example\2co")));
	assert_true(name_below(a, WIRE("\7EXAMPLE\3com")));
	assert_true(name_below(a, b));
	assert_true(name_below(a, WIRE("\0")));
	assert_false(name_below(WIRE("\7example\3com"), a));
	assert_false(name_below(WIRE("\10xexample\3com"), WIRE("\7example\3com")));
	name_copy_lower(lower, a);
	assert_memory_equal(lower, "\3www\7example\3com", 17);
	assert_ptr_equal(name_skip(a, 2), a + 12);
	name_path_of(&p, a);
	assert_int_equal(p.labels, 3);
	assert_int_equal(p.len, 17);
	assert_int_equal(p.off[1], 4);
	assert_ptr_equal(name_path_tail(&p, 3), a);
	assert_ptr_equal(name_path_tail(&p, 2), a + 4);
	assert_ptr_equal(name_path_tail(&p, 0), a + 16);
	assert_int_equal(name_path_tail_len(&p, 2), 13);
	assert_true(name_is_wildcard(WIRE("\1*\1a")));
	assert_false(name_is_wildcard(WIRE("\2*a\1a")));
	/* '[' follows 'Z': only letters are folded. */
	assert_false(name_equal(WIRE("\1["), WIRE("\1{")));
}

/* The list of RFC 4034 section 6.1. */
static void
canonical_order(void **state)
{
	static const char *const rows[] = { "\7example", "\1a\7example", "\10yljkjljk\1a\7example",
		"\1z\1a\7example", "\4zabc\1a\7example", "\1z\7example", "\1\1\1z\7example",
		"\1*\1z\7example", "\1\310\1z\7example" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t j = 0; j < sizeof(rows) / sizeof(rows[0]); j++) {
			int got = name_order(WIRE(rows[i]), WIRE(rows[j]));

			assert_int_equal((got > 0) - (got < 0), (i > j) - (i < j));
		}
}

static void
expand(void **state)
{
	static const uint8_t msg[] = "\3com\0\7example\300\0\3www\300\5\300\24\300\26\100x";
	uint8_t out[NAME_MAX_LEN];
	size_t pos = 15;

	(void)state;
	assert_int_equal(name_expand(msg, sizeof(msg), &pos, out), 17);
	assert_memory_equal(out, "\3www\7example\3com", 17);
	assert_int_equal(pos, 21);
	/* To itself, forward, and a label type that is none. */
	pos = 21;
	assert_int_equal(name_expand(msg, sizeof(msg), &pos, out), -EINVAL);
	pos = 23;
	assert_int_equal(name_expand(msg, sizeof(msg), &pos, out), -EINVAL);
	pos = 25;
	assert_int_equal(name_expand(msg, sizeof(msg), &pos, out), -EINVAL);
	pos = 15;
	assert_int_equal(name_expand(msg, 20, &pos, out), -EINVAL);
	assert_int_equal(name_check(msg, sizeof(msg), 5), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_wire),
		cmocka_unit_test(bad_text),
		cmocka_unit_test(limits),
		cmocka_unit_test(random_round_trip),
		cmocka_unit_test(compare),
		cmocka_unit_test(canonical_order),
		cmocka_unit_test(expand),
	};

	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
