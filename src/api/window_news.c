/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/window_news.h"

#include <string.h>

#include "base/agenda.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"
#include "model/target.h"

#define NAMED_MAX  4  /* objects in a sentence */
#define LISTED_MAX 20 /* in `data` */

static const char *const state_words[] = {
	[MAINTENANCE_DRAIN] = "drain",
	[MAINTENANCE_DOWN] = "down",
	[MAINTENANCE_UP] = "up",
	[MAINTENANCE_HOLD] = "hold",
};

/* -- an event -- */

/* What happens to one window. */
struct news {
	const char *name, *author;
	const struct maintenance_spec *spec;
	struct force_span span; /* the time that it is about */
	int64_t at_ms;
	struct arena arena;
};

static void
begin(struct news *n, const char *name, const char *author, const struct maintenance_spec *s)
{
	*n = (struct news){ .name = name, .author = author, .spec = s };
	arena_init(&n->arena);
}

/* "'drain' on pool 'dc-a', address 'dc-b-1' and 7 more" */
static const char *
what(struct news *n)
{
	const struct maintenance_spec *s = n->spec;
	const char *const *object = s->objects.items;
	const char *text = arena_printf(&n->arena, "'%s' on", state_words[s->state]);
	char of[KIND_NAME_SIZE];
	enum kind kind;
	size_t i;

	for (i = 0; i < s->objects.count && i < NAMED_MAX; i++) {
		CHECK(target_parse(object[i], &kind, of) == NULL);
		text = arena_printf(
		    &n->arena, "%s%s %s '%s'", text, i == 0 ? "" : ",", kind_table[kind].name, of);
	}
	if (i < s->objects.count)
		text = arena_printf(&n->arena, "%s and %zu more", text, s->objects.count - i);
	return text;
}

static const char *
moment(struct news *n, int64_t ms)
{
	char text[CLOCK_TEXT_SIZE];

	return arena_strdup(&n->arena, clock_text(ms, text));
}

static const char *
by(struct news *n)
{
	return *n->author == '\0' ? "" : arena_printf(&n->arena, " by %s", n->author);
}

/* ", then every 7d" */
static const char *
repeats(struct news *n)
{
	char every[DURATION_TEXT_SIZE];

	return n->spec->every_ms == 0 ? ""
				      : arena_printf(&n->arena, ", then every %s",
					    duration_text(n->spec->every_ms, every));
}

static json_t *
data_of(struct news *n)
{
	const struct maintenance_spec *s = n->spec;
	const char *const *object = s->objects.items;
	json_t *objects = json_array();

	for (size_t i = 0; i < s->objects.count && i < LISTED_MAX; i++)
		json_array_append_new(objects, json_string(object[i]));

	json_t *data = json_pack("{s:s, s:o, s:I, s:s, s:s, s:s}", "state", state_words[s->state],
	    "objects", objects, "objects_total", (json_int_t)s->objects.count, "starts",
	    moment(n, n->span.starts_ms), "ends", moment(n, n->span.ends_ms), "reason", s->reason);

	CHECK(data != NULL);
	if (*n->author != '\0')
		json_object_set_new(data, "by", json_string(n->author));
	return data;
}

/* Down and drain take something out of the answers. */
static const char *
severity_of(const struct news *n)
{
	return n->spec->state == MAINTENANCE_DOWN || n->spec->state == MAINTENANCE_DRAIN ? "warning"
											 : "info";
}

/* Ends `n`. Takes `more` (may be NULL), members for `data`. */
static void
tell(struct news *n, json_t *out, const char *kind, const char *severity, const char *text,
    json_t *more)
{
	json_t *data = data_of(n);

	if (more != NULL)
		json_object_update(data, more);
	json_decref(more);

	json_t *j = json_pack("{s:s, s:{s:s, s:s}, s:s, s:o, s:s, s:o}", "kind", kind, "object",
	    "kind", kind_table[KIND_MAINTENANCE].name, "name", n->name, "severity", severity,
	    "text", json_sprintf("%s: %s", text, n->spec->reason), "at", moment(n, n->at_ms),
	    "data", data);

	CHECK(j != NULL);
	json_array_append_new(out, j);
	arena_fini(&n->arena);
}

/* -- what is told -- */

