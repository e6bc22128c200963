/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether the finished answer may go out: the rate limit, and what is said instead. */
#include "serve/respond_reply.h"

static enum rrl_kind
kind_of(const struct answer *a)
{
	if (a->rcode == RCODE_NXDOMAIN)
		return RRL_NXDOMAIN;
	if (a->rcode != RCODE_NOERROR)
		return RRL_ERROR;
	if (a->counts[ANSWER_ANSWER] > 0)
		return RRL_ANSWER;
	return a->aa ? RRL_NODATA : RRL_REFERRAL;
}

bool
respond_limit(struct reply *p)
{
	const struct respond_client *from = p->from;
	const struct serve_options *o = p->options;

	if (p->known || from->transport == RESPOND_TCP || p->r->rrl == NULL ||
	    serve_options_hold(&o->rrl_spare, from->peer))
		return true;

	const enum rrl_kind kind = kind_of(&p->a);
	const enum rrl_verdict v = rrl_check(p->r->rrl, &o->rrl, from->peer, kind,
	    kind != RRL_ERROR ? p->source : NULL, from->now_ms);

	if (LIKELY(v == RRL_PASS))
		return true;
	respond_count(&p->r->counters->limited);
	answer_clear(&p->a);
	if (p->q.cookie != NULL && o->cookies) {
		/* It is no larger than the query, and who really asks can come back with ours. */
		p->a.rcode = RCODE_BADCOOKIE;
		return true;
	}
	p->a.tc = true;
	return v == RRL_SLIP;
}
