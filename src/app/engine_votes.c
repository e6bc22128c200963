/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/engine_votes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"

#define SECOND_MS    1000
#define FRESH_MIN_MS 3000 /* a node is heard once a second: less would be chance */
#define EARLY_MS     10000
#define CAUSES_MAX   500
#define CAUSE_MAX    32

char *
engine_votes_key(const char *key, const char *node)
{
	return xasprintf("%s\n%s", key, node);
}

/* Tracks keep causes for as long as they like; what others send is no reason to grow. */
static const char *
intern(struct engine_votes *v, const char *cause)
{
	const char *known = strmap_find(&v->causes, cause);

	if (known != NULL)
		return known;
	if (v->causes.count >= CAUSES_MAX || strlen(cause) > CAUSE_MAX)
		return "other";

	char *copy = xstrdup(cause);

	strmap_put(&v->causes, cause, copy);
	return copy;
}

/* ---- what the panel tells ---- */

/* The first verdict is no edge, unless it is bad news. */
static void
keep_edge(struct track *t, enum flap_verdict was, enum flap_verdict is, const char *cause)
{
	if (is == FLAP_DOWN || (is == FLAP_UP && was == FLAP_DOWN))
		track_add(t, is, cause, clock_real_ms());
}

static void
take_verdict(void *arg, void *owner, enum flap_verdict verdict)
{
	struct engine *e = arg;
	struct engine_votes *v = e->votes;
	struct engine_check *c = owner;
	const uint32_t flag = verdict == FLAP_DOWN ? WORD_DOWN : 0;

	OBJ_CHECK(e, ENGINE_MAGIC);
	keep_edge(&c->track, (enum flap_verdict)c->verdict, verdict, v->why);
	c->verdict = (uint8_t)verdict;
	c->edges++;
	word_store(e->words, c->slot, flag | (c->edges & WORD_EDGES));
	/* Written before anybody can see it: who has heard that an address is down must not find it
	 * in an answer of the next engine. */
	engine_memory_verdict(e, c->key, verdict);
	if (!v->wanting) {
		tree_edge(e->tree, c->slot, v->why, clock_real_ms());
		engine_await_due(e);
	} else if (!c->unsaid) {
		/* The tree is in the midst of its own change. */
		c->unsaid = true;
		MEM_GROW(&v->unsaid, &v->cap_unsaid, v->n_unsaid + 1);
		v->unsaid[v->n_unsaid++] = c;
	}
}

void
engine_votes_settle(struct engine *e)
{
	struct engine_votes *v = e->votes;

	while (v->n_unsaid > 0) {
		struct engine_check *c = v->unsaid[--v->n_unsaid];

		c->unsaid = false;
		tree_edge(e->tree, c->slot, engine_votes_cause(c), clock_real_ms());
	}
}

/* Many checks at once, when a node has gone that was the only one: one event a second tells. */
static void
take_stale(void *arg, void *owner, bool stale)
{
	struct engine *e = arg;
	struct engine_votes *v = e->votes;
	const struct engine_check *c = owner;

	*(stale ? &v->newly_stale : &v->newly_fresh) += 1;
	if (stale && v->stale_key == NULL)
		v->stale_key = xstrdup(c->key);
}

static void
report_stale(struct engine *e)
{
	struct engine_votes *v = e->votes;
	const size_t stale = panel_counts(v->panel).stale;
	char *text = NULL;

	if (v->newly_stale > 0 && stale > 0) {
		text = xasprintf("%zu checks have no fresh vote of any node, so that their last "
				 "verdict holds; '%s' for one",
		    stale, v->stale_key);
		engine_feed_notice(e, "probe.stale", "warning", text);
	} else if (v->newly_fresh > 0 && stale == 0 && v->newly_stale == 0) {
		text = xstrdup("all checks have fresh votes again");
		engine_feed_notice(e, "probe.fresh", "info", text);
	}
	if (text != NULL)
		log_info("engine", "%s", text);
	free(text);
	free(v->stale_key);
	v->stale_key = NULL;
	v->newly_stale = v->newly_fresh = 0;
}

/* ---- time ---- */

