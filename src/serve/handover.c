/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/handover.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct handover *
handover_new(const uint8_t *message, size_t len)
{
	struct handover *h = xmalloc(sizeof(*h) + len);

	*h = (struct handover){ .fd = -1, .len = len };
	list_init(&h->item);
	memcpy(h->message, message, len);
	return h;
}

void
handover_free(struct handover **h)
{
	struct handover *old = *h;

	if (old == NULL)
		return;
	list_remove(&old->item);
	free(old->reply);
	free(old);
	*h = NULL;
}
