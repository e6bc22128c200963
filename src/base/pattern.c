/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/pattern.h"

#include <errno.h>
#include <regex.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/shared.h"

#define REPEAT_MAX 1000

struct pattern {
	struct shared shared;
	regex_t regex;
};

/* The closing bracket of the expression that `at` opens, or the end of the text. */
static const char *
skip_brackets(const char *at)
{
	at += at[1] == '^' ? 2 : 1;
	if (*at == ']')
		at++;
	while (*at != '\0' && *at != ']')
		at++;
	return at;
}

/* The greater number of "{n,m}". */
static unsigned long
repeats(const char *at)
{
	char *end;
	const unsigned long low = strtoul(at + 1, &end, 10);
	const unsigned long high = *end == ',' ? strtoul(end + 1, NULL, 10) : low;

	return high > low ? high : low;
}

static const char *
excess(const char *text)
{
	unsigned long product = 1;

	for (const char *at = text; *at != '\0'; at++) {
		if (*at == '\\' && at[1] >= '1' && at[1] <= '9')
			return "back-references are not allowed";
		if (*at == '\\' && at[1] != '\0')
			at++;
		else if (*at == '[' && *(at = skip_brackets(at)) == '\0')
			break; /* regcomp tells */
		else if (*at == '{' && repeats(at) > 1)
			product = repeats(at) > REPEAT_MAX ? REPEAT_MAX + 1 : product * repeats(at);
		if (product > REPEAT_MAX)
			return "repeat counts multiply to more than 1000";
	}
	return NULL;
}

/* 0, or -EINVAL. */
static int
compile(regex_t *regex, const char *text, char why[PATTERN_WHY_SIZE])
{
	char plain[2 * PATTERN_MAX + 1];
	const char *fault = strlen(text) > PATTERN_MAX ? "is longer than 255 bytes" : excess(text);

	if (fault == NULL && escape_pattern(text, plain) < 0)
		fault = "\\x needs two hexadecimal digits, not 00";
	if (fault != NULL) {
		snprintf(why, PATTERN_WHY_SIZE, "%s", fault);
		return -EINVAL;
	}

	const int error = regcomp(regex, plain, REG_EXTENDED | REG_NOSUB);

	if (error == 0)
		return 0;
	regerror(error, regex, why, PATTERN_WHY_SIZE);
	return -EINVAL;
}

int
pattern_check(const char *text, char why[PATTERN_WHY_SIZE])
{
	regex_t regex;

	if (compile(&regex, text, why) < 0)
		return -EINVAL;
	regfree(&regex);
	return 0;
}

static void
release(struct shared *s)
{
	struct pattern *p = container_of(s, struct pattern, shared);

	regfree(&p->regex);
	free(p);
}

static struct shared *
make(const void *arg)
{
	struct pattern *p = xcalloc(1, sizeof(*p));
	char why[PATTERN_WHY_SIZE];

	if (compile(&p->regex, arg, why) < 0) {
		free(p);
		return NULL;
	}
	p->shared.free = release;
	return &p->shared;
}

struct pattern *
pattern_get(const char *text)
{
	char *key = xasprintf("pattern:%s", text);
	struct shared *s = shared_get(key, make, text);

	free(key);
	return s != NULL ? container_of(s, struct pattern, shared) : NULL;
}

void
pattern_put(struct pattern **p)
{
	if (*p == NULL)
		return;
	shared_put(&(*p)->shared);
	*p = NULL;
}

bool
pattern_match(const struct pattern *p, const void *data, size_t len)
{
	/*
	 * glibc's own interface, for octets: regexec takes strings. It writes nothing into the
	 * pattern that changes what it means, but is not declared so.
	 */
	return re_search((regex_t *)(uintptr_t)&p->regex, len > 0 ? data : "", (regoff_t)len, 0,
		   (regoff_t)len, NULL) >= 0;
}
