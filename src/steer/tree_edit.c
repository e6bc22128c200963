/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One change at a time: the model takes the spec, the live object is wired to what it refers to,
 * and a mark is left for the settlement. Nothing is computed or published here, so a set is never
 * seen half applied.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "net/addr.h"
#include "steer/tree_types.h"

/* The live object of `o`, made if it is new. */
static void *
bring_to_life(struct model_object *o, size_t size)
{
	if (o->runtime == NULL) {
		struct live *l = xcalloc(1, size);

		l->o = o;
		list_init(&l->dirty);
		o->runtime = l;
	}
	return o->runtime;
}

static void *
runtime_of(const struct tree *t, enum kind kind, const char *name)
{
	const struct model_object *o = model_find(&t->model, kind, name);

	CHECK(o != NULL && o->runtime != NULL);
	return o->runtime;
}

static void
mark_edited(struct tree *t, struct live *l)
{
	l->edited = true;
	tree_settle_mark(t, l);
}

char *
tree_memory_key(enum kind kind, const char *name)
{
	return xasprintf("seq/%s/%s", kind_table[kind].name, name);
}

static char *
recall(struct tree *t, const struct model_object *o)
{
	char *key = tree_memory_key(o->kind, o->name);
	char *value = strmap_remove(&t->recalled, key);

	free(key);
	return value;
}

static void
forget(struct tree *t, enum kind kind, const char *name)
{
	char *key = tree_memory_key(kind, name);

	t->hooks.remember(t->hooks.arg, key, NULL);
	free(key);
}

/*
 * While a set is applied a sequence knows its current member by name: it may leave in one change,
 * be deleted in the next, or come back in a third.
 */
static void
hold_on(char **recalled, const struct live *current)
{
	if (current == NULL)
		return;
	free(*recalled);
	*recalled = xstrdup(current->o->name);
}

/* -- template -- */

static void
put_template(struct tree *t, struct model_object *o)
{
	STRMAP_EACH (&o->referrers, e) {
		const struct model_object *user = e->value;

		if (user->kind == KIND_ADDRESS)
			tree_check_renew(t, user->runtime, o->name);
	}
}

/* -- address -- */

static void
encode(struct live_address *a)
{
	const struct address_spec *s = live_address_spec(a);
	struct addr ip;
	size_t len;

	if (s->type == ADDRESS_DOMAIN) {
		const int n = name_parse(s->value, a->rdata);

		CHECK(n > 0);
		a->rrtype = RRTYPE_CNAME;
		a->rdlen = (uint16_t)n;
		return;
	}
	CHECK(addr_ip_parse(&ip, s->value, s->type == ADDRESS_IPV4 ? AF_INET : AF_INET6) == 0);

	const uint8_t *bytes = addr_ip(&ip, &len);

	a->rrtype = s->type == ADDRESS_IPV4 ? RRTYPE_A : RRTYPE_AAAA;
	a->rdlen = (uint16_t)len;
	memcpy(a->rdata, bytes, len);
}

static void
put_address(struct tree *t, struct model_object *o)
{
	struct live_address *a = bring_to_life(o, sizeof(*a));

	encode(a);
	tree_check_attach(t, a);
	mark_edited(t, &a->live);
}

static void
delete_address(struct tree *t, struct live_address *a)
{
	tree_check_detach(t, a);
	free(a);
}

/* -- pool -- */

static void
put_pool(struct tree *t, struct model_object *o)
{
	const bool is_new = o->runtime == NULL;
	struct live_pool *p = bring_to_life(o, sizeof(*p));
	const struct pool_spec *s = o->spec;
	const struct link_spec *link = s->addresses.items;
	struct live_address *stay = NULL;

	if (is_new)
		p->recalled = recall(t, o);
	hold_on(&p->recalled, p->current == NULL ? NULL : &p->current->live);
	free(p->members);
	p->members = xcalloc(s->addresses.count + 1, sizeof(*p->members));
	p->n_members = s->addresses.count;
	for (size_t i = 0; i < p->n_members; i++) {
		struct live_address *a = runtime_of(t, KIND_ADDRESS, link[i].target);

		p->members[i] = (struct live_member){ .address = a, .spec = &link[i] };
		if (p->recalled != NULL && strcmp(p->recalled, link[i].target) == 0)
			stay = a;
	}
	p->current = stay;
	mark_edited(t, &p->live);
}

