/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * window_news -- what becomes of a maintenance window, as events, each told once.
 *
 *	planned --> began --> changed * --> ended --> began (the next time) ...
 *	   '------> cancelled                 '-----> cancelled
 *
 * Time passes under a spec (window_news_pass), and edits put one spec in the place of another
 * (window_news_edit). What has been told is a few words for each window, which can be had again
 * from the latest event about it (window_news_recall): the events are the memory, so what is
 * durable is what was told, whoever dies when. A clock that is set back tells nothing again.
 *
 * Pure: the time is passed in.
 */
#pragma once

#include "base/json.h"
#include "model/nouns.h"
#include "store/store.h"

/* How many times of a window are told late, when nobody was there; of more the latest are. */
#define WINDOW_NEWS_LATE_MAX 100

struct window_told {
	bool open;              /* that it began has been told, that it ended has not */
	struct force_span span; /* open: which time */
	int64_t upto_ms;        /* all that happened until then has been told */
};

/* From the latest event about the window; false: it says nothing of it. */
MUST_USE bool window_news_recall(const struct store_event *e, struct window_told *t);

/* What happened by itself until now. Adds events, as control_event takes them, to `out`. */
void window_news_pass(const char *name, const struct maintenance_spec *s, struct window_told *t,
    int64_t now_ms, json_t *out);

struct window_edit {
	const char *name, *author;          /* author "": nobody knows */
	const struct maintenance_spec *was; /* NULL: there was none */
	const struct maintenance_spec *is;  /* NULL: it is deleted */
};

/* What the edit does to it; after window_news_pass of what was. Likewise. */
void
window_news_edit(const struct window_edit *e, struct window_told *t, int64_t now_ms, json_t *out);

/* When something happens next by itself; AGENDA_NEVER: never. */
int64_t window_news_due(const struct maintenance_spec *s, const struct window_told *t);
