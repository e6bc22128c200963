/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Catalog zones from elsewhere (RFC 9432): the members listed in one become secondary zones with
 * the catalog's primaries, and go when they are no longer listed. A zone that is here for another
 * reason is neither taken over nor deleted, unless it is another catalog's that says so (coo). A
 * catalog that is broken changes nothing.
 *
 * A member's id is made of its node's label: under another label it is a new zone, and what was
 * there under the old one is forgotten.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "intake/secondary_inside.h"
#include "intake/secondary_list.h"
#include "model/nouns.h"

struct sync {
	struct secondary_zone *z;
	struct secondary_list list;
	struct strmap others; /* catalog -> struct secondary_list *: read when a member is there */
	const struct model *model;
	const struct zone_spec *spec;
	struct change_set set;
};

/* -- the zones that follow -- */

static json_t *
primaries_of(const struct zone_spec *spec)
{
	const struct peer_spec *p = spec->primaries.items;
	json_t *list = json_array();

	for (size_t i = 0; i < spec->primaries.count; i++) {
		json_t *peer = json_pack("{s:s}", "address", p[i].address);

		if (p[i].key != NULL)
			json_object_set_new(peer, "key", json_string(p[i].key));
		json_array_append_new(list, peer);
	}
	return list;
}

/* What the member's spec has to be; `o` (may be NULL): as it is. */
static json_t *
member_spec(const struct sync *s, const struct model_object *o, const char *group)
{
	json_t *spec = o != NULL ? field_encode(zone_fields, o->spec, true) : json_object();

	json_object_set_new(spec, "role", json_string("secondary"));
	json_object_set_new(spec, "catalog", json_string(s->z->name));
	json_object_set_new(spec, "primaries", primaries_of(s->spec));
	if (group[0] != '\0')
		json_object_set_new(spec, "labels", json_pack("{s:s}", "group", group));
	return spec;
}

static void
make_id(char id[17], const char *name, const char *node)
{
	static const uint8_t key[SIPHASH_KEY_LEN] = "catalog member";
	char *text = xasprintf("%s %s", node, name);
	uint8_t hash[SIPHASH_LEN];

	siphash(key, text, strlen(text), hash);
	for (unsigned i = 0; i < SIPHASH_LEN; i++)
		snprintf(id + 2 * i, 3, "%02x", hash[i]);
	free(text);
}

static void
add_put(struct sync *s, const struct model_object *o, const char *name, const char *id,
    const void *decoded)
{
	const int64_t now = clock_real_ms();
	const bool fresh = o == NULL || strcmp(o->id, id) != 0;
	char *text = kind_spec_text(KIND_ZONE, decoded);

	change_add(&s->set, &(struct change_op){ .op = CHANGE_PUT,
				.kind = KIND_ZONE,
				.name = name,
				.id = id,
				.spec = text,
				.created_ms = fresh ? now : o->created_ms,
				.updated_ms = now });
	if (fresh && o != NULL)
		change_add(&s->set, &(struct change_op){
					.op = CHANGE_ZONE_CLEAR, .kind = KIND_ZONE, .name = name });
	free(text);
}

static void
put_member(struct sync *s, const struct model_object *o, const char *member,
    const struct secondary_member *m, struct diag *d)
{
	char name[KIND_NAME_SIZE], id[17];

	if (kind_name(KIND_ZONE, member, name, d) < 0)
		return;

	struct arena arena;
	json_t *wish = member_spec(s, o, m->group);
	json_t *old = o != NULL ? field_encode(zone_fields, o->spec, true) : NULL;

	arena_init(&arena);
	make_id(id, name, m->node);

	const void *decoded = kind_decode(KIND_ZONE, name, wish, &arena, d);
	json_t *full = decoded != NULL ? field_encode(zone_fields, decoded, true) : NULL;

	if (full != NULL && (old == NULL || !json_equal(old, full) || strcmp(o->id, id) != 0) &&
	    model_check_put(s->model, &s->set, KIND_ZONE, name, full, d) == 0)
		add_put(s, o, name, id, decoded);
	json_decref(full);
	json_decref(old);
	json_decref(wish);
	arena_fini(&arena);
}

static const char *
catalog_of(const struct model_object *o)
{
	const struct zone_spec *spec = o->spec;

	return spec->role == ZONE_SECONDARY ? spec->catalog : NULL;
}

static bool
is_member_here(const struct sync *s, const struct model_object *o)
{
	return catalog_of(o) != NULL && strcmp(catalog_of(o), s->z->name) == 0;
}

/* What another catalog that is followed here lists; NULL if there is none. */
static const struct secondary_list *
other_list(struct sync *s, const char *catalog)
{
	const struct model_object *o = model_find(s->model, KIND_ZONE, catalog);
	struct secondary_list *l = strmap_find(&s->others, catalog);
	struct diag d;

	if (o == NULL || !((const struct zone_spec *)o->spec)->catalog_consumer)
		return NULL;
	if (l != NULL)
		return l;
	diag_init(&d);
	l = xmalloc(sizeof(*l));
	if (secondary_list_read(l, control_store(s->z->all->control), catalog, &d) < 0)
		l->broken = "it cannot be read";
	diag_fini(&d);
	strmap_put(&s->others, catalog, l);
	return l;
}

