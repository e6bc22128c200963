/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What changed from serial to serial, and a zone as of one moment while it changes. */
#include "zone/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include "base/thread.h"
#include "dns/name.h"
#include "dns/rrtype.h"
#include "zone/snapshot.h"

static const uint8_t apex[] = "\001z", host[] = "\001a\001z", other[] = "\001b\001z";

/* An A set of 192.0.2.n for every n in `last`. */
static struct rrset *
addresses(uint32_t ttl_s, const char *last)
{
	uint8_t data[64];
	size_t n = 0;

	for (; *last != '\0'; last++, n += 6)
		memcpy(data + n, (const uint8_t[]){ 0, 4, 192, 0, 2, (uint8_t)(*last - '0') }, 6);
	return rrset_new(RRTYPE_A, ttl_s, data, n);
}

static void
set(struct zone *z, const uint8_t *owner, uint32_t ttl_s, const char *last)
{
	if (zone_history(z) != NULL)
		history_touch(zone_history(z), z, owner, RRTYPE_A);
	if (last[0] == '\0')
		zone_del(z, owner, RRTYPE_A);
	else
		zone_put(z, owner, addresses(ttl_s, last));
}

static void
serial(struct zone *z, uint32_t to)
{
	uint8_t soa[26] = { 0, 24, 0, 0, 0 };

	soa[1] = 22;
	for (int i = 0; i < 4; i++)
		soa[4 + i] = (uint8_t)(to >> (24 - 8 * i));
	if (zone_history(z) != NULL)
		history_touch(zone_history(z), z, apex, RRTYPE_SOA);
	zone_put(z, apex, rrset_new(RRTYPE_SOA, 60, soa, 24));
}

static struct zone *
start(size_t limit)
{
	struct zone *z = zone_new(apex);

	serial(z, 1);
	set(z, host, 60, "123");
	zone_set_history(z, history_new(limit));
	return z;
}

/* "-a60:12 +a60:34 " in the order of owners */
static void
tell(char *out, char sign, const struct history_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t pos = 0;
		const uint8_t *rdata;
		uint16_t len;

		sprintf(out + strlen(out), "%c%c%u:", sign, items[i].owner[1], items[i].set->ttl_s);
		while ((rdata = rrset_next(items[i].set, &pos, &len)) != NULL)
			sprintf(out + strlen(out), "%d", rdata[3]);
		strcat(out, " ");
	}
}

static void
since(struct zone *z, uint32_t from, const char *want)
{
	struct history_step **steps;
	const size_t n = history_since(zone_history(z), from, &steps);
	char got[512] = "";

	for (size_t i = 0; i < n; i++) {
		sprintf(got + strlen(got), "%u>%u ", steps[i]->from, steps[i]->to);
		tell(got, '-', steps[i]->gone, steps[i]->n_gone);
		tell(got, '+', steps[i]->come, steps[i]->n_come);
		assert_int_equal(history_serial(steps[i]->old_soa), steps[i]->from);
		assert_int_equal(history_serial(steps[i]->new_soa), steps[i]->to);
	}
	history_release(steps, n);
	assert_string_equal(got, want);
}

static void
commit(struct zone *z, uint32_t to)
{
	if (to > 0)
		serial(z, to);
	history_commit(zone_history(z), z, NULL);
}

static void
an_empty_one_goes(void **state)
{
	struct zone *z = start(100000);

	(void)state;
	history_drop(zone_history(z));
	zone_free(&z);
}

static void
steps_tell_differences(void **state)
{
	struct zone *z = start(100000);

	(void)state;
	since(z, 1, "");
	set(z, host, 60, "234");
	commit(z, 2);
	set(z, host, 30, "234"); /* another TTL: all of it */
	commit(z, 3);
	set(z, other, 60, "5");
	set(z, other, 60, "6"); /* twice in a set: as before, as after */
	set(z, host, 30, "");
	commit(z, 5);
	since(z, 1, "1>2 -a60:1 +a60:4 2>3 -a60:234 +a30:234 3>5 -a30:234 +b60:6 ");
	since(z, 3, "3>5 -a30:234 +b60:6 ");
	since(z, 4, "");
	since(z, 5, "");
	commit(z, 0); /* nothing touched: nothing happens */
	since(z, 3, "3>5 -a30:234 +b60:6 ");
	zone_free(&z);
}

