/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is known of the nodes that probe beside us: are they there, and how good is their clock. */
#include <stdlib.h>
#include <string.h>

#include "app/engine_votes.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"

#define LOST_MS 5000 /* five heartbeats */
#define TELL_MS 5000 /* a status that changes in nothing but time */
#define SKEW_MS 1000 /* a clock that is off by more is news */
#define SKEW_OK 500

/* ---- events ---- */

static void
tell(struct engine *e, const struct voter *v, const char *kind, const char *severity, char *text)
{
	const struct tree_event ev = {
		.kind = kind,
		.object_kind = KIND_NODE,
		.object = v->name,
		.severity = severity,
		.text = text,
		.at_ms = clock_real_ms(),
	};

	log_info("engine", "%s: %s", kind, text);
	engine_feed_event(e, &ev);
	free(text);
}

/* ---- what they say of themselves ---- */

#define SAID_MAX 64

/* Known members alone, and short ones: others would be kept as well, whatever they are. */
void
engine_nodes_note(struct voter *v, const json_t *body)
{
	static const struct {
		const char *name;
		bool text;
	} members[] = { { "version", true }, { "address", true }, { "clock_skew_ms", false },
		{ "rtt_ms", false }, { "lag_ms", false }, { "checks", false } };

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		json_t *j = json_object_get(body, members[i].name);

		if (members[i].text ? json_is_string(j) && json_string_length(j) <= SAID_MAX
				    : json_is_number(j))
			json_object_set(v->said, members[i].name, j);
	}
	if (json_is_boolean(json_object_get(body, "stalled")))
		json_object_set(v->said, "stalled", json_object_get(body, "stalled"));
}

/* ---- status ---- */

static const char *
state_of(const struct voter *v)
{
	if (v->lost)
		return "down";
	if (v->heard_ms == 0)
		return "checking";
	return v->skewed || !v->connected || json_is_true(json_object_get(v->said, "stalled"))
		   ? "degraded"
		   : "healthy";
}

static json_t *
describe(const struct voter *v)
{
	const struct votes votes = panel_node_votes(v->seat);
	const char *state = state_of(v);
	char seen[CLOCK_TEXT_SIZE];
	json_t *j = json_pack("{s:s, s:s, s:b, s:i, s:i}", "health",
	    v->lost            ? "exceptional"
	    : v->heard_ms == 0 ? "unknown"
			       : "ok",
	    "state", state, "connected", (int)v->connected, "votes", (int)votes.fresh, "down",
	    (int)votes.down);

	if (v->seen_ms != 0)
		json_object_set_new(j, "last_seen", json_string(clock_text(v->seen_ms, seen)));
	json_object_update_missing(j, v->said);
	json_object_del(j, "stalled");
	if (v->late.count > 0)
		json_object_set_new(j, "late", json_integer((json_int_t)v->late.count));
	return j;
}

static void
say(struct engine *e, struct voter *v)
{
	json_t *status = describe(v);
	char *text = json_text(status);

	v->told_ms = clock_mono_ms();
	v->told_state = state_of(v);
	v->told_votes = panel_node_votes(v->seat);
	engine_feed_status(e, KIND_NODE, v->name, text);
	free(text);
	json_decref(status);
}

static bool
is_news(const struct voter *v)
{
	const struct votes votes = panel_node_votes(v->seat);

	return v->told_state != state_of(v) || votes.fresh != v->told_votes.fresh ||
	       votes.down != v->told_votes.down || clock_mono_ms() - v->told_ms >= TELL_MS;
}

/* With each heartbeat. */
void
engine_nodes_status(struct engine *e, struct voter *v)
{
	const json_int_t skew_ms = json_integer_value(json_object_get(v->said, "clock_skew_ms"));
	const bool was = v->skewed;

	v->skewed = llabs(skew_ms) > (was ? SKEW_OK : SKEW_MS);
	if (v->skewed && !was)
		tell(e, v, "probe.clock_skew", "warning",
		    xasprintf(
			"the clock of node '%s' is off by %lld ms", v->name, (long long)skew_ms));
	else if (!v->skewed && was)
		tell(e, v, "probe.clock_good", "info",
		    xasprintf("the clock of node '%s' is right again", v->name));
	if (is_news(v))
		say(e, v);
}

static void
say_disabled(struct engine *e, const char *name)
{
	engine_feed_status(e, KIND_NODE, name,
	    "{\"health\":\"unknown\",\"state\":\"disabled\",\"connected\":false}");
}

void
engine_nodes_tell(struct engine *e, const char *name)
{
	struct voter *v = strmap_find(&e->votes->voters, name);

	if (v != NULL)
		say(e, v);
	else
		say_disabled(e, name);
}

void
engine_nodes_tell_all(struct engine *e)
{
	if (e->config->node_name == NULL)
		STRMAP_EACH (&tree_model(e->tree)->objects[KIND_NODE], o)
			engine_nodes_tell(e, o->key);
}

/* ---- coming and going ---- */

