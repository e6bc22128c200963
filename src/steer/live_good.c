/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fallback last_good: who answered while anybody was available. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "steer/live.h"

#define LIVE_GOOD_KEY_SIZE (KIND_NAME_SIZE + 16)

/* Names of pools and addresses hold neither blanks nor slashes. */
static char *
key_of(const struct live *l, char key[LIVE_GOOD_KEY_SIZE])
{
	snprintf(key, LIVE_GOOD_KEY_SIZE, "%s/%s", kind_table[l->o->kind].name, l->o->name);
	return key;
}

bool
live_good_has(const struct strmap *good, const struct live *l)
{
	char key[LIVE_GOOD_KEY_SIZE];

	return strmap_find(good, key_of(l, key)) != NULL;
}

static void
add(struct buf *b, const struct live *l)
{
	char key[LIVE_GOOD_KEY_SIZE];

	buf_printf(b, "%s%s", b->len == 0 ? "" : " ", key_of(l, key));
}

char *
live_good_text(const struct live_domain *d)
{
	struct buf b;

	buf_init(&b, SIZE_MAX);
	for (size_t i = 0; i < d->n_links; i++) {
		const struct live_pool *p = d->links[i].pool;

		if (!p->live.state.available)
			continue;
		add(&b, &p->live);
		for (size_t k = 0; k < p->n_members; k++)
			if (p->members[k].address->live.state.available)
				add(&b, &p->members[k].address->live);
	}

	char *text = xstrdup(buf_str(&b));

	buf_fini(&b);
	return text;
}

void
live_good_set(struct live_domain *d, char *text)
{
	char *copy = xstrdup(text), *rest = copy, *key;

	strmap_fini(&d->good);
	strmap_init(&d->good);
	while ((key = strsep(&rest, " ")) != NULL)
		strmap_put(&d->good, key, d);
	free(copy);
	free(d->good_text);
	d->good_text = text;
}
