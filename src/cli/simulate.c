/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/simulate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/yaml_out.h"
#include "cli/cli.h"
#include "cli/kinds.h"
#include "cli/table.h"

#define BAR_WIDTH    20
#define CURVE_WIDTH  60
#define CURVE_HEIGHT 6
#define EIGHTHS      8

static double
number(const json_t *j, const char *path)
{
	return json_number_value(kinds_at(j, path));
}

static const char *
percent(struct arena *a, double share)
{
	return arena_printf(a, "%.2f %%", share * 100);
}

static const char *
count(struct arena *a, const json_t *j, const char *key)
{
	return arena_printf(a, "%lld", (long long)json_integer_value(json_object_get(j, key)));
}

/* -- members -- */

static const char *
bar(struct arena *a, double share)
{
	struct buf b;

	buf_init(&b, 256);
	term_bar(&b, share, BAR_WIDTH);

	const char *text = arena_printf(a, "%s %6.2f %%", buf_str(&b), share * 100);

	buf_fini(&b);
	return text;
}

static void
write_member(struct table *t, const json_t *m, struct arena *a)
{
	const double low = json_number_value(json_array_get(json_object_get(m, "expected"), 0));
	const double high = json_number_value(json_array_get(json_object_get(m, "expected"), 1));
	const double clients = number(m, "clients");
	const bool within = clients >= low && clients <= high;

	table_cell(t, STYLE_PLAIN, kinds_text(json_object_get(m, "pool"), a));
	table_cell(t, STYLE_PLAIN, kinds_text(json_object_get(m, "address"), a));
	table_cell(t, STYLE_PLAIN, percent(a, number(m, "desired")));
	table_cell(t, within ? STYLE_PLAIN : STYLE_WARN, bar(a, clients));
	table_cell(t, STYLE_PLAIN, arena_printf(a, "%.2f..%.2f %%", low * 100, high * 100));
	table_cell(t, STYLE_PLAIN, percent(a, number(m, "answers")));
	table_cell(t, STYLE_PLAIN, percent(a, number(m, "max_deviation")));
	table_cell(t, STYLE_PLAIN, percent(a, number(m, "stddev")));
	table_cell(t, STYLE_PLAIN, arena_printf(a, "%.2f", number(m, "peak")));
}

static void
write_members(struct buf *b, const json_t *report, bool colour, struct arena *a)
{
	static const char *const titles[] = { "POOL", "ADDRESS", "WANTED", "CLIENTS", "EXPECTED",
		"ANSWERS", "MOST OFF", "STDDEV", "PEAK" };
	const json_t *m;
	struct table t;
	size_t i;

	table_init(&t, ARRAY_LEN(titles));
	t.right = 1u << 2 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8;
	for (i = 0; i < ARRAY_LEN(titles); i++)
		table_head(&t, titles[i]);
	json_array_foreach(json_object_get(report, "members"), i, m) write_member(&t, m, a);
	table_write(&t, b, colour, "");
	table_fini(&t);
	buf_printf(b,
	    "load over windows of %s: most off %.2f %%, standard deviation %.2f %%, peak %.2f "
	    "(95 %%: %.2f)\n",
	    kinds_text(kinds_at(report, "load.window"), a),
	    number(report, "load.max_deviation") * 100, number(report, "load.stddev") * 100,
	    number(report, "load.peak"), number(report, "load.peak_p95"));
}

/* -- failures -- */

/* Points squeezed into columns; the means of each. Returns how many columns. */
static size_t
squeeze(const json_t *curve, double *columns, double *until)
{
	const size_t n = json_array_size(curve);
	const size_t width = n < CURVE_WIDTH ? n : CURVE_WIDTH;
	const json_t *last = json_array_get(curve, n - 1), *before = json_array_get(curve, n - 2);

	for (size_t c = 0; c < width; c++) {
		const size_t from = c * n / width, to = (c + 1) * n / width;

		columns[c] = 0;
		for (size_t i = from; i < to; i++)
			columns[c] +=
			    json_number_value(json_array_get(json_array_get(curve, i), 1)) /
			    (double)(to - from);
	}
	*until = json_number_value(json_array_get(last, 0)) * 2 -
		 json_number_value(json_array_get(before, 0));
	return width;
}

