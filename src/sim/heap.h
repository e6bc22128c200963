/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * heap -- what happens next: events by time, those of one moment in the order they were pushed.
 *
 * A binary heap: push and pop cost O(log n) of the events that wait. Pure but for memory.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct heap_event {
	double at_s;
	uint64_t place; /* given by heap_push: the order among equals */
	uint32_t kind, who;
};

struct heap {
	struct heap_event *events;
	size_t count, cap;
	uint64_t pushed;
};

void heap_init(struct heap *h);
void heap_fini(struct heap *h);
void heap_push(struct heap *h, double at_s, uint32_t kind, uint32_t who);
struct heap_event heap_pop(struct heap *h); /* the earliest; there must be one */
