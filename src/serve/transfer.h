/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * transfer -- one AXFR (RFC 5936) or IXFR (RFC 1995) request, and the messages that answer it.
 *
 *	prepare (inside RCU)  who asks? may he? -> snapshot or history -> messages into a spool
 *	next    (outside)     message by message: sign, hand out
 *
 * All messages are of one serial. They are signed when they are sent, not when they are made: a
 * slow reader would find the first signatures expired.
 */
#pragma once

#include <stdint.h>

#include "dns/query.h"
#include "dns/tsig.h"
#include "net/addr.h"
#include "serve/keyring.h"
#include "serve/spool.h"
#include "zone/zones.h"

struct transfer_env {
	const struct zones *zones;
	const struct keyring *keys; /* NULL: none */
	const char *dir;            /* for spools */
};

struct transfer {
	struct query query;
	struct tsig_session tsig;
	bool is_signed;
	uint16_t rcode;
	const char *kind; /* "AXFR", "IXFR", "IXFR as AXFR", "up to date" or why not, for the log */
	uint32_t serial;
	uint64_t records;
	struct spool spool;
};

/* Does this message ask for a transfer? Pure; cheap. */
bool transfer_is_asked(const uint8_t *msg, size_t len);
/* Inside a read section. `msg` need not outlive the call. To transfer_fini whatever comes of it. */
void transfer_prepare(struct transfer *t, const struct transfer_env *env, const uint8_t *msg,
    size_t len, const struct addr *peer, uint64_t now_s);
/* The next message, signed if need be, in `out` (65535 bytes). 0: no more; negative: give up. */
MUST_USE int transfer_next(struct transfer *t, uint8_t *out, uint64_t now_s);
void transfer_fini(struct transfer *t);
