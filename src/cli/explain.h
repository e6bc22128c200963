/* SPDX-License-Identifier: GPL-3.0-or-later */
/* explain -- the reply of /explain as a person reads it: answer, candidates with bars, steps. Pure.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"

void explain_write(struct buf *b, const json_t *reply, bool colour);
