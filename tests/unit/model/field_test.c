/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/field.h"

#include <errno.h>

#include "spec.h"

struct part {
	const char *ref;
	uint32_t n;
};

struct thing {
	bool flag;
	uint32_t n, wait_ms;
	const char *text, *maybe, *word, *name, *secret;
	int color;
	struct part part;
	struct field_list parts, strs, labels;
};

static const char *const colors[] = { "red", "green", NULL };
static const struct field part_fields[] = {
	{ .name = "ref",
	    .offset = offsetof(struct part, ref),
	    .type = FIELD_NAME,
	    .flags = FIELD_REQUIRED },
	{ .name = "n", .offset = offsetof(struct part, n), .type = FIELD_U32, .max = 9, .def = 1 },
	FIELD_END,
};

#define AT(member) offsetof(struct thing, member)
static const struct field inner_fields[] = {
	{ .name = "n", .offset = offsetof(struct part, n), .type = FIELD_U32, .max = 9, .def = 4 },
	FIELD_END,
};
static const struct field thing_fields[] = {
	{ .name = "flag", .offset = AT(flag), .type = FIELD_BOOL, .def = true },
	{ .name = "n",
	    .offset = AT(n),
	    .type = FIELD_U32,
	    .min = 1,
	    .max = 86400,
	    .def = 60,
	    .prose = "a number" },
	{ .name = "wait",
	    .offset = AT(wait_ms),
	    .type = FIELD_DURATION,
	    .min = 100,
	    .max = 3600000,
	    .def = 5000 },
	{ .name = "text", .offset = AT(text), .type = FIELD_STR, .max = 10, .def_str = "hi" },
	{ .name = "maybe",
	    .offset = AT(maybe),
	    .type = FIELD_STR,
	    .min = 1,
	    .max = 10,
	    .flags = FIELD_OPTIONAL },
	{ .name = "word",
	    .offset = AT(word),
	    .type = FIELD_STR,
	    .words = colors,
	    .def_str = "green" },
	{ .name = "name", .offset = AT(name), .type = FIELD_NAME, .flags = FIELD_REQUIRED },
	{ .name = "secret",
	    .offset = AT(secret),
	    .type = FIELD_STR,
	    .max = 10,
	    .flags = FIELD_SECRET },
	{ .name = "color",
	    .offset = AT(color),
	    .type = FIELD_ENUM,
	    .words = colors,
	    .flags = FIELD_IMMUTABLE },
	{ .name = "part",
	    .offset = AT(part),
	    .type = FIELD_STRUCT,
	    .sub = inner_fields,
	    .sub_size = sizeof(struct part) },
	{ .name = "parts",
	    .offset = AT(parts),
	    .type = FIELD_LIST,
	    .max = 3,
	    .sub = part_fields,
	    .sub_size = sizeof(struct part) },
	{ .name = "strs",
	    .offset = AT(strs),
	    .type = FIELD_STRS,
	    .min = 1,
	    .max = 2,
	    .def_str = "red",
	    .words = colors },
	{ .name = "labels", .offset = AT(labels), .type = FIELD_LABELS, .max = 8 },
	FIELD_END,
};

struct bench {
	struct arena arena;
	struct diag diag;
	struct thing thing;
};

static int
decode(struct bench *b, const char *text)
{
	json_t *j = spec_json(text);

	arena_init(&b->arena);
	diag_init(&b->diag);
	const int rc = field_decode(thing_fields, j, &b->thing, &b->arena, NULL, &b->diag);

	json_decref(j);
	return rc;
}

static void
end(struct bench *b)
{
	diag_fini(&b->diag);
	arena_fini(&b->arena);
}

static void
defaults_are_echoed(void **state)
{
	struct bench b;

	(void)state;
	assert_int_equal(decode(&b, "{'name':'x'}"), 0);
	spec_equal(field_encode(thing_fields, &b.thing, false),
	    "{'flag':true,'n':60,'wait':'5s','text':'hi','word':'green','name':'x','color':'red',"
	    "'part':{'n':4},'parts':[],'strs':['red'],'labels':{}}");
	end(&b);
}

