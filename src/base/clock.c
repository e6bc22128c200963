/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static uint64_t
read_us(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

uint64_t
clock_mono_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000u;
}

uint64_t
clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t
clock_real_ms(void)
{
	return (int64_t)(read_us(CLOCK_REALTIME) / 1000u);
}

/* `n` as `width` digits; returns where they end. */
static char *
put_digits(char *out, int n, int width)
{
	for (int i = width; i-- > 0; n /= 10)
		out[i] = (char)('0' + n % 10);
	return out + width;
}

/* By hand: strftime and printf are what events and log lines would take their time with. */
char *
clock_text(int64_t real_ms, char out[CLOCK_TEXT_SIZE])
{
	time_t s = real_ms / 1000;
	int64_t ms = real_ms % 1000;
	struct tm tm;

	if (ms < 0) { /* -1 ms is 999 ms into the second before */
		ms += 1000;
		s--;
	}
	gmtime_r(&s, &tm);
	if (tm.tm_year < -1900 || tm.tm_year > 9999 - 1900) {
		snprintf(out, CLOCK_TEXT_SIZE, "%lld.%03dZ", (long long)s, (int)ms);
		return out;
	}

	const struct {
		int n, width;
		char then;
	} parts[] = { { tm.tm_year + 1900, 4, '-' }, { tm.tm_mon + 1, 2, '-' },
		{ tm.tm_mday, 2, 'T' }, { tm.tm_hour, 2, ':' }, { tm.tm_min, 2, ':' },
		{ tm.tm_sec, 2, '.' }, { (int)ms, 3, 'Z' } };
	char *at = out;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		at = put_digits(at, parts[i].n, parts[i].width);
		*at++ = parts[i].then;
	}
	*at = '\0';
	return out;
}

/* Exactly `width` digits at *p; steps over them. */
static bool
digits(const char **p, int width, int *value)
{
	*value = 0;
	for (; width > 0; width--, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		*value = *value * 10 + (**p - '0');
	}
	return true;
}

static bool
letter(const char **p, char c)
{
	return *(*p)++ == c;
}

/* ".123456" to whole milliseconds; no fraction is 0. */
static bool
fraction(const char **p, int *ms)
{
	int scale = 100;

	*ms = 0;
	if (**p != '.')
		return true;
	if ((*p)[1] < '0' || (*p)[1] > '9')
		return false;
	for ((*p)++; **p >= '0' && **p <= '9'; (*p)++, scale /= 10)
		*ms += (**p - '0') * scale;
	return true;
}

/* "Z" or "+08:00" up to the end of the text, in seconds to subtract. */
static bool
zone(const char **p, int *offset_s)
{
	int h, m;

	*offset_s = 0;
	if (strcmp(*p, "Z") == 0)
		return true;

	const int sign = **p == '-' ? -1 : 1;

	if (**p != '+' && **p != '-')
		return false;
	(*p)++;
	if (!digits(p, 2, &h) || !letter(p, ':') || !digits(p, 2, &m) || **p != '\0')
		return false;
	*offset_s = sign * (h * 3600 + m * 60);
	return h < 24 && m < 60;
}

int
clock_parse(const char *text, int64_t *real_ms)
{
	struct tm tm = { 0 };
	int year, month, ms, offset_s;

	if (!digits(&text, 4, &year) || !letter(&text, '-') || !digits(&text, 2, &month) ||
	    !letter(&text, '-') || !digits(&text, 2, &tm.tm_mday) || !letter(&text, 'T') ||
	    !digits(&text, 2, &tm.tm_hour) || !letter(&text, ':') ||
	    !digits(&text, 2, &tm.tm_min) || !letter(&text, ':') || !digits(&text, 2, &tm.tm_sec) ||
	    !fraction(&text, &ms) || !zone(&text, &offset_s))
		return -EINVAL;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;

	const struct tm told = tm;
	const time_t s = timegm(&tm);

	/* timegm turns 30 February into 2 March: what came back must be what was told. */
	if (tm.tm_mday != told.tm_mday || tm.tm_mon != told.tm_mon || tm.tm_hour != told.tm_hour ||
	    tm.tm_min != told.tm_min || tm.tm_sec != told.tm_sec)
		return -EINVAL;
	*real_ms = ((int64_t)s - offset_s) * 1000 + ms;
	return 0;
}
