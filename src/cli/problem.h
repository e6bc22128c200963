/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * problem -- the server's refusals (RFC 9457) as a person reads them, and their exit codes. Pure.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/yaml_in.h"
#include "cli/exit.h"

enum exit_code problem_exit(long status);
/*
 *	error: the change is not valid
 *	  gtm.yaml:12: pools[2].weight: must be 0..65535 (got 70000; allowed 0..65535)
 *	  used by domain www.example.com/A
 *
 * `j` is the body, or NULL if it was not JSON; `places` (may be NULL) knows lines of files.
 */
void problem_write(struct buf *b, long status, const json_t *j, const struct yaml_in *places);