void
engine_nodes_heard(struct engine *e, struct voter *v)
{
	const bool first = v->heard_ms == 0 || v->lost;

	v->heard_ms = clock_mono_ms();
	v->seen_ms = clock_real_ms();
	if (v->lost) {
		v->lost = false;
		tell(e, v, "probe.node_back", "info",
		    xasprintf("node '%s' is back: its votes count again", v->name));
	}
	e->votes->why = "node_back";
	panel_heard(e->votes->panel, v->seat, v->heard_ms);
	if (first)
		say(e, v);
}

/* {node, connected, version?, address?} */
void
engine_nodes_link(struct engine *e, const json_t *body)
{
	const char *name = json_string_value(json_object_get(body, "node"));
	struct voter *v = name != NULL ? strmap_find(&e->votes->voters, name) : NULL;

	if (v == NULL)
		return;
	v->connected = json_is_true(json_object_get(body, "connected"));
	engine_nodes_note(v, body);
	say(e, v);
}

/* Control is gone, and all of them with it. */
void
engine_nodes_cut(struct engine *e)
{
	STRMAP_EACH (&e->votes->voters, n)
		((struct voter *)n->value)->connected = false;
}

void
engine_nodes_watch(struct engine *e)
{
	const uint64_t now_ms = clock_mono_ms();

	STRMAP_EACH (&e->votes->voters, n) {
		struct voter *v = n->value;
		const uint64_t since_ms = v->heard_ms != 0 ? v->heard_ms : v->awaited_ms;

		if (v->lost || !v->enrolled || now_ms - since_ms <= LOST_MS)
			continue;
		v->lost = true;
		tell(e, v, "probe.node_lost", "warning",
		    xasprintf("node '%s' has not been heard for %d s: its votes lapse", v->name,
			LOST_MS / 1000));
		say(e, v);
	}
}

/* ---- metrics ---- */

static json_t *
sample(const char *node, const char *verdict, json_t *value)
{
	json_t *labels = json_pack("{s:s, s:s*}", "node", node, "verdict", verdict);

	return json_pack("{s:o, s:o}", "labels", labels, "value", value);
}

/* Ours are counted one by one: where nobody else votes the panel does not know of them. */
static struct votes
our_votes(const struct engine *e)
{
	struct votes n = { 0 };

	STRMAP_EACH (&e->checks, c)
		votes_add(
		    &n, (enum flap_verdict)((const struct engine_check *)c->value)->own, true);
	return n;
}

static void
count(const struct voter *v, struct votes n, json_t *votes)
{
	json_array_append_new(votes, sample(v->name, "up", json_integer(n.fresh - n.down)));
	json_array_append_new(votes, sample(v->name, "down", json_integer(n.down)));
}

static void
measure(const struct voter *v, json_t *list, const char *what, double unit)
{
	const json_t *j = json_object_get(v->said, what);

	if (json_is_number(j))
		json_array_append_new(
		    list, sample(v->name, NULL, json_real(json_number_value(j) * unit)));
}

/* {node: ...} gauges by name. */
void
engine_nodes_counters(const struct engine *e, json_t *j)
{
	const struct engine_votes *v = e->votes;
	const struct panel_counts counts = panel_counts(v->panel);
	json_t *votes = json_array(), *there = json_array(), *skew = json_array(),
	       *lag = json_array();

	count(v->ours, our_votes(e), votes);
	STRMAP_EACH (&v->voters, n) {
		const struct voter *who = n->value;

		count(who, panel_node_votes(who->seat), votes);
		json_array_append_new(
		    there, sample(who->name, NULL, json_integer(who->connected && !who->lost)));
		measure(who, skew, "clock_skew_ms", 0.001);
		measure(who, lag, "lag_ms", 0.001);
	}
	json_object_set_new(j, "probe_votes", json_pack("{s:o}", "gauge", votes));
	json_object_set_new(
	    j, "checks_stale", json_pack("{s:I}", "gauge", (json_int_t)counts.stale));
	json_object_set_new(
	    j, "checks_disagreeing", json_pack("{s:I}", "gauge", (json_int_t)counts.differ));
	json_object_set_new(j, "node_connected", json_pack("{s:o}", "gauge", there));
	json_object_set_new(j, "node_clock_skew_seconds", json_pack("{s:o}", "gauge", skew));
	json_object_set_new(j, "node_lag_seconds", json_pack("{s:o}", "gauge", lag));
}

/* ---- life ---- */

struct voter *
engine_nodes_new(struct engine *e, const char *name, bool ours)
{
	struct voter *v = xcalloc(1, sizeof(*v));

	v->engine = e;
	v->name = xstrdup(name);
	v->ours = ours;
	v->said = json_object();
	strmap_init(&v->late);
	v->seat = panel_join(e->votes->panel, v, ours);
	/* What it said before we were started holds until its time is over. */
	if (!ours && e->recalled_votes.count > 0)
		panel_heard(e->votes->panel, v->seat, clock_mono_ms());
	return v;
}

void
engine_nodes_free(struct voter **vp)
{
	struct voter *v = *vp;

	*vp = NULL;
	json_decref(v->said);
	strmap_fini(&v->late);
	free(v->name);
	free(v);
}
