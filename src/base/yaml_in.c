/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/yaml_in.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/scalar.h"

#define DEPTH_MAX 64
#define KEY_MAX   200 /* escaped at worst, it still fits the 1,024 that YAML gives a key */

struct reader {
	struct yaml_in *in;
	const char *file;
	yaml_parser_t parser;
	yaml_event_t event; /* the newest; valid until the next `advance` */
	bool has_event;
	struct diag *diag;
};

void
yaml_in_init(struct yaml_in *y)
{
	y->objects = json_array();
	strmap_init(&y->places);
	arena_init(&y->arena);
}

void
yaml_in_fini(struct yaml_in *y)
{
	json_decref(y->objects);
	strmap_fini(&y->places);
	arena_fini(&y->arena);
}

static const char *
place(struct reader *r, const yaml_mark_t *mark)
{
	return arena_printf(&r->in->arena, "%s:%zu", r->file, mark->line + 1);
}

static int
refuse(struct reader *r, const char *what)
{
	return diag_add(r->diag, DIAG_INVALID, place(r, &r->event.start_mark), "%s", what);
}

static int
advance(struct reader *r)
{
	if (r->has_event)
		yaml_event_delete(&r->event);
	r->has_event = yaml_parser_parse(&r->parser, &r->event) != 0;
	if (r->has_event)
		return 0;

	const yaml_mark_t *mark = r->parser.context != NULL && r->parser.problem_mark.line == 0 &&
					  r->parser.problem_mark.column == 0
				      ? &r->parser.mark
				      : &r->parser.problem_mark;

	return diag_add(r->diag, DIAG_INVALID, place(r, mark), "%s",
	    r->parser.problem != NULL ? r->parser.problem : "not YAML");
}

static void
note(struct reader *r, const struct diag_path *path, const yaml_mark_t *mark)
{
	char text[1024];

	strmap_put(&r->in->places, diag_path_text(path, text, sizeof(text)),
	    (void *)(uintptr_t)place(r, mark));
}

/* Only what JSON can say: no references, no types of one's own. */
static int
check_node(struct reader *r, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		return refuse(r, "anchors and aliases are not supported; write the value out");
	if (tag != NULL && strcmp((const char *)tag, YAML_STR_TAG) != 0 &&
	    strcmp((const char *)tag, "!") != 0)
		return refuse(r, "tags are not supported");
	return 0;
}

static int
read_scalar(struct reader *r, json_t **out)
{
	const char *text = (const char *)r->event.data.scalar.value;
	const size_t len = r->event.data.scalar.length;
	const char *why = "not valid UTF-8";

	if (check_node(r, r->event.data.scalar.anchor, r->event.data.scalar.tag) != 0)
		return -EINVAL;
	if (memchr(text, '\0', len) != NULL)
		return refuse(r, "a NUL character is not allowed");

	const bool plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
			   r->event.data.scalar.tag == NULL;

	*out = plain ? scalar_resolve(text, &why) : json_stringn(text, len);
	return *out != NULL ? 0 : refuse(r, why);
}

static int read_node(struct reader *r, const struct diag_path *path, unsigned depth, json_t **out);

static int
read_members(struct reader *r, const struct diag_path *path, unsigned depth, json_t *object)
{
	for (;;) {
		if (advance(r) != 0)
			return -EINVAL;
		if (r->event.type == YAML_MAPPING_END_EVENT)
			return 0;
		if (r->event.type == YAML_ALIAS_EVENT)
			return refuse(
			    r, "anchors and aliases are not supported; write the value out");
		if (r->event.type != YAML_SCALAR_EVENT)
			return refuse(r, "a key must be a word, not a list or an object");
		if (check_node(r, r->event.data.scalar.anchor, r->event.data.scalar.tag) != 0)
			return -EINVAL;

		const char *key = arena_strndup(&r->in->arena,
		    (const char *)r->event.data.scalar.value, r->event.data.scalar.length);
		const struct diag_path member = { .parent = path, .name = key };
		json_t *value = NULL;

		if (strlen(key) != r->event.data.scalar.length)
			return refuse(r, "a NUL character is not allowed");
		if (strlen(key) > KEY_MAX)
			return refuse(r, "a key longer than 200 bytes");
		if (json_object_get(object, key) != NULL)
			return diag_add(r->diag, DIAG_INVALID, place(r, &r->event.start_mark),
			    "duplicate key \"%s\"", key);
		note(r, &member, &r->event.start_mark);
		if (advance(r) != 0 || read_node(r, &member, depth, &value) != 0)
			return -EINVAL;
		if (json_object_set_new(object, key, value) != 0)
			return refuse(r, "not valid UTF-8");
	}
}

