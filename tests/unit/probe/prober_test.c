/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From outcomes to verdicts, in time; and what may change meanwhile. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "peer.h"
#include "tls_peer.h"
#include "world.h"

/* A certificate that ends soon is told once, and shown. */
static void
test_certificate_expires(void **state)
{
	static struct world w;
	struct template_spec t = world_tcp;
	struct identity own;
	struct tls_peer p;

	(void)state;
	identity_make(&own, "IP:127.0.0.1", 5, NULL);
	tls_peer_start(&p, "127.0.0.1:0", &own, NULL, OK_REPLY);
	t.protocol = PROTOCOL_HTTPS;
	t.interval_ms = 20;
	t.timeout_ms = 10000;
	t.tls = (struct tls_spec){
		.verify = true, .ca = own.cert_pem, .expiry_warn_days = 6, .full_handshake_every = 2
	};
	world_open(&w);
	prober_start(w.prober);
	world_want(&w, 0, &p.addr, &t);
	world_await(&w, &w.warnings, 1);
	world_await_verdict(&w, 0, 1, FLAP_UP, "");
	while (atomic_load(&p.full) < 4)
		usleep(1000);

	json_t *seen = world_observe(&w, 0), *cert = json_object_get(seen, "certificate");
	const json_t *last = json_array_get(json_object_get(seen, "observations"), 0);

	assert_int_equal(json_integer_value(json_object_get(cert, "days")), 5);
	assert_true(json_real_value(json_object_get(last, "tls")) > 0);
	json_decref(seen);

	const struct prober_certificates all = prober_certificates(w.prober);

	assert_int_equal(all.seen, 1);
	assert_int_equal(all.expiring, 1);
	assert_int_equal(all.days_min, 5);
	assert_in_range(w.expires_ms - clock_real_ms(), 5 * 86400000LL, 6 * 86400000LL);
	world_close(&w);
	assert_int_equal(w.warnings, 1);
	tls_peer_stop(&p);
	identity_free(&own);
}

/* Sick and well again: rechecks follow each other quickly, and edges are counted in the word. */
static void
test_verdict_follows(void **state)
{
	static struct world w;
	struct template_spec t = world_tcp;
	struct peer p;

	(void)state;
	t.protocol = PROTOCOL_HTTP;
	t.interval_ms = 100;
	t.timeout_ms = 90;
	t.fall = 3;
	t.rise = 2;
	assert_true(peer_start(&p, "127.0.0.1:0", OK_REPLY));
	world_open(&w);
	prober_start(w.prober);
	world_want(&w, 0, &p.addr, &t);
	world_await_verdict(&w, 0, 1, FLAP_UP, "");
	peer_reply(&p, SICK_REPLY);
	world_await_verdict(&w, 0, 2, FLAP_DOWN, "http_status");
	peer_reply(&p, OK_REPLY);
	world_await_verdict(&w, 0, 3, FLAP_UP, "");
	world_close(&w);
	peer_stop(&p);
}

static void
test_probes_keep_the_interval(void **state)
{
	static struct world w;
	struct template_spec t = world_tcp;
	struct peer p;

	(void)state;
	t.interval_ms = 50;
	t.timeout_ms = 40;
	assert_true(peer_start(&p, "127.0.0.1:0", NULL));
	world_open(&w);
	prober_start(w.prober);
	world_want(&w, 0, &p.addr, &t);

	/* Between the 2nd (in its slot) and the 12th are ten intervals. */
	peer_await_accepted(&p, 2);
	const uint64_t begin_ms = clock_mono_ms();

	peer_await_accepted(&p, 12);
	assert_true(clock_mono_ms() - begin_ms >= 10 * 50 - 45); /* we may have been told late */

	json_t *seen = world_observe(&w, 0);

	assert_in_range(json_array_size(json_object_get(seen, "observations")), 11, 16);
	json_decref(seen);
	assert_int_equal(w.edges[0], 1);
	world_close(&w);
	peer_stop(&p);
}

/* The dead one needs all its failures before the round is over. */
static void
test_first_round(void **state)
{
	static struct world w;
	const struct addr closed = peer_refusing();
	struct template_spec dead = world_tcp, slow = world_tcp;
	struct peer_deaf deaf;
	struct peer p;

	(void)state;
	dead.fall = 5;
	slow.timeout_ms = 60;
	peer_deaf_open(&deaf);
	assert_true(peer_start(&p, "127.0.0.1:0", NULL));
	world_open(&w);
	world_want(&w, 0, &p.addr, &world_tcp);
	world_want(&w, 1, &closed, &dead);
	world_want(&w, 2, &deaf.addr, &slow);
	world_want_from(&w, 3, &closed, &world_tcp, FLAP_DOWN);
	prober_first_round(w.prober);
	prober_start(w.prober);
	world_await(&w, &w.rounds, 1);
	assert_int_equal(word_load(w.words, 0), world_word(FLAP_UP, 1));
	assert_int_equal(word_load(w.words, 1), world_word(FLAP_DOWN, 1));
	assert_int_equal(word_load(w.words, 2), world_word(FLAP_DOWN, 1));
	assert_int_equal(word_load(w.words, 3), world_word(FLAP_DOWN, 0));

	prober_first_round(w.prober); /* nothing pending */
	world_await(&w, &w.rounds, 2);
	slow.timeout_ms = HOUR_MS - 1;
	world_want(&w, 4, &deaf.addr, &slow); /* never */
	prober_first_round(w.prober);
	world_drop(&w, 4);
	world_await(&w, &w.rounds, 3);
	world_close(&w);
	assert_int_equal(w.rounds, 3);
	peer_stop(&p);
	peer_deaf_close(&deaf);
}

