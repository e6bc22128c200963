/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/sqlite/store_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "dns/name.h"
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
		snprintf(here, sizeof(here), "%s%s%s", path, path[0] != '\0' ? "." : "", key);
		diff_value(out, here, value, json_object_get(is, key));
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
		snprintf(here, sizeof(here), "%s[%zu]", path, i);
		diff_value(out, here, json_array_get(was, i), json_array_get(is, i));
	}
}

static void
diff_value(struct buf *out, const char *path, const json_t *was, const json_t *is)
{
	if (out->overflow || json_equal(was, is))
		return;
	if (json_is_object(was) && json_is_object(is))
		diff_object(out, path, was, is);
	else if (json_is_array(was) && json_array_size(was) == json_array_size(is))
		diff_array(out, path, was, is);
	else
		put_change(out, path, was, is);
}

static void
put_object(struct buf *out, const struct change_op *op, const char *old_spec)
{
	const char *kind = kind_table[op->kind].name;

	if (old_spec == NULL) {
		buf_printf(out, "+ %s %s %s\n", kind, op->name, op->spec);
		return;
	}

	json_t *was = json_loads(old_spec, 0, NULL), *is = json_loads(op->spec, 0, NULL);

	buf_printf(out, "~ %s %s\n", kind, op->name);
	diff_value(out, "", was, is);
	json_decref(was);
	json_decref(is);
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
		buf_printf(out, "- %s %s %s\n", kind_table[op->kind].name, op->name,
		    old_spec == NULL ? "" : old_spec);
		return;
	case CHANGE_RRSET_PUT:
		buf_printf(out, "+ rrset %s %s ttl %u in zone %s\n", name_text(op->owner, owner),
		    rrtype_text(op->type, type), op->ttl_s, op->name);
		return;
	case CHANGE_RRSET_DELETE:
		buf_printf(out, "- rrset %s %s in zone %s\n", name_text(op->owner, owner),
		    rrtype_text(op->type, type), op->name);
		return;
	case CHANGE_ZONE_CLEAR:
		buf_printf(out, "- all rrsets of zone %s\n", op->name);
		return;
	}
}
