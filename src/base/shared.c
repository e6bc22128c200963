/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/shared.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/strmap.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct strmap all; /* without storage while empty */

struct shared *
shared_get(const char *key, struct shared *(*make)(const void *arg), const void *arg)
{
	CHECK(pthread_mutex_lock(&lock) == 0);
	struct shared *s = strmap_find(&all, key);

	if (s == NULL && (s = make(arg)) != NULL) {
		s->key = xstrdup(key);
		s->users = 0;
		strmap_put(&all, key, s);
	}
	if (s != NULL)
		s->users++;
	CHECK(pthread_mutex_unlock(&lock) == 0);
	return s;
}

void
shared_put(struct shared *s)
{
	if (s == NULL)
		return;
	CHECK(pthread_mutex_lock(&lock) == 0);
	CHECK(s->users > 0);
	if (--s->users == 0) {
		CHECK(strmap_remove(&all, s->key) == s);
		free(s->key);
		s->free(s);
		if (all.count == 0) {
			strmap_fini(&all);
			strmap_init(&all);
		}
	}
	CHECK(pthread_mutex_unlock(&lock) == 0);
}
