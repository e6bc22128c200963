/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a plan, one block of memory: for compile.c, which lays it out, and plan.c, which
 * reads it. */
#pragma once

#include "steer/balance.h"
#include "steer/charts.h"
#include "steer/cursors.h"
#include "steer/pick_hash.h"
#include "steer/plan.h"

#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

/* How one level chooses among its targets. */
enum plan_how {
	PLAN_FIRST, /* the first `take` of them: a sequence */
	PLAN_ALL,   /* all, rotated; over pools: what all of them give, as one list */
	PLAN_DRAW,  /* by the sequence u, in proportion to the intervals */
	PLAN_HASH,  /* by weighted rendezvous on the client's prefix */
};

/* A record. */
struct plan_item {
	uint32_t rr;  /* offset in the records */
	uint32_t tag; /* the caller's number */
};

struct plan_choice {
	uint8_t how;
	uint32_t take;           /* 1 <= take <= count; at most PLAN_MAX_ANSWER of what is chosen */
	uint32_t first, count;   /* targets: items; of a variant: choices */
	uint32_t parts;          /* DRAW: in `last`; HASH: in `ranks`; one for each target */
	uint64_t lo;             /* DRAW: where the first interval begins */
	uint64_t step;           /* DRAW: of u; 0: u is the variant's, which was drawn with it */
	struct cursors *cursors; /* DRAW with a step, ALL that rotates; else NULL */
};

struct plan_variant {
	struct plan_choice over; /* over pools */
	uint32_t take;           /* of the whole answer; at most PLAN_MAX_ANSWER */
	uint32_t places;         /* over ALL: of the list: what its pools take */
	uint32_t only; /* 1 + offset of the record that always is the answer; 0: there is none */
	bool sticky;   /* some choice is by HASH among several */
	bool single;   /* each pool gives one record, and one pool answers */
};

struct plan {
	struct plan_head head;
#define PLAN_MAGIC 0x91a2c0deu
	uint32_t ttl_s;
	bool may_repeat; /* a union may yield a record twice */
	uint32_t n_variants;
	struct chart *chart; /* position -> variant; NULL: there is one */
	const struct plan_variant *variants;
	const struct plan_choice *pools;
	const uint64_t *last;
	const struct pick_rank *ranks;
	const struct plan_item *items;
	const uint8_t *records;
	/* balance traffic; else NULL. */
	struct balance *balance;
	const struct balance_leaf *leaves;
	const uint32_t *first_leaf; /* of each variant, and the end */
	uint32_t copy;              /* size of the records: copies with halved TTLs follow */
	uint8_t halvings;           /* how many */
	struct rcu_head rcu;
};

/*
 * `probability` that the item with `tag` is the first record of an answer of that variant to a
 * client at `at`, or to any (NULL); they sum to 1. Repeats tags.
 */
void plan_shares(const struct plan *p, uint32_t variant, const struct position *at,
    void (*visit)(void *arg, uint32_t tag, double probability), void *arg);
/* One answer of a variant, as plan_answer gives it. */
size_t plan_answer_of(const struct plan *p, uint32_t variant, unsigned worker,
    const struct position *at, const struct plan_rr *out[PLAN_MAX_ANSWER]);
/* balance traffic: the same as plan_answer_to gives it, which leaves no trace; and what the
 * resolver is known as. */
size_t plan_answer_as(const struct plan *p, uint32_t variant, const struct position *at,
    const struct plan_asker *asker, unsigned scope, const struct plan_rr *out[PLAN_MAX_ANSWER]);
enum plan_seat { PLAN_LIGHT, PLAN_SEATED, PLAN_SPLIT };
enum plan_seat plan_seat_of(const struct plan *p, uint32_t variant, const struct position *at,
    const struct plan_asker *asker, unsigned scope);
/* The scope of an answer of that variant, where the chart says `scope`. */
unsigned
plan_scope(const struct plan *p, uint32_t variant, const struct position *at, unsigned scope);
void plan_free(struct plan **p);   /* no reader may be left */
void plan_retire(struct plan **p); /* free after a grace period; writer's thread */
