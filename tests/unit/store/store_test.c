/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "site.h"
#include "store/sqlite/sql.h"

/* -- objects and RRsets -- */

static int
check_object(const struct change_op *op, void *arg)
{
	int *seen = arg;
	char id[16];

	snprintf(id, sizeof(id), "%d-p", KIND_POOL);
	assert_int_equal(op->op, CHANGE_PUT);
	assert_int_equal(op->kind, KIND_POOL);
	assert_string_equal(op->name, "p");
	assert_string_equal(op->id, id);
	assert_string_equal(op->spec, "{\"a\":2}");
	assert_int_equal(op->revision, 2);
	assert_int_equal(op->created_ms, 1000);
	assert_int_equal(op->updated_ms, 2000);
	++*seen;
	return 0;
}

static void
objects_come_back(void **state)
{
	struct site *s = *state;
	int seen = 0;

	assert_int_equal(store_revision(s->store), 0);
	site_put(s, KIND_POOL, "p", "{\"a\":1}");
	assert_int_equal(site_commit(s), 1);
	site_put(s, KIND_POOL, "p", "{\"a\":2}");
	assert_int_equal(store_commit(s->store, &s->set, &s->diag), 0);
	assert_int_equal(s->set.ops[0].revision, 2);
	site_reopen(s);
	assert_int_equal(store_revision(s->store), 2);
	assert_int_equal(store_load(s->store, check_object, &seen, NULL), 0);
	assert_int_equal(seen, 1);
}

static void
load_is_in_dependency_order(void **state)
{
	struct site *s = *state;

	site_put(s, KIND_DOMAIN, "www.x.org/A", "{}");
	site_put(s, KIND_POOL, "q", "{}");
	site_put(s, KIND_POOL, "p", "{}");
	site_put(s, KIND_ZONE, "x.org", "{}");
	site_rrset(s, "x.org", "www.x.org", 1);
	site_rrset(s, "x.org", "x.org", 2);
	site_put(s, KIND_TEMPLATE, "t", "{}");
	site_put(s, KIND_ADDRESS, "a", "{}");
	site_commit(s);
	site_holds(s, "put zone x.org;put template t;put address a;put pool q;put pool p;"
		      "put domain www.x.org/A;rrset x.org 2;rrset www.x.org 1;");
}

static void
zones_take_their_rrsets_along(void **state)
{
	struct site *s = *state;

	site_put(s, KIND_ZONE, "x.org", "{}");
	site_put(s, KIND_ZONE, "y.org", "{}");
	site_rrset(s, "x.org", "a.x.org", 1);
	site_rrset(s, "y.org", "a.y.org", 2);
	site_commit(s);
	site_delete(s, KIND_ZONE, "x.org");
	site_commit(s);
	site_holds(s, "put zone y.org;rrset a.y.org 2;");
}

static void
one_zone_and_one_rrset(void **state)
{
	struct site *s = *state;
	char told[4096] = "";
	uint8_t owner[NAME_MAX_LEN];

	site_put(s, KIND_ZONE, "x.org", "{}");
	site_rrset(s, "x.org", "a.x.org", 1);
	site_rrset(s, "x.org", "b.x.org", 2);
	site_rrset(s, "x.org", "a.x.org", 3); /* replaces */
	site_commit(s);
	assert_int_equal(store_zone_rrsets(s->store, "x.org", site_tell, told), 0);
	assert_string_equal(told, "rrset a.x.org 3;rrset b.x.org 2;");
	told[0] = '\0';
	assert_int_equal(store_zone_rrsets(s->store, "no.org", site_tell, told), 0);
	assert_string_equal(told, "");
	assert_true(name_parse_lower("b.x.org", owner) > 0);
	assert_int_equal(store_rrset_find(s->store, "x.org", owner, 1, site_tell, told), 0);
	assert_string_equal(told, "rrset b.x.org 2;");
	assert_int_equal(store_rrset_find(s->store, "x.org", owner, 28, site_tell, told), -ENOENT);
	told[0] = '\0';
	assert_int_equal(store_owner_rrsets(s->store, "x.org", owner, site_tell, told), 0);
	assert_string_equal(told, "rrset b.x.org 2;");
	assert_int_equal(store_owner_rrsets(s->store, "no.org", owner, site_tell, told), 0);
	assert_string_equal(told, "rrset b.x.org 2;");
}

