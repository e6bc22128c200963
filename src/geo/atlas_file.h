/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * atlas_file -- an atlas on disk, so that a start needs neither the data sets nor the time to read
 * them.
 *
 *	"GTMATLAS" { u32 version; u64 checksum of the rest; note; codes; sets; ranges by family }
 *
 * A file for the machine that wrote it, made anew with each load: another version's is not read.
 */
#pragma once

#include "base/attr.h"
#include "base/diag.h"
#include "geo/atlas.h"

/* `note`: any text of the caller's. 0, or a negative errno. */
MUST_USE int atlas_file_write(const char *path, const struct atlas *a, const char *note);
/* NULL with a problem in d (code DIAG_NOT_FOUND if there is no file). *note is the caller's. */
MUST_USE struct atlas *atlas_file_read(const char *path, char **note, struct diag *d);
