/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who owns what: a job is in the map while it is wanted. What others ask of it (a new recipe, the
 * drop) is left under the lock, and the job put into the inbox; the probe thread takes it from
 * there. A dropped job is referred to by the inbox alone, so the probe thread frees it.
 */
#include "probe/prober.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strmap.h"
#include "base/thread.h"
#include "net/loop.h"
#include "probe/history.h"
#include "probe/recipe.h"
#include "probe/runner.h"
#include "probe/tls.h"

#define COMPLAIN_MS 10000 /* at most one line about exhaustion in that time */

struct job {
	uint32_t magic;
#define JOB_MAGIC 0x70b0e10bu
	struct prober *prober;
	char *key;
	uint32_t slot;

	/* Under the prober's lock. */
	struct list inbox;    /* alone while nothing is asked */
	struct recipe *asked; /* to be adopted; NULL = keep the present one */
	bool dropped;
	bool awaited; /* the first round waits for it */
	struct flap flap;
	uint32_t edges;
	struct history history;
	int64_t expires_s, warned_s; /* of the certificate: 0 = none; the one last warned of */
	uint64_t due_ms; /* scheduled start of the next probe, or of the one in flight */

	/* The probe thread's; `recipe` changes under the lock. */
	struct recipe *recipe;
	struct runner runner;
	struct wheel_timer timer;
	uint64_t spread;
};

struct prober {
	uint32_t magic;
#define PROBER_MAGIC 0x9b0be55du
	struct word_table *words;
	struct prober_hooks hooks;
	struct loop *loop;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock;
	struct strmap jobs;
	struct list inbox;
	uint64_t serial; /* jobs ever wanted */
	size_t awaited;  /* jobs the first round waits for */
	bool round_asked;

	/* The probe thread's. */
	struct schedule_pace pace;
	uint64_t complained_ms, starved;
};

/* The lock checks errors: a hook that calls back aborts rather than hangs. */
static void
enter(struct prober *p)
{
	CHECK(pthread_mutex_lock(&p->lock) == 0);
}

static void
leave(struct prober *p)
{
	CHECK(pthread_mutex_unlock(&p->lock) == 0);
}

static uint32_t
word_of(const struct job *j)
{
	static const uint32_t flags[] = {
		[FLAP_UNKNOWN] = WORD_UNKNOWN,
		[FLAP_UP] = 0,
		[FLAP_DOWN] = WORD_DOWN,
	};

	return flags[j->flap.verdict] | (j->edges & WORD_EDGES);
}

/* Locked. No longer wait for `j` in the first round. */
static void
release(struct job *j)
{
	if (!j->awaited)
		return;
	j->awaited = false;
	j->prober->awaited--;
}

/* Tell if the first round is over. */
static void
settle(void *arg)
{
	struct prober *p = arg;

	enter(p);
	const bool over = p->round_asked && p->awaited == 0;

	if (over)
		p->round_asked = false;
	leave(p);
	if (over && p->hooks.first_round != NULL)
		p->hooks.first_round(p->hooks.arg);
}

/* Locked. */
static void
schedule_at(struct job *j, uint64_t due_ms)
{
	j->due_ms = due_ms;
	loop_timer_at(j->prober->loop, &j->timer, due_ms);
}

static void
due(struct wheel_timer *t)
{
	struct job *j = container_of(t, struct job, timer);

	OBJ_CHECK(j, JOB_MAGIC);
	runner_start(&j->runner, j->recipe);
}

static void
record(struct job *j, bool passed)
{
	const struct runner *r = &j->runner;

	history_add(&j->history, &(struct observation){
				     .at_ms = clock_real_ms(),
				     .cause = r->probe.cause,
				     .text = r->probe.text,
				     .connect_us = (uint32_t)r->probe.connect_us,
				     .tls_us = (uint32_t)r->probe.tls_us,
				     .first_byte_us = (uint32_t)r->probe.first_byte_us,
				     .total_us = (uint32_t)r->total_us,
				     .status = r->probe.status,
				     .passed = passed,
				 });
}

/* Locked. Days until the certificate ends, rounded down. */
static int64_t
days_left(const struct job *j)
{
	const int64_t left_s = j->expires_s - clock_real_ms() / 1000;

	return (left_s - (left_s < 0 ? 86399 : 0)) / 86400;
}

/* Locked. */
static void
note_certificate(struct job *j)
{
	const struct tls_memory *m = j->runner.probe.tls_memory;
	const struct prober_hooks *hooks = &j->prober->hooks;

	if (m == NULL || m->expires_s == 0)
		return;
	j->expires_s = m->expires_s;
	if (days_left(j) >= (int64_t)j->recipe->expiry_warn_days || j->warned_s == j->expires_s)
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
	word_store(p->words, j->slot, word_of(j));
	if (p->hooks.edge != NULL)
		p->hooks.edge(
		    p->hooks.arg, j->key, j->slot, (enum flap_verdict)j->flap.verdict, cause);
}

