/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a verdict to the answer: the real tree publishes into a real zone, respond answers from it.
 */
#include "serve/respond.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include <cmocka.h>

#include "base/thread.h"
#include "dns/name.h"
#include "dns/rrtype.h"
#include "steer/tree.h"
#include "wire.h"

#define A1   "NOERROR aa | www.x.org 60 A 192.0.2.1 | | |"
#define A2   "NOERROR aa | www.x.org 60 A 192.0.2.2 | | |"
#define BOTH "NOERROR aa | www.x.org 60 A 192.0.2.1, www.x.org 60 A 192.0.2.2 | | |"

struct site {
	struct zones *zones;
	struct word_table *words;
	struct tree *tree;
	uint32_t slots[2]; /* of the checks of a1 and a2 */
	struct respond_counters counters;
	struct respond respond;
	struct serve_options *options;
};

static void
want(void *arg, const struct tree_check *c)
{
	struct site *s = arg;

	s->slots[strcmp(c->ip, "192.0.2.2") == 0] = c->slot;
}

static void
drop(void *arg, const char *key, uint32_t slot)
{
	(void)arg;
	(void)key;
	(void)slot;
}

static void
overlay(void *arg, const uint8_t *host, const void *what, bool shown UNUSED)
{
	struct site *s = arg;

	zone_overlay(zones_find(s->zones, host), host, what);
}

static void
status(void *arg, enum kind kind, const char *name, json_t *what)
{
	(void)arg;
	(void)kind;
	(void)name;
	(void)what;
}

static void
event(void *arg, const struct tree_event *e)
{
	(void)arg;
	(void)e;
}

static void
remember(void *arg, const char *key, const char *value)
{
	(void)arg;
	(void)key;
	(void)value;
}

struct op {
	enum kind kind;
	const char *name, *spec; /* no spec: delete */
};

static void
apply(struct site *s, const struct op *ops, size_t n)
{
	struct change_set set;

	change_init(&set);
	for (size_t i = 0; i < n; i++) {
		struct change_op op = {
			.op = CHANGE_DELETE, .kind = ops[i].kind, .name = ops[i].name
		};
		struct arena arena;
		struct diag d;
		char *text = NULL;

		arena_init(&arena);
		diag_init(&d);
		if (ops[i].spec != NULL) {
			json_t *j = json_parse(ops[i].spec, strlen(ops[i].spec), &d);
			const void *spec = kind_decode(op.kind, op.name, j, &arena, &d);

			if (spec == NULL)
				fail_msg("%s", diag_text(&d));
			op.op = CHANGE_PUT;
			op.id = "0";
			op.spec = text = kind_spec_text(op.kind, spec);
			json_decref(j);
		}
		change_add(&set, &op);
		free(text);
		diag_fini(&d);
		arena_fini(&arena);
	}
	set.revision = 1;
	tree_apply(s->tree, &set, 0);
	change_fini(&set);
}

static int
set_up(void **state)
{
	static const uint8_t apex[] = "\1x\3org";
	static const struct op ops[] = {
		{ KIND_ZONE, "x.org", "{}" },
		{ KIND_TEMPLATE, "t", "{\"protocol\":\"tcp\"}" },
		{ KIND_ADDRESS, "a1",
		    "{\"type\":\"ipv4\",\"value\":\"192.0.2.1\",\"checks\":[{\"template\":\"t\","
		    "\"port\":80}]}" },
		{ KIND_ADDRESS, "a2",
		    "{\"type\":\"ipv4\",\"value\":\"192.0.2.2\",\"checks\":[{\"template\":\"t\","
		    "\"port\":80}]}" },
		{ KIND_POOL, "p",
		    "{\"type\":\"ipv4\",\"strategy\":\"weight\",\"addresses\":[{\"address\":\"a1\","
		    "\"weight\":3},{\"address\":\"a2\",\"weight\":1}]}" },
		{ KIND_DOMAIN, "www.x.org/A",
		    "{\"ttl\":60,\"enabled\":true,\"pools\":[{\"pool\":\"p\"}]}" },
	};
	struct site *s = calloc(1, sizeof(*s));

	urcu_qsbr_register_thread();
	s->zones = zones_new();
	zones_add(s->zones, zone_new(apex));
	s->words = word_table_new();
	s->tree = tree_new(s->words, 2,
	    &(struct tree_hooks){
		.arg = s,
		.want = want,
		.drop = drop,
		.overlay = overlay,
		.status = status,
		.event = event,
		.remember = remember,
	    });
	s->options = serve_options_new();
	s->respond = (struct respond){
		.zones = s->zones,
		.edns_udp_size = 1232,
		.options = (const struct serve_options *const *)&s->options,
		.counters = &s->counters,
	};
	apply(s, ops, ARRAY_LEN(ops));
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct site *s = *state;

	tree_free(&s->tree);
	word_table_free(&s->words);
	zones_free(&s->zones);
	serve_options_free(&s->options);
	free(s);
	urcu_qsbr_unregister_thread();
	return 0;
}

