/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/check.h"

#include <stdlib.h>

#include "base/log.h"

void
check_failed(const char *cond, const char *file, int line, const char *func)
{
	log_error("check", "%s:%d: %s: '%s' does not hold", file, line, func, cond);
	abort();
}
