/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the prober knows, for people and metrics. Any thread. */
#include "base/clock.h"
#include "base/duration.h"
#include "probe/prober_types.h"
#include "probe/protocol.h"

/* Locked. NULL: none seen. */
static json_t *
certificate_json(const struct job *j)
{
	char expires[CLOCK_TEXT_SIZE];

	if (j->expires_s == 0)
		return NULL;
	return json_pack("{s:s, s:I}", "expires", clock_text(j->expires_s * 1000, expires), "days",
	    (json_int_t)prober_days_left(j));
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
	prober_enter(p);
	const struct job *j = strmap_find(&p->jobs, key);
	json_t *json = j != NULL ? job_json(j) : NULL;

	prober_leave(p);
	return json;
}

/* Locked. */
static bool
is_behind(const struct job *j, uint64_t now_ms)
{
	const struct recipe *r = j->recipe;

	return r != NULL && !r->protocol->passive && j->judged_ms != 0 &&
	       now_ms - j->judged_ms > 2 * (uint64_t)r->rhythm.interval_ms + r->rhythm.timeout_ms;
}

uint64_t
prober_late(struct prober *p, void (*visit)(void *arg, const char *key), void *arg)
{
	OBJ_CHECK(p, PROBER_MAGIC);
	prober_enter(p);
	const uint64_t now_ms = clock_mono_ms(), max_us = p->late_max_us;

	p->late_max_us = 0;
	STRMAP_EACH (&p->jobs, e)
		if (is_behind(e->value, now_ms))
			visit(arg, e->key);
	prober_leave(p);
	return max_us;
}

struct prober_certificates
prober_certificates(struct prober *p)
{
	struct prober_certificates all = { 0 };

	OBJ_CHECK(p, PROBER_MAGIC);
	prober_enter(p);
	STRMAP_EACH (&p->jobs, e) {
		const struct job *j = e->value;
		const int64_t days = j->expires_s != 0 ? prober_days_left(j) : 0;

		if (j->expires_s == 0)
			continue;
		all.days_min = all.seen == 0 || days < all.days_min ? days : all.days_min;
		all.seen++;
		all.expiring += days < (int64_t)j->recipe->expiry_warn_days;
	}
	prober_leave(p);
	return all;
}

static json_t *
outcome_json(const char *outcome, uint64_t n)
{
	return json_pack("{s:{s:s}, s:I}", "labels", "outcome", outcome, "value", (json_int_t)n);
}

json_t *
prober_metrics(struct prober *p)
{
	size_t connections = 0;

	OBJ_CHECK(p, PROBER_MAGIC);
	prober_enter(p);
	for (unsigned i = 0; i < p->n_threads; i++)
		connections += p->threads[i].flying + p->threads[i].beside;

	json_t *j = json_pack("{s:[o, o, o], s:o, s:I, s:{s:I}}", "probes",
	    outcome_json("passed", p->passed), outcome_json("failed", p->failed),
	    outcome_json("none", p->unmade), "probe_lag_seconds", lag_json(&p->lag),
	    "probes_delayed", (json_int_t)p->delayed, "probe_connections", "gauge",
	    (json_int_t)connections);

	prober_leave(p);
	return j;
}
