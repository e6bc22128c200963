/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/transfer_policy.h"

#include "base/mem.h"

struct transfer_policy *
transfer_policy_new(unsigned n_transfer)
{
	struct transfer_policy *p = xcalloc(1, sizeof(*p) + n_transfer * sizeof(p->transfer[0]));

	p->n_transfer = n_transfer;
	return p;
}

bool
transfer_policy_allows(const struct transfer_policy *p, const struct addr *peer, const uint8_t *key)
{
	for (unsigned i = 0; p != NULL && i < p->n_transfer; i++) {
		const struct transfer_policy_peer *t = &p->transfer[i];

		if (cidr_holds(&t->from, peer) &&
		    (!t->keyed || (key != NULL && name_equal(t->key, key))))
			return true;
	}
	return false;
}

bool
transfer_policy_knows(const struct transfer_policy *p, const struct addr *peer)
{
	for (unsigned i = 0; p != NULL && i < p->n_transfer; i++)
		if (cidr_holds(&p->transfer[i].from, peer))
			return true;
	return false;
}
