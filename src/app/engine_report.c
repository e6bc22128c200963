/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine of a probe node towards its server: its votes as they change, all of them when asked,
 * and a heartbeat that vouches for those it does not name as late.
 */
#include <stdlib.h>
#include <string.h>

#include "app/engine_state.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"

#define BEAT_MS     1000
#define AT_ONCE     500  /* votes a message */
#define LATE_MAX    1000 /* more than that: the node as a whole is behind */
#define ECHOES_KEPT 16
#define RTT_MAX_MS  500

struct engine_report {
	struct engine *engine;
	struct wheel_timer beat;
	uint64_t seq;
	uint64_t sent_us[ECHOES_KEPT]; /* by seq */
	/* By the latest echo; rtt_ms below 0: none yet. How far our clock is ahead of the server's,
	 * give or take half of rtt_ms. */
	double rtt_ms, skew_ms;
};

/* ---- votes ---- */

static json_t *
vote_json(const struct engine_check *c, enum flap_verdict v, const char *cause)
{
	return json_pack(
	    "{s:s, s:s, s:s}", "key", c->key, "verdict", track_words[v], "cause", cause);
}

static void
send_votes(struct engine *e, json_t *votes)
{
	json_t *body = json_pack("{s:o}", "votes", votes);

	link_send_json(e->link, MESSAGE_VOTES, body);
	json_decref(body);
}

void
engine_report_vote(
    struct engine *e, const struct engine_check *c, enum flap_verdict v, const char *cause)
{
	if (e->report != NULL && e->link != NULL)
		send_votes(e, json_pack("[o]", vote_json(c, v, cause)));
}

/* Also those on which there is no verdict yet: an older vote that the server may have is none. */
void
engine_report_all(struct engine *e)
{
	json_t *votes = json_array();

	if (e->report != NULL && e->link != NULL)
		STRMAP_EACH (&e->checks, entry) {
			const struct engine_check *c = entry->value;

			if (!c->here)
				continue;
			json_array_append_new(
			    votes, vote_json(c, (enum flap_verdict)c->own, engine_votes_cause(c)));
			if (json_array_size(votes) == AT_ONCE) {
				send_votes(e, votes);
				votes = json_array();
			}
		}
	if (json_array_size(votes) > 0)
		send_votes(e, votes);
	else
		json_decref(votes);
}

/* ---- heartbeat ---- */

static void
note_late(void *arg, const char *key)
{
	json_t *late = arg;

	if (json_array_size(late) <= LATE_MAX)
		json_array_append_new(late, json_string(key));
}

static size_t
count_here(const struct engine *e)
{
	size_t n = 0;

	STRMAP_EACH (&e->checks, c)
		n += ((const struct engine_check *)c->value)->here;
	return n;
}

static void
send_beat(struct engine_report *r)
{
	struct engine *e = r->engine;
	json_t *late = json_array();
	const uint64_t lag_us = prober_late(e->prober, note_late, late);
	const bool stalled = json_array_size(late) > LATE_MAX;

	if (stalled)
		json_array_clear(late);
	r->seq++;
	r->sent_us[r->seq % ECHOES_KEPT] = clock_mono_us();

	json_t *body = json_pack("{s:I, s:f, s:I, s:o, s:b, s:s}", "seq", (json_int_t)r->seq,
	    "lag_ms", (double)lag_us / 1000, "checks", (json_int_t)count_here(e), "late", late,
	    "stalled", (int)stalled, "version", GTM_VERSION);

	if (r->rtt_ms >= 0) {
		json_object_set_new(body, "rtt_ms", json_real(r->rtt_ms));
		json_object_set_new(body, "clock_skew_ms", json_integer((json_int_t)r->skew_ms));
	}
	link_send_json(e->link, MESSAGE_BEAT, body);
	json_decref(body);
}

static void
beat_due(struct wheel_timer *t)
{
	struct engine_report *r = container_of(t, struct engine_report, beat);

	if (r->engine->link != NULL)
		send_beat(r);
	loop_timer_in(r->engine->loop, &r->beat, BEAT_MS);
}

/* {seq, clock}. What was long on its way, for want of a network, tells nothing of clocks. */
void
engine_report_echo(struct engine *e, const json_t *body)
{
	struct engine_report *r = e->report;
	const uint64_t seq = (uint64_t)json_integer_value(json_object_get(body, "seq"));
	const json_int_t clock_ms = json_integer_value(json_object_get(body, "clock"));

	if (r == NULL || seq == 0 || seq > r->seq || r->seq - seq >= ECHOES_KEPT)
		return;

	const double rtt_ms = (double)(clock_mono_us() - r->sent_us[seq % ECHOES_KEPT]) / 1000;

	if (rtt_ms > RTT_MAX_MS)
		return;
	r->rtt_ms = rtt_ms;
	r->skew_ms = (double)(clock_real_ms() - clock_ms) - rtt_ms / 2;
}

/* ---- questions ---- */

json_t *
engine_report_seen(struct engine *e, const json_t *request)
{
	json_t *seen = json_object();
	const json_t *key;
	size_t i;

	json_array_foreach(json_object_get(request, "keys"), i, key)
	{
		const char *text = json_string_value(key);
		json_t *one = text != NULL ? prober_observe(e->prober, text) : NULL;

		if (one != NULL)
			json_object_set_new(seen, text, one);
	}
	return json_pack("{s:o}", "seen", seen);
}

/* ---- life ---- */

void
engine_report_open(struct engine *e)
{
	if (e->config->node_name == NULL)
		return;
	e->report = xcalloc(1, sizeof(*e->report));
	e->report->engine = e;
	e->report->rtt_ms = -1;
	wheel_timer_init(&e->report->beat, beat_due);
	loop_timer_in(e->loop, &e->report->beat, BEAT_MS);
}

void
engine_report_close(struct engine *e)
{
	if (e->report != NULL)
		loop_timer_cancel(e->loop, &e->report->beat);
	free(e->report);
	e->report = NULL;
}
