/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/history.h"

#include <stdio.h>

#include "base/clock.h"
#include "probe/reason.h"

#define PASSED     0x8000u
#define UNIT_US    4u
#define PHASE_MAX  0xffffffu
#define COUNT_WRAP (1u << 30) /* a multiple of HISTORY_MAX */

/* 0 means "not got there", so nothing else becomes that. */
static void
pack(uint8_t out[3], uint32_t us)
{
	uint32_t units = us / UNIT_US;

	if (units == 0 && us > 0)
		units = 1;
	if (units > PHASE_MAX)
		units = PHASE_MAX;
	for (int i = 0; i < 3; i++)
		out[i] = (uint8_t)(units >> (8 * i));
}

static uint32_t
unpack(const uint8_t in[3])
{
	return (in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16) * UNIT_US;
}

void
history_add(struct history *h, const struct observation *o)
{
	struct history_entry *e = &h->ring[h->count % HISTORY_MAX];

	for (int i = 0; i < 3; i++)
		e->at_ms[i] = (uint16_t)((uint64_t)o->at_ms >> (16 * i));
	e->status = o->status;
	e->reason = (uint16_t)(o->reason | (o->passed ? PASSED : 0));
	pack(e->phases[0], o->connect_us);
	pack(e->phases[1], o->tls_us);
	pack(e->phases[2], o->first_byte_us);
	pack(e->phases[3], o->total_us);
	if (++h->count == 2 * COUNT_WRAP)
		h->count = COUNT_WRAP;
}

static struct observation
read_entry(const struct history_entry *e)
{
	return (struct observation){
		.at_ms = (int64_t)(e->at_ms[0] | (uint64_t)e->at_ms[1] << 16 |
				   (uint64_t)e->at_ms[2] << 32),
		.connect_us = unpack(e->phases[0]),
		.tls_us = unpack(e->phases[1]),
		.first_byte_us = unpack(e->phases[2]),
		.total_us = unpack(e->phases[3]),
		.status = e->status,
		.reason = e->reason & (uint16_t)~PASSED,
		.passed = (e->reason & PASSED) != 0,
	};
}

static json_t *
phase_json(uint32_t us)
{
	return us == 0 ? json_null() : json_real(us / 1000.0);
}

json_t *
history_observation_json(const struct observation *o)
{
	const struct reason why = reason_at(o->reason);
	char at[CLOCK_TEXT_SIZE], status[32];
	const char *text = why.text;

	if (o->status != 0 && text[0] == '\0') {
		snprintf(status, sizeof(status), "status %u", o->status);
		text = status;
	}
	return json_pack("{s:s, s:b, s:s, s:n, s:o, s:o, s:o, s:o, s:s}", "at",
	    clock_text(o->at_ms, at), "passed", o->passed, "cause", why.cause, "resolve", "connect",
	    phase_json(o->connect_us), "tls", phase_json(o->tls_us), "first_byte",
	    phase_json(o->first_byte_us), "total", phase_json(o->total_us), "text", text);
}

json_t *
history_json(const struct history *h)
{
	const uint32_t n = h->count < HISTORY_MAX ? h->count : HISTORY_MAX;
	json_t *list = json_array();

	for (uint32_t i = 1; i <= n; i++) {
		const struct observation o = read_entry(&h->ring[(h->count - i) % HISTORY_MAX]);

		json_array_append_new(list, history_observation_json(&o));
	}
	return list;
}
