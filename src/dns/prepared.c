/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/prepared.h"

#include <stdlib.h>

#include "base/mem.h"
#include "dns/answer.h"
#include "dns/rrtype.h"

#define FIXED 10 /* type, class, ttl, rdlength */

/* Note the pointer that ends the name at *pos, if one does, and go behind it. */
static bool
note_name(struct prepared *p, unsigned *pos)
{
	while (p->wire[*pos] > 0 && p->wire[*pos] < 0xc0)
		*pos += 1u + p->wire[*pos];
	if (p->wire[*pos] == 0) {
		*pos += 1;
		return true;
	}
	if (p->n_pointers == PREPARED_POINTERS)
		return false;
	p->at[p->n_pointers++] = (uint16_t)*pos;
	*pos += 2;
	return true;
}

static bool
note_pointers(struct prepared *p, uint16_t type)
{
	const struct rrtype_layout layout = rrtype_compressible(type);
	unsigned pos = 0;

	if (!note_name(p, &pos))
		return false;
	pos += FIXED + layout.fixed;
	for (unsigned i = 0; i < layout.names; i++)
		if (!note_name(p, &pos))
			return false;
	return true;
}

struct prepared *
prepared_new(
    const uint8_t *apex, uint16_t type, uint32_t ttl_s, const uint8_t *rdata, uint16_t rdlen)
{
	static const uint8_t header[DNS_HEADER_LEN] = { 0, 0, 0, 0, 0, 1 };
	uint8_t message[DNS_HEADER_LEN + NAME_MAX_LEN + 4], out[1232];
	const size_t len = name_len(apex), start = DNS_HEADER_LEN + len + 4;
	struct prepared *p;
	struct query q;
	struct answer a;

	memcpy(message, header, sizeof(header));
	memcpy(message + DNS_HEADER_LEN, apex, len);
	memcpy(message + DNS_HEADER_LEN + len,
	    (const uint8_t[]){ (uint8_t)(type >> 8), (uint8_t)type, 0, DNS_CLASS_IN }, 4);
	if (query_parse(message, start, &q) != QUERY_OK || q.rcode != RCODE_NOERROR)
		return NULL;
	answer_init(&a, out, sizeof(out), &q);
	if (!answer_rr(&a, apex, type, ttl_s, rdata, rdlen))
		return NULL;
	p = xmalloc(sizeof(*p) + (a.len - start));
	p->len = (uint16_t)(a.len - start);
	p->apex_len = (uint8_t)len;
	p->n_pointers = 0;
	memcpy(p->wire, out + start, p->len);
	if (!note_pointers(p, type)) {
		free(p);
		return NULL;
	}
	return p;
}
