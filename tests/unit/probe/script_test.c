/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Real scripts, run by real probes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "once.h"

static char dir[] = "/tmp/gtm-script-XXXXXX";

static void
write_script(const char *name, const char *body)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);

	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0755), 0);
	dprintf(fd, "#!/bin/sh\n%s\n", body);
	close(fd);
}

static size_t
descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

struct outcome {
	enum probe_step step;
	char cause[32], text[128], output[8192];
	uint16_t status;
};

static struct outcome
run(const char *body, const char **args, size_t n_args, uint32_t timeout_ms, bool allowed)
{
	static struct once o;
	const struct recipe_options options = { .script_dir = allowed ? dir : NULL };
	const struct template_spec t = {
		.protocol = PROTOCOL_SCRIPT,
		.interval_ms = 60000,
		.timeout_ms = timeout_ms,
		.recheck_ms = 100,
		.fall = 1,
		.rise = 1,
		.script = { "check", { args, n_args } },
	};
	struct outcome got = { 0 };
	struct buf output;
	struct addr a;

	if (body != NULL)
		write_script("check", body);
	assert_int_equal(addr_parse(&a, "192.0.2.7:8080", 0), 0);
	once_init(&o);
	buf_init(&output, 4096);
	o.runner.output = &output;

	struct recipe *r = recipe_new(&a, "www.example.com", &t, &options);

	runner_start(&o.runner, r);
	loop_run(o.loop);
	got.step = o.step;
	got.status = o.runner.probe.status;
	snprintf(got.cause, sizeof(got.cause), "%s", o.cause);
	snprintf(got.text, sizeof(got.text), "%s", o.text);
	snprintf(got.output, sizeof(got.output), "%s", buf_str(&output));
	assert_true(output.len <= 4096);
	buf_fini(&output);
	recipe_free(&r);
	once_fini(&o);
	return got;
}

static void
test_the_exit_status_decides(void **state UNUSED)
{
	struct outcome o = run("exit 0", NULL, 0, 20000, true);

	assert_int_equal(o.step, PROBE_PASS);
	o = run("exit 2", NULL, 0, 20000, true);
	assert_int_equal(o.step, PROBE_FAIL);
	assert_string_equal(o.cause, "script_exit");
	assert_int_equal(o.status, 2);
	o = run("kill -SEGV $$", NULL, 0, 20000, true);
	assert_int_equal(o.step, PROBE_FAIL);
	assert_string_equal(o.cause, "script_signal");
	assert_string_equal(o.text, "Segmentation fault");
}

static void
test_arguments_are_no_shell_s(void **state UNUSED)
{
	const char *args[] = { "-H", "{host}", "{address}:{port}", "a b;c $(d)", "{timeout_ms}",
		"{" };
	const struct outcome o =
	    run("for a in \"$@\"; do echo \"[$a]\"; done", args, ARRAY_LEN(args), 20000, true);

	assert_int_equal(o.step, PROBE_PASS);
	assert_string_equal(
	    o.output, "[-H]\n[www.example.com]\n[192.0.2.7:8080]\n[a b;c $(d)]\n[20000]\n[{]\n");
}

/* (A program that the shell starts could see the mask it has while it does so.)
 * Nothing of ours gets there: environment, descriptors, root, blocked signals, working directory.
 */
static void
test_nothing_is_inherited(void **state UNUSED)
{
	const int fd = open("/dev/null", O_RDONLY); /* not close-on-exec */
	sigset_t set, old;

	assert_true(fd > 2);
	assert_int_equal(setenv("GTM_SECRET", "x", 1), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &old);

	const struct outcome o =
	    run("echo \"${GTM_SECRET-unset} $PATH\"; pwd; "
		"for f in /proc/$$/fd/*; do n=${f##*/}; "
		"[ \"$n\" -gt 2 ] && [ \"$n\" -ne 10 ] && [ -e $f ] && echo \"fd $n\"; done; "
		"while read -r l; do case $l in SigBlk*|NoNewPrivs*) echo \"$l\";; esac; "
		"done </proc/$$/status; id -u",
		NULL, 0, 20000, true);
	char expected[256];

	sigprocmask(SIG_SETMASK, &old, NULL);
	close(fd);
	unsetenv("GTM_SECRET");
	snprintf(expected, sizeof(expected),
	    "unset /usr/local/bin:/usr/bin:/bin\n/\nSigBlk:\t0000000000000000\n"
	    "NoNewPrivs:\t1\n%u\n",
	    geteuid() == 0 ? 65534 : geteuid());
	assert_string_equal(o.output, expected);
	assert_int_equal(o.step, PROBE_PASS);
}

