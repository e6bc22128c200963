/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/report.h"

#include <math.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/duration.h"
#include "base/mem.h"
#include "model/nouns.h"

#define CURVE_POINTS 120
#define SIGMAS_95    1.96

/* What the windows of one member add up to. */
struct load {
	double squares, max, peak;
	size_t windows;
};

/* -- wanted shares -- */

/* Wanted of member k at a moment. */
static double
wanted_at(const struct tally *t, double at_s, size_t k)
{
	size_t i = t->n_targets;

	while (i > 1 && t->targets[i - 1].at_s > at_s)
		i--;
	return t->targets[i - 1].share[k];
}

/* Over the time that counts. */
static double
wanted_mean(const struct tally *t, size_t k)
{
	const double from = (double)t->first * t->window_s, to = (double)t->n_windows * t->window_s;
	double sum = 0;

	for (size_t i = 0; i < t->n_targets; i++) {
		const double a = fmax(from, t->targets[i].at_s);
		const double b = fmin(to, i + 1 < t->n_targets ? t->targets[i + 1].at_s : to);

		if (b > a)
			sum += (b - a) * t->targets[i].share[k];
	}
	return sum / (to - from);
}

/* Nothing has changed in the window nor in the `settle_s` before it. */
static bool
is_calm(const struct tally *t, size_t window, double settle_s)
{
	const double from = (double)window * t->window_s;

	for (size_t i = 1; i < t->n_targets; i++) {
		if (t->targets[i].at_s < from + t->window_s &&
		    t->targets[i].at_s >= from - settle_s)
			return false;
	}
	for (size_t i = 0; i < t->n_curves; i++) {
		if (t->curves[i].down_s < from + t->window_s &&
		    t->curves[i].down_s >= from - settle_s)
			return false;
	}
	return true;
}

/* -- load -- */

static int
compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* One window: every member's share against what is wanted. Returns the highest load over wanted
 * load. */
static double
weigh_window(const struct tally *t, size_t window, struct load *loads)
{
	const uint64_t *clients = t->clients + window * t->n_members;
	double all = 0, highest = 0;

	for (size_t k = 0; k < t->n_members; k++)
		all += (double)clients[k];
	for (size_t k = 0; k < t->n_members && all > 0; k++) {
		const double wanted = wanted_at(t, (double)window * t->window_s, k);
		const double share = (double)clients[k] / all, off = share - wanted;

		loads[k].squares += off * off;
		loads[k].max = fmax(loads[k].max, fabs(off));
		loads[k].peak = fmax(loads[k].peak, wanted > 0 ? share / wanted : 0);
		loads[k].windows++;
		highest = fmax(highest, wanted > 0 ? share / wanted : 0);
	}
	return highest;
}

static json_t *
weigh(const struct report *r, struct load *loads)
{
	const struct tally *t = r->tally;
	double *peaks = xcalloc(t->n_windows + 1, sizeof(*peaks));
	double squares = 0, max = 0;
	char text[DURATION_TEXT_SIZE];
	size_t n = 0;

	for (size_t w = t->first; w < t->n_windows; w++) {
		if (is_calm(t, w, stage_ttl(r->stage)))
			peaks[n++] = weigh_window(t, w, loads);
	}
	for (size_t k = 0; k < t->n_members; k++) {
		squares += loads[k].squares;
		max = fmax(max, loads[k].max);
	}
	qsort(peaks, n, sizeof(*peaks), compare);

	json_t *j = json_pack("{s:s, s:I, s:f, s:f, s:f, s:f}", "window",
	    duration_text(r->spec->window_ms, text), "windows", (json_int_t)n, "max_deviation", max,
	    "stddev", n == 0 ? 0.0 : sqrt(squares / (double)(n * t->n_members)), "peak",
	    n == 0 ? 0.0 : peaks[n - 1], "peak_p95", n == 0 ? 0.0 : peaks[n * 95 / 100]);

	free(peaks);
	return j;
}

/* -- members -- */

