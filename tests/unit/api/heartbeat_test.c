/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/heartbeat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "correct horse battery"

/* What `openssl dgst -sha256 -hmac` says of the same, so scripts can do it. */
static void
test_as_openssl_has_it(void **state)
{
	char key[HEARTBEAT_HEX_SIZE], signature[HEARTBEAT_HEX_SIZE];

	(void)state;
	heartbeat_key(SECRET, "beat", "dc-a-1", key);
	assert_string_equal(
	    key, "432ae51a4c7842334a72312f7f476f8ca21b34da7aa3533e23ab1de7307158b7");
	heartbeat_signature(key, 1764111180123, "30s", signature);
	assert_string_equal(
	    signature, "5daba4e00d67b9294198ad27726dc93e510fcb2e67a194dd1364fde73bd45202");
	assert_true(heartbeat_check(SECRET, "beat", "dc-a-1", 1764111180123, "30s", signature));
}

static void
test_every_part_is_signed(void **state)
{
	char key[HEARTBEAT_HEX_SIZE], good[HEARTBEAT_HEX_SIZE], bad[HEARTBEAT_HEX_SIZE];

	(void)state;
	heartbeat_signature(heartbeat_key(SECRET, "t", "a", key), 1, "1s", good);
	assert_true(heartbeat_check(SECRET, "t", "a", 1, "1s", good));
	assert_false(heartbeat_check("another secret", "t", "a", 1, "1s", good));
	assert_false(heartbeat_check(SECRET, "u", "a", 1, "1s", good));
	assert_false(heartbeat_check(SECRET, "t", "b", 1, "1s", good));
	assert_false(heartbeat_check(SECRET, "t", "a", 2, "1s", good));
	assert_false(heartbeat_check(SECRET, "t", "a", 1, "2s", good));
	assert_false(heartbeat_check(SECRET, "t", "a", 1, "1s", ""));
	assert_false(heartbeat_check(SECRET, "t", "a", 11, "s", good));
	memcpy(bad, good, sizeof(bad));
	bad[63] ^= 1;
	assert_false(heartbeat_check(SECRET, "t", "a", 1, "1s", bad));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_openssl_has_it),
		cmocka_unit_test(test_every_part_is_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
