/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * windows -- tells when maintenance windows begin and end, and what edits do to them.
 *
 *	commit --note--> agenda by begin or end --wait--> thread --> events (window_news)
 *
 * The engine opens and closes them by itself, whoever is there; this says so. At the start the
 * stored events tell what has been told already, and what happened meanwhile is told then, with
 * the time at which it happened.
 */
#pragma once

#include "api/control.h"

struct windows;

/* Before anybody edits. */
struct windows *windows_start(struct control *c);
void windows_stop(struct windows **w);
