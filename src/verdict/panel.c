/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verdict/panel.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/list.h"
#include "base/mem.h"

/* Votes of one node on checks that agree in how long a vote is fresh. */
struct bucket {
	uint64_t fresh_ms;
	struct list votes;
	bool over;    /* the node has not been heard for so long */
	bool judging; /* since just now: its checks are to be judged */
};

struct ballot {
	struct panel_check *check;
	struct panel_node *node;
	struct bucket *bucket;
	struct list in; /* bucket->votes */
	enum flap_verdict verdict;
	bool late;
};

struct panel_node {
	struct list in; /* panel.nodes */
	void *owner;
	bool ours, heard;
	uint64_t heard_ms;
	struct bucket **buckets; /* by fresh_ms */
	size_t n_buckets, cap_buckets;
	struct votes votes;
};

struct panel_check {
	struct list in; /* panel.checks */
	void *owner;
	struct panel_rule rule;
	enum flap_verdict verdict;
	bool stale, differ, suspended;
	struct ballot **ballots;
	size_t n_ballots, cap_ballots;
};

struct panel {
	uint32_t magic;
#define PANEL_MAGIC 0x9a7e1b07u
	struct panel_hooks hooks;
	struct list nodes, checks;
	struct panel_counts counts;
};

struct panel *
panel_new(const struct panel_hooks *hooks)
{
	struct panel *p = xcalloc(1, sizeof(*p));

	p->magic = PANEL_MAGIC;
	p->hooks = *hooks;
	list_init(&p->nodes);
	list_init(&p->checks);
	return p;
}

/* -- judging -- */

static bool
is_fresh(const struct ballot *b)
{
	return !b->late && (b->node->ours || !b->bucket->over);
}

struct votes
panel_votes(const struct panel_check *c)
{
	struct votes v = { 0 };

	for (size_t i = 0; i < c->n_ballots; i++)
		votes_add(&v, c->ballots[i]->verdict, is_fresh(c->ballots[i]));
	return v;
}

static void
judge(struct panel *p, struct panel_check *c)
{
	const struct votes v = panel_votes(c);
	const enum flap_verdict now = votes_verdict(&v, c->rule.failure_rate, c->verdict);
	const bool stale = v.fresh == 0 && c->n_ballots > 0, was_stale = c->stale;
	const bool changed = now != c->verdict;

	if (c->suspended)
		return;
	p->counts.stale += (size_t)stale - (size_t)c->stale;
	p->counts.differ += (size_t)votes_differ(&v) - (size_t)c->differ;
	c->stale = stale;
	c->differ = votes_differ(&v);
	c->verdict = now;
	if (stale != was_stale)
		p->hooks.stale(p->hooks.arg, c->owner, stale);
	if (changed)
		p->hooks.verdict(p->hooks.arg, c->owner, now);
}

/* -- buckets -- */

static struct bucket *
bucket_of(struct panel_node *n, uint64_t fresh_ms, uint64_t now_ms)
{
	size_t i = 0;

	while (i < n->n_buckets && n->buckets[i]->fresh_ms < fresh_ms)
		i++;
	if (i < n->n_buckets && n->buckets[i]->fresh_ms == fresh_ms)
		return n->buckets[i];

	struct bucket *b = xcalloc(1, sizeof(*b));

	b->fresh_ms = fresh_ms;
	b->over = !n->heard || now_ms - n->heard_ms >= fresh_ms;
	list_init(&b->votes);
	MEM_GROW(&n->buckets, &n->cap_buckets, n->n_buckets + 1);
	memmove(n->buckets + i + 1, n->buckets + i, (n->n_buckets - i) * sizeof(b));
	n->buckets[i] = b;
	n->n_buckets++;
	return b;
}

/* Out of its bucket, which goes with its last vote. */
static void
take_out(struct ballot *b)
{
	struct panel_node *n = b->node;
	size_t i = 0;

	list_remove(&b->in);
	if (!list_empty(&b->bucket->votes))
		return;
	while (n->buckets[i] != b->bucket)
		i++;
	free(b->bucket);
	n->n_buckets--;
	memmove(n->buckets + i, n->buckets + i + 1, (n->n_buckets - i) * sizeof(b->bucket));
}

static void
put_in(struct ballot *b, uint64_t now_ms)
{
	b->bucket = bucket_of(b->node, b->check->rule.fresh_ms, now_ms);
	list_append(&b->bucket->votes, &b->in);
}

