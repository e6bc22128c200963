/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/line_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *
code(const struct line_info *l)
{
	return l != NULL ? l->code : "(none)";
}

static void
aliases_are_other_names(void **state)
{
	static const struct {
		const char *word, *code;
	} words[] = {
		{ "default", "default" },
		{ "cn", "cn" },
		{ "internal", "cn" },
		{ "oversea", "oversea" },
		{ "cn_hk", "hk" },
		{ "os_namerica_us", "us" },
		{ "os_namerica", "north_america" },
		{ "aliyun", "cloud_aliyun" },
		{ "search", "search" },
		{ "cn_mobile_anhui", "mobile_ah" },
		{ "cn_telecom_zhejiang", "telecom_zj" },
		{ "cn_unicom_shaanxi", "unicom_sn" },
		{ "cn_telecom", "telecom" },
		{ "topway_video", "topway_video" },
		{ "gb_lnd", "gb_lnd" },
		{ "CN", "(none)" },
		{ "", "(none)" },
		{ "nobody", "(none)" },
	};
	static const char *const primary[] = { "default", "telecom", "unicom", "mobile", "edu",
		"drpeng", "btvn", "cstnet", "wexchange", "founder", "topway_video", "wasu", "ocn",
		"cnix", "bgctv", "aliyun", "search", "oversea", "internal" };

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		assert_string_equal(code(line_tree_find(words[i].word)), words[i].code);
	for (size_t i = 0; i < sizeof(primary) / sizeof(*primary); i++)
		assert_non_null(line_tree_find(primary[i])); /* Alibaba's first level */
}

static void
way_up(const char *word, const char *const *want)
{
	const struct line_info *l = line_tree_find(word);

	for (; *want != NULL; want++, l = l->parent)
		assert_string_equal(code(l), *want);
	assert_null(l);
}

static void
parents(void **state)
{
	(void)state;
	way_up("cn_zj", (const char *const[]){ "cn_zj", "cn_east", "cn", "asia", "default", NULL });
	way_up(
	    "gb_lnd", (const char *const[]){ "gb_lnd", "gb_eng", "gb", "europe", "default", NULL });
	way_up("telecom_zj", (const char *const[]){ "telecom_zj", "telecom", "default", NULL });
	way_up("cloud_aws", (const char *const[]){ "cloud_aws", "cloud", "default", NULL });
	assert_true(line_tree_within(line_tree_find("us_ca"), line_tree_find("us")));
	assert_true(line_tree_within(line_tree_find("us"), line_tree_find("us")));
	assert_false(line_tree_within(line_tree_find("us"), line_tree_find("us_ca")));
}

static void
ranks_are_a_total_order(void **state)
{
	(void)state;
	assert_int_equal(line_tree_ranked(line_tree_count() - 1)->kind, LINE_DEFAULT);
	for (size_t i = 0; i + 1 < line_tree_count(); i++) {
		const struct line_info *a = line_tree_ranked(i), *b = line_tree_ranked(i + 1);

		assert_int_equal(a->rank, i);
		assert_ptr_equal(line_tree_at(a->index), a);
		assert_true(a->kind <= b->kind);
		if (a->kind == b->kind)
			assert_true(a->depth >= b->depth);
		if (a->parent != NULL && a->parent->kind >= a->kind)
			assert_true(a->rank < a->parent->rank);
	}
}

static void
networks(void **state)
{
	const struct line_info *telecom = line_tree_find("telecom");

	(void)state;
	assert_string_equal(code(line_tree_of_asn(4134)), "telecom");
	assert_string_equal(code(line_tree_of_asn(4812)), "telecom_sh");
	assert_string_equal(code(line_tree_of_asn(15169)), "search_google");
	assert_string_equal(code(line_tree_of_asn(16509)), "cloud_aws");
	assert_null(line_tree_of_asn(64512));
	assert_null(line_tree_of_asn(0));
	assert_string_equal(code(line_tree_meet(telecom, line_tree_find("cn_zj"))), "telecom_zj");
	assert_null(line_tree_meet(telecom, line_tree_find("us_ca")));
	assert_null(line_tree_meet(telecom, line_tree_find("cn_east")));
	assert_null(line_tree_meet(line_tree_find("cloud_aws"), line_tree_find("cn_zj")));
	assert_string_equal(code(line_tree_named(line_tree_find("us"), "california")), "us_ca");
	assert_string_equal(code(line_tree_named(line_tree_find("cn"), "Zhejiang")), "cn_zj");
	assert_null(line_tree_named(line_tree_find("cn"), "California"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aliases_are_other_names),
		cmocka_unit_test(parents),
		cmocka_unit_test(ranks_are_a_total_order),
		cmocka_unit_test(networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
