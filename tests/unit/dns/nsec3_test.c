/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The names and hashes of RFC 5155 appendix A. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "dns/name.h"
#include "dns/nsec3.h"

static const uint8_t rdata[] = { 1, 0, 0, 12, 4, 0xaa, 0xbb, 0xcc, 0xdd };

static void
test_hashes(UNUSED void **state)
{
	static const char *const rows[][2] = {
		{ "example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom" },
		{ "a.example", "35mthgpgcu1qg68fab165klnsnk3dpvl" },
		{ "*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en" },
		{ "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example", "kohar7mbb8dc2ce8a9qvl8hon4k53uhi" },
	};
	struct nsec3_params p;

	assert_true(nsec3_read(rdata, sizeof(rdata), &p));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t name[NAME_MAX_LEN], hash[NSEC3_HASH_LEN], label[NSEC3_LABEL_LEN];

		assert_true(name_parse_lower(rows[i][0], name) > 0);
		nsec3_hash(&p, name, hash);
		nsec3_label(hash, label);
		assert_int_equal(label[0], 32);
		assert_memory_equal(label + 1, rows[i][1], 32);
	}
}

static void
test_params(UNUSED void **state)
{
	static const uint8_t unsalted[] = { 1, 1, 0, 12, 0 }, sha2[] = { 2, 0, 0, 12, 0 };
	struct nsec3_params p, q;

	assert_true(nsec3_read(rdata, sizeof(rdata), &p));
	assert_true(nsec3_same(&p, &p));
	assert_true(nsec3_read(unsalted, sizeof(unsalted), &q));
	assert_false(nsec3_same(&p, &q));
	assert_false(nsec3_read(rdata, sizeof(rdata) - 1, &q));
	assert_false(nsec3_read(rdata, 4, &q));
	assert_false(nsec3_read(sha2, sizeof(sha2), &q));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hashes),
		cmocka_unit_test(test_params),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
