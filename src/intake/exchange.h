/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * exchange -- one message and the one response to it: who sent it, and an answer signed as it was.
 *
 *   exchange_open -> x.rcode? -> x.trusted? -> ... -> exchange_answer
 *
 * x.rcode is what RFC 8945 or the message's own form demand already; then nothing else may be done.
 */
#pragma once

#include <stdbool.h>

#include "dns/query.h"
#include "dns/tsig.h"
#include "intake/intake.h"

struct exchange {
	const struct intake_message *message;
	struct query query; /* the header and the question; of an UPDATE, its zone */
	bool is_signed;     /* there is a TSIG record, good or not */
	bool trusted;       /* it is good, and by `key` */
	uint16_t rcode;
	char key[NAME_TEXT_SIZE]; /* the tsig-key's name, as the model has it */
	struct tsig_session session;
};

/* false: not worth an answer (a response, or shorter than a header). */
MUST_USE bool exchange_open(struct exchange *x, const struct intake_message *m);
/*
 * Append the response and end the exchange; without an answer, exchange_drop. `why` (may be NULL)
 * explains a refusal to clients with EDNS (RFC 8914, Prohibited).
 */
void exchange_answer(struct exchange *x, uint16_t rcode, const char *why, struct buf *out);
void exchange_drop(struct exchange *x);
