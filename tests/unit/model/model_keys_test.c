/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/model_keys.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
test_keys_are_found_by_their_name(void **state UNUSED)
{
	struct tsig_key key;
	struct model m;
	uint8_t name[NAME_MAX_LEN];

	model_init(&m);
	model_apply(&m, &(struct change_op){
			    .op = CHANGE_PUT,
			    .kind = KIND_TSIG_KEY,
			    .name = "certbot.example.com",
			    .id = "0123456789abcdef",
			    .spec = "{\"algorithm\":\"hmac-sha512\",\"secret\":\"c2VjcmV0\"}",
			});
	assert_true(name_parse("CertBot.example.com", name) > 0);
	assert_int_equal(model_keys_find(&m, name, &key), 0);
	assert_int_equal(key.hash, TSIG_SHA512);
	assert_int_equal(key.secret_len, 6);
	assert_memory_equal(key.secret, "secret", 6);
	assert_true(name_equal(key.name, name));
	assert_int_equal(key.mac_min, 0);
	assert_int_equal(model_keys_find_text(&m, "certbot.example.com", &key), 0);
	assert_true(name_parse("other.example.com", name) > 0);
	assert_int_equal(model_keys_find(&m, name, &key), -ENOENT);
	assert_int_equal(model_keys_find(&m, (const uint8_t *)"", &key), -ENOENT);
	model_fini(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_keys_are_found_by_their_name) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
