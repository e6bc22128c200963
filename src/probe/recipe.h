/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recipe -- a template and a target, compiled to all that probing needs.
 *
 * Made by whoever wants the check, handed over to the probe thread, then never changed: a changed
 * template is a new recipe. Refers to nothing of the caller's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "model/nouns.h"
#include "net/addr.h"
#include "probe/schedule.h"
#include "verdict/flap.h"

struct pattern;
struct protocol_row;
struct trust;

struct recipe_range {
	uint16_t from, to;
};
extern const struct recipe_range recipe_usual; /* what http expects unless told */

/* What this server allows and prefers, whatever the template. Outlives all recipes. */
struct recipe_options {
	struct addr source[2];  /* IPv4, IPv6, to probe from; len 0 = as the kernel chooses */
	const char *script_dir; /* scripts that may be run; NULL = none */
	bool once;              /* repeat nothing within a probe, whatever gets lost */
};

struct recipe {
	const struct protocol_row *protocol;
	union { /* of struct addr, without the room it has to spare */
		struct sockaddr sa;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
	} target;
	struct addr *source;    /* to probe from, or NULL */
	const char *script_dir; /* the options' */
	uint32_t repeat_ms;     /* what may be lost is repeated so often; 0 = never */
	struct schedule_rhythm rhythm;
	struct flap_rule rule;
	char *request; /* what is sent; of http the whole request */
	size_t request_len;
	struct pattern *pattern; /* what must come, or NULL */
	/* TLS */
	struct trust *trust; /* NULL: none wanted, or cannot be made */
	char *tls_name;      /* asked for and verified, a name or an IP */
	uint32_t full_every, expiry_warn_days;
	bool verify;
	bool secure; /* grpc: over TLS */
	/* ping */
	uint8_t packets, packets_needed;
	/* dns */
	uint8_t rcode;
	uint16_t rrtype;
	uint8_t *rdata; /* what must be among the answers, or NULL */
	size_t rdata_len;
	/* http */
	char *host; /* ours, without port */

	bool follow, reuse;
	bool bodiless;                     /* HEAD */
	const struct recipe_range *expect; /* statuses that pass; the usual ones are shared */
	size_t n_expect;
};

/* `host`: what to name in the Host header unless the template says; NULL = the target. `options`
 * may be NULL. */
struct recipe *recipe_new(const struct addr *target, const char *host,
    const struct template_spec *template, const struct recipe_options *options);
struct addr recipe_target(const struct recipe *r);
void recipe_free(struct recipe **r);
/* Would probe the same in the same rhythm. */
bool recipe_equal(const struct recipe *a, const struct recipe *b);
