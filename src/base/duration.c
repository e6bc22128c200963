/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/duration.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LARGEST_TOLD 1 /* unit; days are understood, and told as hours */
#define MAX_MS       (10u * 365u * 24u * UINT64_C(3600000))

/* Largest first: text wants the first that divides, parsing wants them to descend. */
static const struct {
	const char *name;
	uint64_t ms;
} units[] = {
	{ "d", 86400000 },
	{ "h", 3600000 },
	{ "m", 60000 },
	{ "s", 1000 },
	{ "ms", 1 },
};

char *
duration_text(uint64_t ms, char out[DURATION_TEXT_SIZE])
{
	size_t i = LARGEST_TOLD;

	while (ms % units[i].ms != 0)
		i++;
	if (ms == 0)
		i = LARGEST_TOLD + 2;
	snprintf(out, DURATION_TEXT_SIZE, "%" PRIu64 "%s", ms / units[i].ms, units[i].name);
	return out;
}

/* The unit that is all the letters at *p, or ARRAY_LEN(units). */
static size_t
find_unit(const char **p)
{
	const size_t len = strspn(*p, "dhms");

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (strlen(units[i].name) == len && memcmp(*p, units[i].name, len) == 0) {
			*p += len;
			return i;
		}
	}
	return ARRAY_LEN(units);
}

int
duration_parse(const char *text, uint64_t *ms)
{
	uint64_t sum = 0;
	size_t least = 0; /* each unit once, descending: "5s1m" is a slip */

	do {
		uint64_t n = 0;

		if (*text < '0' || *text > '9')
			return -EINVAL;
		/* Saturate, so that nonsense behind a huge number is still told as nonsense. */
		for (; *text >= '0' && *text <= '9'; text++)
			n = n > MAX_MS ? n : n * 10 + (uint64_t)(*text - '0');

		const size_t unit = find_unit(&text);

		if (unit == ARRAY_LEN(units) || unit < least)
			return -EINVAL;
		least = unit + 1;
		sum = n > MAX_MS / units[unit].ms ? MAX_MS + 1 : sum + n * units[unit].ms;
	} while (*text != '\0');

	if (sum > MAX_MS)
		return -ERANGE;
	*ms = sum;
	return 0;
}
