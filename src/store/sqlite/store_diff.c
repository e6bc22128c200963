/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/sqlite/store_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "dns/name.h"
#include "dns/rrpage.h"
#include "dns/rrtype.h"

#define PATH_MAX_LEN 256

static void
put_change(struct buf *out, const char *path, const json_t *was, const json_t *is)
{
	char *from = was == NULL ? NULL : json_text(was);
	char *to = is == NULL ? NULL : json_text(is);

	buf_printf(out, "    %s: %s -> %s\n", path, from == NULL ? "absent" : from,
	    to == NULL ? "absent" : to);
	free(from);
	free(to);
}

static void diff_value(struct buf *out, const char *path, const json_t *was, const json_t *is);

static void
diff_object(struct buf *out, const char *path, const json_t *was, const json_t *is)
{
	char here[PATH_MAX_LEN];
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)was, key, value)
	{
		const json_t *now = json_object_get(is, key);

		if (json_equal(value, now))
			continue;
		snprintf(here, sizeof(here), "%s%s%s", path, path[0] != '\0' ? "." : "", key);
		diff_value(out, here, value, now);
	}
	json_object_foreach((json_t *)(uintptr_t)is, key, value)
	{
		if (json_object_get(was, key) != NULL)
			continue;
		snprintf(here, sizeof(here), "%s%s%s", path, path[0] != '\0' ? "." : "", key);
		diff_value(out, here, NULL, value);
	}
}

/* Item by item where the number of items is the same; else the list as a whole. */
static void
diff_array(struct buf *out, const char *path, const json_t *was, const json_t *is)
{
	char here[PATH_MAX_LEN];

	for (size_t i = 0; i < json_array_size(was); i++) {
		if (json_equal(json_array_get(was, i), json_array_get(is, i)))
			continue;
		snprintf(here, sizeof(here), "%s[%zu]", path, i);
		diff_value(out, here, json_array_get(was, i), json_array_get(is, i));
	}
}

static void
diff_value(struct buf *out, const char *path, const json_t *was, const json_t *is)
{
	if (out->overflow)
		return;
	if (json_is_object(was) && json_is_object(is))
		diff_object(out, path, was, is);
	else if (json_is_array(was) && json_array_size(was) == json_array_size(is))
		diff_array(out, path, was, is);
	else
		put_change(out, path, was, is);
}

/* A spec as the audit log may show it: masked where that is needed. `j` is taken. */
static json_t *
shown(enum kind kind, json_t *j, const json_t *before)
{
	const struct field *fields = kind_table[kind].fields;
	json_t *copy;

	if (j == NULL || !field_has_secrets(fields))
		return j;
	copy = json_deep_copy(j);
	field_mask(fields, copy, before);
	json_decref(j);
	return copy;
}

static json_t *
borrow(const json_t *j)
{
	return json_incref((json_t *)(uintptr_t)j);
}

static void
put_whole(struct buf *out, char sign, const struct change_op *op, const char *spec)
{
	json_t *j = NULL;
	char *text = NULL;

	if (field_has_secrets(kind_table[op->kind].fields)) {
		j = shown(op->kind, json_loads(spec, 0, NULL), NULL);
		text = j != NULL ? json_text(j) : xstrdup("{}");
	}
	buf_printf(out, "%c %s %s ", sign, kind_table[op->kind].name, op->name);
	buf_puts(out, text != NULL ? text : spec);
	buf_puts(out, "\n");
	free(text);
	json_decref(j);
}

static void
put_object(struct buf *out, const struct change_op *op, const char *old_spec)
{
	json_t *bare = op->is != NULL     ? borrow(op->was)
		       : old_spec != NULL ? json_loads(old_spec, 0, NULL)
					  : NULL;

	if (bare == NULL) {
		put_whole(out, '+', op, op->spec);
		return;
	}

	json_t *was = shown(op->kind, json_incref(bare), NULL);
	json_t *is =
	    shown(op->kind, op->is != NULL ? borrow(op->is) : json_loads(op->spec, 0, NULL), bare);

	buf_printf(out, "~ %s %s\n", kind_table[op->kind].name, op->name);
	if (!json_equal(was, is))
		diff_value(out, "", was, is);
	json_decref(bare);
	json_decref(was);
	json_decref(is);
}

static void
diff_set(struct buf *out, const uint8_t *owner, uint16_t type, uint32_t ttl_s, const char *zone)
{
	char text[NAME_TEXT_SIZE], word[RRTYPE_TEXT_SIZE];

	buf_printf(out, "+ rrset %s %s ttl %u in zone %s\n", name_text(owner, text),
	    rrtype_text(type, word), ttl_s, zone);
}

static void
diff_page(struct buf *out, const struct change_op *op)
{
	struct rrpage_reader r;
	struct rrpage_set set;
	uint8_t apex[NAME_MAX_LEN];

	if (name_parse_lower(op->name, apex) < 0)
		return;
	rrpage_open(&r, apex, op->rdata, op->rdata_len);
	while (!out->overflow && rrpage_next(&r, &set))
		diff_set(out, set.owner, set.type, set.ttl_s, op->name);
}

void
store_diff_op(struct buf *out, const struct change_op *op, const char *old_spec)
{
	char owner[NAME_TEXT_SIZE], type[RRTYPE_TEXT_SIZE];

	if (out->overflow)
		return;
	switch (op->op) {
	case CHANGE_PUT:
		put_object(out, op, old_spec);
		return;
	case CHANGE_DELETE:
		put_whole(out, '-', op, old_spec == NULL ? "{}" : old_spec);
		return;
	case CHANGE_RRSET_PUT:
		diff_set(out, op->owner, op->type, op->ttl_s, op->name);
		return;
	case CHANGE_RRSET_DELETE:
		buf_printf(out, "- rrset %s %s in zone %s\n", name_text(op->owner, owner),
		    rrtype_text(op->type, type), op->name);
		return;
	case CHANGE_ZONE_PAGE:
		diff_page(out, op);
		return;
	case CHANGE_ZONE_CLEAR:
		buf_printf(out, "- all rrsets of zone %s\n", op->name);
		return;
	}
}
