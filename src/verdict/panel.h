/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * panel -- who looks at what, and whose word still counts: the votes of all nodes on all checks.
 *
 *	panel_vote   a node's verdict of a check ---.
 *	panel_heard  the node is there ------------- +--> votes of the check --> hooks.verdict
 *	panel_late   it could not look at this one --'          `-- none fresh --> hooks.stale
 *	panel_tick   the node has not been heard
 *
 * A vote is fresh while its node has been heard within the check's `fresh_ms`, and looks at the
 * check in time. Our own node is always heard. A node's votes lie in buckets by their check's
 * fresh_ms, so hearing a node is O(1) however many votes it has, and a node that falls silent costs
 * one look at each vote that ends: nothing is scanned, and one timer (panel_due) does for all. A
 * vote costs O(nodes that vote on that check).
 *
 * Pure: time is passed in, monotonic. Single-threaded. A hook may ask, but not change anything
 * here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "verdict/votes.h"

struct panel;
struct panel_node;
struct panel_check;

struct panel_rule {
	uint32_t failure_rate;
	uint64_t fresh_ms;
};

struct panel_hooks {
	void *arg;
	/* The check's verdict is another. */
	void (*verdict)(void *arg, void *owner, enum flap_verdict v);
	/* Its last fresh vote has gone, so that the last verdict holds; or there is one again. Not
	 * for a check that nobody has ever voted on. */
	void (*stale)(void *arg, void *owner, bool stale);
};

#define PANEL_NEVER UINT64_MAX

struct panel *panel_new(const struct panel_hooks *hooks);
void panel_free(struct panel **p); /* with nodes and checks; no hook is called */

/* `owner` is the caller's, for hooks and visits. A node joins unheard. */
struct panel_node *panel_join(struct panel *p, void *owner, bool ours);
/* Its votes go at once. */
void panel_leave(struct panel *p, struct panel_node **n);
void panel_heard(struct panel *p, struct panel_node *n, uint64_t now_ms);

/* `held`: what holds until somebody votes. */
struct panel_check *
panel_add(struct panel *p, void *owner, const struct panel_rule *rule, enum flap_verdict held);
void panel_drop(struct panel *p, struct panel_check **c);
/* Between the two nothing is judged: what comes in between counts as one. */
void panel_suspend(struct panel_check *c);
void panel_resume(struct panel *p, struct panel_check *c);
void
panel_rule(struct panel *p, struct panel_check *c, const struct panel_rule *rule, uint64_t now_ms);

/* UNKNOWN: the node has no vote on it any more. */
void panel_vote(struct panel *p, struct panel_check *c, struct panel_node *n, enum flap_verdict v,
    uint64_t now_ms);
/* The node says that it could not look at this check in time; or can again. Without a vote:
 * nothing. */
void panel_late(struct panel *p, struct panel_check *c, struct panel_node *n, bool late);

/* Votes whose time is over. */
void panel_tick(struct panel *p, uint64_t now_ms);
/* When panel_tick has something to do, or PANEL_NEVER. O(nodes). */
uint64_t panel_due(const struct panel *p);

enum flap_verdict panel_verdict(const struct panel_check *c);
struct votes panel_votes(const struct panel_check *c);
/* In the order in which they first voted; the visitor must not change anything. */
void panel_each(const struct panel_check *c,
    void (*visit)(void *arg, void *node_owner, enum flap_verdict v, bool fresh), void *arg);
/* The node's vote, UNKNOWN if none. */
enum flap_verdict panel_vote_of(const struct panel_check *c, const struct panel_node *n);

/* For metrics: checks without a fresh vote that had one; checks whose fresh votes differ. */
struct panel_counts {
	size_t stale, differ;
};
struct panel_counts panel_counts(const struct panel *p);
/* How many checks the node votes on, and how many of these down. */
struct votes panel_node_votes(const struct panel_node *n);
