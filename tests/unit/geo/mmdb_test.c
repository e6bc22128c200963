/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "geo/mmdb.h"

#include <errno.h>

#include "base/buf.h"
#include "base/file.h"
#include "look.h"
#include "mmdb_write.h"

/* The library forgets what it has read of a damaged file's metadata. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb\n";
}

static const struct mmdb_keys usual = { 0 };

static struct layer
read_rows(const struct mmdb_write *w, const struct mmdb_keys *keys)
{
	const char *path = look_path(".mmdb");
	struct layer l;
	int64_t made;
	struct diag d;

	diag_init(&d);
	layer_init(&l);
	mmdb_write_file(w, path);
	if (mmdb_read(path, keys, &l, &made, &d) < 0)
		fail_msg("%s", diag_text(&d));
	assert_int_equal(made, 1700000000000);
	layer_finish(&l);
	unlink(path);
	diag_fini(&d);
	return l;
}

static const struct mmdb_write_row nested[] = {
	{ "1.0.0.0/8", "{'country':{'iso_code':'AU','names':{'en':'Australia'}},'city':1}" },
	{ "2.0.0.0/15", "{'country':{'iso_code':'US'},'subdivisions':[{'iso_code':'CA'}]}" },
	{ "2.2.0.0/32", "{'registered_country':{'iso_code':'FR'}}" },
	{ "255.0.0.0/8", "{'country':{'iso_code':'CN'},'subdivisions':[{'iso_code':'ZJ'}]}" },
	{ "128.0.0.0/2", "{'location':{'zone':'x'}}" },
	{ "2001:db8::/32", "{'country':{'iso_code':'DE'}}" },
	{ "2001:db9::1/128", "{'country':{'iso_code':'IT'}}" },
	{ "8000::/1", "{'country':{'iso_code':'JP'}}" },
};

static void
layouts(void **state)
{
	static const unsigned sizes[] = { 24, 28, 32 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct mmdb_write w = { sizes[i], 6, "Test-City", nested, 8 };
		struct layer l = read_rows(&w, &usual);

		assert_string_equal(look_layer(&l, "1.255.255.255"), "au -");
		assert_string_equal(look_layer(&l, "2.1.0.0"), "us_ca -");
		assert_string_equal(look_layer(&l, "2.2.0.0"), "fr -");
		assert_string_equal(look_layer(&l, "2.2.0.1"), "");
		assert_string_equal(look_layer(&l, "255.255.255.255"), "cn_zj -");
		assert_string_equal(look_layer(&l, "130.0.0.0"), "");
		assert_string_equal(look_layer(&l, "2001:db8:ffff::"), "de -");
		assert_string_equal(look_layer(&l, "2001:db9::1"), "it -");
		assert_string_equal(look_layer(&l, "2001:db9::2"), "");
		assert_string_equal(
		    look_layer(&l, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "jp -");
		assert_string_equal(look_layer(&l, "::1.0.0.1"), ""); /* is IPv4's place */
		layer_fini(&l);
	}
}

static void
flat_ones(void **state)
{
	static const struct mmdb_write_row rows[] = {
		{ "1.0.0.0/8", "{'country_code':'US','state1':'California'}" },
		{ "2.0.0.0/8", "{'country_code':'CN','state1':'Zhejiang','city':'Hangzhou'}" },
		{ "3.0.0.0/8", "{'autonomous_system_number':4134}" },
		{ "4.0.0.0/8", "{'country':'DE','asn':'AS16509'}" },
		{ "5.0.0.0/8", "{'autonomous_system_number':64512}" },
	};
	const struct mmdb_write w = { 28, 4, "test ipv4", rows, 5 };
	struct layer l = read_rows(&w, &usual);

	(void)state;
	assert_string_equal(look_layer(&l, "1.0.0.1"), "us_ca -");
	assert_string_equal(look_layer(&l, "2.0.0.1"), "cn_zj -");
	assert_string_equal(look_layer(&l, "3.0.0.1"), "- telecom");
	assert_string_equal(look_layer(&l, "4.0.0.1"), "de cloud_aws");
	assert_string_equal(look_layer(&l, "5.0.0.1"), "");
	assert_int_equal(l.skipped, 1);
	layer_fini(&l);
}

static void
keys_of_ones_own(void **state)
{
	static const struct mmdb_write_row rows[] = {
		{ "1.0.0.0/8", "{'where':[{'land':'US'},'CA'],'net':{'as':4134},'country':'DE'}" },
	};
	const struct mmdb_write w = { 24, 4, "own", rows, 1 };
	struct mmdb_keys keys = { "where.0.land", "where.1", "net.as" };
	struct layer l = read_rows(&w, &keys);

	(void)state;
	assert_string_equal(look_layer(&l, "1.0.0.1"), "us_ca telecom");
	layer_fini(&l);
}

static void
refused(const char *path, const struct mmdb_keys *keys, const char *detail)
{
	struct layer l;
	int64_t made;
	struct diag d;

	diag_init(&d);
	layer_init(&l);
	assert_int_equal(mmdb_read(path, keys, &l, &made, &d), -EINVAL);
	assert_string_equal(d.first->where, path);
	assert_string_equal(d.first->detail, detail);
	layer_fini(&l);
	diag_fini(&d);
}

static void
wrong_files(void **state)
{
	static const struct mmdb_keys strange = { "no.such", "x", "y" };
	const struct mmdb_write w = { 24, 6, "Test-City", nested, 8 };
	const char *path = look_path(".mmdb");

	(void)state;
	refused("/nonexistent/x.mmdb", &usual, "No such file or directory");
	mmdb_write_file(&w, path);
	refused(path, &strange, "has neither a country nor an AS number where we look for them");
	assert_int_equal(file_replace(path, 0644, "not a database", 14), 0);
	refused(path, &usual, "The MaxMind DB file contains invalid metadata");
	unlink(path);
}

/* Whatever is done to a file, it is read or refused. */
static void
survive(struct buf *file, const char *path)
{
	struct layer l;
	int64_t made;
	struct diag d;

	diag_init(&d);
	layer_init(&l);
	FILE *to = fopen(path, "w"); /* file_replace would wait for the disk, thousands of times */

	assert_non_null(to);
	assert_int_equal(fwrite(file->data, 1, file->len, to), file->len);
	assert_int_equal(fclose(to), 0);
	if (mmdb_read(path, &usual, &l, &made, &d) < 0)
		assert_true(diag_failed(&d));
	layer_finish(&l);
	layer_fini(&l);
	diag_fini(&d);
}

static void
damaged_files(void **state)
{
	const struct mmdb_write w = { 24, 6, "Test-City", nested, 8 };
	const char *path = look_path(".mmdb");
	struct buf file;

	(void)state;
	buf_init(&file, 1 << 20);
	mmdb_write_file(&w, path);
	assert_int_equal(file_read(path, &file), 0);

	const size_t whole = file.len;

	for (size_t len = whole - 1; len > 0; len -= len < 7 ? len : 7) {
		file.len = len;
		survive(&file, path);
	}
	file.len = whole;
	for (size_t i = 0; i < whole; i += 3) {
		const uint8_t was = file.data[i];

		file.data[i] ^= (uint8_t)(1 + i % 255);
		survive(&file, path);
		file.data[i] = was;
	}
	unlink(path);
	buf_fini(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layouts),
		cmocka_unit_test(flat_ones),
		cmocka_unit_test(keys_of_ones_own),
		cmocka_unit_test(wrong_files),
		cmocka_unit_test(damaged_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
