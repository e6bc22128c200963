/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wire -- one TLS connection between a node and its server: messages of the feed as link carries
 * them, driven by a loop.
 *
 * Sending never blocks: what cannot go at once is kept, up to a bound; who does not read is cut
 * off. Hooks come from the loop, never from inside a call. Thread: the loop's.
 */
#pragma once

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/json.h"
#include "feed/message.h"
#include "net/loop.h"

struct wire;

struct wire_hooks {
	void *arg;
	void (*open)(void *arg); /* the handshake is over */
	void (*message)(void *arg, enum message_type type, const uint8_t *body, size_t len);
	/* Over, `why` for people; the owner calls wire_free, now or later. */
	void (*closed)(void *arg, const char *why);
};

/* Takes over the non-blocking `fd`, connected or about to be. `frame_max`: of what may come. */
struct wire *wire_new(struct loop *loop, int fd, SSL_CTX *ctx, bool server, size_t frame_max,
    const struct wire_hooks *hooks);
void wire_free(struct wire **w);
void wire_expect(struct wire *w, size_t frame_max);
/* Nothing more is taken in; closed when all that was sent has gone out. */
void wire_finish(struct wire *w, const char *why);
X509 *wire_peer(const struct wire *w); /* a reference; NULL: it showed none */

void wire_send(struct wire *w, enum message_type type, const void *body, size_t len);
void wire_send_json(struct wire *w, enum message_type type, const json_t *body);
/* ASK: the id in front. */
void wire_send_id(struct wire *w, enum message_type type, uint32_t id, const json_t *body);
