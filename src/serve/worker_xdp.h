/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * worker_xdp -- one thread that answers the queries of one AF_XDP socket.
 *
 *   poll (QSBR offline) -> frames -> respond each into the frame to send -> flush -> quiescent,
 * again while frames come
 *
 * What it hands over is answered by the UDP socket that listens at the address that was asked. It
 * owns the socket of the queue; who diverts frames to it, and when, is the caller's affair.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "net/xsk.h"
#include "serve/handover.h"
#include "serve/respond.h"

struct worker_xdp;

struct worker_xdp_config {
	const struct zones *zones;
	unsigned worker; /* index for the plans' cursors */
	unsigned index;  /* names the thread */
	const struct serve_options *const *options;
	struct rrl *rrl; /* all workers' */
	struct xsk *xsk; /* becomes the worker's */
	unsigned ifindex;
	unsigned mtu;       /* no answer is longer */
	const int *udp_fds; /* copied; a socket for each address that is answered at */
	unsigned n_udp_fds;
	struct handover_hook handover; /* take = NULL: nothing is handed over */
	int stop_fd;                   /* an eventfd that becomes readable, and stays so */
};

/* Frames that were no queries, and what the kernel counts. */
struct worker_xdp_losses {
	uint64_t malformed; /* damaged, of another shape, from nowhere */
	uint64_t dropped;   /* by the kernel: no frame to receive into, or too long */
	uint64_t refused;   /* by the kernel: descriptors of ours that it did not like */
};

MUST_USE struct worker_xdp *worker_xdp_new(const struct worker_xdp_config *c);
void worker_xdp_start(struct worker_xdp *w); /* the socket is bound */
/* Joins if started: stop_fd must be readable. What has been received by then is answered. */
void worker_xdp_free(struct worker_xdp **w);
struct xsk *worker_xdp_socket(const struct worker_xdp *w); /* to be bound */
const struct respond_counters *worker_xdp_counters(const struct worker_xdp *w);
struct worker_xdp_losses worker_xdp_losses(const struct worker_xdp *w);
