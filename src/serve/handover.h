/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * handover -- a message that a worker does not answer itself, with the way back to who sent it.
 *
 *   worker --> server_config.handover(arg, h)      UPDATE, NOTIFY, signed queries; may refuse
 *                   ... any time later ...
 *   server_reply(server, h, response, len) ------> out of the socket the message came to
 *
 * Whoever takes one gives it back exactly once.
 */
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/list.h"
#include "net/addr.h"

#define HANDOVER_CONTROL_MAX CMSG_SPACE(sizeof(struct in6_pktinfo)) /* the larger PKTINFO */

struct handover {
	struct list item; /* for whoever holds it */
	struct addr peer;
	bool tcp;
	int fd; /* UDP: the socket, and what sends the answer from the address that was asked */
	size_t control_len;
	alignas(struct cmsghdr) uint8_t control[HANDOVER_CONTROL_MAX];
	uint64_t client; /* TCP: the connection; never used again */
	uint8_t *reply;  /* TCP: on its way to the TCP thread */
	size_t reply_len;
	size_t len;
	uint8_t message[];
};

/* The same for all workers; `take` may be called by each of them at once. */
struct handover_hook {
	void *arg;
	bool (*take)(void *arg, struct handover *h); /* false: no room; `h` stays the caller's */
};

MUST_USE struct handover *handover_new(const uint8_t *message, size_t len);
void handover_free(struct handover **h);
