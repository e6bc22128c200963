/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ripple -- a change of steering is a change of the zone for its secondaries.
 *
 *	address -> pools -> domains -> zone: the next serial
 *
 * A zone that is transferred in the fallback view shows all enabled addresses of its domains; when
 * they may have become others, only a newer serial brings them over.
 */
#pragma once

#include "api/edit.h"

/* Add the SOAs that follow from what the set has. */
void ripple_add(struct edit *e);
