/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blaster.h"

#define HEADER 12
#define ID_LEN 2

struct questions {
	uint64_t dice, of;
	unsigned digits;
	size_t n, next; /* names */
	struct asked {
		uint8_t wire[256];  /* the name */
		size_t len, number; /* where the number is in it */
	} * asked;
	uint8_t tail[32];        /* what follows the name */
	size_t tail_len, subnet; /* where the subnet is in it; 0: none */
};

static uint64_t
draw(struct questions *q)
{
	q->dice ^= q->dice << 13;
	q->dice ^= q->dice >> 7;
	q->dice ^= q->dice << 17;
	return q->dice * UINT64_C(0x2545f4914f6cdd1d);
}

static void
die(const char *what, const char *name)
{
	fprintf(stderr, "blaster: %s: %s\n", name, what);
	exit(2);
}

/* '%' becomes as many digits as the greatest number has. */
static void
put_name(struct questions *q, const char *text)
{
	struct asked *a = &q->asked[q->n++];
	size_t label = 0, at = 1;

	*a = (struct asked){ 0 };
	for (const char *p = text; *p != '\0'; p++) {
		if (at + q->digits + 2 > sizeof(a->wire))
			die("too long", text);
		if (*p == '.') {
			a->wire[label] = (uint8_t)(at - label - 1);
			label = at++;
		} else if (*p == '%') {
			a->number = at;
			at += q->digits;
		} else {
			a->wire[at++] = (uint8_t)*p;
		}
	}
	if (at - label > 1) { /* without a dot at its end */
		a->wire[label] = (uint8_t)(at - label - 1);
		at++;
	}
	a->len = at;
}

static void
read_names(struct questions *q, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[300];

	if (f == NULL)
		die(strerror(errno), path);
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, " \t\r\n")] = '\0';
		if (line[0] == '\0')
			continue;
		if ((q->n & (q->n + 1)) == 0)
			q->asked = realloc(q->asked, (2 * q->n + 2) * sizeof(*q->asked));
		put_name(q, line);
	}
	fclose(f);
	if (q->n == 0)
		die("has no names", path);
}

struct questions *
questions_new(const char *pattern, const char *file, uint64_t of, uint64_t seed)
{
	struct questions *q = calloc(1, sizeof(*q));

	q->dice = seed * 2 + 1;
	q->of = of;
	q->digits = (unsigned)snprintf(NULL, 0, "%lu", (unsigned long)(of - 1));
	if (file != NULL) {
		read_names(q, file);
		return q;
	}
	q->asked = calloc(1, sizeof(*q->asked));
	put_name(q, pattern);
	return q;
}

void
questions_set(struct questions *q, uint16_t type, bool edns, bool ecs)
{
	uint8_t *t = q->tail;

	memcpy(t, (uint8_t[]){ (uint8_t)(type >> 8), (uint8_t)type, 0, 1 }, 4);
	q->tail_len = 4;
	if (!edns && !ecs)
		return;
	memcpy(t + 4, (uint8_t[]){ 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0 }, 11);
	q->tail_len = 15;
	if (!ecs)
		return;
	t[14] = 11;
	memcpy(t + 15, (uint8_t[]){ 0, 8, 0, 7, 0, 1, 24, 0 }, 8);
	q->subnet = 23;
	q->tail_len = 26;
}

size_t
questions_next(struct questions *q, uint8_t *out)
{
	const struct asked *a = &q->asked[q->next];
	uint8_t *p = out + HEADER;

	if (++q->next == q->n)
		q->next = 0;
	memcpy(out, (uint8_t[]){ 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, q->tail_len > 4 }, HEADER);
	memcpy(p, a->wire, a->len);
	if (a->number > 0) {
		uint64_t number = draw(q) % q->of;

		for (unsigned i = q->digits; i-- > 0; number /= 10)
			p[a->number + i] = (uint8_t)('0' + number % 10);
	}
	p += a->len;
	memcpy(p, q->tail, q->tail_len);
	if (q->subnet > 0) {
		const uint64_t place = draw(q) >> 20;

		/* 1 to 223: where clients are */
		p[q->subnet] = (uint8_t)(1 + (place & 0xffff) % 223);
		p[q->subnet + 1] = (uint8_t)(place >> 16);
		p[q->subnet + 2] = (uint8_t)(place >> 24);
	}
	return (size_t)(p - out) + q->tail_len;
}
