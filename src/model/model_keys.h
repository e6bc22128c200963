/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model_keys -- the tsig-keys of a model as dns/tsig wants them. Pure. */
#pragma once

#include "dns/tsig.h"
#include "model/model.h"

/* By wire name, or by the object's name. -ENOENT if there is no such key. */
MUST_USE int model_keys_find(const struct model *m, const uint8_t *name, struct tsig_key *key);
MUST_USE int model_keys_find_text(const struct model *m, const char *name, struct tsig_key *key);
