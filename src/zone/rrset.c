/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/rrset.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dns/rrtype.h"

static uint16_t
rdata_len(const uint8_t *item)
{
	return (uint16_t)(item[0] << 8 | item[1]);
}

/* RFC 4034 section 6.3: as left-justified unsigned octets, the shorter first. */
static int
order(const uint8_t *a, const uint8_t *b)
{
	uint16_t an = rdata_len(a), bn = rdata_len(b);
	int diff = memcmp(a + 2, b + 2, an < bn ? an : bn);

	return diff != 0 ? diff : (int)an - (int)bn;
}

static int
order_items(const void *a, const void *b)
{
	return order(*(const uint8_t *const *)a, *(const uint8_t *const *)b);
}

/* The number of items, or 0 when they do not fill `size` exactly or are too many. */
static size_t
count_items(const uint8_t *data, size_t size)
{
	size_t n = 0;

	for (size_t pos = 0; pos < size; n++) {
		if (size - pos < 2 || size - pos - 2 < rdata_len(data + pos))
			return 0;
		pos += 2u + rdata_len(data + pos);
	}
	return n <= UINT16_MAX ? n : 0;
}

static void
append(struct rrset *s, const uint8_t *item)
{
	size_t n = 2u + rdata_len(item);

	memcpy(s->data + s->size, item, n);
	s->size += (uint32_t)n;
	s->count++;
}

static void
append_sorted(struct rrset *s, const uint8_t *data, size_t n)
{
	const uint8_t **items = xcalloc(n, sizeof(*items));

	for (size_t i = 0; i < n; i++, data += 2 + rdata_len(data))
		items[i] = data;
	qsort(items, n, sizeof(*items), order_items);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || order(items[i - 1], items[i]) != 0)
			append(s, items[i]);
	free(items);
}

#define ORIGINAL_TTL 4 /* after type covered, algorithm, labels */

uint32_t
rrset_ttl(const struct rrset *s, const uint8_t *rdata, uint16_t rdlen)
{
	const uint8_t *p = rdata + ORIGINAL_TTL;

	if (s->type != RRTYPE_RRSIG || rdlen < ORIGINAL_TTL + 4 || (*p & 0x80) != 0)
		return s->ttl_s;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

struct rrset *
rrset_new(uint16_t type, uint32_t ttl_s, const uint8_t *data, size_t size)
{
	size_t n = count_items(data, size);
	struct rrset *s;

	if (n == 0 || size > UINT32_MAX)
		return NULL;
	s = xmalloc(sizeof(*s) + size);
	*s = (struct rrset){ .ttl_s = ttl_s, .type = type };
	if (n == 1)
		append(s, data);
	else
		append_sorted(s, data, n);
	if (type == RRTYPE_RRSIG)
		s->ttl_s = rrset_ttl(s, s->data + 2, rdata_len(s->data));
	return s;
}

void
rrset_free(struct rrset **s)
{
	free(*s);
	*s = NULL;
}

const uint8_t *
rrset_next(const struct rrset *s, uint32_t *pos, uint16_t *rdlen)
{
	const uint8_t *item = s->data + *pos;

	if (*pos >= s->size)
		return NULL;
	*rdlen = rdata_len(item);
	*pos += 2u + *rdlen;
	return item + 2;
}

bool
rrset_equal(const struct rrset *a, const struct rrset *b)
{
	return a->type == b->type && a->ttl_s == b->ttl_s && a->size == b->size &&
	       memcmp(a->data, b->data, a->size) == 0;
}
