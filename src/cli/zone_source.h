/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * zone_source -- a zone file and what it $INCLUDEs, put together into one text.
 *
 *	main.zone:7: $INCLUDE hosts sub     -->     $ORIGIN sub.example.com.
 *	                                            (lines of hosts)
 *	                                            $ORIGIN example.com.
 *
 * Origin and owner are after an include what they were before it (RFC 1035 section 5.1). Every line
 * of the text is known by its file. Files are looked for beside the one that includes them, and
 * only at or below the directory of the first: whoever writes a zone cannot send other files of
 * the reader's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"

#define ZONE_SOURCE_MAX ((size_t)256 << 20) /* what the server takes */

struct zone_source;

/* "-" is stdin. `origin` may be NULL: then it is what the file says first. NULL with problems. */
MUST_USE struct zone_source *zone_source_open(const char *file, const char *origin, struct diag *d);
void zone_source_free(struct zone_source **s);

const char *zone_source_text(const struct zone_source *s, size_t *len);
/* The zone's name as given or found. */
const char *zone_source_origin(const struct zone_source *s);
/* "hosts:3" for a line of the text; to free. */
MUST_USE char *zone_source_place(const struct zone_source *s, uint64_t line);
