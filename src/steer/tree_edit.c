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

static void
forget(struct tree *t, const struct live *l, const struct lanes *lanes)
{
	for (size_t i = 0; i < lanes->n; i++) {
		char *key = tree_memory_key(l->o->kind, l->o->name, lanes->list[i].line);

		t->hooks.remember(t->hooks.arg, key, NULL);
		free(key);
	}
}

/*
 * While a set is applied a sequence knows its current member by name: it may leave in one change,
 * be deleted in the next, or come back in a third.
 */
static void
hold_on(struct lanes *lanes)
{
	for (size_t i = 0; i < lanes->n; i++) {
		struct live_lane *lane = &lanes->list[i];

		if (lane->current == NULL)
			continue;
		free(lane->recalled);
		lane->recalled = xstrdup(lane->current->o->name);
		lane->current = NULL;
	}
}

/* `l` is a member again: where a lane was on it, it still is. */
static void
meet_again(struct lanes *lanes, struct live *l)
{
	for (size_t i = 0; i < lanes->n; i++) {
		struct live_lane *lane = &lanes->list[i];

		if (lane->recalled != NULL && strcmp(lane->recalled, l->o->name) == 0)
			lane->current = l;
	}
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
keep_rdata(struct live_address *a, uint16_t rrtype, const uint8_t *rdata, size_t len)
{
	a->rrtype = rrtype;
	a->rdlen = (uint16_t)len;
	a->rdata = xrealloc(a->rdata, len);
	memcpy(a->rdata, rdata, len);
}

static void
encode(struct live_address *a)
{
	const struct address_spec *s = live_address_spec(a);
	struct addr ip;
	size_t len;

	if (s->type == ADDRESS_DOMAIN) {
		uint8_t name[NAME_MAX_LEN];
		const int n = name_parse(s->value, name);

		CHECK(n > 0);
		keep_rdata(a, RRTYPE_CNAME, name, (size_t)n);
		return;
	}
	CHECK(addr_ip_parse(&ip, s->value, s->type == ADDRESS_IPV4 ? AF_INET : AF_INET6) == 0);

	const uint8_t *bytes = addr_ip(&ip, &len);

	keep_rdata(a, s->type == ADDRESS_IPV4 ? RRTYPE_A : RRTYPE_AAAA, bytes, len);
}

static void
put_address(struct tree *t, struct model_object *o)
{
	const bool is_new = o->runtime == NULL;
	struct live_address *a = bring_to_life(o, sizeof(*a));

	if (is_new)
		tree_steady_recall(t, a);
	encode(a);
	tree_check_attach(t, a);
	mark_edited(t, &a->live);
}

static void
free_address(struct live_address *a)
{
	free(a->rdata);
	free(a->damp);
	free(a);
}

static void
delete_address(struct tree *t, struct live_address *a)
{
	tree_check_detach(t, a);
	free_address(a);
}

/* -- pool -- */

/* Domains over a pool look through it at the lines of its addresses. */
static void
renew_charts(const struct model_object *pool)
{
	STRMAP_EACH (&pool->referrers, e) {
		const struct model_object *user = e->value;

		if (user->kind == KIND_DOMAIN)
			((struct live_domain *)user->runtime)->audience.chart_due = true;
	}
}

static void
put_pool(struct tree *t, struct model_object *o)
{
	struct live_pool *p = bring_to_life(o, sizeof(*p));
	const struct pool_spec *s = o->spec;
	const struct link_spec *link = s->addresses.items;

	tree_impose_let_go(t, &p->live);
	hold_on(&p->lanes);
	tree_lines_lanes(t, &p->live, &p->lanes, link, s->addresses.count, NULL);
	free(p->members);
	p->members = xcalloc(s->addresses.count + 1, sizeof(*p->members));
	p->n_members = s->addresses.count;
	for (size_t i = 0; i < p->n_members; i++) {
		struct live_address *a = runtime_of(t, KIND_ADDRESS, link[i].target);

		p->members[i] = (struct live_member){ .address = a, .spec = &link[i] };
		meet_again(&p->lanes, &a->live);
	}
	renew_charts(o);
	mark_edited(t, &p->live);
}

static void
free_pool(struct live_pool *p)
{
	tree_lines_free(&p->lanes);
	free(p->members);
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

/* A link that stays keeps its cursors. */
static struct live_link
link_to(struct tree *t, struct live_domain *d, const char *pool, const struct link_spec *spec)
{
	struct live_pool *p = runtime_of(t, KIND_POOL, pool);
	struct live_link l = { .pool = p, .spec = spec };

	l.cursors = take_cursors(d->links, live_domain_all_links(d), p);
	if (l.cursors == NULL)
		l.cursors = cursors_new(d->key, pool, t->workers);
	return l;
}

/* Cursors of links that go wait for the swap: the plan that uses them still answers. */
static void
relink(struct tree *t, struct live_domain *d)
{
	const struct domain_spec *s = live_domain_spec(d);
	const struct link_spec *link = s->pools.items;
	struct live_link *now = xcalloc(s->pools.count + 1, sizeof(*now));

	hold_on(&d->lanes);
	tree_lines_lanes(t, &d->live, &d->lanes, link, s->pools.count, &d->idle);
	for (size_t i = 0; i < s->pools.count; i++) {
		now[i] = link_to(t, d, link[i].target, &link[i]);
		meet_again(&d->lanes, &now[i].pool->live);
	}
	if (s->fallback_pool != NULL)
		now[s->pools.count] = link_to(t, d, s->fallback_pool, NULL);
	for (size_t i = 0; i < live_domain_all_links(d); i++)
		if (d->links[i].cursors != NULL)
			live_idle(&d->idle, d->links[i].cursors);
	free(d->links);
	d->links = now;
	d->n_links = s->pools.count;
	d->has_refuge = s->fallback_pool != NULL;
	d->audience.chart_due = true;
}

static void
start_domain(struct tree *t, struct live_domain *d)
{
	const char *name = d->live.o->name;
	char host[KIND_NAME_SIZE];

	CHECK(domain_name_split(name, host, &d->rrtype) == 0);
	CHECK(name_parse_lower(host, d->host) > 0);
	d->key = xstrdup(name);
	tree_lines_arrive(&d->audience, &d->live);
	strmap_init(&d->good);
	list_init(&d->leaving);
	if (t->recalled.count == 0)
		return;

	char *key = xasprintf("good/%s", name);
	char *good = tree_memory_take(t, key);

	if (good != NULL)
		live_good_set(d, good);
	free(key);
}

static void
put_domain(struct tree *t, struct model_object *o)
{
	const bool is_new = o->runtime == NULL;
	struct live_domain *d = bring_to_life(o, sizeof(*d));

	if (is_new)
		start_domain(t, d);
	tree_impose_let_go(t, &d->live);
	relink(t, d);
	tree_balance_put(t, d);
	mark_edited(t, &d->live);
}

static void
forget_domain(struct tree *t, struct live_domain *d)
{
	forget(t, &d->live, &d->lanes);
	if (d->good_text != NULL) {
		char *key = xasprintf("good/%s", d->key);

		t->hooks.remember(t->hooks.arg, key, NULL);
		free(key);
	}
	tree_lines_leave(t, &d->audience);
	tree_balance_leave(t, d);
	list_append(&t->leaving, &d->leaving);
}

/* -- any kind -- */

void
tree_edit_put(struct tree *t, const struct change_op *op)
{
	if (op->kind == KIND_LINE) {
		tree_lines_put(t, op);
		return;
	}

	if (op->kind == KIND_ZONE && model_find(&t->model, KIND_ZONE, op->name) == NULL)
		tree_lined_zone(t, op->name);

	tree_impose_touch(t, op); /* those that a window leaves */

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
	case KIND_RRSET:
		tree_lined_put(t, o);
		break;
	case KIND_OVERRIDE:
	case KIND_MAINTENANCE:
		tree_impose_touch(t, op);
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

	if (o != NULL && op->kind == KIND_LINE)
		tree_lines_drop(t, op->name);
	if (o != NULL && op->kind == KIND_ZONE)
		tree_lined_zone(t, op->name);
	if (l != NULL && op->kind == KIND_POOL)
		forget(t, l, &((struct live_pool *)l)->lanes);
	if (l != NULL && op->kind == KIND_ADDRESS)
		tree_steady_forget(t, (struct live_address *)l);
	if (l != NULL && op->kind == KIND_DOMAIN)
		forget_domain(t, (struct live_domain *)l);
	if (l != NULL && op->kind == KIND_RRSET)
		tree_lined_forget(t, (struct live_lined *)l);
	if (o != NULL)
		tree_impose_touch(t, op);
	if (l != NULL) {
		tree_impose_let_go(t, l);
		t->n_holding -= l->imposed.force == FORCE_HOLD;
		agenda_remove(&t->due, &l->due);
		list_remove(&l->dirty);
		l->o = NULL;
	}
	if (l != NULL && op->kind == KIND_ADDRESS)
		delete_address(t, (struct live_address *)l);
	if (l != NULL && op->kind == KIND_POOL)
		free_pool((struct live_pool *)l);
	model_apply(&t->model, op);
}

void
tree_edit_fini(struct tree *t)
{
	STRMAP_EACH (&t->model.objects[KIND_DOMAIN], e) {
		struct live_domain *d = ((struct model_object *)e->value)->runtime;

		tree_lines_leave(t, &d->audience);
		tree_publish_free(d);
	}
	STRMAP_EACH (&t->model.objects[KIND_RRSET], e) {
		struct live_lined *l = ((struct model_object *)e->value)->runtime;

		tree_lines_leave(t, &l->audience);
		tree_lined_free(l);
	}
	STRMAP_EACH (&t->model.objects[KIND_POOL], e)
		free_pool(((struct model_object *)e->value)->runtime);
	STRMAP_EACH (&t->model.objects[KIND_ADDRESS], e) {
		struct live_address *a = ((struct model_object *)e->value)->runtime;

		free(a->checks);
		free_address(a);
	}
}
