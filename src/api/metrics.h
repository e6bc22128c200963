/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * metrics -- OpenMetrics text: what control counts itself, then what the engine counts.
 *
 * The engine's "counters" reply is an object; nesting joins names by '_':
 *
 *   {"dns": {"queries": 12}}                             gtm_dns_queries_total 12
 *   {"dns": {"answers": [{"labels": {..}, "value": 3}]}} gtm_dns_answers_total{..} 3
 *   {"x": {"gauge": 7}}                                  gtm_x 7
 *   {"x": {"histogram": [[0.1, 3], [null, 4]], "sum": 2.5, "count": 4}}    gtm_x_bucket{le="0.1"} 3
 * ...
 */
#pragma once

#include "api/control.h"

#define METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

void metrics_write(struct control *c, struct buf *out);