/* The items are named by their index in `array`, which may hold some already. */
static int
read_items(struct reader *r, const struct diag_path *path, unsigned depth, json_t *array)
{
	for (;;) {
		if (advance(r) != 0)
			return -EINVAL;
		if (r->event.type == YAML_SEQUENCE_END_EVENT)
			return 0;

		const struct diag_path item = { .parent = path, .index = json_array_size(array) };
		json_t *value = NULL;

		note(r, &item, &r->event.start_mark);
		if (read_node(r, &item, depth, &value) != 0)
			return -EINVAL;
		CHECK(json_array_append_new(array, value) == 0);
	}
}

static int
read_collection(struct reader *r, const struct diag_path *path, unsigned depth, json_t **out)
{
	const bool map = r->event.type == YAML_MAPPING_START_EVENT;

	if (check_node(r,
		map ? r->event.data.mapping_start.anchor : r->event.data.sequence_start.anchor,
		map ? r->event.data.mapping_start.tag : r->event.data.sequence_start.tag) != 0)
		return -EINVAL;
	if (depth >= DEPTH_MAX)
		return refuse(r, "nested deeper than 64 levels");

	json_t *j = map ? json_object() : json_array();

	if ((map ? read_members : read_items)(r, path, depth + 1, j) != 0) {
		json_decref(j);
		return -EINVAL;
	}
	*out = j;
	return 0;
}

static int
read_node(struct reader *r, const struct diag_path *path, unsigned depth, json_t **out)
{
	switch (r->event.type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(r, out);
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		return read_collection(r, path, depth, out);
	default:
		return refuse(r, "anchors and aliases are not supported; write the value out");
	}
}

/* The root of a document: an object, a list of objects, or nothing. */
static int
read_document(struct reader *r)
{
	json_t *objects = r->in->objects, *value = NULL;
	const struct diag_path root = { .name = "objects" };
	const struct diag_path item = { .parent = &root, .index = json_array_size(objects) };

	if (r->event.type == YAML_SEQUENCE_START_EVENT)
		return read_items(r, &root, 1, objects);
	const char *where = place(r, &r->event.start_mark);

	note(r, &item, &r->event.start_mark);
	if (read_node(r, &item, 0, &value) != 0)
		return -EINVAL;
	if (json_is_object(value)) {
		CHECK(json_array_append_new(objects, value) == 0);
		return 0;
	}
	const bool empty = json_is_null(value);

	json_decref(value);
	return empty ? 0
		     : diag_add(r->diag, DIAG_INVALID, where,
			   "a document must be an object with kind, name and spec, or a list of "
			   "them");
}

static int
read_stream(struct reader *r)
{
	for (;;) {
		if (advance(r) != 0)
			return -EINVAL;
		switch (r->event.type) {
		case YAML_STREAM_END_EVENT:
			return 0;
		case YAML_DOCUMENT_START_EVENT:
			if (advance(r) != 0 || read_document(r) != 0)
				return -EINVAL;
			break;
		default: /* STREAM-START, DOCUMENT-END */
			break;
		}
	}
}

static int
check_objects(const struct yaml_in *y, size_t first, struct diag *d)
{
	for (size_t i = first; i < json_array_size(y->objects); i++) {
		char pointer[32];

		snprintf(pointer, sizeof(pointer), "objects[%zu]", i);
		if (!json_is_object(json_array_get(y->objects, i)))
			return diag_add(d, DIAG_INVALID, yaml_in_place(y, pointer),
			    "must be an object with kind, name and spec");
	}
	return 0;
}

int
yaml_in_read(struct yaml_in *y, const char *file, const char *text, size_t len, struct diag *d)
{
	struct reader r = { .in = y, .file = file, .diag = d };
	const size_t first = json_array_size(y->objects);

	CHECK(yaml_parser_initialize(&r.parser));
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);

	int rc = read_stream(&r);

	if (r.has_event)
		yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	return rc == 0 ? check_objects(y, first, d) : rc;
}

const char *
yaml_in_place(const struct yaml_in *y, const char *pointer)
{
	char *path = xstrdup(pointer);
	const char *found = strmap_find(&y->places, path);

	for (size_t i = strlen(path); found == NULL && i-- > 0;) {
		if (path[i] != '.' && path[i] != '[')
			continue;
		path[i] = '\0';
		found = strmap_find(&y->places, path);
	}
	free(path);
	return found;
}
