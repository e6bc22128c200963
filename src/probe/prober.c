/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who owns what: a job is in the map while it is wanted. What others ask of it (a new recipe, the
 * drop) is left under the lock, and the job put into the inbox; the probe thread takes it from
 * there. A dropped job is referred to by the inbox alone, so the probe thread frees it.
 */
#include "probe/prober.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/mem.h"
#include "probe/prober_types.h"
#include "probe/protocol.h"
#include "probe/tls.h"

#define FILES_SPARE 1024 /* descriptors that the rest of the engine may want */

void
prober_enter(struct prober *p)
{
	CHECK(pthread_mutex_lock(&p->lock) == 0);
}

void
prober_leave(struct prober *p)
{
	CHECK(pthread_mutex_unlock(&p->lock) == 0);
}

static void
job_free(struct job *j)
{
	OBJ_CHECK(j, JOB_MAGIC);
	prober_flight_stop(j);
	tls_forget(&j->tls_memory);
	loop_timer_cancel(j->thread->loop, &j->timer);
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
	const uint64_t now_ms = clock_mono_ms();

	prober_flight_stop(j);
	tls_forget(&j->tls_memory);
	j->expires_s = 0;
	recipe_free(&j->recipe);
	j->recipe = j->asked;
	j->asked = NULL;
	j->grace_ms = now_ms + j->recipe->rhythm.interval_ms;
	flap_init(&j->flap, (enum flap_verdict)j->flap.verdict);
	prober_run_at(j, schedule_pace(&p->pace, now_ms));
}

/* Locked. */
void
prober_attend(struct job *j)
{
	const bool beaten = j->beaten;

	j->beaten = false;
	if (j->dropped)
		job_free(j);
	else if (j->asked != NULL)
		adopt(j);
	else if (beaten)
		prober_run_at(j, clock_mono_ms());
}

/* Most of the descriptors that this process may have. */
static uint32_t
default_connections(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur > UINT32_MAX)
		return UINT32_MAX;
	return (uint32_t)(files.rlim_cur > 2 * FILES_SPARE ? files.rlim_cur - FILES_SPARE
							   : files.rlim_cur / 2 + 1);
}

struct prober *
prober_new(struct word_table *words, const struct prober_hooks *hooks,
    const struct prober_settings *settings)
{
	struct prober *p = xcalloc(1, sizeof(*p));
	pthread_mutexattr_t strict;

	p->magic = PROBER_MAGIC;
	p->words = words;
	p->hooks = *hooks;
	strmap_init(&p->jobs);
	if (settings != NULL)
		p->settings = *settings;
	if (p->settings.connections == 0)
		p->settings.connections = default_connections();
	prober_thread_open(p);
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
	prober_thread_start(p);
}

static void
free_jobs(struct prober *p)
{
	for (unsigned i = 0; i < p->n_threads; i++) {
		LIST_EACH (it, tmp, &p->threads[i].inbox) {
			struct job *j = LIST_ENTRY(it, struct job, inbox);

			list_remove(it);
			if (j->dropped)
				job_free(j);
		}
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
	prober_thread_stop(p);
	for (unsigned i = 0; i < p->n_threads; i++)
		prober_try_fini(&p->threads[i]);
	free_jobs(p);
	for (unsigned i = 0; i < p->n_threads; i++) {
		prober_flight_fini(&p->threads[i]);
		loop_free(&p->threads[i].loop);
	}
	free(p->threads);
	strmap_fini(&p->jobs);
	pthread_mutex_destroy(&p->lock);
	p->magic = 0;
	free(p);
	*pp = NULL;
}

static void
take_beat(struct job *j, const struct prober_beat *beat)
{
	const int64_t left_ms = beat->until_ms - clock_real_ms();

	j->beat_ms = beat->at_ms;
	j->alive_ms = left_ms > 0 ? clock_mono_ms() + (uint64_t)left_ms : 0;
}

static struct job *
job_new(struct prober *p, const struct prober_job *wanted)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->magic = JOB_MAGIC;
	j->prober = p;
	j->thread = prober_thread_of(p, &wanted->target);
	j->key = xstrdup(wanted->key);
	j->slot = wanted->slot;
	j->spread = schedule_spread(p->serial++);
	take_beat(j, &wanted->beat);
	list_init(&j->inbox);
	list_init(&j->waiting);
	flap_init(&j->flap, wanted->start);
	wheel_timer_init(&j->timer, prober_run_due);
	return j;
}

