/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prober_types -- what the prober's files share. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/strmap.h"
#include "net/loop.h"
#include "probe/caps.h"
#include "probe/history.h"
#include "probe/lag.h"
#include "probe/prober.h"
#include "probe/recipe.h"
#include "probe/runner.h"

/* A probe under way, or a connection kept for the next one. Taken from the idle ones, given back.
 */
struct flight {
	struct runner runner;
	struct job *job; /* NULL: idle */
	struct list idle;
};

struct job {
	uint32_t magic;
#define JOB_MAGIC 0x70b0e10bu
	uint32_t slot;
	struct prober *prober;
	struct prober_thread *thread; /* that of its target's IP */
	char *key;

	/* Under the prober's lock. */
	struct list inbox;    /* alone while nothing is asked */
	struct recipe *asked; /* to be adopted; NULL = keep the present one */
	bool dropped, beaten; /* a heartbeat came */
	bool awaited;         /* the first round waits for it */
	struct flap flap;
	uint32_t edges;
	struct history history;
	int64_t expires_s, warned_s; /* of the certificate: 0 = none; the one last warned of */
	int64_t beat_ms;    /* push: when the last heartbeat was said, real time; 0 = never */
	uint64_t alive_ms;  /* push: until when it holds, monotonic: our clock may be set */
	uint64_t judged_ms; /* when the last probe had an outcome; 0 = none yet */
	uint64_t due_ms;    /* scheduled start of the next probe, or of the one in flight */

	/* The probe thread's; `recipe` changes under the lock. */
	struct recipe *recipe;
	struct flight *flight; /* NULL: none under way, nothing kept */
	struct tls_memory *tls_memory;
	struct wheel_timer timer;
	struct list waiting; /* for a flight; alone while it does not */
	uint64_t spread;
	uint64_t late_us;  /* of the probe in flight */
	uint64_t calm_ms;  /* until then a kept connection that ends is no reason to look */
	uint64_t grace_ms; /* push: until then nobody need have said anything */
	bool admitted;     /* by the caps: the next time it goes */
};

struct prober {
	uint32_t magic;
#define PROBER_MAGIC 0x9b0be55du
	struct word_table *words;
	struct prober_hooks hooks;
	struct prober_settings settings;
	bool started;

	pthread_mutex_t lock;
	struct strmap jobs;
	struct schedule_pace pace;
	uint64_t serial; /* jobs ever wanted */
	size_t awaited;  /* jobs the first round waits for */
	bool round_asked;
	unsigned holds; /* prober_hold less prober_release */
	struct lag lag;
	uint64_t late_max_us;            /* since prober_late */
	uint64_t passed, failed, unmade; /* probes, ever */
	uint64_t delayed;                /* by the caps, ever */
	uint64_t starved;                /* since the last line about it */
	uint64_t complained_ms, resources_ms, late_ms;

	struct caps_all all; /* any thread */
	struct prober_thread *threads;
	unsigned n_threads;
};

/* One of those that probe: all checks of an IP are one thread's, with its part of what is limited.
 */
struct prober_thread {
	struct prober *prober;
	struct loop *loop;
	pthread_t thread;
	size_t connections, lanes_max;

	/* Under the prober's lock. */
	struct list inbox;
	size_t flying; /* flights taken; only the thread itself writes */

	/* Its own. */
	atomic_size_t beside; /* lanes beside them; others may look */
	struct caps caps;
	struct list waiting; /* jobs that wait for a flight */
	struct list idle;    /* flights */
	struct list tries;
	size_t n_idle;
};

/* prober.c: the lock checks errors, so a hook that calls back aborts rather than hangs. */
void prober_enter(struct prober *p);
void prober_leave(struct prober *p);

/* Locked. Days until the certificate ends, rounded down. */
static inline int64_t
prober_days_left(const struct job *j)
{
	const int64_t left_s = j->expires_s - clock_real_ms() / 1000;

	return (left_s - (left_s < 0 ? 86399 : 0)) / 86400;
}

uint32_t prober_run_word(const struct job *j);
/* prober_run.c: on the probe thread. */
void prober_run_due(struct wheel_timer *t);
/* Locked. No longer wait for `j` in the first round. */
void prober_run_release(struct job *j);
void prober_run_settle(void *prober); /* tell if the first round is over */
/* Locked. */
void prober_run_at(struct job *j, uint64_t due_ms);
/* What a flight tells. */
void prober_run_done(struct runner *r, enum probe_step step);
void prober_run_left(struct runner *r, bool lost);
void prober_try_fini(struct prober_thread *t); /* those under way end without a result */

/* prober.c: locked, on the probe thread. What was asked of it. */
void prober_attend(struct job *j);

/* prober_flight.c: on the probe thread. */
bool prober_flight_full(const struct prober_thread *t);
/* Kept connections must not keep others from flying. */
bool prober_flight_crowded(const struct prober_thread *t);
struct flight *prober_flight_take(struct job *j);
void prober_flight_give(struct job *j); /* locked */
/* Locked. Whatever is under way or kept ends without an outcome. */
void prober_flight_stop(struct job *j);
void prober_flight_fini(struct prober_thread *t); /* those that are idle */

/* prober_thread.c */
void prober_thread_open(struct prober *p); /* as many as the settings say */
void prober_thread_start(struct prober *p);
void prober_thread_stop(struct prober *p);
struct prober_thread *prober_thread_of(struct prober *p, const struct addr *ip); /* whose it is */
/* Locked. Whoever fills the empty inbox wakes the probe thread, which empties it; while the prober
 * is held that is put off to prober_thread_wake. */
void prober_thread_ask(struct job *j);
void prober_thread_wake(struct prober *p); /* locked: all whose inbox is not empty */
