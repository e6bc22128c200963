/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Everybody who is enabled, whatever their health: what transfers show. */
#include "base/buf.h"
#include "dns/rrtype.h"
#include "steer/scene.h"

/* Records of one type; of CNAME just the first (RFC 1034 3.6.2). */
static struct rrset *
everybody(const struct live_domain *d, uint16_t rrtype)
{
	struct rrset *set = NULL;
	struct buf data;

	buf_init(&data, SIZE_MAX);
	for (size_t i = 0; i < d->n_links; i++) {
		const struct live_pool *pool = d->links[i].pool;

		for (size_t k = 0; k < pool->n_members && live_pool_spec(pool)->enabled; k++) {
			const struct live_address *a = pool->members[k].address;

			if (a->rrtype != rrtype || !live_address_spec(a)->enabled ||
			    (rrtype == RRTYPE_CNAME && data.len > 0))
				continue;
			buf_put_u16(&data, a->rdlen);
			buf_put(&data, a->rdata, a->rdlen);
		}
	}
	if (data.len > 0)
		set = rrset_new(rrtype, live_domain_spec(d)->ttl_s, data.data, data.len);
	buf_fini(&data);
	return set;
}

struct rrset *
scene_fallback_set(const struct live_domain *d)
{
	struct rrset *set = everybody(d, d->rrtype);

	return set != NULL || d->rrtype == RRTYPE_CNAME ? set : everybody(d, RRTYPE_CNAME);
}