static json_t *
tell_member(const struct report *r, size_t k, const struct load *load, double all)
{
	const struct tally *t = r->tally;
	size_t n;
	const struct stage_member *m = &stage_members(r->stage, &n)[k];
	const double p = wanted_mean(t, k);
	const double half = all > 0 ? SIGMAS_95 * sqrt(p * (1 - p) * t->squares / (all * all)) : 0;
	double clients = 0;

	for (size_t w = t->first; w < t->n_windows; w++)
		clients += (double)t->clients[w * t->n_members + k];
	return json_pack("{s:s, s:s, s:s, s:f, s:f, s:[f, f], s:f, s:f, s:f, s:f}", "pool", m->pool,
	    "address", m->address, "value", m->value, "desired", p, "clients",
	    all > 0 ? clients / all : 0.0, "expected", fmax(0, p - half), fmin(1, p + half),
	    "answers", t->queries > 0 ? (double)t->answers[k] / (double)t->queries : 0.0,
	    "max_deviation", load->max, "stddev",
	    load->windows > 0 ? sqrt(load->squares / (double)load->windows) : 0.0, "peak",
	    load->peak);
}

/* -- failures -- */

static json_t *
seconds(double s)
{
	return s < 0 ? json_null() : json_real(s);
}

static json_t *
tell_curve(const struct tally_curve *c, double rate)
{
	const size_t step = (c->n_bins + CURVE_POINTS - 1) / CURVE_POINTS;
	json_t *list = json_array();

	for (size_t b = 0; b < c->n_bins; b += step) {
		double sum = 0;
		size_t n = 0;

		for (; n < step && b + n < c->n_bins; n++)
			sum += c->bins[b + n];
		json_array_append_new(
		    list, json_pack("[I, f]", (json_int_t)b, sum / ((double)n * rate)));
	}
	return list;
}

static json_t *
tell_failure(const struct report *r, size_t i)
{
	const struct sim_failure *f = &((const struct sim_failure *)r->spec->failures.items)[i];
	const struct tally_curve *c = &r->tally->curves[i];
	const double detected = patrol_detected(r->patrol, i);
	char down[DURATION_TEXT_SIZE], up[DURATION_TEXT_SIZE];
	double dead = 0;

	for (size_t b = 0; b < c->n_bins; b++)
		dead += c->bins[b];
	return json_pack("{s:s, s:s, s:s?, s:o, s:f, s:{s:o, s:o, s:o}, s:I, s:o}", "address",
	    f->address, "down", duration_text(f->down_ms, down), "up",
	    f->up_ms == 0 ? NULL : duration_text(f->up_ms, up), "detected",
	    seconds(detected < 0 ? -1 : detected - c->down_s), "clients", c->held / r->rate,
	    "drained", "p50", seconds(tally_drained(c, 0.5)), "p90", seconds(tally_drained(c, 0.1)),
	    "p99", seconds(tally_drained(c, 0.01)), "dead_clients", (json_int_t)(dead + 0.5),
	    "curve", tell_curve(c, r->rate));
}

json_t *
report_make(const struct report *r)
{
	const struct tally *t = r->tally;
	struct load *loads = xcalloc(t->n_members + 1, sizeof(*loads));
	json_t *members = json_array(), *failures = json_array(), *load = weigh(r, loads);
	double all = 0;

	for (size_t i = t->first * t->n_members; i < t->n_windows * t->n_members; i++)
		all += (double)t->clients[i];
	for (size_t k = 0; k < t->n_members; k++)
		json_array_append_new(members, tell_member(r, k, &loads[k], all));
	for (size_t i = 0; i < t->n_curves; i++)
		json_array_append_new(failures, tell_failure(r, i));
	free(loads);

	json_t *j = json_pack("{s:s, s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}",
	    "name", r->spec->name, "type", r->spec->type, "ttl", (json_int_t)stage_ttl(r->stage),
	    "balance", stage_spec(r->stage)->balance == BALANCE_TRAFFIC ? "traffic" : "answers",
	    "seed", (json_int_t)r->spec->seed, "caches", (json_int_t)r->caches, "clients",
	    (json_int_t)all, "queries", (json_int_t)t->queries, "load", load, "members", members,
	    "failures", failures, "probes", patrol_json(r->patrol));

	CHECK(j != NULL);
	return j;
}
