/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/aside.h"

#include <pthread.h>
#include <stdlib.h>

#include "api/route.h"
#include "base/check.h"
#include "base/mem.h"
#include "base/thread.h"

#define ASIDE_MAGIC 0xa51de001u
#define MOST        8 /* each may hold a zone in memory */

struct aside {
	uint32_t magic;
	pthread_mutex_t lock;
	pthread_cond_t fewer;
	unsigned running;
	bool stopped;
};

struct errand {
	struct aside *aside;
	struct request *request;
};

struct aside *
aside_new(void)
{
	struct aside *a = xcalloc(1, sizeof(*a));

	a->magic = ASIDE_MAGIC;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->fewer, NULL);
	return a;
}

void
aside_free(struct aside **ap)
{
	struct aside *a = *ap;

	if (a == NULL)
		return;
	OBJ_CHECK(a, ASIDE_MAGIC);
	CHECK(a->stopped && a->running == 0);
	pthread_cond_destroy(&a->fewer);
	pthread_mutex_destroy(&a->lock);
	a->magic = 0;
	free(a);
	*ap = NULL;
}

static bool
enter(struct aside *a)
{
	pthread_mutex_lock(&a->lock);

	const bool may = !a->stopped && a->running < MOST;

	a->running += may;
	pthread_mutex_unlock(&a->lock);
	return may;
}

/* Counted until the connection is resumed: who stops waits for that. */
static void
leave(struct aside *a, struct MHD_Connection *connection)
{
	pthread_mutex_lock(&a->lock);
	MHD_resume_connection(connection);
	a->running--;
	pthread_cond_broadcast(&a->fewer);
	pthread_mutex_unlock(&a->lock);
}

static void *
handle(void *arg)
{
	struct errand *e = arg;
	struct request *r = e->request;
	struct aside *a = e->aside;

	free(e);
	r->route->handle(r);
	r->handled = true;
	leave(a, r->connection);
	return NULL;
}

bool
aside_run(struct aside *a, struct request *r)
{
	pthread_t thread;

	OBJ_CHECK(a, ASIDE_MAGIC);
	if (!enter(a))
		return false;

	struct errand *e = xcalloc(1, sizeof(*e));

	*e = (struct errand){ a, r };
	MHD_suspend_connection(r->connection);
	thread_start(&thread, "aside", handle, e);
	pthread_detach(thread);
	return true;
}

void
aside_stop(struct aside *a)
{
	OBJ_CHECK(a, ASIDE_MAGIC);
	pthread_mutex_lock(&a->lock);
	a->stopped = true;
	while (a->running > 0)
		pthread_cond_wait(&a->fewer, &a->lock);
	pthread_mutex_unlock(&a->lock);
}
