/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "intake/exchange.h"

#include <string.h>

#include "base/clock.h"
#include "dns/answer.h"
#include "model/model_keys.h"

#define OPTION_EDE     15
#define EDE_PROHIBITED 18
#define EDE_TEXT_MAX   120
#define RESPONSE_ROOM  (ANSWER_MIN_CAP + TSIG_ROOM)

static uint64_t
now_s(void)
{
	return (uint64_t)(clock_real_ms() / 1000);
}

/* RFC 8945 5.2. What the response must say: NOERROR, NOTAUTH, FORMERR. */
static uint16_t
verify(struct exchange *x, const struct tsig_record *r)
{
	const struct intake_message *m = x->message;
	struct tsig_key key;
	const int missing = model_keys_find(control_read_begin(m->control), r->key, &key);

	control_read_end(m->control);
	if (tsig_accept(&x->session, missing == 0 ? &key : NULL, m->data, r, now_s()) < 0)
		return RCODE_FORMERR;
	x->is_signed = true;
	name_text(r->key, x->key);
	x->trusted = x->session.error == TSIG_OK;
	return x->trusted ? RCODE_NOERROR : RCODE_NOTAUTH;
}

bool
exchange_open(struct exchange *x, const struct intake_message *m)
{
	struct tsig_record r;

	*x = (struct exchange){ .message = m };
	if (query_parse(m->data, m->len, &x->query) == QUERY_DROP)
		return false;
	x->rcode = x->query.rcode;
	if (x->rcode != RCODE_NOERROR)
		return true;

	const int found = tsig_find(m->data, m->len, &r);

	if (found != 0)
		x->rcode = found < 0 ? RCODE_FORMERR : verify(x, &r);
	return true;
}

static void
explain(struct answer *a, const char *why)
{
	uint8_t option[2 + EDE_TEXT_MAX] = { 0, EDE_PROHIBITED };
	size_t len = strlen(why);

	if (len > EDE_TEXT_MAX)
		len = EDE_TEXT_MAX;
	memcpy(option + 2, why, len);
	answer_option(a, OPTION_EDE, option, (uint16_t)(2 + len));
}

void
exchange_answer(struct exchange *x, uint16_t rcode, const char *why, struct buf *out)
{
	uint8_t msg[RESPONSE_ROOM];
	struct answer a;

	answer_init(&a, msg, ANSWER_MIN_CAP, &x->query);
	a.rcode = rcode;
	if (why != NULL)
		explain(&a, why);

	size_t len = answer_finish(&a);

	if (x->is_signed)
		len = tsig_sign(&x->session, msg, len, sizeof(msg), now_s());
	buf_put(out, msg, len);
	exchange_drop(x);
}

void
exchange_drop(struct exchange *x)
{
	if (x->is_signed)
		tsig_end(&x->session);
	x->is_signed = false;
}
