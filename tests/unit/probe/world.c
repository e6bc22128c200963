/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define PATIENCE_S 20

const struct template_spec world_tcp = {
	.protocol = PROTOCOL_TCP,
	.interval_ms = HOUR_MS,
	.timeout_ms = 5000,
	.recheck_ms = 10,
	.fall = 1,
	.rise = 1,
	/* Or the peer would not see it: see sock_tcp_knock. */
	.talk = { .send = "hello" },
};

uint32_t
world_word(enum flap_verdict verdict, unsigned edges)
{
	return (verdict == FLAP_DOWN ? WORD_DOWN : 0) |
	       (verdict == FLAP_UNKNOWN ? WORD_UNKNOWN : 0) | edges;
}

static void
edge(void *arg, const char *key, uint32_t slot, enum flap_verdict verdict, const char *cause)
{
	struct world *w = arg;
	char expected[16];

	snprintf(expected, sizeof(expected), "job%u", slot);
	pthread_mutex_lock(&w->lock);
	w->edges[slot]++;
	w->verdict[slot] = verdict;
	w->cause[slot] = cause;
	if (word_load(w->words, slot) != world_word(verdict, w->edges[slot]) ||
	    strcmp(key, expected) != 0)
		w->word_was_stale = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void
first_round(void *arg)
{
	struct world *w = arg;

	pthread_mutex_lock(&w->lock);
	w->rounds++;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void
expiring(void *arg, const char *key UNUSED, uint32_t slot UNUSED, int64_t expires_ms)
{
	struct world *w = arg;

	pthread_mutex_lock(&w->lock);
	w->warnings++;
	w->expires_ms = expires_ms;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void
trouble(void *arg, const char *kind, const char *text)
{
	struct world *w = arg;

	assert_true(text[0] != '\0');
	pthread_mutex_lock(&w->lock);
	if (strcmp(kind, "probe.late") == 0)
		w->late++;
	else if (strcmp(kind, "probe.resources") == 0)
		w->short_of++;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

void
world_open_with(struct world *w, const struct prober_settings *settings)
{
	const struct prober_hooks hooks = { w, edge, first_round, expiring, trouble };

	memset(w, 0, sizeof(*w));
	w->settings = settings;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	w->words = word_table_new();
	w->prober = prober_new(w->words, &hooks, w->settings);
	for (uint32_t i = 0; i < SLOTS; i++)
		assert_int_equal(word_take(w->words), i);
}

void
world_open(struct world *w)
{
	world_open_with(w, NULL);
}

void
world_close(struct world *w)
{
	prober_free(&w->prober);
	word_table_free(&w->words);
	assert_false(w->word_was_stale);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->changed);
}

void
world_want_from(struct world *w, uint32_t slot, const struct addr *target,
    const struct template_spec *t, enum flap_verdict start)
{
	char key[16];

	snprintf(key, sizeof(key), "job%u", slot);
	prober_want(w->prober, &(struct prober_job){
				   .key = key,
				   .slot = slot,
				   .target = *target,
				   .template = t,
				   .start = start,
			       });
}

void
world_want(struct world *w, uint32_t slot, const struct addr *target, const struct template_spec *t)
{
	world_want_from(w, slot, target, t, FLAP_UNKNOWN);
}

void
world_drop(struct world *w, uint32_t slot)
{
	char key[16];

	snprintf(key, sizeof(key), "job%u", slot);
	prober_drop(w->prober, key);
}

void
world_await(struct world *w, const unsigned *counter, unsigned n)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&w->lock);
	while (*counter < n)
		assert_int_equal(pthread_cond_timedwait(&w->changed, &w->lock, &until), 0);
	pthread_mutex_unlock(&w->lock);
}

void
world_await_verdict(
    struct world *w, uint32_t slot, unsigned edges, enum flap_verdict verdict, const char *cause)
{
	world_await(w, &w->edges[slot], edges);
	assert_int_equal(w->edges[slot], edges);
	assert_int_equal(w->verdict[slot], verdict);
	assert_string_equal(w->cause[slot], cause);
}

json_t *
world_observe(struct world *w, uint32_t slot)
{
	char key[16];

	snprintf(key, sizeof(key), "job%u", slot);
	return prober_observe(w->prober, key);
}

const char *
world_text(const json_t *j, const char *name)
{
	return json_string_value(json_object_get(j, name));
}

/* The verdict of a single check, its edge, its observations. */
void
world_assert_single(const struct addr *target, const struct template_spec *t,
    enum flap_verdict verdict, const char *cause, const char *text)
{
	static struct world w;

	world_open(&w);
	prober_start(w.prober);
	world_want(&w, 3, target, t);
	world_await_verdict(&w, 3, 1, verdict, cause);
	assert_int_equal(word_load(w.words, 3), world_word(verdict, 1));

	json_t *seen = world_observe(&w, 3), *list = json_object_get(seen, "observations");
	const json_t *last = json_array_get(list, 0);
	const unsigned needed = verdict == FLAP_UP ? 1 : t->fall;

	assert_string_equal(world_text(seen, "verdict"), verdict == FLAP_UP ? "up" : "down");
	assert_string_equal(world_text(seen, "interval"), "1h");
	assert_in_range(
	    json_array_size(list), needed, needed + 1); /* + 1: its slot came just now */
	assert_int_equal(json_is_true(json_object_get(last, "passed")), verdict == FLAP_UP);
	assert_string_equal(world_text(last, "cause"), cause);
	if (text != NULL)
		assert_string_equal(world_text(last, "text"), text);
	assert_true(json_real_value(json_object_get(last, "total")) > 0.0);
	json_decref(seen);
	world_close(&w);
}
