/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The short way from text to a struct against the long one, which is the judge. */
#include "base/rand.h"
#include "model/kind.h"
#include "model/nouns.h"
#include "spec.h"

#define MUTANTS 20000

/* What is in a spec, besides defaults; `read`: the quick way has to take all of it. */
static const struct {
	enum kind kind;
	const char *name, *spec;
	bool read;
} samples[] = {
	{ KIND_ADDRESS, "a", "{'type':'ipv4','value':'192.0.2.1'}", true },
	{ KIND_ADDRESS, "a",
	    "{'type':'ipv6','value':'2001:db8::1','enabled':false,'mode':'manual','checks':[{'"
	    "template'"
	    ":'t','port':80},{'template':'u.v','port':65535,'target':'192.0.2.9'}],'healthy_when':"
	    "'p50_ok','damping':{'window':'90s','hold_max':'1h'},'remark':'two words'}",
	    true },
	{ KIND_ADDRESS, "a",
	    "{'type':'domain','value':'x.example','healthy_when':{'at_least':2},'labels':{'k':'v'}"
	    "}",
	    false },
	{ KIND_POOL, "p",
	    "{'type':'ipv4','strategy':'weight','max_answers':3,'addresses':[{'address':'a'},{'"
	    "address'"
	    ":'b','weight':0,'order':7,'lines':['default','eu']},{'address':'c','lines':['eu']}]}",
	    true },
	{ KIND_POOL, "p",
	    "{'type':'ipv4','remark':'b\xc3\xbc\x63her \\\"x\\\\','labels':{'a':'1'}}", false },
	{ KIND_DOMAIN, "www.example.com/A", "{}", true },
	{ KIND_DOMAIN, "www.example.com/AAAA",
	    "{'ttl':1,'enabled':true,'strategy':'hash','failback_delay':'1500ms','ecs':false,'"
	    "fallback'"
	    ":'fallback_pool','fallback_pool':'q','pools':[{'pool':'p','lines':['eu']}]}",
	    true },
	{ KIND_TEMPLATE, "t", "{'protocol':'https','interval':'5s','timeout':'2s'}", true },
	{ KIND_TEMPLATE, "t",
	    "{'protocol':'http','http':{'method':'POST','headers':{'X-A':'1'},'body':'a\\nb','"
	    "expect_status':['200'"
	    ","
	    "'301-302']},'source':['192.0.2.1']}",
	    false },
	{ KIND_ZONE, "example.com", "{'nameservers':['ns1.example.com'],'contact':'a.example.com'}",
	    true },
	{ KIND_LINE, "eu", "{'cidrs':['192.0.2.0/24','2001:db8::/32']}", true },
	{ KIND_RRSET, "www.example.com/A",
	    "{'zone':'example.com','records':[{'data':'192.0.2.1','line':'eu','weight':2}]}",
	    true },
	{ KIND_OVERRIDE, "pool/p", "{'state':'up','reason':'a test'}", true },
};

static char *
canonical(size_t i, struct arena *a)
{
	json_t *j = spec_json(samples[i].spec);
	struct diag d;

	diag_init(&d);
	const void *obj = kind_decode(samples[i].kind, samples[i].name, j, a, &d);

	if (obj == NULL)
		fail_msg("sample %zu: %s", i, diag_text(&d));
	diag_fini(&d);
	json_decref(j);
	return kind_spec_text(samples[i].kind, obj);
}

/* By the short way; NULL if it is not taken. */
static char *
read_text(enum kind kind, const char *text, size_t len)
{
	struct json_scan in = { text, text + len };
	struct arena a;
	char *out = NULL;

	arena_init(&a);
	void *obj = arena_alloc(&a, kind_table[kind].size);

	if (field_read(kind_table[kind].fields, &in, obj, &a) && in.at == in.end)
		out = kind_spec_text(kind, obj);
	arena_fini(&a);
	return out;
}

/* By the long way; NULL if it is refused. */
static char *
decode_text(enum kind kind, const char *text, size_t len)
{
	struct arena a;
	struct diag d;
	char *out = NULL;

	arena_init(&a);
	diag_init(&d);
	json_t *j = json_parse(text, len, &d);
	void *obj = arena_alloc(&a, kind_table[kind].size);

	if (j != NULL && field_decode(kind_table[kind].fields, j, obj, &a, NULL, &d) == 0)
		out = kind_spec_text(kind, obj);
	json_decref(j);
	diag_fini(&d);
	arena_fini(&a);
	return out;
}

/* What we write we read the short way, and to the same. */
static void
own_text_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct arena a;

		arena_init(&a);
		char *text = canonical(i, &a);
		char *got = read_text(samples[i].kind, text, strlen(text));

		if (got == NULL && samples[i].read)
			fail_msg("sample %zu is not taken: %s", i, text);
		if (got != NULL)
			assert_string_equal(got, text);
		free(got);
		free(text);
		arena_fini(&a);
	}
}

