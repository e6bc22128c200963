/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tcp_server -- one thread for all DNS connections: who may connect, and for how long.
 *
 *   at max_clients  the connection that did nothing for longest gives way
 *   per source      an IPv4 address or IPv6 /64 has at most a tenth of them (but at least 16,
 *                   unless configured); beyond that it loses its own longest idle one
 *   transfers       leave with their connection, which comes back after (transfers.h)
 *   idle_ms         without a whole query, and without taking output, it is over
 *
 * QSBR: offline while the loop sleeps, hence quiescent every turn.
 */
#pragma once

#include "base/attr.h"
#include "serve/handover.h"
#include "serve/respond.h"
#include "serve/transfers.h"

struct tcp_server;

struct tcp_server_config {
	const struct zones *zones;
	unsigned worker; /* index for the plans' cursors */
	const int *fds;  /* listening; copied; the descriptors stay the caller's */
	unsigned n_fds;
	unsigned max_clients, idle_ms;
	unsigned max_per_source; /* 0: as above */
	const struct serve_options *const *options;
	struct handover_hook handover; /* take = NULL: nothing is handed over */
	unsigned transfers;            /* at a time; 0: they are REFUSED */
	const struct keyring *keys;    /* NULL: none */
	const char *dir;               /* for large transfers */
};

MUST_USE struct tcp_server *tcp_server_new(const struct tcp_server_config *c);
void tcp_server_start(struct tcp_server *t);
void tcp_server_free(struct tcp_server **t); /* stops, joins, closes all connections */
/* From any thread: say h->reply to the client, if it is still there. Takes `h`. */
void tcp_server_reply(struct tcp_server *t, struct handover *h);
struct transfers_counters tcp_server_transfers(const struct tcp_server *t);
const struct respond_counters *tcp_server_counters(const struct tcp_server *t);
