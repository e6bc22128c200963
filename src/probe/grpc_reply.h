/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * grpc_reply -- the one message of grpc.health.v1.Health/Check, both ways. Pure; fuzzed.
 *
 *	flags (0: not compressed) | length, 4 octets | protobuf: field 1
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum grpc_health { GRPC_UNKNOWN, GRPC_SERVING, GRPC_NOT_SERVING, GRPC_SERVICE_UNKNOWN };

/* The request for `service`; "" = the server as a whole. */
void grpc_reply_ask(struct buf *out, const char *service);
/* The health in a reply's body (other values as they are), or -EINVAL. */
int grpc_reply_read(const uint8_t *data, size_t len);
