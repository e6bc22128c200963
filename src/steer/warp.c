/* SPDX-License-Identifier: GPL-3.0-or-later */
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include "steer/warp.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"

#define GOLDEN 0x9e3779b97f4a7c15u /* as pick_weight_step(0) */

struct warp {
	uint32_t magic;
#define WARP_MAGIC 0x3a4b0001u
	uint32_t mask; /* seats - 1; open addressing, at most half full */
	size_t n_variants;
	const struct warp_seat *seats;
	const struct warp_step *steps;
	const struct warp_row *rows;
	struct rcu_head rcu;
};

static void
put(struct warp_seat *seats, uint32_t mask, const struct warp_seat *seat)
{
	uint32_t i = (uint32_t)seat->key & mask;

	while (seats[i].key != 0)
		i = (i + 1) & mask;
	seats[i] = *seat;
}

struct warp *
warp_new(const struct warp_row *rows, size_t n_rows, size_t n_variants,
    const struct warp_step *steps, size_t n_steps, const struct warp_seat *seats, size_t n_seats)
{
	uint32_t room = 2;

	while (room < 2 * n_seats)
		room *= 2;

	const size_t at_steps = sizeof(struct warp) + room * sizeof(*seats);
	const size_t at_rows = at_steps + n_steps * sizeof(*steps);
	uint8_t *block = xcalloc(1, at_rows + n_rows * sizeof(*rows));
	struct warp *w = (struct warp *)(void *)block;
	struct warp_seat *table = (void *)(block + sizeof(struct warp));

	CHECK(n_rows >= n_variants);
	*w = (struct warp){
		.magic = WARP_MAGIC,
		.mask = room - 1,
		.n_variants = n_variants,
		.seats = table,
		.steps = (const void *)(block + at_steps),
		.rows = (const void *)(block + at_rows),
	};
	for (size_t i = 0; i < n_seats; i++)
		put(table, w->mask, &seats[i]);
	if (n_steps > 0)
		memcpy(block + at_steps, steps, n_steps * sizeof(*steps));
	if (n_rows > 0)
		memcpy(block + at_rows, rows, n_rows * sizeof(*rows));
	return w;
}

void
warp_free(struct warp **w)
{
	if (*w == NULL)
		return;
	OBJ_CHECK(*w, WARP_MAGIC);
	(*w)->magic = 0;
	free(*w);
	*w = NULL;
}

static void
free_late(struct rcu_head *head)
{
	struct warp *w = container_of(head, struct warp, rcu);

	warp_free(&w);
}

void
warp_retire(struct warp **w)
{
	if (*w == NULL)
		return;
	OBJ_CHECK(*w, WARP_MAGIC);
	call_rcu(&(*w)->rcu, free_late);
	*w = NULL;
}

static uint64_t
step(const struct warp *w, const struct warp_row *row, uint64_t u)
{
	const struct warp_step *at = w->steps + row->first;

	if (row->count == 0)
		return u;
	for (uint32_t n = row->count; n > 1;) {
		const uint32_t half = n / 2;

		at = u > at[half - 1].last ? at + half : at;
		n -= half;
	}
	return at->point;
}

static uint64_t
own_turn(const struct warp_asker *who, uint8_t halvings)
{
	const uint32_t ttl_ms = who->ttl_s * 1000 >> halvings;
	const uint32_t period = ttl_ms > 0 ? ttl_ms : 1;

	return who->key + who->now_ms / period * GOLDEN +
	       (uint64_t)(who->now_ms % period) * (UINT64_MAX / period);
}

const struct warp_seat *
warp_find(const struct warp *w, const struct warp_asker *who)
{
	for (uint32_t i = (uint32_t)who->key & w->mask; w->seats[i].key != 0;
	     i = (i + 1) & w->mask) {
		if (w->seats[i].key == who->key && w->seats[i].variant == who->variant)
			return &w->seats[i];
	}
	return NULL;
}

uint64_t
warp_bend(
    const struct warp *w, const struct warp_seat *seat, const struct warp_asker *who, uint64_t u)
{
	if (seat != NULL && seat->row == WARP_SEATED)
		return seat->point;
	if (seat != NULL && seat->row >= w->n_variants)
		return step(w, &w->rows[seat->row], own_turn(who, seat->halvings));
	return who->variant < w->n_variants ? step(w, &w->rows[who->variant], u) : u;
}