static void
write_curve(struct buf *b, const json_t *curve)
{
	static const char *const blocks[] = { " ", "\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83",
		"\xe2\x96\x84", "\xe2\x96\x85", "\xe2\x96\x86", "\xe2\x96\x87", "\xe2\x96\x88" };
	double columns[CURVE_WIDTH], top = 0, until;

	if (json_array_size(curve) < 2)
		return;

	const size_t width = squeeze(curve, columns, &until);

	for (size_t c = 0; c < width; c++)
		top = fmax(top, columns[c]);
	if (top <= 0)
		return;
	buf_puts(b, "  clients on the dead address\n");
	for (int row = CURVE_HEIGHT - 1; row >= 0; row--) {
		if (row == CURVE_HEIGHT - 1)
			buf_printf(b, "  %6.2f %% |", top * 100);
		else
			buf_puts(b, "           |");
		for (size_t c = 0; c < width; c++) {
			const double level =
			    columns[c] / top * CURVE_HEIGHT * EIGHTHS - row * EIGHTHS;
			const double clipped = fmin(EIGHTHS, fmax(0, level));

			buf_puts(b, blocks[(size_t)ceil(clipped)]);
		}
		buf_puts(b, "\n");
	}
	buf_puts(b, "           +");
	for (size_t c = 0; c < width; c++)
		buf_puts(b, "-");
	buf_printf(b, "\n            0 s%*.0f s\n", (int)width - 5, until);
}

static const char *
seconds(struct arena *a, const json_t *j)
{
	return json_is_number(j) ? arena_printf(a, "%.3g s", json_number_value(j)) : "never";
}

static void
write_failure(struct buf *b, const json_t *f, bool colour, struct arena *a)
{
	const json_t *up = json_object_get(f, "up"), *seen = json_object_get(f, "detected");

	buf_printf(
	    b, "\n%sfailure%s of ", term_on(colour, STYLE_BOLD), term_off(colour, STYLE_BOLD));
	term_clean(b, kinds_text(json_object_get(f, "address"), a));
	buf_printf(b, " at %s, %s%s\n", kinds_text(json_object_get(f, "down"), a),
	    json_is_string(up) ? "back at " : "for good",
	    json_is_string(up) ? json_string_value(up) : "");
	buf_printf(
	    b, "  seen        %s%s\n", json_is_number(seen) ? "after " : "", seconds(a, seen));
	buf_printf(b, "  clients     %.2f %% were on it; %lld met it dead\n",
	    number(f, "clients") * 100,
	    (long long)json_integer_value(json_object_get(f, "dead_clients")));
	buf_printf(b, "  drained     50 %%: %s   90 %%: %s   99 %%: %s\n",
	    seconds(a, kinds_at(f, "drained.p50")), seconds(a, kinds_at(f, "drained.p90")),
	    seconds(a, kinds_at(f, "drained.p99")));
	write_curve(b, json_object_get(f, "curve"));
}

/* Those of living targets; nothing to tell where nothing was lost. */
static void
write_probes(struct buf *b, const json_t *probes)
{
	const long long made = json_integer_value(json_object_get(probes, "made"));
	const long long failed = json_integer_value(json_object_get(probes, "failed"));
	const long long downs = json_integer_value(json_object_get(probes, "false_downs"));

	if (failed > 0 || downs > 0)
		buf_printf(b,
		    "probes of living addresses: %lld, failed %lld (%.2g %%), false downs %lld\n",
		    made, failed, 100.0 * (double)failed / (double)made, downs);
}

