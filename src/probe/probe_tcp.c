/* SPDX-License-Identifier: GPL-3.0-or-later */
/* probe_tcp -- passes when the connection stands and, if so told, the right words come. */
#include <string.h>

#include "probe/conn.h"
#include "probe/protocol.h"
#include "probe/talk.h"

static enum probe_step
hear(struct probe *p)
{
	for (;;) {
		char chunk[TALK_MAX];
		enum probe_step step;
		const size_t n = conn_receive(p, chunk, sizeof(chunk), &step);

		if (n == 0 && step == PROBE_PASS)
			return probe_fail(p, "tcp_expect", "closed before it matched");
		if (n == 0)
			return step;
		switch (talk_hear(p, chunk, n)) {
		case TALK_MATCH:
			p->text = "matched";
			return PROBE_PASS;
		case TALK_FULL:
			return probe_fail(p, "tcp_expect", "no match in the first 4 KiB");
		case TALK_MORE:
			break;
		}
	}
}

static enum probe_step
on_io(struct probe *p)
{
	const struct recipe *r = p->recipe;
	enum probe_step step = conn_ready(p);

	if (step == PROBE_PASS)
		step = conn_request(p, r->request, r->request_len);
	if (step == PROBE_PASS && r->pattern != NULL)
		step = hear(p);
	return step;
}

const struct protocol_row probe_tcp = {
	.name = "tcp",
	.late = "tcp_timeout",
	.late_text = "nothing that matches in time",
	.prepare = talk_prepare,
	.start = conn_open,
	.on_io = on_io,
};
