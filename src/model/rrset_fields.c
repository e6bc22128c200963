/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/strmap.h"
#include "dns/name.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "model/field_types.h"
#include "model/line_tree.h"
#include "model/noun_rules.h"
#include "model/shared_fields.h"

#define TTL_MAX     2147483647 /* RFC 2181 section 8 */
#define RECORDS_MAX 10000
#define WEIGHT_MAX  65535
#define PATH_SIZE   48

/* -- weight: a number, or not given -- */

static int
decode_weight(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	(void)a;
	if (!json_is_integer(j))
		return field_refuse(f, j, path, d, "must be an integer", "0..65535");
	if (json_integer_value(j) < 0 || json_integer_value(j) > WEIGHT_MAX)
		return field_refuse(f, j, path, d, "is out of range", "0..65535");
	*(uint32_t *)at = (uint32_t)json_integer_value(j);
	return 0;
}

static json_t *
encode_weight(const struct field *f, const void *at)
{
	const uint32_t weight = *(const uint32_t *)at;

	(void)f;
	return weight == RECORD_NO_WEIGHT ? NULL : json_integer(weight);
}

static void
default_weight(const struct field *f, void *at, struct arena *a)
{
	(void)f;
	(void)a;
	*(uint32_t *)at = RECORD_NO_WEIGHT;
}

static json_t *
schema_weight(const struct field *f)
{
	(void)f;
	return json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum", 0, "maximum", WEIGHT_MAX);
}

static const struct field_codec weight_codec = { decode_weight, encode_weight, default_weight,
	schema_weight, NULL };

#define OF(member) offsetof(struct record_spec, member)

static const struct field record_fields[] = {
	{ .name = "data",
	    .offset = OF(data),
	    .type = FIELD_STR,
	    .min = 0,
	    .max = 4 * RDATA_MAX_LEN,
	    .flags = FIELD_REQUIRED,
	    .prose = "its rdata as in a zone file; names are relative to the zone" },
	{ .name = "line",
	    .offset = OF(line),
	    .type = FIELD_NAME,
	    .def_str = "default",
	    .prose = "whom it answers: a built-in line by code or alias, or a custom line" },
	{ .name = "weight",
	    .offset = OF(weight),
	    .type = FIELD_CUSTOM,
	    .flags = FIELD_OPTIONAL,
	    .codec = &weight_codec,
	    .prose =
		"share of the answers, 0 = standby; once a record of a line has one, the line's "
		"answers are one record each, and records without count as 1" },
	{ .name = "enabled",
	    .offset = OF(enabled),
	    .type = FIELD_BOOL,
	    .def = true,
	    .prose = "a disabled record counts as not there" },
	REMARK_FIELD(struct record_spec),
	FIELD_END,
};

/* -- records: a list of objects; a string stands for one of which only data is said -- */

static int
decode_records(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	json_t *list = json_is_array(j) ? json_array() : json_deep_copy(j), *item;
	size_t i;

	if (json_is_array(j))
		json_array_foreach((json_t *)(uintptr_t)j, i, item) json_array_append_new(list,
		    json_is_string(item) ? json_pack("{s:O}", "data", item) : json_incref(item));

	const int rc = field_array.decode(f, list, at, a, path, d);

	json_decref(list);
	return rc;
}

bool
rrset_record_is_plain(const struct record_spec *r)
{
	return r->weight == RECORD_NO_WEIGHT && r->enabled && r->remark[0] == '\0' &&
	       strcmp(r->line, "default") == 0;
}

/* What was said, and no more. */
static json_t *
encode_record(const struct record_spec *r)
{
	if (rrset_record_is_plain(r))
		return json_string(r->data);

	json_t *j = json_pack("{s:s}", "data", r->data);

	if (strcmp(r->line, "default") != 0)
		json_object_set_new(j, "line", json_string(r->line));
	if (r->weight != RECORD_NO_WEIGHT)
		json_object_set_new(j, "weight", json_integer(r->weight));
	if (!r->enabled)
		json_object_set_new(j, "enabled", json_false());
	if (r->remark[0] != '\0')
		json_object_set_new(j, "remark", json_string(r->remark));
	return j;
}

