/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scenario -- from a few sites to a steered domain, in one change set.
 *
 *   check ---> template "www.example.com-tcp-80"
 *   sites ---> addresses "dc-a-1", "dc-a-2" ...        ---> pool "dc-a"
 *   lines ---> addresses "dc-a-telecom-1" ...          ---> pool "www.example.com-telecom"
 *   the rest ---> domain, disabled unless asked otherwise; one for each type asked for
 *
 * An equal object that exists is used. A different one in the way makes a generated name step
 * aside ("dc-a-1-2") and a given one fail: whoever calls a pool dc-a means that pool. Any name can
 * be chosen: "names": {"pool/dc-a": "east"}.
 */
#pragma once

#include "api/edit.h"

/* Make it, commit, and reply. */
void scenario_make(struct edit *e, const json_t *body);
/* JSON Schema of the request. New reference. */
MUST_USE json_t *scenario_schema(void);
