/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/progress.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/term.h"

#define PATIENCE_MS 300
#define DRAW_MS     100
#define BAR_WIDTH   20

void
progress_start(struct progress *p, FILE *f, bool quiet)
{
	const char *term = getenv("TERM");
	const bool dumb = term != NULL && strcmp(term, "dumb") == 0;

	*p = (struct progress){ .f = f, .on = !quiet && !dumb && isatty(fileno(f)) };
	p->started_ms = clock_mono_ms();
	p->next_ms = p->started_ms + PATIENCE_MS;
}

void
progress_show(struct progress *p, const char *what, size_t done, size_t total)
{
	const uint64_t now = p->on ? clock_mono_ms() : 0;
	struct buf b;

	if (!p->on || now < p->next_ms)
		return;
	buf_init(&b, 1024);
	buf_printf(&b, "\r\033[K%s  ", what);
	if (total > 0) {
		const double share = (double)done / (double)total;

		term_bar(&b, share, BAR_WIDTH);
		buf_printf(
		    &b, "  %.0f %%  %zu of %zu MB", share * 100, done / 1000000, total / 1000000);
	} else {
		buf_printf(&b, "%llu s", (unsigned long long)(now - p->started_ms) / 1000);
	}
	fputs(buf_str(&b), p->f);
	fflush(p->f);
	buf_fini(&b);
	p->shown = true;
	p->next_ms = now + DRAW_MS;
}

void
progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", p->f);
	p->shown = false;
}