/* At once, before the first probe: answers may be given by now. */
static void
test_restored_verdicts_are_in_the_word(void **state)
{
	static struct world w;
	const struct addr closed = peer_refusing();

	(void)state;
	world_open(&w);
	world_want_from(&w, 0, &closed, &world_tcp, FLAP_DOWN);
	world_want_from(&w, 1, &closed, &world_tcp, FLAP_UP);
	world_want(&w, 2, &closed, &world_tcp);
	assert_int_equal(word_load(w.words, 0), world_word(FLAP_DOWN, 0));
	assert_int_equal(word_load(w.words, 1), world_word(FLAP_UP, 0));
	assert_int_equal(word_load(w.words, 2), world_word(FLAP_UNKNOWN, 0));
	prober_start(w.prober);
	world_await_verdict(&w, 1, 1, FLAP_DOWN, "l4_refused");
	world_await_verdict(&w, 2, 1, FLAP_DOWN, "l4_refused");
	assert_int_equal(w.edges[0], 0);
	world_close(&w);
}

/* A new template probes anew, however long the old interval; the verdict stays. */
static void
test_change_in_place(void **state)
{
	static struct world w;
	struct template_spec t = world_tcp;
	struct peer p;

	(void)state;
	assert_true(peer_start(&p, "127.0.0.1:0", NULL));
	world_open(&w);
	prober_start(w.prober);
	world_want(&w, 0, &p.addr, &world_tcp);
	world_await_verdict(&w, 0, 1, FLAP_UP, "");

	json_t *before = world_observe(&w, 0);
	const size_t probes = json_array_size(json_object_get(before, "observations"));

	world_want(&w, 0, &p.addr, &world_tcp); /* no change: nothing happens */
	t.interval_ms = HOUR_MS / 2;
	world_want(&w, 0, &p.addr, &t);
	peer_await_accepted(&p, probes + 1);
	assert_int_equal(word_load(w.words, 0), world_word(FLAP_UP, 1));

	/* A new target likewise; the verdict changes by its outcomes. */
	const struct addr closed = peer_refusing();

	world_want(&w, 0, &closed, &t);
	world_await_verdict(&w, 0, 2, FLAP_DOWN, "l4_refused");

	json_t *after = world_observe(&w, 0);

	assert_string_equal(world_text(after, "interval"), "30m");
	json_decref(before);
	json_decref(after);
	assert_null(world_observe(&w, 1));
	world_close(&w);
	peer_stop(&p);
}

/* The far side sees the socket of a dropped probe go, and nobody hears of it again. */
static void
test_drop_in_flight(void **state)
{
	static struct world w;
	struct template_spec t = world_tcp;
	struct peer p;

	(void)state;
	t.protocol = PROTOCOL_HTTP;
	t.timeout_ms = HOUR_MS - 1;
	assert_true(peer_start(&p, "127.0.0.1:0", peer_hang));
	world_open(&w);
	prober_start(w.prober);
	world_want(&w, 0, &p.addr, &t);
	peer_await_accepted(&p, 1);
	world_drop(&w, 0);
	assert_null(world_observe(&w, 0));
	word_store(w.words, 0, 0x1234u);
	peer_await_closed(&p, 1);
	world_close(&w);
	assert_int_equal(w.edges[0], 0);
	peer_stop(&p);
}

/* Dropped at any moment of probes that end at once: the slot's next owner finds its own word. */
static void
test_nothing_is_written_after_drop(void **state)
{
	static struct world w;
	const struct addr closed = peer_refusing();
	struct template_spec t = world_tcp;

	(void)state;
	t.interval_ms = 1;
	t.timeout_ms = 1;
	world_open(&w);
	prober_start(w.prober);
	for (unsigned i = 0; i < 3000; i++) {
		pthread_mutex_lock(&w.lock);
		w.edges[0] = 0;
		pthread_mutex_unlock(&w.lock);
		world_want(&w, 0, &closed, &t);
		if (i % 8 == 0)
			world_await(&w, &w.edges[0], 1);
		world_drop(&w, 0);
		word_store(w.words, 0, i);
		for (unsigned look = 0; look < 200; look++)
			assert_int_equal(word_load(w.words, 0), i);
	}
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate_expires),
		cmocka_unit_test(test_verdict_follows),
		cmocka_unit_test(test_probes_keep_the_interval),
		cmocka_unit_test(test_first_round),
		cmocka_unit_test(test_restored_verdicts_are_in_the_word),
		cmocka_unit_test(test_change_in_place),
		cmocka_unit_test(test_drop_in_flight),
		cmocka_unit_test(test_nothing_is_written_after_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
