/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/base64.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

static int
digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -EINVAL;
}

/* Four digits, of which the last `pads` are '='; the bits they would have held must be zero. */
static int
decode_group(const char *group, unsigned pads, uint8_t out[3])
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < 4; i++) {
		const int d = i < 4 - pads ? digit(group[i]) : 0;

		if (d < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)d;
	}
	for (unsigned i = 0; i < 3; i++)
		out[i] = (uint8_t)(bits >> (16 - 8 * i));
	return (bits & ((1u << 8 * pads) - 1)) == 0 ? 0 : -EINVAL;
}

int
base64_decode(const char *text, uint8_t *out, size_t cap)
{
	const size_t len = strlen(text);
	size_t n = 0;

	if (len % 4 != 0 || len > INT_MAX)
		return -EINVAL;
	for (size_t i = 0; i < len; i += 4) {
		const bool last = i + 4 == len;
		const unsigned pads = !last || text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
		uint8_t bytes[3];

		if (decode_group(text + i, pads, bytes) < 0)
			return -EINVAL;
		if (n + 3 - pads > cap)
			return -ENOSPC;
		memcpy(out + n, bytes, 3 - pads);
		n += 3 - pads;
	}
	return (int)n;
}
