/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/rrpage.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

#define VERSION     1
#define HEADER_SIZE 5
#define FIXED_SIZE  11 /* of a set: the root, type, ttl and size */

void
rrpage_init(struct rrpage_book *b)
{
	*b = (struct rrpage_book){ .starts = NULL };
	buf_init(&b->bytes, SIZE_MAX);
}

void
rrpage_fini(struct rrpage_book *b)
{
	buf_fini(&b->bytes);
	free(b->starts);
	rrpage_init(b);
}

static void
put_u32(uint8_t *to, uint32_t v)
{
	to[0] = (uint8_t)(v >> 24);
	to[1] = (uint8_t)(v >> 16);
	to[2] = (uint8_t)(v >> 8);
	to[3] = (uint8_t)v;
}

static uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void
begin_page(struct rrpage_book *b)
{
	MEM_GROW(&b->starts, &b->cap, b->count + 1);
	b->starts[b->count++] = b->bytes.len;
	buf_put_u8(&b->bytes, VERSION);
	buf_put_u32(&b->bytes, 0);
}

/* Is `owner` (its `len` bytes before the apex) that of the newest set? */
static bool
is_newest(const struct rrpage_book *b, const uint8_t *owner, size_t len)
{
	const uint8_t *last = b->bytes.data + b->owner;

	return b->count > 0 && b->bytes.len - b->owner > len && memcmp(last, owner, len) == 0 &&
	       last[len] == 0;
}

static void
count_owner(struct rrpage_book *b)
{
	uint8_t *count = b->bytes.data + b->starts[b->count - 1] + 1;

	put_u32(count, get_u32(count) + 1);
}

void
rrpage_add(struct rrpage_book *b, size_t apex_len, const struct rrpage_set *set)
{
	const size_t len = name_len(set->owner) - apex_len;
	uint8_t head[NAME_MAX_LEN + FIXED_SIZE], *p = head + len;
	const bool again = is_newest(b, set->owner, len);

	if (b->count == 0 || (!again && b->bytes.len - b->starts[b->count - 1] >= RRPAGE_FILL))
		begin_page(b);
	b->owner = b->bytes.len;
	memcpy(head, set->owner, len);
	*p++ = 0;
	*p++ = (uint8_t)(set->type >> 8);
	*p++ = (uint8_t)set->type;
	put_u32(p, set->ttl_s);
	put_u32(p + 4, set->rdata_len);
	buf_put(&b->bytes, head, len + FIXED_SIZE);
	buf_put(&b->bytes, set->rdata, set->rdata_len);
	b->sets++;
	if (!again)
		count_owner(b);
}

struct rrpage
rrpage_at(const struct rrpage_book *b, size_t i)
{
	CHECK(i < b->count);

	const size_t end = i + 1 < b->count ? b->starts[i + 1] : b->bytes.len;

	return (struct rrpage){ b->bytes.data + b->starts[i], end - b->starts[i] };
}

int
rrpage_order(const uint8_t *a, uint16_t a_type, const uint8_t *b, uint16_t b_type)
{
	const size_t a_len = name_len(a), b_len = name_len(b);
	const int diff = memcmp(a, b, a_len < b_len ? a_len : b_len);

	/* A name ends where it says: none is the beginning of another. */
	return diff != 0 ? diff : (int)a_type - (int)b_type;
}

/* -- reading -- */

static void
open_page(struct rrpage_reader *r, const uint8_t *data, size_t len)
{
	r->in = (struct buf_reader){ .data = data, .len = len };
	if (buf_read_u8(&r->in) != VERSION)
		r->bad = true;
	(void)buf_read_u32(&r->in);
}

static void
set_apex(struct rrpage_reader *r, const uint8_t *apex)
{
	r->apex_len = name_len(apex);
	r->book = NULL;
	r->next = 0;
	r->bad = false;
	memcpy(r->space + sizeof(r->space) - r->apex_len, apex, r->apex_len);
}

void
rrpage_open(struct rrpage_reader *r, const uint8_t *apex, const uint8_t *data, size_t len)
{
	set_apex(r, apex);
	open_page(r, data, len);
}

void
rrpage_open_book(struct rrpage_reader *r, const uint8_t *apex, const struct rrpage_book *book)
{
	set_apex(r, apex);
	r->book = book;
	r->in = (struct buf_reader){ .len = 0 };
}

/* The length of the labels before the root, or more than fits if it is no such name. */
static size_t
labels_len(const struct buf_reader *in)
{
	size_t at = in->pos;

	while (at < in->len && in->data[at] != 0 && in->data[at] < 64)
		at += 1u + in->data[at];
	return at < in->len && in->data[at] == 0 ? at - in->pos : NAME_MAX_LEN;
}

static bool
read_set(struct rrpage_reader *r, struct rrpage_set *set)
{
	const size_t len = labels_len(&r->in), left = r->in.len - r->in.pos;
	const uint8_t *p = r->in.data + r->in.pos;
	uint8_t *owner;

	if (len + r->apex_len > NAME_MAX_LEN || left < len + FIXED_SIZE)
		return false;
	owner = r->space + sizeof(r->space) - r->apex_len - len;
	memcpy(owner, p, len);
	set->owner = owner;
	set->local = p;
	p += len + 1;
	set->type = (uint16_t)(p[0] << 8 | p[1]);
	set->ttl_s = get_u32(p + 2);
	set->rdata_len = get_u32(p + 6);
	set->rdata = p + 10;
	if (set->rdata_len > left - len - FIXED_SIZE)
		return false;
	r->in.pos += len + FIXED_SIZE + set->rdata_len;
	return true;
}

bool
rrpage_next(struct rrpage_reader *r, struct rrpage_set *set)
{
	while (!r->bad && r->in.pos == r->in.len) {
		if (r->book == NULL || r->next == r->book->count)
			return false;

		const struct rrpage page = rrpage_at(r->book, r->next++);

		open_page(r, page.data, page.len);
	}
	r->bad = r->bad || r->in.bad || !read_set(r, set);
	return !r->bad;
}

size_t
rrpage_owners(const uint8_t *data, size_t len)
{
	/* No set is smaller than its fixed fields: a wrong number reserves no more than there is.
	 */
	const size_t most = len / FIXED_SIZE;
	const size_t said = len >= HEADER_SIZE && data[0] == VERSION ? get_u32(data + 1) : 0;

	return said < most ? said : most;
}
