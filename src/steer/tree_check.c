/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks are attached before old ones are detached and the prober hears about it only at the flush,
 * so a check that moves from one address to another within a change set is neither dropped nor
 * started anew.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "steer/tree_types.h"

static void
mark(struct tree *t, struct live_check *c)
{
	list_remove(&c->flush);
	list_append(&t->flush, &c->flush);
}

static struct live_check *
new_check(struct tree *t, const struct check_spec *s, const char *ip, const char *host, char *key)
{
	struct live_check *c = xcalloc(1, sizeof(*c));

	*c = (struct live_check){
		.key = key,
		.ip = xstrdup(ip),
		.host = xstrdup(host),
		.template = xstrdup(s->template),
		.port = (uint16_t)s->port,
		.slot = word_take(t->words),
		.unsaid = true,
	};
	list_init(&c->flush);
	strmap_put(&t->checks, key, c);

	const size_t had = t->cap_slots;

	MEM_GROW(&t->by_slot, &t->cap_slots, (size_t)c->slot + 1);
	if (t->cap_slots > had)
		memset(t->by_slot + had, 0, (t->cap_slots - had) * sizeof(*t->by_slot));
	t->by_slot[c->slot] = c;
	return c;
}

/* The host is part of the key only where it says more than the IP; else all who answer that IP
 * share the probe. */
static struct live_check *
find_or_make(struct tree *t, const struct address_spec *a, const struct check_spec *s)
{
	const char *ip = s->target != NULL ? s->target : a->value;
	const bool plain = strcmp(ip, a->value) == 0;
	char *key = xasprintf("%s/%s/%u%s%s", s->template, ip, (unsigned)s->port, plain ? "" : "/",
	    plain ? "" : a->value);
	struct live_check *c = strmap_find(&t->checks, key);

	if (c == NULL)
		return new_check(t, s, ip, a->value, key);
	free(key);
	return c;
}

static void
remove_user(struct tree *t, struct live_check *c, const struct live_address *a)
{
	for (size_t i = c->n_users; i-- > 0;) {
		if (c->users[i] != a)
			continue;
		c->users[i] = c->users[--c->n_users];
		if (c->n_users == 0)
			mark(t, c);
		return;
	}
	check_failed("a check that does not know its user", __FILE__, __LINE__, __func__);
}

void
tree_check_attach(struct tree *t, struct live_address *a)
{
	const struct address_spec *s = live_address_spec(a);
	const struct check_spec *check = s->checks.items;
	struct live_check **now = xcalloc(s->checks.count + 1, sizeof(struct live_check *));

	for (size_t i = 0; i < s->checks.count; i++) {
		struct live_check *c = now[i] = find_or_make(t, s, &check[i]);

		MEM_GROW(&c->users, &c->cap_users, c->n_users + 1);
		c->users[c->n_users++] = a;
		if (c->unsaid)
			mark(t, c);
	}
	tree_check_detach(t, a);
	a->checks = now;
	a->n_checks = s->checks.count;
}

void
tree_check_detach(struct tree *t, struct live_address *a)
{
	for (size_t i = 0; i < a->n_checks; i++)
		remove_user(t, a->checks[i], a);
	free(a->checks);
	a->checks = NULL;
	a->n_checks = 0;
}

void
tree_check_renew(struct tree *t, const struct live_address *a, const char *template)
{
	for (size_t i = 0; i < a->n_checks; i++) {
		struct live_check *c = a->checks[i];

		if (strcmp(c->template, template) != 0)
			continue;
		c->unsaid = true;
		mark(t, c);
	}
}

static void
want(struct tree *t, struct live_check *c)
{
	const struct model_object *o = model_find(&t->model, KIND_TEMPLATE, c->template);
	struct tree_check said = {
		.key = c->key,
		.slot = c->slot,
		.ip = c->ip,
		.port = c->port,
		.host = c->host,
		.template_name = c->template,
	};

	CHECK(o != NULL);
	said.template = o->spec;
	c->unsaid = false;
	c->wanted = true;
	t->hooks.want(t->hooks.arg, &said);
}

static void
forget(struct tree *t, struct live_check *c)
{
	strmap_remove(&t->checks, c->key);
	t->by_slot[c->slot] = NULL;
	word_give(t->words, c->slot);
	list_remove(&c->flush);
	free(c->users);
	free(c->template);
	free(c->host);
	free(c->ip);
	free(c->key);
	free(c);
}

void
tree_check_flush(struct tree *t)
{
	LIST_EACH (it, tmp, &t->flush) {
		struct live_check *c = LIST_ENTRY(it, struct live_check, flush);

		list_remove(&c->flush);
		if (c->n_users > 0) {
			if (c->unsaid)
				want(t, c);
			continue;
		}
		if (c->wanted)
			t->hooks.drop(t->hooks.arg, c->key, c->slot);
		forget(t, c);
	}
}

void
tree_check_fini(struct tree *t)
{
	STRMAP_EACH (&t->checks, e)
		forget(t, e->value);
	strmap_fini(&t->checks);
	free(t->by_slot);
}
