/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Zones on two levels: pages and the rows above them. The oracle is an array: what number n's
 * address ends with, 0 if the zone has no such name.
 */
#include "store/sqlite/levels.h"

#include <errno.h>

#include "base/rand.h"
#include "site.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/sql.h"

#define ZONE  "x.org"
#define NAMES 4000

struct truth {
	uint8_t last[NAMES];
};

static int64_t
number(struct site *s, const char *text)
{
	int rc;
	const int64_t n = sql_number(s->store->reader, text, &rc);

	assert_int_equal(rc, SQLITE_OK);
	return n;
}

static unsigned
number_of(const uint8_t *owner)
{
	char text[NAME_TEXT_SIZE];
	unsigned n;

	assert_int_equal(sscanf(name_text(owner, text), "n%u." ZONE, &n), 1);
	assert_true(n < NAMES);
	return n;
}

/* -- what the store says, as a truth -- */

static int
read_set(const struct change_op *op, void *arg)
{
	struct truth *t = arg;
	const unsigned n = number_of(op->owner);

	assert_int_equal(op->op, CHANGE_RRSET_PUT);
	assert_int_equal(t->last[n], 0); /* once */
	t->last[n] = op->rdata[op->rdata_len - 1];
	return 0;
}

/* As a follower applies it. */
static int
follow(const struct change_op *op, void *arg)
{
	struct truth *t = arg;
	struct rrpage_reader r;
	struct rrpage_set set;
	uint8_t apex[NAME_MAX_LEN];

	if (op->op == CHANGE_ZONE_CLEAR)
		memset(t, 0, sizeof(*t));
	else if (op->op == CHANGE_RRSET_PUT)
		t->last[number_of(op->owner)] = op->rdata[op->rdata_len - 1];
	else if (op->op == CHANGE_RRSET_DELETE)
		t->last[number_of(op->owner)] = 0;
	else if (op->op == CHANGE_ZONE_PAGE) {
		assert_true(name_parse_lower(op->name, apex) > 0);
		rrpage_open(&r, apex, op->rdata, op->rdata_len);
		while (rrpage_next(&r, &set))
			t->last[number_of(set.owner)] = set.rdata[set.rdata_len - 1];
		assert_false(r.bad);
	}
	return 0;
}

static void
is_true(struct site *s, const struct truth *truth)
{
	struct truth walked = { { 0 } }, loaded = { { 0 } };

	assert_int_equal(store_zone_rrsets(s->store, ZONE, read_set, &walked), 0);
	assert_memory_equal(&walked, truth, sizeof(*truth));
	assert_int_equal(store_load(s->store, follow, &loaded, NULL), 0);
	assert_memory_equal(&loaded, truth, sizeof(*truth));
}

static void
is_found(struct site *s, const struct truth *truth, unsigned n)
{
	struct truth found = { { 0 } };
	uint8_t owner[NAME_MAX_LEN];
	char text[64];
	int rc;

	snprintf(text, sizeof(text), "n%06u." ZONE, n);
	assert_true(name_parse_lower(text, owner) > 0);
	rc = store_rrset_find(s->store, ZONE, owner, 1, read_set, &found);
	assert_int_equal(rc, truth->last[n] != 0 ? 0 : -ENOENT);
	assert_int_equal(found.last[n], truth->last[n]);
	assert_int_equal(store_rrset_find(s->store, ZONE, owner, 28, read_set, &found), -ENOENT);
	memset(&found, 0, sizeof(found));
	assert_int_equal(store_owner_rrsets(s->store, ZONE, owner, read_set, &found), 0);
	assert_int_equal(found.last[n], truth->last[n]);
}

/* -- changing both -- */

static void
change(struct site *s, struct truth *t, unsigned n, uint8_t last)
{
	char text[64];

	snprintf(text, sizeof(text), "n%06u." ZONE, n);
	if (last != 0)
		site_rrset(s, ZONE, text, last);
	else
		site_rrset_delete(s, ZONE, text);
	t->last[n] = last;
}

/* Every `stride`th number. */
static void
replace(struct site *s, struct truth *t, unsigned stride, uint8_t last)
{
	struct rrpage_book book;

	rrpage_init(&book);
	memset(t, 0, sizeof(*t));
	for (unsigned n = 0; n < NAMES; n += stride) {
		site_book_add(&book, ZONE, n, last);
		t->last[n] = last;
	}
	site_replace(s, ZONE, &book);
	rrpage_fini(&book);
}

