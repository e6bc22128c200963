/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cut -- steered names and zone cuts: what stands below an NS or a DNAME is never answered from
 * here.
 */
#pragma once

#include "api/edit.h"

/* A domain, or a record set with lines, at or below a delegation, or below a DNAME, of its zone:
 * -EINVAL with the reason. O(labels). */
MUST_USE int cut_check_domain(struct edit *e, const char *name, struct diag *d);
/* A delegation or DNAME that is about to be made hides those below it: one warning for each.
 */
void cut_warn_records(struct edit *e, const char *zone, const uint8_t *owner, uint16_t type);
