/* SPDX-License-Identifier: GPL-3.0-or-later */
/* hex -- messages in tests, written as hex digits; blanks are for the eye. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

static inline size_t
hex_bytes(const char *text, uint8_t *out)
{
	size_t n = 0;
	unsigned byte;
	int used;

	while (sscanf(text, " %2x%n", &byte, &used) == 1) {
		out[n++] = (uint8_t)byte;
		text += used;
	}
	return n;
}