static bool
hide_a(const struct zone *z, const uint8_t *owner, uint16_t type)
{
	(void)z;
	return type == RRTYPE_A && owner[1] == 'a';
}

static void
what_breaks_the_chain(void **state)
{
	struct zone *z = start(100000);

	(void)state;
	commit(z, 2);
	set(z, host, 60, "1");
	commit(z, 0); /* records without a serial */
	since(z, 1, "");
	commit(z, 0xffffffff); /* 2 is after it (RFC 1982) */
	since(z, 2, "");
	commit(z, 1); /* and 1 as well: over the top */
	since(z, 0xffffffff, "4294967295>1 ");
	history_drop(zone_history(z));
	since(z, 0xffffffff, "");
	set(z, host, 60, "9");
	set(z, other, 60, "9");
	serial(z, 2);
	history_commit(zone_history(z), z, hide_a);
	since(z, 1, "1>2 +b60:9 ");
	zone_free(&z);
}

static void
the_oldest_go_first(void **state)
{
	struct zone *z = start(4000);
	struct history_step **kept;

	(void)state;
	commit(z, 2);
	assert_int_equal(history_since(zone_history(z), 1, &kept), 1);
	for (uint32_t s = 3; s < 200; s++) {
		set(z, host, 60, s % 2 == 0 ? "1" : "2");
		commit(z, s);
	}
	since(z, 1, "");
	since(z, 198, "198>199 -a60:1 +a60:2 ");
	assert_int_equal(kept[0]->to, 2); /* whoever reads it keeps it */
	history_release(kept, 1);
	zone_free(&z);
}

/* -- snapshots -- */

#define ROUNDS 20000

static void *
flip(void *arg)
{
	struct zone *z = arg;

	urcu_qsbr_register_thread();
	for (int i = 0; i < ROUNDS; i++) {
		snapshot_hold(z);
		set(z, host, 60, i % 2 == 0 ? "1" : "2");
		set(z, other, 60, i % 2 == 0 ? "1" : "2");
		snapshot_let_go(z);
		urcu_qsbr_quiescent_state();
	}
	urcu_qsbr_unregister_thread();
	return NULL;
}

struct seen {
	unsigned nodes, sum;
};

static void
forget(void *arg)
{
	memset(arg, 0, sizeof(struct seen));
}

static void
look(const struct zone_node *n, void *arg)
{
	const struct rrset *s = zone_node_find(n, RRTYPE_A);
	struct seen *seen = arg;

	seen->nodes++;
	if (s != NULL)
		seen->sum += s->data[5];
}

static void
halves_are_never_seen(void **state)
{
	struct zone *z = zone_new(apex);
	struct seen seen;
	pthread_t writer;

	(void)state;
	set(z, host, 60, "2");
	set(z, other, 60, "2");
	thread_start(&writer, "flip", flip, z);
	for (int i = 0; i < ROUNDS / 4; i++) {
		snapshot_take(z, forget, look, &seen);
		assert_int_equal(seen.nodes, 3);
		assert_true(seen.sum == 2 || seen.sum == 4);
		urcu_qsbr_quiescent_state();
	}
	urcu_qsbr_thread_offline();
	thread_join(writer);
	urcu_qsbr_thread_online();
	zone_free(&z);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_goes),
		cmocka_unit_test(steps_tell_differences),
		cmocka_unit_test(what_breaks_the_chain),
		cmocka_unit_test(the_oldest_go_first),
		cmocka_unit_test(halves_are_never_seen),
	};
	int failed;

	urcu_qsbr_register_thread();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	urcu_qsbr_thread_offline();
	rcu_barrier();
	urcu_qsbr_thread_online();
	urcu_qsbr_unregister_thread();
	return failed;
}