static void
tell_planned(struct news *n, json_t *out)
{
	const char *text = arena_printf(&n->arena,
	    "maintenance '%s' is planned%s from %s until %s%s: %s", n->name, by(n),
	    moment(n, n->span.starts_ms), moment(n, n->span.ends_ms), repeats(n), what(n));

	tell(n, out, "maintenance.planned", "info", text, NULL);
}

static void
tell_cancelled(struct news *n, json_t *out)
{
	const char *text =
	    arena_printf(&n->arena, "maintenance '%s', to begin at %s, is cancelled%s: %s", n->name,
		moment(n, n->span.starts_ms), by(n), what(n));

	tell(n, out, "maintenance.cancelled", "info", text, NULL);
}

/* `late`: so many times passed before it that nobody told. */
static void
tell_began(struct news *n, struct window_told *t, int64_t late, json_t *out)
{
	const char *untold =
	    late == 0
		? ""
		: arena_printf(&n->arena, " (%lld earlier times passed untold)", (long long)late);
	const char *put =
	    *n->author == '\0' ? "" : arena_printf(&n->arena, ", put by %s", n->author);
	const char *text = arena_printf(&n->arena, "maintenance '%s' has begun%s: %s until %s%s",
	    n->name, put, what(n), moment(n, n->span.ends_ms), untold);

	*t = (struct window_told){ .open = true, .span = n->span, .upto_ms = n->at_ms };
	tell(n, out, "maintenance.began", severity_of(n), text, NULL);
}

static void
tell_changed(struct news *n, struct window_told *t, json_t *out)
{
	const char *text =
	    arena_printf(&n->arena, "maintenance '%s' goes on, changed%s: %s until %s", n->name,
		by(n), what(n), moment(n, n->span.ends_ms));

	t->span = n->span;
	tell(n, out, "maintenance.changed", severity_of(n), text, NULL);
}

/* `next` (may be NULL): when it begins again. `how`: "deleted", ... before its time; NULL: in time.
 */
static void
tell_ended(struct news *n, struct window_told *t, const char *how, const struct force_span *next,
    json_t *out)
{
	const char *again = next == NULL ? ""
					 : arena_printf(&n->arena, "; it begins again at %s",
					       moment(n, next->starts_ms));
	const char *text =
	    how == NULL ? arena_printf(&n->arena, "maintenance '%s' has ended: no more %s%s",
			      n->name, what(n), again)
			: arena_printf(&n->arena,
			      "maintenance '%s' was %s%s before its end at %s: no more %s%s",
			      n->name, how, by(n), moment(n, n->span.ends_ms), what(n), again);
	json_t *more = json_pack("{s:b}", "early", how != NULL);

	if (next != NULL)
		json_object_set_new(more, "next", json_string(moment(n, next->starts_ms)));
	*t = (struct window_told){ .span = n->span, .upto_ms = n->at_ms };
	tell(n, out, "maintenance.ended", "info", text, more);
}

/* -- time -- */

/* Go past the times that are too many to be told; how many. */
static int64_t
skip_late(const struct force_window *w, struct window_told *t, int64_t now_ms)
{
	const int64_t least_ms = now_ms - WINDOW_NEWS_LATE_MAX * w->every_ms;
	struct force_span first, kept;

	if (w->every_ms == 0 || t->open || !force_span(w, t->upto_ms, &first) ||
	    first.starts_ms >= least_ms || !force_span(w, least_ms, &kept))
		return 0;
	t->upto_ms = kept.ends_ms;
	return (kept.starts_ms - first.starts_ms) / w->every_ms + 1;
}

static void
end_in_time(const char *name, const struct maintenance_spec *s, struct window_told *t, json_t *out)
{
	const struct force_window w = maintenance_window(s);
	struct force_span next;
	struct news n;

	begin(&n, name, "", s);
	n.span = t->span;
	n.at_ms = t->span.ends_ms;
	tell_ended(&n, t, NULL, force_span(&w, n.at_ms, &next) ? &next : NULL, out);
}

void
window_news_pass(const char *name, const struct maintenance_spec *s, struct window_told *t,
    int64_t now_ms, json_t *out)
{
	const struct force_window w = maintenance_window(s);
	struct news n;
	int64_t late;

	if (t->open && t->span.ends_ms <= now_ms)
		end_in_time(name, s, t, out);
	late = skip_late(&w, t, now_ms);
	while (!t->open) {
		struct force_span span;

		if (!force_span(&w, t->upto_ms, &span) || span.starts_ms > now_ms)
			break;
		begin(&n, name, "", s);
		n.span = span;
		n.at_ms = span.starts_ms > t->upto_ms ? span.starts_ms : t->upto_ms;
		tell_began(&n, t, late, out);
		late = 0;
		if (span.ends_ms <= now_ms)
			end_in_time(name, s, t, out);
	}
	if (!t->open && t->upto_ms < now_ms)
		t->upto_ms = now_ms;
}

