/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * forward -- a DNS message on its way from the engine to control: UPDATE, NOTIFY.
 *
 *	u32 id, u8 transport (0 UDP, 1 TCP), u8 IP length (0, 4, 16), IP, u16 port, the message
 *
 * Control answers with FORWARDED of the same id, once; the engine waits for a bounded time. Pure.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "net/addr.h"

struct forward {
	uint32_t id;
	bool tcp;
	struct addr peer;
	const uint8_t *message; /* borrowed */
	size_t len;
};

void forward_put(struct buf *out, const struct forward *f);
/* Points into `data`. -EINVAL if it is none. */
MUST_USE int forward_take(const uint8_t *data, size_t len, struct forward *f);
