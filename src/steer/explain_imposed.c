/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What keeps an object from being as its health says: a step of an explanation each. */
#include "base/clock.h"
#include "steer/explain_account.h"

static const char *
until_text(int64_t ms, char out[CLOCK_TEXT_SIZE])
{
	return ms == INT64_MAX ? "it is lifted" : clock_text(ms, out);
}

const char *
explain_imposed_by(const struct live *l, struct arena *a)
{
	const struct model_object *by = l->imposed.by;
	char text[CLOCK_TEXT_SIZE];
	const char *until = until_text(l->imposed.until_ms, text);

	if (by->kind == KIND_OVERRIDE) {
		const struct override_spec *s = by->spec;

		return arena_printf(a, "by %s until %s: %s", s->by, until, s->reason);
	}
	const struct maintenance_spec *s = by->spec;

	return arena_printf(a, "by maintenance '%s' until %s: %s", by->name, until, s->reason);
}

void
explain_imposed(struct account *a, const struct live *l)
{
	const struct model_object *by = l->imposed.by;
	struct arena arena;

	if (by == NULL)
		return;
	arena_init(&arena);
	explain_step(a, by->kind == KIND_OVERRIDE ? "override" : "maintenance", "%s '%s': '%s' %s",
	    kind_table[l->o->kind].name, l->o->name, live_force_words[l->imposed.force],
	    explain_imposed_by(l, &arena));
	arena_fini(&arena);
}

void
explain_steadied(struct account *a, const struct live_address *of)
{
	const char *name = of->live.o->name;
	char until[CLOCK_TEXT_SIZE];

	if (of->kept)
		explain_step(a, "maintenance", "address '%s' is kept %s, as it was before", name,
		    of->kept_up ? "up" : "down");
	else if (of->damp != NULL && of->damp->held)
		explain_step(a, "damping", "address '%s' keeps going up and down: held %s until %s",
		    name, of->damp->held_up ? "up" : "down", clock_text(of->damp->until_ms, until));
}
