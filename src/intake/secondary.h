/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * secondary -- keeps the zones whose role is secondary as their primaries have them (RFC
 * 1034 4.3.5, 1995, 1996, 5936).
 *
 *	timer, NOTIFY, request --> SOA? --newer--> IXFR, else AXFR --> one change set --> control
 *	                             \--same-----------------------> "refreshed" --------> engine
 *
 * What came is committed like any other edit, so it is durable, audited and served; the engine is
 * told of every successful check and lets a zone expire without it. One thread, one loop for all
 * zones; at most 16 are asked for at once, so that a start does not flood the primaries.
 */
#pragma once

#include "api/control.h"
#include "intake/intake.h"

struct secondary;

/* `max_bytes`: of memory for one transfer. Takes the place of control_set_secondary. */
struct secondary *secondary_start(struct control *c, size_t max_bytes);
void secondary_stop(struct secondary **s); /* nobody edits any more */

/* NOTIFY: appends the response. Any thread. */
void secondary_notify(const struct intake_message *m, struct buf *out);
