/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way of one probe on the probe thread:
 *
 *	due --> caps (a delay) --> a flight (or waits for one) --> runner --> done --> judge --> due
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "probe/prober_types.h"
#include "probe/protocol.h"
#include "probe/reason.h"
#include "probe/tls.h"

#define COMPLAIN_MS    10000   /* at most one line about exhaustion in that time */
#define TELL_MS        60000   /* at most one event of a kind */
#define LATE_US        1000000 /* worth one */
#define CALM_INTERVALS 10u

uint32_t
prober_run_word(const struct job *j)
{
	static const uint32_t flags[] = {
		[FLAP_UNKNOWN] = WORD_UNKNOWN,
		[FLAP_UP] = 0,
		[FLAP_DOWN] = WORD_DOWN,
	};

	return flags[j->flap.verdict] | (j->edges & WORD_EDGES);
}

/* Locked. No longer wait for `j` in the first round. */
void
prober_run_release(struct job *j)
{
	if (!j->awaited)
		return;
	j->awaited = false;
	j->prober->awaited--;
}

/* Tell if the first round is over. */
void
prober_run_settle(void *arg)
{
	struct prober *p = arg;

	prober_enter(p);
	const bool over = p->round_asked && p->awaited == 0;

	if (over)
		p->round_asked = false;
	prober_leave(p);
	if (over && p->hooks.first_round != NULL)
		p->hooks.first_round(p->hooks.arg);
}

void
prober_run_at(struct job *j, uint64_t due_ms)
{
	j->due_ms = due_ms;
	j->admitted = false;
	loop_timer_at(j->thread->loop, &j->timer, due_ms);
}

/* -- judging -- */

/* Locked. */
static void
note_certificate(struct job *j)
{
	const struct tls_memory *m = j->tls_memory;
	const struct prober_hooks *hooks = &j->prober->hooks;

	if (m == NULL || m->expires_s == 0)
		return;
	j->expires_s = m->expires_s;
	if (prober_days_left(j) >= (int64_t)j->recipe->expiry_warn_days ||
	    j->warned_s == j->expires_s)
		return;
	j->warned_s = j->expires_s;
	if (hooks->expiring != NULL)
		hooks->expiring(hooks->arg, j->key, j->slot, j->expires_s * 1000);
}

/* Locked. The word first: who hears of the edge must find it there. */
static void
announce(struct job *j, const char *cause)
{
	struct prober *p = j->prober;

	j->edges++;
	if (p->words != NULL)
		word_store(p->words, j->slot, prober_run_word(j));
	if (p->hooks.edge != NULL)
		p->hooks.edge(
		    p->hooks.arg, j->key, j->slot, (enum flap_verdict)j->flap.verdict, cause);
}

/* Locked. */
static void
judge(struct job *j, const struct observation *o)
{
	const uint64_t spent_ms = clock_mono_ms() - j->due_ms;

	*(o->passed ? &j->prober->passed : &j->prober->failed) += 1;
	history_add(&j->history, o);
	j->judged_ms = clock_mono_ms();
	note_certificate(j);
	if (flap_feed(&j->flap, &j->recipe->rule, o->passed) != FLAP_STEADY)
		announce(j, reason_at(o->reason).cause);
	if (j->flap.verdict != FLAP_UNKNOWN)
		prober_run_release(j);
	prober_run_at(j, schedule_next(&j->recipe->rhythm, j->spread, j->due_ms, spent_ms,
			     flap_doubts(&j->flap)));
}

/* -- trouble of our own -- */

/* At most one of a kind in TELL_MS. */
static bool
may_tell(const struct prober *p, uint64_t *last_ms)
{
	const uint64_t now_ms = clock_mono_ms();

	if (p->hooks.trouble == NULL || (*last_ms != 0 && now_ms - *last_ms < TELL_MS))
		return false;
	*last_ms = now_ms;
	return true;
}

/* Locked. */
static void
tell_starved(const struct job *j, const char *why)
{
	struct prober *p = j->prober;

	if (!may_tell(p, &p->resources_ms))
		return;
	char *text = xasprintf("probes cannot be made, '%s' for one: %s", j->key, why);

	p->hooks.trouble(p->hooks.arg, "probe.resources", text);
	free(text);
}

/* Locked. */
static void
tell_late(const struct job *j)
{
	struct prober *p = j->prober;

	if (!may_tell(p, &p->late_ms))
		return;
	char *text = xasprintf("probes start late, '%s' by %llu ms: more are wanted than may or "
			       "can be made",
	    j->key, (unsigned long long)j->late_us / 1000);

	p->hooks.trouble(p->hooks.arg, "probe.late", text);
	free(text);
}

/* Locked. No outcome, but soon another try. */
static void
starve(struct job *j, const char *why)
{
	struct prober *p = j->prober;
	const uint64_t now_ms = clock_mono_ms();

	p->unmade++;
	p->starved++;
	tell_starved(j, why);
	if (p->complained_ms == 0 || now_ms - p->complained_ms >= COMPLAIN_MS) {
		log_warn("probe", "%llu probes not made since the last report, '%s' last: %s",
		    (unsigned long long)p->starved, j->key, why);
		p->complained_ms = now_ms;
		p->starved = 0;
	}
	prober_run_at(j, schedule_retry(&j->recipe->rhythm, j->spread, now_ms));
}

