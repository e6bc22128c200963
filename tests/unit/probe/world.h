/* SPDX-License-Identifier: GPL-3.0-or-later */
/* world -- a prober and what its hooks were told, for tests: waits for events, never for time to
 * pass. */
#pragma once

#include <pthread.h>

#include "probe/prober.h"

#define HOUR_MS    3600000u
#define SLOTS      512
#define OK_REPLY   "HTTP/1.1 200 OK\r\n\r\n"
#define SICK_REPLY "HTTP/1.1 503 Sick\r\n\r\n"

struct world {
	struct word_table *words;
	struct prober *prober;
	const struct prober_settings *settings;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned edges[SLOTS], rounds;
	enum flap_verdict verdict[SLOTS];
	const char *cause[SLOTS];
	bool word_was_stale;
	unsigned warnings, late, short_of;
	int64_t expires_ms;
};

/* Once an hour, on one failure. */
extern const struct template_spec world_tcp;

uint32_t world_word(enum flap_verdict verdict, unsigned edges);
void world_open_with(struct world *w, const struct prober_settings *settings);
void world_open(struct world *w);
void world_close(struct world *w);
void world_want_from(struct world *w, uint32_t slot, const struct addr *target,
    const struct template_spec *t, enum flap_verdict start);
void world_want(
    struct world *w, uint32_t slot, const struct addr *target, const struct template_spec *t);
void world_drop(struct world *w, uint32_t slot);
void world_await(struct world *w, const unsigned *counter, unsigned n);
void world_await_verdict(
    struct world *w, uint32_t slot, unsigned edges, enum flap_verdict verdict, const char *cause);
json_t *world_observe(struct world *w, uint32_t slot);
const char *world_text(const json_t *j, const char *name);
void world_assert_single(const struct addr *target, const struct template_spec *t,
    enum flap_verdict verdict, const char *cause, const char *text);
