/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "model/time_codec.h"

#include "base/clock.h"
#include "model/field_types.h"

#define ALLOWED "RFC 3339, such as 2026-12-01T04:00:00Z"

static int
decode(const struct field *f, const json_t *j, void *at, struct arena *a,
    const struct diag_path *path, struct diag *d)
{
	(void)a;
	if (!json_is_string(j))
		return field_refuse(f, j, path, d, "must be a string", ALLOWED);
	if (clock_parse(json_string_value(j), at) < 0)
		return field_refuse(f, j, path, d, "is not a time", ALLOWED);
	return 0;
}

static json_t *
encode(const struct field *f, const void *at)
{
	const int64_t ms = *(const int64_t *)at;
	char text[CLOCK_TEXT_SIZE];

	(void)f;
	return ms == TIME_NEVER ? NULL : json_string(clock_text(ms, text));
}

static void
set_default(const struct field *f, void *at, struct arena *a)
{
	(void)f;
	(void)a;
	*(int64_t *)at = TIME_NEVER;
}

static json_t *
schema(const struct field *f)
{
	(void)f;
	return json_pack("{s:s, s:s}", "type", "string", "format", "date-time");
}

const struct field_codec time_codec = { decode, encode, set_default, schema, NULL };
