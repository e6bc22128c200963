/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The queue and the dispatch; what handlers do has tests of its own. */
#include "intake/intake.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "feed/forward.h"

#define MESSAGES 100

struct seen {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned n;
	uint8_t last[512];
	size_t last_len;
};

static void
reply(void *arg, uint32_t id, const uint8_t *response, size_t len)
{
	struct seen *s = arg;

	pthread_mutex_lock(&s->lock);
	assert_int_equal(id, s->n); /* in the order in which they came */
	memcpy(s->last, response, len);
	s->last_len = len;
	s->n++;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void
test_every_message_gets_a_response_in_order(void **state UNUSED)
{
	/* NOTIFY for example., A: FORMERR, without looking further */
	static const uint8_t notify[] = { 0x12, 0x34, 4 << 3, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7, 'e',
		'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 1, 0, 1 };
	struct seen s = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
	struct intake *in = intake_new(NULL, &(struct intake_hooks){ &s, reply });

	for (uint32_t id = 0; id < MESSAGES; id++) {
		struct forward f = { .id = id, .message = notify, .len = sizeof(notify) };
		struct buf b;

		buf_init(&b, 1000);
		forward_put(&b, &f);
		intake_take(in, b.data, b.len);
		buf_fini(&b);
		if (id == MESSAGES / 2)
			intake_start(in);
	}
	pthread_mutex_lock(&s.lock);
	while (s.n < MESSAGES)
		pthread_cond_wait(&s.changed, &s.lock);
	pthread_mutex_unlock(&s.lock);
	assert_true(s.last_len >= 12);
	assert_memory_equal(s.last, "\x12\x34", 2);
	assert_int_equal(s.last[2], 0x80 | 4 << 3);
	intake_free(&in);
}

static void
test_what_is_queued_is_dropped_at_the_end(void **state UNUSED)
{
	struct seen s = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
	struct intake *in = intake_new(NULL, &(struct intake_hooks){ &s, reply });

	intake_take(in, (const uint8_t *)"x", 1);
	intake_take(in, NULL, 0);
	intake_free(&in);
	assert_null(in);
	assert_int_equal(s.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_message_gets_a_response_in_order),
		cmocka_unit_test(test_what_is_queued_is_dropped_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
