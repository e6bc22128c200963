/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * model -- all objects in memory, by kind and name, with who refers to whom.
 *
 * Control keeps one to validate against and to answer GETs; the engine keeps one to compile from.
 * Not thread-safe: the owner locks. Lookups O(1); put and delete O(references of that object).
 */
#pragma once

#include "base/strmap.h"
#include "model/change.h"
#include "model/kind.h"

struct model_object {
	enum kind kind;
	const char *name;
	const char *id;
	uint64_t revision;
	int64_t created_ms, updated_ms;
	const void *spec;        /* struct pool_spec ..., by kind */
	struct arena arena;      /* owns all of the above */
	struct strmap referrers; /* "kind name" -> struct model_object * that refers to this one */
	void *runtime;           /* the owner's, e.g. the engine's state of this object */
};

struct model {
	uint64_t revision;
	struct strmap objects[KIND_COUNT]; /* name -> struct model_object *; insertion order */
	struct strmap ranges; /* networks of lines: canonical text -> struct model_object * */
};

void model_init(struct model *m);
void model_fini(struct model *m);
struct model_object *model_find(const struct model *m, enum kind kind, const char *name);

/*
 * Would this put be accepted? Decodes and checks the spec, that what it refers to exists and fits
 * (types of address and pool, domain inside a hosted zone, immutable fields unchanged, values
 * unique in a pool, no pool mix under round_robin). `pending` (may be NULL): objects of the same
 * change set count as existing. 0 or -EINVAL with the status in d->code.
 */
MUST_USE int model_check_put(const struct model *m, const struct change_set *pending,
    enum kind kind, const char *name, const json_t *spec, struct diag *d);
/* The same of a spec that kind_decode has accepted. */
MUST_USE int model_check_spec(const struct model *m, const struct change_set *pending,
    enum kind kind, const char *name, const void *spec, struct diag *d);
/* In use? 0, or -EINVAL with DIAG_CONFLICT and the referrers / DIAG_NOT_FOUND. Things deleted in
 * `pending` do not refer. */
MUST_USE int model_check_delete(const struct model *m, const struct change_set *pending,
    enum kind kind, const char *name, struct diag *d);

/*
 * Apply one committed PUT or DELETE. Returns the object (PUT) or NULL. Dies on a spec that does not
 * decode, and on a reference to nothing: both were checked. A model_object keeps its address for as
 * long as the object lives; its spec, name and id are new after each PUT.
 */
struct model_object *model_apply(struct model *m, const struct change_op *op);
/* {kind, name, id, revision, created, updated, labels?, spec{}}; status is added by who knows it.
 */
MUST_USE json_t *model_encode(const struct model_object *o);
/* The deepest hosted zone at or above a domain's host; NULL if none. */
struct model_object *model_zone_of(const struct model *m, const char *host);
