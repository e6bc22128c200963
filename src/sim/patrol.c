/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/patrol.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "probe/schedule.h"
#include "verdict/flap.h"

struct beat { /* one check */
	const struct stage_check *check;
	struct flap flap;
	uint64_t spread, start_ms;
	uint32_t spent_ms;
	bool probing, passes, alive; /* a probe is under way, how it will end, and of what */
};

/* Failure `failure` is seen by beat `beat`. */
struct sight {
	uint32_t failure, beat;
};

struct patrol {
	const struct sim_failure *failures;
	size_t n_failures;
	struct heap *heap;
	uint32_t kind;
	struct beat *beats;
	size_t n_beats, cap_beats;
	struct sight *sights;
	size_t n_sights, cap_sights;
	double *detected_s; /* by failure */
	double loss;
	bool repeat;
	struct rand_state rand;
	uint64_t made, failed, false_downs; /* of living targets */
};

#define NO_FAILURE UINT32_MAX

struct adding {
	struct patrol *patrol;
	uint32_t failure; /* or NO_FAILURE */
	struct rand_state *r;
};

static void
add(void *arg, const struct stage_check *c)
{
	struct adding *a = arg;
	struct patrol *p = a->patrol;
	uint32_t i = 0;

	while (i < p->n_beats && p->beats[i].check != c)
		i++;
	if (i == p->n_beats) {
		MEM_GROW(&p->beats, &p->cap_beats, p->n_beats + 1);
		p->beats[p->n_beats] = (struct beat){ .check = c, .spread = rand_next(a->r) };
		flap_init(&p->beats[p->n_beats++].flap, FLAP_UP);
	}
	if (a->failure == NO_FAILURE)
		return;
	MEM_GROW(&p->sights, &p->cap_sights, p->n_sights + 1);
	p->sights[p->n_sights++] = (struct sight){ a->failure, i };
}

/* Every check of the domain may fail now. */
static void
add_all(struct patrol *p, const struct stage *s, struct rand_state *r)
{
	size_t n;
	const struct stage_member *members = stage_members(s, &n);

	for (size_t i = 0; i < n; i++)
		stage_checks(s, members[i].address, add, &(struct adding){ p, NO_FAILURE, r });
}

struct patrol *
patrol_new(const struct stage *s, const struct sim_spec *spec, struct heap *heap, uint32_t kind,
    struct rand_state *r)
{
	struct patrol *p = xcalloc(1, sizeof(*p));

	*p = (struct patrol){
		.failures = spec->failures.items,
		.n_failures = spec->failures.count,
		.heap = heap,
		.kind = kind,
		.detected_s = xcalloc(spec->failures.count + 1, sizeof(double)),
		.loss = spec->probe_loss / 100.0,
		.repeat = spec->probe_repeat,
	};
	for (uint32_t i = 0; i < p->n_failures; i++) {
		p->detected_s[i] = -1;
		stage_checks(s, p->failures[i].address, add, &(struct adding){ p, i, r });
	}
	if (p->loss > 0) {
		add_all(p, s, r);
		rand_seed(&p->rand, rand_next(r));
	}
	for (uint32_t i = 0; i < p->n_beats; i++) {
		const struct stage_check *c = p->beats[i].check;
		const double part = (double)p->beats[i].spread * 0x1p-64;

		p->beats[i].start_ms = (uint64_t)(part * c->interval_ms);
		heap_push(heap, (double)p->beats[i].start_ms / 1000, kind, i);
	}
	return p;
}

void
patrol_free(struct patrol **p)
{
	if (*p == NULL)
		return;
	free((*p)->beats);
	free((*p)->sights);
	free((*p)->detected_s);
	free(*p);
	*p = NULL;
}

static bool
is_dead(const struct sim_failure *f, uint64_t now_ms)
{
	return now_ms >= f->down_ms && (f->up_ms == 0 || now_ms < f->up_ms);
}

static bool
is_alive(const struct patrol *p, uint32_t beat)
{
	for (size_t i = 0; i < p->n_sights; i++) {
		if (p->sights[i].beat == beat &&
		    is_dead(&p->failures[p->sights[i].failure], p->beats[beat].start_ms))
			return false;
	}
	return true;
}

static void
note(struct patrol *p, uint32_t beat, double at_s)
{
	for (size_t i = 0; i < p->n_sights; i++) {
		const uint32_t f = p->sights[i].failure;

		if (p->sights[i].beat == beat && p->detected_s[f] < 0 &&
		    is_dead(&p->failures[f], p->beats[beat].start_ms))
			p->detected_s[f] = at_s;
	}
}

/* The probe starts: how it ends is known, when as well. */
static void
start(struct patrol *p, uint32_t beat)
{
	struct beat *b = &p->beats[beat];

	const struct loss_way *way = p->repeat ? &b->check->way : &b->check->once;

	b->probing = true;
	b->alive = is_alive(p, beat);
	b->spent_ms = b->alive ? loss_probe(way, p->loss, &p->rand) : LOSS_FAILED;
	b->passes = b->spent_ms != LOSS_FAILED;
	if (!b->passes)
		b->spent_ms = b->check->timeout_ms;
	p->made += b->alive;
	p->failed += b->alive && !b->passes;
	heap_push(p->heap, (double)(b->start_ms + b->spent_ms) / 1000, p->kind, beat);
}

/* It ends: the verdict, and when to look again. */
static bool
end(struct patrol *p, struct stage *s, uint32_t beat, double now_s)
{
	struct beat *b = &p->beats[beat];
	const struct stage_check *c = b->check;
	const struct schedule_rhythm rhythm = { c->interval_ms, c->timeout_ms, c->recheck_ms };
	const struct flap_rule rule = { c->fall, c->rise };
	const enum flap_edge edge = flap_feed(&b->flap, &rule, b->passes);

	if (edge == FLAP_WENT_DOWN)
		note(p, beat, now_s);
	p->false_downs += edge == FLAP_WENT_DOWN && b->alive;
	if (edge != FLAP_STEADY)
		stage_verdict(s, c->slot, edge == FLAP_WENT_DOWN, (uint64_t)(now_s * 1000));
	b->probing = false;
	b->start_ms =
	    schedule_next(&rhythm, b->spread, b->start_ms, b->spent_ms, flap_doubts(&b->flap));
	heap_push(p->heap, (double)b->start_ms / 1000, p->kind, beat);
	return edge != FLAP_STEADY;
}

bool
patrol_event(struct patrol *p, struct stage *s, const struct heap_event *e)
{
	CHECK(e->who < p->n_beats);
	if (p->beats[e->who].probing)
		return end(p, s, e->who, e->at_s);
	start(p, e->who);
	return false;
}

double
patrol_detected(const struct patrol *p, size_t failure)
{
	CHECK(failure < p->n_failures);
	return p->detected_s[failure];
}

json_t *
patrol_json(const struct patrol *p)
{
	return json_pack("{s:I, s:I, s:I}", "made", (json_int_t)p->made, "failed",
	    (json_int_t)p->failed, "false_downs", (json_int_t)p->false_downs);
}
