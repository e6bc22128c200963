/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/steered_types.h"

#include "steer/steered.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "dns/name.h"
#include "dns/rrtype.h"
#include "zone/retire.h"

#define RRTYPE_KEY 25

struct steered *
steered_new(const uint8_t *host)
{
	const size_t len = name_len(host);
	struct steered *s = xcalloc(1, sizeof(*s) + len);

	s->magic = STEERED_MAGIC;
	memcpy(s->wire, host, len);
	s->host = s->wire;
	return s;
}

void
steered_free(struct steered **s)
{
	if (*s == NULL)
		return;
	OBJ_CHECK(*s, STEERED_MAGIC);
	for (int i = 0; i < STEERED_TYPES; i++) {
		plan_free(&(*s)->plans[i]);
		rrset_free(&(*s)->sets[i]);
	}
	(*s)->magic = 0;
	free(*s);
	*s = NULL;
}

static void
free_late(struct rcu_head *head)
{
	struct steered *s = container_of(head, struct steered, rcu);

	steered_free(&s);
}

void
steered_retire(struct steered **s)
{
	CHECK(steered_is_empty(*s));
	call_rcu(&(*s)->rcu, free_late);
	*s = NULL;
}

bool
steered_is_empty(const struct steered *s)
{
	OBJ_CHECK(s, STEERED_MAGIC);
	for (int i = 0; i < STEERED_TYPES; i++) {
		if (s->plans[i] != NULL)
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
steered_set(struct steered *s, enum steered_type type, struct plan *plan, struct rrset *fallback)
{
	struct plan *old = s->plans[type];
	struct rrset *old_set = s->sets[type];

	OBJ_CHECK(s, STEERED_MAGIC);
	__atomic_store_n(&s->plans[type], plan, __ATOMIC_RELEASE);
	plan_retire(&old);
	if (same_set(old_set, fallback)) {
		rrset_free(&fallback);
		return false;
	}
	__atomic_store_n(&s->sets[type], fallback, __ATOMIC_RELEASE);
	if (old_set != NULL)
		retire(old_set, free);
	return true;
}

enum steered_type
steered_type_of(uint16_t rrtype)
{
	switch (rrtype) {
	case RRTYPE_A:
		return STEERED_A;
	case RRTYPE_AAAA:
		return STEERED_AAAA;
	case RRTYPE_CNAME:
		return STEERED_CNAME;
	default:
		return STEERED_TYPES;
	}
}

/* RFC 4034 section 3 and 4, RFC 3007 section 2, RFC 5155 section 3: these stand beside a CNAME. */
static bool
beside_cname(uint16_t qtype)
{
	return qtype == RRTYPE_RRSIG || qtype == RRTYPE_NSEC || qtype == RRTYPE_NSEC3 ||
	       qtype == RRTYPE_KEY;
}

enum steered_type
steered_slot(const struct steered *s, uint16_t qtype)
{
	OBJ_CHECK(s, STEERED_MAGIC);
	if (__atomic_load_n(&s->plans[STEERED_CNAME], __ATOMIC_ACQUIRE) != NULL &&
	    !beside_cname(qtype))
		return STEERED_CNAME;
	return steered_type_of(qtype);
}

const struct plan *
steered_find(const void *overlay, uint16_t qtype)
{
	const struct steered *s = overlay;

	if (s == NULL)
		return NULL;
	OBJ_CHECK(s, STEERED_MAGIC);

	const struct plan *cname = __atomic_load_n(&s->plans[STEERED_CNAME], __ATOMIC_ACQUIRE);

	if (cname != NULL && !beside_cname(qtype))
		return cname;

	const enum steered_type type = steered_type_of(qtype);

	return type == STEERED_TYPES ? NULL : __atomic_load_n(&s->plans[type], __ATOMIC_ACQUIRE);
}

const struct rrset *
steered_fallback_set(const void *overlay, uint16_t rrtype)
{
	const struct steered *s = overlay;
	const enum steered_type type = steered_type_of(rrtype);

	if (s == NULL || type == STEERED_TYPES)
		return NULL;
	OBJ_CHECK(s, STEERED_MAGIC);
	return __atomic_load_n(&s->sets[type], __ATOMIC_ACQUIRE);
}
