/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hub -- one writer's messages to many readers, each behind its own bounded queue.
 *
 *   hub_publish ---> [m5 m6 m7] reader A      a message is shared, not copied
 *               \--> [m3 ... m7] reader B     full: the oldest goes, and `lagged` counts it
 *
 * A reader that finds nothing is put to sleep and woken under the hub's lock, so that no wake-up
 * is lost between its look and its sleep. Thread-safe.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define HUB_QUEUE 256 /* messages a reader may be behind */

enum hub_topic { HUB_HEALTH = 1, HUB_EVENTS = 2, HUB_CONFIG = 4, HUB_ALL = 7 };

struct hub_message {
	unsigned refs; /* guarded by the hub's lock */
	uint64_t id;   /* of the stored event, 0 = none */
	size_t len;
	char text[];
};

struct hub_reader {
	struct list link;
	unsigned topics;
	struct hub_message *queue[HUB_QUEUE];
	unsigned head, count;
	uint64_t lagged;
	bool asleep;
	void (*sleep)(void *arg); /* both under the hub's lock: do not call the hub */
	void (*wake)(void *arg);
	void *arg;
};

struct hub {
	pthread_mutex_t lock;
	struct list readers;
	bool closed;
};

void hub_init(struct hub *h);
void hub_fini(struct hub *h);  /* nobody reads any more */
void hub_close(struct hub *h); /* wakes everybody; hub_take says HUB_CLOSED until hub_open */
void hub_open(struct hub *h);

/* Does anybody read one of these? Else a message need not be made. */
bool hub_wanted(struct hub *h, unsigned topics);
void hub_publish(struct hub *h, unsigned topics, uint64_t id, const char *text);
/* A sign of life for readers that have nothing queued. */
void hub_beat(struct hub *h, const char *text);

void hub_join(struct hub *h, struct hub_reader *r);
void hub_leave(struct hub *h, struct hub_reader *r);

enum hub_taken { HUB_MESSAGE, HUB_LAGGED, HUB_ASLEEP, HUB_CLOSED };
/* HUB_MESSAGE: *m is the caller's until hub_release. HUB_LAGGED: *lost messages are gone. */
enum hub_taken
hub_take(struct hub *h, struct hub_reader *r, struct hub_message **m, uint64_t *lost);
void hub_release(struct hub *h, struct hub_message *m);
