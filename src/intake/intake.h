/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * intake -- changes that come over DNS: UPDATE, NOTIFY, transfers in.
 *
 *   feed's thread --intake_take--> queue --> our thread: intake_message --> hooks.reply
 *
 * The feed's thread only queues: a change waits until the engine serves it, and that is told over
 * the feed. One thread, so messages are handled in the order in which they came.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/control.h"
#include "base/attr.h"
#include "base/buf.h"
#include "net/addr.h"

struct intake;

struct intake_hooks {
	void *arg;
	/* The whole response to forward `id`; len 0: none. Called in intake's thread. */
	void (*reply)(void *arg, uint32_t id, const uint8_t *response, size_t len);
};

struct intake *intake_new(struct control *c, const struct intake_hooks *hooks);
void intake_start(struct intake *in);
/* From any thread: the body of a FORWARD. */
void intake_take(struct intake *in, const uint8_t *body, size_t len);
void intake_free(struct intake **in); /* stops; what is queued is dropped */

/* One message and who sent it. */
struct intake_message {
	struct control *control;
	struct addr peer;
	bool tcp;
	const uint8_t *data;
	size_t len;
};

/*
 * The room's dispatch, by opcode; a handler appends the whole response to `out`, or nothing to stay
 * silent. Pure but for what the handler does through m->control.
 */
void intake_message(const struct intake_message *m, struct buf *out);
