/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/registrar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "node/roster.h"

#define WARN_MS 1000

struct registrar {
	uint32_t magic;
#define REGISTRAR_MAGIC 0x2e615742u
	struct control *control;
	const struct authority *authority;
	void (*done)(void *arg, struct registrar_job *job);
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct registrar_job *jobs[REGISTRAR_MAX]; /* a ring */
	size_t first, count;
	bool stopping;
	uint64_t warned_ms; /* its thread's */
};

void
registrar_job_free(struct registrar_job **jp)
{
	struct registrar_job *j = *jp;

	if (j == NULL)
		return;
	free(j->request);
	free(j->certificate);
	free(j->problem);
	free(j);
	*jp = NULL;
}

static int
commit(struct registrar *r, struct registrar_job *j, const char *digest, struct diag *d)
{
	switch (j->what) {
	case REGISTRAR_ENROL:
		return roster_enrol(r->control, j->node, j->secret, digest, d);
	case REGISTRAR_RENEW:
		return roster_renew(r->control, j->node, j->digest, digest, d);
	default:
		return roster_settle(r->control, j->node, j->digest, d);
	}
}

/* A stranger's guess costs a look at the model, no signature and no editor's lock. */
static int
check(struct registrar *r, const struct registrar_job *j)
{
	return j->what != REGISTRAR_ENROL || roster_expects(r->control, j->node, j->secret)
		   ? 0
		   : -EACCES;
}

/* Why it may not be is nothing for strangers; the log has it, once a second at most. */
static void
refuse(struct registrar *r, struct registrar_job *j, struct diag *d)
{
	const uint64_t now_ms = clock_mono_ms();

	if (r->warned_ms == 0 || now_ms - r->warned_ms >= WARN_MS)
		log_warn("nodes", "node '%s' is refused: %s", j->node,
		    diag_failed(d) ? diag_text(d) : "a token that is wrong, used or too old");
	r->warned_ms = now_ms;
	free(j->certificate);
	j->certificate = NULL;
	j->problem = xstrdup(
	    d->code == DIAG_UNAVAILABLE
		? "the server cannot store anything right now; try again"
		: "the token is wrong, was used, or is too old; make a new one: gtmctl node token");
}

static void
carry_out(struct registrar *r, struct registrar_job *j)
{
	static const char *const news[] = {
		[REGISTRAR_ENROL] = "is enrolled",
		[REGISTRAR_RENEW] = "has a new certificate",
		[REGISTRAR_SETTLE] = "uses its new certificate",
	};
	char digest[CERT_DIGEST_SIZE] = "";
	struct diag d;

	diag_init(&d);
	int rc = check(r, j);

	if (rc == 0 && j->request != NULL) {
		j->certificate = authority_sign(r->authority, j->request, j->node, digest);
		if (j->certificate == NULL)
			rc = diag_add(&d, DIAG_INVALID, "", "no request for a certificate");
	}
	if (rc == 0)
		rc = commit(r, j, digest, &d);
	if (rc < 0)
		refuse(r, j, &d);
	else
		log_info("nodes", "node '%s' %s", j->node, news[j->what]);
	diag_fini(&d);
}

static struct registrar_job *
next(struct registrar *r)
{
	struct registrar_job *j = NULL;

	pthread_mutex_lock(&r->lock);
	while (r->count == 0 && !r->stopping)
		pthread_cond_wait(&r->changed, &r->lock);
	if (!r->stopping) {
		j = r->jobs[r->first];
		r->first = (r->first + 1) % REGISTRAR_MAX;
		r->count--;
	}
	pthread_mutex_unlock(&r->lock);
	return j;
}

static void *
run(void *arg)
{
	struct registrar *r = arg;
	struct registrar_job *j;

	while ((j = next(r)) != NULL) {
		carry_out(r, j);
		r->done(r->arg, j);
	}
	return NULL;
}

struct registrar *
registrar_new(struct control *control, const struct authority *authority,
    void (*done)(void *arg, struct registrar_job *job), void *arg)
{
	struct registrar *r = xcalloc(1, sizeof(*r));

	r->magic = REGISTRAR_MAGIC;
	r->control = control;
	r->authority = authority;
	r->done = done;
	r->arg = arg;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	thread_start(&r->thread, "registrar", run, r);
	return r;
}

bool
registrar_ask(struct registrar *r, struct registrar_job *job)
{
	bool room;

	OBJ_CHECK(r, REGISTRAR_MAGIC);
	pthread_mutex_lock(&r->lock);
	room = r->count < REGISTRAR_MAX && !r->stopping;
	if (room)
		r->jobs[(r->first + r->count++) % REGISTRAR_MAX] = job;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	if (!room)
		registrar_job_free(&job);
	return room;
}

void
registrar_free(struct registrar **rp)
{
	struct registrar *r = *rp;

	if (r == NULL)
		return;
	OBJ_CHECK(r, REGISTRAR_MAGIC);
	pthread_mutex_lock(&r->lock);
	r->stopping = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	thread_join(r->thread);
	while (r->count > 0) {
		registrar_job_free(&r->jobs[r->first]);
		r->first = (r->first + 1) % REGISTRAR_MAX;
		r->count--;
	}
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	r->magic = 0;
	free(r);
	*rp = NULL;
}
