/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * extract -- one domain and what it refers to, out of a model, as a change set that builds it anew.
 *
 * Cost: the objects of that domain, so that the engine's thread may do it between two events. Pure.
 */
#pragma once

#include "base/diag.h"
#include "model/model.h"
#include "sim/sim_spec.h"

/* "www.example.com/A", as kind_name makes it. 0, or -EINVAL with a problem under "name". */
MUST_USE int extract_name(const struct sim_spec *spec, char out[KIND_NAME_SIZE], struct diag *d);
/*
 * Fill `set` (initialised) with the domain as the spec wants it (enabled; ttl, balance), and check
 * that the addresses that fail belong to it. 0, or -EINVAL.
 */
MUST_USE int extract_domain(
    const struct model *m, const struct sim_spec *spec, struct change_set *set, struct diag *d);
