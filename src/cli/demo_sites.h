/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * demo_sites -- two data centres of two web servers each, on loopback addresses.
 *
 *	dc-a  127.0.10.1  127.0.10.2        one free port for all
 *	dc-b  127.0.20.1  127.0.20.2
 *
 * One thread serves them all. To take a site down is to close its listening sockets: the kernel
 * then refuses connections, as that of a machine whose service has died.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"

#define DEMO_SITES   2
#define DEMO_SERVERS 2 /* of each site */

extern const char *const demo_sites_names[DEMO_SITES];
extern const char *const demo_sites_ips[DEMO_SITES][DEMO_SERVERS];

struct demo_sites {
	uint16_t port;
	bool running;
	pthread_t thread;
	int wake; /* eventfd */
	atomic_bool stop;
	atomic_bool wanted[DEMO_SITES];
	atomic_bool up[DEMO_SITES];
	int fds[DEMO_SITES][DEMO_SERVERS]; /* the thread's; -1 = closed */
};

/* All up on return. 0 or -EINVAL with problems. */
MUST_USE int demo_sites_start(struct demo_sites *s, struct diag *d);
void demo_sites_stop(struct demo_sites *s);
/* Returns when it is done, or false after 2 s. */
bool demo_sites_set(struct demo_sites *s, unsigned site, bool up);
/* The site an IP belongs to; -1 if none. */
int demo_sites_of(const char *ip);
