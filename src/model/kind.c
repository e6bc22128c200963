/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/kind.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "dns/name.h"
#include "dns/rrtype.h"
#include "model/noun_rules.h"
#include "model/objname.h"
#include "model/shared_fields.h"
#include "model/target.h"

const struct kind_info kind_table[KIND_COUNT] = {
	[KIND_TSIG_KEY] = {
		.name = "tsig-key", .plural = "tsig-keys", .wire = 0,
		.prose = "a secret shared with a peer, which signs transfers and updates",
		.size = sizeof(struct tsig_key_spec), .fields = tsig_key_fields,
		.check = tsig_key_check,
	},
	[KIND_ZONE] = {
		.name = "zone", .plural = "zones", .wire = 1,
		.prose = "an authoritative DNS zone hosted here",
		.size = sizeof(struct zone_spec), .fields = zone_fields,
		.settle = zone_settle, .check = zone_check, .refs = zone_refs,
	},
	[KIND_NODE] = {
		.name = "node", .plural = "nodes", .wire = 10,
		.prose = "a place that probes, besides this server",
		.size = sizeof(struct node_spec), .fields = node_fields,
		.check = node_check,
	},
	[KIND_TEMPLATE] = {
		.name = "template", .plural = "templates", .wire = 2,
		.prose = "how to probe; reusable",
		.size = sizeof(struct template_spec), .fields = template_fields,
		.settle = template_settle, .check = template_check, .refs = template_refs,
	},
	[KIND_LINE] = {
		.name = "line", .plural = "lines", .wire = 6,
		.prose = "a class of clients told by their networks, beside the built-in lines",
		.size = sizeof(struct line_spec), .fields = line_fields,
		.check = line_check,
	},
	[KIND_ADDRESS] = {
		.name = "address", .plural = "addresses", .wire = 3,
		.prose = "one endpoint, reusable by many pools; health belongs to it",
		.size = sizeof(struct address_spec), .fields = address_fields,
		.settle = address_settle, .check = address_check, .refs = address_refs,
	},
	[KIND_POOL] = {
		.name = "pool", .plural = "pools", .wire = 4,
		.prose = "addresses of one site, reusable by many domains",
		.size = sizeof(struct pool_spec), .fields = pool_fields,
		.settle = pool_settle, .check = pool_check, .refs = pool_refs,
	},
	[KIND_DOMAIN] = {
		.name = "domain", .plural = "domains", .wire = 5,
		.prose = "one name and type that is steered",
		.size = sizeof(struct domain_spec), .fields = domain_fields,
		.settle = domain_settle, .check = domain_check, .refs = domain_refs,
	},
	[KIND_RRSET] = {
		.name = "rrset", .plural = "rrsets", .wire = 7,
		.prose = "a record set of a zone whose records have lines, weights or remarks",
		.size = sizeof(struct rrset_spec), .fields = rrset_fields,
		.settle = rrset_settle, .check = rrset_check, .refs = rrset_refs,
	},
	/* It goes with its object, so it does not count as one who refers to it. */
	[KIND_OVERRIDE] = {
		.name = "override", .plural = "overrides", .wire = 8, .operational = true,
		.prose = "what an operator has imposed on an address, a pool or a domain",
		.size = sizeof(struct override_spec), .fields = override_fields,
		.check = override_check,
	},
	[KIND_MAINTENANCE] = {
		.name = "maintenance", .plural = "maintenances", .wire = 9,
		.prose = "when addresses, pools or domains are worked on, and what holds meanwhile",
		.size = sizeof(struct maintenance_spec), .fields = maintenance_fields,
		.settle = maintenance_settle, .check = maintenance_check,
		.refs = maintenance_refs,
	},
};

int
kind_parse(const char *name_or_plural, enum kind *kind)
{
	for (int k = 0; k < KIND_COUNT; k++) {
		if (strcmp(kind_table[k].name, name_or_plural) == 0 ||
		    strcmp(kind_table[k].plural, name_or_plural) == 0) {
			*kind = (enum kind)k;
			return 0;
		}
	}
	return -EINVAL;
}

