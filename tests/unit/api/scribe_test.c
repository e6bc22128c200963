/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/scribe.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

#define MANY 3000

struct site {
	char dir[64];
	struct store *store;
	struct hub hub;
	struct scribe *scribe;
};

static int
setup(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));
	struct diag d;

	diag_init(&d);
	strcpy(s->dir, "/tmp/scribe.XXXXXX");
	if (mkdtemp(s->dir) == NULL || store_open(s->dir, &s->store, &d) < 0)
		return -1;
	diag_fini(&d);
	hub_init(&s->hub);
	s->scribe = scribe_new(s->store, &s->hub);
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct site *s = *state;
	char *command = xasprintf("rm -r %s", s->dir);
	int rc;

	scribe_free(&s->scribe);
	store_close(&s->store);
	hub_fini(&s->hub);
	rc = system(command);
	free(command);
	free(s);
	return rc;
}

static void
note(struct site *s, const char *kind, size_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", n);
	scribe_note(s->scribe,
	    &(struct store_event){ .kind = kind, .severity = "info", .text = text, .data = "{}" });
	memset(text, 'x', sizeof(text)); /* it has its own copy */
}

struct seen {
	size_t count;
	uint64_t last_id;
	bool ordered;
};

static int
see(const struct store_event *e, void *arg)
{
	struct seen *seen = arg;
	char text[32];

	snprintf(text, sizeof(text), "%zu", seen->count);
	seen->ordered &= strcmp(e->text, text) == 0 && e->id > seen->last_id;
	seen->last_id = e->id;
	seen->count++;
	return 0;
}

static struct seen
stored(struct site *s)
{
	struct seen seen = { .ordered = true };

	assert_int_equal(store_events(s->store, &(struct store_event_filter){ 0 }, see, &seen), 0);
	return seen;
}

static void
test_flushed_is_stored(void **state)
{
	struct site *s = *state;

	scribe_flush(s->scribe); /* nothing */
	for (size_t i = 0; i < MANY; i++) {
		note(s, "address.down", i);
		if (i % 1000 == 10) {
			scribe_flush(s->scribe);
			assert_int_equal(stored(s).count, i + 1);
		}
	}
	scribe_flush(s->scribe);
	assert_int_equal(stored(s).count, MANY);
	assert_true(stored(s).ordered);
}

static void
test_the_end_writes_what_waits(void **state)
{
	struct site *s = *state;

	for (size_t i = 0; i < MANY; i++)
		note(s, "address.down", i);
	scribe_free(&s->scribe);
	assert_int_equal(stored(s).count, MANY);
	assert_true(stored(s).ordered);
	s->scribe = scribe_new(s->store, &s->hub);
}

static void
ignore(void *arg)
{
	(void)arg;
}

/* Ids rise as the hub tells them, and what it tells is stored already. */
static void
test_readers_hear_what_is_stored(void **state)
{
	struct site *s = *state;
	struct hub_reader reader = { .topics = HUB_EVENTS, .sleep = ignore, .wake = ignore };
	uint64_t lost, last = 0;
	struct hub_message *m;
	size_t heard = 0;

	assert_false(hub_wanted(&s->hub, HUB_EVENTS));
	hub_join(&s->hub, &reader);
	assert_true(hub_wanted(&s->hub, HUB_EVENTS));
	assert_false(hub_wanted(&s->hub, HUB_CONFIG));
	for (size_t i = 0; i < 100; i++)
		note(s, i % 2 == 0 ? "address.down" : "config.applied", i);
	scribe_flush(s->scribe);
	while (hub_take(&s->hub, &reader, &m, &lost) == HUB_MESSAGE) {
		assert_true(m->id > last);
		assert_null(strstr(m->text, "config.applied"));
		last = m->id;
		heard++;
		hub_release(&s->hub, m);
	}
	assert_int_equal(heard, 50);
	hub_leave(&s->hub, &reader);
}

static void *
shout(void *arg)
{
	for (size_t i = 0; i < MANY; i++)
		note(arg, "address.up", i);
	scribe_flush(((struct site *)arg)->scribe);
	return NULL;
}

static void
test_many_at_once_lose_nothing(void **state)
{
	struct site *s = *state;
	pthread_t threads[4];

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_create(&threads[i], NULL, shout, s);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(stored(s).count, MANY * ARRAY_LEN(threads));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_flushed_is_stored, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_end_writes_what_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_readers_hear_what_is_stored, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_at_once_lose_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
