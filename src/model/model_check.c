/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rules between objects. A rule that joins two objects is checked from both sides: a pool looks
 * at its addresses, and an address that gets a new value looks at the pools that hold it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns/name.h"
#include "dns/rrtype.h"
#include "model/line_tree.h"
#include "model/nouns.h"
#include "model/target.h"
#include "model/view.h"

/* One put under check. */
struct trial {
	struct view view;
	enum kind kind;
	const char *name;
	const void *spec;
	struct diag *d;
};

#define LINES_ALLOWED                                                                              \
	"a built-in line such as default, cn, us_ca, telecom, telecom_zj, cloud_aws "              \
	"(GET /api/v1/line-tree), or a custom line"

/* -- any kind: references exist, immutable members stay -- */

static void
check_ref(enum kind to, const char *name, const struct diag_path *path, void *arg)
{
	struct trial *t = arg;
	char where[64];

	if (view_exists(&t->view, to, name))
		return;
	diag_add(t->d, DIAG_INVALID, diag_path_text(path, where, sizeof(where)),
	    "no %s named '%s' exists", kind_table[to].name, name);
	diag_detail(t->d, name, to == KIND_LINE ? LINES_ALLOWED : NULL);
}

/* A string as it is, anything else as JSON. */
static const char *
plain(struct arena *a, const json_t *j)
{
	char *text = json_text(j);
	const char *out = json_is_string(j) ? json_string_value(j) : text;

	out = out != NULL ? arena_strdup(a, out) : NULL;
	free(text);
	return out;
}

static void
check_immutable(struct trial *t, const void *old_spec)
{
	for (const struct field *f = kind_table[t->kind].fields; f->name != NULL; f++) {
		if ((f->flags & FIELD_IMMUTABLE) == 0)
			continue;

		json_t *was = field_encode_member(f, old_spec),
		       *is = field_encode_member(f, t->spec);

		if (!json_equal(was, is)) {
			diag_add(t->d, DIAG_INVALID, f->name, "cannot change once the %s exists",
			    kind_table[t->kind].name);
			diag_detail(t->d, plain(&t->d->arena, is), plain(&t->d->arena, was));
		}
		json_decref(was);
		json_decref(is);
	}
}

/* -- line -- */

#define LINE_DEPTH_MAX 16 /* custom lines above a line */

/*
 * Up the parents, as they will be. They are no `refs`: those point to kinds that come before, and a
 * line's parent may have been made after it.
 */
static void
check_parent(struct trial *t)
{
	const char *parent = ((const struct line_spec *)t->spec)->parent;
	unsigned depth = 0;

	for (const char *at = parent; line_tree_find(at) == NULL;) {
		const struct line_spec *above =
		    strcmp(at, t->name) == 0 ? NULL : view_spec(&t->view, KIND_LINE, at);

		if (strcmp(at, t->name) == 0) {
			diag_add(t->d, DIAG_INVALID, "parent", "makes the line its own ancestor");
			diag_detail(t->d, parent, NULL);
			return;
		}
		if (above == NULL) {
			check_ref(KIND_LINE, at, &(struct diag_path){ .name = "parent" }, t);
			return;
		}
		if (++depth > LINE_DEPTH_MAX) {
			diag_add(t->d, DIAG_INVALID, "parent",
			    "has more than %d custom lines above it", LINE_DEPTH_MAX);
			diag_detail(t->d, parent, NULL);
			return;
		}
		at = above->parent;
	}
}

/* Whose this network is, as things will be; NULL: nobody else's. */
static const char *
range_owner(const struct trial *t, const char *canon)
{
	const struct change_set *pending = t->view.pending;
	const uintptr_t at = pending == NULL ? 0 : (uintptr_t)strmap_find(&pending->ranges, canon);
	const struct change_op *op = at != 0 ? &pending->ops[at - 1] : NULL;
	const struct model_object *o = strmap_find(&t->view.model->ranges, canon);

	if (op != NULL && change_find(pending, KIND_LINE, op->name) == op &&
	    strcmp(op->name, t->name) != 0)
		return op->name;
	if (o != NULL && strcmp(o->name, t->name) != 0 &&
	    (pending == NULL || change_find(pending, KIND_LINE, o->name) == NULL))
		return o->name;
	return NULL;
}

