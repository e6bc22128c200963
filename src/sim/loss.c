/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/loss.h"

#include "model/nouns.h"
#include "probe/schedule.h"
#include "sim/chance.h"

#define SYN_MS  1000
#define DATA_MS 200
#define NEVER   LOSS_FAILED

struct loss_way
loss_way_of(const struct template_spec *t, bool repeat)
{
	struct loss_way w = { .timeout_ms = t->timeout_ms,
		.repeat_ms = repeat ? schedule_repeat_ms(t->timeout_ms) : 0 };

	switch (t->protocol) {
	case PROTOCOL_UDP:
	case PROTOCOL_DNS:
		w.datagram = true;
		break;
	case PROTOCOL_PING:
		w.datagram = true;
		w.packets = (uint8_t)t->ping.packets;
		w.loss_percent = (uint8_t)t->ping.loss_rate;
		break;
	case PROTOCOL_HTTP:
	case PROTOCOL_TLS:
		w.round_trips = 1;
		break;
	case PROTOCOL_HTTPS:
		w.round_trips = 2;
		break;
	case PROTOCOL_GRPC:
		w.round_trips = t->grpc.tls ? 2 : 1;
		break;
	case PROTOCOL_SCRIPT:
	case PROTOCOL_PUSH:
		w.sure = true;
		break;
	default: /* tcp; what it says and expects is a round trip, too */
		w.round_trips = t->talk.expect != NULL && t->talk.expect[0] != '\0';
	}
	return w;
}

static bool
arrives(double rate, struct rand_state *r)
{
	return chance_unit(r) >= rate;
}

static bool
comes_back(double rate, struct rand_state *r)
{
	const bool there = arrives(rate, r);

	return arrives(rate, r) && there;
}

static uint32_t
ping_several(const struct loss_way *w, double rate, struct rand_state *r)
{
	unsigned lost = 0;

	for (unsigned i = 0; i < w->packets; i++)
		lost += !comes_back(rate, r);
	return lost * 100 < (unsigned)w->loss_percent * w->packets ? 0 : LOSS_FAILED;
}

static uint32_t
datagram(const struct loss_way *w, double rate, struct rand_state *r)
{
	for (uint32_t at_ms = 0; at_ms < w->timeout_ms; at_ms += w->repeat_ms) {
		if (comes_back(rate, r))
			return at_ms;
		if (w->repeat_ms == 0)
			break;
	}
	return LOSS_FAILED;
}

/* When the connection of an attempt stands, the kernel repeating its SYN. */
static uint32_t
connects(const struct loss_way *w, uint32_t at_ms, double rate, struct rand_state *r)
{
	while (at_ms < w->timeout_ms) {
		if (comes_back(rate, r))
			return at_ms;
		at_ms += SYN_MS;
	}
	return NEVER;
}

/* When all that is to be said over it is said. */
static uint32_t
converses(const struct loss_way *w, uint32_t at_ms, double rate, struct rand_state *r)
{
	for (unsigned i = 0; i < 2u * w->round_trips; i++) {
		uint32_t wait_ms = DATA_MS;

		while (at_ms < w->timeout_ms && !arrives(rate, r)) {
			at_ms += wait_ms;
			wait_ms *= 2;
		}
	}
	return at_ms < w->timeout_ms ? at_ms : LOSS_FAILED;
}

struct race {
	uint32_t stands_ms; /* the first connection of this half of the time */
	uint32_t over_ms;   /* the first that is done */
};

static void
attempt(struct race *x, const struct loss_way *w, uint32_t at_ms, double rate, struct rand_state *r)
{
	const uint32_t stands_ms = connects(w, at_ms, rate, r);
	uint32_t over_ms;

	if (stands_ms < x->stands_ms)
		x->stands_ms = stands_ms;
	if (stands_ms == NEVER)
		return;
	over_ms = converses(w, stands_ms, rate, r);
	if (over_ms < x->over_ms)
		x->over_ms = over_ms;
}

static uint32_t
stream(const struct loss_way *w, double rate, struct rand_state *r)
{
	struct race x = { NEVER, LOSS_FAILED };
	bool past_half = false;

	attempt(&x, w, 0, rate, r);
	if (w->repeat_ms == 0)
		return x.over_ms;
	for (uint32_t at_ms = w->repeat_ms; at_ms < w->timeout_ms && at_ms < x.over_ms;
	     at_ms += w->repeat_ms) {
		const bool half = !past_half && 2 * at_ms >= w->timeout_ms;

		past_half |= half;
		if (half)
			x.stands_ms = NEVER;
		if (x.stands_ms > at_ms)
			attempt(&x, w, at_ms, rate, r);
	}
	return x.over_ms;
}

uint32_t
loss_probe(const struct loss_way *w, double rate, struct rand_state *r)
{
	if (w->sure || rate <= 0)
		return 0;
	if (w->packets > 1)
		return ping_several(w, rate, r);
	return w->datagram ? datagram(w, rate, r) : stream(w, rate, r);
}
