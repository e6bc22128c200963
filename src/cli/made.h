/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * made -- what from-scenario made or would make, a line for each object. Pure.
 *
 *	made  address/dc-a-1                    203.0.113.10
 *	      pool/www.example.com-telecom      round_robin: dc-a-telecom-1
 *	used  template/web                      tcp (for www.example.com-tcp-80)
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"

void made_write(struct buf *b, const json_t *reply, bool colour);
/* "pool/dc-a", one a line. */
void made_names(struct buf *b, const json_t *reply);