static void
begin(struct site *s, struct truth *t, unsigned stride)
{
	site_put(s, KIND_ZONE, ZONE, "{}");
	replace(s, t, stride, 1);
	site_commit(s);
}

static void
pages_hold_the_zone(void **state)
{
	struct site *s = *state;
	struct truth t;

	begin(s, &t, 1);
	assert_int_equal(number(s, "SELECT count(*) FROM rrset"), 0);
	assert_true(number(s, "SELECT count(*) FROM page") > 3);
	is_true(s, &t);
	for (unsigned n = 0; n < NAMES; n += 37)
		is_found(s, &t, n);
	site_reopen(s);
	is_true(s, &t);
	replace(s, &t, 3, 2);
	site_commit(s);
	is_true(s, &t);
	site_delete(s, KIND_ZONE, ZONE);
	site_commit(s);
	assert_int_equal(number(s, "SELECT count(*) FROM page"), 0);
}

/* Rows stand before pages; what is gone leaves a row only where a page has it. */
static void
rows_stand_before_pages(void **state)
{
	struct site *s = *state;
	struct truth t;

	begin(s, &t, 2);
	change(s, &t, 2, 7);
	change(s, &t, 3, 8);
	change(s, &t, 4, 0);
	site_commit(s);
	is_true(s, &t);
	for (unsigned n = 0; n < 6; n++)
		is_found(s, &t, n);
	assert_int_equal(number(s, "SELECT count(*) FROM rrset"), 3);
	change(s, &t, 2, 0);
	change(s, &t, 3, 0);
	change(s, &t, 4, 0);
	change(s, &t, 5, 0);
	site_commit(s);
	is_true(s, &t);
	assert_int_equal(number(s, "SELECT count(*) FROM rrset"), 2); /* 2 and 4 are gone */
	change(s, &t, 4, 9);
	site_commit(s);
	is_true(s, &t);
	is_found(s, &t, 4);
}

/* However long changes go on, rows do not pile up; a follower sees what is so. */
static void
rows_are_folded(void **state)
{
	struct site *s = *state;
	struct truth t, follower = { { 0 } };
	struct rand_state r;
	uint64_t since = 0;

	rand_seed(&r, 20261125);
	begin(s, &t, 2);
	for (int round = 0; round < 60; round++) {
		for (int i = 0; i < 20; i++) {
			for (int k = 0; k < 20; k++)
				change(s, &t, (unsigned)rand_below(&r, NAMES),
				    rand_below(&r, 3) == 0 ? 0
							   : (uint8_t)(1 + rand_below(&r, 250)));
			site_commit(s);
		}
		if (round == 19 || round == 39) {
			replace(s, &t, 1 + (unsigned)rand_below(&r, 4), 5);
			site_commit(s);
		}
		is_true(s, &t);
		is_found(s, &t, (unsigned)rand_below(&r, NAMES));
		if (round % 3 == 0) {
			assert_int_equal(
			    store_changes_since(s->store, since, follow, &follower, &since), 0);
			assert_memory_equal(&follower, &t, sizeof(t));
		}
	}

	const int64_t pages = number(s, "SELECT count(*) FROM page");

	print_message(
	    "%d rows above %d pages\n", (int)number(s, "SELECT count(*) FROM rrset"), (int)pages);
	assert_true(number(s, "SELECT count(*) FROM rrset") < 700 * pages);
	site_reopen(s);
	is_true(s, &t);
}

/* A zone that begins with one name, and grows one by one before, in and behind its page. */
static void
a_page_is_split(void **state)
{
	struct site *s = *state;
	struct truth t;

	site_put(s, KIND_ZONE, ZONE, "{}");
	replace(s, &t, NAMES, 1);
	for (unsigned i = 0; i < NAMES; i++) {
		change(s, &t, i * 1999u % NAMES, 3);
		if (i % 10 == 0)
			site_commit(s);
	}
	site_commit(s);
	is_true(s, &t);
	assert_true(number(s, "SELECT count(*) FROM page") > 3);
	assert_true(number(s, "SELECT count(*) FROM rrset") < NAMES);
	for (unsigned n = 0; n < NAMES; n++) {
		change(s, &t, n, 0);
		if (n % 10 == 0)
			site_commit(s);
	}
	site_commit(s);
	is_true(s, &t);
	for (unsigned n = 0; n < NAMES; n += 101)
		is_found(s, &t, n);
}

