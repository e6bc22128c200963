/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * event_kinds -- what can be told: a row for each kind of event, for the reference. A house test
 * holds it against what the sources raise.
 */
#pragma once

#include <stddef.h>

struct event_kind {
	const char *name;     /* "pool.down" */
	const char *object;   /* what it is about: a kind's name, or several; "": no object */
	const char *severity; /* "info", or several as the case may be */
	const char *prose;
};

extern const struct event_kind event_kinds[];
extern const size_t event_kinds_count;
