/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mmdb -- a data set in MaxMind's format.
 *
 * Where a record has a country or an AS number depends on who made the file; the usual places are
 * tried in turn:
 *
 *	{country: {iso_code}, subdivisions: [{iso_code}], ...}    MaxMind, DB-IP
 *	{country_code, state1, ...}                               flat ones
 *	{autonomous_system_number} or {asn: "AS4134"}
 *
 * The format is only imported from: no answer waits for it.
 */
#pragma once

#include "geo/layer.h"

struct mmdb_keys { /* "country.iso_code", "subdivisions.0.iso_code"; NULL: the usual places */
	const char *country, *subdivision, *asn;
};

/* 0, *made_ms being when its maker says it was made; or -EINVAL with what is wrong with the file.
 */
MUST_USE int mmdb_read(const char *path, const struct mmdb_keys *keys, struct layer *out,
    int64_t *made_ms, struct diag *d);
