/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a tree, for the tree_*.c files. */
#pragma once

#include "base/agenda.h"
#include "steer/live.h"
#include "steer/tree.h"

struct tree {
	uint32_t magic;
#define TREE_MAGIC 0x7ee7ee01u
	unsigned workers;
	struct word_table *words;
	struct tree_hooks hooks;
	bool hushed; /* no status is told */
	struct model model;
	struct strmap checks;        /* key -> struct live_check * */
	struct live_check **by_slot; /* NULL: not ours */
	size_t cap_slots;
	struct strmap overlays; /* host text -> struct steered * */
	struct strmap recalled; /* key -> char *: what was remembered, until its object appears */
	struct list dirty[KIND_COUNT]; /* struct live */
	struct list flush;             /* struct live_check: something to say to the prober */
	struct list leaving;           /* struct live_domain, deleted */
	struct list lined_leaving;     /* struct live_lined, deleted */
	struct agenda due;             /* struct live, by when each is to be settled again */
	size_t n_holding;              /* objects under a hold */
	struct list stale; /* struct audience: the data under their charts have changed */
	struct charts *charts;
	struct tape *tape;             /* NULL: no domain balances traffic, or ever has */
	struct live_domain **balanced; /* by number; NULL: free */
	size_t cap_balanced;
	uint64_t seed;
	struct strmap line_users; /* line -> struct strmap *: "domain www.example.com/A" -> struct
				     audience * */
	struct buf said;          /* the status that is being told */
};

/* Why something is being settled; for the events' sentence and data. */
struct tree_cause {
	const char *code; /* "l4_refused"; "config" for a change set */
	int64_t real_ms;
};

/* -- tree_check.c: checks by key, shared and counted -- */

/* Attach `a` to the checks of its spec and detach it from those it had; said to the prober by
 * tree_check_flush. */
void tree_check_attach(struct tree *t, struct live_address *a);
void tree_check_detach(struct tree *t, struct live_address *a);
/* The template of these checks changed. */
void tree_check_renew(struct tree *t, const struct live_address *a, const char *template);
void tree_check_flush(struct tree *t);
void tree_check_fini(struct tree *t);

/* -- tree_edit.c: from specs to live objects -- */

void tree_edit_put(struct tree *t, const struct change_op *op);
void tree_edit_delete(struct tree *t, const struct change_op *op);
void tree_edit_fini(struct tree *t);

/* -- tree_settle.c: from marks to states, plans and news -- */

void tree_settle_mark(struct tree *t, struct live *l);
void tree_settle(struct tree *t, const struct tree_cause *cause);

/* -- tree_impose.c: overrides and maintenance windows -- */

/* One is put or about to be deleted: marks whom it concerns; before and after the model knows. */
void tree_impose_touch(struct tree *t, const struct change_op *op);
/* What is imposed on it now, and until when; marks whom a hold that comes or goes concerns. Of
 * domains, pools and addresses in this order. */
void tree_impose_refresh(struct tree *t, struct live *l, int64_t now_ms);
/* Its members are about to be others, or it goes: a hold of its lets go of them. */
void tree_impose_let_go(struct tree *t, struct live *l);
/* Whose hold an address is under; NULL: nobody's. */
const struct live *tree_impose_keeper(const struct tree *t, const struct live_address *a);

/* -- tree_steady.c: an address's verdict over time: damping and holds -- */

/* A new one: what was remembered of it. */
void tree_steady_recall(struct tree *t, struct live_address *a);
/* The verdict is `health` now: sets what counts instead. Returns when to look again. */
int64_t
tree_steady_feed(struct tree *t, struct live_address *a, enum health health, int64_t now_ms);
/* Damping alone keeps it out, though it is up; and that is over: its pool has nobody else. */
bool tree_steady_waits(const struct live_address *a);
void tree_steady_turn(struct tree *t, struct live_address *a);
void tree_steady_forget(struct tree *t, struct live_address *a); /* it is going */

/* -- tree_publish.c: plans into overlays, overlays into zones -- */

void tree_publish_compile(struct tree *t, struct live_domain *d);
void tree_publish_swap(struct tree *t, struct live_domain *d);
/* A deleted domain: take its answer away and free it. */
void tree_publish_withdraw(struct tree *t, struct live_domain *d);
/* With everything it owns; no reader may be left. */
void tree_publish_free(struct live_domain *d);
void tree_publish_fini(struct tree *t);

/* -- tree_lined.c: record sets with lines, from spec to plan -- */

void tree_lined_put(struct tree *t, struct model_object *o);
void tree_lined_forget(struct tree *t, struct live_lined *l); /* its object is going */
/* A zone has come at this apex, or is going: sets above or below are answered from another one. */
void tree_lined_zone(struct tree *t, const char *apex);
void tree_lined_compile(struct tree *t, struct live_lined *l);
void tree_lined_free(struct live_lined *l); /* no reader may be left */
/* The same in tree_publish.c as for domains. */
void tree_publish_swap_lined(struct tree *t, struct live_lined *l);
void tree_publish_withdraw_lined(struct tree *t, struct live_lined *l);

/* -- tree_lines.c: what changes with lines and their data -- */

/* Lanes for the lines of n links; those that stay are kept, and what they remember with them.
 * Cursors of those that go are added to the domain's `idle` ones (NULL: lanes of a pool). */
void tree_lines_lanes(struct tree *t, struct live *l, struct lanes *lanes,
    const struct link_spec *links, size_t n, struct idle *idle);
/* The same for the lines of its records. */
void tree_lines_lined(struct tree *t, struct live_lined *l);
void tree_lines_free(struct lanes *lanes);
/* A new domain or record set. */
void tree_lines_arrive(struct audience *a, struct live *who);
/* Bring its set of lines and its chart up to date. */
void tree_lines_chart(struct tree *t, struct audience *a);
/* It is going: no line knows it any more. */
void tree_lines_leave(struct tree *t, struct audience *a);
/* A custom line is put (the model takes it), or about to be deleted: marks whom it concerns. */
void tree_lines_put(struct tree *t, const struct change_op *op);
void tree_lines_drop(struct tree *t, const char *name);

/* -- tree_balance.c: domains with balance traffic -- */

/* As its spec says now. A balance that goes is retired with the plan that uses it. */
void tree_balance_put(struct tree *t, struct live_domain *d);
/* `d->next` is about to be published. */
void tree_balance_fit(struct live_domain *d);
/* Another plan has been published: retire the balance that goes, if one does. */
void tree_balance_retire(struct tree *t, struct live_domain *d);
void tree_balance_leave(struct tree *t, struct live_domain *d); /* deleted: it learns no more */
void tree_balance_fini(struct tree *t);

/* -- tree_tell.c: status and events -- */

void tree_tell_status(struct tree *t, const struct live *l);
void tree_tell_event(struct tree *t, const struct live *l, const struct tree_cause *cause);
void tree_tell_flapping(const struct tree *t, const struct live_address *a, int64_t now_ms);
void tree_tell_expiring(
    const struct tree *t, const struct live_address *a, int64_t expires_ms, int64_t real_ms);

/* Keys of the journal; `line` NULL or "default": of those. The caller frees. */
MUST_USE char *tree_memory_key(enum kind kind, const char *name, const char *line);
/* What was remembered under a key, taken out; NULL: nothing. The caller frees. */
MUST_USE char *tree_memory_take(struct tree *t, const char *key);
