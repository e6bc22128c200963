/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

static char path[] = "/tmp/gtm-config-XXXXXX";

static void
write_file(const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void
test_defaults(void **state)
{
	(void)state;
	struct config c;
	struct diag d;
	char text[ADDR_TEXT_SIZE];
	diag_init(&d);
	assert_int_equal(config_load(&c, &(struct config_options){ 0 }, &d), 0);
	assert_string_equal(c.data_dir, "/var/lib/opengtm");
	assert_int_equal(c.n_dns_addrs, 1);
	assert_string_equal(addr_text(&c.dns_addrs[0], text), "127.0.0.1:5300");
	assert_string_equal(addr_text(&c.api_addr, text), "127.0.0.1:8053");
	assert_int_equal(c.dns.workers, 1);
	config_fini(&c);
	diag_fini(&d);
}

static void
test_the_command_line_is_over_the_file(void **state)
{
	(void)state;
	struct config c;
	struct diag d;
	char text[ADDR_TEXT_SIZE];
	const char *dns[] = { "[::1]:5301", "127.0.0.2" };
	write_file(
	    "data_dir: /srv/gtm\nlog_level: debug\ndns:\n  listen: ['192.0.2.1:53']\n  workers: 4\n"
	    "  tcp_idle: 30s\n");
	diag_init(&d);
	const struct config_options o = { .file = path, .dns = dns, .n_dns = 2 };
	assert_int_equal(config_load(&c, &o, &d), 0);
	assert_string_equal(c.data_dir, "/srv/gtm");
	assert_int_equal(c.log_level, LOG_DEBUG);
	assert_int_equal(c.dns.workers, 4);
	assert_int_equal(c.dns.tcp_idle_ms, 30000);
	assert_int_equal(c.n_dns_addrs, 2);
	assert_string_equal(addr_text(&c.dns_addrs[0], text), "[::1]:5301");
	assert_string_equal(addr_text(&c.dns_addrs[1], text), "127.0.0.2:53");
	config_fini(&c);
	diag_fini(&d);
}

static const struct {
	const char *yaml;
	const char *says;
} bad[] = {
	{ "dns:\n  workers: 0\n", ":2: dns.workers" },
	{ "dns:\n  wrokers: 1\n", ":2: dns.wrokers" },
	{ "log_level: loud\n", ":1: log_level" },
	{ "data_dir: [a]\n", ":1: data_dir" },
	{ "api:\n  listen: nowhere\n", ":2: api.listen" },
	{ "dns: {listen: ['127.0.0.1:99999']}\n", ":1: dns.listen[0]" },
	{ "a: 1\na: 2\n", ":2" },
	{ "- 1\n", "" },
	{ "", "" },
	{ "dns:\n  xdp: [eth0, eth0]\n", ":2: dns.xdp[1]: is named twice (got eth0)" },
	{ "dns:\n  xdp:\n  - eth0\n  - a/b\n", ":4: dns.xdp[1]: is not the name of an interface" },
	{ "dns:\n  xdp: [much-longer-than-15]\n", "such as eth0" },
	{ "dns:\n  xdp: ['']\n", ":2: dns.xdp[0]" },
	{ "dns:\n  xdp: eth0\n", ":2: dns.xdp" },
};

static void
test_bad_files_are_placed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct config c;
		struct diag d;
		write_file(bad[i].yaml);
		diag_init(&d);
		assert_int_not_equal(
		    config_load(&c, &(struct config_options){ .file = path }, &d), 0);
		if (strstr(diag_text(&d), bad[i].says) == NULL)
			fail_msg("'%s' is not in: %s", bad[i].says, diag_text(&d));
		config_fini(&c);
		diag_fini(&d);
	}
}

static const struct {
	const char *line;
	const char *says; /* NULL: accepted */
} lines[] = {
	{ "gtmd --dns 127.0.0.1:1 --dns 127.0.0.1:2 --data-dir /d", NULL },
	{ "gtmd --dsn 127.0.0.1:1", "--dsn: unknown option" },
	{ "gtmd --api", "--api" },
	{ "gtmd start", "start" },
	{ "gtmd --workers 0", "1..64" },
};

static void
test_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		char *line = xstrdup(lines[i].line), *save = NULL;
		char *argv[16];
		int argc = 0;
		for (char *w = strtok_r(line, " ", &save); w != NULL;
		     w = strtok_r(NULL, " ", &save))
			argv[argc++] = w;
		argv[argc] = NULL;

		struct config_options o;
		struct diag d;
		diag_init(&d);
		const int err = config_options(argc, argv, &o, &d);
		assert_int_equal(err == 0, lines[i].says == NULL);
		if (err != 0)
			assert_non_null(strstr(diag_text(&d), lines[i].says));
		free(o.dns);
		diag_fini(&d);
		free(line);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_the_command_line_is_over_the_file),
		cmocka_unit_test(test_bad_files_are_placed),
		cmocka_unit_test(test_options),
	};
	const int fd = mkstemp(path);
	if (fd >= 0)
		close(fd);
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return failed;
}
