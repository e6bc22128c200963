/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trust -- whom we believe and who we are in TLS: one SSL_CTX for all checks that agree in it.
 *
 * Loading a bundle of CAs costs some 45 ms, so nothing here is per check or per probe. Equal ones
 * are the same pointer (base/shared). Made on any thread, used on the probe thread.
 */
#pragma once

#include <openssl/types.h>

#include "model/nouns.h"

struct trust;

/* The system's CAs unless the options name their own. NULL: certificate or key cannot be used. */
struct trust *trust_get(const struct tls_spec *tls);
void trust_put(struct trust **t);
SSL_CTX *trust_context(const struct trust *t);
