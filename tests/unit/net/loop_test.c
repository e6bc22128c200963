/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

static struct loop *loop;

static int
open_loop(void **state)
{
	(void)state;
	loop = loop_new();
	return 0;
}

static int
close_loop(void **state)
{
	(void)state;
	loop_free(&loop);
	assert_null(loop);
	loop_free(&loop);
	return 0;
}

static int
ready_fd(void)
{
	const int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void
stop(struct wheel_timer *t)
{
	(void)t;
	loop_stop(loop);
}

static void
run_for(uint64_t ms)
{
	struct wheel_timer end;

	wheel_timer_init(&end, stop);
	loop_timer_in(loop, &end, ms);
	loop_run(loop);
}

/* Timers */

struct alarm {
	struct wheel_timer timer;
	uint64_t set_us, delay_ms;
	size_t shots;
};

static size_t alarms_due;

static void
check_alarm(struct wheel_timer *t)
{
	struct alarm *a = container_of(t, struct alarm, timer);

	a->shots++;
	assert_true(clock_mono_us() - a->set_us >= a->delay_ms * 1000);
	assert_true(loop_now_ms(loop) >= t->due_ms);
	if (--alarms_due == 0)
		loop_stop(loop);
}

static void
test_timers_are_never_early(void **state)
{
	static struct alarm alarms[80];

	(void)state;
	alarms_due = ARRAY_LEN(alarms);
	for (size_t i = 0; i < ARRAY_LEN(alarms); i++) {
		struct alarm *a = &alarms[i];

		wheel_timer_init(&a->timer, check_alarm);
		a->delay_ms = i;
		a->set_us = clock_mono_us();
		loop_timer_in(loop, &a->timer, i);
		usleep(137);
	}
	loop_run(loop);
	for (size_t i = 0; i < ARRAY_LEN(alarms); i++)
		assert_int_equal(alarms[i].shots, 1);
}

/* Messages */

#define POSTERS 4
#define POSTS   5000

static uintptr_t next_post[POSTERS];
static size_t posts_handled;

static void
take_post(void *arg)
{
	const uintptr_t n = (uintptr_t)arg;

	assert_int_equal(n % POSTS, next_post[n / POSTS]++);
	if (++posts_handled == POSTERS * POSTS)
		loop_stop(loop);
}

static void *
post_all(void *arg)
{
	const uintptr_t base = (uintptr_t)arg * POSTS;

	for (uintptr_t i = 0; i < POSTS; i++)
		loop_post(loop, take_post, (void *)(base + i));
	return NULL;
}

static void
test_posts_arrive_all_and_in_order(void **state)
{
	pthread_t threads[POSTERS];

	(void)state;
	for (uintptr_t i = 0; i < POSTERS; i++)
		thread_start(&threads[i], "poster", post_all, (void *)i);
	loop_run(loop);
	for (size_t i = 0; i < POSTERS; i++)
		thread_join(threads[i]);
	assert_int_equal(posts_handled, POSTERS * POSTS);
}

#define FLOOD 1000

static unsigned flooded;
static int flood_pipe[2];
static struct loop_fd flood_watch;
static unsigned flooded_when_read;

static void
take_flood(void *arg)
{
	(void)arg;
	if (flooded++ == 0)
		assert_int_equal(write(flood_pipe[1], "!", 1), 1);
	if (flooded == FLOOD)
		loop_stop(loop);
}

static void
read_flood(struct loop_fd *f, uint32_t events)
{
	char c;

	(void)events;
	assert_int_equal(read(f->fd, &c, 1), 1);
	flooded_when_read = flooded;
}

/* A descriptor that is ready has its turn long before a thousand messages are through. */
static void
test_posts_leave_room_for_io(void **state)
{
	(void)state;
	assert_int_equal(pipe(flood_pipe), 0);
	assert_int_equal(loop_fd_add(loop, &flood_watch, flood_pipe[0], EPOLLIN, read_flood), 0);
	for (int i = 0; i < FLOOD; i++)
		loop_post(loop, take_flood, NULL);
	loop_run(loop);
	assert_int_equal(flooded, FLOOD);
	assert_in_range(flooded_when_read, 1, FLOOD / 4);
	loop_fd_del(loop, &flood_watch);
	close(flood_pipe[0]);
	close(flood_pipe[1]);
}

/* What is done later */

static struct loop_later put_off, given_up;
static unsigned asked, done_later, asked_when_done;

static void
do_later(struct loop_later *later)
{
	(void)later;
	done_later++;
	asked_when_done = asked;
	loop_stop(loop);
}

static void
give_up(struct loop_later *later)
{
	(void)later;
	fail_msg("called after it was given up");
}

static void
ask_for_later(void *arg)
{
	(void)arg;
	asked++;
	loop_later(loop, &put_off);
	loop_later(loop, &given_up);
	if (asked == 3)
		loop_later_cancel(&given_up);
}

/* Before the loop ran, and behind all messages of a turn: once. */
static void
test_later_is_once_a_turn(void **state)
{
	(void)state;
	loop_later_init(&put_off, do_later);
	loop_later_init(&given_up, give_up);
	loop_later(loop, &put_off);
	loop_run(loop);
	assert_int_equal(done_later, 1);
	for (int i = 0; i < 3; i++)
		loop_post(loop, ask_for_later, NULL);
	loop_run(loop);
	assert_int_equal(done_later, 2);
	assert_int_equal(asked_when_done, 3);
	loop_later_cancel(&put_off); /* not asked for: harmless */
}

static void *
stop_soon(void *arg)
{
	usleep(20000);
	loop_stop(arg);
	return NULL;
}

static void
test_stop(void **state)
{
	pthread_t t;

	(void)state;
	loop_stop(loop); /* before */
	loop_run(loop);
	thread_start(&t, "stopper", stop_soon, loop); /* from elsewhere, into a sleep */
	loop_run(loop);
	thread_join(t);
}

static void
never(void *arg)
{
	(void)arg;
	fail();
}

static void
test_messages_left_are_dropped(void **state)
{
	(void)state;
	loop_post(loop, never, NULL);
}

/* Descriptors */

static struct loop_fd *pair[2];
static size_t pair_calls;

static void
drop(struct loop_fd **f)
{
	const int fd = (*f)->fd;

	loop_fd_del(loop, *f);
	close(fd);
	free(*f);
	*f = NULL;
}

static void
drop_both(struct loop_fd *f, uint32_t events)
{
	assert_int_equal(events, EPOLLIN);
	assert_true(f == pair[0] || f == pair[1]);
	pair_calls++;
	drop(&pair[0]);
	drop(&pair[1]);
}

/* Both are ready in one batch; whichever comes first frees itself and the other. */
static void
test_deletion_inside_a_callback(void **state)
{
	(void)state;
	pair_calls = 0;
	for (size_t i = 0; i < 2; i++) {
		pair[i] = xcalloc(1, sizeof(*pair[i]));
		assert_int_equal(loop_fd_add(loop, pair[i], ready_fd(), EPOLLIN, drop_both), 0);
	}
	run_for(5);
	assert_int_equal(pair_calls, 1);
}

static size_t calls;

static void
count_call(struct loop_fd *f, uint32_t events)
{
	(void)f;
	(void)events;
	calls++;
}

static void
test_mod_and_del(void **state)
{
	struct loop_fd f = { 0 };
	const int fd = ready_fd();

	(void)state;
	loop_fd_del(loop, &f); /* never watched */
	calls = 0;
	assert_int_equal(loop_fd_add(loop, &f, fd, 0, count_call), 0);
	run_for(3);
	assert_int_equal(calls, 0);
	loop_fd_mod(loop, &f, EPOLLIN);
	run_for(3);
	assert_true(calls > 0);
	loop_fd_del(loop, &f);
	loop_fd_del(loop, &f);
	calls = 0;
	run_for(3);
	assert_int_equal(calls, 0);
	close(fd);

	const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	assert_int_equal(loop_fd_add(loop, &f, file, EPOLLIN, count_call), -EPERM);
	close(file);
}

/*
 * A stalled loop: a question has its time-out, the answer comes in time, but the loop is busy with
 * something else until long after. There are more answers than fit in one batch.
 */
#define QUESTIONS 400

static struct question {
	struct loop_fd f;
	struct wheel_timer timeout;
} questions[QUESTIONS];

static size_t answered, timed_out;

static void
take_answer(struct loop_fd *f, uint32_t events)
{
	struct question *q = container_of(f, struct question, f);

	(void)events;
	answered++;
	loop_timer_cancel(loop, &q->timeout);
	loop_fd_del(loop, f);
}

static void
time_out(struct wheel_timer *t)
{
	(void)t;
	timed_out++;
}

static void
stall(void)
{
	usleep(10000);
	for (size_t i = 0; i < QUESTIONS; i++)
		assert_int_equal(eventfd_write(questions[i].f.fd, 1), 0);
	usleep(40000);
}

static void
stall_in_timer(struct wheel_timer *t)
{
	(void)t;
	stall();
}

static void
stall_in_io(struct loop_fd *f, uint32_t events)
{
	(void)events;
	loop_fd_del(loop, f);
	stall();
}

static void
ask(void)
{
	answered = timed_out = 0;
	for (size_t i = 0; i < QUESTIONS; i++) {
		struct question *q = &questions[i];
		const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

		assert_true(fd >= 0);
		assert_int_equal(loop_fd_add(loop, &q->f, fd, EPOLLIN, take_answer), 0);
		wheel_timer_init(&q->timeout, time_out);
		loop_timer_in(loop, &q->timeout, 30);
	}
}

static void
assert_all_answered(void)
{
	run_for(80);
	for (size_t i = 0; i < QUESTIONS; i++)
		close(questions[i].f.fd);
	assert_int_equal(answered, QUESTIONS);
	assert_int_equal(timed_out, 0);
}

static void
test_answers_go_before_timeouts(void **state)
{
	struct wheel_timer t;
	struct loop_fd f;
	const int fd = ready_fd();

	(void)state;
	ask();
	wheel_timer_init(&t, stall_in_timer);
	loop_timer_in(loop, &t, 1);
	assert_all_answered();

	ask();
	assert_int_equal(loop_fd_add(loop, &f, fd, EPOLLIN, stall_in_io), 0);
	assert_all_answered();
	close(fd);
}

static void
test_endless_io_does_not_starve_timers(void **state)
{
	static struct loop_fd busy[300]; /* more than a batch, always ready */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(busy); i++)
		assert_int_equal(loop_fd_add(loop, &busy[i], ready_fd(), EPOLLIN, count_call), 0);
	run_for(5); /* ends */
	for (size_t i = 0; i < ARRAY_LEN(busy); i++)
		close(busy[i].fd);
}