void
engine_votes_await(struct engine *e)
{
	struct engine_votes *v = e->votes;
	const uint64_t due_ms = panel_due(v->panel);

	if (due_ms == PANEL_NEVER)
		loop_timer_cancel(e->loop, &v->end);
	else if (!wheel_pending(&v->end) || due_ms < v->end.due_ms)
		loop_timer_at(e->loop, &v->end, due_ms);
}

/* Nodes that were heard meanwhile have put it off: it is set again. */
static void
end_due(struct wheel_timer *t)
{
	struct engine *e = container_of(t, struct engine_votes, end)->ours->engine;

	e->votes->why = "node_silent";
	panel_tick(e->votes->panel, clock_mono_ms());
	engine_votes_await(e);
}

struct behind {
	struct strmap keys;
};

static void
note_behind(void *arg, const char *key)
{
	struct behind *b = arg;

	strmap_put(&b->keys, key, b);
}

/* Our own vote is no better than another's. Alone it decides all the same: nobody looks. */
static void
look_at_ourselves(struct engine *e)
{
	struct behind b;

	strmap_init(&b.keys);
	prober_late(e->prober, note_behind, &b);
	engine_votes_late(e, e->votes->ours, &b.keys);
	strmap_fini(&b.keys);
}

static void
second_over(struct wheel_timer *t)
{
	struct engine *e = container_of(t, struct engine_votes, second)->ours->engine;
	struct engine_votes *v = e->votes;

	if (v->voters.count > 0) {
		look_at_ourselves(e);
		engine_nodes_watch(e);
	} else if (v->ours->late.count > 0) {
		struct strmap none;

		strmap_init(&none);
		engine_votes_late(e, v->ours, &none);
	}
	report_stale(e);
	if (v->early.count > 0 && clock_mono_ms() - v->early_ms > EARLY_MS) {
		strmap_fini(&v->early);
		strmap_init(&v->early);
	}
	loop_timer_in(e->loop, &v->second, SECOND_MS);
}

/* ---- checks ---- */

static struct track *
track_of(struct engine_seat *s, const struct voter *who)
{
	for (size_t i = 0; i < s->n_tracks; i++)
		if (s->tracks[i].who == who)
			return &s->tracks[i].track;
	s->tracks = xrealloc(s->tracks, (s->n_tracks + 1) * sizeof(*s->tracks));
	s->tracks[s->n_tracks] = (struct engine_track){ .who = who };
	return &s->tracks[s->n_tracks++].track;
}

/* Alone, we decide. */
static void
decide(struct engine *e, struct engine_check *c, enum flap_verdict verdict)
{
	if (verdict != FLAP_UNKNOWN && verdict != (enum flap_verdict)c->verdict)
		take_verdict(e, c, verdict);
}

void
engine_votes_cast(struct engine *e, struct engine_check *c, struct voter *who,
    enum flap_verdict verdict, const char *cause)
{
	struct engine_votes *v = e->votes;

	v->why = intern(v, cause);
	if (c->seat == NULL) {
		decide(e, c, verdict);
		return;
	}

	const enum flap_verdict was = panel_vote_of(c->seat->panel, who->seat);

	if (verdict != was && (verdict == FLAP_DOWN || was == FLAP_DOWN))
		keep_edge(track_of(c->seat, who), was, verdict, v->why);
	panel_vote(v->panel, c->seat->panel, who->seat, verdict, clock_mono_ms());
	engine_votes_await(e);
	if (verdict != was &&
	    (!who->ours || c->own_noted || verdict != (enum flap_verdict)c->verdict)) {
		c->own_noted |= who->ours;
		engine_memory_vote(e, c->key, who->name, verdict);
	}
}

/* What a node said of the check before there was one, or before we were started again. */
static void
take_early(struct engine *e, struct engine_check *c, struct strmap *from)
{
	if (from->count == 0)
		return;
	STRMAP_EACH (&e->votes->voters, n) {
		char *key = engine_votes_key(c->key, n->key);
		const uintptr_t found = (uintptr_t)strmap_remove(from, key);

		free(key);
		if (found > 0)
			engine_votes_cast(e, c, n->value, (enum flap_verdict)(found & 3u), "");
	}
}

