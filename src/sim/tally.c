/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "sim/chance.h"

void
tally_init(struct tally *t, const struct sim_spec *spec, size_t n_members)
{
	const struct sim_failure *f = spec->failures.items;

	*t = (struct tally){
		.n_members = n_members,
		.n_windows = spec->duration_ms / spec->window_ms,
		.first = (spec->warm_up_ms + spec->window_ms - 1) / spec->window_ms,
		.window_s = spec->window_ms / 1000.0,
		.answers = xcalloc(n_members + 1, sizeof(*t->answers)),
		.n_curves = spec->failures.count,
		.curves = xcalloc(spec->failures.count + 1, sizeof(*t->curves)),
	};
	t->end_s = spec->duration_ms / 1000.0;
	t->clients = xcalloc(t->n_windows * n_members + 1, sizeof(*t->clients));
	for (size_t i = 0; i < t->n_curves; i++) {
		struct tally_curve *c = &t->curves[i];

		*c = (struct tally_curve){
			.member = UINT32_MAX,
			.down_s = f[i].down_ms / 1000.0,
			.up_s = f[i].up_ms == 0 ? t->end_s : fmin(f[i].up_ms / 1000.0, t->end_s),
		};
		c->n_bins = (size_t)ceil(c->up_s - c->down_s);
		c->bins = xcalloc(c->n_bins + 1, sizeof(*c->bins));
		c->steps = xcalloc(c->n_bins + 2, sizeof(*c->steps));
	}
}

void
tally_fini(struct tally *t)
{
	for (size_t i = 0; i < t->n_curves; i++) {
		free(t->curves[i].bins);
		free(t->curves[i].steps);
	}
	for (size_t i = 0; i < t->n_targets; i++)
		free(t->targets[i].share);
	free(t->clients);
	free(t->answers);
	free(t->curves);
	free(t->targets);
	*t = (struct tally){ 0 };
}

void
tally_failure(struct tally *t, size_t i, uint32_t member)
{
	CHECK(i < t->n_curves);
	t->curves[i].member = member;
}

void
tally_target(struct tally *t, double at_s, const double *share)
{
	MEM_GROW(&t->targets, &t->cap_targets, t->n_targets + 1);
	t->targets[t->n_targets++] = (struct tally_target){
		.at_s = at_s,
		.share = xmemdup(share, t->n_members * sizeof(*share)),
	};
}

/* -- curves -- */

static void
draw_curve(struct tally_curve *c, const struct tally_hold *h, double rate)
{
	const double from = fmax(h->from_s, c->down_s) - c->down_s;
	const double to = fmin(h->to_s, c->up_s) - c->down_s;

	if (h->from_s <= c->down_s && h->to_s > c->down_s)
		c->held += rate;
	if (to <= from)
		return;

	const size_t a = (size_t)from, b = (size_t)to;

	if (a == b) {
		c->bins[a] += rate * (to - from);
		return;
	}
	c->bins[a] += rate * ((double)(a + 1) - from);
	c->steps[a + 1] += rate;
	c->steps[b] -= rate;
	if (b < c->n_bins)
		c->bins[b] += rate * (to - (double)b);
}

static void
draw_curves(struct tally *t, const struct tally_hold *h)
{
	for (size_t i = 0; i < t->n_curves; i++) {
		for (size_t k = 0; k < h->count; k++) {
			if (h->members[k] == t->curves[i].member)
				draw_curve(&t->curves[i], h, h->rate / (double)h->count);
		}
	}
}

/* -- windows -- */

static void
count_in(struct tally *t, size_t window, const struct tally_hold *h, uint64_t clients)
{
	uint64_t *to = t->clients + window * t->n_members;

	for (size_t k = 0; k < h->count; k++) {
		const uint64_t part = clients / (h->count - k);

		to[h->members[k]] += part;
		clients -= part;
	}
}

void
tally_hold(struct tally *t, const struct tally_hold *h, struct rand_state *r)
{
	const double to_s = fmin(h->to_s, t->end_s);
	uint64_t counted = 0;
	uint64_t clients = 1; /* who made the cache ask */

	draw_curves(t, h);
	for (size_t w = (size_t)(h->from_s / t->window_s); w < t->n_windows; w++) {
		const double from = fmax(h->from_s, (double)w * t->window_s);
		const double to = fmin(to_s, (double)(w + 1) * t->window_s);

		if (to <= from && clients == 0)
			break;
		clients += chance_count(r, h->rate * (to - from));
		count_in(t, w, h, clients);
		counted += w >= t->first ? clients : 0;
		clients = 0;
	}
	if (h->from_s < (double)t->first * t->window_s)
		return;
	t->queries++;
	t->answers[h->members[0]]++;
	t->squares += (double)counted * (double)counted;
}

void
tally_close(struct tally *t)
{
	for (size_t i = 0; i < t->n_curves; i++) {
		struct tally_curve *c = &t->curves[i];
		double level = 0;

		for (size_t b = 0; b < c->n_bins; b++) {
			level += c->steps[b];
			c->bins[b] += level;
		}
	}
}

/* A bin of a second holds as many clients as its mean rate. */
double
tally_drained(const struct tally_curve *c, double left)
{
	const double most = c->held * left * (1 + 1e-9) + 1e-9;
	size_t b = c->n_bins;

	while (b > 0 && c->bins[b - 1] <= most)
		b--;
	return b == c->n_bins ? -1 : (double)b;
}