/* Change of ownership: it is another catalog's, which says that it may be ours. */
static bool
may_take(struct sync *s, const struct model_object *o)
{
	const char *owner = catalog_of(o);
	const struct secondary_list *l = owner != NULL ? other_list(s, owner) : NULL;
	const struct secondary_member *m =
	    l != NULL && l->broken == NULL ? strmap_find(&l->members, o->name) : NULL;

	return m != NULL && strcmp(m->coo, s->z->name) == 0;
}

/* It was ours, and went where we said. */
static bool
has_moved(const struct model_object *o, const struct secondary_member *m)
{
	return catalog_of(o) != NULL && strcmp(catalog_of(o), m->coo) == 0;
}

static void
complain(const struct sync *s, const char *name, struct diag *d)
{
	log_warn("secondary", "catalog %s, member %s: %s", s->z->name, name, diag_text(d));
}

static void
put_members(struct sync *s)
{
	STRMAP_EACH (&s->list.members, entry) {
		const struct model_object *o = model_find(s->model, KIND_ZONE, entry->key);
		const struct secondary_member *m = entry->value;
		struct diag d;

		diag_init(&d);
		if (o == NULL || is_member_here(s, o) || may_take(s, o))
			put_member(s, o, entry->key, m, &d);
		else if (!has_moved(o, m))
			diag_add(&d, DIAG_CONFLICT, "", "is left alone: it is not from there");
		if (diag_failed(&d))
			complain(s, entry->key, &d);
		diag_fini(&d);
	}
}

static void
drop_members(struct sync *s)
{
	STRMAP_EACH (&s->model->objects[KIND_ZONE], entry) {
		const struct model_object *o = entry->value;
		struct diag d;

		if (!is_member_here(s, o) || strmap_find(&s->list.members, o->name) != NULL)
			continue;
		diag_init(&d);
		if (model_check_delete(s->model, &s->set, KIND_ZONE, o->name, &d) == 0)
			change_add(
			    &s->set, &(struct change_op){
					 .op = CHANGE_DELETE, .kind = KIND_ZONE, .name = o->name });
		else
			complain(s, o->name, &d);
		diag_fini(&d);
	}
}

static void
apply(struct sync *s, struct diag *d)
{
	struct control *c = s->z->all->control;
	const struct model_object *o;
	struct control_receipt receipt;

	control_edit_begin(c);
	s->model = control_model(c);
	o = model_find(s->model, KIND_ZONE, s->z->name);
	if (o != NULL && strcmp(o->id, s->z->id) == 0) {
		s->spec = o->spec;
		put_members(s);
		drop_members(s);
	}
	s->set.author = arena_printf(&s->set.arena, "catalog:%s", s->z->name);
	s->set.summary = arena_printf(&s->set.arena, "follow catalog '%s'", s->z->name);
	if (s->set.count > 0 && control_edit_commit(c, &s->set, &receipt, d) < 0)
		log_error("secondary", "catalog %s is not followed: %s", s->z->name, diag_text(d));
	control_edit_end(c);
}

static void
sync(struct secondary_zone *z, struct sync *s, struct diag *d)
{
	*s = (struct sync){ .z = z };
	strmap_init(&s->others);
	change_init(&s->set);
	if (secondary_list_read(&s->list, control_store(z->all->control), z->name, d) < 0)
		log_error("secondary", "catalog %s is not followed: %s", z->name, diag_text(d));
	else if (s->list.broken != NULL)
		secondary_report_catalog(z, s->list.broken);
	else
		apply(s, d);
}

static void
sync_fini(struct sync *s)
{
	change_fini(&s->set);
	secondary_list_fini(&s->list);
	STRMAP_EACH (&s->others, entry) {
		secondary_list_fini(entry->value);
		free(entry->value);
	}
	strmap_fini(&s->others);
}

/* Who listed a member before we let it go takes it now. */
static void
hand_over(struct secondary_zone *z, const struct secondary_list *l)
{
	struct strmap told;

	strmap_init(&told);
	STRMAP_EACH (&l->members, entry) {
		const struct secondary_member *m = entry->value;
		struct secondary_zone *to = strmap_find(&z->all->zones, m->coo);
		struct sync s;
		struct diag d;

		if (to == NULL || to == z || !to->consumer || !to->have ||
		    strmap_put(&told, m->coo, to) != NULL)
			continue;
		diag_init(&d);
		sync(to, &s, &d);
		sync_fini(&s);
		diag_fini(&d);
	}
	strmap_fini(&told);
}

void
secondary_catalog_sync(struct secondary_zone *z)
{
	struct sync s;
	struct diag d;

	diag_init(&d);
	sync(z, &s, &d);
	if (s.list.broken == NULL)
		hand_over(z, &s.list);
	sync_fini(&s);
	diag_fini(&d);
}
