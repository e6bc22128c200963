/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cert -- the few things done with X.509 here: P-256 keys, one authority, certificates for servers
 * and for nodes. What is returned is the caller's to free; NULL: OpenSSL would not.
 *
 * A node's certificate is good for clients only and a server's for servers only, so no node can
 * pose as the server towards another.
 */
#pragma once

#include <openssl/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

#define CERT_DIGEST      32
#define CERT_DIGEST_SIZE 65 /* as hex text */
#define CERT_NAME_SIZE   300

MUST_USE EVP_PKEY *cert_key_new(void);
MUST_USE char *cert_key_text(EVP_PKEY *key); /* PEM */
MUST_USE char *cert_text(X509 *cert);        /* PEM */
MUST_USE X509 *cert_read(const char *pem);   /* the first one */

/* SHA-256 of the certificate. */
void cert_digest(const X509 *cert, uint8_t out[CERT_DIGEST]);
void cert_digest_text(const X509 *cert, char out[CERT_DIGEST_SIZE]);
/* Its CN. 0 or -EINVAL. */
MUST_USE int cert_name(const X509 *cert, char out[CERT_NAME_SIZE]);
/* Seconds since 1970. */
int64_t cert_begins_s(const X509 *cert);
int64_t cert_ends_s(const X509 *cert);

/* A request for a certificate, PEM: says only which key. */
MUST_USE char *cert_request(EVP_PKEY *key);
/* The key of a request that is signed by it, and is P-256. */
MUST_USE EVP_PKEY *cert_request_key(const char *pem);

MUST_USE X509 *cert_authority(EVP_PKEY *key);
MUST_USE X509 *cert_issue(X509 *authority, EVP_PKEY *authority_key, EVP_PKEY *key, const char *name,
    int64_t lives_s, bool server);
