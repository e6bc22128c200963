/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * made -- what from-scenario made or would make, a line for each object. Pure.
 *
 *	there  template/web                    tcp every 5s (for www.example.com-tcp-80)
 *	made   address/dc-a-1                  203.0.113.10
 *	made   pool/www.example.com-telecom    round_robin: dc-a-telecom-1
 *	made   domain/www.example.com/A        source_nearest, ttl 60, disabled
 *	         pool/www.example.com-telecom  line telecom
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"

void made_write(struct buf *b, const json_t *reply, bool colour);
/* "pool/dc-a", one a line. */
void made_names(struct buf *b, const json_t *reply);