int
kind_of_wire(uint8_t wire, enum kind *kind)
{
	for (int k = 0; k < KIND_COUNT; k++) {
		if (kind_table[k].wire == wire) {
			*kind = (enum kind)k;
			return 0;
		}
	}
	return -EINVAL;
}

const char *
kind_names(struct arena *a)
{
	const char *text = NULL;

	for (int k = 0; k < KIND_COUNT; k++) {
		if (kind_table[k].operational)
			continue;
		text = text == NULL ? kind_table[k].name
				    : arena_printf(a, "%s, %s", text, kind_table[k].name);
	}
	return text;
}

static int
refuse_name(const char *name, const char *fault, const char *allowed, struct diag *d)
{
	diag_add(d, DIAG_INVALID, "name", "%s", fault);
	diag_detail(d, strlen(name) <= KIND_NAME_SIZE ? name : NULL, allowed);
	return -EINVAL;
}

/* Of a zone, or of a key: a key's name goes over the wire as a domain name. */
static int
zone_name(const char *name, char *out, struct diag *d)
{
	const char *fault = hostname_canon(name, out);

	if (fault == NULL && strchr(out, '*') != NULL)
		fault = "must not contain '*'";
	return fault == NULL ? 0 : refuse_name(name, fault, HOSTNAME_ALLOWED, d);
}

static int
domain_name(const char *name, char *out, struct diag *d)
{
	static const char form[] = "<host>/A, <host>/AAAA, <host>/CNAME";
	const char *slash = strrchr(name, '/');
	char host[1024], type[RRTYPE_TEXT_SIZE];
	uint16_t rrtype;

	if (slash == NULL)
		return refuse_name(name, "must be a host and a type", form, d);
	if (slash - name >= (ptrdiff_t)sizeof(host))
		return refuse_name(name, "is longer than 255 bytes", HOSTNAME_ALLOWED, d);
	memcpy(host, name, (size_t)(slash - name));
	host[slash - name] = '\0';

	const char *fault = hostname_canon(host, out);

	if (fault == NULL && strchr(out + (strncmp(out, "*.", 2) == 0), '*') != NULL)
		fault = "may have '*' as its first label only";
	if (fault != NULL)
		return refuse_name(name, fault, HOSTNAME_ALLOWED, d);
	if (rrtype_parse(slash + 1, &rrtype) < 0 ||
	    (rrtype != RRTYPE_A && rrtype != RRTYPE_AAAA && rrtype != RRTYPE_CNAME))
		return refuse_name(name, "has a type that cannot be steered", form, d);
	snprintf(out + strlen(out), KIND_NAME_SIZE - strlen(out), "/%s", rrtype_text(rrtype, type));
	return 0;
}

/* An owner may be any name; written as name_text does, it is the same for all who spell it. */
static int
rrset_name(const char *name, char *out, struct diag *d)
{
	static const char form[] = "<owner>/A, <owner>/MX, <owner>/TXT, ...";
	const char *slash = strrchr(name, '/');
	char text[NAME_TEXT_SIZE], buf[RRTYPE_TEXT_SIZE];
	uint8_t owner[NAME_MAX_LEN];
	const char *type;
	uint16_t rrtype;

	if (slash == NULL || slash - name >= (ptrdiff_t)sizeof(text))
		return refuse_name(name, "must be an owner and a type", form, d);
	memcpy(text, name, (size_t)(slash - name));
	text[slash - name] = '\0';
	if (name_parse_lower(text, owner) < 0)
		return refuse_name(name, "has no domain name as its owner", form, d);
	if (rrtype_parse(slash + 1, &rrtype) < 0 || !rrset_type_fits(rrtype))
		return refuse_name(name, "has a type whose records cannot have lines", form, d);
	name_text(owner, text);
	type = rrtype_text(rrtype, buf);
	if (snprintf(out, KIND_NAME_SIZE, "%s/%s", text, type) >= KIND_NAME_SIZE)
		return refuse_name(name, "is too long, as text, for a set with lines", NULL, d);
	return 0;
}

