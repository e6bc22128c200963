/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A letter for the kind ('a' + kind), then a spec. What is read without a tree of JSON must be what
 * the long way makes of it: nothing that one refuses, nothing else.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/json.h"
#include "model/kind.h"
#include "target.h"

/* By the long way, written again; NULL if it is refused. */
static char *
decode(enum kind kind, const char *text, size_t len, struct arena *a)
{
	char *out = NULL;
	struct diag d;

	diag_init(&d);
	json_t *j = json_parse(text, len, &d);
	void *obj = arena_alloc(a, kind_table[kind].size);

	if (j != NULL && field_decode(kind_table[kind].fields, j, obj, a, NULL, &d) == 0)
		out = kind_spec_text(kind, obj);
	json_decref(j);
	diag_fini(&d);
	return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || data[0] < 'a' || data[0] >= 'a' + KIND_COUNT)
		return 0;

	const enum kind kind = (enum kind)(data[0] - 'a');
	const char *text = (const char *)data + 1;
	struct json_scan in = { text, text + size - 1 };
	struct arena a;

	arena_init(&a);
	void *obj = arena_alloc(&a, kind_table[kind].size);

	if (field_read(kind_table[kind].fields, &in, obj, &a) && in.at == in.end) {
		char *quick = kind_spec_text(kind, obj), *slow = decode(kind, text, size - 1, &a);

		CHECK(slow != NULL && strcmp(quick, slow) == 0);
		free(quick);
		free(slow);
	}
	arena_fini(&a);
	return 0;
}
