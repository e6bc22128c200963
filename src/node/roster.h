/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * roster -- by which certificates nodes are known, as notes in their objects: invitations,
 * enrolments, renewals, each an ordinary change of the model.
 *
 *	invited    token DIGEST END      one secret, good once and until then
 *	enrolled   certificate A         the token is gone, older certificates too
 *	renewing   certificate A B       A is good until B has been used
 *	renewed    certificate B
 *
 * All but roster_admits and roster_expects commit: not from under the editor's lock, nor from a
 * loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/control.h"
#include "base/attr.h"
#include "node/cert.h"
#include "node/token.h"

/* 0, or negative with a problem: no such node, or it is disabled. */
MUST_USE int roster_invite(struct control *c, const char *node, const uint8_t secret[TOKEN_SECRET],
    int64_t ends_ms, struct diag *d);
/* Is this the secret of an invitation that is open? Cheap, for strangers; any thread. */
bool roster_expects(struct control *c, const char *node, const uint8_t secret[TOKEN_SECRET]);
/* -EACCES: not with this secret, or not any more. */
MUST_USE int roster_enrol(struct control *c, const char *node, const uint8_t secret[TOKEN_SECRET],
    const char digest[CERT_DIGEST_SIZE], struct diag *d);
/* `digest` is to be good as well as `old`, until it is used. */
MUST_USE int roster_renew(struct control *c, const char *node, const char *old,
    const char digest[CERT_DIGEST_SIZE], struct diag *d);
/* `digest` has been used: no other is good any more. */
MUST_USE int roster_settle(
    struct control *c, const char *node, const char digest[CERT_DIGEST_SIZE], struct diag *d);

enum roster_word { ROSTER_UNKNOWN, ROSTER_KNOWN, ROSTER_NEW };
/* May whoever shows this certificate be the node? NEW: by one that has not been used yet. Any
 * thread. */
enum roster_word
roster_admits(struct control *c, const char *node, const char digest[CERT_DIGEST_SIZE]);
