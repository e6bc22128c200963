/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * target -- which server to talk to: options before environment before the usual sockets.
 */
#pragma once

#include "base/arena.h"
#include "base/attr.h"
#include "base/diag.h"
#include "cli/args.h"
#include "cli/client.h"

/* Text lives in `a` or in the arguments. 0, or -EINVAL when options contradict each other. */
MUST_USE int
target_choose(struct client_target *t, const struct args *args, struct arena *a, struct diag *d);
