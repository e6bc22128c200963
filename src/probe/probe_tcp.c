/* SPDX-License-Identifier: GPL-3.0-or-later */
/* probe_tcp -- passes when the connection stands. */
#include "probe/protocol.h"

const struct protocol_row probe_tcp = {
	.name = "tcp",
	.start = probe_connect,
	.on_io = probe_connected,
};
