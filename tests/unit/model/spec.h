/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spec -- JSON in tests, written with ' for " */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"

static inline json_t *
spec_json(const char *text)
{
	char *copy = xstrdup(text);
	struct diag d;

	diag_init(&d);
	for (char *p = copy; *p != '\0'; p++) {
		if (*p == '\'')
			*p = '"';
	}
	json_t *j = json_parse(copy, strlen(copy), &d);

	if (j == NULL)
		fail_msg("%s: %s", copy, diag_text(&d));
	diag_fini(&d);
	free(copy);
	return j;
}

static inline void
spec_equal(json_t *got, const char *want)
{
	json_t *w = spec_json(want);
	char *got_text = json_text(got), *want_text = json_text(w);

	assert_string_equal(got_text, want_text); /* the order of members counts too */
	free(got_text);
	free(want_text);
	json_decref(got);
	json_decref(w);
}

/* NULL in `got` and `allowed` means: must be absent. */
static inline void
spec_problem(const struct diag_problem *p, const char *where, const char *detail, const char *got,
    const char *allowed)
{
	assert_non_null(p);
	assert_string_equal(p->where, where);
	assert_string_equal(p->detail, detail);
	if (got == NULL)
		assert_null(p->got);
	else
		assert_string_equal(p->got == NULL ? "(absent)" : p->got, got);
	if (allowed == NULL)
		assert_null(p->allowed);
	else
		assert_string_equal(p->allowed == NULL ? "(absent)" : p->allowed, allowed);
}
