/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * link -- one connection of the feed: framed messages over a stream socket, driven by a loop.
 *
 * Sending never blocks: what the socket does not take at once is kept, up to MESSAGE_MAX; a peer
 * that lets that overflow is cut off (it reconnects and is brought up to date). Thread: the loop's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/json.h"
#include "feed/message.h"
#include "net/loop.h"

struct link;

struct link_hooks {
	void *arg;
	void (*message)(void *arg, enum message_type type, const uint8_t *body, size_t len);
	/* The peer has gone or misbehaved (`why`). The owner calls link_free, now or later. */
	void (*closed)(void *arg, const char *why);
};

/* Takes over the connected non-blocking `fd`. */
struct link *link_new(struct loop *loop, int fd, const struct link_hooks *hooks);
void link_free(struct link **l);

void link_send(struct link *l, enum message_type type, const void *body, size_t len);
/*
 * The same for news, which may wait LINK_IDLE_MS for others, or for the next link_send: in a storm
 * the peer wakes for many at a time.
 */
#define LINK_IDLE_MS 10
void link_send_news(struct link *l, enum message_type type, const void *body, size_t len);
/*
 * link_send without a copy, for what is large: `frame` is LINK_HEADER bytes of anything, then the
 * body. It is taken and left empty.
 */
#define LINK_HEADER 5
void link_send_frame(struct link *l, enum message_type type, struct buf *frame);
/* From inside the message hook, once: take the message over, in the same form. Its body moves. */
void link_take(struct link *l, struct buf *frame);
void link_send_json(struct link *l, enum message_type type, const json_t *body);
/* ASK, REPLY, FORWARDED: the id in front. */
void link_send_id(struct link *l, enum message_type type, uint32_t id, const json_t *body);
void link_send_id_bytes(
    struct link *l, enum message_type type, uint32_t id, const void *body, size_t len);
