/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/load.h"

#include <errno.h>
#include <stdlib.h>

#include "base/yaml_in.h"

struct load {
	struct model *model;
	struct yaml_in yaml;
	struct diag *d;
};

/* "objects[3].spec" + "pools[0].pool" as the line it was written at. */
static void
complain(struct load *l, size_t i, const char *member, const struct diag_problem *p)
{
	const char *path = arena_printf(
	    &l->d->arena, "objects[%zu].%s%s%s", i, member, *p->where != '\0' ? "." : "", p->where);
	const char *place = yaml_in_place(&l->yaml, path);

	diag_add(l->d, DIAG_INVALID,
	    arena_printf(&l->d->arena, "%s: %s", place != NULL ? place : path, p->where), "%s",
	    p->detail);
	diag_detail(l->d, p->got, p->allowed);
}

static void
complain_all(struct load *l, size_t i, const char *member, const struct diag *inner)
{
	for (const struct diag_problem *p = inner->first; p != NULL; p = p->next)
		complain(l, i, member, p);
}

static void
put(struct load *l, enum kind kind, const char *name, const json_t *spec)
{
	struct arena arena;
	struct diag d;

	arena_init(&arena);
	diag_init(&d);

	char *text = kind_spec_text(kind, kind_decode(kind, name, spec, &arena, &d));

	(void)model_apply(l->model, &(struct change_op){ .op = CHANGE_PUT,
					.kind = kind,
					.name = name,
					.id = "0000000000000000",
					.spec = text });
	free(text);
	diag_fini(&d);
	arena_fini(&arena);
}

/* Object i, if it is of that kind. */
static void
load_object(struct load *l, size_t i, const json_t *j, enum kind wanted)
{
	const char *word = json_string_value(json_object_get(j, "kind"));
	const char *given = json_string_value(json_object_get(j, "name"));
	const json_t *spec = json_object_get(j, "spec");
	char name[KIND_NAME_SIZE];
	enum kind kind;
	struct diag d;

	if (word == NULL || kind_parse(word, &kind) < 0) {
		const struct diag_problem p = {
			.where = "", .detail = "is not a kind of object", .got = word
		};

		if (wanted == 0)
			complain(l, i, "kind", &p);
		return;
	}
	if (kind != wanted)
		return;
	diag_init(&d);
	if (kind_name(kind, given != NULL ? given : "", name, &d) < 0)
		complain_all(l, i, "name", &d);
	else if (model_check_put(l->model, NULL, kind, name, spec, &d) < 0)
		complain_all(l, i, "spec", &d);
	else
		put(l, kind, name, spec);
	diag_fini(&d);
}

int
load_model(struct model *m, const char *file, const char *text, size_t len, struct diag *d)
{
	struct load l = { .model = m, .d = d };
	const size_t before = d->count;
	json_t *j;
	size_t i;

	yaml_in_init(&l.yaml);
	if (yaml_in_read(&l.yaml, file, text, len, d) == 0) {
		/* Kind by kind, so that what is referred to comes first. */
		for (enum kind kind = 0; kind < KIND_COUNT && d->count == before; kind++)
			json_array_foreach(l.yaml.objects, i, j) load_object(&l, i, j, kind);
	}
	yaml_in_fini(&l.yaml);
	return d->count == before ? 0 : -EINVAL;
}
