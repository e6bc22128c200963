/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * edit -- one request's change set, from first operation to receipt.
 *
 *   edit_begin; edit_put / edit_delete / edit_rrset ...; edit_commit; edit_reply; edit_end
 *
 * Holds the editor's lock all the way, so what was checked is what is committed. A dry run goes the
 * same way and stops before the store. An edit without operations commits nothing.
 */
#pragma once

#include "api/records.h"
#include "api/request.h"
#include "zone/rrset.h"

/* What types a name of a zone has: rules and warnings ask for the same one several times. */
struct edit_owner {
	char zone[KIND_NAME_SIZE]; /* "": none yet */
	uint8_t name[NAME_MAX_LEN];
	uint16_t types[RECORDS_TYPES];
	size_t n;
};

struct edit {
	struct request *r;
	const struct model *model;
	struct change_set set;
	struct control_receipt receipt;
	bool dry;
	bool made;               /* by the latest edit_put: the object is new */
	json_t *warnings;        /* strings */
	json_t *specs;           /* those that the set's ops borrow */
	struct edit_owner owner; /* the latest that was looked at */
	struct strmap lined;     /* owners of the record sets with lines put so far: see lined.c */
};

void edit_begin(struct edit *e, struct request *r);
void edit_end(struct edit *e);

/* The object's name from the URL, normalised. 0, or -EINVAL with problems. */
MUST_USE int edit_target(struct request *r, char name[KIND_NAME_SIZE]);
/* If-Match and If-None-Match against the object; 412 shows it as it is. */
MUST_USE int edit_precondition(struct edit *e, enum kind kind, const char *name);

/* The spec as it is, secrets included: new reference, or NULL if there is no such object. */
json_t *edit_spec(const struct edit *e, enum kind kind, const char *name);
/* The operation on this object that is already in the set, or NULL. */
const struct change_op *edit_pending(const struct edit *e, enum kind kind, const char *name);

/* Check and add; a put that changes nothing adds nothing. Problems go to d. A record set with lines
 * brings its plain view along. */
MUST_USE int
edit_put(struct edit *e, enum kind kind, const char *name, const json_t *spec, struct diag *d);
/* A zone takes its record sets with lines along, whatever has an override its override. */
MUST_USE int edit_delete(struct edit *e, enum kind kind, const char *name);
/* Replace (set) or delete (NULL) a record set. No checks. */
void edit_rrset(
    struct edit *e, const char *zone, const uint8_t *owner, uint16_t type, const struct rrset *set);
/* The types of the RRsets at `owner`, as stored. Valid until the next call. */
const uint16_t *edit_types(struct edit *e, const char *zone, const uint8_t *owner, size_t *n);
/* Are the records of this zone edited here? A secondary's are not. 0 or -EINVAL. */
MUST_USE int edit_records_allowed(struct edit *e, const char *zone);
void edit_warn(struct edit *e, const char *fmt, ...) PRINTF(2, 3);

/* Durable and, if the engine is quick, served. Sets GTM-Revision and GTM-Applied. */
int edit_commit(struct edit *e);
/* The object as it is now (or would be), with 201 if this edit made it. Not after a failure. */
void edit_reply(struct edit *e, enum kind kind, const char *name);
/* Put warnings, and dryRun, into a reply that is not an object. Takes the reference. */
void edit_reply_json(struct edit *e, unsigned status, json_t *reply);

/* {kind, name, ..., spec, status}. New reference. */
json_t *edit_encode(struct request *r, const struct model_object *o);
void edit_etag(struct request *r, uint64_t revision);
void edit_not_found(struct request *r, enum kind kind, const char *name);
