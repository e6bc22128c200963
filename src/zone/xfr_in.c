/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/xfr_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dns/query.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"

/* Where in the stream we are: what the next record may be. */
enum phase {
	AT_START,  /* the SOA that opens it */
	AT_SECOND, /* of an IXFR: a SOA makes it differences */
	IN_WHOLE,  /* records, or the SOA that ends it */
	IN_DELETE,
	IN_ADD,
	AT_END, /* nothing more */
};

struct xfr_in {
	struct xfr_question question;
	struct draft_source have;
	size_t max_bytes;
	struct draft *draft;
	enum phase phase;
	bool changes;
	bool first; /* no message yet */
	bool current;
	uint32_t serial; /* of the opening SOA */
	uint32_t at;     /* differences: the version reached */
	uint8_t *soa;    /* rdata of the opening SOA */
	uint16_t soa_len;
	uint32_t soa_ttl_s;
	size_t records;
	char why[NAME_TEXT_SIZE + 200];
	struct xfr_message message;
};

struct xfr_in *
xfr_in_new(const struct xfr_question *question, size_t max_bytes, const struct draft_source *have)
{
	struct xfr_in *x = xcalloc(1, sizeof(*x));

	x->question = *question;
	x->max_bytes = max_bytes;
	x->first = true;
	if (have != NULL)
		x->have = *have;
	return x;
}

void
xfr_in_free(struct xfr_in **xp)
{
	struct xfr_in *x = *xp;

	if (x == NULL)
		return;
	draft_free(&x->draft);
	free(x->soa);
	free(x);
	*xp = NULL;
}

/* -- records -- */

static void
blame(struct xfr_in *x, const uint8_t *owner, uint16_t type, const char *why)
{
	char name[NAME_TEXT_SIZE], text[RRTYPE_TEXT_SIZE];

	snprintf(x->why, sizeof(x->why), "%s %s: %s", name_text(owner, name),
	    rrtype_text(type, text), why);
}

static bool
is_apex_soa(const struct xfr_in *x, const struct xfr_record *r)
{
	return r->type == RRTYPE_SOA && name_equal(r->owner, x->question.apex);
}

static uint32_t
serial_of(const struct xfr_record *r)
{
	return xfr_message_soa(r->rdata, r->len).serial;
}

static const char *
add(struct xfr_in *x, const struct xfr_record *r)
{
	return draft_add(x->draft, r->owner, r->type, r->ttl_s, r->rdata, r->len);
}

static const char *
add_opening_soa(struct xfr_in *x)
{
	return draft_add(x->draft, x->question.apex, RRTYPE_SOA, x->soa_ttl_s, x->soa, x->soa_len);
}

static const char *
open_stream(struct xfr_in *x, const struct xfr_record *r)
{
	if (!is_apex_soa(x, r))
		return "the transfer does not begin with the zone's SOA";
	x->serial = serial_of(r);
	x->soa = xmemdup(r->rdata, r->len);
	x->soa_len = r->len;
	x->soa_ttl_s = r->ttl_s;
	if (x->question.type == RRTYPE_IXFR && !xfr_message_newer(x->serial, x->question.serial)) {
		x->current = true;
		x->phase = AT_END;
		return NULL;
	}
	x->phase = x->question.type == RRTYPE_IXFR ? AT_SECOND : IN_WHOLE;
	if (x->phase == AT_SECOND)
		return NULL;
	x->draft = draft_new(x->question.apex, x->max_bytes, NULL);
	return add_opening_soa(x);
}

static const char *
take_whole(struct xfr_in *x, const struct xfr_record *r)
{
	if (!is_apex_soa(x, r))
		return add(x, r);
	/* The version must not have changed under way. */
	if (r->len != x->soa_len || serial_of(r) != x->serial)
		return "the transfer ends with another SOA than it began with";
	x->phase = AT_END;
	return NULL;
}

static const char *
start_changes(struct xfr_in *x, const struct xfr_record *r)
{
	if (serial_of(r) != x->question.serial)
		return "the differences do not start at our version";
	x->changes = true;
	x->draft = draft_new(x->question.apex, x->max_bytes, &x->have);
	x->at = x->question.serial;
	x->phase = IN_DELETE;
	return draft_remove(x->draft, r->owner, r->type, r->rdata, r->len);
}

