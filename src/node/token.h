/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * token -- an invitation for one node, as one word: where to go, as whom, the secret that is good
 * once, and by which authority the server is known. So the first contact is sure both ways.
 *
 *	gtm1-<hex of: u8 n, server; u16 n, node; secret; digest of the authority; checksum>
 *
 * Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define TOKEN_SECRET      16
#define TOKEN_DIGEST      32
#define TOKEN_SERVER_SIZE 256
#define TOKEN_NODE_SIZE   300

struct token {
	char server[TOKEN_SERVER_SIZE]; /* host:port */
	char node[TOKEN_NODE_SIZE];
	uint8_t secret[TOKEN_SECRET];
	uint8_t authority[TOKEN_DIGEST]; /* SHA-256 of its certificate */
};

/* The caller frees. */
MUST_USE char *token_text(const struct token *t);
/* NULL, or what is wrong with it: a text for people. */
MUST_USE const char *token_parse(const char *text, struct token *out);
/* Of the secret, in hex: what the server keeps. */
#define TOKEN_HASH_SIZE 65
void token_hash(const uint8_t secret[TOKEN_SECRET], char out[TOKEN_HASH_SIZE]);
/* Lower-case hex; `out` has room for 2 * len + 1. */
void token_hex(const uint8_t *data, size_t len, char *out);
/* Exactly `len` bytes in hex of either case. 0 or -EINVAL. */
MUST_USE int token_unhex(const char *text, uint8_t *out, size_t len);
