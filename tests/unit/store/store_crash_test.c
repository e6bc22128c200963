/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A writer is killed at random moments. It writes each revision into a pipe, the ledger, after
 * store_commit returned. Afterwards the store must hold every revision of the ledger, and every set
 * whole: set n is address "n", pool "n" and RRset "n", so at revision n there are n of each and no
 * number is missing. Every third set also replaces zone y.org whole, by pages; those between change
 * its first name, above the pages.
 */
#include <signal.h>
#include <sys/wait.h>

#include "base/rand.h"
#include "site.h"

#define ROUNDS 50

/* -- the zone that is replaced -- */

static unsigned
replaced_at(unsigned n)
{
	return n - n % 3;
}

static unsigned
names_at(unsigned n)
{
	return 1 + replaced_at(n) * 37 % 2000;
}

static uint8_t
value_at(unsigned n)
{
	return (uint8_t)(1 + n % 251);
}

static void
change_zone(struct site *s, unsigned n)
{
	struct rrpage_book book;

	if (n == 1)
		site_put(s, KIND_ZONE, "y.org", "{}");
	if (n % 3 != 0) {
		site_rrset(s, "y.org", "n000000.y.org", value_at(n));
		return;
	}
	rrpage_init(&book);
	for (unsigned i = 0; i < names_at(n); i++)
		site_book_add(&book, "y.org", i, value_at(n));
	site_replace(s, "y.org", &book);
	rrpage_fini(&book);
}

struct zone_tally {
	unsigned n, names;
};

static int
check_name(const struct change_op *op, void *arg)
{
	struct zone_tally *t = arg;
	const uint8_t value = op->rdata[op->rdata_len - 1];

	assert_int_equal(value, t->names == 0 ? value_at(t->n) : value_at(replaced_at(t->n)));
	t->names++;
	return 0;
}

static void
check_zone(struct site *s, unsigned n)
{
	struct zone_tally t = { n, 0 };

	assert_int_equal(store_zone_rrsets(s->store, "y.org", check_name, &t), 0);
	assert_int_equal(t.names, n == 0 ? 0 : n < 3 ? 1 : names_at(n));
}

static void
commit_number(struct site *s, unsigned n)
{
	char name[32], owner[64];

	snprintf(name, sizeof(name), "%u", n);
	snprintf(owner, sizeof(owner), "%u.x.org", n);
	if (n == 1)
		site_put(s, KIND_ZONE, "x.org", "{}");
	site_put(s, KIND_ADDRESS, name, "{}");
	site_put(s, KIND_POOL, name, "{}");
	site_rrset(s, "x.org", owner, 1);
	change_zone(s, n);
	if (store_commit(s->store, &s->set, &s->diag) < 0)
		_exit(1);
}

static void
write_until_killed(struct site *s, int ledger)
{
	if (store_open(s->dir, &s->store, &s->diag) < 0)
		_exit(1);
	for (uint64_t revision = store_revision(s->store);;) {
		if (write(ledger, &revision, sizeof(revision)) != sizeof(revision))
			_exit(1);
		revision++;

		commit_number(s, (unsigned)revision);
		if (s->set.revision != revision)
			_exit(1);
		site_forget(s);
	}
}

/*
 * Its first entry says that the store is open, and starts the clock; every fifth writer is not
 * waited for, so that some die while opening. Returns the newest acknowledged revision, or
 * `before`.
 */
static uint64_t
kill_a_writer(struct site *s, struct rand_state *r, uint64_t before)
{
	uint64_t newest = before, revision;
	int ledger[2], status;

	assert_int_equal(pipe(ledger), 0);
	const pid_t pid = fork();

	if (pid == 0) {
		close(ledger[0]);
		write_until_killed(s, ledger[1]);
	}
	close(ledger[1]);
	/* After so many commits, however slow the machine, and then somewhere inside the next. */
	for (uint64_t n = rand_below(r, 10); n > 0; n--)
		assert_int_equal(read(ledger[0], &newest, sizeof(newest)), sizeof(newest));
	usleep((useconds_t)rand_below(r, 3000));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status)); /* it did not fail by itself */
	while (read(ledger[0], &revision, sizeof(revision)) == sizeof(revision))
		newest = revision;
	close(ledger[0]);
	return newest;
}

struct tally {
	uint64_t addresses, pools, rrsets;
};

static int
count(const struct change_op *op, void *arg)
{
	struct tally *t = arg;

	if (op->op == CHANGE_RRSET_PUT && strcmp(op->name, "x.org") == 0) {
		t->rrsets++;
	} else if (op->op != CHANGE_PUT) {
		return 0; /* y.org's */
	} else if (op->kind == KIND_ADDRESS) {
		t->addresses++;
		assert_int_equal(strtoul(op->name, NULL, 10), op->revision);
	} else if (op->kind == KIND_POOL) {
		t->pools++;
	}
	return 0;
}

static uint64_t
check_state(struct site *s, uint64_t acknowledged)
{
	struct tally t = { 0 };
	uint64_t revision;

	site_open(s);
	assert_int_equal(store_load(s->store, count, &t, &revision), 0);
	assert_true(revision >= acknowledged);
	assert_true(revision <= acknowledged + 1); /* one may have been cut off before its entry */
	assert_int_equal(t.addresses, revision);
	assert_int_equal(t.pools, revision);
	assert_int_equal(t.rrsets, revision);
	check_zone(s, (unsigned)revision);
	store_close(&s->store);
	return revision;
}

static void
nothing_acknowledged_is_lost(void **state)
{
	struct site *s = *state;
	struct rand_state r;
	uint64_t revision = 0, acknowledged = 0;

	rand_seed(&r, 20261122);
	store_close(&s->store);
	for (int i = 0; i < ROUNDS; i++) {
		const uint64_t newest = kill_a_writer(s, &r, revision);

		acknowledged += newest - revision;
		revision = check_state(s, newest);
	}
	print_message("%d kills, %d acknowledged commits\n", ROUNDS, (int)acknowledged);
	assert_true(acknowledged > ROUNDS);
	site_open(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    nothing_acknowledged_is_lost, site_start, site_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
