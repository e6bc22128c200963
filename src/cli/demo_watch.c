/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cli/demo.h"
#include "cli/demo_dns.h"
#include "cli/kinds.h"
#include "cli/table.h"
#include "dns/rrtype.h"

#define ASKS 1000
/*
 * The sequence of a worker stays within 4.1 of every share from its start; a stretch in its middle
 * is the difference of two such counts and is seldom off by more than this.
 */
#define EXACTNESS 6
#define BAR_WIDTH 24

bool
demo_watch_api(struct demo *d, const char *method, const char *path, json_t *body, json_t **reply)
{
	demo_show_progress_end(d);

	const int code = cli_ask(d->cli, method, path, body, NULL, reply);

	json_decref(body);
	if (code != EXIT_OK)
		demo_show_check(d, false, "%s %s was refused", method, path);
	return code == EXIT_OK;
}

/* How many of the demo's addresses have this health. */
static unsigned
count_health(struct demo *d, const char *health)
{
	json_t *reply = NULL;
	const json_t *item;
	unsigned n = 0;
	size_t i;

	if (!demo_watch_api(d, "GET", "/api/v1/addresses", NULL, &reply))
		return 0;
	json_array_foreach(json_object_get(reply, "items"), i, item)
	{
		const char *ip = json_string_value(kinds_at(item, "spec.value"));
		const char *have = json_string_value(kinds_at(item, "status.health"));

		n += ip != NULL && have != NULL && demo_sites_of(ip) >= 0 &&
		     strcmp(have, health) == 0;
	}
	json_decref(reply);
	return n;
}

bool
demo_watch_health(struct demo *d, const char *health, unsigned ms)
{
	const uint64_t start = clock_mono_ms();
	unsigned n = 0;

	while (!demo_interrupted() && !d->failed && clock_mono_ms() - start < ms) {
		n = count_health(d, health);
		if (n == DEMO_SITES * DEMO_SERVERS)
			return demo_show_check(d, true,
			    "all %d addresses pass their checks (after %.1f s)",
			    DEMO_SITES * DEMO_SERVERS, (double)(clock_mono_ms() - start) / 1000);
		demo_show_progress(
		    d, "%u of %d addresses pass their checks", n, DEMO_SITES * DEMO_SERVERS);
		usleep(50000);
	}
	return demo_show_check(d, false, "expected %d addresses with health %s within %u s, saw %u",
	    DEMO_SITES * DEMO_SERVERS, health, ms / 1000, n);
}

/* A resolver's client uses the first address: count by that. Returns the answers that came. */
static unsigned
count_answers(struct demo *d, unsigned counts[DEMO_SITES][DEMO_SERVERS])
{
	unsigned answers = 0;

	for (int i = 0; i < ASKS && !demo_interrupted(); i++) {
		struct demo_dns_answer a;

		if (demo_dns_ask(d->dns_fd, DEMO_NAME, RRTYPE_A, 1000, &a) != 0 || a.n == 0)
			continue;
		answers++;
		for (int s = 0; s < DEMO_SITES; s++)
			for (int j = 0; j < DEMO_SERVERS; j++)
				counts[s][j] += strcmp(a.rdata[0], demo_sites_ips[s][j]) == 0;
	}
	return answers;
}

static void
write_row(struct table *t, const char *site, const char *ip, double desired, unsigned observed)
{
	struct buf bar;
	char text[32];

	buf_init(&bar, 256);
	table_cell(t, *site != '\0' ? STYLE_BOLD : STYLE_PLAIN, site);
	table_cell(t, STYLE_PLAIN, ip);
	snprintf(text, sizeof(text), "%.0f", desired);
	table_cell(t, STYLE_PLAIN, text);
	snprintf(text, sizeof(text), "%u", observed);
	table_cell(t, STYLE_PLAIN, text);
	snprintf(text, sizeof(text), "%.1f %%", 100.0 * observed / ASKS);
	table_cell(t, STYLE_PLAIN, text);
	term_bar(&bar, (double)observed / ASKS, BAR_WIDTH);
	table_cell(t, STYLE_PLAIN, buf_str(&bar));
	buf_fini(&bar);
}

static void
write_ratio(
    struct demo *d, const double desired[DEMO_SITES], unsigned counts[DEMO_SITES][DEMO_SERVERS])
{
	static const char *const titles[] = { "SITE", "ADDRESS", "DESIRED", "OBSERVED", "SHARE",
		"" };
	struct table t;
	struct buf b;

	table_init(&t, ARRAY_LEN(titles));
	t.right = 1u << 2 | 1u << 3 | 1u << 4;
	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		table_head(&t, titles[i]);
	for (int s = 0; s < DEMO_SITES; s++) {
		write_row(&t, demo_sites_names[s], "", desired[s], counts[s][0] + counts[s][1]);
		for (int j = 0; j < DEMO_SERVERS; j++)
			write_row(
			    &t, "", demo_sites_ips[s][j], desired[s] / DEMO_SERVERS, counts[s][j]);
	}
	buf_init(&b, 1 << 16);
	table_write(&t, &b, d->cli->colour, "");
	demo_show_block(d, &b);
	buf_fini(&b);
	table_fini(&t);
}

void
demo_watch_ratio(struct demo *d, const unsigned weights[DEMO_SITES])
{
	unsigned counts[DEMO_SITES][DEMO_SERVERS] = { { 0 } }, sum = 0;
	double desired[DEMO_SITES], worst = 0;

	for (int s = 0; s < DEMO_SITES; s++)
		sum += weights[s];
	const unsigned answers = count_answers(d, counts);

	for (int s = 0; s < DEMO_SITES; s++) {
		desired[s] = (double)ASKS * weights[s] / sum;
		const double off = desired[s] - (counts[s][0] + counts[s][1]);

		worst = off > worst ? off : -off > worst ? -off : worst;
	}
	write_ratio(d, desired, counts);
	demo_show_check(d, answers == ASKS, "%u of %d questions were answered", answers, ASKS);
	demo_show_check(d, worst <= EXACTNESS,
	    "each site is at most %.0f answers off its share (allowed: %d)", worst, EXACTNESS);
}
