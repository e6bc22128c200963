/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/demo.h"
#include "cli/term.h"

void
demo_show_progress_end(struct demo *d)
{
	if (d->progressing)
		fputs("\r\033[K", d->cli->err);
	fflush(d->cli->err);
	d->progressing = false;
}

void
demo_show_progress(struct demo *d, const char *fmt, ...)
{
	static const char *const frames[] = { "|", "/", "-", "\\" };
	va_list ap;

	if (!isatty(fileno(d->cli->err)) || !isatty(fileno(d->cli->out)))
		return;
	fprintf(d->cli->err, "\r\033[K   %s ", frames[clock_mono_ms() / 100 % ARRAY_LEN(frames)]);
	va_start(ap, fmt);
	vfprintf(d->cli->err, fmt, ap);
	va_end(ap);
	fflush(d->cli->err);
	d->progressing = true;
}

static void paint(struct demo *d, enum style style, const char *prefix, const char *fmt, va_list ap)
    PRINTF(4, 0);
static void
paint(struct demo *d, enum style style, const char *prefix, const char *fmt, va_list ap)
{
	demo_show_progress_end(d);
	fprintf(d->cli->out, "   %s%s", term_on(d->cli->colour, style), prefix);
	vfprintf(d->cli->out, fmt, ap);
	fprintf(d->cli->out, "%s\n", term_off(d->cli->colour, style));
	fflush(d->cli->out);
}

void
demo_show_title(struct demo *d, const struct demo_step *s)
{
	demo_show_progress_end(d);
	fprintf(d->cli->out, "\n%s%2u. %s%s\n%s", term_on(d->cli->colour, STYLE_BOLD), d->step,
	    s->title, term_off(d->cli->colour, STYLE_BOLD), s->prose);
	fflush(d->cli->out);
}

void
demo_show_line(struct demo *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	paint(d, STYLE_PLAIN, "", fmt, ap);
	va_end(ap);
}

void
demo_show_command(struct demo *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	paint(d, STYLE_DIM, "$ ", fmt, ap);
	va_end(ap);
}

bool
demo_show_check(struct demo *d, bool held, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	paint(d, held ? STYLE_GOOD : STYLE_BAD, held ? "\xe2\x9c\x94 " : "\xe2\x9c\x98 ", fmt, ap);
	va_end(ap);
	if (!held)
		d->failed = true;
	return held;
}

void
demo_show_block(struct demo *d, struct buf *text)
{
	demo_show_progress_end(d);
	for (const char *line = buf_str(text); *line != '\0';) {
		const size_t len = strcspn(line, "\n");

		fprintf(d->cli->out, "%s%.*s\n", len > 0 ? "   " : "", (int)len, line);
		line += len + (line[len] == '\n');
	}
	fflush(d->cli->out);
}
