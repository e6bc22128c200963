/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "zone/zonefile.h"

/* SOA opens the apex, the apex opens the zone (nothing sorts before it). */
static int
order_items(const void *a, const void *b)
{
	const struct zonefile_item *x = *(const struct zonefile_item *const *)a;
	const struct zonefile_item *y = *(const struct zonefile_item *const *)b;
	bool x_soa = x->set->type == RRTYPE_SOA, y_soa = y->set->type == RRTYPE_SOA;
	int diff = x->owner == y->owner ? 0 : name_order(x->owner, y->owner);

	if (diff != 0)
		return diff;
	if (x_soa != y_soa)
		return x_soa ? -1 : 1;
	return (int)x->set->type - (int)y->set->type;
}

/* Relative to the apex: "@", "www". */
static void
write_owner(const uint8_t *owner, const uint8_t *apex, struct buf *out)
{
	uint8_t relative[NAME_MAX_LEN];
	char text[NAME_TEXT_SIZE];
	size_t len = name_len(owner) - name_len(apex);

	if (len == 0) {
		buf_puts(out, "@");
		return;
	}
	memcpy(relative, owner, len);
	relative[len] = 0;
	buf_puts(out, name_text(relative, text));
}

static void
write_set(const struct zonefile_item *item, const uint8_t *apex, struct buf *out)
{
	const struct rrset *s = item->set;
	char type[RRTYPE_TEXT_SIZE];
	const uint8_t *rdata;
	uint32_t pos = 0;
	uint16_t len;

	while ((rdata = rrset_next(s, &pos, &len)) != NULL) {
		write_owner(item->owner, apex, out);
		buf_printf(
		    out, "\t%u\tIN\t%s\t", rrset_ttl(s, rdata, len), rrtype_text(s->type, type));
		rdata_text(s->type, rdata, len, out);
		buf_puts(out, "\n");
	}
}

void
zonefile_write(
    const struct zonefile_item *items, size_t count, const uint8_t *apex, struct buf *out)
{
	const struct zonefile_item **sorted = xcalloc(count, sizeof(*sorted));
	char text[NAME_TEXT_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if (items[i].set != NULL)
			sorted[n++] = &items[i];
	qsort(sorted, n, sizeof(*sorted), order_items);
	buf_printf(out, "$ORIGIN %s%s\n", name_text(apex, text), apex[0] == 0 ? "" : ".");
	for (size_t i = 0; i < n; i++)
		write_set(sorted[i], apex, out);
	free(sorted);
}