static void
check_line(struct trial *t)
{
	const struct line_spec *self = t->spec;
	const char *const *text = self->cidrs.items;
	char canon[CIDR_TEXT_SIZE], where[32];
	struct cidr c;

	check_parent(t);
	for (size_t i = 0; i < self->cidrs.count; i++) {
		const char *owner =
		    line_cidr(&c, text[i]) == NULL ? range_owner(t, cidr_text(&c, canon)) : NULL;

		if (owner == NULL)
			continue;
		snprintf(where, sizeof(where), "cidrs[%zu]", i);
		diag_add(t->d, DIAG_INVALID, where,
		    "line '%s' has this range: a client can be in one of them only", owner);
		diag_detail(t->d, canon, "a longer or shorter prefix");
	}
}

/* -- address -- */

static void
check_sibling_values(enum kind kind, const char *name, const void *spec, void *arg)
{
	struct trial *t = arg;
	const struct address_spec *self = t->spec;
	const struct pool_spec *pool = spec;
	const struct link_spec *link = pool->addresses.items;

	if (kind != KIND_POOL)
		return;
	for (size_t i = 0; i < pool->addresses.count; i++) {
		const struct address_spec *other;

		if (strcmp(link[i].target, t->name) == 0)
			continue;
		other = view_spec(&t->view, KIND_ADDRESS, link[i].target);
		if (other == NULL || strcmp(other->value, self->value) != 0)
			continue;
		diag_add(t->d, DIAG_INVALID, "value",
		    "pool '%s' already holds this value as address '%s'", name, link[i].target);
		diag_detail(t->d, self->value, NULL);
	}
}

/* Without a new value no pool can break; a pool of thousands is then not read again. */
static void
check_address(struct trial *t, const struct address_spec *old)
{
	const struct address_spec *self = t->spec;

	if (old != NULL && strcmp(old->value, self->value) != 0)
		view_referrers(&t->view, KIND_ADDRESS, t->name, check_sibling_values, t);
}

/* -- pool -- */

static void
check_member(struct trial *t, size_t i, const char *target, struct strmap *values)
{
	const struct pool_spec *pool = t->spec;
	const struct address_spec *a = view_spec(&t->view, KIND_ADDRESS, target);
	char where[48];

	if (a == NULL)
		return; /* told by check_ref */
	snprintf(where, sizeof(where), "addresses[%zu].address", i);
	if (a->type != pool->type) {
		diag_add(t->d, DIAG_INVALID, where, "address '%s' is of type %s, the pool of %s",
		    target, address_type_words[a->type], address_type_words[pool->type]);
		diag_detail(t->d, address_type_words[a->type], address_type_words[pool->type]);
	}

	const char *twin = strmap_put(values, a->value, (void *)(uintptr_t)target);

	if (twin != NULL && strcmp(twin, target) != 0) {
		diag_add(t->d, DIAG_INVALID, where, "address '%s' has the same value as '%s'",
		    target, twin);
		diag_detail(t->d, a->value, NULL);
	}
}

static void
check_pool(struct trial *t)
{
	const struct pool_spec *pool = t->spec;
	const struct link_spec *link = pool->addresses.items;
	struct strmap values;

	strmap_init(&values);
	for (size_t i = 0; i < pool->addresses.count; i++)
		check_member(t, i, link[i].target, &values);
	strmap_fini(&values);
}

/* -- domain -- */

static void
check_zone(struct trial *t, const char *host, uint16_t rrtype)
{
	char zone[KIND_NAME_SIZE];
	const char *dot = strchr(host, '.');

	if (!view_zone_of(&t->view, host, zone)) {
		const char *parent = dot != NULL && strchr(dot + 1, '.') != NULL ? dot + 1 : host;

		diag_add(t->d, DIAG_INVALID, "name",
		    "no hosted zone contains '%s'; create zone '%s' first", host, parent);
		diag_detail(t->d, host, "a name in a hosted zone");
	} else if (rrtype == RRTYPE_CNAME && strcmp(zone, host) == 0) {
		diag_add(t->d, DIAG_INVALID, "name",
		    "a CNAME cannot stand at the apex of zone '%s', beside its SOA and NS", zone);
		diag_detail(t->d, t->name, NULL);
	}
}

/* Under an A or AAAA domain a pool of names answers with a CNAME; a CNAME domain has only such. */
static bool
pool_fits(uint16_t rrtype, int type)
{
	return type == ADDRESS_DOMAIN || (rrtype == RRTYPE_A && type == ADDRESS_IPV4) ||
	       (rrtype == RRTYPE_AAAA && type == ADDRESS_IPV6);
}