static json_t *
encode_records(const struct field *f, const void *at)
{
	const struct field_list *list = at;
	const struct record_spec *r = list->items;
	json_t *j = json_array();

	(void)f;
	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(j, encode_record(&r[i]));
	return j;
}

static void
default_records(const struct field *f, void *at, struct arena *a)
{
	field_array.set_default(f, at, a);
}

static json_t *
schema_records(const struct field *f)
{
	return json_pack("{s:s, s:I, s:I, s:{s:[{s:s}, o]}}", "type", "array", "minItems",
	    (json_int_t)f->min, "maxItems", (json_int_t)f->max, "items", "oneOf", "type", "string",
	    field_schema(f->sub));
}

static const struct field_codec records_codec = { decode_records, encode_records, default_records,
	schema_records, NULL };

#define AT(member) offsetof(struct rrset_spec, member)

const struct field rrset_fields[] = {
	{ .name = "zone",
	    .offset = AT(zone),
	    .type = FIELD_STR,
	    .min = 1,
	    .max = 255,
	    .flags = FIELD_REQUIRED | FIELD_IMMUTABLE,
	    .prose = "the zone the records are in" },
	{ .name = "ttl",
	    .offset = AT(ttl_s),
	    .type = FIELD_U32,
	    .max = TTL_MAX,
	    .def = 3600,
	    .prose = "seconds an answer may be cached" },
	{ .name = "records",
	    .offset = AT(records),
	    .type = FIELD_CUSTOM,
	    .min = 1,
	    .max = RECORDS_MAX,
	    .flags = FIELD_REQUIRED,
	    .codec = &records_codec,
	    .sub = record_fields,
	    .sub_size = sizeof(struct record_spec),
	    .prose = "its records; a string is one of which only the data is said" },
	FIELD_END,
};

const char *
rrset_record_line(const struct record_spec *r)
{
	const struct line_info *built_in = line_tree_find(r->line);

	return built_in != NULL ? built_in->code : r->line;
}

bool
rrset_type_fits(uint16_t type)
{
	switch (type) {
	case RRTYPE_SOA:
	case RRTYPE_NS:
	case RRTYPE_DS:
	case RRTYPE_DNAME:
	case RRTYPE_RRSIG:
	case RRTYPE_NSEC:
	case RRTYPE_NSEC3:
	case RRTYPE_NSEC3PARAM:
	case RRTYPE_DNSKEY:
		return false;
	default:
		return !rrtype_is_meta(type);
	}
}

/* The data of a record on the wire and, from there, as canonical text. */
static void
parse_data(struct record_spec *r, uint16_t type, const char *zone, struct arena *a)
{
	const char *why;
	struct buf rdata, text;

	buf_init(&rdata, RDATA_MAX_LEN);
	if (rdata_parse(type, r->data, zone, &rdata, &why) == 0) {
		r->rdata = arena_memdup(a, rdata.data, rdata.len);
		r->rdlen = (uint16_t)rdata.len;
		buf_init(&text, SIZE_MAX);
		rdata_text(type, r->rdata, r->rdlen, &text);
		r->data = arena_strdup(a, buf_str(&text));
		buf_fini(&text);
	}
	buf_fini(&rdata);
}

void
rrset_settle(const char *name, void *spec, struct arena *a)
{
	struct rrset_spec *s = spec;
	struct record_spec *r = s->records.items;
	char owner[KIND_NAME_SIZE], canon[KIND_NAME_SIZE];
	uint16_t type;

	if (hostname_canon(s->zone, canon) == NULL)
		s->zone = arena_strdup(a, canon);
	if (domain_name_split(name, owner, &type) < 0)
		return;
	for (size_t i = 0; i < s->records.count; i++)
		parse_data(&r[i], type, s->zone, a);
}

