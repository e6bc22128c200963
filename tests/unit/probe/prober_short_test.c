/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where descriptors, caps and connections are short, nothing is lost and nobody fails for it. */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "peer.h"
#include "world.h"

static size_t
open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* The peer closes what it has accepted when it comes to it. */
static bool
files_come_down_to(size_t n)
{
	const uint64_t until_ms = clock_mono_ms() + 10000;

	while (open_files() != n && clock_mono_ms() < until_ms)
		sched_yield();
	return open_files() == n;
}

static void
test_no_descriptor_is_lost(void **state)
{
	static struct world w;
	const struct addr closed = peer_refusing();
	struct template_spec web = world_tcp, slow = world_tcp;
	struct peer_deaf deaf;
	struct peer p;

	(void)state;
	web.protocol = PROTOCOL_HTTP;
	slow.timeout_ms = HOUR_MS - 1;
	assert_true(peer_start(&p, "127.0.0.1:0", OK_REPLY));
	peer_deaf_open(&deaf);

	const size_t before = open_files();

	world_open(&w);
	prober_start(w.prober);
	for (uint32_t i = 0; i < 500; i++) {
		switch (i % 5) {
		case 0:
			world_want(&w, i, &deaf.addr, &slow);
			break;
		case 1:
			world_want(&w, i, &closed, &world_tcp);
			break;
		default:
			world_want(&w, i, &p.addr, i % 2 ? &web : &world_tcp);
		}
	}
	for (uint32_t i = 0; i < 500; i++) {
		if (i % 5 != 0)
			world_await(&w, &w.edges[i], 1);
		if (i % 10 == 0)
			world_drop(&w, i);
	}
	prober_free(&w.prober);
	assert_true(files_come_down_to(before));
	world_close(&w);
	peer_deaf_close(&deaf);
	peer_stop(&p);
}

/* Our want of descriptors is told to the log, not held against the target. */
static void
test_starving_is_no_failure(void **state)
{
	static struct world w;
	struct rlimit before, none;
	char line[512] = "";
	struct peer p;
	int out[2];

	(void)state;
	assert_true(peer_start(&p, "127.0.0.1:0", NULL));
	world_open(&w);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	const int stderr_fd = dup(STDERR_FILENO);

	dup2(out[1], STDERR_FILENO);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	world_want(&w, 0, &p.addr, &world_tcp);
	prober_start(w.prober);
	const ssize_t n = read(out[0], line, sizeof(line) - 1);

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	dup2(stderr_fd, STDERR_FILENO);
	assert_true(n > 0);
	assert_non_null(strstr(line, "Too many open files"));
	world_await_verdict(&w, 0, 1, FLAP_UP, "");
	world_close(&w);
	close(stderr_fd);
	close(out[0]);
	close(out[1]);
	peer_stop(&p);
}

/* 60 checks of one host, 20 a second and 20 at once: the last one waits for two seconds, and nobody
 * fails for it. */
static void
test_a_cap_delays_and_never_fails(void **state)
{
	enum { N = 60 };
	static struct world w;
	const struct prober_settings settings = { .host_rate = 20 };
	struct template_spec t = world_tcp;
	struct peer p;

	(void)state;
	t.fall = 1;
	t.timeout_ms = 1500; /* shorter than what the last ones wait */
	assert_true(peer_start(&p, "127.0.0.1:0", NULL));
	world_open_with(&w, &settings);
	prober_start(w.prober);

	const uint64_t began = clock_mono_ms();

	for (uint32_t i = 0; i < N; i++)
		world_want(&w, i, &p.addr, &t);
	for (uint32_t i = 0; i < N; i++)
		world_await_verdict(&w, i, 1, FLAP_UP, "");
	assert_true(clock_mono_ms() - began >= (N - 20) * 1000 / 20 - 50);
	world_await(&w, &w.late, 1);

	json_t *metrics = prober_metrics(w.prober);

	assert_true(json_integer_value(json_object_get(metrics, "probes_delayed")) >= N - 21);
	json_decref(metrics);
	world_close(&w);
	peer_stop(&p);
}

/* Four connections at most, all of them held by somebody silent: others wait, then pass. */
static void
test_connections_are_capped(void **state)
{
	enum { SILENT = 4, N = 12 };
	static struct world w;
	const struct prober_settings settings = { .connections = SILENT };
	struct template_spec t = world_tcp, slow = world_tcp;
	struct peer_deaf deaf;
	struct peer p;

	(void)state;
	slow.timeout_ms = 400;
	assert_true(peer_start(&p, "127.0.0.1:0", NULL));
	peer_deaf_open(&deaf);
	world_open_with(&w, &settings);
	for (uint32_t i = 0; i < SILENT; i++)
		world_want(&w, i, &deaf.addr, &slow);
	for (uint32_t i = SILENT; i < N; i++)
		world_want(&w, i, &p.addr, &t);
	prober_start(w.prober);
	for (uint32_t i = SILENT; i < N; i++)
		world_await_verdict(&w, i, 1, FLAP_UP, "");
	for (uint32_t i = 0; i < SILENT; i++)
		world_await_verdict(&w, i, 1, FLAP_DOWN, "l4_timeout");
	/* Dropped while it waits, while it flies: the others come to their turn. */
	for (uint32_t i = 0; i < N; i++)
		world_drop(&w, i);
	world_close(&w);
	peer_deaf_close(&deaf);
	peer_stop(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_descriptor_is_lost),
		cmocka_unit_test(test_starving_is_no_failure),
		cmocka_unit_test(test_a_cap_delays_and_never_fails),
		cmocka_unit_test(test_connections_are_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
