/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/records.h"

#include <errno.h>
#include <string.h>

struct walk {
	records_visit_f *visit;
	void *arg;
};

#define STOP 1

static int
visit_op(const struct change_op *op, void *arg)
{
	const struct walk *w = arg;
	struct rrset *set = rrset_new(op->type, op->ttl_s, op->rdata, op->rdata_len);
	const bool more = set == NULL || w->visit(op->owner, set, w->arg);

	rrset_free(&set);
	return more ? 0 : STOP;
}

int
records_walk(struct store *s, const char *zone, records_visit_f *visit, void *arg, struct diag *d)
{
	struct walk w = { visit, arg };

	if (store_zone_rrsets(s, zone, visit_op, &w) < 0)
		return diag_add(d, DIAG_UNAVAILABLE, "", "the store cannot be read");
	return 0;
}

static int
keep(const struct change_op *op, void *arg)
{
	struct rrset **set = arg;

	*set = rrset_new(op->type, op->ttl_s, op->rdata, op->rdata_len);
	return 0;
}

struct rrset *
records_find(struct store *s, const char *zone, const uint8_t *owner, uint16_t type)
{
	struct rrset *set = NULL;

	if (store_rrset_find(s, zone, owner, type, keep, &set) < 0)
		return NULL;
	return set;
}

struct types {
	uint16_t *out;
	size_t n;
};

static int
note_type(const struct change_op *op, void *arg)
{
	struct types *t = arg;

	t->out[t->n++] = op->type;
	return t->n < RECORDS_TYPES ? 0 : STOP;
}

size_t
records_types(struct store *s, const char *zone, const uint8_t *owner, uint16_t out[RECORDS_TYPES])
{
	struct types t = { out, 0 };

	return store_owner_rrsets(s, zone, owner, note_type, &t) < 0 ? 0 : t.n;
}
