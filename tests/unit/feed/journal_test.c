/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "feed/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/gtm-journal-XXXXXX";

struct seen {
	char text[256];
};

static void
note(void *arg, uint8_t type, const uint8_t *data, size_t len)
{
	struct seen *s = arg;
	const size_t used = strlen(s->text);
	snprintf(
	    s->text + used, sizeof(s->text) - used, "%d:%.*s ", type, (int)len, (const char *)data);
}

static struct journal *
reopen(struct seen *s)
{
	struct diag d;
	diag_init(&d);
	*s = (struct seen){ "" };
	struct journal *j = journal_open(path, note, s, &d);
	assert_non_null(j);
	diag_fini(&d);
	return j;
}

static void
test_replays_what_was_appended(void **state)
{
	(void)state;
	struct seen s;
	(void)unlink(path);
	struct journal *j = reopen(&s);
	assert_string_equal(s.text, "");
	assert_int_equal(journal_append(j, 1, "one", 3), 0);
	assert_int_equal(journal_append(j, 2, "", 0), 0);
	assert_int_equal(journal_append(j, 1, "three", 5), 0);
	journal_close(&j);
	assert_null(j);
	j = reopen(&s);
	assert_string_equal(s.text, "1:one 2: 1:three ");
	journal_close(&j);
}

/* Whatever length a power cut leaves, the whole records before it are replayed and appending goes
 * on. */
static void
test_every_torn_tail(void **state)
{
	(void)state;
	struct seen s;
	for (off_t len = 0; len < 24; len++) {
		(void)unlink(path);
		struct journal *j = reopen(&s);
		assert_int_equal(journal_append(j, 1, "abc", 3), 0);
		assert_int_equal(journal_append(j, 1, "def", 3), 0);
		journal_close(&j);
		assert_int_equal(truncate(path, len), 0);
		j = reopen(&s);
		assert_string_equal(s.text, len >= 12 ? "1:abc " : "");
		assert_int_equal(journal_append(j, 3, "x", 1), 0);
		journal_close(&j);
		j = reopen(&s);
		assert_string_equal(s.text, len >= 12 ? "1:abc 3:x " : "3:x ");
		journal_close(&j);
	}
}

static void
test_a_flipped_byte_ends_the_replay(void **state)
{
	(void)state;
	struct seen s;
	(void)unlink(path);
	struct journal *j = reopen(&s);
	assert_int_equal(journal_append(j, 1, "abc", 3), 0);
	assert_int_equal(journal_append(j, 1, "def", 3), 0);
	journal_close(&j);
	const int fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "X", 1, 12 + 10), 1);
	close(fd);
	j = reopen(&s);
	assert_string_equal(s.text, "1:abc ");
	journal_close(&j);
}

static void
fill(struct journal *j, void *arg)
{
	assert_int_equal(journal_append(j, 9, arg, strlen(arg)), 0);
}

static void
test_rewrite_replaces_all(void **state)
{
	(void)state;
	struct seen s;
	(void)unlink(path);
	struct journal *j = reopen(&s);
	for (int i = 0; i < 100; i++)
		assert_int_equal(journal_append(j, 1, "old", 3), 0);
	char text[] = "whole";
	assert_int_equal(journal_rewrite(j, fill, text), 0);
	assert_int_equal(journal_size(j), 9 + 5);
	assert_int_equal(journal_append(j, 1, "new", 3), 0);
	journal_close(&j);
	j = reopen(&s);
	assert_string_equal(s.text, "9:whole 1:new ");
	journal_close(&j);
}

static void
test_not_a_place_for_files(void **state)
{
	(void)state;
	struct diag d;
	struct seen s;
	diag_init(&d);
	assert_null(journal_open("/dev/null/engine.model", note, &s, &d));
	assert_non_null(strstr(diag_text(&d), "/dev/null/engine.model"));
	diag_fini(&d);
}

static void
test_rewrite_beside_appends(void **state)
{
	(void)state;
	struct seen s;
	(void)unlink(path);
	struct journal *j = reopen(&s);
	assert_int_equal(journal_append(j, 1, "old", 3), 0);
	struct journal *fresh = journal_rewrite_begin(j);
	assert_int_equal(journal_append(fresh, 9, "whole", 5), 0);
	assert_int_equal(journal_append(j, 1, "new", 3), 0);
	assert_int_equal(journal_append(fresh, 9, "end", 3), 0);
	journal_rewrite_sync(fresh);
	assert_int_equal(journal_append(j, 2, "newer", 5), 0);
	assert_int_equal(journal_rewrite_end(j, &fresh), 0);
	assert_null(fresh);
	assert_int_equal(journal_append(j, 3, "newest", 6), 0);
	const size_t size = journal_size(j);
	journal_close(&j);
	j = reopen(&s);
	assert_string_equal(s.text, "9:whole 9:end 1:new 2:newer 3:newest ");
	assert_int_equal(journal_size(j), size);
	/* Given up, it leaves nothing. */
	fresh = journal_rewrite_begin(j);
	assert_int_equal(journal_append(fresh, 9, "x", 1), 0);
	journal_rewrite_cancel(&fresh);
	assert_int_equal(journal_append(j, 4, "y", 1), 0);
	journal_close(&j);
	j = reopen(&s);
	assert_string_equal(s.text, "9:whole 9:end 1:new 2:newer 3:newest 4:y ");
	/* One that went wrong neither. */
	char *where = NULL;
	assert_true(asprintf(&where, "%s.new", path) > 0);
	assert_int_equal(mkdir(where, 0700), 0);
	fresh = journal_rewrite_begin(j);
	assert_int_not_equal(journal_append(fresh, 9, "x", 1), 0);
	journal_rewrite_sync(fresh);
	assert_int_equal(journal_rewrite_end(j, &fresh), -EISDIR);
	assert_null(fresh);
	assert_int_equal(journal_append(j, 5, "z", 1), 0);
	journal_close(&j);
	j = reopen(&s);
	assert_string_equal(s.text, "9:whole 9:end 1:new 2:newer 3:newest 4:y 5:z ");
	journal_close(&j);
	rmdir(where);
	free(where);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replays_what_was_appended),
		cmocka_unit_test(test_every_torn_tail),
		cmocka_unit_test(test_a_flipped_byte_ends_the_replay),
		cmocka_unit_test(test_rewrite_replaces_all),
		cmocka_unit_test(test_rewrite_beside_appends),
		cmocka_unit_test(test_not_a_place_for_files),
	};
	const int fd = mkstemp(path);
	if (fd >= 0)
		close(fd);
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return failed;
}
