/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NOTIFY (RFC 1996): a primary says that there is news. Believed from a primary's address, or with
 * a primary's key; the serial it may tell is not: the SOA query asks for it.
 */
#include <string.h>

#include "dns/rrtype.h"
#include "intake/exchange.h"
#include "intake/secondary.h"
#include "model/nouns.h"

static bool
is_primary(const struct exchange *x, const struct zone_spec *spec)
{
	const struct peer_spec *p = spec->primaries.items;
	struct addr a;

	for (size_t i = 0; i < spec->primaries.count; i++) {
		if (x->trusted && p[i].key != NULL && strcmp(p[i].key, x->key) == 0)
			return true;
		if (addr_parse(&a, p[i].address, 53) == 0 && addr_ip_equal(&a, &x->message->peer))
			return true;
	}
	return false;
}

static uint16_t
judge(const struct exchange *x, const struct model *m, const char *zone)
{
	const struct model_object *o = model_find(m, KIND_ZONE, zone);
	const struct zone_spec *spec = o != NULL ? o->spec : NULL;

	if (spec == NULL || spec->role != ZONE_SECONDARY)
		return RCODE_NOTAUTH;
	return is_primary(x, spec) ? RCODE_NOERROR : RCODE_REFUSED;
}

static uint16_t
heed(const struct exchange *x)
{
	struct control *c = x->message->control;
	const struct query *q = &x->query;
	char zone[NAME_TEXT_SIZE];
	struct diag d;

	if (!q->has_question || q->qtype != RRTYPE_SOA || q->qclass != DNS_CLASS_IN)
		return RCODE_FORMERR;
	name_text(q->qname, zone);

	uint16_t rcode = judge(x, control_read_begin(c), zone);

	control_read_end(c);
	if (rcode != RCODE_NOERROR)
		return rcode;
	diag_init(&d);
	if (control_refresh(c, zone, false, &x->message->peer, &d) < 0)
		rcode = RCODE_SERVFAIL;
	diag_fini(&d);
	return rcode;
}

void
secondary_notify(const struct intake_message *m, struct buf *out)
{
	struct exchange x;

	if (exchange_open(&x, m))
		exchange_answer(&x, x.rcode != RCODE_NOERROR ? x.rcode : heed(&x), NULL, out);
}
