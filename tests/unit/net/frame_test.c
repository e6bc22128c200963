/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames as they come off a wire, against a slow and obvious checksum. */
#include "net/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROOM 2048

static const uint8_t MACS[12] = { 0x02, 0, 0, 0, 0, 0x01, 0x02, 0, 0, 0, 0, 0x02 };
static const uint8_t DATA[] = "a question of twenty-nine octets";

enum shape { TAGGED = 1, SIX = 2 };

/* The sum of big-endian words, carries brought round one by one. */
static uint16_t
slow_sum(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return (uint16_t)sum;
}

static uint16_t
slow_pseudo(const uint8_t *ip, bool v6, size_t udp_len)
{
	const uint16_t sum = slow_sum(0, v6 ? ip + 8 : ip + 12, v6 ? 32 : 8);

	return slow_sum(slow_sum(sum, (uint8_t[]){ 0, 17 }, 2),
	    (uint8_t[]){ (uint8_t)(udp_len >> 8), (uint8_t)udp_len }, 2);
}

static void
put(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* A query to 192.0.2.1 or 2001:db8::1, port 53, with right checksums. Returns its length. */
static size_t
make(uint8_t *out, int shape, size_t len)
{
	uint8_t *p = out + 12;
	const bool v6 = (shape & SIX) != 0;

	memset(out, 0, ROOM);
	memcpy(out, MACS, sizeof(MACS));
	if (shape & TAGGED) {
		put(p, 0x8100);
		put(p + 2, 0x3007);
		p += 4;
	}
	put(p, v6 ? 0x86dd : 0x0800);
	p += 2;

	uint8_t *ip = p, *udp = p + (v6 ? 40 : 20);

	if (v6) {
		ip[0] = 0x6b;
		put(ip + 4, 8 + len);
		ip[6] = 17;
		ip[7] = 7;
		memcpy(ip + 8, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02", 16);
		memcpy(ip + 24, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
	} else {
		ip[0] = 0x45;
		ip[1] = 0x10;
		put(ip + 2, 28 + len);
		put(ip + 4, 4711);
		ip[8] = 7;
		ip[9] = 17;
		memcpy(ip + 12, "\xc0\x00\x02\x02\xc0\x00\x02\x01", 8);
		put(ip + 10, (uint16_t)~slow_sum(0, ip, 20));
	}
	put(udp, 40000);
	put(udp + 2, 53);
	put(udp + 4, 8 + len);
	for (size_t i = 0; i < len; i++)
		udp[8 + i] = DATA[i % sizeof(DATA)];
	put(udp + 6, (uint16_t)~slow_sum(slow_pseudo(ip, v6, 8 + len), udp, 8 + len));
	return (size_t)(udp + 8 + len - out);
}

static void
test_all_shapes(void **state UNUSED)
{
	char text[ADDR_TEXT_SIZE];
	uint8_t in[ROOM];
	struct frame f;
	struct addr a;

	for (int shape = 0; shape < 4; shape++) {
		const size_t len = make(in, shape, 29);

		assert_int_equal(frame_parse(&f, in, len), FRAME_UDP);
		assert_int_equal(f.data_len, 29);
		assert_int_equal(f.data_at, len - 29);
		assert_memory_equal(f.bytes + f.data_at, DATA, 29);
		frame_peer(&f, 3, &a);
		assert_string_equal(
		    addr_text(&a, text), shape & SIX ? "[2001:db8::2]:40000" : "192.0.2.2:40000");
		frame_local(&f, &a);
		assert_string_equal(
		    addr_text(&a, text), shape & SIX ? "[2001:db8::1]:53" : "192.0.2.1:53");
	}
}

/* Everything of the answer that is not data, in all shapes and with lengths odd and even. */
static void
test_answers(void **state UNUSED)
{
	uint8_t in[ROOM], out[ROOM];

	for (int i = 0; i < 4 * 1232; i++) {
		const int shape = i % 4;
		const size_t data = (size_t)i / 4, len = make(in, shape, 12);
		const bool v6 = (shape & SIX) != 0;
		struct frame f, g;

		assert_int_equal(frame_parse(&f, in, len), FRAME_UDP);
		memset(out, 0xaa, sizeof(out));
		for (size_t k = 0; k < data; k++)
			out[f.data_at + k] = (uint8_t)(k * 7 + data);

		const size_t total = frame_answer(&f, 0x1234, out, data), plain = f.data_at + data;
		const uint8_t *ip = out + f.ip_at, *udp = out + f.udp_at;

		assert_int_equal(total, plain < FRAME_MIN ? FRAME_MIN : plain);
		for (size_t k = plain; k < total; k++)
			assert_int_equal(out[k], 0);
		assert_int_equal(out[total], 0xaa);
		assert_memory_equal(out, MACS + 6, 6);
		assert_memory_equal(out + 6, MACS, 6);
		assert_memory_equal(out + 12, in + 12, f.ip_at - 12);
		if (v6) {
			assert_memory_equal(ip, "\x60\0\0\0", 4);
			assert_int_equal(ip[7], 64);
		} else {
			assert_int_equal(slow_sum(0, ip, 20), 0xffff);
			assert_memory_equal(ip + 4, "\x12\x34\0\0\x40\x11", 6);
		}
		assert_int_equal(slow_sum(slow_pseudo(ip, v6, 8 + data), udp, 8 + data), 0xffff);
		assert_false(udp[6] == 0 && udp[7] == 0);
		assert_int_equal(frame_parse(&g, out, total), FRAME_UDP);
		assert_int_equal(g.data_len, data);
		for (size_t k = 0; k < data; k++)
			assert_int_equal(out[f.data_at + k], (uint8_t)(k * 7 + data));
	}
}

/* A sum of zero is written as its other form. */
static void
test_sum_of_zero(void **state UNUSED)
{
	uint8_t in[ROOM], out[ROOM];
	struct frame f;
	bool seen = false;

	assert_int_equal(frame_parse(&f, in, make(in, SIX, 12)), FRAME_UDP);
	for (unsigned v = 0; v <= 0xffff; v++) {
		put(out + f.data_at, v);
		frame_answer(&f, 0, out, 2);
		assert_false(out[f.udp_at + 6] == 0 && out[f.udp_at + 7] == 0);
		seen |= out[f.udp_at + 6] == 0xff && out[f.udp_at + 7] == 0xff;
	}
	assert_true(seen);
}

/* Cut anywhere, it is not taken; with something behind it, it is, and that is no data. */
static void
test_cut_and_padded(void **state UNUSED)
{
	uint8_t in[ROOM];
	struct frame f;

	for (int shape = 0; shape < 4; shape++) {
		const size_t len = make(in, shape, 5);

		for (size_t n = 0; n < len; n++) {
			uint8_t *exact =
			    malloc(n > 0 ? n : 1); /* so that ASan sees a step too far */

			memcpy(exact, in, n);
			assert_int_equal(frame_parse(&f, exact, n), FRAME_DAMAGED);
			free(exact);
		}
		assert_int_equal(frame_parse(&f, in, len + 30), FRAME_UDP);
		assert_int_equal(f.data_len, 5);
	}
}

/* Any bit from the type on: nothing of it goes unnoticed but what no sum covers. */
static void
test_flipped_bits(void **state UNUSED)
{
	uint8_t in[ROOM];
	struct frame f;

	for (int shape = 0; shape < 4; shape++) {
		const size_t len = make(in, shape, 9), ip_at = shape & TAGGED ? 18 : 14;

		for (size_t bit = ip_at * 8; bit < len * 8; bit++) {
			const size_t at = bit / 8 - ip_at;
			/* IPv6: traffic class, flow label and hop limit */
			const bool free_field =
			    (shape & SIX) && (at < 4 || at == 7) && !(at == 0 && bit % 8 >= 4);

			in[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (free_field)
				assert_int_equal(frame_parse(&f, in, len), FRAME_UDP);
			else
				assert_int_not_equal(frame_parse(&f, in, len), FRAME_UDP);
			in[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void
resum(uint8_t *frame, int shape, size_t data)
{
	uint8_t *ip = frame + (shape & TAGGED ? 18 : 14), *udp = ip + (shape & SIX ? 40 : 20);

	if (!(shape & SIX)) {
		put(ip + 10, 0);
		put(ip + 10, (uint16_t)~slow_sum(0, ip, 20));
	}
	put(udp + 6, 0);
	put(udp + 6,
	    (uint16_t)~slow_sum(slow_pseudo(ip, (shape & SIX) != 0, 8 + data), udp, 8 + data));
}

/* What other stacks leave to a network card, and what IPv4 may leave out. */
static void
test_unfinished_sums(void **state UNUSED)
{
	uint8_t in[ROOM];
	struct frame f;

	for (int shape = 0; shape < 4; shape++) {
		const size_t len = make(in, shape, 29), ip_at = shape & TAGGED ? 18 : 14;
		uint8_t *udp = in + len - 29 - 8;

		put(udp + 6, slow_pseudo(in + ip_at, (shape & SIX) != 0, 37));
		assert_int_equal(frame_parse(&f, in, len), FRAME_UDP);
		udp[7] ^= 1;
		assert_int_equal(frame_parse(&f, in, len), FRAME_DAMAGED);
		put(udp + 6, 0);
		assert_int_equal(frame_parse(&f, in, len), shape & SIX ? FRAME_DAMAGED : FRAME_UDP);
	}
}

struct change {
	int shape;
	uint8_t at, value; /* from the IP header on */
	enum frame_kind kind;
};

static void
test_other_shapes_and_martians(void **state UNUSED)
{
	static const struct change changes[] = {
		{ 0, 0, 0x46, FRAME_OTHER },   /* options */
		{ 0, 0, 0x65, FRAME_OTHER },   /* no IPv4 at all */
		{ 0, 6, 0x20, FRAME_OTHER },   /* more fragments */
		{ 0, 6, 0x40, FRAME_UDP },     /* do not fragment */
		{ 0, 7, 0x01, FRAME_OTHER },   /* the rest of one */
		{ 0, 9, 6, FRAME_OTHER },      /* TCP */
		{ SIX, 6, 44, FRAME_OTHER },   /* fragment header */
		{ SIX, 0, 0x45, FRAME_OTHER }, /* no IPv6 */
		{ 0, 12, 0, FRAME_MARTIAN },
		{ 0, 12, 127, FRAME_MARTIAN },
		{ 0, 12, 224, FRAME_MARTIAN },
		{ 0, 12, 255, FRAME_MARTIAN },
		{ 0, 12, 223, FRAME_UDP },
		{ SIX, 8, 0xff, FRAME_MARTIAN },
		{ SIX, 8, 0xfe, FRAME_UDP },
		{ TAGGED, 12, 127, FRAME_MARTIAN },
	};
	uint8_t in[ROOM];
	struct frame f;

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		const struct change *c = &changes[i];
		const size_t len = make(in, c->shape, 29);

		in[(c->shape & TAGGED ? 18 : 14) + c->at] = c->value;
		resum(in, c->shape, 29);
		assert_int_equal(frame_parse(&f, in, len), c->kind);
	}
}

static void
test_more_martians(void **state UNUSED)
{
	uint8_t in[ROOM];
	struct frame f;
	size_t len = make(in, SIX, 4);

	memset(in + 14 + 8, 0, 16); /* :: and ::1 */
	resum(in, SIX, 4);
	assert_int_equal(frame_parse(&f, in, len), FRAME_MARTIAN);
	in[14 + 8 + 15] = 1;
	resum(in, SIX, 4);
	assert_int_equal(frame_parse(&f, in, len), FRAME_MARTIAN);
	in[14 + 8 + 15] = 2;
	resum(in, SIX, 4);
	assert_int_equal(frame_parse(&f, in, len), FRAME_UDP);

	len = make(in, 0, 4);
	in[6] |= 1; /* the answer would go to many */
	assert_int_equal(frame_parse(&f, in, len), FRAME_MARTIAN);
	len = make(in, 0, 4);
	put(in + 14 + 20, 0);
	resum(in, 0, 4);
	assert_int_equal(frame_parse(&f, in, len), FRAME_MARTIAN);
	len = make(in, 0, 4);
	put(in + 12, 0x0806); /* ARP */
	assert_int_equal(frame_parse(&f, in, len), FRAME_OTHER);
	len = make(in, TAGGED, 4);
	put(in + 16, 0x8100); /* two tags */
	assert_int_equal(frame_parse(&f, in, len), FRAME_OTHER);
}

/* Lengths that contradict each other. */
static void
test_lengths(void **state UNUSED)
{
	uint8_t in[ROOM];
	struct frame f;
	const size_t len = make(in, 0, 29);

	for (size_t n = 0; n < 28; n++) {
		put(in + 16, n);
		resum(in, 0, 29);
		assert_int_equal(frame_parse(&f, in, len), FRAME_DAMAGED);
	}
	put(in + 16, 28 + 29);
	for (size_t n = 0; n < 64; n++) {
		put(in + 38, n);
		resum(in, 0, n >= 8 ? n - 8 : 0);
		assert_int_equal(
		    frame_parse(&f, in, len), n < 8 || n > 37 ? FRAME_DAMAGED : FRAME_UDP);
	}
}

static void
test_link_local_peer(void **state UNUSED)
{
	uint8_t in[ROOM];
	struct frame f;
	struct addr a;
	const size_t len = make(in, SIX, 4);

	in[22] = 0xfe;
	in[23] = 0x80;
	resum(in, SIX, 4);
	assert_int_equal(frame_parse(&f, in, len), FRAME_UDP);
	frame_peer(&f, 7, &a);
	assert_int_equal(a.in6.sin6_scope_id, 7);
	frame_local(&f, &a);
	assert_int_equal(a.in6.sin6_scope_id, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_shapes),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_sum_of_zero),
		cmocka_unit_test(test_cut_and_padded),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_unfinished_sums),
		cmocka_unit_test(test_other_shapes_and_martians),
		cmocka_unit_test(test_more_martians),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_link_local_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
