/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Catalog zones from elsewhere (RFC 9432): the members listed in one become secondary zones with
 * the catalog's primaries, and go when they are no longer listed. A zone that is here for another
 * reason is neither taken over nor deleted; a catalog that is broken changes nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/records.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "dns/rrtype.h"
#include "intake/secondary_inside.h"
#include "model/nouns.h"

struct sync {
	struct secondary_zone *z;
	struct strmap members; /* name -> char *: its group, "" for none */
	struct strmap groups;  /* member's node -> char * */
	struct strmap nodes;   /* member's node -> char *: the member */
	const struct model *model;
	const struct zone_spec *spec;
	struct change_set set;
	unsigned versions;
	const char *broken;
};

/* -- reading the catalog -- */

/* Labels before "zones" in NODE.zones.CATALOG; 0: the name is not of that form. */
static unsigned
labels_before_zones(const struct sync *s, const uint8_t *owner)
{
	const unsigned all = name_labels(owner), apex = name_labels(s->z->apex);

	if (all < apex + 2 || !name_below(owner, s->z->apex) ||
	    memcmp(name_skip(owner, all - apex - 1), "\5zones", 6) != 0)
		return 0;
	return all - apex - 1;
}

static void
keep(struct strmap *map, const uint8_t *node, const char *value)
{
	char text[NAME_TEXT_SIZE];

	free(strmap_put(map, name_text(node, text), strdup(value)));
}

static void
note_version(struct sync *s, const struct rrset *set)
{
	s->versions++;
	if (set->count != 1 || set->size != 4 ||
	    memcmp(set->data,
		"\0\2\1"
		"2",
		4) != 0)
		s->broken = "its version is not 2";
}

static void
note_member(struct sync *s, const uint8_t *owner, const struct rrset *set)
{
	char text[NAME_TEXT_SIZE];

	if (set->count != 1)
		s->broken = "a member's node has more than one PTR";
	else
		keep(&s->nodes, owner, name_text(set->data + 2, text));
}

static void
note_group(struct sync *s, const uint8_t *owner, const struct rrset *set)
{
	const size_t len = set->data[2];
	char text[256] = "";

	if (set->count == 1 && 3 + len <= set->size) {
		memcpy(text, set->data + 3, len);
		keep(&s->groups, name_skip(owner, 1), text);
	}
}

static bool
read_set(const uint8_t *owner, const struct rrset *set, void *arg)
{
	struct sync *s = arg;
	const unsigned depth = labels_before_zones(s, owner);
	const unsigned below = name_labels(owner) - name_labels(s->z->apex);

	if (set->type == RRTYPE_TXT && below == 1 && memcmp(owner, "\7version", 8) == 0)
		note_version(s, set);
	else if (set->type == RRTYPE_PTR && depth == 1)
		note_member(s, owner, set);
	else if (set->type == RRTYPE_TXT && depth == 2 && memcmp(owner, "\5group", 6) == 0)
		note_group(s, owner, set);
	return s->broken == NULL;
}

/* Nodes in, members out. RFC 9432 4.1: a member listed twice is listed by neither. */
static void
settle_members(struct sync *s)
{
	STRMAP_EACH (&s->nodes, entry) {
		const char *group = strmap_find(&s->groups, entry->key);

		if (strmap_find(&s->members, entry->value) != NULL)
			s->broken = "a member is listed twice";
		free(strmap_put(&s->members, entry->value, strdup(group != NULL ? group : "")));
	}
	if (s->versions != 1 && s->broken == NULL)
		s->broken = "it has no version";
}

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
add_put(struct sync *s, const struct model_object *o, const char *name, const void *decoded)
{
	const int64_t now = clock_real_ms();
	char *text = kind_spec_text(KIND_ZONE, decoded);
	char id[17];

	rand_hex(id, 8);
	change_add(&s->set, &(struct change_op){ .op = CHANGE_PUT,
				.kind = KIND_ZONE,
				.name = name,
				.id = o != NULL ? o->id : id,
				.spec = text,
				.created_ms = o != NULL ? o->created_ms : now,
				.updated_ms = now });
	free(text);
}

static void
put_member(struct sync *s, const struct model_object *o, const char *member, const char *group,
    struct diag *d)
{
	char name[KIND_NAME_SIZE];

	if (kind_name(KIND_ZONE, member, name, d) < 0)
		return;

	struct arena arena;
	json_t *wish = member_spec(s, o, group);
	json_t *old = o != NULL ? field_encode(zone_fields, o->spec, true) : NULL;

	arena_init(&arena);

	const void *decoded = kind_decode(KIND_ZONE, name, wish, &arena, d);
	json_t *full = decoded != NULL ? field_encode(zone_fields, decoded, true) : NULL;

	if (full != NULL && (old == NULL || !json_equal(old, full)) &&
	    model_check_put(s->model, &s->set, KIND_ZONE, name, full, d) == 0)
		add_put(s, o, name, decoded);
	json_decref(full);
	json_decref(old);
	json_decref(wish);
	arena_fini(&arena);
}

static bool
is_member_here(const struct sync *s, const struct model_object *o)
{
	const struct zone_spec *spec = o->spec;

	return spec->role == ZONE_SECONDARY && spec->catalog != NULL &&
	       strcmp(spec->catalog, s->z->name) == 0;
}

static void
complain(const struct sync *s, const char *name, struct diag *d)
{
	log_warn("secondary", "catalog %s, member %s: %s", s->z->name, name, diag_text(d));
}

static void
put_members(struct sync *s)
{
	STRMAP_EACH (&s->members, entry) {
		const struct model_object *o = model_find(s->model, KIND_ZONE, entry->key);
		struct diag d;

		diag_init(&d);
		if (o != NULL && !is_member_here(s, o))
			diag_add(&d, DIAG_CONFLICT, "", "is left alone: it is not from there");
		else
			put_member(s, o, entry->key, entry->value, &d);
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

		if (!is_member_here(s, o) || strmap_find(&s->members, o->name) != NULL)
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
map_fini(struct strmap *map)
{
	STRMAP_EACH (map, entry)
		free(entry->value);
	strmap_fini(map);
}

void
secondary_catalog_sync(struct secondary_zone *z)
{
	struct sync s = { .z = z };
	struct diag d;

	diag_init(&d);
	strmap_init(&s.members);
	strmap_init(&s.groups);
	strmap_init(&s.nodes);
	change_init(&s.set);
	if (records_walk(control_store(z->all->control), z->name, read_set, &s, &d) == 0) {
		settle_members(&s);
		if (s.broken == NULL)
			apply(&s, &d);
		else
			secondary_report_catalog(z, s.broken);
	}
	change_fini(&s.set);
	map_fini(&s.members);
	map_fini(&s.groups);
	map_fini(&s.nodes);
	diag_fini(&d);
}
