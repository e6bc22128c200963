/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prepared -- a record at the apex of a zone as it goes on the wire after a question, compressed:
 * what every negative answer ends with.
 *
 *	question  3 www 7 example 3 com 0         question  7 example 3 com 0
 *	record    [pointer to example.com] ...    prepared  [pointer to example.com] ...
 *
 * It is made for the question that is the apex itself. A longer question at or below the apex moves
 * all that is pointed at by the difference, so only the pointers change. Immutable; pure.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include "base/attr.h"

#define PREPARED_POINTERS 4

struct prepared {
	uint16_t len;
	uint8_t n_pointers;
	uint8_t apex_len;
	uint16_t at[PREPARED_POINTERS]; /* where they are in `wire` */
	uint8_t wire[];
};

/* The caller frees it. NULL: it cannot be had (rdata that is none, or too many names). */
MUST_USE struct prepared *prepared_new(
    const uint8_t *apex, uint16_t type, uint32_t ttl_s, const uint8_t *rdata, uint16_t rdlen);

/*
 * Right after a question whose name, at or below the apex, has `qname_len` octets. Writes p->len
 * octets.
 */
static inline void
prepared_put(const struct prepared *p, uint8_t *out, unsigned qname_len)
{
	const unsigned shift = qname_len - p->apex_len;

	memcpy(out, p->wire, p->len);
	for (unsigned i = 0; i < p->n_pointers; i++) {
		uint8_t *at = out + p->at[i];
		const unsigned to = ((unsigned)at[0] << 8 | at[1]) + shift;

		at[0] = (uint8_t)(to >> 8);
		at[1] = (uint8_t)to;
	}
}