/* Hooks */

static int depth;
static size_t sleeps;

static void
go_offline(void *arg)
{
	assert_ptr_equal(arg, &depth);
	assert_int_equal(depth++, 0);
}

static void
come_online(void *arg)
{
	assert_ptr_equal(arg, &depth);
	assert_int_equal(--depth, 0);
	sleeps++;
}

static void
post_online(void *arg)
{
	(void)arg;
	assert_int_equal(depth, 0);
	calls++;
}

static void
test_hooks_surround_sleep_only(void **state)
{
	(void)state;
	calls = 0;
	loop_hooks(loop, go_offline, come_online, &depth);
	loop_post(loop, post_online, NULL);
	run_for(5);
	assert_int_equal(calls, 1);
	assert_int_equal(depth, 0);
	assert_true(sleeps >= 2);
}

#define LOOP_TEST(test) cmocka_unit_test_setup_teardown(test, open_loop, close_loop)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LOOP_TEST(test_timers_are_never_early),
		LOOP_TEST(test_posts_arrive_all_and_in_order),
		LOOP_TEST(test_posts_leave_room_for_io),
		LOOP_TEST(test_later_is_once_a_turn),
		LOOP_TEST(test_stop),
		LOOP_TEST(test_messages_left_are_dropped),
		LOOP_TEST(test_deletion_inside_a_callback),
		LOOP_TEST(test_mod_and_del),
		LOOP_TEST(test_answers_go_before_timeouts),
		LOOP_TEST(test_endless_io_does_not_starve_timers),
		LOOP_TEST(test_hooks_surround_sleep_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