int64_t
window_news_due(const struct maintenance_spec *s, const struct window_told *t)
{
	const struct force_window w = maintenance_window(s);
	struct force_span next;

	if (t->open)
		return t->span.ends_ms;
	return force_span(&w, t->upto_ms, &next) ? next.starts_ms : AGENDA_NEVER;
}

/* -- edits -- */

static bool
lists_same(const struct field_list *a, const struct field_list *b)
{
	const char *const *x = a->items, *const *y = b->items;

	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(x[i], y[i]) != 0)
			return false;
	}
	return true;
}

/* Does it do the same, when that may be? */
static bool
does_same(const struct maintenance_spec *a, const struct maintenance_spec *b)
{
	return a == b || (a->state == b->state && strcmp(a->reason, b->reason) == 0 &&
			     lists_same(&a->objects, &b->objects));
}

static void
edit_open(const struct window_edit *e, struct window_told *t, struct news *n,
    const struct force_span *next, json_t *out)
{
	const bool goes_on = next != NULL && next->starts_ms <= n->at_ms;

	if (!goes_on) {
		n->span = t->span;
		n->spec = e->was; /* what is no more */
		tell_ended(n, t, e->is == NULL ? "deleted" : "cut short", next, out);
	} else if (next->ends_ms != t->span.ends_ms || !does_same(e->was, e->is)) {
		n->span = *next;
		tell_changed(n, t, out);
	}
}

static void
edit_closed(const struct window_edit *e, struct window_told *t, struct news *n,
    const struct force_span *next, json_t *out)
{
	const struct force_window was =
	    e->was != NULL ? maintenance_window(e->was) : (struct force_window){ .starts_ms = 0 };
	struct force_span before;
	const bool had = e->was != NULL && force_span(&was, n->at_ms, &before);

	if (next != NULL && next->starts_ms <= n->at_ms) {
		n->span = *next;
		tell_began(n, t, 0, out);
	} else if (next != NULL &&
		   (!had || before.starts_ms != next->starts_ms ||
		       before.ends_ms != next->ends_ms || !does_same(e->was, e->is))) {
		n->span = *next;
		tell_planned(n, out);
	} else if (next == NULL && had) {
		n->span = before;
		n->spec = e->was;
		tell_cancelled(n, out);
	}
}

void
window_news_edit(const struct window_edit *e, struct window_told *t, int64_t now_ms, json_t *out)
{
	const struct force_window is =
	    e->is != NULL ? maintenance_window(e->is) : (struct force_window){ .starts_ms = 0 };
	const struct force_span *next = NULL;
	struct force_span span;
	struct news n;

	begin(&n, e->name, e->author, e->is);
	n.at_ms = now_ms > t->upto_ms ? now_ms : t->upto_ms;
	if (e->is != NULL && force_span(&is, n.at_ms, &span))
		next = &span;
	if (t->open)
		edit_open(e, t, &n, next, out);
	else
		edit_closed(e, t, &n, next, out);
	arena_fini(&n.arena);
	if (!t->open && t->upto_ms < n.at_ms)
		t->upto_ms = n.at_ms;
}

/* -- memory -- */

static bool
read_time(const json_t *data, const char *member, int64_t *ms)
{
	const char *text = json_string_value(json_object_get(data, member));

	return text != NULL && clock_parse(text, ms) == 0;
}

bool
window_news_recall(const struct store_event *e, struct window_told *t)
{
	json_t *data = e->data != NULL ? json_loads(e->data, 0, NULL) : NULL;
	struct window_told told = { .upto_ms = e->at_ms };
	const bool read = strncmp(e->kind, "maintenance.", strlen("maintenance.")) == 0 &&
			  read_time(data, "starts", &told.span.starts_ms) &&
			  read_time(data, "ends", &told.span.ends_ms);

	json_decref(data);
	if (!read)
		return false;
	told.open = strcmp(e->kind, "maintenance.began") == 0 ||
		    strcmp(e->kind, "maintenance.changed") == 0;
	*t = told;
	return true;
}
