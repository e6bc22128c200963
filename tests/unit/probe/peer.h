/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * peer -- the other side of a probe in tests: a thread that listens and behaves as told.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/addr.h"

/* Instead of a reply text. */
extern const char peer_hang[];  /* read the request, then say nothing until they close */
extern const char peer_reset[]; /* read the request, then reset */

struct peer {
	struct addr addr;
	int listener, stop[2];
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	const char *reply; /* NULL: just accept and close */
	size_t accepted, closed;
};

/* False if this machine has no such address. */
bool peer_start(struct peer *p, const char *ip, const char *reply);
void peer_stop(struct peer *p);
void peer_reply(struct peer *p, const char *reply); /* from the next connection on */
void peer_await_accepted(struct peer *p, size_t n); /* fails the test after 20 s */
void peer_await_closed(struct peer *p, size_t n);

/* A port that refuses, and one that takes no notice (its backlog is full). */
struct addr peer_refusing(void);
#define PEER_CROWD 8
struct peer_deaf {
	struct addr addr;
	int listener, crowd[PEER_CROWD];
};
void peer_deaf_open(struct peer_deaf *d);
void peer_deaf_close(struct peer_deaf *d);