/* Locked. */
static void
judge(struct job *j, bool passed)
{
	const uint64_t spent_ms = clock_mono_ms() - j->due_ms;

	record(j, passed);
	note_certificate(j);
	if (flap_feed(&j->flap, &j->recipe->rule, passed) != FLAP_STEADY)
		announce(j, j->runner.probe.cause);
	if (j->flap.verdict != FLAP_UNKNOWN)
		release(j);
	schedule_at(j, schedule_next(&j->recipe->rhythm, j->spread, j->due_ms, spent_ms,
			   flap_doubts(&j->flap)));
}

/* Locked. No outcome, but soon another try. */
static void
starve(struct job *j)
{
	struct prober *p = j->prober;
	const uint64_t now_ms = clock_mono_ms();

	p->starved++;
	if (p->complained_ms == 0 || now_ms - p->complained_ms >= COMPLAIN_MS) {
		log_warn("probe", "%llu probes not made since the last report, '%s' last: %s",
		    (unsigned long long)p->starved, j->key, j->runner.probe.text);
		p->complained_ms = now_ms;
		p->starved = 0;
	}
	schedule_at(j, schedule_retry(&j->recipe->rhythm, j->spread, now_ms));
}

static void
done(struct runner *r, enum probe_step step)
{
	struct job *j = container_of(r, struct job, runner);
	struct prober *p = j->prober;

	OBJ_CHECK(j, JOB_MAGIC);
	enter(p);
	/* Dropped: the inbox will free it, nobody may hear of it. */
	if (!j->dropped) {
		if (step == PROBE_STARVED)
			starve(j);
		else
			judge(j, step == PROBE_PASS);
	}
	leave(p);
	settle(p);
}

static void
job_free(struct job *j)
{
	OBJ_CHECK(j, JOB_MAGIC);
	runner_cancel(&j->runner);
	probe_forget(&j->runner.probe);
	loop_timer_cancel(j->prober->loop, &j->timer);
	recipe_free(&j->recipe);
	recipe_free(&j->asked);
	free(j->key);
	j->magic = 0;
	free(j);
}

/* Locked. The outcome of a probe by the old recipe would say nothing about the new. */
static void
adopt(struct job *j)
{
	struct prober *p = j->prober;

	runner_cancel(&j->runner);
	probe_forget(&j->runner.probe);
	j->expires_s = 0;
	recipe_free(&j->recipe);
	j->recipe = j->asked;
	j->asked = NULL;
	flap_init(&j->flap, (enum flap_verdict)j->flap.verdict);
	schedule_at(j, schedule_pace(&p->pace, clock_mono_ms()));
}

/* Take one job from the inbox and do what is asked; false if there is none. */
static bool
attend(struct prober *p)
{
	enter(p);
	const bool any = !list_empty(&p->inbox);

	if (any) {
		struct job *j = LIST_ENTRY(p->inbox.next, struct job, inbox);

		list_remove(&j->inbox);
		if (j->dropped)
			job_free(j);
		else if (j->asked != NULL)
			adopt(j);
	}
	leave(p);
	return any;
}

static void
attend_all(void *arg)
{
	struct prober *p = arg;

	OBJ_CHECK(p, PROBER_MAGIC);
	while (attend(p))
		continue;
	settle(p);
}

/* Locked. Whoever fills the empty inbox wakes the probe thread, which empties it. */
static void
ask(struct job *j)
{
	struct prober *p = j->prober;

	if (list_empty(&p->inbox))
		loop_post(p->loop, attend_all, p);
	list_remove(&j->inbox);
	list_append(&p->inbox, &j->inbox);
}

static void *
run(void *arg)
{
	struct prober *p = arg;

	loop_run(p->loop);
	return NULL;
}

struct prober *
prober_new(struct word_table *words, const struct prober_hooks *hooks)
{
	struct prober *p = xcalloc(1, sizeof(*p));
	pthread_mutexattr_t strict;

	p->magic = PROBER_MAGIC;
	p->words = words;
	p->hooks = *hooks;
	p->loop = loop_new();
	strmap_init(&p->jobs);
	list_init(&p->inbox);
	CHECK(pthread_mutexattr_init(&strict) == 0);
	CHECK(pthread_mutexattr_settype(&strict, PTHREAD_MUTEX_ERRORCHECK) == 0);
	CHECK(pthread_mutex_init(&p->lock, &strict) == 0);
	pthread_mutexattr_destroy(&strict);
	return p;
}

void
prober_start(struct prober *p)
{
	OBJ_CHECK(p, PROBER_MAGIC);
	CHECK(!p->started);
	p->started = true;
	thread_start(&p->thread, "probe", run, p);
}

static void
free_jobs(struct prober *p)
{
	LIST_EACH (it, tmp, &p->inbox) {
		struct job *j = LIST_ENTRY(it, struct job, inbox);

		list_remove(it);
		if (j->dropped)
			job_free(j);
	}
	STRMAP_EACH (&p->jobs, e)
		job_free(e->value);
}

