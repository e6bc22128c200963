/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "geo/survey.h"

#include "base/file.h"
#include "look.h"

#define SOURCES 3

static char paths[SOURCES][64];

static struct atlas *
make(const char *const texts[SOURCES], struct survey_report reports[SOURCES], struct diag *d)
{
	struct survey_source sources[SOURCES] = { 0 };
	size_t n = 0;

	for (; n < SOURCES && texts[n] != NULL; n++) {
		snprintf(
		    paths[n], sizeof(paths[n]), "/tmp/survey-test-%d-%zu.csv", (int)getpid(), n);
		assert_int_equal(file_replace(paths[n], 0644, texts[n], strlen(texts[n])), 0);
		sources[n].file = paths[n];
	}

	struct atlas *a = survey_make(sources, n, reports, d);

	for (size_t i = 0; i < n; i++)
		unlink(paths[i]);
	return a;
}

static void
places_and_networks_meet(void **state)
{
	static const char *const texts[SOURCES] = {
		"1.0.0.0/8,CN,Zhejiang\n2.0.0.0/8,US,CA\n3.0.0.0/8,CN,\n4.0.0.0/8,HK,\n",
		"1.0.0.0/9,4134\n2.128.0.0/9,16509\n3.0.0.0/16,16509\n3.1.0.0/16,4812\n1.128.0.0/"
		"9,4812\n"
		"9.0.0.0/8,9808\n",
		"0.0.0.0/4,FR\n",
	};
	struct survey_report reports[SOURCES];
	struct diag d;

	(void)state;
	diag_init(&d);

	struct atlas *a = make(texts, reports, &d);

	assert_non_null(a);
	assert_string_equal(look_atlas(a, "1.0.0.0"), "telecom_zj telecom cn_zj cn_east cn asia");
	assert_string_equal(/* what the places say goes before what the network's number says */
	    look_atlas(a, "1.255.0.0"), "telecom_zj telecom cn_zj cn_east cn asia");
	assert_string_equal(look_atlas(a, "2.0.0.0"), "us_ca us north_america oversea");
	assert_string_equal(
	    look_atlas(a, "2.200.0.0"), "cloud_aws cloud us_ca us north_america oversea");
	assert_string_equal(look_atlas(a, "3.0.5.0"), "cloud_aws cloud cn asia");
	assert_string_equal(/* the number knows the province */
	    look_atlas(a, "3.1.5.0"), "telecom_sh telecom cn_sh cn_east cn asia");
	assert_string_equal(look_atlas(a, "3.255.255.255"), "cn asia");
	assert_string_equal(look_atlas(a, "4.1.1.1"), "hk asia oversea");
	assert_string_equal(look_atlas(a, "5.1.1.1"), "fr europe oversea"); /* of the last */
	assert_string_equal(look_atlas(a, "9.1.1.1"), "mobile fr europe oversea");
	assert_string_equal(look_atlas(a, "16.0.0.0"), "");
	assert_string_equal(look_atlas(a, "2001:db8::"), "");
	assert_int_equal(reports[0].ranges, 4);
	assert_true(reports[0].modified_ms > 0);
	atlas_unref(&a);
	diag_fini(&d);
}

static void
a_line_knows_its_ranges(void **state)
{
	static const char *const texts[SOURCES] = {
		"1.0.0.0/8,US,CA\n2.0.0.0/8,US,NY\n2001:db8::/32,US,CA\n4.0.0.0/8,US,CA\n"
	};
	struct survey_report reports[SOURCES];
	struct diag d;

	(void)state;
	diag_init(&d);

	struct atlas *a = make(texts, reports, &d);
	const struct atlas_list sets = atlas_sets_of(a, line_tree_find("us_ca")->index);

	assert_int_equal(sets.count, 1);
	assert_int_equal(atlas_sets_of(a, line_tree_find("us")->index).count, 2);
	assert_int_equal(atlas_sets_of(a, line_tree_find("cn")->index).count, 0);

	const struct atlas_list four = atlas_ranges_of(a, ATLAS_V4, sets.items[0]);

	assert_int_equal(four.count, 2);
	assert_true(atlas_start(a, ATLAS_V4, four.items[0]).hi == UINT64_C(1) << 56);
	assert_true(atlas_end(a, ATLAS_V4, four.items[0]).hi == UINT64_C(0x01ffffff00000000));
	assert_int_equal(atlas_ranges_of(a, ATLAS_V6, sets.items[0]).count, 1);
	atlas_unref(&a);
	diag_fini(&d);
}

static void
what_is_wrong_is_told(void **state)
{
	static const char *const bad[SOURCES] = { "1.0.0.0/8,US\n", "1.0.0.0/8,4134\nx,y,z\n" };
	static const char *const useless[SOURCES] = { "1.0.0.0/8,64512\n" };
	struct survey_source missing = { .file = "/nonexistent/x.csv" };
	struct survey_report reports[SOURCES];
	struct diag d;

	(void)state;
	diag_init(&d);
	assert_null(make(bad, reports, &d));
	assert_non_null(strstr(diag_text(&d), "-1.csv:2: is not an address (got x)"));
	diag_fini(&d);
	diag_init(&d);
	assert_null(make(useless, reports, &d));
	assert_non_null(strstr(diag_text(&d), "says nothing about any line we know"));
	diag_fini(&d);
	diag_init(&d);
	assert_null(survey_make(&missing, 1, reports, &d));
	assert_string_equal(diag_text(&d), "/nonexistent/x.csv: No such file or directory");
	diag_fini(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_and_networks_meet),
		cmocka_unit_test(a_line_knows_its_ranges),
		cmocka_unit_test(what_is_wrong_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
