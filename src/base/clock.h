/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * clock -- the two times: monotonic for waiting, real for people.
 *
 * Only rooms that do I/O may ask; verdict, steer and dns get the time passed in.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

uint64_t clock_mono_ms(void);
uint64_t clock_mono_us(void);
int64_t clock_real_ms(void); /* since 1970-01-01 UTC */

/* RFC 3339 in UTC with milliseconds, e.g. "2026-11-22T10:00:00.123Z". */
#define CLOCK_TEXT_SIZE 32
char *clock_text(int64_t real_ms, char out[CLOCK_TEXT_SIZE]);
/* 0, or -EINVAL. */
MUST_USE int clock_parse(const char *text, int64_t *real_ms);