/* Far more than a pipe holds: read over, not waited for. */
static void
test_long_output(void **state UNUSED)
{
	const struct outcome o =
	    run("i=0; while [ $i -lt 3000 ]; do "
		"echo 0123456789012345678901234567890123456789; i=$((i+1)); done",
		NULL, 0, 20000, true);

	assert_int_equal(o.step, PROBE_PASS);
	assert_int_equal(strlen(o.output), 4096);
}

/* Ended with all its children, which say so by the end of the pipe that they hold. */
static void
test_time_is_up(void **state UNUSED)
{
	char fifo[64], body[256];

	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	assert_int_equal(mkfifo(fifo, 0666), 0);
	assert_int_equal(chmod(fifo, 0666), 0);

	const int end = open(fifo, O_RDWR | O_CLOEXEC);
	const int reader = open(fifo, O_RDONLY | O_CLOEXEC);
	char octets[8];

	snprintf(body, sizeof(body), "exec 9>%s; echo up >&9; sleep 1000 & sleep 1000", fifo);

	const struct outcome o = run(body, NULL, 0, 1500, true);

	assert_int_equal(o.step, PROBE_FAIL);
	assert_string_equal(o.cause, "script_timeout");
	close(end);
	while (read(reader, octets, sizeof(octets)) > 0) /* blocks while anybody holds it */
		continue;
	close(reader);
	unlink(fifo);
}

/* It ends, a child of it goes on and holds the pipe: the exit status counts, the child goes, too.
 */
static void
test_children_left_behind(void **state UNUSED)
{
	const struct outcome o = run("sleep 1000 & echo done", NULL, 0, 20000, true);

	assert_int_equal(o.step, PROBE_PASS);
	assert_string_equal(o.output, "done\n");
}

static void
test_what_cannot_be_run_has_no_outcome(void **state UNUSED)
{
	char path[64];
	struct outcome o = run("exit 1", NULL, 0, 20000, false);

	assert_int_equal(o.step, PROBE_STARVED);
	assert_non_null(strstr(o.text, "probe.scripts"));
	snprintf(path, sizeof(path), "%s/check", dir);
	assert_int_equal(unlink(path), 0);
#if !defined(__SANITIZE_THREAD__) /* its vfork is a fork */
	o = run(NULL, NULL, 0, 20000, true);
	assert_int_equal(o.step, PROBE_STARVED);
	assert_string_equal(o.text, "No such file or directory");
#endif
}

/* No descriptor and no zombie is left of a hundred scripts, every other one killed. */
static void
test_nothing_stays_behind(void **state UNUSED)
{
	const size_t before = descriptors();

	for (int i = 0; i < 30; i++) {
		const bool long_one = i % 2 == 1;

		run(long_one ? "sleep 1000" : "exit 0", NULL, 0, long_one ? 20 : 20000, true);
	}
	/* The last killed one may still be dying; the next script sees to it. */
	while (descriptors() != before || waitpid(-1, NULL, WNOHANG) != -1)
		assert_int_equal(run("exit 0", NULL, 0, 20000, true).step, PROBE_PASS);
	assert_int_equal(errno, ECHILD);
}

static int
make_dir(void **state UNUSED)
{
	return mkdtemp(dir) == NULL || chmod(dir, 0755) < 0 ? -1 : 0;
}

static int
remove_dir(void **state UNUSED)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/check", dir);
	unlink(path);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_exit_status_decides),
		cmocka_unit_test(test_arguments_are_no_shell_s),
		cmocka_unit_test(test_nothing_is_inherited),
		cmocka_unit_test(test_long_output),
		cmocka_unit_test(test_time_is_up),
		cmocka_unit_test(test_children_left_behind),
		cmocka_unit_test(test_what_cannot_be_run_has_no_outcome),
		cmocka_unit_test(test_nothing_stays_behind),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
