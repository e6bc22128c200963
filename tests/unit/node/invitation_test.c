/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/invitation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void
expect(const char *dir, const char *command)
{
	char *got = invitation_command(dir, "gtm1-00");

	assert_string_equal(got, command);
	free(got);
}

/* What a shell makes of it, by that shell. */
static void
expect_in_shell(const char *dir)
{
	char *command = invitation_command(dir, "gtm1-00");
	char *script = xasprintf("gtmd() { printf %%s \"$2\"; }; %s", command), got[256] = "";

	assert_int_equal(setenv("SCRIPT", script, 1), 0);

	FILE *shell = popen("sh -c \"$SCRIPT\"", "r");

	assert_non_null(shell);
	assert_non_null(fgets(got, sizeof(got), shell));
	assert_int_equal(pclose(shell), 0);
	assert_string_equal(got, dir);
	free(script);
	free(command);
}

static void
test_command(void **state)
{
	(void)state;
	expect(NULL, "gtmd --data-dir /var/lib/opengtm --join gtm1-00");
	expect("/srv/gtm-node_1", "gtmd --data-dir /srv/gtm-node_1 --join gtm1-00");
	expect("/srv/my node", "gtmd --data-dir '/srv/my node' --join gtm1-00");
	expect_in_shell("/srv/node");
	expect_in_shell("/srv/it's mine; $(rm -rf x) `y` \\ \"z\" *?~");
}

static bool
is_good(const char *dir)
{
	struct diag d;
	const bool good = (diag_init(&d), invitation_check_dir(dir, &d)) == 0;

	assert_int_equal(good, !diag_failed(&d));
	diag_fini(&d);
	return good;
}

static void
test_directories(void **state)
{
	(void)state;
	assert_true(is_good(NULL));
	assert_true(is_good("/"));
	assert_true(is_good("/srv/m\xc3\xbcller"));
	assert_false(is_good(""));
	assert_false(is_good("node"));
	assert_false(is_good("/srv/a\nb"));
	assert_false(is_good("/srv/\x7f"));
}

static void
test_loopback(void **state)
{
	(void)state;
	assert_true(invitation_is_loopback("127.0.0.1:8054"));
	assert_true(invitation_is_loopback("127.9.9.9:1"));
	assert_true(invitation_is_loopback("[::1]:8054"));
	assert_true(invitation_is_loopback("LocalHost:8054"));
	assert_false(invitation_is_loopback("192.0.2.1:8054"));
	assert_false(invitation_is_loopback("[2001:db8::1]:8054"));
	assert_false(invitation_is_loopback("localhost.example.com:8054"));
	assert_false(invitation_is_loopback("gtm.example.com:8054"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_loopback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
