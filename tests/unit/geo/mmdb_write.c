/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "mmdb_write.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "base/mem.h"
#include "net/cidr.h"

#define NODES_MAX  4096
#define EMPTY      UINT32_MAX
#define SEPARATOR  16
#define IS_DATA(x) ((x) != EMPTY && (x) >= NODES_MAX)

struct writer {
	uint32_t nodes[NODES_MAX][2]; /* a node; NODES_MAX + offset of a record; EMPTY */
	uint32_t n;
	struct buf data;
};

/* -- data -- */

static void
put_control(struct buf *b, unsigned type, size_t size)
{
	CHECK(size < 29 + 256);
	buf_put_u8(b, (uint8_t)((type < 8 ? type << 5 : 0) | (size < 29 ? size : 29)));
	if (type >= 8)
		buf_put_u8(b, (uint8_t)(type - 7));
	if (size >= 29)
		buf_put_u8(b, (uint8_t)(size - 29));
}

static void
put_string(struct buf *b, const char *s)
{
	put_control(b, 2, strlen(s));
	buf_put(b, s, strlen(s));
}

static void
put_number(struct buf *b, unsigned type, uint64_t n)
{
	uint8_t bytes[8];
	size_t len = 0;

	for (int i = 7; i >= 0; i--)
		if (len > 0 || n >> 8 * i != 0)
			bytes[len++] = (uint8_t)(n >> 8 * i);
	put_control(b, type, len);
	buf_put(b, bytes, len);
}

static void
put_value(struct buf *b, const json_t *j)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_string(j)) {
		put_string(b, json_string_value(j));
	} else if (json_is_integer(j)) {
		put_number(b, 6, (uint64_t)json_integer_value(j)); /* uint32 */
	} else if (json_is_array(j)) {
		put_control(b, 11, json_array_size(j));
		json_array_foreach(j, i, item) put_value(b, item);
	} else {
		put_control(b, 7, json_object_size(j));
		json_object_foreach((json_t *)(uintptr_t)j, key, item)
		{
			put_string(b, key);
			put_value(b, item);
		}
	}
}

static uint32_t
put_record(struct writer *w, const char *text)
{
	const uint32_t at = (uint32_t)w->data.len;
	char *copy = xstrdup(text);

	for (char *p = copy; *p != '\0'; p++)
		*p = *p == '\'' ? '"' : *p;

	json_t *j = json_loads(copy, 0, NULL);

	CHECK(j != NULL);
	put_value(&w->data, j);
	json_decref(j);
	free(copy);
	return NODES_MAX + at;
}

/* -- the tree -- */

static unsigned
bit(const struct cidr *c, unsigned lead, unsigned i)
{
	return i < lead ? 0 : c->ip[(i - lead) / 8] >> (7 - (i - lead) % 8) & 1;
}

static void
put_row(struct writer *w, unsigned ip_version, const struct mmdb_write_row *row)
{
	struct cidr c;
	uint32_t at = 0;

	CHECK(cidr_parse(&c, row->prefix) == 0);

	const unsigned lead = ip_version == 6 && c.family == AF_INET ? 96 : 0;
	const unsigned bits = lead + c.bits;

	CHECK(bits > 0);
	for (unsigned i = 0; i + 1 < bits; i++) {
		uint32_t *next = &w->nodes[at][bit(&c, lead, i)];

		if (*next == EMPTY) {
			*next = w->n++;
			CHECK(w->n <= NODES_MAX);
			w->nodes[*next][0] = w->nodes[*next][1] = EMPTY;
		}
		CHECK(!IS_DATA(*next));
		at = *next;
	}
	w->nodes[at][bit(&c, lead, bits - 1)] = put_record(w, row->record);
}

static uint32_t
pointer(const struct writer *w, uint32_t record)
{
	return record == EMPTY   ? w->n
	       : IS_DATA(record) ? w->n + SEPARATOR + (record - NODES_MAX)
				 : record;
}

static void
put_node(struct buf *b, unsigned record_size, uint32_t left, uint32_t right)
{
	if (record_size == 24) {
		for (int i = 2; i >= 0; i--)
			buf_put_u8(b, (uint8_t)(left >> 8 * i));
		for (int i = 2; i >= 0; i--)
			buf_put_u8(b, (uint8_t)(right >> 8 * i));
	} else if (record_size == 28) {
		for (int i = 2; i >= 0; i--)
			buf_put_u8(b, (uint8_t)(left >> 8 * i));
		buf_put_u8(b, (uint8_t)((left >> 24 & 15) << 4 | (right >> 24 & 15)));
		for (int i = 2; i >= 0; i--)
			buf_put_u8(b, (uint8_t)(right >> 8 * i));
	} else {
		buf_put_u32(b, left);
		buf_put_u32(b, right);
	}
}

static void
put_metadata(struct buf *b, const struct mmdb_write *w, uint32_t nodes)
{
	buf_put(b, "\xab\xcd\xefMaxMind.com", 14);
	put_control(b, 7, 9);
	put_string(b, "languages");
	put_control(b, 11, 0);
	put_string(b, "description");
	put_control(b, 7, 0);
	put_string(b, "binary_format_major_version");
	put_number(b, 5, 2);
	put_string(b, "binary_format_minor_version");
	put_number(b, 5, 0);
	put_string(b, "build_epoch");
	put_number(b, 9, 1700000000);
	put_string(b, "database_type");
	put_string(b, w->type);
	put_string(b, "ip_version");
	put_number(b, 5, w->ip_version);
	put_string(b, "node_count");
	put_number(b, 6, nodes);
	put_string(b, "record_size");
	put_number(b, 5, w->record_size);
}

void
mmdb_write_file(const struct mmdb_write *w, const char *path)
{
	struct writer *t = xcalloc(1, sizeof(*t));
	struct buf out;

	t->n = 1;
	t->nodes[0][0] = t->nodes[0][1] = EMPTY;
	buf_init(&t->data, SIZE_MAX);
	buf_init(&out, SIZE_MAX);
	for (size_t i = 0; i < w->n; i++)
		put_row(t, w->ip_version, &w->rows[i]);
	for (uint32_t i = 0; i < t->n; i++)
		put_node(
		    &out, w->record_size, pointer(t, t->nodes[i][0]), pointer(t, t->nodes[i][1]));
	for (int i = 0; i < SEPARATOR; i++)
		buf_put_u8(&out, 0);
	buf_put(&out, t->data.data, t->data.len);
	put_metadata(&out, w, t->n);
	CHECK(file_replace(path, 0644, out.data, out.len) == 0);
	buf_fini(&out);
	buf_fini(&t->data);
	free(t);
}