static const char *
take_second(struct xfr_in *x, const struct xfr_record *r)
{
	const char *why;

	if (is_apex_soa(x, r) && serial_of(r) != x->serial)
		return start_changes(x, r);
	x->draft = draft_new(x->question.apex, x->max_bytes, NULL);
	x->phase = IN_WHOLE;
	why = add_opening_soa(x);
	return why != NULL ? why : take_whole(x, r);
}

static const char *
take_delete(struct xfr_in *x, const struct xfr_record *r)
{
	if (!is_apex_soa(x, r))
		return draft_remove(x->draft, r->owner, r->type, r->rdata, r->len);
	if (!xfr_message_newer(serial_of(r), x->at))
		return "the versions of the differences do not rise";
	x->at = serial_of(r);
	x->phase = IN_ADD;
	return add(x, r);
}

static const char *
take_add(struct xfr_in *x, const struct xfr_record *r)
{
	if (!is_apex_soa(x, r))
		return add(x, r);
	if (serial_of(r) != x->at)
		return "the differences do not connect";
	if (x->at == x->serial) {
		x->phase = AT_END;
		return NULL;
	}
	x->phase = IN_DELETE;
	return draft_remove(x->draft, r->owner, r->type, r->rdata, r->len);
}

static const char *
take(struct xfr_in *x, const struct xfr_record *r)
{
	x->records++;
	if (r->type == RRTYPE_SOA && !rdata_check(RRTYPE_SOA, r->rdata, r->len))
		return "malformed data for this type";
	switch (x->phase) {
	case AT_START:
		return open_stream(x, r);
	case AT_SECOND:
		return take_second(x, r);
	case IN_WHOLE:
		return take_whole(x, r);
	case IN_DELETE:
		return take_delete(x, r);
	case IN_ADD:
		return take_add(x, r);
	case AT_END:
		/* A server may close an answer that says "current" as if it were whole. */
		return x->current ? NULL : "records follow the end of the transfer";
	}
	return NULL;
}

/* -- messages -- */

static enum xfr_in_state
refuse(struct xfr_in *x, const char *why)
{
	snprintf(x->why, sizeof(x->why), "%s", why);
	return XFR_IN_REFUSED;
}

static enum xfr_in_state
finish(struct xfr_in *x)
{
	const uint8_t *owner;
	uint16_t type;
	const char *why;

	if (x->current)
		return XFR_IN_CURRENT;
	why = draft_check(x->draft, &owner, &type);
	if (why != NULL) {
		blame(x, owner, type, why);
		return XFR_IN_REFUSED;
	}
	return x->changes ? XFR_IN_CHANGES : XFR_IN_WHOLE;
}

enum xfr_in_state
xfr_in_feed(struct xfr_in *x, const uint8_t *msg, size_t len)
{
	struct xfr_message *m = &x->message;
	const char *why = xfr_message_open(m, msg, len, &x->question, x->first);
	struct xfr_record r;

	x->first = false;
	if (why != NULL)
		return refuse(x, why);
	if (m->rcode != RCODE_NOERROR)
		return refuse(x, xfr_message_refusal(m));
	if (m->left == 0)
		return refuse(x, "a message of the transfer is empty");
	while (m->left > 0) {
		why = xfr_message_next(m, &r);
		if (why != NULL)
			return refuse(x, why);
		why = take(x, &r);
		if (why != NULL) {
			blame(x, r.owner, r.type, why);
			return XFR_IN_REFUSED;
		}
	}
	return x->phase == AT_END ? finish(x) : XFR_IN_MORE;
}

const char *
xfr_in_why(const struct xfr_in *x)
{
	return x->why;
}

uint32_t
xfr_in_serial(const struct xfr_in *x)
{
	return x->serial;
}

size_t
xfr_in_records(const struct xfr_in *x)
{
	return x->records;
}

void
xfr_in_each(const struct xfr_in *x, draft_visit_f *visit, void *arg)
{
	draft_each(x->draft, visit, arg);
}
