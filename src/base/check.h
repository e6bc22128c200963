/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * check -- invariants that stay in release builds.
 *
 * Long-lived objects open with `uint32_t magic`; OBJ_CHECK on every callback's
 * void pointer and every public entry turns a stale pointer into a clean abort.
 */
#pragma once

#include "base/attr.h"

/* Abort, telling which invariant broke, unless `cond` holds. */
#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (UNLIKELY(!(cond)))                                                             \
			check_failed(#cond, __FILE__, __LINE__, __func__);                         \
	} while (0)

#define OBJ_CHECK(obj, MAGIC) CHECK((obj) != NULL && (obj)->magic == (MAGIC))

NORETURN void check_failed(const char *cond, const char *file, int line, const char *func);
