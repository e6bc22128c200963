/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/learn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

#define SETS_FIRST 64
#define EARLY_MS   1000 /* a token counts as out so long before it is: whole seconds */
#define FLOOR_MS   2000 /* smaller floors are no stretching */
#define CLIP       5
#define TRIAL_MS   600000
#define NOISE_MS   20  /* networks alone make no query that much early */
#define LEAST_MS   1.0 /* idle time below which networks, not clients, are measured */

/* -- the table -- */

void
learn_init(struct learn *l)
{
	*l = (struct learn){ .n_sets = SETS_FIRST };
	l->entries = xcalloc(l->n_sets * LEARN_WAYS, sizeof(*l->entries));
}

void
learn_fini(struct learn *l)
{
	free(l->entries);
	*l = (struct learn){ 0 };
}

static struct learn_entry *
set_of(const struct learn *l, uint64_t key)
{
	return l->entries + (key & (l->n_sets - 1)) * LEARN_WAYS;
}

size_t
learn_count(const struct learn *l)
{
	size_t n = 0;

	LEARN_EACH(l, e)
	n++;
	return n;
}

static float
fade(uint32_t ms)
{
	return exp2f(-(float)ms / (float)LEARN_HALF_MS);
}

/* Twice the sets; an entry goes to its old set or to the one n_sets on, so there is always room. */
static void
grow(struct learn *l)
{
	const struct learn old = *l;

	l->n_sets *= 2;
	l->entries = xcalloc(l->n_sets * LEARN_WAYS, sizeof(*l->entries));
	LEARN_EACH(&old, e)
	{
		struct learn_entry *to = set_of(l, e->key);

		while (to->key != 0)
			to++;
		*to = *e;
	}
	free(old.entries);
}

static struct learn_entry *
find(struct learn *l, uint64_t key)
{
	struct learn_entry *set = set_of(l, key);

	for (size_t i = 0; i < LEARN_WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
	}
	return NULL;
}

/* Has it had its chance, and no seat to show for it? Or has it fallen silent? */
static bool
may_go(const struct learn_entry *e, uint32_t now_ms)
{
	if (now_ms - e->heard_ms > LEARN_HALF_MS)
		return true;
	return e->seat == 0 && (e->rounds_n > 0 || now_ms - e->since_ms > TRIAL_MS);
}

/* A free place, after growing if need be; in a full table that of who has been there longest of
 * those who may go. NULL: everybody stays. */
static struct learn_entry *
make_room(struct learn *l, uint64_t key, uint32_t now_ms)
{
	struct learn_entry *set = set_of(l, key), *oldest = NULL;

	for (size_t i = 0; i < LEARN_WAYS; i++) {
		if (set[i].key == 0)
			return &set[i];
	}
	if (l->n_sets * LEARN_WAYS < LEARN_MAX) {
		grow(l);
		return make_room(l, key, now_ms);
	}
	for (size_t i = 0; i < LEARN_WAYS; i++) {
		if (may_go(&set[i], now_ms) &&
		    (oldest == NULL || (int32_t)(set[i].since_ms - oldest->since_ms) < 0))
			oldest = &set[i];
	}
	return oldest;
}

/* -- rounds of idle times -- */

/*
 * The floor of the round in hand: what stretching adds to every idle time. While there are few of
 * them, that of the last round, unless one is below it.
 */
static int32_t
floor_of(const struct learn_entry *e)
{
	int64_t sum = 0;
	int32_t min = INT32_MAX;

	for (unsigned i = 0; i < e->n; i++) {
		sum += e->idle_ms[i];
		min = e->idle_ms[i] < min ? e->idle_ms[i] : min;
	}
	if (e->n < LEARN_ROUND / 2)
		return min >= e->floor_ms - EARLY_MS ? e->floor_ms : 0;
	if (min < FLOOR_MS || (int64_t)min * 2 * e->n <= sum)
		return 0;
	/* Resolvers stretch by whole seconds. */
	return (min + 500) / 1000 * 1000;
}

static int
compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * The idle times of the round in hand as they add to the sum, for all its caches. One that is far
 * beyond the others (a restart, a lost packet) counts as CLIP medians: of exponential times that
 * takes away 3 per cent.
 */
static double
weigh(const struct learn_entry *e)
{
	const int32_t base = floor_of(e);
	double idle[LEARN_ROUND], sum = 0;

	for (unsigned i = 0; i < e->n; i++)
		idle[i] = fmax(fabs((double)e->idle_ms[i] - base), LEAST_MS);
	qsort(idle, e->n, sizeof(idle[0]), compare);
	for (unsigned i = 0; i < e->n; i++)
		sum += e->n < LEARN_ROUND / 2 ? idle[i] : fmin(idle[i], CLIP * idle[e->n / 2]);
	return e->tokens > 0 ? sum / e->tokens : sum;
}

static unsigned
count_early(const struct learn_entry *e)
{
	const int32_t base = floor_of(e);
	unsigned n = 0;

	for (unsigned i = 0; i < e->n; i++)
		n += e->idle_ms[i] - base < -NOISE_MS;
	return n;
}

static void
close_round(struct learn_entry *e, uint32_t at_ms)
{
	const float f = fade(at_ms - e->closed_ms);

	e->rounds_n = e->rounds_n * f + e->n;
	e->rounds_early = e->rounds_early * f + (float)count_early(e);
	e->rounds_idle_ms = e->rounds_idle_ms * f + (float)weigh(e);
	e->closed_ms = at_ms;
	e->floor_ms = floor_of(e);
	e->n = 0;
	/* A token nobody needed in the whole round is of a cache that has gone. */
	if (e->spare > 0 && e->tokens > 1) {
		memmove(e->token, e->token + 1, sizeof(e->token[0]) * (size_t)(e->tokens - 1));
		e->tokens--;
	}
	e->spare = UINT8_MAX;
}

