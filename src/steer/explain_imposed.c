/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What keeps an object from being as its health says: a step of an explanation each. */
#include "base/clock.h"
#include "steer/explain_account.h"

static const char *
until_text(int64_t ms, char out[CLOCK_TEXT_SIZE])
{
	return ms == INT64_MAX ? "it is lifted" : clock_text(ms, out);
}

void
explain_imposed(struct account *a, const struct live *l)
{
	const struct model_object *by = l->imposed.by;
	const char *noun = kind_table[l->o->kind].name, *name = l->o->name;
	const char *state = live_force_words[l->imposed.force];
	char until[CLOCK_TEXT_SIZE];

	if (by != NULL && by->kind == KIND_OVERRIDE) {
		const struct override_spec *s = by->spec;

		explain_step(a, "override", "%s '%s': '%s' by %s until %s: %s", noun, name, state,
		    s->by, until_text(l->imposed.until_ms, until), s->reason);
	} else if (by != NULL) {
		const struct maintenance_spec *s = by->spec;

		explain_step(a, "maintenance", "%s '%s': '%s' by maintenance '%s' until %s: %s",
		    noun, name, state, by->name, until_text(l->imposed.until_ms, until), s->reason);
	}
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
