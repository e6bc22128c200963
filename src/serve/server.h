/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * server -- UDP workers and the TCP thread on sockets the supervisor opened.
 *
 *   worker i: own SO_REUSEPORT socket per address, recvmmsg -> respond -> sendmmsg, QSBR quiescent
 * per batch tcp:      one epoll thread for all addresses; slow clients cannot touch UDP
 *   xdp i:    one thread for each AF_XDP socket, if there are any
 *
 * The cursors of the plans know `workers + 2 + n_xdp` workers: after those of UDP come the TCP
 * thread, whoever answers signed queries, and those of AF_XDP.
 */
#pragma once

#include "base/attr.h"
#include "base/json.h"
#include "dns/tsig.h"
#include "serve/handover.h"
#include "serve/keyring.h"
#include "serve/serve_options.h"
#include "zone/zones.h"

struct server;
struct xsk;

struct server_xdp {
	struct xsk *socket; /* becomes the server's */
	unsigned ifindex, mtu;
};

struct server_config {
	unsigned workers;
	unsigned n_addrs;
	const int *udp_fds; /* [worker * n_addrs + addr] */
	const int *tcp_fds; /* [addr] */
	unsigned n_xdp;
	const struct server_xdp *xdp;
	unsigned tcp_max_clients, tcp_idle_ms; /* defaults 1000, 10000 */
	unsigned tcp_max_per_source;           /* default: see tcp_server.h */
	struct serve_options *options;         /* becomes the server's; NULL: defaults */
	struct handover_hook handover;         /* take = NULL: UPDATE and NOTIFY are NOTIMP */
	const struct keyring *keys;            /* of signed messages; NULL: none is known */
	unsigned transfers;                    /* threads that send zones; 0: they are REFUSED */
	const char *dir;                       /* for large transfers */
};

struct server *server_new(const struct server_config *c, const struct zones *zones);
/* Queries from now on go by `o`, which becomes the server's. One thread at a time. */
void server_set_options(struct server *s, struct serve_options *o);
void server_start(struct server *s); /* from now on queries are answered */
/* The socket `i`, to be bound; once that is done, start answering there. */
struct xsk *server_xdp_socket(const struct server *s, unsigned i);
void server_xdp_start(struct server *s, unsigned i);
void
server_free(struct server **s); /* stops: no new queries are read, those in hand are answered */
/*
 * Answer what was handed over, from any thread; len 0: no answer. Takes `h`. Before server_free,
 * which does not wait for what is still away.
 */
void server_reply(struct server *s, struct handover *h, const uint8_t *data, size_t len);
/*
 * Answer a signed query that was handed over. `key`: what its TSIG record `sig` names, NULL if
 * there is none. Inside an RCU read section, always in the same thread. Takes `h`.
 */
void server_answer_signed(struct server *s, struct handover *h, const struct tsig_record *sig,
    const struct tsig_key *key);
/* Sums over workers: {queries, tcp_queries, dropped, handed_over, steered, lined, fallback,
 * truncated, limited, transfers{axfr, ixfr, refused, aborted}, rcodes{...}}; if there are sockets
 * of AF_XDP, also xdp{queries, malformed, dropped, refused}. */
MUST_USE json_t *server_counters(const struct server *s);
