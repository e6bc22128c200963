/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a probe repeats within its time. Targets live in the probe's own loop and lose what they
 * are told to lose: the first `lost` datagrams, or connections by their number.
 */
#include "probe/runner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/sock.h"
#include "peer.h"

#define TIMEOUT_MS 800
#define CONNS      16

enum mood { GOOD, SILENT, RESET };

struct target {
	struct loop_fd io; /* a listener, or a datagram socket */
	struct addr addr;
	unsigned came; /* datagrams or connections */
	unsigned lost; /* datagrams: so many first ones */
	enum mood moods[CONNS];
	struct loop_fd conns[CONNS];
	struct wheel_timer later;
	void (*then)(struct target *t);
};

static struct loop *loop;
static struct runner runner;
static struct target target;
static struct recipe_options options;
static enum probe_step ended;
static const struct template_spec base = {
	.protocol = PROTOCOL_TCP,
	.interval_ms = 10000,
	.timeout_ms = TIMEOUT_MS,
	.fall = 1,
	.rise = 1,
	.dns = { .name = "www.example.com", .type = "A" },
};
static size_t begun, over, allowed;

/* -- targets -- */

static void
hear(struct loop_fd *io, uint32_t events UNUSED)
{
	struct target *t = container_of(io, struct target, io);
	struct addr from = { .len = sizeof(from.storage) };
	char data[512];
	const ssize_t n = recvfrom(io->fd, data, sizeof(data), 0, &from.sa, &from.len);

	assert_true(n > 2);
	if (t->came++ < t->lost)
		return;
	data[2] = (char)(data[2] | 0x80); /* to a DNS client: a reply, no error */
	assert_int_equal(sendto(io->fd, data, (size_t)n, 0, &from.sa, from.len), n);
}

static void
answer(struct loop_fd *io, uint32_t events UNUSED)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	const struct linger reset = { .l_onoff = 1 };
	const enum mood mood = target.moods[io - target.conns];
	const int fd = io->fd;
	char request[512];

	if (recv(fd, request, sizeof(request), MSG_DONTWAIT) > 0 && mood == SILENT)
		return;
	if (mood == GOOD)
		assert_int_equal(
		    send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL), sizeof(reply) - 1);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, mood == RESET ? sizeof(reset) : 0);
	loop_fd_del(loop, io);
	close(fd);
}

static void
take(struct loop_fd *io, uint32_t events UNUSED)
{
	struct target *t = container_of(io, struct target, io);
	const int fd = sock_accept(io->fd, NULL);

	assert_true(fd >= 0 && t->came < CONNS);
	assert_int_equal(loop_fd_add(loop, &t->conns[t->came++], fd, EPOLLIN, answer), 0);
}

static void
later(struct wheel_timer *timer)
{
	struct target *t = container_of(timer, struct target, later);

	t->then(t);
}

