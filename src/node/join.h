/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * join -- a machine becomes a probe node: a key of its own, and by the token a certificate for it.
 *
 * Blocks, ten seconds at most. The token names the server's authority, so nobody in between can
 * take the secret; the server knows the secret, so nobody else gets the certificate.
 */
#pragma once

#include "base/attr.h"
#include "base/diag.h"

/* Writes the identity into `dir`, for `user` (may be NULL). 0, or -EINVAL with a problem. */
MUST_USE int join_server(const char *token, const char *dir, const char *user, struct diag *d);
