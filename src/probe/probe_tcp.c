/* SPDX-License-Identifier: GPL-3.0-or-later */
/* probe_tcp -- passes when the connection stands and, if so told, the right words come. */
#include "probe/protocol.h"
#include "probe/talk.h"

const struct protocol_row probe_tcp = {
	.name = "tcp",
	.late = "tcp_timeout",
	.late_text = "nothing that matches in time",
	.prepare = talk_prepare,
	.start = probe_connect,
	.on_io = talk_on_io,
};
