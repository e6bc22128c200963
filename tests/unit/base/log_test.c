/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What log_line writes to stderr, in `out`. */
static int saved_stderr;
static FILE *captured;

static int
capture(void **state)
{
	(void)state;
	captured = tmpfile();
	saved_stderr = dup(STDERR_FILENO);
	return dup2(fileno(captured), STDERR_FILENO) < 0;
}

static int
restore(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	return fclose(captured);
}

static const char *
written(void)
{
	static char text[8192];
	const ssize_t n = pread(fileno(captured), text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
test_a_line_has_its_parts(void **state)
{
	(void)state;
	log_start("engine", LOG_INFO);
	log_warn("probe", "target '%s' is %s", "a", "down");

	const char *text = written();

	assert_int_equal(strspn(text, "0123456789-T:.Z"), 24);
	assert_string_equal(text + 24, " warn engine probe: target 'a' is down\n");
}

static void
test_the_level_holds_back(void **state)
{
	(void)state;
	log_start("engine", LOG_WARN);
	log_info("probe", "no");
	log_debug("probe", "no");
	assert_string_equal(written(), "");
	log_start("engine", LOG_DEBUG);
	log_debug("probe", "yes");
	assert_non_null(strstr(written(), " debug engine probe: yes\n"));
}

static void
test_strangers_bytes_stay_on_the_line(void **state)
{
	(void)state;
	log_start("engine", LOG_INFO);
	log_info("probe", "said '%s'", "a\nb\x1b[31m\x7f\xc3\xa9");
	assert_non_null(strstr(written(), "said 'a?b?[31m?\xc3\xa9'\n"));
}

static void
test_long_ones_are_cut(void **state)
{
	(void)state;
	log_start("engine", LOG_INFO);
	log_info("probe", "%5000d", 1);

	const char *text = written();

	assert_int_equal(strlen(text), 2048);
	assert_string_equal(text + 2044, "...\n");
}

static void
test_errno_survives(void **state)
{
	(void)state;
	log_start("engine", LOG_INFO);
	errno = ENOENT;
	log_info("probe", "%s", "x");
	assert_int_equal(errno, ENOENT);
}

static void
test_levels_parse(void **state)
{
	enum log_level level = LOG_INFO;

	(void)state;
	assert_true(log_level_parse("debug", &level));
	assert_int_equal(level, LOG_DEBUG);
	assert_true(log_level_parse("error", &level));
	assert_int_equal(level, LOG_ERROR);
	assert_false(log_level_parse("Error", &level));
	assert_false(log_level_parse("", &level));
	assert_int_equal(level, LOG_ERROR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_line_has_its_parts, capture, restore),
		cmocka_unit_test_setup_teardown(test_the_level_holds_back, capture, restore),
		cmocka_unit_test_setup_teardown(
		    test_strangers_bytes_stay_on_the_line, capture, restore),
		cmocka_unit_test_setup_teardown(test_long_ones_are_cut, capture, restore),
		cmocka_unit_test_setup_teardown(test_errno_survives, capture, restore),
		cmocka_unit_test_setup_teardown(test_levels_parse, capture, restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
