/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * transfers -- the threads that send zones, and the connections they have meanwhile.
 *
 *	TCP thread --a request for a transfer--> queue --> thread: prepare, send, look for the next
 *	           <--the connection, with what came behind----------- when it asks for something
 * else
 *
 * A bounded number of threads and of connections that wait; what is beyond is refused. A thread
 * holds an RCU read section while it writes the spool, never while it waits for a peer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/list.h"
#include "net/addr.h"
#include "serve/transfer.h"

/* A connection without an owner. */
struct detached {
	struct list item;
	int fd;
	struct addr peer;
	uint8_t *in; /* read and not answered: a whole request for a transfer comes first */
	size_t in_len;
};

struct transfers_config {
	struct transfer_env env;
	unsigned threads;
	void *arg;
	void (*back)(void *arg, struct detached *d); /* from a thread: takes `d` */
};

struct transfers_counters {
	uint64_t axfr, ixfr, refused, aborted;
};

struct transfers;

/* Starts the threads. */
MUST_USE struct transfers *transfers_new(const struct transfers_config *c);
/* false: too many wait; `d` stays the caller's. Any thread. */
bool transfers_take(struct transfers *ts, struct detached *d);
struct transfers_counters transfers_count(struct transfers *ts);
void transfers_free(struct transfers **ts); /* breaks off what is under way */

void transfers_drop(struct detached **d); /* close and free */
