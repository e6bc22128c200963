/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/zone_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"

static char dir[64];

static char *
path_of(const char *name)
{
	return xasprintf("%s/zone/%s", dir, name);
}

static void
write_file(const char *name, const char *text)
{
	char *path = path_of(name);

	assert_int_equal(file_replace(path, 0600, text, strlen(text)), 0);
	free(path);
}

static int
make_dir(void **state)
{
	char path[128];

	(void)state;
	strcpy(dir, "/tmp/zone-source-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/zone", dir);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/zone/sub", dir);
	return mkdir(path, 0700);
}

static int
remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static struct zone_source *
open_zone(const char *name, const char *origin, struct diag *d)
{
	char *path = path_of(name);
	struct zone_source *s = zone_source_open(path, origin, d);

	free(path);
	return s;
}

static void
assert_text(const char *main, const char *want)
{
	struct zone_source *s;
	struct diag d;
	size_t len;

	diag_init(&d);
	write_file("main", main);
	s = open_zone("main", "example", &d);
	if (s == NULL)
		fail_msg("%s", diag_text(&d));
	const char *text = zone_source_text(s, &len);

	if (len != strlen(want) || memcmp(text, want, len) != 0)
		fail_msg("%.*s", (int)len, text);
	zone_source_free(&s);
	diag_fini(&d);
}

/* The text ends up with the names of the files left out: "main:3". */
static void
assert_place(const struct zone_source *s, uint64_t line, const char *want)
{
	char *place = zone_source_place(s, line);

	assert_string_equal(place + strlen(dir) + strlen("/zone/"), want);
	free(place);
}

static void
puts_together(void **state)
{
	(void)state;
	write_file("sub/a", "h A 192.0.2.1\n");
	write_file("none", "");
	assert_text("", "");
	assert_text("a A 192.0.2.1", "a A 192.0.2.1");
	assert_text("$INCLUDE sub/a\nb A 192.0.2.2",
	    "$ORIGIN example.\nh A 192.0.2.1\n$ORIGIN example.\nb A 192.0.2.2\n");
	assert_text("$include \"sub/a\"  in ; x\r\n$INCLUDE none other.\n",
	    "$ORIGIN in.example.\nh A 192.0.2.1\n$ORIGIN example.\n"
	    "$ORIGIN other.\n$ORIGIN example.\n");
	assert_text("$ORIGIN x\n$ORIGIN y.z\n$INCLUDE none @\n$ORIGIN .\n$INCLUDE none\n",
	    "$ORIGIN x\n$ORIGIN y.z\n$ORIGIN y.z.x.example.\n$ORIGIN y.z.x.example.\n"
	    "$ORIGIN .\n$ORIGIN .\n$ORIGIN .\n");
	/* Not one: within parentheses, in a comment. */
	assert_text("a TXT (\n$INCLUDE none\n) ; (\n; $INCLUDE none\n",
	    "a TXT (\n$INCLUDE none\n) ; (\n; $INCLUDE none\n");
}

static void
restores_owner(void **state)
{
	(void)state;
	write_file("sub/a", "h A 192.0.2.1\n");
	assert_text("b\\.c A 192.0.2.2\n$ORIGIN x\n$INCLUDE sub/a\n\n ; y\n\tTXT z\n\tTXT q\n",
	    "b\\.c A 192.0.2.2\n$ORIGIN x\n$ORIGIN x.example.\nh A 192.0.2.1\n"
	    "$ORIGIN x.example.\n\n ; y\nb\\.c.example.\tTXT z\n\tTXT q\n");
	assert_text("@ A 192.0.2.2\n$INCLUDE sub/a\nc TXT z\n\tTXT q\n",
	    "@ A 192.0.2.2\n$ORIGIN example.\nh A 192.0.2.1\n$ORIGIN example.\nc TXT z\n\tTXT q\n");
}

