/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "feed/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"

struct end {
	struct loop *loop;
	struct link *link;
	size_t messages, bytes;
	size_t stop_after;
	bool takes; /* messages over, and looks at them as frames */
	const char *closed;
};

static void
on_message(void *arg, enum message_type type, const uint8_t *body, size_t len)
{
	struct end *e = arg;
	struct buf frame = { .data = NULL };
	assert_int_equal(type, MESSAGE_CHANGE);
	if (e->takes) {
		link_take(e->link, &frame);
		assert_int_equal(frame.len, LINK_HEADER + len);
		body = frame.data + LINK_HEADER;
	}
	for (size_t i = 0; i < len; i++)
		assert_int_equal(body[i], (uint8_t)(len + i));
	buf_fini(&frame);
	e->bytes += len;
	if (++e->messages == e->stop_after)
		loop_stop(e->loop);
}

static void
on_closed(void *arg, const char *why)
{
	struct end *e = arg;
	e->closed = why;
	loop_stop(e->loop);
}

static void
connect_pair(struct loop *loop, struct end *a, struct end *b)
{
	int fds[2];
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	*a = *b = (struct end){ .loop = loop };
	a->link = link_new(loop, fds[0], &(struct link_hooks){ a, on_message, on_closed });
	b->link = link_new(loop, fds[1], &(struct link_hooks){ b, on_message, on_closed });
}

static void
send_pattern(struct link *l, size_t len)
{
	uint8_t *body = xmalloc(len + 1);
	for (size_t i = 0; i < len; i++)
		body[i] = (uint8_t)(len + i);
	link_send(l, MESSAGE_CHANGE, body, len);
	free(body);
}

/* Small and huge frames, more than the socket takes at once, arrive whole and in order. */
static void
test_frames(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0, 1, 5, 65531, 65536, 70000, 3000000, 2 };
	struct loop *loop = loop_new();
	struct end a, b;
	connect_pair(loop, &a, &b);
	size_t total = 0;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		send_pattern(a.link, sizes[i]);
		total += sizes[i];
	}
	b.stop_after = ARRAY_LEN(sizes);
	loop_run(loop);
	assert_int_equal(b.messages, ARRAY_LEN(sizes));
	assert_int_equal(b.bytes, total);
	link_free(&a.link);
	link_free(&b.link);
	loop_free(&loop);
}

static void
send_pattern_frame(struct link *l, size_t len)
{
	struct buf frame;
	buf_init(&frame, SIZE_MAX);
	buf_put(&frame, "header", LINK_HEADER);
	for (size_t i = 0; i < len; i++)
		buf_put_u8(&frame, (uint8_t)(len + i));
	link_send_frame(l, MESSAGE_CHANGE, &frame);
	assert_null(frame.data);
}

/* News waits for other news, and goes with what does not wait; none of it waits for long. */
static void
test_news_waits_a_little(void **state)
{
	(void)state;
	struct loop *loop = loop_new();
	struct end a, b;
	connect_pair(loop, &a, &b);
	uint64_t began = clock_mono_ms();
	for (int i = 0; i < 3; i++)
		link_send_news(a.link, MESSAGE_CHANGE, "\1", 1);
	b.stop_after = 3;
	loop_run(loop);
	assert_int_equal(b.messages, 3);
	assert_true(clock_mono_ms() - began >= LINK_IDLE_MS);

	/* Between news: all of it is there in the turn of what is in a hurry. */
	link_send_news(a.link, MESSAGE_CHANGE, "\1", 1);
	link_send(a.link, MESSAGE_CHANGE, "\1", 1);
	link_send_news(a.link, MESSAGE_CHANGE, "\1", 1);
	b.stop_after = 4;
	loop_run(loop);
	assert_int_equal(b.messages, 6);

	/* Nor is it lost with the link. */
	link_send_news(a.link, MESSAGE_CHANGE, "\1", 1);
	link_free(&a.link);
	loop_run(loop);
	assert_int_equal(b.messages, 7);
	link_free(&b.link);
	loop_free(&loop);
}

/* Frames that are given and taken without copies, between others; also several in one read. */
static void
test_frames_are_taken(void **state)
{
	(void)state;
	static const size_t sizes[] = { 1, 3000000, 5, 1, 70000, 1, 1, 65531, 3000000, 3000000, 2 };
	for (int turn = 0; turn < 4; turn++) {
		struct loop *loop = loop_new();
		struct end a, b;
		connect_pair(loop, &a, &b);
		b.takes = turn & 1;
		size_t total = 0;
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			if ((turn & 2) && i % 2)
				send_pattern(a.link, sizes[i]);
			else
				send_pattern_frame(a.link, sizes[i]);
			total += sizes[i];
		}
		b.stop_after = ARRAY_LEN(sizes);
		loop_run(loop);
		assert_int_equal(b.messages, ARRAY_LEN(sizes));
		assert_int_equal(b.bytes, total);
		link_free(&a.link);
		link_free(&b.link);
		loop_free(&loop);
	}
}

static void
test_the_end_is_told(void **state)
{
	(void)state;
	struct loop *loop = loop_new();
	struct end a, b;
	connect_pair(loop, &a, &b);
	send_pattern(a.link, 10);
	link_free(&a.link);
	loop_run(loop);
	assert_int_equal(b.messages, 1);
	assert_string_equal(b.closed, "closed by the peer");
	link_free(&b.link);
	loop_free(&loop);
}

static void
test_nonsense_is_cut_off(void **state)
{
	(void)state;
	struct loop *loop = loop_new();
	struct end b = { .loop = loop };
	int fds[2];
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	b.link = link_new(loop, fds[1], &(struct link_hooks){ &b, on_message, on_closed });
	assert_int_equal(write(fds[0], "\xff\xff\xff\xff\x02", 5), 5);
	loop_run(loop);
	assert_string_equal(b.closed, "a frame of impossible length");
	link_free(&b.link);
	close(fds[0]);
	loop_free(&loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_news_waits_a_little),
		cmocka_unit_test(test_frames_are_taken),
		cmocka_unit_test(test_the_end_is_told),
		cmocka_unit_test(test_nonsense_is_cut_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
