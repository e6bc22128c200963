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

#include "api/recount.h"
#include "base/buf.h"
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

/* -- changes whose events were killed -- */

static void
commit(struct site *s, const char *template)
{
	struct change_set set;
	struct diag d;

	diag_init(&d);
	change_init(&set);
	set.author = "token:\"me\"";
	set.summary = template;
	change_add(&set, &(struct change_op){ .op = CHANGE_PUT,
			     .kind = KIND_TEMPLATE,
			     .name = template,
			     .id = template,
			     .spec = "{}" });
	assert_int_equal(store_commit(s->store, &set, &d), 0);
	change_fini(&set);
	diag_fini(&d);
}

static int
write_down(const struct store_event *e, void *arg)
{
	struct buf *b = arg;

	buf_printf(b, "%s %s\n", e->text, e->data);
	return 0;
}

static void
is_told(struct site *s, const char *want)
{
	struct buf b;

	buf_init(&b, SIZE_MAX);
	scribe_flush(s->scribe);
	assert_int_equal(
	    store_events(s->store, &(struct store_event_filter){ 0 }, write_down, &b), 0);
	assert_string_equal(buf_str(&b), want);
	buf_fini(&b);
}

static void
test_lost_events_of_changes_are_made_up_for(void **state)
{
	struct site *s = *state;
	struct store_event e;

	commit(s, "first");
	recount_changes(s->store, s->scribe);
	is_told(s, ""); /* nothing to go on from */
	e = recount_event(1, 0, "me", "first", true);
	scribe_note(s->scribe, &e);
	free((char *)(uintptr_t)e.data);
	scribe_flush(s->scribe);
	recount_changes(s->store, s->scribe);
	commit(s, "second");
	commit(s, "third");
	recount_changes(s->store, s->scribe);
	scribe_flush(s->scribe);
	recount_changes(s->store, s->scribe);
	is_told(s, "first {\"revision\":1,\"author\":\"me\",\"applied\":true}\n"
		   "second {\"revision\":2,\"author\":\"token:\\\"me\\\"\",\"applied\":false}\n"
		   "third {\"revision\":3,\"author\":\"token:\\\"me\\\"\",\"applied\":false}\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_flushed_is_stored, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_end_writes_what_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_readers_hear_what_is_stored, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_lost_events_of_changes_are_made_up_for, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_at_once_lose_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
