/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dns/name.h"
#include "model/line_ranges.h"

void
change_init(struct change_set *c)
{
	*c = (struct change_set){ 0 };
	arena_init(&c->arena);
	strmap_init(&c->index);
	strmap_init(&c->ranges);
}

void
change_fini(struct change_set *c)
{
	strmap_fini(&c->index);
	strmap_fini(&c->ranges);
	free(c->ops);
	arena_fini(&c->arena);
	change_init(c);
}

char *
change_key(enum kind kind, const char *name, char out[CHANGE_KEY_SIZE])
{
	const size_t head = strlen(kind_table[kind].name);
	const size_t len = strnlen(name, CHANGE_KEY_SIZE - head - 2);

	memcpy(out, kind_table[kind].name, head);
	out[head] = ' ';
	memcpy(out + head + 1, name, len);
	out[head + 1 + len] = '\0';
	return out;
}

static void
index_object(struct change_set *c, const struct change_op *op)
{
	char key[CHANGE_KEY_SIZE];

	strmap_put(&c->index, change_key(op->kind, op->name, key), (void *)(uintptr_t)c->count);
}

void
change_add(struct change_set *c, const struct change_op *op)
{
	struct change_op copy = *op;
	struct arena *a = &c->arena;

	/* A zone's records come in millions, all of the one name. */
	const struct change_op *last = c->count > 0 ? &c->ops[c->count - 1] : NULL;

	if (last != NULL && last->name != NULL && op->name != NULL &&
	    strcmp(last->name, op->name) == 0)
		copy.name = last->name;
	else
		copy.name = arena_strdup(a, op->name);
	copy.id = arena_strdup(a, op->id);
	copy.spec = arena_strdup(a, op->spec);
	if (op->owner != NULL)
		copy.owner = arena_memdup(a, op->owner, name_len(op->owner));
	if (op->rdata != NULL && op->op != CHANGE_ZONE_PAGE)
		copy.rdata = arena_memdup(a, op->rdata, op->rdata_len);

	MEM_GROW(&c->ops, &c->cap, c->count + 1);
	c->ops[c->count++] = copy;
	if (op->op == CHANGE_PUT || op->op == CHANGE_DELETE)
		index_object(c, op);
	if (op->op == CHANGE_PUT && op->kind == KIND_LINE && op->spec != NULL)
		line_ranges_add_text(&c->ranges, op->spec, (void *)(uintptr_t)c->count);
}

void
change_add_copy(struct change_set *c, const struct change_op *op)
{
	change_add(c, op);
	if (op->op == CHANGE_ZONE_PAGE)
		c->ops[c->count - 1].rdata = arena_memdup(&c->arena, op->rdata, op->rdata_len);
}

const struct change_op *
change_find(const struct change_set *c, enum kind kind, const char *name)
{
	char key[CHANGE_KEY_SIZE];

	if (c->index.count == 0)
		return NULL;

	const uintptr_t at = (uintptr_t)strmap_find(&c->index, change_key(kind, name, key));

	return at == 0 ? NULL : &c->ops[at - 1];
}