static void
knows_places(void **state)
{
	struct zone_source *s;
	struct diag d;

	(void)state;
	diag_init(&d);
	write_file("sub/a", "h A 192.0.2.1\n$INCLUDE b\nx A 192.0.2.3\n");
	write_file("sub/b", "i A 192.0.2.1\nj A 192.0.2.2");
	write_file("main", "a A (\n192.0.2.1\n)\n$INCLUDE sub/a\nb A 192.0.2.2\n");
	s = open_zone("main", "example", &d);
	assert_non_null(s);
	assert_place(s, 1, "main:1");
	assert_place(s, 3, "main:3");
	assert_place(s, 4, "main:4");
	assert_place(s, 5, "sub/a:1");
	assert_place(s, 6, "sub/a:2");
	assert_place(s, 7, "sub/b:1");
	assert_place(s, 8, "sub/b:2");
	assert_place(s, 9, "sub/a:2");
	assert_place(s, 10, "sub/a:3");
	assert_place(s, 11, "main:4");
	assert_place(s, 12, "main:5");
	zone_source_free(&s);
	write_file("main", "a A 192.0.2.1\nb A x");
	s = open_zone("main", "example", &d);
	assert_place(s, 2, "main:2");
	zone_source_free(&s);
	diag_fini(&d);
}

static void
refuses(void **state)
{
	static const struct {
		const char *main, *want;
	} rows[] = {
		{ "$INCLUDE main", "main:1: * includes itself" },
		{ "\n$INCLUDE sub/loop", "sub/loop:1: * includes itself" },
		{ "$INCLUDE deep", "deep:1: * includes itself" },
		{ "$INCLUDE d1", "d10:1: * over 10 files deep" },
		{ "$INCLUDE nowhere", "main:1: * cannot be read: No such file" },
		{ "$INCLUDE sub", "main:1: * cannot be read: Is a directory" },
		{ "$INCLUDE ../outside", "main:1: * is outside of the directory" },
		{ "$INCLUDE link", "main:1: * is outside of the directory" },
		{ "$INCLUDE /etc/passwd", "main:1: * is outside of the directory" },
		{ "$INCLUDE pipe", "main:1: * cannot be read: it is no file" },
		{ "$INCLUDE\n", "main:1: * needs the name of a file" },
		{ "$INCLUDE sub/ok a..b", "main:1: * is not a valid name" },
		{ "$INCLUDE sub/open", "sub/open:2: * parentheses are not closed" },
	};
	char *path = path_of("link"), *outside = xasprintf("%s/outside", dir), *pipe;

	(void)state;
	write_file("../outside", "");
	write_file("sub/ok", "");
	write_file("sub/open", "\na TXT ( b\n");
	write_file("sub/loop", "$INCLUDE ../sub/loop\n");
	write_file("deep", "$INCLUDE sub/../deep\n");
	for (int i = 1; i <= 11; i++) {
		char name[16], text[32];

		snprintf(name, sizeof(name), "d%d", i);
		snprintf(text, sizeof(text), "$INCLUDE d%d\n", i + 1);
		write_file(name, text);
	}
	assert_int_equal(symlink(outside, path), 0);
	pipe = path_of("pipe");
	assert_int_equal(mkfifo(pipe, 0600), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *star = strstr(rows[i].want, "* ");
		char *head = xasprintf("zone/%.*s", (int)(star - rows[i].want), rows[i].want);
		struct diag d;

		diag_init(&d);
		write_file("main", rows[i].main);
		if (open_zone("main", "example", &d) != NULL)
			fail_msg("taken: %s", rows[i].main);
		if (strstr(diag_text(&d), head) == NULL || strstr(diag_text(&d), star + 2) == NULL)
			fail_msg("%s: got '%s'", rows[i].main, diag_text(&d));
		diag_fini(&d);
		free(head);
	}
	free(path);
	free(pipe);
	free(outside);
}

static void
finds_origin(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "; x\n$TTL 5\n$ORIGIN a.b.\n@ SOA\n", "a.b." },
		{ "a.b. 300 IN SOA ns host (\n1 2 3 4 5 )\n", "a.b." },
		{ "a.b. NS ns\n", NULL },
		{ "@ SOA ns host 1 2 3 4 5\n$ORIGIN a.\n", NULL },
		{ "$ORIGIN a\n", NULL },
		{ "$ORIGIN a\\.\n", NULL },
		{ "$ORIGIN .\n", "." },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct zone_source *s;
		struct diag d;

		diag_init(&d);
		write_file("main", rows[i].text);
		s = open_zone("main", NULL, &d);
		if (rows[i].want == NULL)
			assert_null(s);
		else
			assert_string_equal(zone_source_origin(s), rows[i].want);
		zone_source_free(&s);
		diag_fini(&d);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_together),
		cmocka_unit_test(restores_owner),
		cmocka_unit_test(knows_places),
		cmocka_unit_test(refuses),
		cmocka_unit_test(finds_origin),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