static char *
ask(const struct respond *r)
{
	uint8_t in[512], out[1232];
	const size_t len = wire_query(in, 1, "www.x.org", RRTYPE_A, (struct wire_edns){ 0 });
	const struct addr nobody = { 0 };
	const struct respond_client from = { .peer = &nobody };

	return wire_text(out, respond(r, &from, in, len, out, sizeof(out)));
}

/* How many of `n` answers are A1; all others must be A2. */
static unsigned
count_first(struct site *s, unsigned n)
{
	unsigned first = 0;

	while (n-- > 0) {
		char *text = ask(&s->respond);

		if (strcmp(text, A1) == 0)
			first++;
		else
			assert_string_equal(text, A2);
		free(text);
	}
	return first;
}

static void
judge(struct site *s, int address, uint32_t word)
{
	word_store(s->words, s->slots[address], word);
	tree_edge(s->tree, s->slots[address], NULL, 0);
}

static void
test_verdicts_move_the_answer(void **state)
{
	static const struct op gone = { KIND_DOMAIN, "www.x.org/A", NULL };
	struct site *s = *state;

	assert_in_range(count_first(s, 400), 299, 301);
	judge(s, 0, WORD_DOWN);
	assert_int_equal(count_first(s, 40), 0);
	assert_int_equal(s->counters.fallback, 0);
	judge(s, 1, WORD_DOWN);

	char *text = ask(&s->respond); /* all are down: the fallback is all that are enabled */

	assert_string_equal(text, BOTH);
	free(text);
	assert_int_equal(s->counters.fallback, 1);
	judge(s, 0, 0);
	assert_int_equal(count_first(s, 40), 40);
	judge(s, 1, 0);
	assert_in_range(count_first(s, 400), 299, 301);
	assert_int_equal(s->counters.steered, s->counters.queries);

	apply(s, &gone, 1);
	text = ask(&s->respond);
	assert_memory_equal(text, "NXDOMAIN", 8);
	free(text);
}

struct reader {
	const struct site *site;
	atomic_bool stop;
	atomic_uint bad;
};

static void *
read_on(void *arg)
{
	struct reader *r = arg;
	struct respond_counters counters = { 0 };
	const struct respond respond = {
		.zones = r->site->zones,
		.worker = 1,
		.edns_udp_size = 1232,
		.options = r->site->respond.options,
		.counters = &counters,
	};

	urcu_qsbr_register_thread();
	while (!r->stop) {
		char *text = ask(&respond);

		r->bad += strcmp(text, A1) != 0 && strcmp(text, A2) != 0;
		free(text);
		urcu_qsbr_quiescent_state();
	}
	urcu_qsbr_unregister_thread();
	return NULL;
}

/* Every answer under way is one or the other, whatever is swapped beneath it. */
static void
test_edges_under_queries(void **state)
{
	struct site *s = *state;
	struct reader r = { .site = s };
	pthread_t thread;

	thread_start(&thread, "reader", read_on, &r);
	for (unsigned i = 0; i < 2000; i++) {
		judge(s, i / 2 % 2, i % 2 == 0 ? WORD_DOWN : 0);
		urcu_qsbr_quiescent_state();
	}
	r.stop = true;
	urcu_qsbr_thread_offline();
	thread_join(thread);
	urcu_qsbr_thread_online();
	assert_int_equal(r.bad, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_verdicts_move_the_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_edges_under_queries, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
