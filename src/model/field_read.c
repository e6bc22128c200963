/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From text of our own making to a struct, without a tree of JSON in between. A model is loaded
 * object by object, each start anew, so this is much of what a start costs.
 *
 * Each reader takes less than its type allows (plain ASCII, values in their shortest form); nothing
 * is told of what it does not take, since field_decode is asked then.
 */
#include <string.h>

#include "base/duration.h"
#include "model/field_types.h"
#include "model/objname.h"

#define DURATION_MAX 32 /* bytes; the text of any that is encoded is shorter */
#define STR_MAX      255

/* -- scalars -- */

bool
field_read_bool(
    const struct field *f UNUSED, struct json_scan *in, void *at, struct arena *a UNUSED)
{
	return json_scan_bool(in, at);
}

bool
field_read_u32(const struct field *f, struct json_scan *in, void *at, struct arena *a UNUSED)
{
	int64_t n;

	if (!json_scan_integer(in, &n) || n < f->min || n > f->max)
		return false;
	*(uint32_t *)at = (uint32_t)n;
	return true;
}

bool
field_read_duration(const struct field *f, struct json_scan *in, void *at, struct arena *a UNUSED)
{
	char copy[DURATION_MAX];
	const char *text;
	uint64_t ms;
	size_t len;

	if (!json_scan_string(in, &text, &len) || len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (duration_parse(copy, &ms) < 0 || ms < (uint64_t)f->min || ms > (uint64_t)f->max)
		return false;
	*(uint32_t *)at = (uint32_t)ms;
	return true;
}

int
field_read_word(struct json_scan *in, const char *const *words)
{
	const char *text;
	size_t len;

	if (!json_scan_string(in, &text, &len))
		return -1;
	for (int i = 0; words[i] != NULL; i++) {
		if (strncmp(words[i], text, len) == 0 && words[i][len] == '\0')
			return i;
	}
	return -1;
}

bool
field_read_enum(const struct field *f, struct json_scan *in, void *at, struct arena *a UNUSED)
{
	const int word = field_read_word(in, f->words);

	*(int *)at = word;
	return word >= 0;
}

bool
field_read_str(const struct field *f, struct json_scan *in, void *at, struct arena *a)
{
	const char **out = at, *text;
	size_t len;

	if (f->words != NULL) {
		const int word = field_read_word(in, f->words);

		*out = word < 0 ? NULL : f->words[word];
		return word >= 0;
	}
	if (!json_scan_string(in, &text, &len) || len < (size_t)f->min || len > (size_t)f->max)
		return false;
	*out = len == 0 ? "" : arena_strndup(a, text, len);
	return true;
}

bool
field_read_name(const struct field *f UNUSED, struct json_scan *in, void *at, struct arena *a)
{
	const char *text;
	size_t len;

	if (!json_scan_string(in, &text, &len))
		return false;
	*(const char **)at = arena_strndup(a, text, len);
	return objname_fault(*(const char **)at) == NULL;
}

/* -- groups -- */

/* By its codec's decode, from a tree of this value alone. */
static bool
read_slowly(const struct field *f, struct json_scan *in, void *at, struct arena *a)
{
	const struct diag_path here = { .name = f->name };
	const char *text;
	struct diag d;
	size_t len;

	if (!json_scan_value(in, &text, &len))
		return false;
	diag_init(&d);
	json_t *j = json_parse(text, len, &d);
	const bool taken =
	    j != NULL && !json_is_null(j) && field_codec_of(f)->decode(f, j, at, a, &here, &d) == 0;

	json_decref(j);
	diag_fini(&d);
	return taken;
}

bool
field_read_labels(const struct field *f, struct json_scan *in, void *at, struct arena *a)
{
	if (in->end - in->at < 2 || memcmp(in->at, "{}", 2) != 0)
		return read_slowly(f, in, at, a);
	in->at += 2;
	*(struct field_list *)at = (struct field_list){ NULL, 0 };
	return true;
}

bool
field_read_struct(const struct field *f, struct json_scan *in, void *at, struct arena *a)
{
	return field_read(f->sub, in, at, a);
}

/* Step behind the comma before item i; false: the list ends here. */
static bool
has_item(struct json_scan *in, size_t i)
{
	return i == 0 ? in->at < in->end && *in->at != ']' : json_scan_mark(in, ',');
}

/* Without a step. */
static bool
count_items(struct json_scan in, size_t *count)
{
	const char *text;
	size_t len;

	for (*count = 0; has_item(&in, *count); (*count)++) {
		if (!json_scan_value(&in, &text, &len))
			return false;
	}
	return json_scan_mark(&in, ']');
}

/* `[` and how many items follow, a number that is allowed. */
static bool
begin_list(const struct field *f, struct json_scan *in, size_t *count)
{
	return json_scan_mark(in, '[') && count_items(*in, count) && *count >= (size_t)f->min &&
	       *count <= (size_t)f->max;
}

bool
field_read_list(const struct field *f, struct json_scan *in, void *at, struct arena *a)
{
	struct field_list *list = at;

	if (!begin_list(f, in, &list->count))
		return false;
	list->items = arena_alloc(a, list->count * f->sub_size);
	for (size_t i = 0; i < list->count; i++) {
		char *item = (char *)list->items + i * f->sub_size;

		if (!has_item(in, i) || !field_read(f->sub, in, item, a))
			return false;
	}
	return json_scan_mark(in, ']');
}

/* The default, which most lists of strings are: found by one comparison, and its text is shared. */
static bool
is_default(const struct field *f, struct json_scan *in)
{
	const size_t len = f->def_str == NULL ? 0 : strlen(f->def_str);

	if (len == 0 || (size_t)(in->end - in->at) < len + 4 || memcmp(in->at, "[\"", 2) != 0 ||
	    memcmp(in->at + 2, f->def_str, len) != 0 || memcmp(in->at + 2 + len, "\"]", 2) != 0)
		return false;
	in->at += len + 4;
	return true;
}

bool
field_read_strs(const struct field *f, struct json_scan *in, void *at, struct arena *a)
{
	struct field_list *list = at;
	const char **items, *text;
	size_t len;

	if (is_default(f, in)) {
		field_codec_of(f)->set_default(f, at, a);
		return true;
	}
	/* Words must not be given twice: decode looks. */
	if (!begin_list(f, in, &list->count) || (f->words != NULL && list->count > 1))
		return false;
	list->items = items = arena_alloc(a, list->count * sizeof(*items));
	for (size_t i = 0; i < list->count; i++) {
		if (!has_item(in, i) || !json_scan_string(in, &text, &len) || len == 0 ||
		    len > STR_MAX)
			return false;
		items[i] = arena_strndup(a, text, len);
		if (f->words != NULL && field_word(f->words, items[i]) < 0)
			return false;
	}
	return json_scan_mark(in, ']');
}

/* -- any row -- */

static bool
read_member(const struct field *f, struct json_scan *in, void *at, struct arena *a)
{
	const struct field_codec *codec = field_codec_of(f);

	if (codec->read != NULL)
		return codec->read(f, in, at, a);
	codec->set_default(f, at, a);
	return read_slowly(f, in, at, a);
}

bool
field_read(const struct field *table, struct json_scan *in, void *obj, struct arena *a)
{
	bool any = false;

	if (!json_scan_mark(in, '{'))
		return false;
	for (const struct field *f = table; f->name != NULL; f++) {
		const struct json_scan before = *in;
		void *at = (char *)obj + f->offset;

		if ((!any || json_scan_mark(in, ',')) && json_scan_key(in, f->name)) {
			if (!read_member(f, in, at, a))
				return false;
			any = true;
			continue;
		}
		if ((f->flags & FIELD_REQUIRED) != 0)
			return false;
		*in = before;
		field_codec_of(f)->set_default(f, at, a);
	}
	return json_scan_mark(in, '}');
}
