/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * progress -- one line about long work, for a person at a terminal; nothing anywhere else.
 *
 *	sending  ███████████░░░░░░░░░  55 %  14 of 26 MB
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
	FILE *f;
	bool on, shown;
	uint64_t started_ms, next_ms;
};

void progress_start(struct progress *p, FILE *f, bool quiet);
/* Cheap; draws ten times a second, and nothing in the first moment. `total` 0: not known. */
void progress_show(struct progress *p, const char *what, size_t done, size_t total);
/* Takes the line away. */
void progress_end(struct progress *p);
