/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/sqlite/migrate.h"

#include <errno.h>

#include "site.h"
#include "store/sqlite/sql.h"

static const char *const steps[] = {
	("PRAGMA application_id = 0x47544d31; CREATE TABLE meta (key TEXT, value ANY);"
	 "INSERT INTO meta VALUES ('lineage', 'abc')"),
	"CREATE TABLE two (n INTEGER); INSERT INTO two VALUES (22)",
	"CREATE TABLE three (n INTEGER); INSERT INTO missing VALUES (1)",
};

struct bench {
	char dir[64], path[128], backup[160];
	sqlite3 *db;
	struct diag diag;
};

static int
start(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));

	strcpy(b->dir, "/tmp/gtm-migrate-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/gtm.db", b->dir);
	snprintf(b->backup, sizeof(b->backup), "%s.v1.bak", b->path);
	assert_int_equal(sqlite3_open(b->path, &b->db), SQLITE_OK);
	diag_init(&b->diag);
	*state = b;
	return 0;
}

static int
stop(void **state)
{
	struct bench *b = *state;
	char command[128];

	sqlite3_close(b->db);
	diag_fini(&b->diag);
	snprintf(command, sizeof(command), "rm -rf '%s'", b->dir);
	assert_int_equal(system(command), 0);
	free(b);
	return 0;
}

static int64_t
number(sqlite3 *db, const char *text)
{
	int rc;
	const int64_t n = sql_number(db, text, &rc);

	return rc == SQLITE_OK ? n : -1;
}

static void
from_nothing(void **state)
{
	struct bench *b = *state;

	assert_int_equal(migrate_run(b->db, b->path, steps, 2, &b->diag), 0);
	assert_int_equal(number(b->db, "PRAGMA user_version"), 2);
	assert_int_equal(number(b->db, "SELECT n FROM two"), 22);
	assert_int_equal(access(b->backup, F_OK), -1);
	assert_int_equal(migrate_run(b->db, b->path, steps, 2, &b->diag), 0); /* no step twice */
	assert_int_equal(number(b->db, "SELECT count(*) FROM two"), 1);
}

static void
from_older_with_a_backup(void **state)
{
	struct bench *b = *state;
	sqlite3 *copy;

	assert_int_equal(migrate_run(b->db, b->path, steps, 1, &b->diag), 0);
	assert_int_equal(migrate_run(b->db, b->path, steps, 2, &b->diag), 0);
	assert_int_equal(number(b->db, "SELECT n FROM two"), 22);
	assert_int_equal(sqlite3_open(b->backup, &copy), SQLITE_OK);
	assert_int_equal(number(copy, "PRAGMA user_version"), 1);
	assert_int_equal(number(copy, "SELECT count(*) FROM meta WHERE value = ''"), 1);
	assert_int_equal(number(copy, "SELECT n FROM two"), -1);
	sqlite3_close(copy);
}

static void
a_failing_step_leaves_the_one_before(void **state)
{
	struct bench *b = *state;

	assert_int_equal(migrate_run(b->db, b->path, steps, 3, &b->diag), -EINVAL);
	assert_int_equal(b->diag.count, 1);
	assert_int_equal(number(b->db, "PRAGMA user_version"), 2);
	assert_int_equal(number(b->db, "SELECT n FROM two"), 22);
	assert_int_equal(number(b->db, "SELECT count(*) FROM three"), -1);
}

static void
from_newer(void **state)
{
	struct bench *b = *state;

	assert_int_equal(migrate_run(b->db, b->path, steps, 2, &b->diag), 0);
	assert_int_equal(migrate_run(b->db, b->path, steps, 1, &b->diag), -EINVAL);
	assert_string_equal(b->diag.first->where, b->path);
	assert_string_equal(b->diag.first->detail,
	    "database is of version 2, this gtmd knows up to 1; "
	    "run the newer gtmd or restore a backup made before the upgrade");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(from_nothing, start, stop),
		cmocka_unit_test_setup_teardown(from_older_with_a_backup, start, stop),
		cmocka_unit_test_setup_teardown(a_failing_step_leaves_the_one_before, start, stop),
		cmocka_unit_test_setup_teardown(from_newer, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
