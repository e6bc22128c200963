/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "feed/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/rand.h"

static const uint8_t www[] = "\3www\7example\3com";
static const uint8_t page[] = "\1 any bytes";
static const uint8_t rdata[] = { 0, 4, 192, 0, 2, 1 };

static void
fill(struct change_set *c)
{
	change_init(c);
	c->revision = 77;
	c->author = "token:admin";
	c->summary = "put pool 'dc-a'";
	change_add(c, &(struct change_op){ .op = CHANGE_PUT,
			  .kind = KIND_POOL,
			  .name = "dc-a",
			  .id = "00ff",
			  .spec = "{\"type\":\"ipv4\"}",
			  .revision = 77,
			  .created_ms = 1,
			  .updated_ms = -2 });
	change_add(c, &(struct change_op){
			  .op = CHANGE_DELETE, .kind = KIND_DOMAIN, .name = "www.example.com/A" });
	change_add(c, &(struct change_op){ .op = CHANGE_ZONE_CLEAR, .name = "example.com" });
	change_add(c, &(struct change_op){ .op = CHANGE_RRSET_PUT,
			  .name = "example.com",
			  .owner = www,
			  .type = 1,
			  .ttl_s = 60,
			  .rdata = rdata,
			  .rdata_len = sizeof(rdata) });
	change_add(c, &(struct change_op){ .op = CHANGE_ZONE_PAGE,
			  .name = "example.com",
			  .rdata = page,
			  .rdata_len = sizeof(page) });
	change_add(
	    c, &(struct change_op){
		   .op = CHANGE_RRSET_DELETE, .name = "example.com", .owner = www, .type = 28 });
}

static void
encode(struct buf *b)
{
	struct change_set c;
	fill(&c);
	buf_init(b, 1 << 20);
	codec_put(b, &c);
	change_fini(&c);
}

static void
test_round_trip(void **state)
{
	(void)state;
	struct buf b;
	struct change_set c;
	encode(&b);
	assert_int_equal(codec_take(b.data, b.len, &c), 0);
	assert_int_equal(c.revision, 77);
	assert_string_equal(c.author, "token:admin");
	assert_string_equal(c.summary, "put pool 'dc-a'");
	assert_int_equal(c.count, 6);
	assert_int_equal(c.ops[0].kind, KIND_POOL);
	assert_string_equal(c.ops[0].spec, "{\"type\":\"ipv4\"}");
	assert_int_equal(c.ops[0].updated_ms, -2);
	assert_string_equal(c.ops[1].name, "www.example.com/A");
	assert_int_equal(c.ops[2].op, CHANGE_ZONE_CLEAR);
	assert_memory_equal(c.ops[3].owner, www, sizeof(www));
	assert_int_equal(c.ops[3].rdata_len, sizeof(rdata));
	assert_memory_equal(c.ops[3].rdata, rdata, sizeof(rdata));
	assert_int_equal(c.ops[4].op, CHANGE_ZONE_PAGE);
	assert_int_equal(c.ops[4].rdata_len, sizeof(page));
	assert_memory_equal(c.ops[4].rdata, page, sizeof(page));
	assert_int_equal(c.ops[5].type, 28);

	/* Encoding what was decoded gives the same bytes. */
	struct buf again;
	buf_init(&again, 1 << 20);
	codec_put(&again, &c);
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.data, b.data, b.len);
	buf_fini(&again);
	change_fini(&c);
	buf_fini(&b);
}

static void
test_every_truncation_is_refused(void **state)
{
	(void)state;
	struct buf b;
	struct change_set c;
	encode(&b);
	for (size_t len = 0; len < b.len; len++)
		assert_int_not_equal(codec_take(b.data, len, &c), 0);
	buf_put_u8(&b, 0);
	assert_int_not_equal(codec_take(b.data, b.len, &c), 0);
	buf_fini(&b);
}

/* Flipped bytes are refused or give a set that can be encoded again; never a crash. */
static void
test_mutations(void **state)
{
	(void)state;
	struct rand_state r;
	rand_seed(&r, 7);
	for (int i = 0; i < 20000; i++) {
		struct buf b;
		struct change_set c;
		encode(&b);
		for (int n = 0; n < 3; n++)
			b.data[rand_below(&r, b.len)] = (uint8_t)rand_next(&r);
		if (codec_take(b.data, b.len, &c) == 0)
			change_fini(&c);
		buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_truncation_is_refused),
		cmocka_unit_test(test_mutations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