static void
refused(struct site *s, enum diag_code code, const char *detail)
{
	const uint64_t before = store_revision(s->store);

	assert_int_equal(store_commit(s->store, &s->set, &s->diag), -EINVAL);
	assert_int_equal(s->diag.code, code);
	if (detail != NULL)
		assert_string_equal(s->diag.first->detail, detail);
	assert_int_equal(store_revision(s->store), before);
	diag_fini(&s->diag);
	site_forget(s);
}

static void
all_or_nothing(void **state)
{
	struct site *s = *state;

	site_put(s, KIND_POOL, "p", "{}");
	site_rrset(s, "x.org", "a.x.org", 1);
	refused(s, DIAG_NOT_FOUND, "no zone named 'x.org' exists");
	site_put(s, KIND_POOL, "p", "{}");
	site_delete(s, KIND_POOL, "q");
	refused(s, DIAG_NOT_FOUND, "no pool named 'q' exists");
	site_put(s, KIND_POOL, "p", "{}");
	site_put(s, KIND_POOL, "q", "{not JSON");
	refused(s, DIAG_INTERNAL, NULL);
	site_holds(s, "");
	site_changed(s, 0, "");
	site_put(s, KIND_POOL, "p", "{}"); /* and nothing is stuck */
	assert_int_equal(site_commit(s), 1);
	site_holds(s, "put pool p;");
}

/* -- changes -- */

static void
changes_are_current_states(void **state)
{
	struct site *s = *state;

	site_put(s, KIND_POOL, "p", "{}");
	site_put(s, KIND_POOL, "q", "{}");
	site_put(s, KIND_ADDRESS, "a", "{}");
	site_commit(s);
	site_put(s, KIND_POOL, "p", "{\"n\":1}");
	site_commit(s);
	site_put(s, KIND_POOL, "p", "{\"n\":2}");
	site_put(s, KIND_ADDRESS, "b", "{}");
	site_delete(s, KIND_POOL, "q");
	site_delete(s, KIND_ADDRESS, "a");
	site_commit(s);
	site_changed(s, 3, "");
	site_changed(s, 1, "put address b;put pool p;delete pool q;delete address a;");
	assert_int_equal(store_changes_since(s->store, 4, site_tell, NULL, NULL), -ESTALE);
}

static void
changes_of_rrsets(void **state)
{
	struct site *s = *state;

	site_put(s, KIND_ZONE, "x.org", "{}");
	site_rrset(s, "x.org", "a.x.org", 1);
	site_rrset(s, "x.org", "b.x.org", 2);
	site_commit(s);
	site_rrset(s, "x.org", "a.x.org", 3);
	site_rrset_delete(s, "x.org", "b.x.org");
	site_commit(s);
	site_changed(s, 1, "rrset a.x.org 3;gone b.x.org;");
	site_changed(s, 0, "put zone x.org;rrset a.x.org 3;gone b.x.org;");

	site_clear(s, "x.org");
	site_rrset(s, "x.org", "c.x.org", 4);
	site_commit(s);
	site_rrset(s, "x.org", "d.x.org", 5);
	site_commit(s);
	site_holds(s, "put zone x.org;rrset c.x.org 4;rrset d.x.org 5;");
	site_changed(s, 3, "rrset d.x.org 5;");
	site_changed(s, 2, "clear x.org;rrset c.x.org 4;rrset d.x.org 5;");
	site_changed(s, 1, "clear x.org;rrset c.x.org 4;rrset d.x.org 5;");
}

/* A follower may still have RRsets of the zone's former life. */
static void
a_zone_made_again_is_taken_anew(void **state)
{
	struct site *s = *state;

	site_put(s, KIND_ZONE, "x.org", "{}");
	site_rrset(s, "x.org", "old.x.org", 1);
	site_commit(s);
	site_delete(s, KIND_ZONE, "x.org");
	site_put(s, KIND_ZONE, "x.org", "{}");
	site_rrset(s, "x.org", "new.x.org", 2);
	site_commit(s);
	site_changed(s, 1, "put zone x.org;clear x.org;rrset new.x.org 2;");
	site_delete(s, KIND_ZONE, "x.org");
	site_commit(s);
	site_changed(s, 1, "delete zone x.org;");
}

