/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prober -- runs every wanted check from an epoll loop and keeps its verdict word true.
 *
 *	want/drop (any thread) --> [ probe thread: wheel -> protocol -> flap ] --> verdict word
 *	                                                                      `--> hooks.edge
 *
 * Start times are spread evenly over the interval; the very first round goes out at once, but
 * paced (5,000 starts/s), so that a fresh start has verdicts soon. After a contrary outcome the
 * next probe follows after `recheck`.
 *
 * Words and edges belong together and to the job: they happen under one lock, which prober_want
 * and prober_drop take too. So once prober_drop has returned, nothing writes the job's word and
 * no hook is called for it; the slot may be given back in that moment, although the socket of a
 * probe in flight is closed only a little later, by the probe thread.
 *
 * With several threads "the probe thread" is the one that has the target's IP. Hooks are called by
 * one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/json.h"
#include "model/nouns.h"
#include "net/addr.h"
#include "probe/recipe.h"
#include "verdict/flap.h"
#include "verdict/word.h"

struct prober;

/* How this server probes, whatever the templates. Zeroed: as it likes. */
struct prober_settings {
	uint32_t rate, host_rate; /* probes a second, in all and of one IP; 0 = no cap */
	uint32_t connections;     /* at once; 0 = most of the descriptors this process may have */
	uint32_t threads;         /* 0 = 1; each has the checks of some IPs */
	struct recipe_options options;
};

/* A heartbeat (protocol push): said at, true until; real time. Zeroed: none yet. */
struct prober_beat {
	int64_t at_ms, until_ms;
};

struct prober_job {
	const char *key;
	uint32_t slot;                        /* one job per slot; a key keeps its slot */
	struct addr target;                   /* with port */
	const char *host;                     /* default Host for HTTP */
	const struct template_spec *template; /* copied */
	enum flap_verdict start;              /* restored verdict, or FLAP_UNKNOWN */
	struct prober_beat beat;              /* restored */
};

struct prober_hooks {
	void *arg;
	/*
	 * On the probe thread, after the word is stored. `cause` is static text by layer:
	 * "l4_refused", "l4_timeout", "l4_unreachable", "l4_reset", "l4_error", "http_status",
	 * "http_bad", "http_timeout", "http_closed", "tls_cert", ... (docs/internals/probe.md); ""
	 * for up. Must be short, and must not call
	 * the prober or wait for anybody who does. NULL = not wanted.
	 */
	void (*edge)(void *arg, const char *key, uint32_t slot, enum flap_verdict verdict,
	    const char *cause);
	/*
	 * On the probe thread, once per prober_first_round, when every job wanted before it has
	 * had its first verdict or is dropped. NULL = not wanted.
	 */
	void (*first_round)(void *arg);
	/*
	 * As `edge`: the target's certificate ends within the template's warning time. Once per
	 * certificate. NULL = not wanted.
	 */
	void (*expiring)(void *arg, const char *key, uint32_t slot, int64_t expires_ms);
	/*
	 * On the probe thread: something of our own is short. "probe.resources": probes could not
	 * be made; "probe.late": they start more than a second late. At most one of each a minute.
	 * NULL = not wanted.
	 */
	void (*trouble)(void *arg, const char *kind, const char *text);
};

/*
 * `words` may be NULL: then edges are all that is told, and whoever takes them keeps the words.
 * `settings` may be NULL. What they point to must outlive the prober.
 */
struct prober *prober_new(struct word_table *words, const struct prober_hooks *hooks,
    const struct prober_settings *settings);
void prober_start(struct prober *p);
void prober_free(struct prober **p); /* stops the thread, closes every socket */

/*
 * Any thread. The word shows job->start on return. A known key is changed in place: new template
 * or target, verdict kept; changed in nothing, its schedule goes on undisturbed.
 */
void prober_want(struct prober *p, const struct prober_job *job);
/* Any thread but the probe thread's hooks. Unknown keys are fine. */
void prober_drop(struct prober *p, const char *key);
/*
 * Any thread. What is wanted or dropped between hold and release begins or ends with the release:
 * the probe threads are woken once, not for each of thousands. Holds nest.
 */
void prober_hold(struct prober *p);
void prober_release(struct prober *p);
/*
 * Any thread. A heartbeat of a push check: judged at once. 0; -ENOENT: no such check, or it does
 * not listen; -EALREADY: not later than the last one, a replay.
 */
MUST_USE int prober_beat(struct prober *p, const char *key, const struct prober_beat *beat);
/*
 * Any thread. One probe now, besides all schedules; `key`, `slot` and `start` of the job say
 * nothing. `tried` is called once on the probe thread and takes the result: an observation as
 * prober_observe has them, `passed` null where nothing was learned of the target, with `output`
 * (what came, 4 KiB at most, where the protocol looks at it) and `certificate`.
 */
void prober_try(struct prober *p, const struct prober_job *job,
    void (*tried)(void *arg, json_t *result), void *arg);
/* Ask for the first_round hook (at once if nothing is pending). */
void prober_first_round(struct prober *p);
/*
 * The last observations (at most 16, newest first) and the schedule of a check, for people:
 * {verdict, streak, interval, next_in, observations:[{at, passed, cause, connect, tls,
 * first_byte, total, text}]}; with TLS also certificate:{expires, days}. interval and next_in are
 * durations ("5s"), the phases numbers of milliseconds, or null where the probe did not get. NULL
 * if unknown.
 */
MUST_USE json_t *prober_observe(struct prober *p, const char *key);

/*
 * Checks that are behind: they have had an outcome, but none for two intervals and a timeout. The
 * visitor must be short and not call the prober. Returns how late the latest probe started since
 * the last call, in microseconds. O(checks).
 */
uint64_t prober_late(struct prober *p, void (*visit)(void *arg, const char *key), void *arg);

/* For metrics: checks whose target showed a certificate, those in their warning time, and the
 * fewest days left of any (rounded down; 0 when none was seen). */
struct prober_certificates {
	size_t seen, expiring;
	int64_t days_min;
};
struct prober_certificates prober_certificates(struct prober *p);

/*
 * For metrics, as api/metrics.h reads them: `probes` by outcome, and `probe_lag_seconds`, the
 * histogram of how much later than scheduled they started.
 */
MUST_USE json_t *prober_metrics(struct prober *p);