static void
round_trip(void **state)
{
	static const char full[] =
	    "{'flag':false,'n':1,'wait':'200ms','text':'','maybe':'m','word':'red','name':'北京',"
	    "'secret':'s','color':'green','part':{'n':0},'parts':[{'ref':'b','n':9},{'ref':'a','n':"
	    "0}],"
	    "'strs':['green','red'],'labels':{'z':'1','a':''}}";
	struct bench b;

	(void)state;
	assert_int_equal(decode(&b, full), 0);
	spec_equal(field_encode(thing_fields, &b.thing, true), full);
	end(&b);
}

static void
null_means_absent_only_where_optional(void **state)
{
	struct bench b;

	(void)state;
	assert_int_equal(decode(&b, "{'name':'x','maybe':null}"), 0);
	assert_null(b.thing.maybe);
	end(&b);
	assert_int_equal(decode(&b, "{'name':'x','text':null}"), -EINVAL);
	spec_problem(b.diag.first, "text", "must be a string", "null", "0..10 bytes");
	end(&b);
}

static void
every_problem_is_told(void **state)
{
	struct bench b;
	const struct diag_problem *p;

	(void)state;
	assert_int_equal(
	    decode(&b,
		"{'flag':1,'n':0,'wait':'1h1ms','text':'12345678901','word':'blue','colour':1,"
		"'color':'blue','secret':7,'part':{'n':true},'parts':[{'ref':'ok','n':10},{'n':1.5}"
		",3],"
		"'strs':['red','red'],'labels':{'k':1}}"),
	    -EINVAL);
	p = b.diag.first;
	assert_int_equal(b.diag.code, DIAG_INVALID);
	spec_problem(p, "flag", "must be true or false", "1", "true, false");
	spec_problem(p = p->next, "n", "is out of range", "0", "1..86400");
	spec_problem(p = p->next, "wait", "is out of range", "\"1h1ms\"", "100ms..1h");
	spec_problem(p = p->next, "text", "is too long", "\"12345678901\"", "0..10 bytes");
	spec_problem(p = p->next, "word", "is not an allowed value", "\"blue\"", "red, green");
	spec_problem(p = p->next, "colour", "unknown field", NULL,
	    "flag, n, wait, text, maybe, word, name, secret, color, part, parts, strs, labels");
	spec_problem(p = p->next, "color", "is not an allowed value", "\"blue\"", "red, green");
	spec_problem(p = p->next, "secret", "must be a string", NULL, "0..10 bytes");
	spec_problem(p = p->next, "part.n", "must be an integer", "true", "0..9");
	spec_problem(p = p->next, "parts[0].n", "is out of range", "10", "0..9");
	spec_problem(p = p->next, "parts[1].n", "must be an integer", "1.5", "0..9");
	spec_problem(p = p->next, "parts[1].ref", "is required", NULL, NULL);
	spec_problem(p = p->next, "parts[2]", "must be an object", "3", NULL);
	spec_problem(p = p->next, "strs[1]", "is given twice", "\"red\"", NULL);
	spec_problem(p = p->next, "labels.k", "must be a string", "1", "0..8 bytes");
	spec_problem(p = p->next, "name", "is required", NULL, NULL);
	assert_null(p->next);
	end(&b);
}

static void
one_problem(
    const char *text, const char *where, const char *detail, const char *got, const char *allowed)
{
	struct bench b;

	assert_int_equal(decode(&b, text), -EINVAL);
	assert_int_equal(b.diag.count, 1);
	spec_problem(b.diag.first, where, detail, got, allowed);
	end(&b);
}