/* Without a tree the same is written as by way of one, in the same order. */
static void
own_text_is_the_encoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		json_t *j = spec_json(samples[i].spec);
		struct arena a;
		struct diag d;

		arena_init(&a);
		diag_init(&d);
		const void *obj = kind_decode(samples[i].kind, samples[i].name, j, &a, &d);
		char *text = kind_spec_text(samples[i].kind, obj);

		/* Parsed, since a line break may be written in two ways. */
		spec_equal(field_encode(kind_table[samples[i].kind].fields, obj, true), text);
		free(text);
		json_decref(j);
		diag_fini(&d);
		arena_fini(&a);
	}
}

/* Both ways through kind_decode_text, which settles and checks. */
static void
any_text_is_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		struct arena a;
		struct diag d;

		arena_init(&a);
		diag_init(&d);
		char *text = canonical(i, &a);
		json_t *j = spec_json(samples[i].spec);
		char *spaced = json_pretty(j);
		const char *const ways[] = { text, spaced };

		for (size_t k = 0; k < ARRAY_LEN(ways); k++) {
			const void *obj =
			    kind_decode_text(samples[i].kind, samples[i].name, ways[k], &a, &d);

			assert_non_null(obj);
			char *again = kind_spec_text(samples[i].kind, obj);

			assert_string_equal(again, text);
			free(again);
		}
		free(spaced);
		free(text);
		json_decref(j);
		diag_fini(&d);
		arena_fini(&a);
	}
}

static void
wrong_text_is_refused(void **state)
{
	static const char *const wrong[] = { "", "{", "{\"type\":\"ipv4\"}", "[]",
		"{\"type\":\"ipv4\",\"value\":\"192.0.2.1\"}}",
		"{\"type\":\"ipv5\",\"value\":\"192.0.2.1\"}",
		"{\"type\":\"ipv4\",\"value\":\"192.0.2.256\"}",
		"{\"type\":\"ipv4\",\"value\":\"192.0.2.1\",\"value\":\"192.0.2.1\"}" };
	struct arena a;
	struct diag d;

	(void)state;
	arena_init(&a);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		diag_init(&d);
		assert_null(kind_decode_text(KIND_ADDRESS, "a", wrong[i], &a, &d));
		assert_true(diag_failed(&d));
		diag_fini(&d);
	}
	arena_fini(&a);
}

/* Change, cut out or repeat a few bytes. */
static size_t
mutate(char *out, size_t len, struct rand_state *r)
{
	static const char marks[] = "{}[]\",:0123456789-+.eE \\tfnaz\x7f\xc3\x01";

	for (uint64_t n = 1 + rand_below(r, 3); n > 0 && len > 2; n--) {
		const size_t at = rand_below(r, len), some = 1 + rand_below(r, 12);
		const size_t part = at + some < len ? some : len - at;

		switch (rand_below(r, 3)) {
		case 0:
			out[at] = marks[rand_below(r, sizeof(marks) - 1)];
			break;
		case 1:
			memmove(out + at, out + at + part, len - at - part);
			len -= part;
			break;
		default:
			memmove(out + at + part, out + at, len - at);
			len += part;
		}
	}
	return len;
}

static void
never_more_than_the_long_way(void **state)
{
	size_t taken = 0;
	struct rand_state r;

	(void)state;
	rand_seed(&r, 7);
	for (size_t i = 0; i < ARRAY_LEN(samples) * MUTANTS; i++) {
		const size_t which = i % ARRAY_LEN(samples);
		static char *texts[ARRAY_LEN(samples)];
		static char mutant[4096];
		struct arena a;

		arena_init(&a);
		if (texts[which] == NULL)
			texts[which] = canonical(which, &a);
		arena_fini(&a);
		memcpy(mutant, texts[which], strlen(texts[which]));

		const size_t len = mutate(mutant, strlen(texts[which]), &r);
		char *got = read_text(samples[which].kind, mutant, len);
		char *want = got == NULL ? NULL : decode_text(samples[which].kind, mutant, len);

		if (got != NULL && (want == NULL || strcmp(got, want) != 0))
			fail_msg("%.*s\nis read as\n%s\nand decoded as\n%s", (int)len, mutant, got,
			    want == NULL ? "nothing" : want);
		taken += got != NULL;
		free(got);
		free(want);
		if (i >= ARRAY_LEN(samples) * (MUTANTS - 1)) {
			free(texts[which]);
			texts[which] = NULL;
		}
	}
	assert_true(taken > MUTANTS / 10); /* else nothing has been compared */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_text_is_taken),
		cmocka_unit_test(own_text_is_the_encoded),
		cmocka_unit_test(any_text_is_decoded),
		cmocka_unit_test(wrong_text_is_refused),
		cmocka_unit_test(never_more_than_the_long_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