/* -- votes -- */

static struct ballot *
find(const struct panel_check *c, const struct panel_node *n)
{
	for (size_t i = 0; i < c->n_ballots; i++)
		if (c->ballots[i]->node == n)
			return c->ballots[i];
	return NULL;
}

static void
say(struct ballot *b, enum flap_verdict v)
{
	b->node->votes.down += (uint32_t)(v == FLAP_DOWN) - (uint32_t)(b->verdict == FLAP_DOWN);
	b->verdict = v;
}

static void
discard(struct ballot *b)
{
	struct panel_check *c = b->check;
	size_t i = 0;

	while (c->ballots[i] != b)
		i++;
	c->n_ballots--;
	memmove(c->ballots + i, c->ballots + i + 1, (c->n_ballots - i) * sizeof(b));
	say(b, FLAP_UNKNOWN);
	b->node->votes.fresh--;
	take_out(b);
	free(b);
}

void
panel_vote(struct panel *p, struct panel_check *c, struct panel_node *n, enum flap_verdict v,
    uint64_t now_ms)
{
	struct ballot *b = find(c, n);

	OBJ_CHECK(p, PANEL_MAGIC);
	if (v == FLAP_UNKNOWN) {
		if (b != NULL) {
			discard(b);
			judge(p, c);
		}
		return;
	}
	if (b == NULL) {
		b = xcalloc(1, sizeof(*b));
		b->check = c;
		b->node = n;
		list_init(&b->in);
		put_in(b, now_ms);
		MEM_GROW(&c->ballots, &c->cap_ballots, c->n_ballots + 1);
		c->ballots[c->n_ballots++] = b;
		n->votes.fresh++;
	}
	b->late = false;
	say(b, v);
	judge(p, c);
}

void
panel_late(struct panel *p, struct panel_check *c, struct panel_node *n, bool late)
{
	struct ballot *b = find(c, n);

	OBJ_CHECK(p, PANEL_MAGIC);
	if (b == NULL || b->late == late)
		return;
	b->late = late;
	judge(p, c);
}

enum flap_verdict
panel_vote_of(const struct panel_check *c, const struct panel_node *n)
{
	const struct ballot *b = find(c, n);

	return b != NULL ? b->verdict : FLAP_UNKNOWN;
}

void
panel_each(const struct panel_check *c,
    void (*visit)(void *arg, void *node_owner, enum flap_verdict v, bool fresh), void *arg)
{
	for (size_t i = 0; i < c->n_ballots; i++)
		visit(arg, c->ballots[i]->node->owner, c->ballots[i]->verdict,
		    is_fresh(c->ballots[i]));
}

/* -- nodes -- */

struct panel_node *
panel_join(struct panel *p, void *owner, bool ours)
{
	struct panel_node *n = xcalloc(1, sizeof(*n));

	OBJ_CHECK(p, PANEL_MAGIC);
	n->owner = owner;
	n->ours = ours;
	list_append(&p->nodes, &n->in);
	return n;
}

static void
free_node(struct panel_node *n)
{
	CHECK(n->n_buckets == 0);
	list_remove(&n->in);
	free(n->buckets);
	free(n);
}

void
panel_leave(struct panel *p, struct panel_node **np)
{
	struct panel_node *n = *np;

	OBJ_CHECK(p, PANEL_MAGIC);
	*np = NULL;
	while (n->n_buckets > 0) {
		struct ballot *b =
		    LIST_ENTRY(n->buckets[n->n_buckets - 1]->votes.next, struct ballot, in);
		struct panel_check *c = b->check;

		discard(b);
		judge(p, c);
	}
	free_node(n);
}

static void
judge_all(struct panel *p, const struct bucket *b)
{
	LIST_EACH (it, tmp, &b->votes)
		judge(p, LIST_ENTRY(it, struct ballot, in)->check);
}

void
panel_heard(struct panel *p, struct panel_node *n, uint64_t now_ms)
{
	OBJ_CHECK(p, PANEL_MAGIC);
	n->heard = true;
	n->heard_ms = now_ms;
	for (size_t i = 0; i < n->n_buckets && n->buckets[i]->over; i++) {
		n->buckets[i]->over = false;
		judge_all(p, n->buckets[i]);
	}
}

