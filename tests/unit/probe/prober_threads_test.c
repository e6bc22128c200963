/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several probe threads: what is promised of one holds for all of them together. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"
#include "peer.h"
#include "world.h"

#define THREADS 4
#define PEERS   16

static const struct prober_settings settings = { .threads = THREADS };

static void
start_peers(struct peer *peers, size_t n, const char *reply)
{
	char ip[32];

	for (size_t i = 0; i < n; i++) {
		snprintf(ip, sizeof(ip), "127.0.3.%zu:0", i + 1);
		assert_true(peer_start(&peers[i], ip, reply));
	}
}

static void
stop_peers(struct peer *peers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		peer_stop(&peers[i]);
}

/* Every check has its verdict, one round is told once, and the numbers are those of all threads. */
static void
test_all_are_probed(void **state UNUSED)
{
	static struct world w;
	static struct peer peers[PEERS];
	const struct addr closed = peer_refusing();
	struct template_spec web = world_tcp;

	web.protocol = PROTOCOL_HTTP;
	start_peers(peers, PEERS, OK_REPLY);
	world_open_with(&w, &settings);
	prober_start(w.prober);
	for (uint32_t i = 0; i < SLOTS; i++)
		world_want(&w, i, i % 8 == 7 ? &closed : &peers[i % PEERS].addr, &web);
	prober_first_round(w.prober);
	world_await(&w, &w.rounds, 1);
	for (uint32_t i = 0; i < SLOTS; i++)
		assert_int_equal(w.verdict[i], i % 8 == 7 ? FLAP_DOWN : FLAP_UP);

	json_t *metrics = prober_metrics(w.prober);
	const json_t *list = json_object_get(metrics, "probes");
	const json_int_t passed =
	    json_integer_value(json_object_get(json_array_get(list, 0), "value"));

	assert_in_range(passed, SLOTS / 8 * 7, SLOTS);
	json_decref(metrics);
	for (uint32_t i = 0; i < SLOTS; i++)
		world_drop(&w, i);
	world_close(&w);
	assert_int_equal(w.rounds, 1);
	stop_peers(peers, PEERS);
}

/* A check whose target moves to an IP of another thread keeps verdict and edges, and is probed
 * there and nowhere else. */
static void
test_a_target_moves(void **state UNUSED)
{
	static struct world w;
	static struct peer peers[PEERS];
	struct template_spec web = world_tcp;

	web.protocol = PROTOCOL_HTTP;
	start_peers(peers, PEERS, OK_REPLY);
	world_open_with(&w, &settings);
	prober_start(w.prober);
	for (size_t i = 0; i < PEERS; i++) {
		world_want(&w, 5, &peers[i].addr, &web);
		peer_await_accepted(&peers[i], 1);
		world_await_verdict(&w, 5, 1, FLAP_UP, "");
		assert_int_equal(word_load(w.words, 5), world_word(FLAP_UP, 1));
	}
	peer_reply(&peers[0], SICK_REPLY);
	world_want(&w, 5, &peers[0].addr, &web);
	world_await_verdict(&w, 5, 2, FLAP_DOWN, "http_status");

	json_t *seen = world_observe(&w, 5);

	assert_true(json_array_size(json_object_get(seen, "observations")) > 1);
	json_decref(seen);
	world_close(&w);
	stop_peers(peers, PEERS);
}

/* Moved again and again while probes are under way, by somebody who waits for nothing. */
static void
test_moving_all_the_time(void **state UNUSED)
{
	static struct world w;
	static struct peer peers[PEERS];
	struct template_spec quick = world_tcp;

	quick.interval_ms = 20;
	quick.timeout_ms = 19;
	quick.fall = UINT8_MAX; /* whatever this machine is short of: no edges */
	start_peers(peers, PEERS, NULL);
	world_open_with(&w, &settings);
	prober_start(w.prober);
	for (uint32_t i = 0; i < 20000; i++) {
		const uint32_t slot = i * 7 % 64;

		if (i % 11 == 0)
			world_drop(&w, slot);
		else
			world_want_from(
			    &w, slot, &peers[(i * 5 + i / 64) % PEERS].addr, &quick, FLAP_UP);
	}
	world_close(&w);
	stop_peers(peers, PEERS);
}

/* The rate of all together: 1,000 at once, then 1,000 a second. */
static void
test_the_rate_is_for_all(void **state UNUSED)
{
	static struct world w;
	static struct peer peers[PEERS];
	const struct prober_settings slow = { .threads = THREADS, .rate = 1000 };
	struct template_spec quick = world_tcp;
	uint64_t made = 0;

	quick.interval_ms = 100;
	quick.timeout_ms = 90;
	start_peers(peers, PEERS, NULL);
	world_open_with(&w, &slow);

	const uint64_t began_ms = clock_mono_ms();

	prober_start(w.prober);
	for (uint32_t i = 0; i < SLOTS; i++)
		world_want(&w, i, &peers[i % PEERS].addr, &quick);
	/* 5,000 a second are wanted. */
	while (made < 2500) {
		json_t *metrics = prober_metrics(w.prober);
		const json_t *list = json_object_get(metrics, "probes");

		made =
		    (uint64_t)json_integer_value(json_object_get(json_array_get(list, 0), "value"));
		json_decref(metrics);
		sched_yield();
	}
	assert_true(clock_mono_ms() - began_ms >= 1400);
	world_close(&w);
	stop_peers(peers, PEERS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_are_probed),
		cmocka_unit_test(test_a_target_moves),
		cmocka_unit_test(test_moving_all_the_time),
		cmocka_unit_test(test_the_rate_is_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
