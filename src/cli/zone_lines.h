/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * zone_lines -- zone text by its entries: a record over several lines in parentheses is one.
 *
 * No more than what $INCLUDE needs to know; whether it is right, room zone says. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct zone_lines {
	const char *at, *end;
	uint64_t line; /* of `at`, from 1 */
};

enum zone_entry_kind {
	ZONE_ENTRY_EMPTY,  /* nothing, or a comment */
	ZONE_ENTRY_RECORD, /* or what is meant to be one */
	ZONE_ENTRY_ORIGIN,
	ZONE_ENTRY_INCLUDE,
	ZONE_ENTRY_DIRECTIVE, /* another */
};

struct zone_entry {
	enum zone_entry_kind kind;
	const char *text; /* its newline is in it, if it has one */
	size_t len;
	uint64_t line;
	size_t lines;  /* newlines in it */
	bool indented; /* a record without an owner: that of the record before */
	bool open;     /* the text ends within parentheses */
};

/* False at the end. */
bool zone_lines_next(struct zone_lines *l, struct zone_entry *e);
/*
 * The next word from *pos on (start with 0) into `out`, without the quotes around it, escapes as
 * they are. False if there is none, or none that fits.
 */
MUST_USE bool zone_lines_word(const struct zone_entry *e, size_t *pos, char *out, size_t size);