static int
override_name(const char *name, char *out, struct diag *d)
{
	char of[KIND_NAME_SIZE];
	enum kind kind;
	const char *fault = target_parse(name, &kind, of);

	if (fault != NULL)
		return refuse_name(name, fault, TARGET_ALLOWED, d);
	target_text(kind, of, out);
	return 0;
}

int
kind_name(enum kind kind, const char *name, char *out, struct diag *d)
{
	if (kind == KIND_ZONE || kind == KIND_TSIG_KEY)
		return zone_name(name, out, d);
	if (kind == KIND_DOMAIN)
		return domain_name(name, out, d);
	if (kind == KIND_RRSET)
		return rrset_name(name, out, d);
	if (kind == KIND_OVERRIDE)
		return override_name(name, out, d);

	const char *fault = objname_fault(name);

	if (fault != NULL)
		return refuse_name(name, fault, OBJNAME_ALLOWED, d);
	snprintf(out, KIND_NAME_SIZE, "%s", name);
	return 0;
}

/* What all that parses goes through. */
static void *
finish(enum kind kind, const char *name, void *obj, struct arena *a, struct diag *d)
{
	const struct kind_info *k = &kind_table[kind];

	if (k->settle != NULL)
		k->settle(name, obj, a);
	return k->check != NULL && k->check(name, obj, d) < 0 ? NULL : obj;
}

void *
kind_decode(enum kind kind, const char *name, const json_t *spec, struct arena *a, struct diag *d)
{
	const struct kind_info *k = &kind_table[kind];
	void *obj = arena_alloc(a, k->size);

	if (field_decode(k->fields, spec, obj, a, NULL, d) < 0)
		return NULL;
	return finish(kind, name, obj, a, d);
}

void *
kind_decode_text(
    enum kind kind, const char *name, const char *spec, struct arena *a, struct diag *d)
{
	const struct kind_info *k = &kind_table[kind];
	struct json_scan in = { spec, spec + strlen(spec) };
	void *obj = arena_alloc(a, k->size);

	if (field_read(k->fields, &in, obj, a) && in.at == in.end)
		return finish(kind, name, obj, a, d);

	json_t *j = json_parse(spec, strlen(spec), d);

	obj = j == NULL ? NULL : kind_decode(kind, name, j, a, d);
	json_decref(j);
	return obj;
}

char *
kind_spec_text(enum kind kind, const void *spec)
{
	struct json_out o;
	struct buf text;

	buf_init(&text, SIZE_MAX);
	json_out_init(&o, &text);
	json_out_open(&o, NULL, '{');
	field_write(kind_table[kind].fields, spec, &o);
	json_out_close(&o, '}');
	return (char *)buf_take(&text, NULL);
}

static void
keep(const struct field *table, json_t *kept, const json_t *was)
{
	for (const struct field *f = table; f->name != NULL; f++) {
		json_t *now = json_object_get(kept, f->name), *old = json_object_get(was, f->name);

		if ((f->flags & FIELD_SECRET) != 0 && now == NULL)
			json_object_set(kept, f->name, old);
		else if (f->type == FIELD_STRUCT && json_is_object(now))
			keep(f->sub, now, old);
	}
}

json_t *
kind_keep_secrets(enum kind kind, const json_t *spec, const void *old)
{
	/* Nothing is kept of nothing. */
	if (old == NULL || !field_has_secrets(kind_table[kind].fields))
		return json_incref((json_t *)(uintptr_t)spec);

	json_t *kept = json_deep_copy(spec);
	json_t *was = field_encode(kind_table[kind].fields, old, true);

	keep(kind_table[kind].fields, kept, was);
	json_decref(was);
	return kept;
}
