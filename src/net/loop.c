/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"

#define BATCH        256
#define ROUNDS_MAX   16 /* I/O that does not end must not starve the timers */
#define RUN_MAX      64 /* messages, before I/O and timers have their turn */
#define SLEEP_MAX_MS 3600000u

struct message {
	struct message *next;
	void (*run)(void *arg);
	void *arg;
};

struct loop {
	uint32_t magic;
#define LOOP_MAGIC 0x6c6f6f70u
	int epoll;
	struct loop_fd wake; /* an eventfd */
	atomic_bool stopped;
	bool copies; /* of descriptors in children */
	uint64_t now_ms;
	struct wheel wheel;

	/* What epoll_wait gave; entries before `next` are handled, deleted ones have no ptr. */
	struct epoll_event batch[BATCH];
	int batch_len, batch_next;

	struct list later; /* struct loop_later */

	pthread_mutex_t lock; /* of the messages */
	struct message *first, **last;
	struct message *taken; /* of them, and not run yet: the loop's own */

	void (*before)(void *arg);
	void (*after)(void *arg);
	void *hook_arg;
};

/* Async-signal-safe. A full counter (EAGAIN) wakes as well. */
static void
wake_up(struct loop *l)
{
	const uint64_t one = 1;
	const ssize_t n = write(l->wake.fd, &one, sizeof(one));

	(void)n;
}

static struct message *
take_messages(struct loop *l)
{
	pthread_mutex_lock(&l->lock);
	struct message *m = l->first;

	l->first = NULL;
	l->last = &l->first;
	pthread_mutex_unlock(&l->lock);
	return m;
}

static void
free_messages(struct message *m)
{
	while (m != NULL) {
		struct message *next = m->next;

		free(m);
		m = next;
	}
}

/* Emptied before the messages are taken: one posted in between wakes the loop once more. */
static void
woken(struct loop_fd *f, uint32_t events UNUSED)
{
	struct loop *l = container_of(f, struct loop, wake);
	uint64_t count;
	const ssize_t n = read(f->fd, &count, sizeof(count));

	(void)n;
	for (int i = 0; i < RUN_MAX; i++) {
		if (l->taken == NULL)
			l->taken = take_messages(l);
		if (l->taken == NULL)
			return;

		struct message *m = l->taken;

		l->taken = m->next;
		m->run(m->arg);
		free(m);
	}
	wake_up(l); /* there may be more */
}

struct loop *
loop_new(void)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	l->magic = LOOP_MAGIC;
	l->now_ms = clock_mono_ms();
	l->last = &l->first;
	wheel_init(&l->wheel, l->now_ms);
	list_init(&l->later);
	CHECK(pthread_mutex_init(&l->lock, NULL) == 0);

	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	CHECK(l->epoll >= 0);

	const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(loop_fd_add(l, &l->wake, fd, EPOLLIN, woken) == 0);
	return l;
}

void
loop_free(struct loop **lp)
{
	struct loop *l = *lp;

	if (l == NULL)
		return;
	OBJ_CHECK(l, LOOP_MAGIC);
	free_messages(l->taken);
	free_messages(take_messages(l));
	wheel_fini(&l->wheel);
	pthread_mutex_destroy(&l->lock);
	close(l->wake.fd);
	close(l->epoll);
	l->magic = 0;
	free(l);
	*lp = NULL;
}

int
loop_fd_add(struct loop *l, struct loop_fd *f, int fd, uint32_t events,
    void (*ready)(struct loop_fd *f, uint32_t events))
{
	struct epoll_event e = { .events = events, .data.ptr = f };

	OBJ_CHECK(l, LOOP_MAGIC);
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		return -errno;
	*f = (struct loop_fd){ .fd = fd, .events = events, .ready = ready };
	return 0;
}

void
loop_fd_mod(struct loop *l, struct loop_fd *f, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = f };

	OBJ_CHECK(l, LOOP_MAGIC);
	if (events == f->events)
		return;
	CHECK(epoll_ctl(l->epoll, EPOLL_CTL_MOD, f->fd, &e) == 0);
	f->events = events;
}

static void
forget(struct loop *l, struct loop_fd *f)
{
	OBJ_CHECK(l, LOOP_MAGIC);
	if (f->ready == NULL)
		return;
	f->ready = NULL;
	for (int i = l->batch_next; i < l->batch_len; i++) {
		if (l->batch[i].data.ptr == f)
			l->batch[i].data.ptr = NULL;
	}
}

void
loop_fd_del(struct loop *l, struct loop_fd *f)
{
	if (f->ready != NULL)
		CHECK(epoll_ctl(l->epoll, EPOLL_CTL_DEL, f->fd, NULL) == 0);
	forget(l, f);
}