static void
edges(void **state)
{
	(void)state;
	one_problem("[]", "", "must be an object", "[]", NULL);
	one_problem("{'name':'x','n':86401}", "n", "is out of range", "86401", "1..86400");
	one_problem("{'name':'x','n':-1}", "n", "is out of range", "-1", "1..86400");
	one_problem(
	    "{'name':'x','n':4294967297}", "n", "is out of range", "4294967297", "1..86400");
	one_problem("{'name':'x','n':'60'}", "n", "must be an integer", "\"60\"", "1..86400");
	one_problem("{'name':'x','wait':5}", "wait",
	    "must be a duration such as \"5s\" or \"200ms\"", "5", "100ms..1h");
	one_problem("{'name':'x','wait':'5'}", "wait",
	    "must be a duration such as \"5s\" or \"200ms\"", "\"5\"", "100ms..1h");
	one_problem("{'name':'a b'}", "name", "contains a character that names may not have",
	    "\"a b\"", "1..64 characters of A-Z a-z 0-9 . _ : * - and letters");
	one_problem("{'name':'x','text':'a\\nb'}", "text", "must not contain control characters",
	    "\"a\\nb\"", "0..10 bytes");
	one_problem("{'name':'x','parts':[{'ref':'a'},{'ref':'b'},{'ref':'c'},{'ref':'d'}]}",
	    "parts", "has too many items",
	    "[{\"ref\":\"a\"},{\"ref\":\"b\"},{\"ref\":\"c\"},{\"ref\":\"d\"}]", "0..3 items");
	one_problem("{'name':'x','strs':[]}", "strs", "has too few items", "[]", "1..2 items");
	one_problem(
	    "{'name':'x','strs':'red'}", "strs", "must be an array", "\"red\"", "1..2 items");
	one_problem(
	    "{'name':'x','labels':[]}", "labels", "must be an object of strings", "[]", NULL);
	one_problem("{'name':'x','maybe':''}", "maybe", "must not be empty", "\"\"", "1..10 bytes");
}

static void
long_values_are_clipped(void **state)
{
	struct bench b;

	(void)state;
	assert_int_equal(
	    decode(&b, "{'name':'x','n':'éééééééééééééééééééééééééééééééééééééééééééééééééééééé'}"),
	    -EINVAL);
	assert_true(strlen(b.diag.first->got) <= 80);
	assert_string_equal(b.diag.first->got + strlen(b.diag.first->got) - 5, "é...");
	end(&b);
}

static void
schema(void **state)
{
	json_t *j = field_schema(thing_fields);
	json_t *properties = json_object_get(j, "properties");

	(void)state;
	assert_true(json_is_false(json_object_get(j, "additionalProperties")));
	spec_equal(json_incref(json_object_get(j, "required")), "['name']");
	spec_equal(json_incref(json_object_get(properties, "n")),
	    "{'type':'integer','minimum':1,'maximum':86400,'default':60,'description':'a number'}");
	spec_equal(json_incref(json_object_get(properties, "color")),
	    "{'type':'string','enum':['red','green'],'default':'red','x-immutable':true}");
	spec_equal(json_incref(json_object_get(properties, "maybe")),
	    "{'type':['string','null'],'minLength':1,'maxLength':10}");
	spec_equal(json_incref(json_object_get(properties, "parts")),
	    "{'type':'array','items':{'type':'object','properties':{'ref':{'type':'string',"
	    "'minLength':1,'maxLength':64},'n':{'type':'integer','minimum':0,'maximum':9,"
	    "'default':1}},'additionalProperties':false,'required':['ref']},'minItems':0,"
	    "'maxItems':3,'default':[]}");
	spec_equal(json_incref(json_object_get(properties, "labels")),
	    "{'type':'object','additionalProperties':{'type':'string','maxLength':8},"
	    "'propertyNames':{'minLength':1,'maxLength':63},'maxProperties':64,'default':{}}");
	assert_true(
	    json_is_true(json_object_get(json_object_get(properties, "secret"), "writeOnly")));
	json_decref(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_echoed),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(null_means_absent_only_where_optional),
		cmocka_unit_test(every_problem_is_told),
		cmocka_unit_test(edges),
		cmocka_unit_test(long_values_are_clipped),
		cmocka_unit_test(schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
