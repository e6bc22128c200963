/* SPDX-License-Identifier: GPL-3.0-or-later */
/* catalog_kept -- what of a catalog zone is made from the zones on it, and so is not edited by
 * hand. */
#pragma once

#include "api/edit.h"

/* Is this zone a primary here that some zone names as its catalog? */
bool catalog_kept_zone(const struct model *m, const char *zone);
/* Is `owner` (lower) a name of `zone` that is kept so? */
bool catalog_kept(const struct model *m, const char *zone, const uint8_t *owner);
/* An edit of such a record is a problem, unless it says what is there already. */
void catalog_kept_guard(struct edit *e, const struct change_op *op);
