/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Protocol push: what the target promises. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "peer.h"
#include "world.h"

static int
beat(struct world *w, uint32_t slot, int64_t at_ms, int64_t until_ms)
{
	const struct prober_beat b = { at_ms, until_ms };
	char key[16];

	snprintf(key, sizeof(key), "job%u", slot);
	return prober_beat(w->prober, key, &b);
}

static void
test_heartbeats(void **state)
{
	static struct world w;
	const int64_t now_ms = clock_real_ms();
	struct template_spec t = world_tcp;
	struct peer p;

	(void)state;
	assert_true(peer_start(&p, "127.0.0.1:0", NULL));
	t.protocol = PROTOCOL_PUSH;
	t.fall = t.rise = 5; /* say nothing here */
	world_open(&w);
	prober_start(w.prober);
	world_want(&w, 1, &p.addr, &t);
	world_want(&w, 2, &p.addr, &world_tcp);
	assert_int_equal(beat(&w, 7, 1, INT64_MAX / 2), -ENOENT);
	assert_int_equal(beat(&w, 2, 1, INT64_MAX / 2), -ENOENT); /* it is probed */

	assert_int_equal(beat(&w, 1, now_ms, now_ms + HOUR_MS), 0);
	world_await_verdict(&w, 1, 1, FLAP_UP, "");
	assert_int_equal(beat(&w, 1, now_ms, now_ms + HOUR_MS), -EALREADY);
	/* "I end now" */
	assert_int_equal(beat(&w, 1, now_ms + 1, now_ms), 0);
	world_await_verdict(&w, 1, 2, FLAP_DOWN, "push_expired");
	/* The older one does not bring it back. */
	assert_int_equal(beat(&w, 1, now_ms, now_ms + HOUR_MS), -EALREADY);
	/* Nothing comes any more: down when its time is over, long before the next slot. */
	assert_int_equal(beat(&w, 1, now_ms + 2, clock_real_ms() + 300), 0);
	world_await_verdict(&w, 1, 4, FLAP_DOWN, "push_expired");
	assert_true(clock_real_ms() >= now_ms + 300);
	world_close(&w);
	peer_stop(&p);
}

/* Restored: what was promised before the restart holds; who has never said anything has an
 * interval. */
static void
test_heartbeats_over_a_restart(void **state)
{
	static struct world w;
	const struct addr a = peer_refusing();
	struct template_spec t = world_tcp, quick = world_tcp;

	(void)state;
	t.protocol = quick.protocol = PROTOCOL_PUSH;
	quick.interval_ms = 200;
	quick.timeout_ms = 100;
	world_open(&w);
	prober_want(w.prober, &(struct prober_job){
				  .key = "job1",
				  .slot = 1,
				  .target = a,
				  .template = &t,
				  .start = FLAP_DOWN,
				  .beat = { 1, clock_real_ms() + HOUR_MS },
			      });
	world_want_from(&w, 2, &a, &quick, FLAP_UP);
	prober_start(w.prober);
	world_await_verdict(&w, 1, 1, FLAP_UP, "");
	world_await_verdict(&w, 2, 1, FLAP_DOWN, "push_expired");
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heartbeats),
		cmocka_unit_test(test_heartbeats_over_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
