/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * worker_udp -- one thread that answers UDP in batches on its own socket per address.
 *
 *   poll (QSBR offline) -> recvmmsg -> respond each -> sendmmsg -> quiescent, again while batches
 * come full
 *
 * Bounded memory, nothing allocated after new, no lock.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "serve/handover.h"
#include "serve/respond.h"

struct worker_udp;

struct worker_udp_config {
	const struct zones *zones;
	unsigned worker; /* index for the plans' cursors */
	const struct serve_options *const *options;
	struct rrl *rrl; /* all workers' */
	const int *fds;  /* copied; the descriptors stay the caller's */
	unsigned n_fds;
	struct handover_hook handover; /* take = NULL: nothing is handed over */
	int stop_fd;                   /* an eventfd that becomes readable, and stays so */
};

MUST_USE struct worker_udp *worker_udp_new(const struct worker_udp_config *c);
void worker_udp_start(struct worker_udp *w);
/* Send what is to be said to `h`; from any thread. */
void worker_udp_reply(const struct handover *h, const uint8_t *data, size_t len);
void worker_udp_free(struct worker_udp **w); /* joins if started: stop_fd must be readable */
const struct respond_counters *worker_udp_counters(const struct worker_udp *w);
