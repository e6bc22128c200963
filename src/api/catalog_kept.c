/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/catalog_kept.h"

#include <string.h>

#include "api/records.h"
#include "dns/rrpage.h"
#include "model/nouns.h"

static bool
is_kept_name(const char *zone, const uint8_t *owner)
{
	uint8_t apex[NAME_MAX_LEN];
	const uint8_t *label;
	unsigned below;

	if (name_parse_lower(zone, apex) < 0)
		return false;
	below = name_labels(owner) - name_labels(apex);
	if (below == 0)
		return false;
	label = name_skip(owner, below - 1);
	return memcmp(label, "\5zones", 6) == 0 ||
	       (below == 1 && memcmp(label, "\7version", 8) == 0);
}

bool
catalog_kept_zone(const struct model *m, const char *zone)
{
	const struct model_object *o = model_find(m, KIND_ZONE, zone);

	if (o == NULL || ((const struct zone_spec *)o->spec)->role != ZONE_PRIMARY)
		return false;
	STRMAP_EACH (&m->objects[KIND_ZONE], entry) {
		const struct zone_spec *spec = ((const struct model_object *)entry->value)->spec;

		if (spec->catalog != NULL && strcmp(spec->catalog, zone) == 0)
			return true;
	}
	return false;
}

bool
catalog_kept(const struct model *m, const char *zone, const uint8_t *owner)
{
	return is_kept_name(zone, owner) && catalog_kept_zone(m, zone);
}

/* What is there already may be said again: an export is imported like that. */
static bool
says_the_same(struct edit *e, const struct change_op *op)
{
	struct store *store = control_store(e->r->control);
	struct rrset *old = records_find(store, op->name, op->owner, op->type);
	struct rrset *new = op->op == CHANGE_RRSET_PUT
				? rrset_new(op->type, op->ttl_s, op->rdata, op->rdata_len)
				: NULL;
	const bool same = old == NULL || new == NULL ? old == new : rrset_equal(old, new);

	rrset_free(&old);
	rrset_free(&new);
	return same;
}

static void
refuse_by_hand(struct edit *e, const struct change_op *op)
{
	char owner[NAME_TEXT_SIZE];

	diag_add(&e->r->diag, DIAG_CONFLICT, "owner",
	    "%s is kept by the catalog: put or take the `catalog` of the zone that is to be on the "
	    "list, or its labels `group` and `coo`",
	    name_text(op->owner, owner));
}

static void
guard_set(struct edit *e, const struct change_op *op)
{
	if (catalog_kept(e->model, op->name, op->owner) && !says_the_same(e, op))
		refuse_by_hand(e, op);
}

/* Of a file that replaces the catalog. */
static void
guard_page(struct edit *e, const struct change_op *page)
{
	struct rrpage_reader r;
	struct rrpage_set set;
	uint8_t apex[NAME_MAX_LEN];

	if (!catalog_kept_zone(e->model, page->name) || name_parse_lower(page->name, apex) < 0)
		return;
	rrpage_open(&r, apex, page->rdata, page->rdata_len);
	while (rrpage_next(&r, &set)) {
		const struct change_op op = {
			.op = CHANGE_RRSET_PUT,
			.name = page->name,
			.owner = set.owner,
			.type = set.type,
			.ttl_s = set.ttl_s,
			.rdata = set.rdata,
			.rdata_len = set.rdata_len,
		};

		guard_set(e, &op);
	}
}

void
catalog_kept_guard(struct edit *e, const struct change_op *op)
{
	if (op->op == CHANGE_RRSET_PUT || op->op == CHANGE_RRSET_DELETE)
		guard_set(e, op);
	else if (op->op == CHANGE_ZONE_PAGE)
		guard_page(e, op);
}
