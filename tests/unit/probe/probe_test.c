/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/probe.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/sock.h"
#include "probe/protocol.h"
#include "probe/runner.h"

static const struct template_spec tcp = {
	.protocol = PROTOCOL_TCP,
	.interval_ms = 1000,
	.timeout_ms = 500,
	.fall = 1,
	.rise = 1,
};

static struct addr
parse(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text, 0), 0);
	return a;
}

static void
test_errors_are_named_by_layer(void **state)
{
	static const struct {
		int error;
		const char *cause;
	} rows[] = {
		{ ECONNREFUSED, "l4_refused" },
		{ ETIMEDOUT, "l4_timeout" },
		{ ECONNRESET, "l4_reset" },
		{ EHOSTUNREACH, "l4_unreachable" },
		{ ENETUNREACH, "l4_unreachable" },
		{ EACCES, "l4_error" },
		{ 12345, "l4_error" },
	};
	static const int ours[] = { EMFILE, ENFILE, ENOBUFS, EADDRNOTAVAIL, ENOMEM, EAGAIN };
	struct probe p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		probe_init(&p);
		assert_int_equal(probe_error(&p, rows[i].error), PROBE_FAIL);
		assert_string_equal(p.cause, rows[i].cause);
		assert_non_null(p.text);
	}
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		probe_init(&p);
		assert_int_equal(probe_error(&p, ours[i]), PROBE_STARVED);
		assert_string_equal(p.cause, "");
	}
}

/* A socket can connect to its own port: two SYNs that cross. Nobody listens, though. */
static void
test_meeting_itself_is_a_refusal(void **state)
{
	const struct addr any_port = parse("127.0.0.1:0");
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct addr own;
	struct probe p;

	(void)state;
	assert_int_equal(bind(fd, &any_port.sa, any_port.len), 0);
	assert_int_equal(sock_name(fd, &own), 0);
	assert_int_equal(connect(fd, &own.sa, own.len), 0);

	struct recipe *r = recipe_new(&own, NULL, &tcp, NULL);

	probe_init(&p);
	p.recipe = r;
	p.port = addr_port(&own);
	p.fd = fd;
	assert_int_equal(probe_connected(&p), PROBE_FAIL);
	assert_string_equal(p.cause, "l4_refused");
	probe_close(&p);
	recipe_free(&r);
}

/* Runs `t` against `listener`; was there a connection to accept afterwards? */
static bool
leaves_a_connection(int listener, const struct addr *at, const struct template_spec *t)
{
	struct recipe *r = recipe_new(at, NULL, t, NULL);
	enum probe_step step;
	struct probe p;

	probe_init(&p);
	step = probe_begin(&p, r);
	while (step == PROBE_READ || step == PROBE_WRITE) {
		struct pollfd io = { .fd = p.fd, .events = step == PROBE_READ ? POLLIN : POLLOUT };

		assert_int_equal(poll(&io, 1, 5000), 1);
		step = r->protocol->on_io(&p);
	}
	assert_int_equal(step, PROBE_PASS);
	probe_close(&p);
	probe_forget(&p);
	recipe_free(&r);

	const int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		assert_int_equal(errno, EAGAIN);
	else
		close(fd);
	return fd >= 0;
}

/* Who only asks whether they listen leaves nothing for their server to accept. */
static void
test_knock(void **state)
{
	static const char *const places[] = { "127.0.0.1:0", "[::1]:0" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct addr at = parse(places[i]);
		struct template_spec talking = tcp;
		const int fd =
		    socket(addr_family(&at), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (bind(fd, &at.sa, at.len) < 0 && i > 0)
			break; /* a machine without IPv6 */
		assert_int_equal(listen(fd, 8), 0);
		assert_int_equal(sock_name(fd, &at), 0);
		assert_false(leaves_a_connection(fd, &at, &tcp));
		talking.talk.send = "hello";
		assert_true(leaves_a_connection(fd, &at, &talking));
		close(fd);
	}
}

static enum probe_step outcome;

static void
note(struct runner *r UNUSED, enum probe_step step)
{
	outcome = step;
}

/* Without descriptors there is no outcome, and nothing stays behind. */
static void
test_starving(void **state)
{
	const struct addr target = parse("127.0.0.1:1");
	struct recipe *recipe = recipe_new(&target, NULL, &tcp, NULL);
	struct loop *loop = loop_new();
	struct rlimit before, none;
	struct runner r;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	runner_init(&r, loop, note);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	outcome = PROBE_READ;
	runner_start(&r, recipe);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);

	assert_int_equal(outcome, PROBE_STARVED);
	assert_int_equal(r.probe.fd, -1);
	assert_false(wheel_pending(&r.timeout));
	runner_cancel(&r);
	loop_free(&loop);
	recipe_free(&recipe);
}

static void
test_recipes_compare(void **state)
{
	const struct addr a = parse("192.0.2.1:80"), b = parse("192.0.2.1:81");
	struct template_spec web = tcp, slower = tcp;
	struct recipe *all[5];

	(void)state;
	web.protocol = PROTOCOL_HTTP;
	slower.interval_ms = 2000;
	all[0] = recipe_new(&a, NULL, &tcp, NULL);
	all[1] = recipe_new(&b, NULL, &tcp, NULL);
	all[2] = recipe_new(&a, NULL, &slower, NULL);
	all[3] = recipe_new(&a, NULL, &web, NULL);
	all[4] = recipe_new(&a, "www.example.com", &web, NULL);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		for (size_t j = 0; j < ARRAY_LEN(all); j++)
			assert_int_equal(recipe_equal(all[i], all[j]), i == j);
	}
	struct recipe *twin = recipe_new(&a, "www.example.com", &web, NULL);

	assert_true(recipe_equal(twin, all[4]));
	recipe_free(&twin);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		recipe_free(&all[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_are_named_by_layer),
		cmocka_unit_test(test_meeting_itself_is_a_refusal),
		cmocka_unit_test(test_knock),
		cmocka_unit_test(test_starving),
		cmocka_unit_test(test_recipes_compare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