static void
discharge(struct engine *e, struct engine_check *c, const struct template_spec *t)
{
	STRMAP_EACH (&e->votes->voters, n) {
		struct voter *who = n->value;

		if (!template_runs_on(t, who->name) &&
		    panel_vote_of(c->seat->panel, who->seat) != FLAP_UNKNOWN)
			engine_votes_cast(e, c, who, FLAP_UNKNOWN, "config");
	}
	if (!c->here)
		engine_votes_cast(e, c, e->votes->ours, FLAP_UNKNOWN, "config");
}

static uint8_t
recalled_own(struct engine *e, const struct engine_check *c)
{
	char *key = engine_votes_key(c->key, e->votes->ours->name);
	const uintptr_t found = (uintptr_t)strmap_remove(&e->recalled_votes, key);

	free(key);
	return found > 0 ? (uint8_t)(found & 3u) : c->verdict;
}

static struct panel_rule
rule_of(const struct template_spec *t)
{
	return (struct panel_rule){ t->failure_rate, engine_votes_fresh_ms(t) };
}

/* As long as there is nobody else, a check needs none. */
static void
seat(struct engine *e, struct engine_check *c, const struct template_spec *t)
{
	const struct panel_rule rule = rule_of(t);

	c->seat = xcalloc(1, sizeof(*c->seat));
	c->seat->panel = panel_add(e->votes->panel, c, &rule, (enum flap_verdict)c->verdict);
	panel_suspend(c->seat->panel);
	if (c->here && c->own != FLAP_UNKNOWN)
		engine_votes_cast(e, c, e->votes->ours, (enum flap_verdict)c->own, "");
	take_early(e, c, &e->recalled_votes);
	take_early(e, c, &e->votes->early);
}

static void
seat_all(struct engine *e)
{
	STRMAP_EACH (&e->checks, entry) {
		struct engine_check *c = entry->value;
		const struct model_object *o =
		    model_find(tree_model(e->tree), KIND_TEMPLATE, c->template);

		if (c->seat != NULL)
			continue;
		CHECK(o != NULL);
		seat(e, c, o->spec);
		panel_resume(e->votes->panel, c->seat->panel);
	}
}

void
engine_votes_meet(struct engine *e, struct engine_check *c)
{
	if (c->verdict != FLAP_UNKNOWN)
		word_store(e->words, c->slot, c->verdict == FLAP_DOWN ? WORD_DOWN : 0);
	c->own = recalled_own(e, c);
	c->own_noted = c->own != c->verdict;
}

void
engine_votes_want(struct engine *e, struct engine_check *c, const struct template_spec *t)
{
	struct engine_votes *v = e->votes;
	const struct panel_rule rule = rule_of(t);

	v->wanting = true;
	v->why = "config";
	c->here = template_runs_on(t, v->ours->name);
	if (c->seat != NULL) {
		panel_suspend(c->seat->panel);
		panel_rule(v->panel, c->seat->panel, &rule, clock_mono_ms());
	} else if (v->voters.count > 0 || !c->here) {
		seat(e, c, t);
	}
	if (c->seat != NULL) {
		discharge(e, c, t);
		v->why = "config";
		panel_resume(v->panel, c->seat->panel);
	} else {
		decide(e, c, (enum flap_verdict)c->own);
	}
	if (!c->here)
		c->own = FLAP_UNKNOWN;
	engine_votes_await(e);
	v->wanting = false;
}

static void
forget_edge(struct engine_votes *v, struct engine_check *c)
{
	size_t n = 0;

	if (!c->unsaid)
		return;
	for (size_t i = 0; i < v->n_unsaid; i++)
		if (v->unsaid[i] != c)
			v->unsaid[n++] = v->unsaid[i];
	v->n_unsaid = n;
}

void
engine_votes_drop(struct engine *e, struct engine_check *c)
{
	forget_edge(e->votes, c);
	track_fini(&c->track);
	if (c->seat == NULL)
		return;
	panel_drop(e->votes->panel, &c->seat->panel);
	for (size_t i = 0; i < c->seat->n_tracks; i++)
		track_fini(&c->seat->tracks[i].track);
	free(c->seat->tracks);
	free(c->seat);
	c->seat = NULL;
}

void
engine_votes_own(
    struct engine *e, struct engine_check *c, enum flap_verdict verdict, const char *cause)
{
	c->own = (uint8_t)verdict;
	engine_votes_cast(e, c, e->votes->ours, verdict, cause);
}

