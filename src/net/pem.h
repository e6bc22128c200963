/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pem -- certificates and keys as text. Pure. */
#pragma once

#include <openssl/types.h>
#include <stdbool.h>

#include "base/attr.h"

/* What stands between BEGIN and END CERTIFICATE, in order; `take` owns each. How many, or -EINVAL.
 */
MUST_USE int pem_certificates(const char *text, void (*take)(void *arg, X509 *cert), void *arg);
/* How many, 1 or more; or -EINVAL. */
MUST_USE int pem_check(const char *text);
/* The private key, not encrypted; NULL if it is none. The caller frees. */
MUST_USE EVP_PKEY *pem_key(const char *text);
/* Does the key belong to the first certificate? Both are well-formed. */
bool pem_key_fits(const char *certificates, const char *key);
