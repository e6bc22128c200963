/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pack -- the records of a pile into the RRsets of a zone: in order, each owner's checked against
 * each other (zonefile_check.h). Inside of room zone; pure. */
#pragma once

#include "dns/rrpage.h"
#include "zone/pile.h"

#define PACK_PROBLEMS 20

struct pack_problem {
	uint32_t line;   /* of the pile's record */
	const char *why; /* static text */
};

struct pack {
	const uint8_t *apex;
	struct pile *pile;
	struct rrpage_book *out;
	struct pack_problem problems[PACK_PROBLEMS]; /* the first by line */
	size_t count;
};

/* Sorts the pile and fills `out` and `problems`. */
void pack_run(struct pack *p);
