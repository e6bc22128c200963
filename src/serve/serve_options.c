/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/serve_options.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/rand.h"

struct serve_options *
serve_options_new(void)
{
	struct serve_options *o = xcalloc(1, sizeof(*o));

	o->cookies = true;
	rand_bytes(o->secrets.current, sizeof(o->secrets.current));
	o->rrl = (struct rrl_options){ .slip = 2, .ipv4_bits = 24, .ipv6_bits = 56 };
	return o;
}

void
serve_options_free(struct serve_options **o)
{
	if (*o == NULL)
		return;
	free((*o)->allow.items);
	free((*o)->rrl_spare.items);
	free(*o);
	*o = NULL;
}

void
serve_options_add(struct serve_ranges *r, const struct cidr *c)
{
	r->items = xrealloc(r->items, (r->count + 1) * sizeof(*r->items));
	r->items[r->count++] = *c;
}

bool
serve_options_hold(const struct serve_ranges *r, const struct addr *a)
{
	for (size_t i = 0; i < r->count; i++)
		if (cidr_holds(&r->items[i], a))
			return true;
	return false;
}
