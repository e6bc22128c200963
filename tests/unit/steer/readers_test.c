/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers answer while the writer compiles: no torn plan, and the ratio of each worker survives the
 * recompiles. */
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/thread.h"
#include "dns/rrtype.h"
#include "world.h"

#define WORKERS 2
#define ANSWERS 200000u
#define WWW     "www.example.com"

static struct world w;
static atomic_int running;

struct reader {
	pthread_t thread;
	unsigned worker;
	uint32_t counts[4];
};

static void *
read_answers(void *arg)
{
	struct reader *r = arg;
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	unsigned scope;

	rcu_register_thread();
	for (uint32_t i = 0; i < ANSWERS; i++) {
		const struct plan *p = world_plan(&w, WWW, RRTYPE_A);

		CHECK(p != NULL && plan_answer(p, r->worker, &w.at, out, &scope) == 1);
		r->counts[out[0]->tail[out[0]->len - 1]]++;
		if (i % 16 == 0)
			rcu_quiescent_state();
	}
	atomic_fetch_sub(&running, 1);
	rcu_unregister_thread();
	return NULL;
}

static void
put_domain(int ttl, const char *more)
{
	world_put(&w, KIND_DOMAIN, WWW "/A",
	    "{'enabled':true,'ttl':%d,%s'strategy':'weight','pools':[{'pool':'p'}]}", ttl, more);
	world_apply(&w);
}

static void
put_world(const char *more)
{
	world_init(&w, WORKERS);
	world_put(&w, KIND_ZONE, "example.com", "{}");
	world_put(&w, KIND_TEMPLATE, "tcp", "{'protocol':'tcp'}");
	for (int i = 1; i <= 3; i++) {
		char name[8];

		snprintf(name, sizeof(name), "a%d", i);
		world_put(&w, KIND_ADDRESS, name,
		    "{'type':'ipv4','value':'192.0.2.%d','checks':[{'template':'tcp','port':80}]}",
		    i);
	}
	world_put(&w, KIND_POOL, "p",
	    "{'type':'ipv4','strategy':'weight','addresses':[{'address':'a1','weight':3},"
	    "{'address':'a2','weight':2},{'address':'a3','weight':0}]}");
	put_domain(1, more);
}

static void
test_readers_beside_the_writer(void **state)
{
	struct reader readers[WORKERS] = { 0 };
	int compiled = 0;

	(void)state;
	put_world("");
	running = WORKERS;
	for (unsigned i = 0; i < WORKERS; i++) {
		readers[i].worker = i;
		thread_start(&readers[i].thread, "reader", read_answers, &readers[i]);
	}
	/* The standby's verdicts change the plan, but nobody's share. */
	while (atomic_load(&running) > 0) {
		world_verdict(&w, "tcp/192.0.2.3/80", compiled % 2 ? 'U' : 'D');
		if (++compiled % 64 == 0)
			put_domain(1 + compiled / 64 % 1000, "");
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		rcu_thread_offline();
		thread_join(readers[i].thread);
		rcu_thread_online();
		assert_in_range(readers[i].counts[1], ANSWERS / 5 * 3 - 6, ANSWERS / 5 * 3 + 6);
		assert_in_range(readers[i].counts[2], ANSWERS / 5 * 2 - 6, ANSWERS / 5 * 2 + 6);
		assert_int_equal(readers[i].counts[3], 0);
	}
	print_message("%d plans compiled meanwhile\n", compiled);
	world_fini(&w);
}

/* -- balance traffic: who asks is learned, and draws are bent, meanwhile -- */

#define ASKED (ANSWERS / 8)

static _Atomic uint32_t clock_ms;

static void *
ask_for(void *arg)
{
	struct reader *r = arg;
	const struct plan_rr *out[PLAN_MAX_ANSWER];
	unsigned scope;

	rcu_register_thread();
	for (uint32_t i = 0; i < ASKED; i++) {
		const struct plan *p = world_plan(&w, WWW, RRTYPE_A);
		const uint8_t ip[4] = { 10, (uint8_t)(i % 16), (uint8_t)r->worker, 53 };
		const struct position from = position_of_prefix(4, ip, 32);
		const struct plan_asker asker = { .resolver = &from,
			.now_ms = atomic_load(&clock_ms) };

		CHECK(plan_is_balanced(p));
		CHECK(plan_answer_to(p, r->worker, &from, &asker, out, &scope) == 1);
		CHECK(plan_rr_ttl(out[0]) >= 1 && plan_rr_ttl(out[0]) <= 1000);
		r->counts[out[0]->tail[out[0]->len - 1]]++;
		if (i % 16 == 0)
			rcu_quiescent_state();
	}
	atomic_fetch_sub(&running, 1);
	rcu_unregister_thread();
	return NULL;
}

static void
test_learning_beside_the_readers(void **state)
{
	struct reader readers[WORKERS] = { 0 };
	int rounds = 0;

	(void)state;
	put_world("'balance':'traffic','ttl_min':1,");
	running = WORKERS;
	for (unsigned i = 0; i < WORKERS; i++) {
		readers[i].worker = i;
		thread_start(&readers[i].thread, "reader", ask_for, &readers[i]);
	}
	while (atomic_load(&running) > 0) {
		atomic_fetch_add(&clock_ms, 517);
		tree_learn(w.tree, atomic_load(&clock_ms));
		if (++rounds % 8 == 0)
			world_verdict(&w, "tcp/192.0.2.2/80", rounds % 16 ? 'U' : 'D');
		if (rounds % 64 == 0)
			put_domain(1 + rounds / 64 % 1000, "'balance':'traffic','ttl_min':1,");
		rcu_quiescent_state();
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		rcu_thread_offline();
		thread_join(readers[i].thread);
		rcu_thread_online();
		assert_int_equal(readers[i].counts[0] + readers[i].counts[3], 0);
		assert_int_equal(readers[i].counts[1] + readers[i].counts[2], ASKED);
	}
	print_message("%d rounds meanwhile\n", rounds);
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_readers_beside_the_writer),
		cmocka_unit_test(test_learning_beside_the_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
