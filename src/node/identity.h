/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * identity -- who a probe node is and whom it belongs to: DIR/node.identity (0600, JSON). Where
 * that file is, gtmd is a probe node.
 */
#pragma once

#include <openssl/types.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/diag.h"

struct identity {
	char *node;        /* its name */
	char *server;      /* host:port */
	char *authority;   /* the server's, PEM */
	char *certificate; /* PEM */
	char *key;         /* PEM */
};

/* 0; -ENOENT: none there; -EINVAL with a problem. */
MUST_USE int identity_load(const char *dir, struct identity *out, struct diag *d);
/* Replaced as a whole. `user` (may be NULL) is to own it. */
MUST_USE int
identity_save(const char *dir, const struct identity *i, const char *user, struct diag *d);
void identity_fini(struct identity *i);

/* TLS 1.3 that shows the certificate and believes the authority alone. NULL: it is damaged. */
MUST_USE SSL_CTX *identity_context(const struct identity *i);
/* More than half of the certificate's time is over. */
bool identity_is_old(const struct identity *i);
