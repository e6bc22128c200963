/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A transfer as one change set: all of the zone behind a ZONE_CLEAR, in pages, or the sets that
 * changed. */
#include <stdlib.h>
#include <string.h>

#include "api/records.h"
#include "base/mem.h"
#include "dns/name.h"
#include "dns/rrpage.h"
#include "dns/rrtype.h"
#include "intake/secondary_inside.h"
#include "model/nouns.h"

bool
secondary_commit_soa(struct secondary_zone *z, struct xfr_soa *out)
{
	struct rrset *soa =
	    records_find(control_store(z->all->control), z->name, z->apex, RRTYPE_SOA);

	if (soa == NULL)
		return false;
	*out = xfr_message_soa(soa->data, soa->size);
	rrset_free(&soa);
	return true;
}

/* -- what the zone holds -- */

static int
have_op(const struct change_op *op, void *arg)
{
	draft_have(arg, op->type, op->ttl_s, op->rdata, op->rdata_len);
	return 0;
}

static int
load(void *arg, const uint8_t *owner, struct draft *d)
{
	struct secondary_zone *z = arg;

	return store_owner_rrsets(control_store(z->all->control), z->name, owner, have_op, d);
}

struct draft_source
secondary_commit_source(struct secondary_zone *z)
{
	return (struct draft_source){ load, z };
}

/* -- the change set -- */

struct build {
	struct change_set set;
	const char *zone;
};

static void
add_set(void *arg, const uint8_t *owner, uint16_t type, const struct rrset *set)
{
	struct build *b = arg;

	change_add(&b->set, &(struct change_op){
				.op = set != NULL ? CHANGE_RRSET_PUT : CHANGE_RRSET_DELETE,
				.kind = KIND_ZONE,
				.name = b->zone,
				.owner = owner,
				.type = type,
				.ttl_s = set != NULL ? set->ttl_s : 0,
				.rdata = set != NULL ? set->data : NULL,
				.rdata_len = set != NULL ? set->size : 0,
			    });
}

/* -- all of the zone -- */

struct whole {
	struct rrpage_set *sets;
	size_t count, cap;
	struct rrpage_book pages;
};

static void
note_set(void *arg, const uint8_t *owner, uint16_t type, const struct rrset *set)
{
	struct whole *w = arg;

	MEM_GROW(&w->sets, &w->cap, w->count + 1);
	w->sets[w->count++] = (struct rrpage_set){
		.owner = owner,
		.type = type,
		.ttl_s = set->ttl_s,
		.rdata = set->data,
		.rdata_len = set->size,
	};
}

static int
order_sets(const void *a, const void *b)
{
	const struct rrpage_set *x = a, *y = b;

	return rrpage_order(x->owner, x->type, y->owner, y->type);
}

/* The change set borrows the pages. */
static void
add_whole(struct build *b, struct whole *w, const struct secondary_zone *z)
{
	struct change_op op = { .op = CHANGE_ZONE_CLEAR, .kind = KIND_ZONE, .name = b->zone };

	change_add(&b->set, &op);
	xfr_in_each(z->in, note_set, w);
	qsort(w->sets, w->count, sizeof(*w->sets), order_sets);
	for (size_t i = 0; i < w->count; i++)
		rrpage_add(&w->pages, name_len(z->apex), &w->sets[i]);
	op.op = CHANGE_ZONE_PAGE;
	for (size_t i = 0; i < w->pages.count; i++) {
		const struct rrpage page = rrpage_at(&w->pages, i);

		op.rdata = page.data;
		op.rdata_len = (uint32_t)page.len;
		change_add(&b->set, &op);
	}
}

/* The zone may have become another while its records were under way. */
static int
check_same(struct secondary_zone *z, struct diag *d)
{
	const struct model_object *o =
	    model_find(control_model(z->all->control), KIND_ZONE, z->name);
	const struct zone_spec *spec = o != NULL ? o->spec : NULL;
	struct xfr_soa now;

	if (spec == NULL || strcmp(o->id, z->id) != 0 || spec->role != ZONE_SECONDARY)
		return diag_add(d, DIAG_CONFLICT, z->name, "is not the secondary it was");
	if (secondary_commit_soa(z, &now) != z->have || (z->have && now.serial != z->soa.serial))
		return diag_add(d, DIAG_CONFLICT, z->name, "its records have changed meanwhile");
	return 0;
}

int
secondary_commit(struct secondary_zone *z, enum xfr_in_state state, struct diag *d)
{
	struct build b = { .zone = z->name };
	struct whole whole = { .sets = NULL };
	struct control_receipt receipt;
	int rc;

	change_init(&b.set);
	rrpage_init(&whole.pages);
	if (state == XFR_IN_WHOLE)
		add_whole(&b, &whole, z);
	else
		xfr_in_each(z->in, add_set, &b);
	b.set.author = arena_printf(&b.set.arena, "transfer:%s", z->peers[z->peer].text);
	b.set.summary = arena_printf(&b.set.arena, "transfer zone '%s', serial %u, %s", z->name,
	    xfr_in_serial(z->in), state == XFR_IN_WHOLE ? "all of it" : "what changed");
	control_edit_begin(z->all->control);
	rc = check_same(z, d);
	if (rc == 0)
		rc = control_edit_commit(z->all->control, &b.set, &receipt, d);
	control_edit_end(z->all->control);
	change_fini(&b.set);
	rrpage_fini(&whole.pages);
	free(whole.sets);
	return rc;
}
