/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * migrate -- numbered, upward steps of the schema; a database's user_version counts those it has.
 *
 * A step is SQL, run in one transaction with its number. Steps that were released never change.
 */
#pragma once

#include <sqlite3.h>

#include "base/attr.h"
#include "base/diag.h"

#define MIGRATE_APPLICATION_ID 0x47544d31 /* "GTM1", in the file's header */

extern const char *const migrate_steps[];
extern const int migrate_count;

/*
 * Bring the database up to step `count`. One that already has some steps is first copied to
 * "<path>.v<n>.bak". -EINVAL if it is of a newer version, is no database of ours, or a step fails;
 * then it is as it was after the step before.
 */
MUST_USE int
migrate_run(sqlite3 *db, const char *path, const char *const *steps, int count, struct diag *d);
/* A copy fit to be restored (see store_lineage). `to` must not exist. */
MUST_USE int migrate_copy(sqlite3 *db, const char *to, struct diag *d);