static void
write_one(struct buf *b, const json_t *report, bool colour, struct arena *a)
{
	const json_t *f;
	size_t i;

	buf_printf(b,
	    "%s%s %s%s   TTL %s   balance %s   %s caches   %s clients   %s queries   seed %s\n\n",
	    term_on(colour, STYLE_BOLD), kinds_text(json_object_get(report, "name"), a),
	    kinds_text(json_object_get(report, "type"), a), term_off(colour, STYLE_BOLD),
	    count(a, report, "ttl"), kinds_text(json_object_get(report, "balance"), a),
	    count(a, report, "caches"), count(a, report, "clients"), count(a, report, "queries"),
	    count(a, report, "seed"));
	write_members(b, report, colour, a);
	write_probes(b, json_object_get(report, "probes"));
	json_array_foreach(json_object_get(report, "failures"), i, f)
	    write_failure(b, f, colour, a);
}

/* -- several -- */

static void
write_line(struct table *t, const json_t *request, const json_t *report, struct arena *a)
{
	const json_t *skew = kinds_at(request, "resolvers.skew");
	const json_t *failure = json_array_get(json_object_get(report, "failures"), 0);

	table_cell(
	    t, STYLE_PLAIN, arena_printf(a, "%.1f", skew == NULL ? 1.0 : json_number_value(skew)));
	table_cell(t, STYLE_PLAIN, count(a, report, "ttl"));
	table_cell(t, STYLE_PLAIN, kinds_text(json_object_get(report, "balance"), a));
	table_cell(t, STYLE_PLAIN, percent(a, number(report, "load.max_deviation")));
	table_cell(t, STYLE_PLAIN, percent(a, number(report, "load.stddev")));
	table_cell(t, STYLE_PLAIN, arena_printf(a, "%.2f", number(report, "load.peak")));
	table_cell(t, STYLE_PLAIN, arena_printf(a, "%.2f", number(report, "load.peak_p95")));
	table_cell(t, STYLE_PLAIN, count(a, report, "queries"));
	if (t->n_columns < 11)
		return;
	table_cell(t, STYLE_PLAIN, seconds(a, kinds_at(failure, "drained.p50")));
	table_cell(t, STYLE_PLAIN, seconds(a, kinds_at(failure, "drained.p90")));
	table_cell(t, STYLE_PLAIN, seconds(a, kinds_at(failure, "drained.p99")));
}

static void
write_several(
    struct buf *b, const json_t *requests, const json_t *reports, bool colour, struct arena *a)
{
	static const char *const titles[] = { "SKEW", "TTL", "BALANCE", "MOST OFF", "STDDEV",
		"PEAK", "95 %", "QUERIES", "50 % LEFT", "90 % LEFT", "99 % LEFT" };
	const size_t failures =
	    json_array_size(json_object_get(json_array_get(reports, 0), "failures"));
	const json_t *report;
	struct table t;
	size_t i;

	table_init(&t, failures > 0 ? 11 : 8);
	t.right = ~(1u << 2);
	for (i = 0; i < t.n_columns; i++)
		table_head(&t, titles[i]);
	json_array_foreach(reports, i, report)
	    write_line(&t, json_array_get(requests, i), report, a);
	table_write(&t, b, colour, "");
	table_fini(&t);
}

static void
write_all(struct buf *b, const json_t *requests, const json_t *reports, bool colour)
{
	struct arena a;

	arena_init(&a);
	if (json_array_size(reports) == 1)
		write_one(b, json_array_get(reports, 0), colour, &a);
	else
		write_several(b, requests, reports, colour, &a);
	arena_fini(&a);
}

void
simulate_show(struct cli *cli, const json_t *requests, const json_t *reports)
{
	const json_t *data = json_array_size(reports) == 1 ? json_array_get(reports, 0) : reports;
	struct buf b;

	buf_init(&b, 1 << 26);
	if (cli->output == OUTPUT_JSON) {
		char *text = json_pretty(data);

		buf_printf(&b, "%s\n", text);
		free(text);
	} else if (cli->output == OUTPUT_YAML) {
		yaml_out_write(&b, data);
	} else {
		write_all(&b, requests, reports, cli->colour);
	}
	cli_write(cli, &b);
}
