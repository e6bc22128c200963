/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pattern -- a bounded POSIX extended regular expression over octets of anybody.
 *
 * Escapes besides POSIX's: \r \n \t \xHH. Bounded: at most 255 octets, no back-references (their
 * search is exponential), repeat counts multiply to 1000 at most. '.' matches newlines too, but no
 * NUL; '^' and
 * '$' are the ends of the whole text.
 *
 * Equal texts share one pattern (base/shared). Matching is for one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

#define PATTERN_MAX      255
#define PATTERN_WHY_SIZE 128

struct pattern;

/* 0, or -EINVAL with the reason in `why`. */
MUST_USE int pattern_check(const char *text, char why[PATTERN_WHY_SIZE]);
/* NULL if pattern_check refuses it. */
struct pattern *pattern_get(const char *text);
void pattern_put(struct pattern **p);
bool pattern_match(const struct pattern *p, const void *data, size_t len);
