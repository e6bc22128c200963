/* SPDX-License-Identifier: GPL-3.0-or-later */
/* probe_tls -- as tcp, over TLS: passes when the handshake is over and the right words come. */
#include "probe/protocol.h"
#include "probe/talk.h"
#include "probe/tls.h"

/* Always a full handshake: the certificate is what it is about. */
static void
prepare(struct recipe *r, const char *host, const struct template_spec *template)
{
	talk_prepare(r, host, template);
	tls_prepare(r, host, &template->tls);
	r->full_every = 1;
}

const struct protocol_row probe_tls = {
	.name = "tls",
	.late = "tls_timeout",
	.late_text = "nothing that matches in time",
	.secure = true,
	.prepare = prepare,
	.start = probe_connect,
	.on_io = talk_on_io,
};
