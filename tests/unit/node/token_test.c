/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rand.h"

static struct token
some(const char *server, const char *node)
{
	struct token t = { 0 };

	strcpy(t.server, server);
	strcpy(t.node, node);
	rand_bytes(t.secret, sizeof(t.secret));
	rand_bytes(t.authority, sizeof(t.authority));
	return t;
}

static void
there_and_back(const struct token *t)
{
	char *text = token_text(t);
	struct token back;
	const char *fault = token_parse(text, &back);

	if (fault != NULL)
		fail_msg("%s: %s", text, fault);
	assert_memory_equal(&back, t, sizeof(*t));
	free(text);
}

static void
test_there_and_back(void **state)
{
	char longest[TOKEN_SERVER_SIZE], name[257];
	struct token t;

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memset(name, 'n', 256);
	name[256] = '\0';
	t = some("192.0.2.1:8054", "shanghai-1");
	there_and_back(&t);
	t = some("[2001:db8::1]:8054", "上海");
	there_and_back(&t);
	t = some(longest, name);
	there_and_back(&t);
}

/* Whatever digit is lost, swapped or another, is found. */
static void
test_damage(void **state)
{
	const struct token t = some("192.0.2.1:8054", "n");
	char *text = token_text(&t);
	struct token out;

	(void)state;
	for (size_t i = 0; text[i] != '\0'; i++) {
		char *other = xstrdup(text);

		other[i] = other[i] == 'a' ? 'b' : 'a';
		assert_non_null(token_parse(other, &out));
		other[i] = '\0';
		assert_non_null(token_parse(other, &out));
		free(other);
	}
	free(text);
	assert_string_equal(token_parse("", &out), "is not a token of gtmctl node token");
	assert_string_equal(token_parse("gtm1-", &out), "is damaged; was all of it copied?");
	assert_string_equal(token_parse("gtm1-0", &out), "is damaged; was all of it copied?");
}

static void
test_hex(void **state)
{
	uint8_t data[3];
	char hex[7];

	(void)state;
	assert_int_equal(token_unhex("00fFa1", data, 3), 0);
	token_hex(data, 3, hex);
	assert_string_equal(hex, "00ffa1");
	assert_true(token_unhex("00ff", data, 3) < 0);
	assert_true(token_unhex("00ffa1a1", data, 3) < 0);
	assert_true(token_unhex("00ffag", data, 3) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