/* -- refused -- */

static void
refused(struct site *s)
{
	assert_int_equal(store_commit(s->store, &s->set, &s->diag), -EINVAL);
	assert_int_equal(s->diag.code, DIAG_INTERNAL);
	assert_string_equal(s->diag.first->detail, "a page of zone '" ZONE "' is out of order");
	diag_fini(&s->diag);
	site_forget(s);
}

static void
add_page(struct site *s, const void *data, size_t len)
{
	change_add_copy(&s->set,
	    &(struct change_op){
		.op = CHANGE_ZONE_PAGE, .name = ZONE, .rdata = data, .rdata_len = (uint32_t)len });
}

static void
disorder_is_refused(void **state)
{
	struct site *s = *state;
	struct truth t;
	struct rrpage_book book;

	begin(s, &t, 1);
	rrpage_init(&book);
	site_book_add(&book, ZONE, 1, 1);
	site_book_add(&book, ZONE, 2, 1);

	const struct rrpage page = rrpage_at(&book, 0);

	add_page(s, page.data, page.len); /* of a zone that is not cleared */
	refused(s);
	site_clear(s, ZONE);
	add_page(s, page.data, page.len);
	add_page(s, page.data, page.len); /* the same owners again */
	refused(s);
	site_clear(s, ZONE);
	site_rrset(s, ZONE, "n000007." ZONE, 7);
	add_page(s, page.data, page.len); /* after an RRset */
	refused(s);
	site_clear(s, ZONE);
	add_page(s, page.data, page.len - 1); /* torn */
	refused(s);
	site_clear(s, ZONE);
	add_page(s, "\1\0\0\0\0", 5); /* empty */
	refused(s);
	site_book_add(&book, ZONE, 0, 1); /* owners in disorder */

	const struct rrpage wrong = rrpage_at(&book, 0);

	site_clear(s, ZONE);
	add_page(s, wrong.data, wrong.len);
	refused(s);
	rrpage_fini(&book);
	is_true(s, &t); /* nothing of it happened */
}

/* -- from before there were pages -- */

static void
an_older_store_goes_on(void **state)
{
	struct site *s = *state;
	struct truth t = { { 0 } };
	char path[128], command[192];
	sqlite3 *db;

	store_close(&s->store);
	snprintf(path, sizeof(path), "%s/gtm.db", s->dir);
	snprintf(command, sizeof(command), "rm -f '%s'*", path);
	assert_int_equal(system(command), 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(migrate_run(db, path, migrate_steps, 1, &s->diag), 0);
	assert_int_equal(
	    sqlite3_exec(db,
		"INSERT INTO object VALUES (1, 'zone', '" ZONE "', 'id', 1, 1, 1, '{}');"
		"INSERT INTO rrset VALUES (1, x'076e3030303030350178036f726700', 1, 300, "
		"x'0004c0000209');"
		"UPDATE meta SET value = 1 WHERE key = 'revision'",
		NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	site_open(s);
	t.last[5] = 9;
	is_true(s, &t);
	is_found(s, &t, 5);
	change(s, &t, 6, 4);
	change(s, &t, 5, 0);
	site_commit(s);
	is_true(s, &t);
	replace(s, &t, 2, 3);
	site_commit(s);
	change(s, &t, 5, 6);
	site_commit(s);
	is_true(s, &t);
	is_found(s, &t, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pages_hold_the_zone, site_start, site_stop),
		cmocka_unit_test_setup_teardown(rows_stand_before_pages, site_start, site_stop),
		cmocka_unit_test_setup_teardown(rows_are_folded, site_start, site_stop),
		cmocka_unit_test_setup_teardown(a_page_is_split, site_start, site_stop),
		cmocka_unit_test_setup_teardown(disorder_is_refused, site_start, site_stop),
		cmocka_unit_test_setup_teardown(an_older_store_goes_on, site_start, site_stop),
	};

	return cmocka_run_group_tests_name("levels", tests, NULL, NULL);
}
