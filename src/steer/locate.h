/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * locate -- all lines of an address, best first, and why: for a person who asks.
 *
 * The order is that of charts.h, of all lines and not only of those in use.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/json.h"
#include "geo/atlas.h"
#include "model/model.h"

/*
 * {"ip": "192.0.2.1"} -> {ip, lines: [{line, kind, en?, zh?, because: {line, cidr} or {file,
 * range}}], data: {range} or null}. The last line is always default. `a` may be NULL; `files`: the
 * names of its sources. NULL with a problem in d.
 */
MUST_USE json_t *locate(const struct model *m, const struct atlas *a, const char *const *files,
    size_t n_files, const json_t *request, struct diag *d);
