/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "geo/atlas_file.h"

#include "base/buf.h"
#include "base/file.h"
#include "look.h"

static struct atlas *
make(void)
{
	static const char *const sets[][3] = { { "us_ca", "us", "oversea" }, { "telecom", "cn" } };
	struct atlas_draft *d = atlas_draft_new();
	uint32_t numbers[2];
	enum atlas_family f;

	for (size_t i = 0; i < 2; i++) {
		uint16_t lines[3];
		size_t n = 0;

		for (; n < 3 && sets[i][n] != NULL; n++)
			lines[n] = line_tree_find(sets[i][n])->index;
		numbers[i] = atlas_draft_set_from(d, lines, n, (uint8_t)(i + 1), (uint8_t)i);
	}
	atlas_draft_from(d, ATLAS_V4, look_point("1.0.0.0", &f), numbers[0]);
	atlas_draft_from(d, ATLAS_V4, look_point("2.0.0.0", &f), 0);
	atlas_draft_from(d, ATLAS_V4, look_point("255.255.255.255", &f), numbers[1]);
	atlas_draft_from(d, ATLAS_V6, look_point("2001:db8::1", &f), numbers[1]);
	atlas_draft_from(d, ATLAS_V6, look_point("2001:db8::2", &f), 0);
	return atlas_draft_finish(&d);
}

static struct atlas *
read_back(const char *path, struct diag *d)
{
	char *note;
	struct atlas *a = atlas_file_read(path, &note, d);

	assert_int_equal(a == NULL, note == NULL);
	if (note != NULL)
		assert_string_equal(note, "made by hand");
	free(note);
	return a;
}

static void
comes_back(void **state)
{
	const char *path = look_path(".atlas");
	struct atlas *a = make(), *b;
	struct diag d;

	(void)state;
	diag_init(&d);
	assert_int_equal(atlas_file_write(path, a, "made by hand"), 0);
	b = read_back(path, &d);
	assert_non_null(b);
	for (int f = 0; f < ATLAS_FAMILIES; f++) {
		assert_int_equal(atlas_count(b, f), atlas_count(a, f));
		for (size_t i = 0; i < atlas_count(a, f); i++) {
			const struct atlas_set x = atlas_set(a, atlas_set_at(a, f, i));
			const struct atlas_set y = atlas_set(b, atlas_set_at(b, f, i));

			assert_int_equal(
			    atlas_point_compare(atlas_start(a, f, i), atlas_start(b, f, i)), 0);
			assert_int_equal(x.count, y.count);
			assert_int_equal(x.place_from, y.place_from);
			assert_int_equal(x.network_from, y.network_from);
			if (x.count > 0)
				assert_memory_equal(x.lines, y.lines, x.count * sizeof(*x.lines));
		}
	}
	assert_string_equal(look_atlas(b, "1.255.255.255"), "us_ca us oversea");
	assert_string_equal(look_atlas(b, "2001:db8::1"), "telecom cn");
	unlink(path);
	atlas_unref(&a);
	atlas_unref(&b);
	diag_fini(&d);
}

/* No byte may be lost or changed. */
static void
damage_is_seen(void **state)
{
	const char *path = look_path(".atlas");
	struct atlas *a = make(), *b;
	struct buf file;
	struct diag d;

	(void)state;
	diag_init(&d);
	buf_init(&file, 1 << 24);
	assert_null(read_back("/nonexistent/atlas", &d));
	assert_int_equal(d.code, DIAG_NOT_FOUND);
	assert_int_equal(atlas_file_write(path, a, "made by hand"), 0);
	assert_int_equal(file_read(path, &file), 0);
	for (size_t i = 0; i < file.len; i += 97) {
		FILE *to = fopen(path, "w");

		file.data[i] ^= 0x40;
		assert_int_equal(fwrite(file.data, 1, file.len - (i % 2), to), file.len - (i % 2));
		assert_int_equal(fclose(to), 0);
		file.data[i] ^= 0x40;
		b = read_back(path, &d);
		assert_null(b);
	}
	unlink(path);
	buf_fini(&file);
	atlas_unref(&a);
	diag_fini(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back),
		cmocka_unit_test(damage_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