static int
stop_at_once(const struct change_op *op, void *arg)
{
	(void)op;
	(void)arg;
	return 42;
}

static int
read_again(const struct change_op *op, void *arg)
{
	char told[4096] = "";

	(void)op;
	assert_int_equal(store_load(arg, site_tell, told, NULL), 0);
	assert_string_equal(told, "put pool p;put pool q;");
	return 0;
}

static void
walks_stop_and_nest(void **state)
{
	struct site *s = *state;

	site_put(s, KIND_POOL, "p", "{}");
	site_put(s, KIND_POOL, "q", "{}");
	site_commit(s);
	assert_int_equal(store_load(s->store, stop_at_once, NULL, NULL), 42);
	assert_int_equal(store_load(s->store, read_again, s->store, NULL), 0);
}

/* -- audit -- */

static int
first_entry(const struct store_audit_entry *e, void *arg)
{
	char *out = arg;

	assert_true(e->at_ms > 0);
	sprintf(
	    out + strlen(out), "%d %s %s\n%s", (int)e->revision, e->author, e->summary, e->diff);
	return 0;
}

static void
audit(void **state)
{
	struct site *s = *state;
	char told[4096] = "";

	site_put(s, KIND_POOL, "p", "{\"n\":1,\"l\":[1,2],\"gone\":true,\"s\":{\"x\":1}}");
	s->set.author = "cli";
	s->set.summary = "put pool 'p'";
	site_commit(s);
	site_put(s, KIND_POOL, "p", "{\"n\":1,\"l\":[1,3],\"s\":{\"x\":2},\"new\":null}");
	site_put(s, KIND_ZONE, "x.org", "{}");
	site_rrset(s, "x.org", "a.x.org", 1);
	site_commit(s);
	site_delete(s, KIND_POOL, "p");
	site_commit(s);
	assert_int_equal(store_audit(s->store, 3, 10, first_entry, told), 0);
	assert_string_equal(told, "2  \n"
				  "~ pool p\n"
				  "    l[1]: 2 -> 3\n"
				  "    gone: true -> absent\n"
				  "    s.x: 1 -> 2\n"
				  "    new: absent -> null\n"
				  "+ zone x.org {}\n"
				  "+ rrset a.x.org A ttl 300 in zone x.org\n"
				  "1 cli put pool 'p'\n"
				  "+ pool p {\"n\":1,\"l\":[1,2],\"gone\":true,\"s\":{\"x\":1}}\n");
	told[0] = '\0';
	assert_int_equal(store_audit(s->store, 0, 1, first_entry, told), 0);
	assert_string_equal(
	    told, "3  \n- pool p {\"n\":1,\"l\":[1,3],\"s\":{\"x\":2},\"new\":null}\n");
}

static int
count_entries(const struct store_audit_entry *e, void *arg)
{
	unsigned *n = arg;

	assert_true(e->revision > 0);
	++*n;
	return 0;
}

/* What is too long ago goes; who missed more than is kept must take all of it. */
static void
history_is_bounded(void **state)
{
	struct site *s = *state;
	unsigned entries = 0;
	char name[32], told[4096] = "";

	store_keep(s->store, 100);
	for (unsigned n = 1; n <= 2000; n++) {
		snprintf(name, sizeof(name), "p%u", n % 3);
		site_put(s, KIND_POOL, name, n % 2 ? "{}" : "{\"n\":1}");
		assert_int_equal(site_commit(s), n);
	}
	assert_int_equal(store_audit(s->store, 0, 10000, count_entries, &entries), 0);
	assert_in_range(entries, 100, 200);
	assert_int_equal(store_changes_since(s->store, 1700, site_tell, told, NULL), -ESTALE);
	assert_int_equal(store_changes_since(s->store, 0, site_tell, told, NULL), -ESTALE);
	assert_string_equal(told, "");
	site_changed(s, 1999, "put pool p2;");
	site_changed(s, 1900, "put pool p1;put pool p2;put pool p0;");
	site_reopen(s); /* 100,000 are kept again: nothing more goes */
	assert_int_equal(store_changes_since(s->store, 1700, site_tell, told, NULL), -ESTALE);
	site_changed(s, 1999, "put pool p2;");
	site_put(s, KIND_POOL, "q", "{}");
	site_commit(s);
	site_changed(s, 2000, "put pool q;");
}

