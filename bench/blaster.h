/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blaster -- what its files share: what is to be sent, what is under way, and what came of it.
 *
 *	questions ---> blast_udp, blast_tcp ---> flights (who waits for what) ---> struct blast
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUESTION_MAX 320
#define BURST        64

/* -- questions -- */

struct questions; /* where the next one comes from */

/*
 * `pattern` has at most one '%', for a random number below `of`, always as wide as the greatest; or
 * `file` has lines "NAME" that are asked for in turns.
 */
struct questions *questions_new(const char *pattern, const char *file, uint64_t of, uint64_t seed);
void questions_set(struct questions *q, uint16_t type, bool edns, bool ecs);
/* One message with an ID of 0; its length. */
size_t questions_next(struct questions *q, uint8_t *out);

/* -- latency: 32 steps an octave, in nanoseconds -- */

#define HISTOGRAM_STEPS 32
struct histogram {
	uint64_t n, max;
	uint64_t counts[64 * HISTOGRAM_STEPS];
};

void histogram_add(struct histogram *h, uint64_t ns);
uint64_t histogram_at(const struct histogram *h, double q);

/* -- one run -- */

struct blast {
	struct sockaddr_in to;
	struct questions *questions;
	unsigned sockets, window; /* window: of each socket or connection */
	uint64_t rate;            /* a second; 0: as the window allows */
	uint64_t count;           /* in all; 0: as the time allows */
	uint64_t warm_ns, run_ns, timeout_ns;
	int want_rcode, want_answers; /* -1: any */
	bool sleeps;                  /* between turns, for the sake of others on its core */

	uint64_t begin_ns, end_ns; /* of what is counted */
	uint64_t sent, answered, lost, late, wrong;
	uint64_t unsent;       /* due, and left out since the sender was late itself */
	uint64_t turns, empty; /* of the loop, and those without any reply */
	uint64_t last_ns, gap_ns;
	uint64_t total_sent; /* with the warm-up */
	struct histogram latency;
	void (*edge)(struct blast *b, bool begins); /* when counting begins and ends */
};

uint64_t blaster_now(void);
/* Says whether to send on; calls `edge`. */
bool blaster_goes_on(struct blast *b, uint64_t now);
/* A reply that somebody waited for. */
void
blaster_judge(struct blast *b, const uint8_t *reply, size_t len, uint64_t sent_ns, uint64_t now);

void blast_udp(struct blast *b);
void blast_tcp(struct blast *b);

/* -- what is under way on one socket -- */

#define FLIGHTS 4096
struct flights {
	uint32_t next, oldest; /* running numbers; the ID is the low half */
	unsigned waiting;
	uint16_t ids[FLIGHTS];
	uint64_t sent_ns[FLIGHTS]; /* 0: none */
};

static inline uint16_t
flights_add(struct flights *f, struct blast *b, uint64_t now)
{
	const unsigned at = f->next % FLIGHTS;

	if (f->sent_ns[at] != 0)
		b->lost++;
	else
		f->waiting++;
	f->ids[at] = (uint16_t)f->next;
	f->sent_ns[at] = now;
	return (uint16_t)f->next++;
}

/* When it was sent; 0: nobody waits for it (any more). */
static inline uint64_t
flights_take(struct flights *f, uint16_t id)
{
	const unsigned at = id % FLIGHTS;
	const uint64_t sent = f->ids[at] == id ? f->sent_ns[at] : 0;

	if (sent != 0) {
		f->sent_ns[at] = 0;
		f->waiting--;
	}
	return sent;
}

static inline void
flights_expire(struct flights *f, struct blast *b, uint64_t now)
{
	if (f->next - f->oldest > FLIGHTS)
		f->oldest = f->next - FLIGHTS;
	for (; f->oldest != f->next; f->oldest++) {
		uint64_t *sent = &f->sent_ns[f->oldest % FLIGHTS];

		if (*sent != 0 && now < *sent + b->timeout_ns)
			return;
		if (*sent != 0) {
			b->lost++;
			f->waiting--;
			*sent = 0;
		}
	}
}
