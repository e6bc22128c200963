/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "geo/atlas_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "model/line_tree.h"

#define MAGIC    "GTMATLAS"
#define VERSION  1
#define HEAD     20 /* magic, version, checksum */
#define FILE_MAX ((size_t)1 << 31)

/* -- writing -- */

static void
put_text(struct buf *b, const char *text)
{
	const size_t len = strlen(text);

	buf_put_u32(b, (uint32_t)len);
	buf_put(b, text, len);
}

/* All lines by code: numbers are of this build only. */
static void
put_codes(struct buf *b)
{
	buf_put_u32(b, (uint32_t)line_tree_count());
	for (size_t i = 0; i < line_tree_count(); i++)
		put_text(b, line_tree_at(i)->code);
}

static void
put_sets(struct buf *b, const struct atlas *a)
{
	buf_put_u32(b, (uint32_t)atlas_sets(a));
	for (uint32_t i = 0; i < atlas_sets(a); i++) {
		const struct atlas_set s = atlas_set(a, i);

		buf_put_u8(b, s.place_from);
		buf_put_u8(b, s.network_from);
		buf_put_u8(b, (uint8_t)s.count);
		for (size_t k = 0; k < s.count; k++)
			buf_put_u16(b, s.lines[k]);
	}
}

static void
put_ranges(struct buf *b, const struct atlas *a, enum atlas_family f)
{
	buf_put_u32(b, (uint32_t)atlas_count(a, f));
	for (size_t i = 0; i < atlas_count(a, f); i++) {
		const struct atlas_point p = atlas_start(a, f, i);

		buf_put_u64(b, p.hi);
		buf_put_u64(b, p.lo);
		buf_put_u32(b, atlas_set_at(a, f, i));
	}
}

int
atlas_file_write(const char *path, const struct atlas *a, const char *note)
{
	struct buf body, whole;
	int err;

	buf_init(&body, FILE_MAX);
	buf_init(&whole, FILE_MAX);
	put_text(&body, note);
	put_codes(&body);
	put_sets(&body, a);
	for (int f = 0; f < ATLAS_FAMILIES; f++)
		put_ranges(&body, a, f);
	buf_put(&whole, MAGIC, strlen(MAGIC));
	buf_put_u32(&whole, VERSION);
	buf_put_u64(&whole, XXH3_64bits(body.data, body.len));
	buf_put(&whole, body.data, body.len);
	err = whole.overflow ? -EFBIG : file_replace(path, 0644, whole.data, whole.len);
	buf_fini(&body);
	buf_fini(&whole);
	return err;
}

/* -- reading -- */

struct reader {
	struct buf_reader r;
	uint16_t *lines; /* a line's number in the file -> in our tree */
	uint32_t n_lines;
	uint32_t *sets; /* likewise */
	uint32_t n_sets;
	struct atlas_draft *draft;
	struct atlas_point last;
};

static char *
take_text(struct buf_reader *r)
{
	const uint32_t len = buf_read_u32(r);
	const uint8_t *bytes = buf_read_bytes(r, len);

	return bytes != NULL ? xstrndup((const char *)bytes, len) : NULL;
}

/* How many items of at least `size` bytes follow; none if there is no room for them. */
static uint32_t
take_count(struct buf_reader *r, size_t size)
{
	const uint32_t n = buf_read_u32(r);

	if (n > (r->len - r->pos) / size)
		r->bad = true;
	return r->bad ? 0 : n;
}

static void
take_codes(struct reader *t)
{
	t->n_lines = take_count(&t->r, 4);
	t->lines = xcalloc(t->n_lines + 1, sizeof(*t->lines));
	for (uint32_t i = 0; i < t->n_lines && !t->r.bad; i++) {
		char *code = take_text(&t->r);
		const struct line_info *l = code != NULL ? line_tree_find(code) : NULL;

		if (l == NULL)
			t->r.bad = true;
		else
			t->lines[i] = l->index;
		free(code);
	}
}

static void
take_set(struct reader *t, uint32_t i)
{
	uint16_t lines[ATLAS_SET_MAX];
	const uint8_t place_from = buf_read_u8(&t->r), network_from = buf_read_u8(&t->r);
	const uint8_t n = buf_read_u8(&t->r);

	if (n > ATLAS_SET_MAX)
		t->r.bad = true;
	for (uint8_t k = 0; k < n && !t->r.bad; k++) {
		const uint16_t line = buf_read_u16(&t->r);

		if (line >= t->n_lines)
			t->r.bad = true;
		else
			lines[k] = t->lines[line];
	}
	if (!t->r.bad)
		t->sets[i] = atlas_draft_set_from(t->draft, lines, n, place_from, network_from);
}

static void
take_ranges(struct reader *t, enum atlas_family f)
{
	const uint32_t n = take_count(&t->r, 20);

	for (uint32_t i = 0; i < n && !t->r.bad; i++) {
		struct atlas_point p;

		p.hi = buf_read_u64(&t->r);
		p.lo = buf_read_u64(&t->r);

		const uint32_t set = buf_read_u32(&t->r);

		if (set >= t->n_sets || (i > 0 && atlas_point_compare(t->last, p) >= 0))
			t->r.bad = true;
		else
			atlas_draft_from(t->draft, f, p, t->sets[set]);
		t->last = p;
	}
}

static bool
is_ours(const struct buf *file)
{
	struct buf_reader r = { .data = file->data, .len = file->len, .pos = strlen(MAGIC) };

	return file->len >= HEAD && memcmp(file->data, MAGIC, strlen(MAGIC)) == 0 &&
	       buf_read_u32(&r) == VERSION &&
	       buf_read_u64(&r) == XXH3_64bits(file->data + HEAD, file->len - HEAD);
}

static struct atlas *
take(const struct buf *file, char **note)
{
	struct reader t = { .r = { .data = file->data, .len = file->len, .pos = HEAD },
		.draft = atlas_draft_new() };
	struct atlas *a = NULL;

	*note = take_text(&t.r);
	take_codes(&t);
	t.n_sets = take_count(&t.r, 3);
	t.sets = xcalloc(t.n_sets + 1, sizeof(*t.sets));
	for (uint32_t i = 0; i < t.n_sets && !t.r.bad; i++)
		take_set(&t, i);
	for (int f = 0; f < ATLAS_FAMILIES; f++)
		take_ranges(&t, f);
	if (!t.r.bad && *note != NULL)
		a = atlas_draft_finish(&t.draft);
	else
		atlas_draft_free(&t.draft);
	free(t.lines);
	free(t.sets);
	return a;
}

struct atlas *
atlas_file_read(const char *path, char **note, struct diag *d)
{
	struct atlas *a = NULL;
	struct buf file;
	int err;

	*note = NULL;
	buf_init(&file, FILE_MAX);
	err = file_read(path, &file);
	if (err < 0)
		diag_add(
		    d, err == -ENOENT ? DIAG_NOT_FOUND : DIAG_INVALID, path, "%s", strerror(-err));
	else if (!is_ours(&file) || (a = take(&file, note)) == NULL)
		diag_add(d, DIAG_INVALID, path, "is damaged, or of another version");
	buf_fini(&file);
	if (a == NULL) {
		free(*note);
		*note = NULL;
	}
	return a;
}
