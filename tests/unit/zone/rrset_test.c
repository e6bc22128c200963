/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "zone/rrset.h"

#define DATA(s) (const uint8_t *)(s), sizeof(s) - 1

static void
sorted_without_twins(void **state)
{
	struct rrset *s = rrset_new(16, 60, DATA("\0\2bb\0\1c\0\2bb\0\0\0\1b"));
	struct rrset *t = rrset_new(16, 60, DATA("\0\1c\0\0\0\1b\0\2bb"));
	uint32_t pos = 0;
	uint16_t len;

	(void)state;
	assert_int_equal(s->count, 4);
	assert_non_null(rrset_next(s, &pos, &len));
	assert_int_equal(len, 0);
	assert_memory_equal(rrset_next(s, &pos, &len), "b", 1);
	assert_memory_equal(rrset_next(s, &pos, &len), "bb", 2);
	assert_int_equal(len, 2);
	assert_memory_equal(rrset_next(s, &pos, &len), "c", 1);
	assert_null(rrset_next(s, &pos, &len));
	assert_true(rrset_equal(s, t));
	t->ttl_s++;
	assert_false(rrset_equal(s, t));
	rrset_free(&s);
	rrset_free(&t);
	assert_null(s);
}

/* Two signatures of one name, of sets whose TTLs differ: each says its own. */
static void
signatures_have_ttls_of_their_own(void **state)
{
#define SIG(type, ttl) "\0\x14\0" type "\x0d\2\0\0" ttl "exptincp\1\1\0S"
	struct rrset *s = rrset_new(46, 77, DATA(SIG("\x10", "\x0e\x10") SIG("\1", "\0\x3c")));
	struct rrset *t = rrset_new(46, 78, DATA(SIG("\1", "\0\x3c") SIG("\x10", "\x0e\x10")));
	struct rrset *a = rrset_new(1, 77, DATA("\0\4\1\2\3\4"));
	struct rrset *cut = rrset_new(46, 77, DATA("\0\4\0\1\x0d\2"));
	struct rrset *huge = rrset_new(46, 77, DATA("\0\x8\0\1\x0d\2\xff\xff\xff\xff"));
	uint32_t pos = 0;
	uint16_t len;
	const uint8_t *rdata;

	(void)state;
	rdata = rrset_next(s, &pos, &len);
	assert_int_equal(rrset_ttl(s, rdata, len), 60);
	rdata = rrset_next(s, &pos, &len);
	assert_int_equal(rrset_ttl(s, rdata, len), 3600);
	assert_int_equal(s->ttl_s, 60);
	assert_true(rrset_equal(s, t)); /* what is said of the set does not count */
	assert_int_equal(rrset_ttl(a, a->data + 2, 4), 77);
	assert_int_equal(rrset_ttl(cut, cut->data + 2, 4), 77);
	assert_int_equal(rrset_ttl(huge, huge->data + 2, 8), 77);
	rrset_free(&s);
	rrset_free(&t);
	rrset_free(&a);
	rrset_free(&cut);
	rrset_free(&huge);
}

static void
malformed(void **state)
{
	(void)state;
	assert_null(rrset_new(1, 1, DATA("")));
	assert_null(rrset_new(1, 1, DATA("\0")));
	assert_null(rrset_new(1, 1, DATA("\0\2a")));
	assert_null(rrset_new(1, 1, DATA("\0\1ab")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorted_without_twins),
		cmocka_unit_test(malformed),
		cmocka_unit_test(signatures_have_ttls_of_their_own),
	};

	return cmocka_run_group_tests_name("rrset", tests, NULL, NULL);
}
