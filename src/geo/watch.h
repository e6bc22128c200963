/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * watch -- a thread that looks after the data sets' files and reads them when they have changed.
 *
 *	every few seconds, or asked to --> stat --> changed: survey_make --> tell(news)
 *
 * All that may wait for a disk is done here. A file being written is left alone for a moment; one
 * that could not be read is not tried again until it changes, or somebody asks.
 */
#pragma once

#include "geo/survey.h"

struct watch_news {
	struct atlas *atlas;           /* one reference; NULL: it went wrong */
	struct survey_report *reports; /* of each source, if it went well */
	char *problem;                 /* else what is wrong, with file and line */
	int64_t took_ms;
};
void watch_news_free(struct watch_news **n);

struct watch;

/*
 * `sources` stays the caller's and must stay. `known`: what was read before, or NULL: nothing, so
 * the first look reads. `tell` runs in the watching thread and takes the news.
 */
struct watch *watch_start(const struct survey_source *sources, size_t n,
    const struct survey_report *known, void (*tell)(void *arg, struct watch_news *news), void *arg);
void watch_ask(struct watch *w);   /* read everything now, changed or not; any thread */
void watch_stop(struct watch **w); /* waits for a reading under way */
