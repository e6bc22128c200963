/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/explain_account.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dns/rdata.h"
#include "steer/locate.h"

void
explain_step(struct account *a, const char *step, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = xvasprintf(fmt, ap);

	va_end(ap);
	json_array_append_new(a->decision, json_pack("{s:s, s:s}", "step", step, "text", text));
	free(text);
}

void
explain_rdata(struct account *a, uint16_t type, const uint8_t *rdata, uint16_t rdlen)
{
	struct buf text;

	buf_init(&text, 4 * (size_t)RDATA_MAX_LEN + 64);
	rdata_text(type, rdata, rdlen, &text);
	json_array_append_new(a->rdata, json_string(buf_str(&text)));
	buf_fini(&text);
}

void
explain_borrow(struct compile_variant *variants, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct compile_variant *v = &variants[i];

		v->cursors = v->cursors == NULL ? NULL : cursors_copy(v->cursors);
		for (size_t k = 0; k < v->count; k++)
			v->pools[k].cursors = cursors_copy(v->pools[k].cursors);
	}
}

void
explain_return(struct compile_variant *variants, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cursors_free(&variants[i].cursors);
		for (size_t k = 0; k < variants[i].count; k++)
			cursors_free(&variants[i].pools[k].cursors);
	}
}

void
explain_draw(struct account *a, const char *value)
{
	json_t *count = json_object_get(a->drawn, value);

	if (count == NULL)
		json_object_set_new(a->drawn, value, json_integer(1));
	else
		json_integer_set(count, json_integer_value(count) + 1);
}

/* What says that the client is in a line: a member of locate's reply; borrowed from it. */
static const json_t *
reason(const json_t *located, const char *line)
{
	const json_t *j;
	size_t i;

	json_array_foreach(json_object_get(located, "lines"), i, j)
	{
		if (strcmp(json_string_value(json_object_get(j, "line")), line) == 0)
			return json_object_get(j, "because");
	}
	return NULL;
}

void
explain_why(struct account *a, const struct position *at, const char *line, const char *who)
{
	char ip[POSITION_TEXT_SIZE];
	struct diag ignored;

	position_text(at, ip);
	ip[strcspn(ip, "/")] = '\0';
	diag_init(&ignored);

	json_t *request = json_pack("{s:s}", "ip", ip);
	json_t *located =
	    locate(&a->tree->model, charts_atlas(a->tree->charts), NULL, 0, request, &ignored);
	const json_t *why = reason(located, line), *range = json_object_get(why, "range");

	if (json_object_get(why, "cidr") != NULL)
		explain_step(a, "line",
		    "'%s' is the closest line of this client that %s: %s is of line "
		    "'%s'",
		    line, who, json_string_value(json_object_get(why, "cidr")),
		    json_string_value(json_object_get(why, "line")));
	else
		explain_step(a, "line",
		    "'%s' is the closest line of this client that %s: the data sets say "
		    "so of %s - %s",
		    line, who, json_string_value(json_array_get(range, 0)),
		    json_string_value(json_array_get(range, 1)));
	json_decref(located);
	json_decref(request);
	diag_fini(&ignored);
}
