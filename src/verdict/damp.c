/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "verdict/damp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

static int64_t
latest(const struct damp *d)
{
	return d->n == 0 ? INT64_MIN : d->at_ms[d->n - 1];
}

/* Are the latest transitions, one more than are fine, all in the window that ends now? */
static bool
is_flapping(const struct damp *d, const struct damp_rule *rule, int64_t now_ms)
{
	return d->n > rule->transitions &&
	       d->at_ms[d->n - 1 - rule->transitions] > now_ms - (int64_t)rule->window_ms;
}

static void
note(struct damp *d, const struct damp_rule *rule, int64_t now_ms)
{
	const unsigned most = rule->transitions + 1;

	CHECK(most <= DAMP_TRANSITIONS_MAX + 1);
	if (d->n >= most) {
		memmove(d->at_ms, d->at_ms + (d->n - most + 1), (most - 1) * sizeof(*d->at_ms));
		d->n = most - 1;
	}
	d->at_ms[d->n++] = now_ms;
}

static void
hold(struct damp *d, const struct damp_rule *rule, int64_t from_ms)
{
	if (d->hold_ms == 0)
		d->hold_ms = rule->hold_ms;
	else
		d->hold_ms =
		    d->hold_ms > rule->hold_max_ms / 2 ? rule->hold_max_ms : d->hold_ms * 2;
	d->held = true;
	d->until_ms = from_ms + d->hold_ms;
}

/* Holds that have ended by now; each is judged as of its end, however late we are asked. */
static enum damp_news
go_on(struct damp *d, const struct damp_rule *rule, int64_t now_ms)
{
	while (d->held && d->until_ms <= now_ms) {
		const int64_t began_ms = d->until_ms - d->hold_ms;

		if (latest(d) <= began_ms || !is_flapping(d, rule, d->until_ms)) {
			d->held = false;
			return DAMP_RELEASED;
		}
		hold(d, rule, d->until_ms);
	}
	return DAMP_NO_NEWS;
}

static enum damp_news
switch_off(struct damp *d, bool up)
{
	const bool held = d->held;

	*d = (struct damp){ .known = true, .up = up };
	return held ? DAMP_RELEASED : DAMP_NO_NEWS;
}

enum damp_news
damp_feed(struct damp *d, const struct damp_rule *rule, bool up, bool up_is_safer, int64_t now_ms)
{
	enum damp_news news;

	if (rule->transitions == 0)
		return switch_off(d, up);
	news = go_on(d, rule, now_ms);
	if (!d->held && d->n > 0 && latest(d) <= now_ms - (int64_t)rule->window_ms) {
		d->n = 0;
		d->hold_ms = 0;
	}
	if (d->known && up != d->up)
		note(d, rule, now_ms);

	const bool began = d->known && up != d->up && !d->held && is_flapping(d, rule, now_ms);

	d->known = true;
	d->up = up;
	if (!began)
		return news;
	hold(d, rule, now_ms);
	d->held_up = up_is_safer;
	return DAMP_HELD;
}

bool
damp_waits(const struct damp *d)
{
	return d->held && !d->held_up && d->up;
}

void
damp_turn(struct damp *d)
{
	CHECK(damp_waits(d));
	d->held_up = true;
}

bool
damp_says_up(const struct damp *d)
{
	return d->held ? d->held_up : d->up;
}

int64_t
damp_due(const struct damp *d, const struct damp_rule *rule)
{
	if (d->held)
		return d->until_ms;
	return d->n > 0 ? latest(d) + rule->window_ms : INT64_MAX;
}

/* -- memory: "up - 60000 1700000000000 at at at"; held: up, down or - -- */

static const char *
word(bool up)
{
	return up ? "up" : "down";
}

char *
damp_text(const struct damp *d, char out[DAMP_TEXT_SIZE])
{
	int len = snprintf(out, DAMP_TEXT_SIZE, "%s %s %" PRIu32 " %" PRId64, word(d->up),
	    d->held ? word(d->held_up) : "-", d->hold_ms, d->until_ms);

	for (unsigned i = 0; i < d->n; i++)
		len += snprintf(out + len, DAMP_TEXT_SIZE - (size_t)len, " %" PRId64, d->at_ms[i]);
	return out;
}

static int
parse(struct damp *d, const char *text)
{
	char up[5], held[5];
	int used = 0, more = 0;

	if (sscanf(text, "%4s %4s %" SCNu32 " %" SCNd64 "%n", up, held, &d->hold_ms, &d->until_ms,
		&used) != 4)
		return -EINVAL;
	d->known = true;
	d->up = strcmp(up, "up") == 0;
	d->held = strcmp(held, "-") != 0;
	d->held_up = strcmp(held, "up") == 0;
	for (text += used; *text != '\0'; text += more) {
		if (d->n > DAMP_TRANSITIONS_MAX ||
		    sscanf(text, " %" SCNd64 "%n", &d->at_ms[d->n], &more) != 1)
			return -EINVAL;
		d->n++;
	}
	return d->held && d->hold_ms == 0 ? -EINVAL : 0;
}

int
damp_parse(struct damp *d, const char *text)
{
	*d = (struct damp){ 0 };

	const int rc = parse(d, text);

	if (rc < 0)
		*d = (struct damp){ 0 };
	return rc;
}