/* -- events -- */

static int
tell_event(const struct store_event *e, void *arg)
{
	char *out = arg;

	sprintf(out + strlen(out), "%d %s %s %s;", (int)e->id, e->kind,
	    e->object_name == NULL ? "-" : e->object_name, e->data == NULL ? "-" : e->data);
	return 0;
}

static void
events_are(struct site *s, const struct store_event_filter *filter, const char *want)
{
	char told[4096] = "";

	assert_int_equal(store_events(s->store, filter, tell_event, told), 0);
	assert_string_equal(told, want);
}

static void
add_event(struct site *s, const char *kind, const char *name, const char *data)
{
	struct store_event e = { .at_ms = 5,
		.kind = kind,
		.severity = "info",
		.text = "t",
		.object_kind = name == NULL ? NULL : "address",
		.object_name = name,
		.data = data };

	assert_int_equal(store_events_append(s->store, &e, 1, &s->diag), 0);
	assert_true(e.id > 0);
}

static void
events(void **state)
{
	struct site *s = *state;

	add_event(s, "address.down", "a", "{}");
	add_event(s, "address.up", "a", NULL);
	add_event(s, "address.down", "b", NULL);
	add_event(s, "test", NULL, NULL);
	site_reopen(s);
	events_are(
	    s, &(struct store_event_filter){ .limit = 2 }, "1 address.down a {};2 address.up a -;");
	events_are(
	    s, &(struct store_event_filter){ .since_id = 2 }, "3 address.down b -;4 test - -;");
	events_are(s, &(struct store_event_filter){ .kind = "address.down" },
	    "1 address.down a {};3 address.down b -;");
	events_are(s, &(struct store_event_filter){ .object_kind = "address", .object_name = "a" },
	    "1 address.down a {};2 address.up a -;");
	events_are(s,
	    &(struct store_event_filter){ .newest_first = true, .limit = 1, .before_id = 4 },
	    "3 address.down b -;");
}

/* SQLite's, too: the program comes before the libraries. */
static unsigned syncs;

__attribute__((visibility("default"))) int
fdatasync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

static void
events_together(void **state)
{
	struct site *s = *state;
	struct store_event all[100];

	for (int i = 0; i < 100; i++)
		all[i] = (struct store_event){
			.at_ms = i, .kind = "address.up", .severity = "info", .text = "t"
		};
	add_event(s, "address.down", NULL, NULL);
	syncs = 0;
	assert_int_equal(store_events_append(s->store, all, 100, &s->diag), 0);
	assert_in_range(syncs, 1, 2);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(all[i].id, i + 2);
	site_reopen(s);
	events_are(s, &(struct store_event_filter){ .since_id = 99 },
	    "100 address.up - -;101 address.up - -;");

	/* One that cannot be stored: none of them is. */
	all[1].kind = NULL;
	assert_true(store_events_append(s->store, all, 2, &s->diag) < 0);
	events_are(s, &(struct store_event_filter){ .since_id = 100 }, "101 address.up - -;");
	assert_int_equal(store_events_append(s->store, all, 1, &s->diag), 0);
}