void
loop_fd_drop(struct loop *l, struct loop_fd *f)
{
	if (l->copies)
		loop_fd_del(l, f);
	else
		forget(l, f);
}

void
loop_copies(struct loop *l)
{
	l->copies = true;
}

uint64_t
loop_now_ms(const struct loop *l)
{
	return l->now_ms;
}

void
loop_timer_at(struct loop *l, struct wheel_timer *t, uint64_t due_ms)
{
	OBJ_CHECK(l, LOOP_MAGIC);
	wheel_set(&l->wheel, t, due_ms);
}

/* From a fresh clock, rounded up: a delay that began in the middle of a tick ends after it. */
void
loop_timer_in(struct loop *l, struct wheel_timer *t, uint64_t delay_ms)
{
	const uint64_t now_ms = delay_ms == 0 ? 0 : (clock_mono_us() + 999) / 1000;

	loop_timer_at(l, t, now_ms + delay_ms);
}

void
loop_timer_cancel(struct loop *l, struct wheel_timer *t)
{
	OBJ_CHECK(l, LOOP_MAGIC);
	wheel_cancel(&l->wheel, t);
}

void
loop_post(struct loop *l, void (*run)(void *arg), void *arg)
{
	struct message *m = xmalloc(sizeof(*m));

	OBJ_CHECK(l, LOOP_MAGIC);
	*m = (struct message){ .run = run, .arg = arg };
	pthread_mutex_lock(&l->lock);
	const bool first = l->first == NULL;

	*l->last = m;
	l->last = &m->next;
	/* Inside the lock: outside of it the loop might be gone by then. */
	if (first)
		wake_up(l);
	pthread_mutex_unlock(&l->lock);
}

void
loop_hooks(struct loop *l, void (*before)(void *arg), void (*after)(void *arg), void *arg)
{
	OBJ_CHECK(l, LOOP_MAGIC);
	l->before = before;
	l->after = after;
	l->hook_arg = arg;
}

void
loop_later_init(struct loop_later *later, void (*run)(struct loop_later *later))
{
	list_init(&later->item);
	later->run = run;
}

void
loop_later(struct loop *l, struct loop_later *later)
{
	OBJ_CHECK(l, LOOP_MAGIC);
	if (list_empty(&later->item))
		list_append(&l->later, &later->item);
}

void
loop_later_cancel(struct loop_later *later)
{
	list_remove(&later->item);
}

/* Also what these ask for. */
static void
handle_later(struct loop *l)
{
	while (!list_empty(&l->later)) {
		struct loop_later *later = LIST_ENTRY(l->later.next, struct loop_later, item);

		list_remove(&later->item);
		later->run(later);
	}
}

static void
wait_io(struct loop *l, int timeout_ms)
{
	const int n = epoll_wait(l->epoll, l->batch, BATCH, timeout_ms);

	CHECK(n >= 0 || errno == EINTR);
	l->batch_len = n > 0 ? n : 0;
	l->batch_next = 0;
}

static void
handle_io(struct loop *l)
{
	while (l->batch_next < l->batch_len) {
		const struct epoll_event e = l->batch[l->batch_next++];
		struct loop_fd *f = e.data.ptr;

		l->now_ms = clock_mono_ms();
		if (f != NULL)
			f->ready(f, e.events);
	}
}

/* All I/O that came before `now_ms` goes before the timers due until then. */
static void
handle_timers(struct loop *l)
{
	const uint64_t now_ms = clock_mono_ms();

	bool more = wheel_next(&l->wheel, now_ms) == 0;

	for (int round = 0; more && round < ROUNDS_MAX; round++) {
		wait_io(l, 0);
		handle_io(l);
		more = l->batch_len == BATCH;
	}
	l->now_ms = clock_mono_ms();
	wheel_advance(&l->wheel, now_ms);
}

static int
sleep_ms(const struct loop *l)
{
	const uint64_t next_ms = wheel_next(&l->wheel, clock_mono_ms());

	return (int)(next_ms < SLEEP_MAX_MS ? next_ms : SLEEP_MAX_MS);
}

void
loop_run(struct loop *l)
{
	OBJ_CHECK(l, LOOP_MAGIC);
	while (!atomic_exchange(&l->stopped, false)) {
		handle_later(l);
		if (l->before != NULL)
			l->before(l->hook_arg);
		wait_io(l, sleep_ms(l));
		if (l->after != NULL)
			l->after(l->hook_arg);
		handle_io(l);
		handle_timers(l);
	}
}

void
loop_stop(struct loop *l)
{
	atomic_store(&l->stopped, true);
	wake_up(l);
}
