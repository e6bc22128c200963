/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * probe_push -- nothing is sent: the target says "I live until t", signed, and is down from t on.
 *
 * Who says so speaks for himself, so one word counts: `fall` and `rise` are 1.
 */
#include "probe/protocol.h"

static void
prepare(struct recipe *r, const char *host UNUSED, const struct template_spec *template UNUSED)
{
	r->rule = (struct flap_rule){ 1, 1 };
}

/* Only somebody who tries the template comes here: there is nothing to try. */
static enum probe_step
start(struct probe *p)
{
	p->text = "protocol push waits for heartbeats";
	return PROBE_STARVED;
}

const struct protocol_row probe_push = {
	.name = "push",
	.passive = true,
	.single = true,
	.prepare = prepare,
	.start = start,
};
