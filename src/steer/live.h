/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * live -- what the model's objects are right now, and the pure rules that say so. Private to the
 * room.
 *
 *	live_check <--- live_address <--- live_pool <--- live_domain ---> steered
 *	  (word)          members[]         links[]
 *
 * Each hangs on its model_object.runtime and points down; upwards the model's referrers lead. Rules
 *4 to 7 of the model are functions of the parts' states; `struct what_if` lets explain ask them
 * about verdicts that are not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/agenda.h"
#include "base/json_out.h"
#include "base/list.h"
#include "base/strmap.h"
#include "dns/name.h"
#include "model/model.h"
#include "model/nouns.h"
#include "steer/balance.h"
#include "steer/cursors.h"
#include "steer/steered_types.h"
#include "verdict/damp.h"
#include "verdict/force.h"
#include "verdict/word.h"

struct live_address;

/* A probe, shared by all address objects that ask for the same one. */
struct live_check {
	char *key, *ip, *host, *template;
	uint16_t port;
	uint32_t slot;
	struct live_address **users; /* one entry per check of an address */
	size_t n_users, cap_users;
	bool unsaid;       /* `want` is due: new, or its template changed */
	bool wanted;       /* `want` was said */
	struct list flush; /* in tree.flush while there is something to say */
};

/* What the rules make of an object. */
struct live_state {
	enum health health; /* as the probes say, whatever is imposed */
	bool available;
	bool steadied;        /* an address: as it is held, not as its health says */
	bool opens;           /* a pool: all its usable addresses answer, health ignored */
	uint32_t good, total; /* checks up, members or pools available; of how many */
	uint32_t usable;      /* a pool: addresses that may answer at all */
};

/* What operators impose on an object right now: rule 5 by verdict/force.h. */
struct live_imposed {
	enum force force;
	const struct model_object *by; /* its override, or a maintenance window; NULL: nobody */
	int64_t until_ms;              /* INT64_MAX: until it is lifted */
};

/* How loud an object's condition is; its changes are the events. GONE: a domain without anything to
 * answer. */
enum live_level { LIVE_QUIET, LIVE_GOOD, LIVE_DEGRADED, LIVE_DOWN, LIVE_GONE };

/* The head every kind shares. */
struct live {
	struct model_object *o;
	struct list dirty; /* in tree.dirty[kind] while it must be looked at */
	bool edited;       /* its spec was put: tell whatever happens */
	bool told_due;     /* its status changed */
	bool judged;       /* `state` has been computed before */
	int64_t since_ms;  /* available since then; 0: since it is known */
	struct live_state state;
	enum live_level level, was; /* `was`: before this settlement */
	struct live_imposed imposed;
	int64_t turn_ms;        /* when what is imposed may change; INT64_MAX: never */
	struct agenda_item due; /* in tree.due: to be settled again though nothing happens */
};

struct live_address {
	struct live live;
	struct live_check **checks; /* parallel to the spec's */
	size_t n_checks;
	uint16_t rrtype, rdlen;
	uint8_t *rdata; /* its value on the wire */
	/* Its verdict over time: see tree_steady.c. */
	bool known, up;            /* the latest verdict */
	struct damp *damp;         /* NULL: no transition of late */
	bool flapping;             /* and that is to be told */
	const struct live *keeper; /* a hold of its own, its pool's or domain's is in force */
	bool kept, kept_up;        /* what it keeps to meanwhile */
	bool steady, steady_up;    /* so or by damping: counts instead of its health */
};

/* A line that links serve, with what moves for its clients alone. */
struct live_lane {
	char *line;              /* canonical code */
	struct cursors *cursors; /* of a domain or a record set; NULL in a pool */
	struct live *current;    /* sequence that stays: where; else NULL */
	char *recalled;          /* its name, from the journal, until first looked at */
};

#define LIVE_DEFAULT_LINE "default"

/* The first lane is "default", whether a link serves it or not; the others are sorted. */
struct lanes {
	struct live_lane *list;
	size_t n;
};

struct live_member {
	struct live_address *address;
	const struct link_spec *spec;
};

/* Cursors that no link, lane or line uses any more; retired when the plan that uses them is. */
struct idle {
	struct cursors **list;
	size_t n, cap;
};

/* Whom the links or records of an object tell apart: the lines they serve but "default", sorted,
 * and the chart of these. */
struct audience {
	struct live *who;
	char *key; /* its name among all objects */
	char **lines;
	size_t n_lines;
	struct chart *chart; /* NULL: no such lines */
	bool chart_due;      /* the lines, or what is known of them, may be others by now */
	struct list stale;   /* in tree.stale while newer data wait to be looked at */
};

struct live_pool {
	struct live live;
	struct live_member *members;
	size_t n_members;
	struct lanes lanes;
};

struct live_link {
	struct live_pool *pool;
	const struct link_spec *spec;
	struct cursors *cursors;
};

