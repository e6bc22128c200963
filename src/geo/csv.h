/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * csv -- a data set as text, a range a row:
 *
 *	1.0.1.0,1.0.3.255,CN                        first, last, what is there
 *	16777472,16778239,CN                        addresses as numbers
 *	1.0.1.0/24,4134,"Chinanet"                  a prefix; the number of an AS
 *	1.0.1.0,1.0.3.255,CN,Fujian,,Fuzhou,,,,     a country, then a subdivision
 *
 * A first row without an address is a heading. Which columns say what is seen from the first row
 * that has something there, unless it is given.
 */
#pragma once

#include "geo/layer.h"

struct csv_columns { /* from 1; 0: find out */
	unsigned country, subdivision, asn;
};

/* `text` is cut up; it ends with a NUL that is not counted in `len`. 0, or -EINVAL: "name:line". */
MUST_USE int csv_read(char *text, size_t len, const char *name, const struct csv_columns *columns,
    struct layer *out, struct diag *d);
