/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * yaml_in -- objects from YAML text as JSON, and the line each part came from.
 *
 * A file holds documents; each is an object or a list of objects. All of them make one list:
 *
 *	kind: pool            -> objects[0].kind              gtm.yaml:1
 *	spec:                    objects[0].spec              gtm.yaml:2
 *	  addresses:             objects[0].spec.addresses    gtm.yaml:3
 *	    - address: a         objects[0].spec.addresses[0] gtm.yaml:4
 *
 * Refused, each with its line: anchors and aliases, tags other than !!str, duplicate keys, keys
 * that are not scalars or over 200 bytes, nesting over 64. Reading stops at the first problem.
 */
#pragma once

#include <jansson.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/diag.h"
#include "base/strmap.h"

struct yaml_in {
	json_t *objects;      /* array */
	struct strmap places; /* "objects[0].spec.ttl" -> "gtm.yaml:7" */
	struct arena arena;
};

void yaml_in_init(struct yaml_in *y);
void yaml_in_fini(struct yaml_in *y);
/* Append the objects of `text`; `file` is how problems name it. 0 or -EINVAL. */
MUST_USE int
yaml_in_read(struct yaml_in *y, const char *file, const char *text, size_t len, struct diag *d);
/* Where `pointer` is, or its nearest ancestor that was written; NULL if nothing of it was. */
const char *yaml_in_place(const struct yaml_in *y, const char *pointer);
