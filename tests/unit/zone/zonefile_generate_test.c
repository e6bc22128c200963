/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/zonefile_generate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dns/rrtype.h"
#include "zone/zonefile.h"

#define HEAD "@ SOA ns host 1 2 3 4 5\n@ NS ns\n"

/* The expansions are those of named-checkzone -D. */
static void
expands(void **state)
{
	static const struct {
		const char *line, *want;
	} rows[] = {
		{ "$GENERATE 1-3 a$ A 192.0.2.$", "a1 A 192.0.2.1\na2 A 192.0.2.2\n"
						  "a3 A 192.0.2.3\n" },
		{ "$generate\t5-9/3 $ 300 IN PTR h$ ; x\n", "5 300 IN PTR h5\n8 300 IN PTR h8\n" },
		{ "$GENERATE 1-1 $ IN 1h TXT \"a;$\" b;c", "1 IN 1h TXT \"a;1\" b\n" },
		{ "$GENERATE 2-2 $ MX \"10 m$ \"", "2 MX 10 m2 \n" },
		{ "$GENERATE 9-10 h${0,3} A 10.0.0.${-9}", "h009 A 10.0.0.0\nh010 A 10.0.0.1\n" },
		{ "$GENERATE 10-10 ${1,0,x}-${+5,4,X}-${0,3,o} A ::", "b-000F-012 A ::\n" },
		{ "$GENERATE 31-31 ${0,0,n}.x A a.${0,5,N}", "f.1.x A a.F.1.0\n" },
		{ "$GENERATE 31-31 ${0,4,n}x A ${0,1,n}", "f.1.x A f.1\n" },
		{ "$GENERATE 7-7 a\\$$ TXT $$-\\\\$", "a\\$7 TXT $-\\\\7\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct zonefile_generate g;
		struct buf b;

		buf_init(&b, SIZE_MAX);
		assert_null(zonefile_generate_read(&g, rows[i].line, strlen(rows[i].line)));
		for (uint32_t n = g.start; n <= g.stop; n += g.step)
			assert_null(zonefile_generate_write(&g, n, &b));
		assert_string_equal(buf_str(&b), rows[i].want);
		buf_fini(&b);
	}
}

static void
refuses(void **state)
{
	static const struct {
		const char *line, *want;
	} rows[] = {
		{ "$GENERATE", "t:3: $GENERATE" },
		{ "$GENERATE 1-3 a$ A", "t:3: $GENERATE needs data" },
		{ "$GENERATE 1-3 a$", "t:3: $GENERATE needs a type" },
		{ "$GENERATE 1-3", "t:3: $GENERATE needs an owner" },
		{ "$GENERATE 3-1 a$ A 192.0.2.$", "t:3: $GENERATE needs a range" },
		{ "$GENERATE 1-3/0 a$ A 192.0.2.$", "t:3: $GENERATE needs a range" },
		{ "$GENERATE 1-2147483648 a$ A 192.0.2.1", "t:3: $GENERATE needs a range" },
		{ "$GENERATE 0-1000000 a$ A 192.0.2.1", "t:3: $GENERATE makes over 1000000" },
		{ "$GENERATE 1-3 a${1 A 192.0.2.$", "t:3: ${offset,width,base} is not closed" },
		{ "$GENERATE 1-3 a${x} A 192.0.2.$", "t:3: ${offset,width,base}: the offset" },
		{ "$GENERATE 1-3 a${0,256} A 192.0.2.$", "t:3: ${offset,width,base}: the width" },
		{ "$GENERATE 1-3 a${0,1,q} A 192.0.2.$", "t:3: ${offset,width,base}: the base" },
		{ "$GENERATE 1-3 a${-2,1,x} A 192.0.2.$", "t:3: ${offset,width,base} becomes" },
		{ "$GENERATE 255-256 a$ A 192.0.2.$",
		    "t:3: invalid IPv4 address (generated for 256)" },
		{ "a A 192.0.2.1\n$GENERATE 1-2 a$ A 192.0.2.$\nb A x", "t:5: " },
		{ "a TXT (\n$GENERATE 1-2 a$ A 192.0.2.$\n)", "t:" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[512];
		struct zonefile z;
		struct diag d;

		diag_init(&d);
		snprintf(text, sizeof(text), HEAD "%s\n", rows[i].line);
		assert_int_not_equal(zonefile_parse(text, strlen(text), "example", "t", &z, &d), 0);
		if (strncmp(diag_text(&d), rows[i].want, strlen(rows[i].want)) != 0)
			fail_msg("%s: got '%s'", rows[i].line, diag_text(&d));
		diag_fini(&d);
	}
}

/* Origin, TTL and owner go through; so do the lines' numbers. */
static void
among_others(void **state)
{
	static const char text[] = "$TTL 60\n" HEAD "$ORIGIN sub.example.\n"
				   "$GENERATE 1-2 h${0,2} A 192.0.2.$\n"
				   "$GENERATE 1-2 n AAAA 2001:db8::$\n"
				   "\tTXT x\n"
				   "$GENERATE 3-3 h$ 5 A 192.0.2.$";
	struct zonefile z;
	struct diag d;
	struct buf out;

	(void)state;
	diag_init(&d);
	buf_init(&out, SIZE_MAX);
	if (zonefile_parse(text, sizeof(text) - 1, "example", "t", &z, &d) != 0)
		fail_msg("%s", diag_text(&d));
	zonefile_write(&z.sets, (const uint8_t *)"\7example", &out);
	assert_string_equal(strstr(buf_str(&out), "h01"), "h01.sub\t60\tIN\tA\t192.0.2.1\n"
							  "h02.sub\t60\tIN\tA\t192.0.2.2\n"
							  "h3.sub\t5\tIN\tA\t192.0.2.3\n"
							  "n.sub\t60\tIN\tTXT\t\"x\"\n"
							  "n.sub\t60\tIN\tAAAA\t2001:db8::1\n"
							  "n.sub\t60\tIN\tAAAA\t2001:db8::2\n");
	assert_int_equal(z.records, 8);
	zonefile_fini(&z);
	buf_fini(&out);
	diag_fini(&d);
}

static void
note(void *arg, size_t bytes)
{
	size_t *last = arg;

	assert_true(bytes >= *last);
	*last = bytes;
}

static void
tells_progress(void **state)
{
	struct buf text;
	size_t last = 0;
	const struct zonefile_hooks hooks = { &last, note };
	struct zonefile z;
	struct diag d;

	(void)state;
	diag_init(&d);
	buf_init(&text, SIZE_MAX);
	buf_puts(&text, HEAD);
	for (int i = 0; i < 20000; i++)
		buf_printf(&text, "h%d A 192.0.2.1\n", i);
	assert_int_equal(
	    zonefile_parse_told((char *)text.data, text.len, "example", "t", &hooks, &z, &d), 0);
	assert_true(last > text.len / 2 && last <= text.len);
	zonefile_fini(&z);
	buf_fini(&text);
	diag_fini(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expands),
		cmocka_unit_test(refuses),
		cmocka_unit_test(among_others),
		cmocka_unit_test(tells_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
