/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "geo/csv.h"

#include <errno.h>

#include "base/mem.h"
#include "look.h"

static struct layer
read_all(const char *text, struct csv_columns columns)
{
	char *copy = xstrdup(text);
	struct layer l;
	struct diag d;

	diag_init(&d);
	layer_init(&l);
	if (csv_read(copy, strlen(text), "f.csv", &columns, &l, &d) < 0)
		fail_msg("%s", diag_text(&d));
	layer_finish(&l);
	diag_fini(&d);
	free(copy);
	return l;
}

static void
says(const char *text, const char *ip, const char *want)
{
	struct layer l = read_all(text, (struct csv_columns){ 0 });

	assert_string_equal(look_layer(&l, ip), want);
	layer_fini(&l);
}

static void
shapes_of_rows(void **state)
{
	(void)state;
	says("1.0.1.0,1.0.3.255,CN\n", "1.0.3.255", "cn -");
	says("1.0.1.0,1.0.3.255,CN\n", "1.0.4.0", "");
	says("start,end,country_code\r\n1.0.1.0,1.0.3.255,cn\r\n", "1.0.1.0", "cn -");
	says("# by hand\n\n1.0.1.0/24,US,California", "1.0.1.9", "us_ca -");
	says("1.0.1.0/24,US,US-CA\n", "1.0.1.9", "us_ca -");
	says("1.0.1.0/24,US,Nowhere\n", "1.0.1.9", "us -");
	says("16777472,16778239,CN\n", "1.0.3.255", "cn -");
	says("1.0.1.0/24,4134,\"Chinanet, \"\"net\"\"\"\n", "1.0.1.9", "- telecom");
	says("1.0.1.0/24,AS15169\n", "1.0.1.9", "- search_google");
	says(
	    "\"1.0.1.0\",\"1.0.1.255\",\"16509\",\"Amazon.com, Inc.\"\n", "1.0.1.9", "- cloud_aws");
	says("2001:db8::,2001:db8:0:ffff:ffff:ffff:ffff:ffff,FR\n", "2001:db8::1", "fr -");
	says("42540766411282592856903984951653826560,42540766411282592856903984951653826561,FR\n",
	    "2001:db8::1", "fr -");
	says("0.0.0.0,255.255.255.255,DE\n", "255.255.255.255", "de -");
	says("::/0,DE\n", "ffff::", "de -");
	says("1.0.1.0/24,ZZ\n1.0.2.0/24,DE\n", "1.0.2.1", "de -");
}

static void
columns_can_be_given(void **state)
{
	struct layer l = read_all("1.0.1.0/24,x,4134,y,CN,ZJ\n", (struct csv_columns){ 5, 6, 3 });

	(void)state;
	assert_string_equal(look_layer(&l, "1.0.1.1"), "cn_zj telecom");
	layer_fini(&l);
}

/* Inside a range a narrower one holds; what is said twice is said. */
static void
ranges_may_overlap(void **state)
{
	static const char text[] =
	    "10.0.0.0,10.255.255.255,US\n10.1.0.0,10.1.255.255,CN\n10.1.1.0,10.1.1.255,FR\n"
	    "10.1.1.0,10.1.1.255,DE\n10.255.0.0,11.0.255.255,GB\n"
	    "10.0.0.0,10.255.255.255,US\n9.0.0.0,9.255.255.255,JP\n";

	(void)state;
	says(text, "9.255.255.255", "jp -");
	says(text, "10.0.0.1", "us -");
	says(text, "10.1.0.255", "cn -");
	says(text, "10.1.1.1", "de -");
	says(text, "10.1.2.0", "cn -");
	says(text, "10.2.0.0", "us -");
	says(text, "10.254.255.255", "us -");
	says(text, "10.255.0.0", "gb -");
	says(text, "11.0.255.255", "gb -");
	says(text, "11.1.0.0", "");
	says("0.0.0.0/0,US\n255.0.0.0/8,CN\n", "255.255.255.255", "cn -");
	says("::/0,US\nffff::/16,CN\n", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "cn -");
}

static void
refused(const char *text, size_t len, const char *want)
{
	char *copy = xmalloc(len + 1);
	const struct csv_columns columns = { 0 };
	struct layer l;
	struct diag d;

	memcpy(copy, text, len);
	copy[len] = '\0';
	diag_init(&d);
	layer_init(&l);
	assert_int_equal(csv_read(copy, len, "f.csv", &columns, &l, &d), -EINVAL);
	assert_string_equal(diag_text(&d), want);
	layer_fini(&l);
	diag_fini(&d);
	free(copy);
}

static void
wrong_rows(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "1.0.0.0/24,CN\n1.0.1.1/24,CN\n",
		    "f.csv:2: is not a range of addresses (got 1.0.1.1/24)" },
		{ "1.0.0.0,x,CN\n", "f.csv:1: is not an address (got x)" },
		{ "1.0.0.256,1.0.0.257,CN\n", "f.csv:1: is not an address (got 1.0.0.256)" },
		{ "1.0.0.9,1.0.0.8,CN\n", "f.csv:1: is before the first address (got 1.0.0.8)" },
		{ "1.0.0.9,2001:db8::,CN\n",
		    "f.csv:1: is not of the family of the first address (got 2001:db8::)" },
		{ "1.0.0.0/24\n",
		    "f.csv:1: ends after its addresses (allowed a country or the number of an "
		    "AS)" },
		{ "1.0.0.0/24,Germany\n",
		    "f.csv:1: the column after the addresses cannot be told (got Germany; allowed "
		    "a country such as CN, or the number of an AS)" },
		{ "1.0.0.0/24,4134\n1.0.1.0/24,CN\n",
		    "f.csv:2: is not the number of an AS (got CN)" },
		{ "1.0.0.0/24,99999999999\n",
		    "f.csv:1: the column after the addresses cannot be told (got 99999999999; "
		    "allowed a country such as CN, or the number of an AS)" },
		{ "999999999999999999999999999999999999999999,1,CN\n",
		    "f.csv:1: is not an address (got 999999999999999999999999999999999999999999)" },
		{ "1.0.0.0/24,CN\n1.0.1.0,1.0.1.255,CN\n",
		    "f.csv:2: says its range in another way than the rows before (got 1.0.1.0; "
		    "allowed a prefix)" },
		{ "\n,,\n", "f.csv:2: is not an address (got )" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		refused(rows[i].text, strlen(rows[i].text), rows[i].want);
	refused("1.0.0.0/24,\0CN\n", 15, "f.csv:1: is not text");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes_of_rows),
		cmocka_unit_test(columns_can_be_given),
		cmocka_unit_test(ranges_may_overlap),
		cmocka_unit_test(wrong_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
