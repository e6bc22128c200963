/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/talk.h"

#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/pattern.h"

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
