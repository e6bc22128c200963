/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * warp -- bends the circle of a weighted draw (pick_weight.h) so that clients, not answers, follow
 * the weights.
 *
 *	u --light resolver--> room:  |--A--|-----------B-----------|   the room that heavy ones
 * leave
 *	  --split resolver--> row i: |---------A---------|----C----|
 *	  --seated resolver-> a point in its leaf, whatever u
 *	                      |
 *	                      v
 *	plan's circle:        |------A------|------B------|---C---|
 *
 * The plan is not changed: it looks up another point. So whoever is not in the plan is never
 * answered, also if warp and plan are of different moments. Immutable, one block, swapped by RCU.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct warp_seat {
	uint64_t key;     /* 0: free */
	uint64_t point;   /* seated: where on the circle */
	uint32_t row;     /* WARP_SEATED, or the row to draw from */
	uint16_t variant; /* of the plan; in another one it is like anybody */
	uint8_t halvings; /* of the TTL */
};
#define WARP_SEATED UINT32_MAX

/* u up to `last` becomes `point`. */
struct warp_step {
	uint64_t last, point;
};

struct warp_row {
	uint32_t first, count; /* steps; count 0: u stays as it is */
};

struct warp;

/* -- writer -- */

/* `rows`: the room of each variant, then the rows of split resolvers; copied. Seats have distinct
 * keys. */
struct warp *warp_new(const struct warp_row *rows, size_t n_rows, size_t n_variants,
    const struct warp_step *steps, size_t n_steps, const struct warp_seat *seats, size_t n_seats);
void warp_free(struct warp **w);
void warp_retire(struct warp **w); /* free after a grace period */

/* -- workers, inside RCU -- */

struct warp_asker {
	uint64_t key;
	uint32_t variant;
	uint32_t now_ms;
	uint32_t ttl_s; /* of the plan */
};

/* NULL: it has none. O(1). */
const struct warp_seat *warp_find(const struct warp *w, const struct warp_asker *who);
/*
 * The point to look up instead of u. O(log leaves) without a seat of one leaf. A split resolver has
 * a sequence of its own without having a state: it asks about once a TTL, so the number of the TTL
 * that runs, times the golden ratio, is as even as can be; what has passed of it is added, so that
 * several caches of one resolver do not go together.
 */
uint64_t warp_bend(
    const struct warp *w, const struct warp_seat *seat, const struct warp_asker *who, uint64_t u);
