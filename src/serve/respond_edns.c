/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The options of OPT that speak of client and server rather than of names. */
#include "serve/respond_reply.h"

#include <string.h>

enum { OPTION_NSID = 3, OPTION_COOKIE = 10, OPTION_KEEPALIVE = 11 };

#define KEEPALIVE_UNIT_MS 100 /* RFC 7828 3.1 */

static void
put_cookie(struct reply *p)
{
	const struct query *q = &p->q;
	const struct cookie_secrets *s = &p->options->secrets;
	const struct respond_client *from = p->from;
	const enum cookie_verdict v =
	    cookie_check(s, q->cookie, q->cookie_len, from->peer, from->now_s);
	uint8_t fresh[COOKIE_LEN];

	p->known = v != COOKIE_UNKNOWN;
	if (v == COOKIE_GOOD) {
		answer_option(&p->a, OPTION_COOKIE, q->cookie, COOKIE_LEN);
		return;
	}
	cookie_make(s, q->cookie, from->peer, from->now_s, fresh);
	answer_option(&p->a, OPTION_COOKIE, fresh, COOKIE_LEN);
}

static void
put_keepalive(struct reply *p)
{
	const unsigned units = p->r->tcp_idle_ms / KEEPALIVE_UNIT_MS;
	const uint8_t data[] = { (uint8_t)(units >> 8), (uint8_t)units };

	answer_option(&p->a, OPTION_KEEPALIVE, data, sizeof(data));
}

void
respond_edns(struct reply *p)
{
	const struct query *q = &p->q;
	const bool tcp = p->from->transport == RESPOND_TCP;

	if (q->cookie != NULL && p->options->cookies && addr_family(p->from->peer) != AF_UNSPEC)
		put_cookie(p);
	if (UNLIKELY(q->wants_nsid) && p->options->nsid[0] != '\0')
		answer_option(
		    &p->a, OPTION_NSID, p->options->nsid, (uint16_t)strlen(p->options->nsid));
	/* Over UDP it means nothing, however it looks (RFC 7828 3.2.1). */
	if (UNLIKELY(q->keepalive == QUERY_KEEPALIVE) && tcp)
		put_keepalive(p);
	else if (UNLIKELY(q->keepalive == QUERY_KEEPALIVE_BAD) && tcp)
		p->a.rcode = RCODE_FORMERR;
}