static void
add_idle(struct learn_entry *e, int32_t idle_ms, uint32_t at_ms)
{
	e->idle_ms[e->n++] = idle_ms;
	if (e->n == LEARN_ROUND)
		close_round(e, at_ms);
}

/* -- tokens -- */

static unsigned
count_out(const struct learn_entry *e, uint32_t at_ms)
{
	unsigned n = 0;

	while (n < e->tokens && (int32_t)(at_ms - e->token[n]) >= -EARLY_MS)
		n++;
	return n;
}

static void
push_token(struct learn_entry *e, uint32_t out_ms)
{
	unsigned i = e->tokens++;

	CHECK(e->tokens <= LEARN_TOKENS);
	/* The TTL changes now and then, so the newest need not be the last to run out. */
	for (; i > 0 && (int32_t)(out_ms - e->token[i - 1]) < 0; i--)
		e->token[i] = e->token[i - 1];
	e->token[i] = out_ms;
}

static uint32_t
pop_token(struct learn_entry *e)
{
	const uint32_t out_ms = e->token[0];

	e->tokens--;
	memmove(e->token, e->token + 1, sizeof(e->token[0]) * e->tokens);
	return out_ms;
}

static void
ask(struct learn_entry *e, uint32_t at_ms, uint32_t ttl_s)
{
	const unsigned out = count_out(e, at_ms);
	const uint32_t next_ms = at_ms + ttl_s * 1000;
	const uint32_t gap_ms = at_ms - e->heard_ms;

	if (out > 0) {
		const int32_t idle_ms = (int32_t)(at_ms - pop_token(e));

		push_token(e, next_ms);
		e->spare = out - 1 < e->spare ? (uint8_t)(out - 1) : e->spare;
		add_idle(e, idle_ms, at_ms);
	} else if (e->tokens < LEARN_TOKENS) {
		push_token(e, next_ms);
	} else {
		/* More caches than tokens: as if each idled from one query to the next. */
		(void)pop_token(e);
		push_token(e, next_ms);
		e->spare = 0;
		add_idle(e, (int32_t)(gap_ms * LEARN_TOKENS), at_ms);
	}
}

static void
count(struct learn *l, const struct learn_entry *e, uint32_t at_ms)
{
	const uint32_t passed_ms = at_ms - l->counted_ms;

	/* Now and then, so that it costs nothing. */
	if (passed_ms > 10000) {
		l->here *= (double)fade(passed_ms);
		l->absent *= (double)fade(passed_ms);
		l->counted_ms = at_ms;
	}
	if (e == NULL)
		l->absent++;
	else if (e->seat == 0)
		l->here++;
}

double
learn_scale(const struct learn *l)
{
	return l->here > 0 ? 1 + l->absent / l->here : 1;
}

void
learn_heard(struct learn *l, const struct tape_sighting *s)
{
	struct learn_entry *e = find(l, s->key);

	if (e == NULL && (e = make_room(l, s->key, s->at_ms)) != NULL)
		*e = (struct learn_entry){
			.key = s->key,
			.since_ms = s->at_ms,
			.closed_ms = s->at_ms,
			.heard_ms = s->at_ms,
			.spare = UINT8_MAX,
		};
	count(l, e, s->at_ms);
	if (e == NULL)
		return;
	e->place = s->place;
	e->family = s->family;
	e->class = s->class;
	ask(e, s->at_ms, s->ttl_s);
	e->heard_ms = s->at_ms;
}

void
learn_missed(struct learn *l)
{
	LEARN_EACH(l, e)
	{
		e->tokens = 0;
		e->n = 0;
		e->spare = UINT8_MAX;
	}
}

/* Idle time under way: nobody has come yet. */
static double
waiting(const struct learn_entry *e, uint32_t now_ms)
{
	const int32_t base = floor_of(e);
	double sum = 0;

	for (unsigned i = 0; i < e->tokens; i++)
		sum += fmax(0, (double)(int32_t)(now_ms - e->token[i]) - base);
	return e->tokens > 0 ? sum / e->tokens : 0;
}

/*
 * Seconds by which the mean of |idle| falls short of 1 / rate for a cache that counts in whole
 * seconds: with I and J exponential, E|I - frac(J)| = (1 + e^-r) / r - 1 / (e^r - 1). Half a second
 * for the light, nothing for the heavy.
 */
static double
lag(double rate)
{
	return 1 / expm1(rate) - exp(-rate) / rate;
}

/*
 * From the mean of |idle|, in seconds. Which resolvers count in whole seconds shows in how many
 * queries come early: of theirs (1 - e^-r) / 2, of the others none.
 */
static double
rate_of(double mean_s, double early)
{
	double rate = 1 / mean_s;

	for (int i = 0; i < 4; i++)
		rate = 1 / (mean_s + fmin(1, early / (-expm1(-rate) / 2)) * lag(rate));
	return rate;
}

double
learn_rate(const struct learn_entry *e, uint32_t now_ms, double *weight)
{
	const double n = (double)e->rounds_n + e->n;
	const double idle_ms = (double)e->rounds_idle_ms + weigh(e) + waiting(e, now_ms);
	const double caches = e->tokens > 0 ? e->tokens : 1;

	if (weight != NULL)
		*weight = n;
	if (n <= 0)
		return 0;
	return caches * rate_of(fmax(idle_ms, 1) / 1000 / n * caches,
			    ((double)e->rounds_early + count_early(e)) / n);
}