static const char *
pools_allowed(uint16_t rrtype)
{
	return rrtype == RRTYPE_A      ? "ipv4, domain"
	       : rrtype == RRTYPE_AAAA ? "ipv6, domain"
				       : "domain";
}

/* `name` stands at `where`. The pool's type; -1 if there is no such pool. */
static int
check_one_pool(struct trial *t, uint16_t rrtype, const char *name, const char *where)
{
	const struct domain_spec *s = t->spec;
	const struct pool_spec *pool = view_spec(&t->view, KIND_POOL, name);

	if (pool == NULL)
		return -1; /* told by check_ref */
	if (!pool_fits(rrtype, pool->type)) {
		diag_add(t->d, DIAG_INVALID, where,
		    "pool '%s' is of type %s, which cannot answer %s", name,
		    address_type_words[pool->type], s->type);
		diag_detail(t->d, address_type_words[pool->type], pools_allowed(rrtype));
	}
	return pool->type;
}

static void
check_pools(struct trial *t, uint16_t rrtype)
{
	const struct domain_spec *s = t->spec;
	const struct link_spec *link = s->pools.items;
	size_t of_names = 0, of_ips = 0;
	char where[48];

	for (size_t i = 0; i < s->pools.count; i++) {
		snprintf(where, sizeof(where), "pools[%zu].pool", i);

		const int type = check_one_pool(t, rrtype, link[i].target, where);

		of_names += type == ADDRESS_DOMAIN;
		of_ips += type == ADDRESS_IPV4 || type == ADDRESS_IPV6;
	}
	if (s->fallback_pool != NULL)
		(void)check_one_pool(t, rrtype, s->fallback_pool, "fallback_pool");
	if (s->strategy == STRATEGY_ROUND_ROBIN && of_names > 0 && of_ips > 0) {
		diag_add(t->d, DIAG_INVALID, "strategy",
		    "pools of type domain and IP pools cannot be mixed under round_robin");
		diag_detail(t->d, "round_robin", "weight, sequence, source_nearest, hash");
	}
}

static void
check_domain(struct trial *t)
{
	char host[KIND_NAME_SIZE];
	uint16_t rrtype;

	if (domain_name_split(t->name, host, &rrtype) < 0)
		return;
	check_zone(t, host, rrtype);
	check_pools(t, rrtype);
}

/* -- record set -- */

/* It is answered from the deepest zone that has its owner, or nowhere. */
static void
check_rrset(struct trial *t)
{
	const struct rrset_spec *s = t->spec;
	const struct zone_spec *zone = view_spec(&t->view, KIND_ZONE, s->zone);
	char owner[KIND_NAME_SIZE], deepest[KIND_NAME_SIZE];
	uint16_t type;

	if (zone == NULL || domain_name_split(t->name, owner, &type) < 0)
		return; /* told by check_ref */
	if (zone->role != ZONE_PRIMARY) {
		diag_add(t->d, DIAG_INVALID, "zone",
		    "zone '%s' is a secondary: its primaries know nothing of lines", s->zone);
		diag_detail(t->d, s->zone, "a primary zone");
	}
	if (view_zone_of(&t->view, owner, deepest) && strcmp(deepest, s->zone) != 0) {
		diag_add(t->d, DIAG_INVALID, "zone", "the hosted zone '%s' answers for '%s'",
		    deepest, owner);
		diag_detail(t->d, s->zone, deepest);
	}
}

/* -- override -- */

/* Not by `refs`: an object in use by nothing but its override may go, and takes that along. */
static void
check_override(struct trial *t)
{
	char of[KIND_NAME_SIZE];
	enum kind kind;

	if (target_parse(t->name, &kind, of) == NULL)
		check_ref(kind, of, &(struct diag_path){ .name = "name" }, t);
}

/* -- zone -- */

static void
refuse_lined(enum kind kind, const char *name, const void *spec, void *arg)
{
	struct trial *t = arg;

	(void)spec;
	if (kind != KIND_RRSET)
		return;
	diag_add(t->d, DIAG_INVALID, "role",
	    "record set '%s' has lines, which no transfer brings: delete it first", name);
	diag_detail(t->d, "secondary", "primary");
}

static void
check_role(struct trial *t)
{
	if (((const struct zone_spec *)t->spec)->role != ZONE_PRIMARY)
		view_referrers(&t->view, KIND_ZONE, t->name, refuse_lined, t);
}

