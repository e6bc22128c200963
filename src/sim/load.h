/* SPDX-License-Identifier: GPL-3.0-or-later */
/* load -- a model from a YAML file as `gtmctl apply` takes it: checked by the same rules, in any
 * order. */
#pragma once

#include "base/diag.h"
#include "model/model.h"

/* `m` is initialised and empty. 0, or -EINVAL with problems named by FILE:LINE. */
MUST_USE int
load_model(struct model *m, const char *file, const char *text, size_t len, struct diag *d);
