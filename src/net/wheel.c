/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/wheel.h"

#define BITS 6 /* of a digit: 2^6 = WHEEL_SLOTS */

/* Values of `place` that are no slot. */
#define IDLE    UINT16_MAX
#define OVERDUE (UINT16_MAX - 1)
#define FIRING  (UINT16_MAX - 2)

void
wheel_init(struct wheel *w, uint64_t now_ms)
{
	*w = (struct wheel){ .now_ms = now_ms };
	list_init(&w->overdue);
	for (size_t level = 0; level < WHEEL_LEVELS; level++) {
		for (size_t slot = 0; slot < WHEEL_SLOTS; slot++)
			list_init(&w->slots[level][slot]);
	}
}

static void
cancel_all(struct wheel *w, struct list *head)
{
	while (!list_empty(head))
		wheel_cancel(w, LIST_ENTRY(head->next, struct wheel_timer, link));
}

void
wheel_fini(struct wheel *w)
{
	cancel_all(w, &w->overdue);
	for (size_t level = 0; level < WHEEL_LEVELS; level++) {
		for (size_t slot = 0; slot < WHEEL_SLOTS; slot++)
			cancel_all(w, &w->slots[level][slot]);
	}
}

void
wheel_timer_init(struct wheel_timer *t, void (*fire)(struct wheel_timer *t))
{
	*t = (struct wheel_timer){ .fire = fire, .place = IDLE };
	list_init(&t->link);
}

bool
wheel_pending(const struct wheel_timer *t)
{
	return t->place != IDLE;
}

/* Requires due_ms >= now_ms; equal lands in the level 0 slot of this very tick. */
static void
insert(struct wheel *w, struct wheel_timer *t)
{
	const uint64_t differs = (t->due_ms ^ w->now_ms) | 1; /* no digit differs: level 0 */
	const unsigned level = (63u - (unsigned)__builtin_clzll(differs)) / BITS;
	const unsigned slot = t->due_ms >> (level * BITS) & (WHEEL_SLOTS - 1);

	t->place = (uint16_t)(level * WHEEL_SLOTS + slot);
	w->filled[level] |= UINT64_C(1) << slot;
	list_append(&w->slots[level][slot], &t->link);
}

void
wheel_set(struct wheel *w, struct wheel_timer *t, uint64_t due_ms)
{
	wheel_cancel(w, t);
	t->due_ms = due_ms;
	w->count++;
	if (due_ms > w->now_ms) {
		insert(w, t);
	} else {
		t->place = OVERDUE;
		list_append(&w->overdue, &t->link);
	}
}

void
wheel_cancel(struct wheel *w, struct wheel_timer *t)
{
	const unsigned level = t->place / WHEEL_SLOTS, slot = t->place % WHEEL_SLOTS;

	if (t->place == IDLE)
		return;
	list_remove(&t->link);
	t->place = IDLE;
	w->count--;
	if (level < WHEEL_LEVELS && list_empty(&w->slots[level][slot]))
		w->filled[level] &= ~(UINT64_C(1) << slot);
}

/*
 * The lowest level that is not empty and the beginning of its first slot: nothing is due before.
 * Slots of a level that time has passed are empty, so its first is also its earliest.
 */
static bool
first_slot(const struct wheel *w, unsigned *level, uint64_t *begin_ms)
{
	for (*level = 0; *level < WHEEL_LEVELS; (*level)++) {
		const unsigned shift = *level * BITS;
		const uint64_t block = (uint64_t)WHEEL_SLOTS << shift; /* top level: 0 = all */

		if (w->filled[*level] == 0)
			continue;
		*begin_ms = w->now_ms & -block;
		*begin_ms |= (uint64_t)__builtin_ctzll(w->filled[*level]) << shift;
		return true;
	}
	return false;
}

/* Take a batch off first: callbacks may set and cancel, even those of this batch. */
static void
fire_all(struct wheel *w, struct list *head)
{
	struct list batch;

	list_move(&batch, head);
	LIST_EACH (it, tmp, &batch)
		LIST_ENTRY(it, struct wheel_timer, link)->place = FIRING;
	while (!list_empty(&batch)) {
		struct wheel_timer *t = LIST_ENTRY(batch.next, struct wheel_timer, link);

		wheel_cancel(w, t);
		t->fire(t);
	}
}

static void
move_down(struct wheel *w, struct list *head)
{
	struct list batch;

	list_move(&batch, head);
	LIST_EACH (it, tmp, &batch)
		insert(w, LIST_ENTRY(it, struct wheel_timer, link));
}

void
wheel_advance(struct wheel *w, uint64_t now_ms)
{
	unsigned level;
	uint64_t begin_ms;

	fire_all(w, &w->overdue);
	while (first_slot(w, &level, &begin_ms) && begin_ms <= now_ms) {
		const unsigned slot = begin_ms >> (level * BITS) & (WHEEL_SLOTS - 1);
		struct list *head = &w->slots[level][slot];

		w->now_ms = begin_ms;
		w->filled[level] &= ~(UINT64_C(1) << slot);
		if (level == 0)
			fire_all(w, head);
		else
			move_down(w, head);
	}
	if (now_ms > w->now_ms)
		w->now_ms = now_ms;
}

uint64_t
wheel_next(const struct wheel *w, uint64_t now_ms)
{
	unsigned level;
	uint64_t begin_ms;

	if (!list_empty(&w->overdue))
		return 0;
	if (!first_slot(w, &level, &begin_ms))
		return WHEEL_NEVER;
	return begin_ms > now_ms ? begin_ms - now_ms : 0;
}
