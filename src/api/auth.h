/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * auth -- who is asking, and what they may do.
 *
 * A token is 256 random bits in hex; the store keeps only its SHA-256, so that a stolen database
 * logs nobody in. A peer on the Unix socket is known by its uid and needs no token.
 */
#pragma once

#include <stdbool.h>

#include "base/diag.h"
#include "store/store.h"

/* Each includes the ones before it. */
enum auth_scope { AUTH_NONE, AUTH_READ, AUTH_OPERATE, AUTH_WRITE, AUTH_ADMIN };
extern const char *const auth_scope_words[]; /* "none", "read", ..., NULL */

struct auth_caller {
	enum auth_scope scope;
	char name[80]; /* "token:admin", "uid:0": the author of changes */
};

/*
 * Make sure that DATA_DIR/admin.token (mode 0600) holds a token that works: written at the first
 * start, and anew when the file has vanished. 0, or -EINVAL with a problem.
 */
MUST_USE int auth_start(struct store *store, const char *data_dir, struct diag *d);

/* "Bearer ..." of the Authorization header; false if there is no such token. */
MUST_USE bool auth_bearer(struct store *store, const char *header, struct auth_caller *out);
/* The process at the other end of a Unix socket: our own uid, or root. */
MUST_USE bool auth_peer(int fd, struct auth_caller *out);
