/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a struct to the text that field_read takes, without a tree of JSON in between. */
#include <stdlib.h>

#include "base/duration.h"
#include "model/field_types.h"

static void
write_list(const struct field *f, const struct field_list *list, struct json_out *o)
{
	json_out_open(o, f->name, '[');
	for (size_t i = 0; i < list->count; i++) {
		json_out_open(o, NULL, '{');
		field_write(f->sub, (const char *)list->items + i * f->sub_size, o);
		json_out_close(o, '}');
	}
	json_out_close(o, ']');
}

static void
write_strs(const struct field *f, const struct field_list *list, struct json_out *o)
{
	const char *const *items = list->items;

	json_out_open(o, f->name, '[');
	for (size_t i = 0; i < list->count; i++)
		json_out_text(o, NULL, items[i]);
	json_out_close(o, ']');
}

/* By its codec, from a tree of this value alone; an optional member may not be there. */
static void
write_slowly(const struct field *f, const void *at, struct json_out *o)
{
	json_t *j = field_codec_of(f)->encode(f, at);
	char *text = j == NULL ? NULL : json_text(j);

	if (text != NULL)
		json_out_json(o, f->name, text);
	free(text);
	json_decref(j);
}

static void
write_member(const struct field *f, const void *at, struct json_out *o)
{
	char duration[DURATION_TEXT_SIZE];

	switch (f->type) {
	case FIELD_BOOL:
		json_out_json(o, f->name, *(const bool *)at ? "true" : "false");
		break;
	case FIELD_U32:
		json_out_number(o, f->name, *(const uint32_t *)at);
		break;
	case FIELD_DURATION:
		json_out_text(o, f->name, duration_text(*(const uint32_t *)at, duration));
		break;
	case FIELD_STR:
	case FIELD_NAME:
		if (*(const char *const *)at != NULL)
			json_out_text(o, f->name, *(const char *const *)at);
		break;
	case FIELD_ENUM:
		json_out_text(o, f->name, f->words[*(const int *)at]);
		break;
	case FIELD_STRUCT:
		json_out_open(o, f->name, '{');
		field_write(f->sub, at, o);
		json_out_close(o, '}');
		break;
	case FIELD_LIST:
		write_list(f, at, o);
		break;
	case FIELD_STRS:
		write_strs(f, at, o);
		break;
	case FIELD_LABELS:
	case FIELD_CUSTOM:
		write_slowly(f, at, o);
		break;
	}
}

void
field_write(const struct field *table, const void *obj, struct json_out *o)
{
	for (const struct field *f = table; f->name != NULL; f++)
		write_member(f, (const char *)obj + f->offset, o);
}