static void
open_target(int type)
{
	static struct addr any;
	const int fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memset(&target, 0, sizeof(target));
	wheel_timer_init(&target.later, later);
	assert_int_equal(addr_parse(&any, "127.0.0.1:0", 0), 0);
	assert_int_equal(bind(fd, &any.sa, any.len), 0);
	assert_int_equal(sock_name(fd, &target.addr), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(
	    loop_fd_add(loop, &target.io, fd, EPOLLIN, type == SOCK_STREAM ? take : hear), 0);
}

static void
close_target(void)
{
	loop_timer_cancel(loop, &target.later);
	for (size_t i = 0; i < CONNS; i++) {
		if (target.conns[i].ready == NULL)
			continue;
		loop_fd_del(loop, &target.conns[i]);
		close(target.conns[i].fd);
	}
	loop_fd_del(loop, &target.io);
	close(target.io.fd);
}

/* -- the probe -- */

static void
done(struct runner *r UNUSED, enum probe_step step)
{
	ended = step;
	loop_stop(loop);
}

static bool
lane_begins(struct runner *r UNUSED)
{
	if (begun - over >= allowed)
		return false;
	begun++;
	return true;
}

static void
lane_ended(struct runner *r UNUSED)
{
	over++;
}

static size_t
count_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* How long it took, in ms; its end is in `ended` and the runner. */
static uint64_t
probe(const struct template_spec *t, const struct addr *to)
{
	struct recipe *r = recipe_new(to, "a.example", t, &options);
	const uint64_t start_us = clock_mono_us();

	begun = over = 0;
	runner_start(&runner, r);
	loop_run(loop);
	recipe_free(&r);
	assert_int_equal(begun, over);
	assert_true(list_empty(&runner.lanes));
	assert_int_equal(runner.probe.fd, -1);
	return (clock_mono_us() - start_us) / 1000;
}

static void
assert_failed(const char *cause)
{
	assert_int_equal(ended, PROBE_FAIL);
	assert_string_equal(runner.probe.cause, cause);
}

static int
open_loop(void **state UNUSED)
{
	loop = loop_new();
	runner_init(&runner, loop, done);
	runner.lane_begins = lane_begins;
	runner.lane_ended = lane_ended;
	options = (struct recipe_options){ 0 };
	allowed = CONNS;
	return 0;
}

static int
close_loop(void **state UNUSED)
{
	close_target();
	loop_free(&loop);
	return 0;
}

/* -- datagrams -- */

/* Three of eight are lost, and it passes; all, and it does not; without repeats one is enough. (Not
 * seven: a machine that stalls for an eighth has one try less.) */
static void
lose_datagrams(const struct template_spec *t, const char *cause)
{
	open_target(SOCK_DGRAM);
	target.lost = 3;
	assert_true(probe(t, &target.addr) >= TIMEOUT_MS / 8 * 3);
	assert_int_equal(ended, PROBE_PASS);
	assert_int_equal(target.came, 4);
	target.came = 0;
	target.lost = UINT_MAX;
	assert_true(probe(t, &target.addr) >= TIMEOUT_MS);
	assert_failed(cause);
	assert_in_range(target.came, 3, 8);
	options.once = true;
	target.came = 0;
	target.lost = 1;
	assert_true(probe(t, &target.addr) >= TIMEOUT_MS);
	assert_failed(cause);
	assert_int_equal(target.came, 1);
	target.came = target.lost = 0;
	options.once = false;
	probe(t, &target.addr);
	assert_int_equal(ended, PROBE_PASS);
	assert_int_equal(target.came, 1);
}

static void
test_udp_is_sent_again(void **state UNUSED)
{
	struct template_spec t = base;

	t.protocol = PROTOCOL_UDP;
	t.talk.send = "hello";
	lose_datagrams(&t, "udp_timeout");
}

static void
test_dns_is_asked_again(void **state UNUSED)
{
	struct template_spec t = base;

	t.protocol = PROTOCOL_DNS;
	lose_datagrams(&t, "dns_timeout");
}

static void
stall(struct target *t UNUSED)
{
	const uint64_t until_ms = clock_mono_ms() + TIMEOUT_MS;

	while (clock_mono_ms() < until_ms)
		continue;
}

/* While this machine does nothing nobody repeats anything: a stall for all the timeout is no
 * failure of who has lost a packet. */
static void
test_a_stall_of_our_own(void **state UNUSED)
{
	struct template_spec t = base;

	t.protocol = PROTOCOL_UDP;
	t.talk.send = "hello";
	open_target(SOCK_DGRAM);
	target.lost = 2;
	target.then = stall;
	loop_timer_in(loop, &target.later, TIMEOUT_MS / 16);
	probe(&t, &target.addr);
	assert_int_equal(ended, PROBE_PASS);
	/* Once: who is dead as well is not waited for for ever. */
	target.lost = UINT_MAX;
	loop_timer_in(loop, &target.later, TIMEOUT_MS / 16);
	assert_in_range(probe(&t, &target.addr), TIMEOUT_MS * 3 / 2, TIMEOUT_MS * 4);
	assert_failed("udp_timeout");
}

/* -- connections -- */

/* The queue of the accepted, which was full so that SYNs were dropped, is read at last. */
static int crowd;

static void
hear_the_crowd(struct target *t UNUSED)
{
	int fd;

	while ((fd = sock_accept(crowd, NULL)) >= 0)
		close(fd);
}

/* The kernel would say its SYN again after a second, when the probe's time is long over. */
static void
test_a_lost_syn(void **state UNUSED)
{
	struct peer_deaf deaf;

	open_target(SOCK_STREAM);
	target.then = hear_the_crowd;
	for (int once = 0; once < 2; once++) {
		peer_deaf_open(&deaf);
		assert_int_equal(fcntl(deaf.listener, F_SETFL, O_NONBLOCK), 0);
		crowd = deaf.listener;
		options.once = once == 1;
		loop_timer_in(loop, &target.later, TIMEOUT_MS / 2);
		probe(&base, &deaf.addr);
		if (options.once)
			assert_failed("l4_timeout");
		else
			assert_int_equal(ended, PROBE_PASS);
		assert_int_equal(begun > 0, !options.once);
		peer_deaf_close(&deaf);
	}
}

/* A connection whose request or reply gets lost: at half time there is another. */
static void
test_a_lost_reply(void **state UNUSED)
{
	struct template_spec t = base;

	t.protocol = PROTOCOL_HTTP;
	open_target(SOCK_STREAM);
	target.moods[0] = SILENT;
	assert_true(probe(&t, &target.addr) >= TIMEOUT_MS / 2);
	assert_int_equal(ended, PROBE_PASS);
	assert_int_equal(runner.probe.status, 200);
	assert_in_range(runner.probe.connect_us, TIMEOUT_MS * 500, runner.probe.first_byte_us);
	assert_int_equal(target.came, 2);
	close_target();

	options.once = true;
	open_target(SOCK_STREAM);
	target.moods[0] = SILENT;
	probe(&t, &target.addr);
	assert_failed("http_timeout");
	assert_int_equal(target.came, 1);
}

/* Whoever has heard it and says nothing is asked twice, not eight times. */
static void
test_silence_costs_one_more(void **state UNUSED)
{
	struct template_spec t = base;

	t.protocol = PROTOCOL_HTTP;
	open_target(SOCK_STREAM);
	target.moods[0] = target.moods[1] = SILENT;
	assert_true(probe(&t, &target.addr) >= TIMEOUT_MS);
	assert_failed("http_timeout");
	assert_int_equal(target.came, 2);
}

/* An answer is no loss, on whichever connection it comes. */
static void
test_a_reset_decides_at_once(void **state UNUSED)
{
	struct template_spec t = base;

	t.protocol = PROTOCOL_HTTP;
	open_target(SOCK_STREAM);
	target.moods[0] = SILENT;
	target.moods[1] = RESET;
	assert_true(probe(&t, &target.addr) >= TIMEOUT_MS / 2);
	assert_failed("l4_reset");
	close_target();

	open_target(SOCK_STREAM);
	target.moods[0] = RESET;
	probe(&t, &target.addr);
	assert_failed("l4_reset");
	assert_int_equal(target.came, 1);
}

static void
speak_at_last(struct target *t)
{
	t->moods[0] = GOOD;
	answer(&t->conns[0], EPOLLIN);
}

/* Slow is not lost: the first connection has all the time there is. */
static void
test_slow_has_its_time(void **state UNUSED)
{
	struct template_spec t = base;

	t.protocol = PROTOCOL_HTTP;
	open_target(SOCK_STREAM);
	target.moods[0] = target.moods[1] = SILENT;
	target.then = speak_at_last;
	loop_timer_in(loop, &target.later, TIMEOUT_MS * 3 / 4);
	assert_true(probe(&t, &target.addr) >= TIMEOUT_MS * 3 / 4);
	assert_int_equal(ended, PROBE_PASS);
	assert_in_range(runner.probe.connect_us, 1, TIMEOUT_MS * 500);
}

static void
test_nothing_lost_costs_nothing(void **state UNUSED)
{
	struct template_spec t = base;

	t.protocol = PROTOCOL_HTTP;
	open_target(SOCK_STREAM);
	probe(&t, &target.addr);
	assert_int_equal(ended, PROBE_PASS);
	assert_int_equal(begun, 0);
	assert_int_equal(target.came, 1);
}

/* Where there is no room, or no need, the first connection goes on alone. */
static void
test_lanes_are_refused(void **state UNUSED)
{
	struct template_spec t = base;

	t.protocol = PROTOCOL_HTTP;
	for (int i = 0; i < 2; i++) {
		open_target(SOCK_STREAM);
		target.moods[0] = SILENT;
		allowed = i == 0 ? 0 : CONNS;
		runner.sparing = i == 1;
		probe(&t, &target.addr);
		assert_failed("http_timeout");
		assert_int_equal(target.came, 1);
		if (i == 0)
			close_target();
	}
}

/* Cancelled in the middle: nothing is left, neither lanes nor descriptors. */
static void
stop(struct target *t UNUSED)
{
	runner_cancel(&runner);
	loop_stop(loop);
}

static void
test_cancelled_with_lanes(void **state UNUSED)
{
	struct peer_deaf deaf;

	open_target(SOCK_STREAM);
	peer_deaf_open(&deaf);

	const size_t files = count_files();

	target.then = stop;
	loop_timer_in(loop, &target.later, TIMEOUT_MS / 2);
	assert_true(probe(&base, &deaf.addr) >= TIMEOUT_MS / 2 - 1);
	assert_in_range(begun, 1, 7);
	assert_int_equal(count_files(), files);
	peer_deaf_close(&deaf);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_loop, close_loop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_udp_is_sent_again),
		TEST(test_dns_is_asked_again),
		TEST(test_a_stall_of_our_own),
		TEST(test_a_lost_syn),
		TEST(test_a_lost_reply),
		TEST(test_silence_costs_one_more),
		TEST(test_a_reset_decides_at_once),
		TEST(test_slow_has_its_time),
		TEST(test_nothing_lost_costs_nothing),
		TEST(test_lanes_are_refused),
		TEST(test_cancelled_with_lanes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
