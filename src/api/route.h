/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * route -- the one table of what the API answers: method, path, handler, right needed, prose.
 *
 * A pattern's {parts} become request.params in order; "{type}:enable" matches by its suffix. The
 * OpenAPI document lists these rows. Pure.
 */
#pragma once

#include "api/auth.h"
#include "api/request.h"
#include "model/kind.h"

enum route_body { ROUTE_NO_BODY, ROUTE_JSON, ROUTE_ZONE_TEXT };

struct route {
	const char *method;
	const char *pattern;
	void (*handle)(struct request *r);
	enum auth_scope scope;
	enum route_body body;
	enum kind kind; /* KIND_COUNT: about no kind in particular */
	const char *prose;
};

extern const struct route route_table[]; /* ends with a row without method */

/*
 * The row for `r`, whose params are filled in. NULL: with `allow` empty no such path, else the
 * path takes other methods: "GET, PUT".
 */
const struct route *route_find(struct request *r, char *allow, size_t size);
