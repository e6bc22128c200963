/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "geo/watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

#define LOOK_S   5
#define QUIET_MS 2000 /* a file as young as this may still be written to */

struct watch {
	uint32_t magic;
#define WATCH_MAGIC 0x3a7c4001u
	const struct survey_source *sources;
	size_t n;
	struct survey_report *seen; /* at the last reading; of a file that was not there: zero */
	bool fresh;                 /* nothing has been read yet */
	void (*tell)(void *arg, struct watch_news *news);
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool asked, stopping; /* under the lock */
};

void
watch_news_free(struct watch_news **n)
{
	if (*n == NULL)
		return;
	atlas_unref(&(*n)->atlas);
	free((*n)->reports);
	free((*n)->problem);
	free(*n);
	*n = NULL;
}

static bool
differs(const struct survey_report *a, const struct survey_report *b)
{
	return a->modified_ms != b->modified_ms || a->size != b->size || a->inode != b->inode;
}

/* Look at all files. Is there reason to read them? */
static bool
look(struct watch *w, bool asked, struct survey_report *now)
{
	const int64_t quiet = clock_real_ms() - QUIET_MS;
	bool changed = w->fresh || asked, young = false;

	for (size_t i = 0; i < w->n; i++) {
		now[i] = (struct survey_report){ 0 };
		if (survey_stat(w->sources[i].file, &now[i]) < 0)
			now[i] = (struct survey_report){ 0 };
		if (!differs(&now[i], &w->seen[i]))
			continue;
		changed = true;
		young = young || now[i].modified_ms > quiet;
	}
	return changed && (!young || w->fresh || asked);
}

static void
read_all(struct watch *w)
{
	struct watch_news *news = xcalloc(1, sizeof(*news));
	const uint64_t start_ms = clock_mono_ms();
	struct diag d;

	diag_init(&d);
	news->reports = xcalloc(w->n + 1, sizeof(*news->reports));
	news->atlas = survey_make(w->sources, w->n, news->reports, &d);
	if (news->atlas == NULL)
		news->problem = xstrdup(diag_text(&d));
	news->took_ms = (int64_t)(clock_mono_ms() - start_ms);
	diag_fini(&d);
	w->tell(w->arg, news);
}

/* True: stop. *asked: somebody wants it read. */
static bool
wait(struct watch *w, bool *asked)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LOOK_S;
	pthread_mutex_lock(&w->lock);
	while (!w->stopping && !w->asked && rc == 0)
		rc = pthread_cond_timedwait(&w->wake, &w->lock, &until);

	const bool stop = w->stopping;

	*asked = w->asked;
	w->asked = false;
	pthread_mutex_unlock(&w->lock);
	return stop;
}

static void *
run(void *arg)
{
	struct watch *w = arg;
	struct survey_report *now = xcalloc(w->n + 1, sizeof(*now));
	bool asked = false;

	do {
		if (!look(w, asked, now))
			continue;
		memcpy(w->seen, now, w->n * sizeof(*now));
		w->fresh = false;
		read_all(w);
	} while (!wait(w, &asked));
	free(now);
	return NULL;
}

struct watch *
watch_start(const struct survey_source *sources, size_t n, const struct survey_report *known,
    void (*tell)(void *arg, struct watch_news *news), void *arg)
{
	struct watch *w = xcalloc(1, sizeof(*w));
	pthread_condattr_t monotonic;

	*w = (struct watch){
		.magic = WATCH_MAGIC, .sources = sources, .n = n, .tell = tell, .arg = arg
	};
	w->seen = xcalloc(n + 1, sizeof(*w->seen));
	w->fresh = known == NULL;
	if (known != NULL)
		memcpy(w->seen, known, n * sizeof(*known));
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	thread_start(&w->thread, "geo", run, w);
	return w;
}

static void
signal_thread(struct watch *w, bool *what)
{
	pthread_mutex_lock(&w->lock);
	*what = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

void
watch_ask(struct watch *w)
{
	OBJ_CHECK(w, WATCH_MAGIC);
	signal_thread(w, &w->asked);
}

void
watch_stop(struct watch **wp)
{
	struct watch *w = *wp;

	*wp = NULL;
	if (w == NULL)
		return;
	OBJ_CHECK(w, WATCH_MAGIC);
	signal_thread(w, &w->stopping);
	thread_join(w->thread);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w->seen);
	w->magic = 0;
	free(w);
}
