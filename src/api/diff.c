/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/diff.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

static void walk(json_t *out, const char *path, const json_t *from, const json_t *to);

static void
note(json_t *out, const char *path, const json_t *from, const json_t *to)
{
	json_t *j = json_object();

	json_object_set_new(j, "path", json_string(path));
	if (from != NULL)
		json_object_set_new(j, "from", json_deep_copy(from));
	if (to != NULL)
		json_object_set_new(j, "to", json_deep_copy(to));
	json_array_append_new(out, j);
}

/* What is the same needs no path. `key`: "name" or "[0]". */
static void
step(json_t *out, const char *path, const char *dot, const char *key, const json_t *from,
    const json_t *to)
{
	char *below;

	if (from != NULL && to != NULL && json_equal(from, to))
		return;
	below = xasprintf("%s%s%s", path, path[0] != '\0' ? dot : "", key);
	walk(out, below, from, to);
	free(below);
}

static void
walk_objects(json_t *out, const char *path, const json_t *from, const json_t *to)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)to, key, value)
	    step(out, path, ".", key, json_object_get(from, key), value);
	json_object_foreach((json_t *)(uintptr_t)from, key,
	    value) if (json_object_get(to, key) == NULL) step(out, path, ".", key, value, NULL);
}

static void
walk(json_t *out, const char *path, const json_t *from, const json_t *to)
{
	if (json_is_object(from) && json_is_object(to)) {
		walk_objects(out, path, from, to);
		return;
	}
	if (json_is_array(from) && json_is_array(to) &&
	    json_array_size(from) == json_array_size(to)) {
		for (size_t i = 0; i < json_array_size(to); i++) {
			char key[24];

			snprintf(key, sizeof(key), "[%zu]", i);
			step(out, path, "", key, json_array_get(from, i), json_array_get(to, i));
		}
		return;
	}
	if (from == NULL || to == NULL || !json_equal(from, to))
		note(out, path, from, to);
}

json_t *
diff_values(const json_t *from, const json_t *to)
{
	json_t *out = json_array();

	walk(out, "", from, to);
	return out;
}
