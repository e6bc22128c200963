/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * on_update -- UPDATE (RFC 2136, 3007): signature, zone, rights, prerequisites, changes, commit.
 *
 * All of it under the editor's lock, as one change set or none: what was required is still so when
 * it is committed. Rights come before prerequisites (RFC 2136 3.3 leaves that open), so that only
 * those who may change a zone can probe it.
 */
#pragma once

#include "intake/intake.h"

void on_update(const struct intake_message *m, struct buf *out);
