/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * survey -- the data sets of an installation, read and put together into an atlas.
 *
 *	places    |-- fr ---|------ cn_zj ------|          earlier sets say it for later ones
 *	networks       |- cloud_aws -|-- telecom ---|
 *	atlas     |fr |fr, cloud_aws|...|telecom_zj, telecom, cn_zj, cn_east, cn, asia|telecom|
 *
 * A place brings all it lies in, and `oversea` unless it is in China; a network brings its kind. A
 * carrier and a province meet in a line of their own. A carrier's network that is known to be of
 * one province says so where the places know only the country.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"
#include "geo/atlas.h"

#define SURVEY_SOURCES_MAX 64

struct survey_source {
	const char *file; /* MaxMind's format if it ends in .mmdb, else ranges as text */
	/* Where a record, or a row ("3"), has them; NULL: the usual places. */
	const char *country, *subdivision, *asn;
};

struct survey_report {        /* of one source */
	int64_t modified_ms;  /* the file's time */
	int64_t made_ms;      /* the data: as the file says, else its time */
	uint64_t size, inode; /* with the time: is it another file now? */
	size_t ranges;        /* that say something of use, by family */
	size_t skipped;       /* others */
	size_t overlaps;      /* that begin inside another */
};

/* What a file is now. 0, or a negative errno. */
MUST_USE int survey_stat(const char *file, struct survey_report *out);
/* NULL with a problem in d; `reports`: one a source. Takes a second or so: not for a loop's thread.
 */
MUST_USE struct atlas *survey_make(
    const struct survey_source *sources, size_t n, struct survey_report *reports, struct diag *d);
