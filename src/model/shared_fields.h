/* SPDX-License-Identifier: GPL-3.0-or-later */
/* shared_fields -- rows and rules that several nouns have: remark, labels, links, domain names. */
#pragma once

#include "model/kind.h"
#include "model/nouns.h"

#define REMARK_FIELD(spec)                                                                         \
	{                                                                                          \
		.name = "remark", .offset = offsetof(spec, remark), .type = FIELD_STR,             \
		.max = 1024, .prose = "a note for people",                                         \
	}
#define LABELS_FIELD(spec)                                                                         \
	{                                                                                          \
		.name = "labels", .offset = offsetof(spec, labels), .type = FIELD_LABELS,          \
		.max = 255, .prose = "words to select objects by",                                 \
	}
#define REASON_FIELD(spec)                                                                         \
	{                                                                                          \
		.name = "reason", .offset = offsetof(spec, reason), .type = FIELD_STR,             \
		.flags = FIELD_REQUIRED, .min = 1, .max = 1024,                                    \
		.prose = "why, for whoever comes across it",                                       \
	}
#define FAILBACK_FIELD(spec)                                                                       \
	{                                                                                          \
		.name = "failback_delay", .offset = offsetof(spec, failback_delay_ms),             \
		.type = FIELD_DURATION, .max = 86400000,                                           \
		.prose = "under sequence, preemptive: how long a better one must have been "       \
			 "available before it is returned to",                                     \
	}

#define LINKS_MAX 10000

extern const struct field link_address_fields[], link_pool_fields[];
/* Fill in each `order` that was not given: position + 1. */
void link_settle(struct field_list *links);
/* Nothing is linked twice; `list` and `member` as JSON has them: "pools", "pool". */
int
link_check(const struct field_list *links, const char *list, const char *member, struct diag *d);
void link_refs(const struct field_list *links, enum kind to, const char *list, const char *member,
    kind_ref_f *visit, void *arg);

/*
 * A domain name as we store it: lower case, no trailing dot, printable ASCII without escapes.
 * Writes `out` (size KIND_NAME_SIZE) and returns NULL, or what is wrong with `text`.
 */
const char *hostname_canon(const char *text, char *out);
/* Is `name` at or below `zone`? Both as hostname_canon writes them. */
bool hostname_below(const char *name, const char *zone);
#define HOSTNAME_ALLOWED "a domain name: labels of 1..63 bytes, at most 255 bytes in all"
