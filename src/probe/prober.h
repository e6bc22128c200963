/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * prober -- runs every wanted check from one epoll loop and keeps its verdict word true.
 *
 *   want/drop (any thread) --> [ probe thread: wheel -> protocol -> flap ] --> verdict word
 *                                                                        `---> hooks.edge
 *
 * Start times are spread evenly over the interval; the very first round goes out at once, but paced (2,000 starts/s), so that
 * a fresh start has verdicts soon. After a contrary outcome the next probe follows after `recheck`. A dropped job never
 * calls back again once prober_drop has returned... to the loop: words of given-back slots are not written.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/json.h"
#include "model/nouns.h"
#include "net/addr.h"
#include "verdict/flap.h"
#include "verdict/word.h"

struct prober;

struct prober_job {
	const char *key;
	uint32_t slot;
	struct addr target; /* with port */
	const char *host;   /* default Host for HTTP */
	const struct template_spec *template; /* copied */
	enum flap_verdict start; /* restored verdict, or FLAP_UNKNOWN */
};

struct prober_hooks {
	void *arg;
	/* On the probe thread, after the word is stored. `cause` is static text by layer: "l4_refused", "l4_timeout",
	 * "l4_unreachable", "l4_reset", "http_status", "http_bad", "http_timeout", ...; "" for up. */
	void (*edge)(void *arg, const char *key, uint32_t slot, enum flap_verdict verdict, const char *cause);
	/* Once, when every job wanted before prober_first_round has had its first verdict. */
	void (*first_round)(void *arg);
};

struct prober *prober_new(struct word_table *words, const struct prober_hooks *hooks);
void prober_start(struct prober *p);
void prober_free(struct prober **p); /* stops the thread, closes every socket */

/* Any thread. A known key is changed in place: new template, verdict kept. */
void prober_want(struct prober *p, const struct prober_job *job);
void prober_drop(struct prober *p, const char *key);
/* Ask for the first_round hook (at once if nothing is pending). */
void prober_first_round(struct prober *p);
/*
 * The last observations (at most 16, newest first) and the schedule of a check, for people:
 * {verdict, streak, interval, next_in, observations:[{at, passed, cause, connect, first_byte, total, text}]}. NULL if unknown.
 */
MUST_USE json_t *prober_observe(struct prober *p, const char *key);
