/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/thread.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct seen {
	sigset_t blocked;
};

static void *
look(void *arg)
{
	struct seen *s = arg;

	pthread_sigmask(SIG_SETMASK, NULL, &s->blocked);
	return NULL;
}

static void
test_signals_are_blocked_in_the_new_thread_only(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD, SIGPIPE };
	struct seen s;
	pthread_t t;
	sigset_t own;

	(void)state;
	thread_start(&t, "look", look, &s);
	thread_join(t);
	pthread_sigmask(SIG_SETMASK, NULL, &own);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		assert_true(sigismember(&s.blocked, signals[i]));
		assert_false(sigismember(&own, signals[i]));
	}
}

static void *
wait_for(void *arg)
{
	pthread_mutex_lock(arg);
	pthread_mutex_unlock(arg);
	return NULL;
}

static void
test_names_are_set_and_clipped(void **state)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	char name[32];
	pthread_t t;

	(void)state;
	pthread_mutex_lock(&gate);
	thread_start(&t, "a-name-that-is-too-long", wait_for, &gate);
	assert_int_equal(pthread_getname_np(t, name, sizeof(name)), 0);
	assert_string_equal(name, "a-name-that-is-");
	pthread_mutex_unlock(&gate);
	thread_join(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signals_are_blocked_in_the_new_thread_only),
		cmocka_unit_test(test_names_are_set_and_clipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
