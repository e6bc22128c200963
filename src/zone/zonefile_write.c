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
order_sets(const void *a, const void *b)
{
	const struct rrpage_set *x = a, *y = b;
	const bool x_soa = x->type == RRTYPE_SOA, y_soa = y->type == RRTYPE_SOA;
	const int diff = name_order(x->local, y->local);

	if (diff != 0)
		return diff;
	if (x_soa != y_soa)
		return x_soa ? -1 : 1;
	return (int)x->type - (int)y->type;
}

/* Relative to the apex: "@", "www". */
static void
write_owner(const uint8_t *local, struct buf *out)
{
	char text[NAME_TEXT_SIZE];

	buf_puts(out, local[0] == 0 ? "@" : name_text(local, text));
}

static void
write_set(const struct rrpage_set *s, struct buf *out)
{
	struct buf_reader in = { .data = s->rdata, .len = s->rdata_len };
	const struct rrset head = { .type = s->type, .ttl_s = s->ttl_s };
	char text[RRTYPE_TEXT_SIZE];
	const char *type = rrtype_text(s->type, text);

	while (in.pos < in.len && !in.bad) {
		const uint16_t len = buf_read_u16(&in);
		const uint8_t *rdata = buf_read_bytes(&in, len);

		if (rdata == NULL)
			return;
		write_owner(s->local, out);
		buf_printf(out, "\t%u\tIN\t%s\t", rrset_ttl(&head, rdata, len), type);
		rdata_text(s->type, rdata, len, out);
		buf_puts(out, "\n");
	}
}

void
zonefile_write(const struct rrpage_book *sets, const uint8_t *apex, struct buf *out)
{
	struct rrpage_set *sorted = xcalloc(sets->sets, sizeof(*sorted));
	struct rrpage_reader r;
	char text[NAME_TEXT_SIZE];
	size_t n = 0;

	rrpage_open_book(&r, apex, sets);
	while (n < sets->sets && rrpage_next(&r, &sorted[n]))
		n++;
	qsort(sorted, n, sizeof(*sorted), order_sets);
	buf_printf(out, "$ORIGIN %s%s\n", name_text(apex, text), apex[0] == 0 ? "" : ".");
	for (size_t i = 0; i < n; i++)
		write_set(&sorted[i], out);
	free(sorted);
}
