/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xfr_in -- a transfer coming in, message by message: AXFR (RFC 5936), IXFR (RFC 1995) and what an
 * IXFR may turn out to be.
 *
 *	SOA n                                     n is not newer: current
 *	SOA n, records..., SOA n                  whole (AXFR, or an IXFR answered so)
 *	SOA n, { SOA a, deletes, SOA b, adds }..., SOA n     changes: a is ours, each b the next a
 *
 * All or nothing: what breaks the form, or a rule for zones, ends as REFUSED with a reason, and
 * nothing of it is used. TSIG has been taken off by the caller. Pure but for the source.
 */
#pragma once

#include "zone/draft.h"
#include "zone/xfr_message.h"

enum xfr_in_state {
	XFR_IN_MORE,
	XFR_IN_CURRENT, /* we have what the primary has */
	XFR_IN_WHOLE,   /* xfr_in_each: every set of the zone */
	XFR_IN_CHANGES, /* xfr_in_each: every set that changed */
	XFR_IN_REFUSED, /* xfr_in_why */
};

struct xfr_in;

/* `have`: what the zone holds now at version question->serial; for IXFR only, may be NULL. */
struct xfr_in *
xfr_in_new(const struct xfr_question *question, size_t max_bytes, const struct draft_source *have);
void xfr_in_free(struct xfr_in **x);

/* The next message; not after a state other than MORE. */
enum xfr_in_state xfr_in_feed(struct xfr_in *x, const uint8_t *msg, size_t len);
const char *xfr_in_why(const struct xfr_in *x);
uint32_t xfr_in_serial(const struct xfr_in *x); /* the primary's, once a message was taken */
size_t xfr_in_records(const struct xfr_in *x);  /* received */
void xfr_in_each(const struct xfr_in *x, draft_visit_f *visit, void *arg);