void
prober_free(struct prober **pp)
{
	struct prober *p = *pp;

	if (p == NULL)
		return;
	OBJ_CHECK(p, PROBER_MAGIC);
	if (p->started) {
		loop_stop(p->loop);
		thread_join(p->thread);
	}
	free_jobs(p);
	strmap_fini(&p->jobs);
	loop_free(&p->loop);
	pthread_mutex_destroy(&p->lock);
	p->magic = 0;
	free(p);
	*pp = NULL;
}

static struct job *
job_new(struct prober *p, const struct prober_job *wanted)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->magic = JOB_MAGIC;
	j->prober = p;
	j->key = xstrdup(wanted->key);
	j->slot = wanted->slot;
	j->spread = schedule_spread(p->serial++);
	list_init(&j->inbox);
	flap_init(&j->flap, wanted->start);
	runner_init(&j->runner, p->loop, done);
	wheel_timer_init(&j->timer, due);
	return j;
}

void
prober_want(struct prober *p, const struct prober_job *wanted)
{
	struct recipe *recipe = recipe_new(&wanted->target, wanted->host, wanted->template);

	OBJ_CHECK(p, PROBER_MAGIC);
	enter(p);
	struct job *j = strmap_find(&p->jobs, wanted->key);

	if (j == NULL) {
		j = job_new(p, wanted);
		strmap_put(&p->jobs, j->key, j);
		/* The only writer here: the probe thread does not know it yet. */
		word_store(p->words, j->slot, word_of(j));
	}
	CHECK(j->slot == wanted->slot);

	const struct recipe *present = j->asked != NULL ? j->asked : j->recipe;

	if (present == NULL || !recipe_equal(present, recipe)) {
		recipe_free(&j->asked);
		j->asked = recipe;
		recipe = NULL;
		ask(j);
	}
	leave(p);
	recipe_free(&recipe);
}

void
prober_drop(struct prober *p, const char *key)
{
	OBJ_CHECK(p, PROBER_MAGIC);
	enter(p);
	struct job *j = strmap_remove(&p->jobs, key);

	if (j != NULL) {
		j->dropped = true;
		release(j);
		ask(j);
	}
	leave(p);
}

void
prober_first_round(struct prober *p)
{
	OBJ_CHECK(p, PROBER_MAGIC);
	enter(p);
	p->round_asked = true;
	STRMAP_EACH (&p->jobs, e) {
		struct job *j = e->value;

		if (j->flap.verdict == FLAP_UNKNOWN && !j->awaited) {
			j->awaited = true;
			p->awaited++;
		}
	}
	leave(p);
	loop_post(p->loop, settle, p);
}

/* Locked. NULL: none seen. */
static json_t *
certificate_json(const struct job *j)
{
	char expires[CLOCK_TEXT_SIZE];

	if (j->expires_s == 0)
		return NULL;
	return json_pack("{s:s, s:I}", "expires", clock_text(j->expires_s * 1000, expires), "days",
	    (json_int_t)days_left(j));
}

/* Locked. */
static json_t *
job_json(const struct job *j)
{
	static const char *const words[] = {
		[FLAP_UNKNOWN] = "unknown",
		[FLAP_UP] = "up",
		[FLAP_DOWN] = "down",
	};
	const struct recipe *recipe = j->recipe != NULL ? j->recipe : j->asked;
	const uint64_t now_ms = clock_mono_ms();
	char interval[DURATION_TEXT_SIZE], next_in[DURATION_TEXT_SIZE];

	return json_pack("{s:s, s:i, s:s, s:s, s:o, s:o*}", "verdict", words[j->flap.verdict],
	    "streak", j->flap.streak, "interval",
	    duration_text(recipe->rhythm.interval_ms, interval), "next_in",
	    duration_text(j->due_ms > now_ms ? j->due_ms - now_ms : 0, next_in), "observations",
	    history_json(&j->history), "certificate", certificate_json(j));
}

json_t *
prober_observe(struct prober *p, const char *key)
{
	OBJ_CHECK(p, PROBER_MAGIC);
	enter(p);
	const struct job *j = strmap_find(&p->jobs, key);
	json_t *json = j != NULL ? job_json(j) : NULL;

	leave(p);
	return json;
}

struct prober_certificates
prober_certificates(struct prober *p)
{
	struct prober_certificates all = { 0 };

	OBJ_CHECK(p, PROBER_MAGIC);
	enter(p);
	STRMAP_EACH (&p->jobs, e) {
		const struct job *j = e->value;
		const int64_t days = j->expires_s != 0 ? days_left(j) : 0;

		if (j->expires_s == 0)
			continue;
		all.days_min = all.seen == 0 || days < all.days_min ? days : all.days_min;
		all.seen++;
		all.expiring += days < (int64_t)j->recipe->expiry_warn_days;
	}
	leave(p);
	return all;
}
