/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/override_news.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "model/nouns.h"
#include "model/target.h"
#include "model/time_codec.h"

static const char *const state_words[] = {
	[OVERRIDE_UP] = "up",
	[OVERRIDE_DOWN] = "down",
	[OVERRIDE_DRAIN] = "drain",
};

/* One override and what happens to it. */
struct news {
	const char *kind, *severity;
	const struct override_spec *spec;
	enum kind of;
	char name[KIND_NAME_SIZE];
	const char *author;
	int64_t at_ms;
};

static json_t *
encode(const struct news *n, const char *text)
{
	char at[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
	json_t *data = json_pack("{s:s, s:s, s:s}", "state", state_words[n->spec->state], "reason",
	    n->spec->reason, "by", n->author);
	json_t *j = json_pack("{s:s, s:{s:s, s:s}, s:s, s:s, s:s, s:o}", "kind", n->kind, "object",
	    "kind", kind_table[n->of].name, "name", n->name, "severity", n->severity, "text", text,
	    "at", clock_text(n->at_ms, at), "data", data);

	CHECK(j != NULL);
	if (n->spec->until_ms != TIME_NEVER)
		json_object_set_new(
		    data, "until", json_string(clock_text(n->spec->until_ms, until)));
	return j;
}

static json_t *
tell_set(struct news *n)
{
	const bool ends = n->spec->until_ms != TIME_NEVER;
	char until[CLOCK_TEXT_SIZE];
	struct arena a;

	arena_init(&a);
	if (ends)
		clock_text(n->spec->until_ms, until);
	n->kind = "override.set";
	n->severity = n->spec->state == OVERRIDE_UP ? "info" : "warning";

	json_t *j = encode(n, arena_printf(&a, "%s imposed '%s' on %s '%s'%s%s: %s", n->author,
				  state_words[n->spec->state], kind_table[n->of].name, n->name,
				  ends ? " until " : "", ends ? until : "", n->spec->reason));

	arena_fini(&a);
	return j;
}

/* `gone`: its object goes, too. What is past its time has ended then, whoever clears it away. */
static json_t *
tell_end(struct news *n, bool gone)
{
	const bool expired = n->spec->until_ms <= n->at_ms;
	const char *noun = kind_table[n->of].name, *state = state_words[n->spec->state];
	struct arena a;

	arena_init(&a);
	n->kind = expired ? "override.expired" : "override.lifted";
	n->severity = "info";
	if (expired)
		n->at_ms = n->spec->until_ms;

	const char *text = expired ? arena_printf(&a, "'%s' on %s '%s' has ended as it was to: %s",
					 state, noun, n->name, n->spec->reason)
			   : gone  ? arena_printf(&a, "'%s' on %s '%s' went with it: %s", state,
					 noun, n->name, n->spec->reason)
				   : arena_printf(&a, "%s lifted '%s' from %s '%s': %s", n->author,
					 state, noun, n->name, n->spec->reason);
	json_t *j = encode(n, text);

	arena_fini(&a);
	return j;
}

static json_t *
tell(
    const struct model *m, const struct change_set *set, const struct change_op *op, int64_t now_ms)
{
	const struct model_object *old = model_find(m, KIND_OVERRIDE, op->name);
	const struct change_op *of;
	struct news n = { .author = set->author != NULL ? set->author : "", .at_ms = now_ms };
	struct arena a;
	struct diag d;
	json_t *told = NULL;

	if (target_parse(op->name, &n.of, n.name) != NULL)
		return NULL;
	if (op->op == CHANGE_DELETE) {
		n.spec = old != NULL ? old->spec : NULL;
		of = change_find(set, n.of, n.name);
		return n.spec == NULL ? NULL : tell_end(&n, of != NULL && of->op == CHANGE_DELETE);
	}
	arena_init(&a);
	diag_init(&d);

	json_t *spec = json_parse(op->spec, strlen(op->spec), &d);

	n.spec = kind_decode(KIND_OVERRIDE, op->name, spec, &a, &d);
	CHECK(n.spec != NULL); /* it was checked */
	told = tell_set(&n);
	json_decref(spec);
	diag_fini(&d);
	arena_fini(&a);
	return told;
}

json_t *
override_news(const struct model *m, const struct change_set *set, int64_t now_ms)
{
	json_t *all = NULL;

	for (size_t i = 0; i < set->count; i++) {
		const struct change_op *op = &set->ops[i];
		json_t *one = NULL;

		if ((op->op == CHANGE_PUT || op->op == CHANGE_DELETE) && op->kind == KIND_OVERRIDE)
			one = tell(m, set, op, now_ms);
		if (one == NULL)
			continue;
		if (all == NULL)
			all = json_array();
		json_array_append_new(all, one);
	}
	return all;
}
