/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reach -- a connection to "host:port". Asks the resolver, so it may take a while. */
#pragma once

#include "base/attr.h"
#include "base/diag.h"

/*
 * Under way on return. A host of several addresses is tried at another one with each `attempt`. The
 * descriptor, or -EINVAL with a problem.
 */
MUST_USE int reach_connect(const char *server, unsigned attempt, struct diag *d);
/* Does it look like host:port? */
MUST_USE int reach_check(const char *server);
