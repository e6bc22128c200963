/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * authority -- whom this server's nodes believe: a key of our own that signs their certificates,
 * and one for this server's listener. Kept in DIR/nodes.authority (0600), made on first use.
 *
 * Immutable once open: any thread.
 */
#pragma once

#include <openssl/types.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"
#include "node/cert.h"

#define AUTHORITY_NODE_S (90LL * 86400) /* a node's certificate; it renews itself half-way */

struct authority;

/* NULL with a problem. */
MUST_USE struct authority *authority_open(const char *dir, struct diag *d);
void authority_free(struct authority **a);

/* The listener's: TLS 1.3; a peer may show a certificate, which must then be of our making. */
SSL_CTX *authority_context(const struct authority *a);
const uint8_t *authority_digest(const struct authority *a); /* CERT_DIGEST bytes */
const char *authority_text(const struct authority *a);      /* its certificate, PEM */
/* A certificate, PEM, for the key of the request; its digest goes to `digest`. NULL: no request. */
MUST_USE char *authority_sign(const struct authority *a, const char *request, const char *node,
    char digest[CERT_DIGEST_SIZE]);
