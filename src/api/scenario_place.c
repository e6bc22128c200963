/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Under which name a part goes, and whether an equal one is there already. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/problem.h"
#include "api/scenario_types.h"

#define TRIES     100
#define SHOWN_MAX 12

enum taken { FREE, EQUAL, OTHER };

static json_t *
spec_at(struct scenario *s, enum kind kind, const char *name)
{
	const struct change_op *op = edit_pending(s->e, kind, name);

	return op != NULL ? json_loads(op->spec, 0, NULL) : edit_spec(s->e, kind, name);
}

json_t *
scenario_place_full(
    struct scenario *s, enum kind kind, const char *name, const json_t *spec, struct diag *d)
{
	const void *decoded = kind_decode(kind, name, spec, &s->r->arena, d);

	return decoded != NULL ? field_encode(kind_table[kind].fields, decoded, true) : NULL;
}

/* Remark and labels are for people: what works alike is alike. */
static bool
alike(json_t *there, const json_t *full)
{
	json_t *mine = json_copy((json_t *)(uintptr_t)full);
	bool equal;

	for (int i = 0; i < 2; i++) {
		json_object_del(there, i == 0 ? "remark" : "labels");
		json_object_del(mine, i == 0 ? "remark" : "labels");
	}
	equal = json_equal(there, mine);
	json_decref(mine);
	return equal;
}

bool
scenario_place_alike(
    struct scenario *s, enum kind kind, const struct model_object *o, const json_t *full)
{
	json_t *there = edit_spec(s->e, kind, o->name);
	const bool equal = there != NULL && alike(there, full);

	json_decref(there);
	return equal;
}

/* Would a put under this name change another object? */
static enum taken
look(struct scenario *s, enum kind kind, const char *name, const json_t *full, bool exact)
{
	json_t *there = spec_at(s, kind, name);
	enum taken taken = FREE;

	if (there != NULL && exact)
		taken = json_equal(there, full) ? EQUAL : OTHER;
	else if (there != NULL)
		taken = alike(there, full) ? EQUAL : OTHER;
	json_decref(there);
	return taken;
}

/* `base`: the name it would have had by itself. Secrets do not come back. */
static void
note(struct scenario *s, json_t *list, enum kind kind, const char *name, const char *base)
{
	json_t *spec = spec_at(s, kind, name);
	struct diag ignored;

	diag_init(&ignored);
	const void *decoded = kind_decode(kind, name, spec, &s->r->arena, &ignored);
	json_t *j = json_pack("{s:s, s:s}", "kind", kind_table[kind].name, "name", name);

	if (strcmp(name, base) != 0)
		json_object_set_new(j, "generated", json_string(base));
	if (decoded != NULL)
		json_object_set_new(
		    j, "spec", field_encode(kind_table[kind].fields, decoded, false));
	json_array_append_new(list, j);
	json_decref(spec);
	diag_fini(&ignored);
}

/* The name chosen for what would be called `base`; NULL: none was. */
static const char *
chosen(struct scenario *s, enum kind kind, const char *base, const char **where)
{
	const struct field_label *label = s->spec.names.items;
	const char *key = scenario_print(s, "%s/%s", kind_table[kind].name, base);

	strmap_put(&s->asked, key, s);
	for (size_t i = 0; i < s->spec.names.count; i++) {
		if (strcmp(label[i].key, key) != 0)
			continue;
		*where = scenario_print(s, "names.%s", key);
		return label[i].value;
	}
	return NULL;
}

/* A name of ours gives way: "dc-a-1-2". */
static const char *
step_aside(
    struct scenario *s, const struct scenario_place *p, const json_t *full, enum taken *taken)
{
	const char *name = p->base;

	for (int i = 2; *taken == OTHER && i < TRIES; i++) {
		name = scenario_print(s, "%s-%d", p->base, i);
		*taken = look(s, p->kind, name, full, false);
	}
	return name;
}

/* The name and what is there. */
static const char *
settle(struct scenario *s, const struct scenario_place *p, const json_t *full, const char *given,
    enum taken *taken)
{
	const char *name = given != NULL ? given : p->base;

	*taken = look(s, p->kind, name, full, false);
	if (given != NULL || *taken == EQUAL)
		return name;
	if (p->twin != NULL) {
		*taken = EQUAL;
		return p->twin;
	}
	return p->ours ? step_aside(s, p, full, taken) : name;
}

static int
refuse_taken(struct scenario *s, const struct scenario_place *p, const char *name, struct diag *d)
{
	const char *kind = kind_table[p->kind].name;

	diag_add(d, DIAG_CONFLICT, "name", "there is a different %s '%s' already", kind, name);
	diag_detail(d, NULL,
	    scenario_print(s, "another name, e.g. by names: {\"%s/%s\": ...}", kind, p->base));
	return -EINVAL;
}

const char *
scenario_place(struct scenario *s, const struct scenario_place *p)
{
	const char *where = NULL, *given = chosen(s, p->kind, p->base, &where), *name = NULL;
	enum taken taken = FREE;
	struct diag d;
	int rc = -EINVAL;

	diag_init(&d);
	json_t *full = scenario_place_full(s, p->kind, p->base, p->spec, &d);

	if (full == NULL) {
		problem_adopt(&s->r->diag, &d, p->where, p->whole);
	} else {
		name = settle(s, p, full, given, &taken);
		rc = taken == OTHER  ? refuse_taken(s, p, name, &d)
		     : taken == FREE ? edit_put(s->e, p->kind, name, p->spec, &d)
				     : 0;
		if (rc == 0)
			note(s, taken == FREE ? s->made : s->reused, p->kind, name, p->base);
		else
			problem_adopt(&s->r->diag, &d, given != NULL ? where : p->where,
			    given != NULL || p->whole);
	}
	diag_fini(&d);
	json_decref(full);
	json_decref(p->spec);
	return rc == 0 ? name : NULL;
}

void
scenario_place_domain(struct scenario *s, const char *name, json_t *spec, struct diag *d)
{
	json_t *full = scenario_place_full(s, KIND_DOMAIN, name, spec, d);
	const enum taken taken = full != NULL ? look(s, KIND_DOMAIN, name, full, true) : FREE;

	if (full != NULL && taken == OTHER)
		diag_add(
		    d, DIAG_CONFLICT, "name", "there is a different domain '%s' already", name);
	else if (full != NULL &&
		 (taken == EQUAL || edit_put(s->e, KIND_DOMAIN, name, spec, d) == 0))
		note(s, taken == EQUAL ? s->reused : s->made, KIND_DOMAIN, name, name);
	json_decref(full);
	json_decref(spec);
}

/* "pool/dc-a, pool/dc-b, ..." */
static const char *
list_asked(struct scenario *s)
{
	const char *text = "";
	size_t n = 0;

	STRMAP_EACH (&s->asked, it) {
		if (n++ == SHOWN_MAX)
			return scenario_print(s, "%s, ...", text);
		text = scenario_print(s, "%s%s%s", text, n > 1 ? ", " : "", it->key);
	}
	return text;
}

void
scenario_place_names(struct scenario *s)
{
	const struct field_label *label = s->spec.names.items;

	for (size_t i = 0; i < s->spec.names.count; i++) {
		if (strmap_find(&s->asked, label[i].key) == NULL)
			scenario_refuse(s, scenario_print(s, "names.%s", label[i].key),
			    "nothing of this name is made", label[i].value, list_asked(s));
	}
}