/* What another program, or this one in the past, did to the file. */
static void
raw(struct site *s, const char *sql)
{
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/gtm.db", s->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
events_are_bounded(void **state)
{
	struct site *s = *state;

	add_event(s, "old", NULL, NULL);
	add_event(s, "kept", NULL, NULL);
	raw(s, "INSERT INTO event (id, at_ms, kind, severity, text)"
	       " VALUES (100000, 0, 'last', '', '')");
	add_event(s, "new", NULL, NULL);
	events_are(
	    s, &(struct store_event_filter){ 0 }, "2 kept - -;100000 last - -;100001 new - -;");
}

/* -- tokens -- */

static int
tell_token(const struct store_token *t, void *arg)
{
	strcat(strcat(arg, t->id), ";");
	return 0;
}

static void
tokens(void **state)
{
	struct site *s = *state;
	struct store_token t = { .id = "t1",
		.name = "admin",
		.hash = { 1, 2, 3 },
		.scopes = "admin",
		.created_ms = 7,
		.expires_ms = 9 };
	struct store_token found;
	struct arena a;
	char told[64] = "";

	arena_init(&a);
	assert_int_equal(store_token_add(s->store, &t, &s->diag), 0);
	assert_int_equal(store_token_find(s->store, t.hash, &a, &found), 0);
	assert_string_equal(found.name, "admin");
	assert_string_equal(found.scopes, "admin");
	assert_int_equal(found.expires_ms, 9);
	assert_memory_equal(found.hash, t.hash, STORE_HASH_SIZE);

	t.id = "t2"; /* the same secret */
	assert_int_equal(store_token_add(s->store, &t, &s->diag), -EINVAL);
	assert_int_equal(s->diag.code, DIAG_CONFLICT);
	t.hash[0] = 9;
	assert_int_equal(store_token_find(s->store, t.hash, &a, &found), -ENOENT);
	assert_int_equal(store_token_add(s->store, &t, &s->diag), 0);
	assert_int_equal(store_tokens(s->store, tell_token, told), 0);
	assert_string_equal(told, "t1;t2;");
	assert_int_equal(store_token_remove(s->store, "t2", &s->diag), 0);
	assert_int_equal(store_token_remove(s->store, "t2", &s->diag), -EINVAL);
	arena_fini(&a);
}

/* -- opening -- */

static void
open_fails(const char *dir, const char *detail)
{
	struct store *store = NULL;
	struct diag d;

	diag_init(&d);
	assert_int_equal(store_open(dir, &store, &d), -EINVAL);
	assert_null(store);
	assert_int_equal(d.count, 1);
	assert_string_equal(d.first->detail, detail);
	diag_fini(&d);
}

static void
places_that_cannot_be(void **state)
{
	struct site *s = *state;
	char path[128];

	snprintf(path, sizeof(path), "%s/gtm.db", s->dir);
	open_fails(path, "is not a directory");
	open_fails("/nonexistent/deep", "directory cannot be made: No such file or directory");
	snprintf(path, sizeof(path), "%s/gtm.db/x", s->dir);
	open_fails(path, "directory cannot be made: Not a directory");
	if (geteuid() != 0) {
		assert_int_equal(chmod(s->dir, 0500), 0);
		open_fails(s->dir,
		    "directory is not writable: Permission denied; check owner, mode and mount");
		assert_int_equal(chmod(s->dir, 0700), 0);
	}
}

static void
the_file_is_private(void **state)
{
	struct site *s = *state;
	struct stat st;
	char path[128];

	snprintf(path, sizeof(path), "%s/gtm.db", s->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
damage_is_told(void **state)
{
	struct site *s = *state;
	char path[128], junk[4096];

	snprintf(path, sizeof(path), "%s/gtm.db", s->dir);
	store_close(&s->store);
	assert_int_equal(truncate(path, 0), 0);
	const int fd = open(path, O_WRONLY);

	memset(junk, 'x', sizeof(junk));
	assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
	close(fd);
	open_fails(
	    s->dir, "is damaged or not a database (file is not a database); restore a backup");
	assert_int_equal(unlink(path), 0);
	site_open(s);
}

static void
newer_and_foreign_are_refused(void **state)
{
	struct site *s = *state;

	store_close(&s->store);
	raw(s, "PRAGMA user_version = 7");
	open_fails(s->dir, "database is of version 7, this gtmd knows up to 2; "
			   "run the newer gtmd or restore a backup made before the upgrade");
	raw(s, "PRAGMA user_version = 2; PRAGMA application_id = 99");
	open_fails(s->dir, "is the database of another program");
	raw(s, "PRAGMA application_id = 0x47544d31");
	site_open(s);
}

/* A bound on pages meets SQLite as a full disk does. */
static void
a_full_disk_is_told(void **state)
{
	struct site *s = *state;
	char *big = xcalloc(1, 1u << 20);

	site_put(s, KIND_POOL, "p", "{}");
	site_commit(s);
	assert_int_equal(
	    sqlite3_exec(s->store->writer, "PRAGMA max_page_count = 1", NULL, NULL, NULL),
	    SQLITE_OK);
	memset(big, ' ', (1u << 20) - 1);
	memcpy(big, "{}", 2);
	site_put(s, KIND_POOL, "q", big);
	refused(s, DIAG_UNAVAILABLE, "no space left on the disk; free some, nothing was changed");
	site_holds(s, "put pool p;");
	assert_int_equal(
	    sqlite3_exec(s->store->writer, "PRAGMA max_page_count = 100000", NULL, NULL, NULL),
	    SQLITE_OK);
	site_put(s, KIND_POOL, "q", big);
	assert_int_equal(site_commit(s), 2);
	free(big);
}

static void
backups_have_another_lineage(void **state)
{
	struct site *s = *state;
	char lineage[64], path[128], target[128];

	site_put(s, KIND_POOL, "p", "{}");
	site_commit(s);
	snprintf(lineage, sizeof(lineage), "%s", store_lineage(s->store));
	assert_int_equal(strlen(lineage), 32);
	site_reopen(s);
	assert_string_equal(store_lineage(s->store), lineage);

	snprintf(path, sizeof(path), "%s/copy.db", s->dir);
	snprintf(target, sizeof(target), "%s/gtm.db", s->dir);
	assert_int_equal(store_backup(s->store, path, &s->diag), 0);
	assert_int_equal(store_backup(s->store, path, &s->diag), -EINVAL);
	assert_int_equal(s->diag.code, DIAG_CONFLICT);
	store_close(&s->store);
	assert_int_equal(rename(path, target), 0);
	site_open(s);
	site_holds(s, "put pool p;");
	assert_int_equal(store_revision(s->store), 1);
	assert_string_not_equal(store_lineage(s->store), lineage);
}

/* Not a benchmark: a guard against a commit that is quadratic or syncs per op. */
static void
many_rrsets_at_once(void **state)
{
	struct site *s = *state;
	char name[64];

	site_put(s, KIND_ZONE, "x.org", "{}");
	site_clear(s, "x.org");
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "host-%06d.x.org", i);
		site_rrset(s, "x.org", name, (uint8_t)i);
	}
	const uint64_t start = clock_mono_ms();

	site_commit(s);
	const uint64_t took = clock_mono_ms() - start;

	print_message("100,000 RRsets in %d ms\n", (int)took);
	assert_true(took < 30000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(objects_come_back, site_start, site_stop),
		cmocka_unit_test_setup_teardown(load_is_in_dependency_order, site_start, site_stop),
		cmocka_unit_test_setup_teardown(
		    zones_take_their_rrsets_along, site_start, site_stop),
		cmocka_unit_test_setup_teardown(one_zone_and_one_rrset, site_start, site_stop),
		cmocka_unit_test_setup_teardown(all_or_nothing, site_start, site_stop),
		cmocka_unit_test_setup_teardown(changes_are_current_states, site_start, site_stop),
		cmocka_unit_test_setup_teardown(changes_of_rrsets, site_start, site_stop),
		cmocka_unit_test_setup_teardown(
		    a_zone_made_again_is_taken_anew, site_start, site_stop),
		cmocka_unit_test_setup_teardown(walks_stop_and_nest, site_start, site_stop),
		cmocka_unit_test_setup_teardown(audit, site_start, site_stop),
		cmocka_unit_test_setup_teardown(history_is_bounded, site_start, site_stop),
		cmocka_unit_test_setup_teardown(events, site_start, site_stop),
		cmocka_unit_test_setup_teardown(events_together, site_start, site_stop),
		cmocka_unit_test_setup_teardown(events_are_bounded, site_start, site_stop),
		cmocka_unit_test_setup_teardown(tokens, site_start, site_stop),
		cmocka_unit_test_setup_teardown(places_that_cannot_be, site_start, site_stop),
		cmocka_unit_test_setup_teardown(the_file_is_private, site_start, site_stop),
		cmocka_unit_test_setup_teardown(damage_is_told, site_start, site_stop),
		cmocka_unit_test_setup_teardown(
		    newer_and_foreign_are_refused, site_start, site_stop),
		cmocka_unit_test_setup_teardown(a_full_disk_is_told, site_start, site_stop),
		cmocka_unit_test_setup_teardown(
		    backups_have_another_lineage, site_start, site_stop),
		cmocka_unit_test_setup_teardown(many_rrsets_at_once, site_start, site_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
