/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/reason.h"

#include <pthread.h>

/* Of all probe threads. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct reason known[REASON_MAX];
static uint16_t n_known;

uint16_t
reason_of(const char *cause, const char *text)
{
	uint16_t i = 0;

	pthread_mutex_lock(&lock);
	while (i < n_known && (known[i].cause != cause || known[i].text != text))
		i++;
	if (i == n_known && n_known < REASON_MAX)
		known[n_known++] = (struct reason){ cause, text };
	pthread_mutex_unlock(&lock);
	return i < REASON_MAX ? i : REASON_MAX - 1;
}

struct reason
reason_at(uint16_t number)
{
	pthread_mutex_lock(&lock);
	const struct reason r = known[number];

	pthread_mutex_unlock(&lock);
	return r;
}
