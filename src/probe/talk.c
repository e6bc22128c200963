/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/talk.h"

#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "probe/conn.h"

void
talk_prepare(struct recipe *r, const char *host UNUSED, const struct template_spec *template)
{
	const struct talk_spec *talk = &template->talk;

	if (talk->send != NULL && talk->send[0] != '\0') {
		char *octets = xmalloc(strlen(talk->send));
		const int len = escape_decode(talk->send, octets);

		r->request = octets;
		r->request_len = len > 0 ? (size_t)len : 0;
	}
	if (talk->expect != NULL && talk->expect[0] != '\0')
		r->pattern = pattern_get(talk->expect);
}

enum talk_progress
talk_hear(struct probe *p, const void *data, size_t len)
{
	const size_t room = TALK_MAX - p->in.len;

	buf_put(&p->in, data, len < room ? len : room);
	if (pattern_match(p->recipe->pattern, p->in.data, p->in.len))
		return TALK_MATCH;
	return p->in.len == TALK_MAX ? TALK_FULL : TALK_MORE;
}

static enum probe_step
hear(struct probe *p)
{
	for (;;) {
		char chunk[TALK_MAX];
		enum probe_step step;
		const size_t n = conn_receive(p, chunk, sizeof(chunk), &step);

		if (n == 0 && step == PROBE_PASS)
			return probe_fail(
			    p, p->secure ? "tls_expect" : "tcp_expect", "closed before it matched");
		if (n == 0)
			return step;
		switch (talk_hear(p, chunk, n)) {
		case TALK_MATCH:
			p->text = "matched";
			return PROBE_PASS;
		case TALK_FULL:
			return probe_fail(p, p->secure ? "tls_expect" : "tcp_expect",
			    "no match in the first 4 KiB");
		case TALK_MORE:
			break;
		}
	}
}

enum probe_step
talk_on_io(struct probe *p)
{
	const struct recipe *r = p->recipe;
	enum probe_step step = conn_ready(p);

	if (step == PROBE_PASS)
		step = conn_request(p, r->request, r->request_len);
	if (step == PROBE_PASS && r->pattern != NULL)
		step = hear(p);
	return step;
}
