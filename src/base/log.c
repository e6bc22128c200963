/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_SIZE 2048 /* below PIPE_BUF, so that lines of two processes never mix */

static const char *const level_names[] = { "error", "warn", "info", "debug" };

static _Atomic(const char *) self = "gtmd";
static atomic_int threshold = LOG_INFO;

void
log_start(const char *process, enum log_level level)
{
	atomic_store(&self, process);
	atomic_store(&threshold, (int)level);
}

void
log_level_set(enum log_level level)
{
	atomic_store(&threshold, (int)level);
}

bool
log_level_parse(const char *text, enum log_level *level)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* A message carries strangers' bytes: a newline in them must not forge a second line. */
static void
tame(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 127)
			text[i] = '?';
	}
}

void
log_line(enum log_level level, const char *room, const char *fmt, ...)
{
	if ((int)level > atomic_load_explicit(&threshold, memory_order_relaxed))
		return;

	const int saved = errno;
	char line[LINE_SIZE], now[CLOCK_TEXT_SIZE];
	va_list ap;
	int len =
	    snprintf(line, sizeof(line) / 2, "%s %s %s %s: ", clock_text(clock_real_ms(), now),
		level_names[level], atomic_load(&self), room);

	if (len >= (int)sizeof(line) / 2)
		len = (int)sizeof(line) / 2 - 1;
	errno = saved; /* %m */
	va_start(ap, fmt);
	len += vsnprintf(line + len, sizeof(line) - (size_t)len, fmt, ap);
	va_end(ap);
	if (len >= (int)sizeof(line)) {
		len = (int)sizeof(line) - 1;
		memcpy(line + len - 3, "...", 3);
	}
	tame(line, (size_t)len);
	line[len++] = '\n';

	const ssize_t written = write(STDERR_FILENO, line, (size_t)len);

	(void)written; /* nobody left to tell */
	errno = saved;
}
