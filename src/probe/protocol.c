/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/protocol.h"

#include "base/check.h"

static const struct protocol_row *const protocols[] = {
	[PROTOCOL_TCP] = &probe_tcp,
	[PROTOCOL_HTTP] = &probe_http,
	[PROTOCOL_HTTPS] = &probe_https,
	[PROTOCOL_TLS] = &probe_tls,
	[PROTOCOL_PING] = &probe_ping,
	[PROTOCOL_UDP] = &probe_udp,
	[PROTOCOL_DNS] = &probe_dns,
	[PROTOCOL_GRPC] = &probe_grpc,
	[PROTOCOL_SCRIPT] = &probe_script,
	[PROTOCOL_PUSH] = &probe_push,
};

const struct protocol_row *
protocol_of(int protocol)
{
	CHECK(protocol >= 0 && (size_t)protocol < ARRAY_LEN(protocols));
	return protocols[protocol];
}
