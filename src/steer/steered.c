/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/steered_types.h"

#include "steer/steered.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/check.h"
#include "base/mem.h"
#include "dns/name.h"
#include "dns/rrtype.h"
#include "zone/retire.h"

#define RRTYPE_KEY 25

struct steered *
steered_grow(const struct steered *old, const uint8_t *host, uint16_t type)
{
	const size_t len = name_len(host), had = old == NULL ? 0 : old->n;
	const size_t size = sizeof(struct steered) + (had + 1) * sizeof(struct steered_slot);
	struct steered *s = xcalloc(1, size + len);
	size_t at = 0;

	s->magic = STEERED_MAGIC;
	s->n = (uint32_t)had + 1;
	while (at < had && old->slots[at].type < type)
		at++;
	if (at > 0)
		memcpy(s->slots, old->slots, at * sizeof(*s->slots));
	if (at < had)
		memcpy(&s->slots[at + 1], &old->slots[at], (had - at) * sizeof(*s->slots));
	s->slots[at].type = type;
	memcpy((uint8_t *)s + size, host, len);
	s->host = (uint8_t *)s + size;
	return s;
}

void
steered_free(struct steered **s)
{
	if (*s == NULL)
		return;
	OBJ_CHECK(*s, STEERED_MAGIC);
	for (uint32_t i = 0; i < (*s)->n; i++) {
		plan_free(&(*s)->slots[i].plan);
		rrset_free(&(*s)->slots[i].set);
	}
	(*s)->magic = 0;
	free(*s);
	*s = NULL;
}

static void
free_late(struct rcu_head *head)
{
	struct steered *s = container_of(head, struct steered, rcu);

	s->magic = 0;
	free(s);
}

void
steered_outgrown(struct steered **s)
{
	OBJ_CHECK(*s, STEERED_MAGIC);
	call_rcu(&(*s)->rcu, free_late);
	*s = NULL;
}

void
steered_retire(struct steered **s)
{
	CHECK(steered_is_empty(*s));
	steered_outgrown(s);
}

bool
steered_is_empty(const struct steered *s)
{
	OBJ_CHECK(s, STEERED_MAGIC);
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->slots[i].plan != NULL)
			return false;
	}
	return true;
}

static bool
same_set(const struct rrset *a, const struct rrset *b)
{
	return a == b || (a != NULL && b != NULL && rrset_equal(a, b));
}

bool
steered_set(
    struct steered_slot *slot, struct live *owner, struct plan *plan, struct rrset *fallback)
{
	struct plan *old = slot->plan;
	struct rrset *old_set = slot->set;

	slot->owner = plan == NULL ? NULL : owner;
	__atomic_store_n(&slot->plan, plan, __ATOMIC_RELEASE);
	plan_retire(&old);
	if (same_set(old_set, fallback)) {
		rrset_free(&fallback);
		return false;
	}
	__atomic_store_n(&slot->set, fallback, __ATOMIC_RELEASE);
	if (old_set != NULL)
		retire(old_set, free);
	return true;
}

struct steered_slot *
steered_slot(struct steered *s, uint16_t type)
{
	OBJ_CHECK(s, STEERED_MAGIC);
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->slots[i].type == type)
			return &s->slots[i];
	}
	return NULL;
}

/* RFC 4034 section 3 and 4, RFC 3007 section 2, RFC 5155 section 3: these stand beside a CNAME. */
static bool
beside_cname(uint16_t qtype)
{
	return qtype == RRTYPE_RRSIG || qtype == RRTYPE_NSEC || qtype == RRTYPE_NSEC3 ||
	       qtype == RRTYPE_KEY;
}

static const struct plan *
plan_of(const struct steered_slot *slot)
{
	return slot == NULL ? NULL : __atomic_load_n(&slot->plan, __ATOMIC_ACQUIRE);
}

/* Which slot answers, and its plan as it was read. */
static const struct steered_slot *
find(const struct steered *s, uint16_t qtype, const struct plan **plan)
{
	const struct steered_slot *exact = NULL, *alias = NULL;

	OBJ_CHECK(s, STEERED_MAGIC);
	for (uint32_t i = 0; i < s->n; i++) {
		if (s->slots[i].type == qtype)
			exact = &s->slots[i];
		else if (s->slots[i].type == RRTYPE_CNAME && !beside_cname(qtype))
			alias = &s->slots[i];
	}

	const struct plan *mine = plan_of(exact), *cname = plan_of(alias);

	/* A domain's CNAME hides whatever there is; the zone's own does not hide a domain. */
	if (cname != NULL &&
	    (mine == NULL || !plan_is_zone_data(cname) || plan_is_zone_data(mine))) {
		*plan = cname;
		return alias;
	}
	*plan = mine;
	return mine == NULL ? NULL : exact;
}

const struct steered_slot *
steered_answers(const struct steered *s, uint16_t qtype)
{
	const struct plan *plan;

	return s == NULL ? NULL : find(s, qtype, &plan);
}

const struct plan *
steered_find(const void *overlay, uint16_t qtype)
{
	const struct steered *s = overlay;
	const struct plan *plan = NULL;

	if (s == NULL)
		return NULL;
	/* Most names have one steered type, and are asked for it. */
	if (LIKELY(s->n == 1 && s->slots[0].type == qtype))
		return plan_of(&s->slots[0]);
	(void)find(s, qtype, &plan);
	return plan;
}

const struct rrset *
steered_fallback_set(const void *overlay, uint16_t rrtype)
{
	const struct steered *s = overlay;

	for (unsigned i = 0; i < steered_types(overlay); i++) {
		if (s->slots[i].type == rrtype)
			return __atomic_load_n(&s->slots[i].set, __ATOMIC_ACQUIRE);
	}
	return NULL;
}

unsigned
steered_types(const void *overlay)
{
	const struct steered *s = overlay;

	if (s == NULL)
		return 0;
	OBJ_CHECK(s, STEERED_MAGIC);
	return s->n;
}

uint16_t
steered_type_at(const void *overlay, unsigned i)
{
	const struct steered *s = overlay;

	CHECK(i < steered_types(overlay));
	return s->slots[i].type;
}