/* Of its buckets those over come first. NULL: all are. */
static struct bucket *
first_to_end(const struct panel_node *n)
{
	for (size_t i = 0; i < n->n_buckets && !n->ours; i++)
		if (!n->buckets[i]->over)
			return n->buckets[i];
	return NULL;
}

/* True: there was one. */
static bool
end_votes(struct panel_node *n, uint64_t now_ms)
{
	struct bucket *b;
	bool any = false;

	while ((b = first_to_end(n)) != NULL && n->heard_ms + b->fresh_ms <= now_ms)
		any = b->over = b->judging = true;
	return any;
}

/*
 * All that ends by now ends at once: were checks judged in between, what holds might be the verdict
 * of those who happened to be looked at last.
 */
void
panel_tick(struct panel *p, uint64_t now_ms)
{
	bool any = false;

	OBJ_CHECK(p, PANEL_MAGIC);
	LIST_EACH (it, tmp, &p->nodes)
		any |= end_votes(LIST_ENTRY(it, struct panel_node, in), now_ms);
	if (!any)
		return;
	LIST_EACH (it, tmp, &p->nodes) {
		const struct panel_node *n = LIST_ENTRY(it, struct panel_node, in);

		for (size_t i = 0; i < n->n_buckets; i++) {
			if (!n->buckets[i]->judging)
				continue;
			n->buckets[i]->judging = false;
			judge_all(p, n->buckets[i]);
		}
	}
}

uint64_t
panel_due(const struct panel *p)
{
	uint64_t due_ms = PANEL_NEVER;

	OBJ_CHECK(p, PANEL_MAGIC);
	LIST_EACH (it, tmp, &p->nodes) {
		const struct panel_node *n = LIST_ENTRY(it, struct panel_node, in);
		const struct bucket *b = first_to_end(n);

		if (b != NULL && n->heard_ms + b->fresh_ms < due_ms)
			due_ms = n->heard_ms + b->fresh_ms;
	}
	return due_ms;
}

struct votes
panel_node_votes(const struct panel_node *n)
{
	return n->votes;
}

/* -- checks -- */

struct panel_check *
panel_add(struct panel *p, void *owner, const struct panel_rule *rule, enum flap_verdict held)
{
	struct panel_check *c = xcalloc(1, sizeof(*c));

	OBJ_CHECK(p, PANEL_MAGIC);
	c->owner = owner;
	c->rule = *rule;
	c->verdict = held;
	list_append(&p->checks, &c->in);
	return c;
}

void
panel_rule(struct panel *p, struct panel_check *c, const struct panel_rule *rule, uint64_t now_ms)
{
	const bool other = c->rule.fresh_ms != rule->fresh_ms;

	OBJ_CHECK(p, PANEL_MAGIC);
	c->rule = *rule;
	for (size_t i = 0; other && i < c->n_ballots; i++) {
		take_out(c->ballots[i]);
		put_in(c->ballots[i], now_ms);
	}
	judge(p, c);
}

void
panel_suspend(struct panel_check *c)
{
	c->suspended = true;
}

void
panel_resume(struct panel *p, struct panel_check *c)
{
	OBJ_CHECK(p, PANEL_MAGIC);
	c->suspended = false;
	judge(p, c);
}

void
panel_drop(struct panel *p, struct panel_check **cp)
{
	struct panel_check *c = *cp;

	OBJ_CHECK(p, PANEL_MAGIC);
	*cp = NULL;
	while (c->n_ballots > 0)
		discard(c->ballots[c->n_ballots - 1]);
	p->counts.stale -= c->stale;
	p->counts.differ -= c->differ;
	list_remove(&c->in);
	free(c->ballots);
	free(c);
}

enum flap_verdict
panel_verdict(const struct panel_check *c)
{
	return c->verdict;
}

struct panel_counts
panel_counts(const struct panel *p)
{
	OBJ_CHECK(p, PANEL_MAGIC);
	return p->counts;
}

void
panel_free(struct panel **pp)
{
	struct panel *p = *pp;

	if (p == NULL)
		return;
	OBJ_CHECK(p, PANEL_MAGIC);
	LIST_EACH (it, tmp, &p->checks) {
		struct panel_check *c = LIST_ENTRY(it, struct panel_check, in);

		panel_drop(p, &c);
	}
	LIST_EACH (it, tmp, &p->nodes)
		free_node(LIST_ENTRY(it, struct panel_node, in));
	p->magic = 0;
	free(p);
	*pp = NULL;
}
