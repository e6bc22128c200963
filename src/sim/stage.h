/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stage -- the production code that answers, without the world around it: one domain in a tree of
 * its own, its checks' verdicts set by hand.
 *
 *	change set --> tree (steer) --plan_answer--> records --> members
 *	                ^ verdicts
 *
 * The only file of the room that knows the tree, plans and zones. Thread: whoever made it; it is a
 * reader of RCU (QSBR) from stage_new to stage_free.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "model/change.h"
#include "net/addr.h"
#include "sim/crowd.h"
#include "sim/loss.h"

/* A value clients can be sent to. One in several pools is one member. */
struct stage_member {
	const char *pool, *address, *value; /* `pool`, `address`: the first that have it */
	uint8_t rdata[256];
	uint16_t rdlen;
};

/* A check that the tree wants; it passes until told otherwise. */
struct stage_check {
	char *key;
	uint32_t slot;
	uint32_t interval_ms, timeout_ms, recheck_ms;
	uint8_t fall, rise;
	struct loss_way way;  /* if nothing is lost but packets */
	struct loss_way once; /* the same without repetition */
};

#define STAGE_ANSWER_MAX 256
struct stage_answer {
	uint32_t ttl_s;
	size_t count; /* 0: the zone answers */
	uint32_t members[STAGE_ANSWER_MAX];
};

struct stage;
struct domain_spec;
struct atlas;

/* `set` as extract_domain made it for `name`; `atlas`: data of where clients are, takes a
 * reference, or NULL; `starts_ms`: the real time at which the virtual clock is 0. Every check is
 * up. */
struct stage *
stage_new(const struct change_set *set, const char *name, struct atlas *atlas, int64_t starts_ms);
void stage_free(struct stage **s);

const struct stage_member *stage_members(const struct stage *s, size_t *count);
/* As the domain has it now. */
const struct domain_spec *stage_spec(const struct stage *s);
uint32_t stage_ttl(const struct stage *s); /* in seconds */
/* The member an address object stands for; UINT32_MAX: none of this domain's. */
uint32_t stage_member_of(const struct stage *s, const char *address);
/* The checks of an address: calls `visit` with each. */
void stage_checks(const struct stage *s, const char *address,
    void (*visit)(void *arg, const struct stage_check *c), void *arg);

/* One query, as a worker of the server would answer it. */
void stage_ask(
    struct stage *s, const struct crowd_cache *from, uint32_t now_ms, struct stage_answer *out);
/* A check's verdict changes. */
void stage_verdict(struct stage *s, uint32_t slot, bool down, uint64_t now_ms);
/* The share of the answers to `client` that each member leads, right now: `share` has room for all.
 */
void stage_desired(struct stage *s, const struct addr *client, double *share);
/* Once a simulated second. Has something become due (overrides, maintenance, damping, sequences)
 * that may change answers? */
bool stage_tick(struct stage *s, uint64_t now_ms);
