/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store_diff -- what an op changes, as lines for the audit log. Pure. */
#pragma once

#include "base/buf.h"
#include "model/change.h"

/* `old_spec`: the object's spec before, or NULL. */
void store_diff_op(struct buf *out, const struct change_op *op, const char *old_spec);
