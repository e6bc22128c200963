/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who we are, in class CHAOS (RFC 4892): told only where the configuration says so. */
#include "serve/respond_reply.h"

#include <string.h>

#include "dns/rrtype.h"

static const char *
text_of(const struct serve_options *o, const uint8_t *qname)
{
	static const uint8_t id_server[] = "\2id\6server", hostname_bind[] = "\10hostname\4bind",
			     version_server[] = "\7version\6server",
			     version_bind[] = "\7version\4bind";

	if (name_equal(qname, id_server) || name_equal(qname, hostname_bind))
		return o->id;
	if (name_equal(qname, version_server) || name_equal(qname, version_bind))
		return o->version;
	return "";
}

void
respond_chaos(struct reply *p)
{
	const char *text = text_of(p->options, p->q.qname);
	const size_t len = strlen(text);
	uint8_t rdata[SERVE_TEXT_SIZE];

	if (len == 0) {
		p->a.rcode = RCODE_REFUSED;
		return;
	}
	p->a.aa = true;
	if (p->q.qtype != RRTYPE_TXT && p->q.qtype != RRTYPE_ANY)
		return;
	rdata[0] = (uint8_t)len;
	memcpy(rdata + 1, text, len);
	answer_rr(&p->a, p->q.qname, RRTYPE_TXT, 0, rdata, (uint16_t)(1 + len));
}
