/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * yaml_out -- JSON as YAML text for people: block style, stable, read back as the same JSON.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"

/* One document without the `---`, ending in a newline. */
void yaml_out_write(struct buf *b, const json_t *j);
