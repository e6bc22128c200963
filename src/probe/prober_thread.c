/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The threads that probe: their loops, what is left in their inboxes, and their part of what is
 * limited. */
#include "base/mem.h"
#include "base/thread.h"
#include "probe/prober_types.h"

/* Lanes at once: when thousands die together, they must not cost the rest. */
#define LANES_MAX 2048

/* Take one job from the inbox and do what is asked; false if there is none. */
static bool
attend(struct prober_thread *t)
{
	struct prober *p = t->prober;

	prober_enter(p);
	const bool any = !list_empty(&t->inbox);

	if (any) {
		struct job *j = LIST_ENTRY(t->inbox.next, struct job, inbox);

		list_remove(&j->inbox);
		prober_attend(j);
	}
	prober_leave(p);
	return any;
}

static void
attend_all(void *arg)
{
	struct prober_thread *t = arg;

	while (attend(t))
		continue;
	prober_run_settle(t->prober);
}

void
prober_thread_ask(struct job *j)
{
	struct prober_thread *t = j->thread;

	if (list_empty(&t->inbox) && t->prober->holds == 0)
		loop_post(t->loop, attend_all, t);
	list_remove(&j->inbox);
	list_append(&t->inbox, &j->inbox);
}

void
prober_thread_wake(struct prober *p)
{
	for (unsigned i = 0; i < p->n_threads; i++) {
		if (!list_empty(&p->threads[i].inbox))
			loop_post(p->threads[i].loop, attend_all, &p->threads[i]);
	}
}

static void *
run(void *arg)
{
	struct prober_thread *t = arg;

	loop_run(t->loop);
	return NULL;
}

struct prober_thread *
prober_thread_of(struct prober *p, const struct addr *ip)
{
	return &p->threads[p->n_threads > 1 ? addr_ip_hash(ip) % p->n_threads : 0];
}

/* Its part of `n` things, and at least one. */
static size_t
part(const struct prober *p, size_t n)
{
	return n > p->n_threads ? n / p->n_threads : 1;
}

void
prober_thread_open(struct prober *p)
{
	p->n_threads = p->settings.threads > 0 ? p->settings.threads : 1;
	p->threads = xcalloc(p->n_threads, sizeof(*p->threads));
	caps_all_init(&p->all, p->settings.rate);
	for (unsigned i = 0; i < p->n_threads; i++) {
		struct prober_thread *t = &p->threads[i];

		t->prober = p;
		t->loop = loop_new();
		t->connections = part(p, p->settings.connections);
		t->lanes_max = part(p, LANES_MAX);
		list_init(&t->inbox);
		list_init(&t->waiting);
		list_init(&t->idle);
		list_init(&t->tries);
		caps_init(&t->caps, &p->all, p->settings.host_rate);
		if (p->n_threads > 1 && p->settings.options.script_dir != NULL)
			loop_copies(t->loop);
	}
}

void
prober_thread_stop(struct prober *p)
{
	for (unsigned i = 0; p->started && i < p->n_threads; i++)
		loop_stop(p->threads[i].loop);
	for (unsigned i = 0; p->started && i < p->n_threads; i++)
		thread_join(p->threads[i].thread);
}

void
prober_thread_start(struct prober *p)
{
	for (unsigned i = 0; i < p->n_threads; i++)
		thread_start(&p->threads[i].thread, "probe", run, &p->threads[i]);
}
