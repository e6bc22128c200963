/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "zone/retire.h"

#include <stdlib.h>
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include "base/attr.h"
#include "base/mem.h"

/* Apart from what it frees: nodes are many and live long, this lives for a grace period. */
struct retired {
	struct rcu_head head;
	void *ptr;
	void (*release)(void *ptr);
};

static void
release(struct rcu_head *head)
{
	struct retired *r = container_of(head, struct retired, head);

	r->release(r->ptr);
	free(r);
}

void
retire(void *ptr, void (*release_ptr)(void *ptr))
{
	struct retired *r = xmalloc(sizeof(*r));

	r->ptr = ptr;
	r->release = release_ptr;
	call_rcu(&r->head, release);
}