/* -- put -- */

static void
check_between(struct trial *t)
{
	const void *old = view_spec(&t->view, t->kind, t->name);

	if (kind_table[t->kind].refs != NULL)
		kind_table[t->kind].refs(t->spec, check_ref, t);
	if (old != NULL)
		check_immutable(t, old);
	if (t->kind == KIND_LINE)
		check_line(t);
	if (t->kind == KIND_ADDRESS)
		check_address(t, old);
	if (t->kind == KIND_POOL)
		check_pool(t);
	if (t->kind == KIND_DOMAIN)
		check_domain(t);
	if (t->kind == KIND_RRSET)
		check_rrset(t);
	if (t->kind == KIND_OVERRIDE)
		check_override(t);
	if (t->kind == KIND_ZONE)
		check_role(t);
}

int
model_check_spec(const struct model *m, const struct change_set *pending, enum kind kind,
    const char *name, const void *spec, struct diag *d)
{
	struct trial t = { .kind = kind, .spec = spec, .d = d };
	char canon[KIND_NAME_SIZE];
	const size_t before = d->count;

	if (kind_name(kind, name, canon, d) < 0)
		return -EINVAL;
	t.name = canon;
	view_init(&t.view, m, pending);
	check_between(&t);
	view_fini(&t.view);
	return d->count == before ? 0 : -EINVAL;
}

int
model_check_put(const struct model *m, const struct change_set *pending, enum kind kind,
    const char *name, const json_t *spec, struct diag *d)
{
	char canon[KIND_NAME_SIZE];
	struct arena arena;
	int rc = -EINVAL;

	if (kind_name(kind, name, canon, d) < 0)
		return -EINVAL;
	arena_init(&arena);
	const void *decoded = kind_decode(kind, canon, spec, &arena, d);

	if (decoded != NULL)
		rc = model_check_spec(m, pending, kind, canon, decoded, d);
	arena_fini(&arena);
	return rc;
}

/* -- delete -- */

static void
add_referrer(enum kind kind, const char *name, const void *spec, void *arg)
{
	struct trial *t = arg;
	char key[CHANGE_KEY_SIZE];

	(void)spec;
	diag_referrer(t->d, change_key(kind, name, key));
}

/* A domain names no zone, but needs one: is this its only one? */
static void
add_orphan(enum kind kind, const char *name, const void *spec, void *arg)
{
	struct trial *t = arg;
	uint8_t wire[NAME_MAX_LEN];
	char host[KIND_NAME_SIZE], zone[KIND_NAME_SIZE], above[NAME_TEXT_SIZE];
	uint16_t rrtype;

	if (domain_name_split(name, host, &rrtype) < 0 || !view_zone_of(&t->view, host, zone) ||
	    strcmp(zone, t->name) != 0)
		return;
	if (name_parse_lower(zone, wire) > 1 &&
	    view_zone_of(&t->view, name_text(name_skip(wire, 1), above), zone))
		return;
	add_referrer(kind, name, spec, arg);
}

/* Lines below a line do not stand among its referrers: see check_parent. */
static void
add_child(enum kind kind, const char *name, const void *spec, void *arg)
{
	const struct trial *t = arg;

	if (strcmp(((const struct line_spec *)spec)->parent, t->name) == 0)
		add_referrer(kind, name, spec, arg);
}

int
model_check_delete(const struct model *m, const struct change_set *pending, enum kind kind,
    const char *name, struct diag *d)
{
	struct trial t = { .kind = kind, .name = name, .d = d };
	const size_t before = d->n_referrers;
	int rc = 0;

	view_init(&t.view, m, pending);
	if (view_spec(&t.view, kind, name) == NULL) {
		rc = diag_add(
		    d, DIAG_NOT_FOUND, "", "no %s named '%s' exists", kind_table[kind].name, name);
	} else {
		view_referrers(&t.view, kind, name, add_referrer, &t);
		if (kind == KIND_ZONE)
			view_each(&t.view, KIND_DOMAIN, add_orphan, &t);
		if (kind == KIND_LINE)
			view_each(&t.view, KIND_LINE, add_child, &t);
		if (d->n_referrers > before)
			rc = diag_add(
			    d, DIAG_CONFLICT, "", "%s '%s' is in use", kind_table[kind].name, name);
	}
	view_fini(&t.view);
	return rc;
}
