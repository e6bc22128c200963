/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tcp_client -- one DNS connection: pipelined queries in, answers out in as few segments as can be.
 *
 *   readable: what was left + what came -> answer every whole query -> one send
 *   output not taken by the kernel: keep it, and read nothing until it is gone
 *
 * The big buffers belong to the server and are shared: an idle connection holds none. What a
 * connection may hold is bounded: TCP_IN_MAX and TCP_OUT_MAX. Thread: the loop's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/list.h"
#include "net/addr.h"
#include "net/loop.h"
#include "serve/handover.h"
#include "serve/respond.h"
#include "serve/transfers.h"

#define TCP_MESSAGE_MAX (2 + RESPOND_MAX)
#define TCP_CHUNK       16384 /* read at a time: the turn of one client among all */
#define TCP_IN_MAX      (TCP_MESSAGE_MAX + TCP_CHUNK)
#define TCP_OUT_MAX     (2 * TCP_MESSAGE_MAX)

struct tcp_client;

/* What all connections of a server share. */
struct tcp_shared {
	struct loop *loop;
	struct respond respond;
	struct handover_hook handover; /* take = NULL: nothing is handed over */
	void *arg;
	/* A query was answered, or the peer took output: not idle. */
	void (*active)(void *arg, struct tcp_client *c);
	/* The first of `in` asks for a transfer, and nothing is to be sent: tcp_client_detach. */
	void (*transfer)(void *arg, struct tcp_client *c);
	/* Done or broken: close and forget it (tcp_client_free), at once. */
	void (*done)(void *arg, struct tcp_client *c);
	uint8_t in[TCP_IN_MAX];
	uint8_t out[TCP_OUT_MAX];
};

struct tcp_client {
	uint32_t magic;
#define TCP_CLIENT_MAGIC 0x7c9c11e7u
	struct loop_fd io;
	struct tcp_shared *shared;
	uint8_t *in; /* unread: at most one incomplete query, but for those behind a full output */
	size_t in_len;
	uint8_t *out; /* unsent */
	size_t out_len;
	bool finished;       /* nothing more to read: close when all is sent */
	bool wants_transfer; /* the first of `in`; nothing more is read */
	unsigned away;       /* queries handed over, their answers not yet back */

	/* the server's */
	struct list by_age, by_source;
	struct addr peer;
	uint64_t active_ms;
	uint64_t id; /* never used again */
};

/* Takes `fd`. NULL (and `fd` closed) if it cannot be watched. */
MUST_USE struct tcp_client *tcp_client_new(struct tcp_shared *shared, int fd);
/* The answer to a query handed over (len 0: there is none). May end it: shared->done. */
void tcp_client_reply(struct tcp_client *c, const uint8_t *data, size_t len);
/* Read and answer what `in` has, as if it had just come; may end it. */
void tcp_client_resume(struct tcp_client *c, uint8_t *in, size_t len); /* takes `in` */
/* Free the client but not its connection, which is handed out. */
MUST_USE struct detached *tcp_client_detach(struct tcp_client **c);
void tcp_client_free(struct tcp_client **c);
