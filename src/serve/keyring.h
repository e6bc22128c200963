/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * keyring -- the TSIG keys by name. Writer: one thread. Readers: wait-free inside RCU (QSBR).
 *
 * Keys are few and change rarely: the writer publishes a new array, sorted by name.
 */
#pragma once

#include "base/attr.h"
#include "dns/tsig.h"

struct keyring;

struct keyring *keyring_new(void);
void keyring_free(struct keyring **k); /* no reader may be left */

void keyring_put(struct keyring *k, const struct tsig_key *key); /* new, or another secret */
void keyring_remove(struct keyring *k, const uint8_t *name);     /* absent: no-op */
/* `name` lower. Borrowed within the read section; NULL if there is none. `k` may be NULL. */
const struct tsig_key *keyring_find(const struct keyring *k, const uint8_t *name);
