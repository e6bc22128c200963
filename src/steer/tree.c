/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "steer/charts.h"
#include "steer/tree_types.h"

struct tree *
tree_new(struct word_table *words, unsigned workers, const struct tree_hooks *hooks)
{
	struct tree *t = xcalloc(1, sizeof(*t));

	CHECK(workers > 0);
	t->magic = TREE_MAGIC;
	t->words = words;
	t->workers = workers;
	t->hooks = *hooks;
	model_init(&t->model);
	strmap_init(&t->checks);
	strmap_init(&t->overlays);
	strmap_init(&t->recalled);
	list_init(&t->flush);
	list_init(&t->leaving);
	list_init(&t->lined_leaving);
	list_init(&t->stale);
	strmap_init(&t->line_users);
	buf_init(&t->said, SIZE_MAX);
	t->charts = charts_new();
	for (int kind = 0; kind < KIND_COUNT; kind++)
		list_init(&t->dirty[kind]);
	return t;
}

void
tree_free(struct tree **t)
{
	if (*t == NULL)
		return;
	OBJ_CHECK(*t, TREE_MAGIC);
	tree_publish_fini(*t);
	tree_edit_fini(*t);
	tree_check_fini(*t);
	tree_balance_fini(*t);
	agenda_fini(&(*t)->due);
	charts_free(&(*t)->charts);
	strmap_fini(&(*t)->line_users);
	STRMAP_EACH (&(*t)->recalled, e)
		free(e->value);
	strmap_fini(&(*t)->recalled);
	model_fini(&(*t)->model);
	buf_fini(&(*t)->said);
	(*t)->magic = 0;
	free(*t);
	*t = NULL;
}

void
tree_recall(struct tree *t, const char *key, const char *value)
{
	OBJ_CHECK(t, TREE_MAGIC);
	free(strmap_put(&t->recalled, key, xstrdup(value)));
}

char *
tree_memory_key(enum kind kind, const char *name, const char *line)
{
	const char *kind_name = kind_table[kind].name;

	if (line == NULL || strcmp(line, LIVE_DEFAULT_LINE) == 0)
		return xasprintf("seq/%s/%s", kind_name, name);
	return xasprintf("seq/%s/%s@%s", kind_name, name, line); /* no name holds an '@' */
}

char *
tree_memory_take(struct tree *t, const char *key)
{
	return strmap_remove(&t->recalled, key);
}

void
tree_apply(struct tree *t, const struct change_set *c, int64_t real_ms)
{
	const struct tree_cause cause = { .code = "config", .real_ms = real_ms };

	OBJ_CHECK(t, TREE_MAGIC);
	for (size_t i = 0; i < c->count; i++) {
		if (c->ops[i].op == CHANGE_PUT)
			tree_edit_put(t, &c->ops[i]);
		else if (c->ops[i].op == CHANGE_DELETE)
			tree_edit_delete(t, &c->ops[i]);
	}
	tree_settle(t, &cause);
}

void
tree_edge(struct tree *t, uint32_t slot, const char *cause, int64_t real_ms)
{
	const struct tree_cause why = { .code = cause, .real_ms = real_ms };

	OBJ_CHECK(t, TREE_MAGIC);
	/* A probe dropped a moment ago may have its last word still on the way. */
	if (slot >= t->cap_slots || t->by_slot[slot] == NULL)
		return;

	const struct live_check *c = t->by_slot[slot];

	for (size_t i = 0; i < c->n_users; i++) {
		c->users[i]->live.told_due = true; /* the verdict stands in its status */
		tree_settle_mark(t, &c->users[i]->live);
	}
	tree_settle(t, &why);
}

int64_t
tree_due(const struct tree *t)
{
	OBJ_CHECK(t, TREE_MAGIC);

	const struct agenda_item *first = agenda_first(&t->due);

	return first == NULL ? INT64_MAX : first->due_ms;
}

void
tree_tick(struct tree *t, int64_t real_ms)
{
	const struct tree_cause cause = { .code = "time", .real_ms = real_ms };
	struct agenda_item *it;

	OBJ_CHECK(t, TREE_MAGIC);
	while ((it = agenda_first(&t->due)) != NULL && it->due_ms <= real_ms) {
		agenda_remove(&t->due, it);
		tree_settle_mark(t, container_of(it, struct live, due));
	}
	tree_settle(t, &cause);
}

void
tree_expiring(const struct tree *t, uint32_t slot, int64_t expires_ms, int64_t real_ms)
{
	OBJ_CHECK(t, TREE_MAGIC);
	if (slot >= t->cap_slots || t->by_slot[slot] == NULL)
		return;
	for (size_t i = 0; i < t->by_slot[slot]->n_users; i++)
		tree_tell_expiring(t, t->by_slot[slot]->users[i], expires_ms, real_ms);
}

const struct model *
tree_model(const struct tree *t)
{
	OBJ_CHECK(t, TREE_MAGIC);
	return &t->model;
}

void
tree_overlays(struct tree *t, const uint8_t *apex,
    void (*visit)(void *arg, const uint8_t *host, const void *overlay), void *arg)
{
	OBJ_CHECK(t, TREE_MAGIC);
	STRMAP_EACH (&t->overlays, e) {
		const struct steered *s = e->value;

		if (name_below(s->host, apex))
			visit(arg, s->host, s);
	}
}
