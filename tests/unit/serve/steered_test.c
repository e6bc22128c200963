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

#include "base/rand.h"
#include "base/thread.h"
#include "dns/name.h"
#include "dns/query.h"
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
status(void *arg, enum kind kind, const char *name, const char *what)
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
		    "\"port\":80}],\"damping\":{\"transitions\":0}}" },
		{ KIND_ADDRESS, "a2",
		    "{\"type\":\"ipv4\",\"value\":\"192.0.2.2\",\"checks\":[{\"template\":\"t\","
		    "\"port\":80}],\"damping\":{\"transitions\":0}}" },
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

/* -- the short way and the long way -- */

#define POOLS                                                                                      \
	"\"pools\":[{\"pool\":\"p\",\"weight\":2},{\"pool\":\"q\",\"weight\":3},{\"pool\":\"r\","  \
	"\"lines\":[\"office\"]}]"
#define DOMAIN(name, more)                                                                         \
	{                                                                                          \
		KIND_DOMAIN, name ".x.org/A", "{\"ttl\":60,\"enabled\":true," more "}"             \
	}

/* All ways to choose, and what is not for the short way: names, fallbacks, balance. */
static const struct op ways[] = {
	{ KIND_LINE, "office", "{\"cidrs\":[\"198.51.0.0/17\",\"2001:db8::/33\"]}" },
	{ KIND_ADDRESS, "a3", "{\"type\":\"ipv4\",\"value\":\"192.0.2.3\"}" },
	{ KIND_ADDRESS, "n1", "{\"type\":\"domain\",\"value\":\"host.elsewhere.net\"}" },
	{ KIND_POOL, "q",
	    "{\"type\":\"ipv4\",\"strategy\":\"hash\",\"addresses\":[{\"address\":\"a1\"},"
	    "{\"address\":\"a3\"}]}" },
	{ KIND_POOL, "r",
	    "{\"type\":\"ipv4\",\"strategy\":\"round_robin\",\"addresses\":[{\"address\":\"a1\"},"
	    "{\"address\":\"a2\"},{\"address\":\"a3\"}]}" },
	{ KIND_POOL, "n", "{\"type\":\"domain\",\"addresses\":[{\"address\":\"n1\"}]}" },
	DOMAIN("weight", "\"strategy\":\"weight\"," POOLS),
	DOMAIN("sequence", "\"strategy\":\"sequence\"," POOLS),
	DOMAIN("hash", "\"strategy\":\"hash\"," POOLS),
	DOMAIN("near", "\"strategy\":\"source_nearest\"," POOLS),
	DOMAIN("all", "\"strategy\":\"round_robin\"," POOLS),
	DOMAIN("two", "\"strategy\":\"weight\",\"max_answers\":2," POOLS),
	DOMAIN("blind", "\"strategy\":\"source_nearest\",\"ecs\":false," POOLS),
	DOMAIN("names", "\"strategy\":\"weight\",\"pools\":[{\"pool\":\"p\"},{\"pool\":\"n\"}]"),
	DOMAIN("name", "\"pools\":[{\"pool\":\"n\"}]"),
	DOMAIN("traffic", "\"strategy\":\"weight\",\"balance\":\"traffic\"," POOLS),
	DOMAIN("one", "\"pools\":[{\"pool\":\"q\"}],\"strategy\":\"weight\""),
};

static size_t
random_query(struct rand_state *dice, uint8_t *out)
{
	static const char *const names[] = { "weight", "sequence", "hash", "near", "all", "two",
		"blind", "names", "name", "traffic", "one", "www", "absent" };
	char name[32];
	const bool v6 = rand_below(dice, 2) != 0;
	const uint8_t source = (uint8_t)rand_below(dice, v6 ? 65 : 33),
		      octets = (uint8_t)((source + 7) / 8);
	size_t len;

	snprintf(name, sizeof(name), "%s.x.org", names[rand_below(dice, ARRAY_LEN(names))]);
	len = wire_query(out, 1, name, rand_below(dice, 8) == 0 ? RRTYPE_AAAA : RRTYPE_A,
	    (struct wire_edns){ .size = rand_below(dice, 2) ? 1232 : 0 });
	if (out[11] == 0 || rand_below(dice, 4) == 0)
		return len;
	out[len - 1] = (uint8_t)(8 + octets);
	memcpy(
	    out + len, (uint8_t[]){ 0, 8, 0, (uint8_t)(4 + octets), 0, v6 ? 2 : 1, source, 0 }, 8);
	len += 8;
	for (unsigned i = 0; i < octets; i++) {
		static const uint8_t near_v4[] = { 198, 51 }, near_v6[] = { 0x20, 1, 0xd, 0xb8 };
		uint8_t v = (uint8_t)rand_below(dice, 256);

		if (!v6 && i < 2)
			v = near_v4[i];
		if (v6 && i < 4)
			v = near_v6[i];
		out[len++] =
		    i + 1 == octets && source % 8 != 0 ? (uint8_t)(v & 0xff00 >> source % 8) : v;
	}
	return len;
}

/* Two sites alike: one is asked the short way first, as the server does, the other only the long
 * way. So what is drawn must be the same, too. */
static void
test_short_way(void **state)
{
	struct site *s = *state, *t;
	struct rand_state dice;
	struct addr peer;
	unsigned hot = 0;

	urcu_qsbr_unregister_thread(); /* set_up comes in again */
	assert_int_equal(set_up((void **)&t), 0);
	apply(s, ways, ARRAY_LEN(ways));
	apply(t, ways, ARRAY_LEN(ways));
	rand_seed(&dice, 3);
	assert_int_equal(addr_parse(&peer, "198.51.3.7:5300", 0), 0);
	for (unsigned i = 0; i < 60000; i++) {
		const struct respond_client from = { .peer = &peer, .now_ms = 1 };
		uint8_t in[600], a[1232], b[1232];
		const size_t len = random_query(&dice, in);
		size_t n = respond_hot(&s->respond, &from, in, len, a, sizeof(a));

		hot += n > 0;
		if (n == 0)
			n = respond_any(&s->respond, &from, in, len, a, sizeof(a));
		assert_int_equal(respond_any(&t->respond, &from, in, len, b, sizeof(b)), n);
		assert_memory_equal(a, b, n);
		if (i % 1000 == 0) {
			judge(s, i / 1000 % 2, i % 3000 == 0 ? WORD_DOWN : 0);
			judge(t, i / 1000 % 2, i % 3000 == 0 ? WORD_DOWN : 0);
		}
	}
	assert_memory_equal(&s->counters, &t->counters, sizeof(s->counters));
	assert_true(hot > 30000);
	tear_down((void **)&t);
	urcu_qsbr_register_thread(); /* tear_down has left for both */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_verdicts_move_the_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_edges_under_queries, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_short_way, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
