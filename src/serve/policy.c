/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/policy.h"

#include "base/mem.h"

struct policy *
policy_new(unsigned n_transfer)
{
	struct policy *p = xcalloc(1, sizeof(*p) + n_transfer * sizeof(p->transfer[0]));

	p->n_transfer = n_transfer;
	return p;
}

bool
policy_may_transfer(const struct policy *p, const struct addr *peer, const uint8_t *key)
{
	for (unsigned i = 0; p != NULL && i < p->n_transfer; i++) {
		const struct policy_peer *t = &p->transfer[i];

		if (cidr_holds(&t->from, peer) &&
		    (!t->keyed || (key != NULL && name_equal(t->key, key))))
			return true;
	}
	return false;
}
