/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/thread.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"

/* The kernel's limit for a thread's name, with the NUL. */
#define NAME_SIZE 16

/* Signals are blocked before the start: the new thread must not take one even for a moment. */
void
thread_start(pthread_t *t, const char *name, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	char clipped[NAME_SIZE];

	sigfillset(&all);
	CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);

	const int error = pthread_create(t, NULL, run, arg);

	CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	if (error != 0) {
		log_error("thread", "cannot start '%s': %s", name, strerror(error));
		abort();
	}
	snprintf(clipped, sizeof(clipped), "%s", name);
	pthread_setname_np(*t, clipped);
}

void
thread_join(pthread_t t)
{
	CHECK(pthread_join(t, NULL) == 0);
}
