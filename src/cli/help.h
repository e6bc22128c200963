/* SPDX-License-Identifier: GPL-3.0-or-later */
/* help -- examples first, then what there is; read off the tables. */
#pragma once

#include <stdio.h>

#include "cli/args.h"

/* Of one verb, or of the program when `v` is NULL. */
void help_write(FILE *out, const struct verb *v);
