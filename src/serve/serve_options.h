/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * serve_options -- what of the query path can be configured, and changed while it runs.
 *
 * Immutable once given to the server, which publishes it by RCU and frees it in the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "net/cidr.h"
#include "serve/cookie.h"
#include "serve/rrl.h"

#define SERVE_TEXT_SIZE  129 /* NSID must fit into what OPT has room for */
#define SERVE_RATE_MAX   1000000
#define SERVE_RANGES_MAX 1024

struct serve_ranges {
	struct cidr *items; /* the options' own */
	size_t count;
};

struct serve_options {
	bool cookies;
	struct cookie_secrets secrets;

	/* Who we are; empty: not told. */
	char nsid[SERVE_TEXT_SIZE];    /* RFC 5001; bytes as they are */
	char id[SERVE_TEXT_SIZE];      /* CHAOS TXT id.server, hostname.bind (RFC 4892) */
	char version[SERVE_TEXT_SIZE]; /* CHAOS TXT version.server, version.bind */

	struct serve_ranges allow; /* who may ask; none: everybody */
	bool drop;                 /* the others get no answer, instead of REFUSED */

	struct rrl_options rrl;
	struct serve_ranges rrl_spare; /* not limited, as those with a cookie of ours */
};

/* Cookies on with a random secret, nothing told, everybody allowed, no rate limit (but slip 2, /24
 * and /56 once there is a rate). */
MUST_USE struct serve_options *serve_options_new(void);
void serve_options_free(struct serve_options **o);

void serve_options_add(struct serve_ranges *r, const struct cidr *c);
bool serve_options_hold(const struct serve_ranges *r, const struct addr *a);
