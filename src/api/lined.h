/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lined -- record sets with lines or weights, and the plain RRsets beside them.
 *
 *	object rrset "www.example.com/A"  --plain view-->  RRset www.example.com A
 *	  what clients are answered by                      what the zone shows others
 *
 * The plain view is the enabled records of the default line, or of all lines if that has none; of
 * CNAMEs the first. Object and view change in one revision, whichever way the change comes: the
 * object's put or delete brings the RRset's along.
 */
#pragma once

#include "api/edit.h"
#include "model/nouns.h"

/* The object of a record set, or NULL. One probe; none if there is no such object at all. */
const struct model_object *lined_find(const struct model *m, const uint8_t *owner, uint16_t type);
/* Likewise, if it is of this zone: two zones may have the same name. */
const struct model_object *
lined_in(const struct model *m, const char *zone, const uint8_t *owner, uint16_t type);
/* Its name: "owner/TYPE", to be checked by kind_name. */
const char *lined_name(struct arena *a, const uint8_t *owner, uint16_t type);

/* Do the records of a body, as JSON, say more than data? */
bool lined_is_meant(const json_t *records);
/* Objects of which only the data is said as strings, so that nothing but strings is left. Not for
 * records that say more. New reference. */
json_t *lined_strings(const json_t *records);
/* {owner, type, ttl, records} as it was put. New reference. */
json_t *lined_encode(const uint8_t *owner, uint16_t type, const struct rrset_spec *s);

/* The plain view, to rrset_free; NULL: no record is enabled, or, with a problem, it is too large.
 */
struct rrset *lined_plain(uint16_t type, const struct rrset_spec *s, struct diag *d);

/* The object has been put into the edit (or would have been, unchanged): the rules of the zone, its
 * plain view, warnings. 0 or -EINVAL. */
MUST_USE int
lined_put(struct edit *e, const char *name, const struct rrset_spec *s, struct diag *d);
/* The object is being deleted: its plain view goes, too. */
void lined_delete(struct edit *e, const char *name);
/* The zone is being deleted, and its RRsets with it: delete its objects. */
void lined_delete_zone(struct edit *e, const char *zone);

/*
 * All records of a zone are being replaced: objects stay whose plain view is just what comes, as
 * when an export is read back; others go, with a warning. `find`: what comes, to rrset_free.
 */
typedef struct rrset *lined_find_f(void *arg, const uint8_t *owner, uint16_t type);
void lined_replace(struct edit *e, const char *zone, lined_find_f *find, void *arg);
