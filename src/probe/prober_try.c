/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One probe outside of all schedules, for a person who waits for what it finds. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "probe/prober_types.h"
#include "probe/reason.h"
#include "probe/tls.h"

#define OUTPUT_MAX 4096

struct
try {
	struct list in; /* prober_thread.tries */
	struct prober_thread *thread;
	struct recipe *recipe;
	struct runner runner;
	struct buf output;
	void (*done)(void *arg, json_t *result);
	void *arg;
};

static void
finish(struct try *t, json_t *result)
{
	list_remove(&t->in);
	runner_cancel(&t->runner);
	probe_forget(&t->runner.probe);
	recipe_free(&t->recipe);
	buf_fini(&t->output);
	t->done(t->arg, result);
	free(t);
}

/* What came, as far as it is text. */
static void
add_output(json_t *result, const struct buf *in)
{
	json_t *text = in->len > 0 ? json_stringn((const char *)in->data, in->len) : NULL;

	if (text != NULL)
		json_object_set_new(result, "output", text);
}

static json_t *
result_json(const struct try *t, enum probe_step step)
{
	const struct probe *p = &t->runner.probe;
	json_t *result = history_observation_json(&(struct observation){
	    .at_ms = clock_real_ms(),
	    .connect_us = (uint32_t)p->connect_us,
	    .tls_us = (uint32_t)p->tls_us,
	    .first_byte_us = (uint32_t)p->first_byte_us,
	    .total_us = (uint32_t)t->runner.total_us,
	    .status = p->status,
	    .reason = reason_of(p->cause, p->text),
	    .passed = step == PROBE_PASS,
	});
	char at[CLOCK_TEXT_SIZE];

	/* Our own want: it says nothing about the target. */
	if (step == PROBE_STARVED)
		json_object_set_new(result, "passed", json_null());
	if (p->tls_memory != NULL && p->tls_memory->expires_s != 0)
		json_object_set_new(result, "certificate",
		    json_pack("{s:s}", "expires", clock_text(p->tls_memory->expires_s * 1000, at)));
	add_output(result, &t->output);
	return result;
}

static void
done(struct runner *r, enum probe_step step)
{
	struct try *t = container_of(r, struct try, runner);

	finish(t, result_json(t, step));
}

static void
begin(void *arg)
{
	struct try *t = arg;

	list_append(&t->thread->tries, &t->in);
	runner_start(&t->runner, t->recipe);
}

void
prober_try(struct prober *p, const struct prober_job *job, void (*tried)(void *arg, json_t *result),
    void *arg)
{
	struct try *t = xcalloc(1, sizeof(*t));

	OBJ_CHECK(p, PROBER_MAGIC);
	t->thread = prober_thread_of(p, &job->target);
	t->recipe = recipe_new(&job->target, job->host, job->template, &p->settings.options);
	t->done = tried;
	t->arg = arg;
	list_init(&t->in);
	runner_init(&t->runner, t->thread->loop, done);
	buf_init(&t->output, OUTPUT_MAX);
	t->runner.output = &t->output;
	loop_post(t->thread->loop, begin, t);
}

void
prober_try_fini(struct prober_thread *thread)
{
	LIST_EACH (it, tmp, &thread->tries)
		finish(LIST_ENTRY(it, struct try, in), json_null());
}
