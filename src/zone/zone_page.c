/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/zone_page.h"

#include <errno.h>

#include "base/check.h"

static bool
put_all(struct zone *z, struct rrpage_reader *r)
{
	struct rrpage_set s;

	while (rrpage_next(r, &s)) {
		struct rrset *set = rrset_new(s.type, s.ttl_s, s.rdata, s.rdata_len);

		if (set != NULL && s.type != 0) {
			zone_put(z, s.owner, set);
		} else {
			rrset_free(&set);
			r->bad = true;
		}
	}
	return !r->bad;
}

/* The places of a page's owners lie anywhere in a large table: to be fetched while others are. */
static void
prefetch(const struct zone *z, const uint8_t *data, size_t len)
{
	struct rrpage_reader r;
	struct rrpage_set s;

	rrpage_open(&r, zone_apex(z), data, len);
	while (rrpage_next(&r, &s))
		zone_prefetch(z, s.owner);
}

int
zone_page_put(struct zone *z, const uint8_t *data, size_t len)
{
	struct rrpage_reader r;

	prefetch(z, data, len);
	rrpage_open(&r, zone_apex(z), data, len);
	return put_all(z, &r) ? 0 : -EINVAL;
}

void
zone_page_put_book(struct zone *z, const struct rrpage_book *book)
{
	struct rrpage_reader r;

	rrpage_open_book(&r, zone_apex(z), book);
	CHECK(put_all(z, &r));
}

void
zone_page_add(struct rrpage_book *book, const struct zone *z, const struct zone_node *n)
{
	for (unsigned i = 0; i < n->n_rrsets; i++) {
		const struct rrset *s = n->rrsets[i];

		rrpage_add(book, name_len(zone_apex(z)),
		    &(struct rrpage_set){ .owner = n->name,
			.type = s->type,
			.ttl_s = s->ttl_s,
			.rdata = s->data,
			.rdata_len = s->size });
	}
}
