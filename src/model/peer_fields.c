/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/peer_fields.h"

#include <stdio.h>
#include <string.h>

#include "dns/rrtype.h"
#include "model/shared_fields.h"
#include "net/addr.h"
#include "net/cidr.h"

#define DNS_PORT 53

#define KEY_FIELD(spec, what)                                                                      \
	{                                                                                          \
		.name = "key", .offset = offsetof(spec, key), .type = FIELD_STR, .min = 1,         \
		.max = 255, .flags = FIELD_OPTIONAL, .prose = what,                                \
	}

const struct field peer_fields[] = {
	{ .name = "address",
	    .offset = offsetof(struct peer_spec, address),
	    .type = FIELD_STR,
	    .min = 1,
	    .max = 64,
	    .flags = FIELD_REQUIRED,
	    .prose = "IP and port of the server; the port is 53 if not given" },
	KEY_FIELD(struct peer_spec, "tsig-key that signs what is exchanged with it"),
	FIELD_END,
};

const struct field peer_transfer_fields[] = {
	{ .name = "from",
	    .offset = offsetof(struct transfer_spec, from),
	    .type = FIELD_STR,
	    .min = 1,
	    .max = 64,
	    .flags = FIELD_REQUIRED,
	    .prose = "addresses: a range, one IP, or any" },
	KEY_FIELD(struct transfer_spec, "tsig-key the request must be signed with"),
	FIELD_END,
};

const struct field peer_update_fields[] = {
	{ .name = "key",
	    .offset = offsetof(struct update_spec, key),
	    .type = FIELD_STR,
	    .min = 1,
	    .max = 255,
	    .flags = FIELD_REQUIRED,
	    .prose = "tsig-key the update must be signed with" },
	{ .name = "names",
	    .offset = offsetof(struct update_spec, names),
	    .type = FIELD_STRS,
	    .min = 1,
	    .max = 64,
	    .flags = FIELD_REQUIRED,
	    .prose = "what may be changed: a name, *.name for all names below it, @ for the apex" },
	{ .name = "types",
	    .offset = offsetof(struct update_spec, types),
	    .type = FIELD_STRS,
	    .min = 1,
	    .max = 64,
	    .def_str = "any",
	    .prose = "record types it may change, or any" },
	FIELD_END,
};

/* -- one value: canonical text, or NULL and what is wrong -- */

static const char *
canon_address(const char *text, char out[KIND_NAME_SIZE])
{
	struct addr a;

	if (addr_parse(&a, text, DNS_PORT) < 0 || addr_port(&a) == 0 || addr_is_any(&a))
		return "is not an IP address with an optional port";
	addr_text(&a, out);
	return NULL;
}

static const char *
canon_range(const char *text, char out[KIND_NAME_SIZE])
{
	struct cidr c;

	if (cidr_parse(&c, text) < 0)
		return "is not a range of addresses";
	cidr_text(&c, out);
	return NULL;
}

/* Absolute, within the zone; "@" stays. */
static const char *
canon_pattern(const char *zone, const char *text, char out[KIND_NAME_SIZE])
{
	const bool wild = strncmp(text, "*.", 2) == 0;

	if (strcmp(text, "@") == 0) {
		strcpy(out, text);
		return NULL;
	}
	const char *fault = hostname_canon(text, out);

	if (fault == NULL && strchr(out + wild, '*') != NULL)
		return "may have '*' as its first label only";
	return fault != NULL || hostname_below(out, zone) ? fault : "is not in the zone";
}

static const char *
canon_type(const char *text, char out[KIND_NAME_SIZE])
{
	char type_text[RRTYPE_TEXT_SIZE];
	uint16_t type;

	if (strcmp(text, "any") == 0)
		strcpy(out, text);
	else if (rrtype_parse(text, &type) < 0 || rrtype_is_meta(type))
		return "is not a type of records";
	else
		strcpy(out, rrtype_text(type, type_text));
	return NULL;
}

/* -- all values: the same walk settles and checks -- */

struct walk {
	const char *zone;
	struct arena *arena; /* settling */
	struct diag *diag;   /* checking */
};

static void
value(const struct walk *w, const char *fault, const char *canon, const char **at,
    const char *allowed, const char *path)
{
	if (w->diag == NULL) {
		if (fault == NULL)
			*at = arena_strdup(w->arena, canon);
	} else if (fault != NULL) {
		diag_add(w->diag, DIAG_INVALID, path, "%s", fault);
		diag_detail(w->diag, *at, allowed);
	}
}

static void
walk_key(const struct walk *w, const char *list, size_t i, const char **key)
{
	char canon[KIND_NAME_SIZE], path[64];

	if (*key == NULL)
		return;
	snprintf(path, sizeof(path), "%s[%zu].key", list, i);
	value(w, hostname_canon(*key, canon), canon, key, HOSTNAME_ALLOWED, path);
}

