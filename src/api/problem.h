/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * problem -- what the client must fix, as application/problem+json (RFC 9457).
 *
 *   {type, title, status, detail, errors: [{pointer, detail, got?, allowed?}], referrers?}
 *
 * `pointer` is the place as the diag names it ("pools[2].weight"). Pure.
 */
#pragma once

#include "base/diag.h"
#include "base/json.h"

#define PROBLEM_TYPE "application/problem+json"

unsigned problem_status(const struct diag *d);
/* `status` 0: chosen by the code. The caller owns the result. */
json_t *problem_encode(const struct diag *d, unsigned status);
/* A JSON string of any bytes: what is not UTF-8 becomes '?'. */
json_t *problem_string(const char *text);

/*
 * Take over what `from` holds, every place below `prefix` ("objects[3].spec"). With `whole` the
 * prefix alone is the place: the request has no such member, it was made from that one value.
 */
void problem_adopt(struct diag *to, const struct diag *from, const char *prefix, bool whole);