uint64_t
engine_votes_fresh_ms(const struct template_spec *t)
{
	const uint64_t ms = 3 * (uint64_t)t->interval_ms + t->timeout_ms;

	return ms > FRESH_MIN_MS ? ms : FRESH_MIN_MS;
}

/* ---- nodes that come and go with the model ---- */

static void
leave(struct engine *e, const char *name)
{
	struct voter *who = strmap_remove(&e->votes->voters, name);

	if (who == NULL)
		return;
	/* The panel's seat goes first; only then can no track refer to the voter as one that votes.
	 */
	e->votes->why = "config";
	panel_leave(e->votes->panel, &who->seat);
	STRMAP_EACH (&e->checks, entry) {
		struct engine_seat *s = ((struct engine_check *)entry->value)->seat;

		for (size_t i = s != NULL ? s->n_tracks : 0; i-- > 0;) {
			if (s->tracks[i].who != who)
				continue;
			track_fini(&s->tracks[i].track);
			s->tracks[i] = s->tracks[--s->n_tracks];
		}
	}
	engine_nodes_free(&who);
}

static void
put_node(struct engine *e, const char *name, const struct node_spec *s)
{
	struct voter *who = strmap_find(&e->votes->voters, name);

	if (!s->enabled) {
		leave(e, name);
	} else if (who == NULL) {
		who = engine_nodes_new(e, name, false);
		strmap_put(&e->votes->voters, name, who);
		seat_all(e);
	}
	if (s->enabled && !who->enrolled && s->certificate[0] != '\0') {
		who->enrolled = true;
		who->awaited_ms = clock_mono_ms();
	}
	engine_nodes_tell(e, name);
}

static void
put(struct engine *e, const struct change_op *op)
{
	struct arena a;
	struct diag d;

	arena_init(&a);
	diag_init(&d);
	json_t *json = json_parse(op->spec, strlen(op->spec), &d);
	const struct node_spec *s =
	    json == NULL ? NULL : kind_decode(KIND_NODE, op->name, json, &a, &d);

	if (s != NULL)
		put_node(e, op->name, s);
	json_decref(json);
	diag_fini(&d);
	arena_fini(&a);
}

void
engine_votes_change(struct engine *e, const struct change_set *c)
{
	if (e->config->node_name != NULL)
		return; /* of the others only the names are known, and who judges is the server */
	for (size_t i = 0; i < c->count; i++) {
		const struct change_op *op = &c->ops[i];

		if (op->op == CHANGE_PUT && op->kind == KIND_NODE)
			put(e, op);
		else if (op->op == CHANGE_DELETE && op->kind == KIND_NODE)
			leave(e, op->name);
	}
}

/* ---- life ---- */

void
engine_votes_open(struct engine *e)
{
	struct engine_votes *v = e->votes = xcalloc(1, sizeof(*v));
	const struct panel_hooks hooks = { e, take_verdict, take_stale };
	const char *self = e->config->node_name;

	v->panel = panel_new(&hooks);
	v->why = "";
	strmap_init(&v->voters);
	strmap_init(&v->causes);
	strmap_init(&v->early);
	strmap_put(&v->causes, "", xstrdup(""));
	v->ours = engine_nodes_new(e, self != NULL ? self : NODE_LOCAL, true);
	wheel_timer_init(&v->end, end_due);
	wheel_timer_init(&v->second, second_over);
	loop_timer_in(e->loop, &v->second, SECOND_MS);
}

/* After the checks. */
void
engine_votes_close(struct engine *e)
{
	struct engine_votes *v = e->votes;

	loop_timer_cancel(e->loop, &v->end);
	loop_timer_cancel(e->loop, &v->second);
	STRMAP_EACH (&v->voters, n) {
		struct voter *who = n->value;

		engine_nodes_free(&who);
	}
	engine_nodes_free(&v->ours);
	panel_free(&v->panel);
	STRMAP_EACH (&v->causes, c)
		free(c->value);
	strmap_fini(&v->causes);
	strmap_fini(&v->voters);
	strmap_fini(&v->early);
	free(v->stale_key);
	free(v->unsaid);
	free(v);
	e->votes = NULL;
}