enum live_fallback {
	LIVE_NO_FALLBACK,
	LIVE_FAIL_OPEN,
	LIVE_FALLBACK_POOL,
	LIVE_LAST_GOOD,
	LIVE_PUBLIC_ZONE, /* as chosen */
	LIVE_NODATA,
	LIVE_EMPTY, /* nothing enabled to answer with: the Public Zone does */
};
extern const char *const live_fallback_words[]; /* as status and explain tell it; NULL for none */

struct live_domain {
	struct live live;
	uint8_t host[NAME_MAX_LEN];
	uint16_t rrtype;
	char *key; /* its name */
	struct live_link *links;
	size_t n_links;
	bool has_refuge; /* links[n_links] is the fallback pool's */
	struct lanes lanes;
	struct idle idle;
	struct audience audience;
	/* fallback last_good: "pool/x" and "address/y" that were available while any pool was */
	struct strmap good;
	char *good_text;
	struct balance *balance;      /* balance traffic; else NULL */
	struct balance *balance_idle; /* goes with the plan that uses it */
	enum live_fallback fallback;
	struct plan *next; /* compiled, not yet published */
	struct rrset *next_set;
	struct list leaving; /* deleted, in tree.leaving until its answer is withdrawn */
};

/* A record set that has lines or weights: zone data, answered by a plan where no domain does. */
struct live_lined {
	struct live live;
	uint8_t host[NAME_MAX_LEN];
	uint16_t rrtype;
	struct lanes lanes; /* of its lines, for their cursors */
	struct idle idle;
	struct audience audience;
	bool compiled; /* `next` is what is to be published; NULL: nothing */
	struct plan *next;
	struct list leaving; /* deleted, in tree.lined_leaving until its answer is withdrawn */
};

/* Verdicts supposed instead of the real ones: address name -> "up" or "down". */
struct what_if {
	const struct strmap *verdicts;
};

/* Rules 4 to 7 from scratch. `w` may be NULL; then parts are taken as they are known. */
struct live_state live_address_fold(
    const struct live_address *a, const struct word_table *words, const struct what_if *w);
struct live_state
live_pool_fold(const struct live_pool *p, const struct word_table *words, const struct what_if *w);
struct live_state live_domain_fold(
    const struct live_domain *d, const struct word_table *words, const struct what_if *w);
/* Known (w NULL) or supposed. */
struct live_state live_address_state(
    const struct live_address *a, const struct word_table *words, const struct what_if *w);
struct live_state
live_pool_state(const struct live_pool *p, const struct word_table *words, const struct what_if *w);

/* -- live_imposed.c: rules 5 to 7 where operators have their say -- */

/* Does it count as a member of its pools? A disabled or drained one does not. */
bool live_address_counts(const struct live_address *a);
/* May it answer, if only its health is ignored? */
bool live_address_usable(const struct live_address *a);
bool live_pool_usable(const struct live_pool *p);
/* Everything enabled answers, health ignored (override up). */
bool live_domain_frozen(const struct live_domain *d);
/* Its name is the zone's: disabled or drained. */
bool live_domain_rests(const struct live_domain *d);

/* What is available of the domain, as `good` keeps it: "pool/x address/y ..."; the caller frees. */
MUST_USE char *live_good_text(const struct live_domain *d);
bool live_good_has(const struct strmap *good, const struct live *l);
/* Make that, and the text, the domain's. */
void live_good_set(struct live_domain *d, char *text);
/* Keep cursors until the plan that uses them has been replaced; then retire them all. */
void live_idle(struct idle *idle, struct cursors *c);
void live_idle_retire(struct idle *idle);
/* The lane of a line; NULL if there is none. */
struct live_lane *live_lane_find(const struct lanes *l, const char *line);
/* Does the link serve the line? Codes are canonical; aliases in the spec are looked through. */
bool live_link_serves(const struct link_spec *l, const char *line);
/* Line i of the link as a canonical code. */
const char *live_link_line(const struct link_spec *l, size_t i);
/* The fallback pool's link; NULL if there is none. */
const struct live_link *live_domain_refuge(const struct live_domain *d);
size_t live_domain_all_links(const struct live_domain *d); /* how many, with that */

const struct address_spec *live_address_spec(const struct live_address *a);
const struct pool_spec *live_pool_spec(const struct live_pool *p);
const struct domain_spec *live_domain_spec(const struct live_domain *d);
const struct rrset_spec *live_lined_spec(const struct live_lined *l);

enum live_level live_address_level(const struct live_address *a);
enum live_level live_pool_level(const struct live_pool *p);
enum live_level live_domain_level(const struct live_domain *d);

extern const char *const live_force_words[];
/* The word people see: "healthy", "degraded", "forced", ... */
const char *live_address_word(const struct live_address *a, const struct live_state *s);
const char *live_pool_word(const struct live_pool *p, const struct live_state *s);
const char *
live_domain_word(const struct live_domain *d, const struct live_state *s, enum live_fallback f);

/* The objects' status, as hooks.status carries it: the members, health first. */
void live_address_status(
    struct json_out *o, const struct live_address *a, const struct word_table *words);
void live_pool_status(struct json_out *o, const struct live_pool *p);
void live_domain_status(struct json_out *o, const struct live_domain *d);