static void
free_pool(struct live_pool *p)
{
	free(p->members);
	free(p->recalled);
	free(p);
}

/* -- domain -- */

static struct cursors *
take_cursors(struct live_link *links, size_t n, const struct live_pool *pool)
{
	for (size_t i = 0; i < n; i++) {
		struct cursors *c = links[i].cursors;

		if (links[i].pool != pool || c == NULL)
			continue;
		links[i].cursors = NULL;
		return c;
	}
	return NULL;
}

/* A link that stays keeps its cursors. The others wait for the swap: the plan that uses them still
 * answers. */
static void
relink(struct tree *t, struct live_domain *d)
{
	const struct domain_spec *s = live_domain_spec(d);
	const struct link_spec *link = s->pools.items;
	struct live_link *now = xcalloc(s->pools.count + 1, sizeof(*now));
	struct live_pool *stay = NULL;

	hold_on(&d->recalled, d->current == NULL ? NULL : &d->current->live);
	for (size_t i = 0; i < s->pools.count; i++) {
		struct live_pool *p = runtime_of(t, KIND_POOL, link[i].target);

		now[i] = (struct live_link){ .pool = p, .spec = &link[i] };
		now[i].cursors = take_cursors(d->links, d->n_links, p);
		if (now[i].cursors == NULL)
			now[i].cursors = cursors_new(d->live.o->name, link[i].target, t->workers);
		if (d->recalled != NULL && strcmp(d->recalled, link[i].target) == 0)
			stay = p;
	}
	for (size_t i = 0; i < d->n_links; i++) {
		MEM_GROW(&d->idle, &d->cap_idle, d->n_idle + 1);
		d->idle[d->n_idle++] = d->links[i].cursors;
	}
	free(d->links);
	d->links = now;
	d->n_links = s->pools.count;
	d->current = stay;
}

static void
put_domain(struct tree *t, struct model_object *o)
{
	const bool is_new = o->runtime == NULL;
	struct live_domain *d = bring_to_life(o, sizeof(*d));
	char host[KIND_NAME_SIZE];

	if (is_new) {
		CHECK(domain_name_split(o->name, host, &d->rrtype) == 0);
		CHECK(name_parse_lower(host, d->host) > 0);
		d->type = steered_type_of(d->rrtype);
		CHECK(d->type != STEERED_TYPES);
		d->cursors = cursors_new(o->name, "", t->workers);
		d->recalled = recall(t, o);
		list_init(&d->leaving);
	}
	relink(t, d);
	mark_edited(t, &d->live);
}

/* -- any kind -- */

void
tree_edit_put(struct tree *t, const struct change_op *op)
{
	struct model_object *o = model_apply(&t->model, op);

	switch (op->kind) {
	case KIND_TEMPLATE:
		put_template(t, o);
		break;
	case KIND_ADDRESS:
		put_address(t, o);
		break;
	case KIND_POOL:
		put_pool(t, o);
		break;
	case KIND_DOMAIN:
		put_domain(t, o);
		break;
	default: /* a zone matters to whoever owns the overlay hook */
		break;
	}
}

void
tree_edit_delete(struct tree *t, const struct change_op *op)
{
	struct model_object *o = model_find(&t->model, op->kind, op->name);
	struct live *l = o == NULL ? NULL : o->runtime;

	if (l != NULL) {
		list_remove(&l->dirty);
		l->o = NULL;
	}
	if (l != NULL && op->kind == KIND_ADDRESS)
		delete_address(t, (struct live_address *)l);
	if (l != NULL && op->kind == KIND_POOL) {
		free_pool((struct live_pool *)l);
		forget(t, op->kind, op->name);
	}
	if (l != NULL && op->kind == KIND_DOMAIN) {
		list_append(&t->leaving, &((struct live_domain *)l)->leaving);
		forget(t, op->kind, op->name);
	}
	model_apply(&t->model, op);
}

void
tree_edit_fini(struct tree *t)
{
	STRMAP_EACH (&t->model.objects[KIND_DOMAIN], e)
		tree_publish_free(((struct model_object *)e->value)->runtime);
	STRMAP_EACH (&t->model.objects[KIND_POOL], e)
		free_pool(((struct model_object *)e->value)->runtime);
	STRMAP_EACH (&t->model.objects[KIND_ADDRESS], e) {
		struct live_address *a = ((struct model_object *)e->value)->runtime;

		free(a->checks);
		free(a);
	}
}