/*
 * Locked. Another thread has the new target's IP: as if dropped and wanted anew, but with all that
 * is known of it.
 */
static struct job *
move(struct job *old, const struct prober_job *wanted)
{
	struct prober *p = old->prober;
	struct job *j = job_new(p, wanted);

	flap_init(&j->flap, (enum flap_verdict)old->flap.verdict);
	j->edges = old->edges;
	j->history = old->history;
	j->warned_s = old->warned_s;
	j->beat_ms = old->beat_ms;
	j->alive_ms = old->alive_ms;
	j->awaited = old->awaited;
	old->awaited = false;
	old->dropped = true;
	strmap_remove(&p->jobs, old->key);
	strmap_put(&p->jobs, j->key, j);
	prober_thread_ask(old);
	return j;
}

void
prober_want(struct prober *p, const struct prober_job *wanted)
{
	struct recipe *recipe =
	    recipe_new(&wanted->target, wanted->host, wanted->template, &p->settings.options);

	OBJ_CHECK(p, PROBER_MAGIC);
	prober_enter(p);
	struct job *j = strmap_find(&p->jobs, wanted->key);

	if (j == NULL) {
		j = job_new(p, wanted);
		strmap_put(&p->jobs, j->key, j);
		/* The only writer here: the probe thread does not know it yet. */
		if (p->words != NULL)
			word_store(p->words, j->slot, prober_run_word(j));
	}
	CHECK(j->slot == wanted->slot);
	if (j->thread != prober_thread_of(p, &wanted->target))
		j = move(j, wanted);

	const struct recipe *present = j->asked != NULL ? j->asked : j->recipe;

	if (present == NULL || !recipe_equal(present, recipe)) {
		recipe_free(&j->asked);
		j->asked = recipe;
		recipe = NULL;
		prober_thread_ask(j);
	}
	prober_leave(p);
	recipe_free(&recipe);
}

void
prober_drop(struct prober *p, const char *key)
{
	OBJ_CHECK(p, PROBER_MAGIC);
	prober_enter(p);
	struct job *j = strmap_remove(&p->jobs, key);

	if (j != NULL) {
		j->dropped = true;
		prober_run_release(j);
		prober_thread_ask(j);
	}
	prober_leave(p);
}

void
prober_hold(struct prober *p)
{
	OBJ_CHECK(p, PROBER_MAGIC);
	prober_enter(p);
	p->holds++;
	prober_leave(p);
}

void
prober_release(struct prober *p)
{
	OBJ_CHECK(p, PROBER_MAGIC);
	prober_enter(p);
	CHECK(p->holds > 0);
	if (--p->holds == 0)
		prober_thread_wake(p);
	prober_leave(p);
}

void
prober_first_round(struct prober *p)
{
	OBJ_CHECK(p, PROBER_MAGIC);
	prober_enter(p);
	p->round_asked = true;
	STRMAP_EACH (&p->jobs, e) {
		struct job *j = e->value;

		if (j->flap.verdict == FLAP_UNKNOWN && !j->awaited) {
			j->awaited = true;
			p->awaited++;
		}
	}
	prober_leave(p);
	loop_post(p->threads[0].loop, prober_run_settle, p);
}

int
prober_beat(struct prober *p, const char *key, const struct prober_beat *beat)
{
	OBJ_CHECK(p, PROBER_MAGIC);
	prober_enter(p);
	struct job *j = strmap_find(&p->jobs, key);
	const struct recipe *r = j == NULL ? NULL : j->asked != NULL ? j->asked : j->recipe;
	int error = 0;

	if (r == NULL || !r->protocol->passive)
		error = -ENOENT;
	else if (beat->at_ms <= j->beat_ms)
		error = -EALREADY;
	if (error == 0) {
		take_beat(j, beat);
		j->beaten = true;
		prober_thread_ask(j);
	}
	prober_leave(p);
	return error;
}