/* -- flying -- */

static struct observation
observe(const struct runner *r, bool passed)
{
	const struct probe *p = &r->probe;

	return (struct observation){
		.at_ms = clock_real_ms(),
		.connect_us = (uint32_t)p->connect_us,
		.tls_us = (uint32_t)p->tls_us,
		.first_byte_us = (uint32_t)p->first_byte_us,
		.total_us = (uint32_t)r->total_us,
		.status = p->status,
		.reason = reason_of(p->cause, p->text),
		.passed = passed,
	};
}

void
prober_run_done(struct runner *r, enum probe_step step)
{
	struct flight *f = container_of(r, struct flight, runner);
	struct job *j = f->job;
	struct prober *p = j->prober;
	const struct observation o = observe(r, step == PROBE_PASS);
	const char *text = r->probe.text;

	OBJ_CHECK(j, JOB_MAGIC);
	prober_enter(p);
	j->tls_memory = r->probe.tls_memory;
	if (r->probe.fd < 0 || j->dropped || prober_flight_crowded(j->thread))
		prober_flight_give(j);
	lag_add(&p->lag, j->late_us);
	p->late_max_us = j->late_us > p->late_max_us ? j->late_us : p->late_max_us;
	/* Dropped: the inbox will free it, nobody may hear of it. */
	if (!j->dropped && step == PROBE_STARVED)
		starve(j, text);
	else if (!j->dropped)
		judge(j, &o);
	prober_leave(p);
	prober_run_settle(p);
}

/*
 * A target that dies closes what it had kept open: look at once. Others just lose patience, and do
 * so again and again: not oftener than every so many intervals.
 */
void
prober_run_left(struct runner *r, bool lost)
{
	struct job *j = container_of(r, struct flight, runner)->job;
	struct prober *p = j->prober;
	const uint64_t now_ms = clock_mono_ms();

	OBJ_CHECK(j, JOB_MAGIC);
	prober_enter(p);
	j->tls_memory = r->probe.tls_memory;
	prober_flight_give(j);
	if (lost && !j->dropped && now_ms >= j->calm_ms) {
		j->calm_ms = now_ms + CALM_INTERVALS * j->recipe->rhythm.interval_ms;
		prober_run_at(j, now_ms);
	}
	prober_leave(p);
}

/* May it fly now? If not, the timer or a landing will bring it here again. */
static bool
admit(struct job *j, uint64_t now_us)
{
	struct prober *p = j->prober;
	struct prober_thread *t = j->thread;
	const struct addr target = recipe_target(j->recipe);
	const uint64_t at_us = j->admitted ? now_us : caps_reserve(&t->caps, &target, now_us);
	const bool full = j->flight == NULL && prober_flight_full(t);

	if (!j->admitted && (at_us > now_us || full)) {
		prober_enter(p);
		p->delayed++;
		prober_leave(p);
	}
	j->admitted = true;
	if (at_us > now_us)
		loop_timer_at(t->loop, &j->timer, (at_us + 999) / 1000);
	else if (full)
		list_append(&t->waiting, &j->waiting);
	return at_us <= now_us && !full;
}

/* Is what was promised last still true? Nothing promised at all: wait one interval. */
static void
hear(struct job *j)
{
	struct prober *p = j->prober;
	const uint64_t now_ms = clock_mono_ms();
	struct observation o = { .at_ms = clock_real_ms(), .total_us = 1 };

	prober_enter(p);
	if (j->dropped) {
		prober_leave(p);
		return;
	}
	o.passed = now_ms < j->alive_ms;
	if (o.passed)
		o.reason = reason_of("", "alive");
	else if (j->beat_ms == 0)
		o.reason = reason_of("push_expired", "no heartbeat has come");
	else
		o.reason = reason_of("push_expired", "the last heartbeat's time is over");
	if (j->beat_ms == 0 && now_ms < j->grace_ms) {
		prober_run_at(j, j->grace_ms);
	} else {
		judge(j, &o);
		if (o.passed && j->alive_ms < j->due_ms)
			prober_run_at(j, j->alive_ms);
	}
	prober_leave(p);
	prober_run_settle(p);
}

void
prober_run_due(struct wheel_timer *t)
{
	struct job *j = container_of(t, struct job, timer);
	const uint64_t now_us = clock_mono_us(), due_us = j->due_ms * 1000;

	OBJ_CHECK(j, JOB_MAGIC);
	if (j->recipe->protocol->passive) {
		hear(j);
		return;
	}
	if (!admit(j, now_us))
		return;
	j->late_us = now_us > due_us ? now_us - due_us : 0;
	if (j->late_us > LATE_US) {
		prober_enter(j->prober);
		tell_late(j);
		prober_leave(j->prober);
	}
	if (j->flight == NULL)
		j->flight = prober_flight_take(j);
	/* Down without a sign of life: nothing to be saved from a loss. */
	j->flight->runner.sparing = j->flap.verdict == FLAP_DOWN && !flap_doubts(&j->flap);
	runner_start(&j->flight->runner, j->recipe);
}