/* Why it did not parse. */
static void
refuse_data(const struct record_spec *r, size_t i, uint16_t type, const char *zone, struct diag *d)
{
	const char *why = NULL;
	char where[PATH_SIZE];
	struct buf rdata;

	buf_init(&rdata, RDATA_MAX_LEN);
	(void)!rdata_parse(type, r->data, zone, &rdata, &why);
	buf_fini(&rdata);
	snprintf(where, sizeof(where), "records[%zu].data", i);
	diag_add(d, DIAG_INVALID, where, "%s", why != NULL ? why : "is not valid");
	diag_detail(d, r->data, NULL);
}

/* Records by line, to find twins and crowds. */
struct census {
	struct strmap seen;  /* "line data" -> 1 + place of the first, as a pointer */
	struct strmap lines; /* line -> how many, as a pointer */
	struct arena arena;
};

static void
count_record(struct census *c, const struct record_spec *r, size_t i, struct diag *d)
{
	const char *line = rrset_record_line(r),
		   *key = arena_printf(&c->arena, "%s %s", line, r->data);
	const size_t twin = (size_t)(uintptr_t)strmap_find(&c->seen, key);
	const size_t n = (size_t)(uintptr_t)strmap_find(&c->lines, line) + 1;
	char where[PATH_SIZE];

	if (twin != 0) {
		snprintf(where, sizeof(where), "records[%zu].data", i);
		diag_add(d, DIAG_INVALID, where, "line '%s' has it already, as records[%zu]", line,
		    twin - 1);
		diag_detail(d, r->data, NULL);
		return;
	}
	strmap_put(&c->seen, key, (void *)(uintptr_t)(i + 1));
	strmap_put(&c->lines, line, (void *)(uintptr_t)n);
	if (n == RRSET_LINE_MAX + 1) {
		snprintf(where, sizeof(where), "records[%zu].line", i);
		diag_add(d, DIAG_INVALID, where, "line '%s' has more than %d records", line,
		    RRSET_LINE_MAX);
		diag_detail(d, line, NULL);
	}
}

static void
check_records(const struct rrset_spec *s, uint16_t type, struct diag *d)
{
	const struct record_spec *r = s->records.items;
	struct census c;

	strmap_init(&c.seen);
	strmap_init(&c.lines);
	arena_init(&c.arena);
	for (size_t i = 0; i < s->records.count; i++) {
		if (r[i].rdata == NULL)
			refuse_data(&r[i], i, type, s->zone, d);
		else
			count_record(&c, &r[i], i, d);
	}
	strmap_fini(&c.seen);
	strmap_fini(&c.lines);
	arena_fini(&c.arena);
}

int
rrset_check(const char *name, const void *spec, struct diag *d)
{
	const struct rrset_spec *s = spec;
	const size_t before = d->count;
	uint8_t owner[NAME_MAX_LEN], apex[NAME_MAX_LEN];
	char text[KIND_NAME_SIZE];
	uint16_t type;

	if (domain_name_split(name, text, &type) < 0 || name_parse_lower(text, owner) < 0)
		return diag_add(d, DIAG_INVALID, "name", "must be an owner and a type");
	if (name_parse_lower(s->zone, apex) < 0 || !name_below(owner, apex)) {
		diag_add(d, DIAG_INVALID, "zone", "does not contain '%s'", text);
		diag_detail(d, s->zone, NULL);
		return -EINVAL;
	}
	check_records(s, type, d);
	return d->count == before ? 0 : -EINVAL;
}

void
rrset_refs(const void *spec, kind_ref_f *visit, void *arg)
{
	const struct rrset_spec *s = spec;
	const struct record_spec *r = s->records.items;
	const struct diag_path zone = { .name = "zone" }, all = { .name = "records" };

	visit(KIND_ZONE, s->zone, &zone, arg);
	for (size_t i = 0; i < s->records.count; i++) {
		const struct diag_path item = { .parent = &all, .index = i };
		const struct diag_path here = { .parent = &item, .name = "line" };

		if (line_tree_find(r[i].line) == NULL)
			visit(KIND_LINE, r[i].line, &here, arg);
	}
}