static void
walk_peers(const struct walk *w, const char *list, const struct field_list *peers)
{
	struct peer_spec *p = peers->items;
	char canon[KIND_NAME_SIZE], path[64];

	for (size_t i = 0; i < peers->count; i++) {
		snprintf(path, sizeof(path), "%s[%zu].address", list, i);
		value(w, canon_address(p[i].address, canon), canon, &p[i].address,
		    "\"192.0.2.1\", \"192.0.2.1:5353\", \"[2001:db8::1]:53\"", path);
		walk_key(w, list, i, &p[i].key);
	}
}

static void
walk_transfers(const struct walk *w, const struct field_list *transfers)
{
	struct transfer_spec *t = transfers->items;
	char canon[KIND_NAME_SIZE], path[64];

	for (size_t i = 0; i < transfers->count; i++) {
		snprintf(path, sizeof(path), "transfer[%zu].from", i);
		value(w, canon_range(t[i].from, canon), canon, &t[i].from,
		    "any, \"192.0.2.1\", \"192.0.2.0/24\", \"2001:db8::/32\"", path);
		walk_key(w, "transfer", i, &t[i].key);
	}
}

static void
walk_updates(const struct walk *w, const struct field_list *updates)
{
	struct update_spec *u = updates->items;
	char canon[KIND_NAME_SIZE], path[64];

	for (size_t i = 0; i < updates->count; i++) {
		const char **name = u[i].names.items, **type = u[i].types.items;

		walk_key(w, "update", i, &u[i].key);
		for (size_t k = 0; k < u[i].names.count; k++) {
			snprintf(path, sizeof(path), "update[%zu].names[%zu]", i, k);
			value(w, canon_pattern(w->zone, name[k], canon), canon, &name[k],
			    "names in the zone: \"host.example.com\", \"*.example.com\", \"@\"",
			    path);
		}
		for (size_t k = 0; k < u[i].types.count; k++) {
			snprintf(path, sizeof(path), "update[%zu].types[%zu]", i, k);
			value(w, canon_type(type[k], canon), canon, &type[k],
			    "any, A, AAAA, TXT, ...", path);
		}
	}
}

static void
walk_all(const struct walk *w, const struct zone_spec *z)
{
	walk_peers(w, "primaries", &z->primaries);
	walk_peers(w, "notify", &z->notify);
	walk_transfers(w, &z->transfer);
	walk_updates(w, &z->update);
}

void
peer_settle(const char *zone, struct zone_spec *z, struct arena *a)
{
	walk_all(&(struct walk){ .zone = zone, .arena = a }, z);
}

void
peer_check(const char *zone, const struct zone_spec *z, struct diag *d)
{
	const bool secondary = z->role == ZONE_SECONDARY;

	walk_all(&(struct walk){ .zone = zone, .diag = d }, z);
	if (secondary && z->primaries.count == 0)
		diag_add(d, DIAG_INVALID, "primaries", "is required: a secondary is fed by them");
	if (!secondary && z->primaries.count > 0)
		diag_add(d, DIAG_INVALID, "primaries", "must be empty: the role is primary");
	if (!secondary && z->catalog_consumer)
		diag_add(d, DIAG_INVALID, "catalog_consumer", "must be false: the role is primary");
	if (secondary && z->update.count > 0)
		diag_add(d, DIAG_INVALID, "update", "must be empty: the role is secondary");
}

/* -- references -- */

static void
visit_key(const char *list, size_t i, const char *key, kind_ref_f *visit, void *arg)
{
	const struct diag_path all = { .name = list };
	const struct diag_path item = { .parent = &all, .index = i };
	const struct diag_path here = { .parent = &item, .name = "key" };

	if (key != NULL)
		visit(KIND_TSIG_KEY, key, &here, arg);
}

static void
visit_peers(const char *list, const struct field_list *peers, kind_ref_f *visit, void *arg)
{
	const struct peer_spec *p = peers->items;

	for (size_t i = 0; i < peers->count; i++)
		visit_key(list, i, p[i].key, visit, arg);
}

void
peer_refs(const struct zone_spec *z, kind_ref_f *visit, void *arg)
{
	const struct transfer_spec *t = z->transfer.items;
	const struct update_spec *u = z->update.items;

	visit_peers("primaries", &z->primaries, visit, arg);
	visit_peers("notify", &z->notify, visit, arg);
	for (size_t i = 0; i < z->transfer.count; i++)
		visit_key("transfer", i, t[i].key, visit, arg);
	for (size_t i = 0; i < z->update.count; i++)
		visit_key("update", i, u[i].key, visit, arg);
}
