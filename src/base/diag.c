/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/diag.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

void
diag_init(struct diag *d)
{
	*d = (struct diag){ .last = NULL };
	arena_init(&d->arena);
}

void
diag_fini(struct diag *d)
{
	free(d->referrers);
	arena_fini(&d->arena);
	diag_init(d);
}

bool
diag_failed(const struct diag *d)
{
	return d->count > 0;
}

int
diag_add(struct diag *d, enum diag_code code, const char *where, const char *fmt, ...)
{
	struct diag_problem *p = arena_alloc(&d->arena, sizeof(*p));
	va_list ap;

	va_start(ap, fmt);
	p->detail = arena_vprintf(&d->arena, fmt, ap);
	va_end(ap);
	p->where = arena_strdup(&d->arena, where == NULL ? "" : where);

	if (d->first == NULL) {
		d->code = code;
		d->last = &d->first;
	}
	*d->last = p;
	d->last = &p->next;
	d->count++;
	return -EINVAL;
}

void
diag_detail(struct diag *d, const char *got, const char *allowed)
{
	if (d->first == NULL)
		return;

	struct diag_problem *p = container_of(d->last, struct diag_problem, next);

	p->got = arena_strdup(&d->arena, got);
	p->allowed = arena_strdup(&d->arena, allowed);
}

void
diag_referrer(struct diag *d, const char *who)
{
	d->referrers = xrealloc(d->referrers, (d->n_referrers + 1) * sizeof(*d->referrers));
	d->referrers[d->n_referrers++] = arena_strdup(&d->arena, who);
}

static void
put_problem(struct buf *b, const struct diag_problem *p)
{
	if (p->where[0] != '\0')
		buf_printf(b, "%s: ", p->where);
	buf_puts(b, p->detail);
	if (p->got != NULL && p->allowed != NULL)
		buf_printf(b, " (got %s; allowed %s)", p->got, p->allowed);
	else if (p->got != NULL)
		buf_printf(b, " (got %s)", p->got);
	else if (p->allowed != NULL)
		buf_printf(b, " (allowed %s)", p->allowed);
}

const char *
diag_text(struct diag *d)
{
	struct buf b;

	buf_init(&b, 1u << 20);
	for (const struct diag_problem *p = d->first; p != NULL; p = p->next) {
		if (p != d->first)
			buf_puts(&b, "\n");
		put_problem(&b, p);
	}

	const char *text = arena_strdup(&d->arena, buf_str(&b));

	buf_fini(&b);
	return text;
}

/* Appends at `*used`, clipped to `size`. */
/* What fits. Made for each reference of each object that is put, so not by printf. */
static void
append(char *out, size_t size, size_t *used, const char *text)
{
	const size_t len = strnlen(text, size - 1 - *used);

	memcpy(out + *used, text, len);
	*used += len;
	out[*used] = '\0';
}

static void
append_index(char *out, size_t size, size_t *used, size_t index)
{
	char text[24], *at = text + sizeof(text) - 1;

	*at = '\0';
	*--at = ']';
	do
		*--at = (char)('0' + index % 10);
	while ((index /= 10) > 0);
	*--at = '[';
	append(out, size, used, at);
}

static void
put_path(const struct diag_path *p, char *out, size_t size, size_t *used)
{
	if (p == NULL)
		return;
	put_path(p->parent, out, size, used);
	if (p->name == NULL) {
		append_index(out, size, used, p->index);
		return;
	}
	if (*used > 0)
		append(out, size, used, ".");
	append(out, size, used, p->name);
}

char *
diag_path_text(const struct diag_path *p, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	put_path(p, out, size, &used);
	return out;
}
