/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loop -- one thread, one epoll: descriptors, timers and messages from other threads.
 *
 *	each turn:  what was put off until later
 *	            before()  sleep until I/O or a timer  after()
 *	            handle I/O and messages
 *	            is a timer due? then first all I/O that has come by now, only then the timer
 *
 * So a loop that was stalled (a long callback, a paused machine) never takes an answer that waits
 * in a socket for a time-out.
 *
 * Thread: everything is the loop's thread's own (or its creator's before loop_run), except
 * loop_post and loop_stop. Watches and timers live in the caller's structs.
 */
#pragma once

#include <stdint.h>
#include <sys/epoll.h>

#include "base/attr.h"
#include "base/list.h"
#include "net/wheel.h"

struct loop;

/* A watched descriptor; zero-initialised = not watched. */
struct loop_fd {
	int fd;
	uint32_t events; /* asked for: EPOLLIN, EPOLLOUT, EPOLLET ...; level-triggered by default */
	/* `events`: what is ready; EPOLLERR and EPOLLHUP come unasked. */
	void (*ready)(struct loop_fd *f, uint32_t events);
};

struct loop *loop_new(void);
void loop_free(struct loop **l); /* messages not yet handled are dropped */

void loop_run(struct loop *l);  /* until loop_stop, which may also have come before */
void loop_stop(struct loop *l); /* from any thread or signal handler */

/* 0, or a negative errno (-EPERM: not a thing to wait for; -ENOSPC: fs.epoll.max_user_watches). */
MUST_USE int loop_fd_add(struct loop *l, struct loop_fd *f, int fd, uint32_t events,
    void (*ready)(struct loop_fd *f, uint32_t events));
void loop_fd_mod(struct loop *l, struct loop_fd *f, uint32_t events);
/*
 * Never called back again, also not for what is ready already; `f` may be freed. Before close():
 * the descriptor stays the caller's. Harmless when not watched.
 */
void loop_fd_del(struct loop *l, struct loop_fd *f);
/* The same for who closes the descriptor right now and has no copy of it: that ends the watch, one
 * call less. */
void loop_fd_drop(struct loop *l, struct loop_fd *f);
/* There may be copies after all: other threads make children, which hold them until they exec. From
 * now on loop_fd_drop takes its call. */
void loop_copies(struct loop *l);

/* When the running callback began (of timers: their batch), monotonic. */
uint64_t loop_now_ms(const struct loop *l);

/* Timers as in net/wheel.h. Never early: `delay_ms` counts from this very moment. */
void loop_timer_at(struct loop *l, struct wheel_timer *t, uint64_t due_ms);
void loop_timer_in(struct loop *l, struct wheel_timer *t, uint64_t delay_ms);
void loop_timer_cancel(struct loop *l, struct wheel_timer *t);

/*
 * Something to do once before the loop sleeps: where what many callbacks of a turn ask for is done
 * in one go. Asked for twice in a turn, it is done once.
 */
struct loop_later {
	struct list item;
	void (*run)(struct loop_later *later);
};
void loop_later_init(struct loop_later *later, void (*run)(struct loop_later *later));
void loop_later(struct loop *l, struct loop_later *later);
void loop_later_cancel(struct loop_later *later); /* harmless when not asked for */

/* From any thread: have `run(arg)` called in the loop's thread, in the order of posting. Some at a
 * time: I/O and timers do not wait behind all that has been posted. */
void loop_post(struct loop *l, void (*run)(void *arg), void *arg);

/*
 * Around every sleep, including those of no time, so at least once per turn: where an RCU reader
 * goes offline and comes back. NULL = nothing.
 */
void loop_hooks(struct loop *l, void (*before)(void *arg), void (*after)(void *arg), void *arg);
