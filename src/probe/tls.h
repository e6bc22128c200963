/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tls -- the client's side of TLS under a probe's connection.
 *
 * What is remembered from probe to probe of a check is in struct tls_memory: the session to resume
 * and when the certificate ends. A resumed handshake costs half, but shows no certificate: so every
 * `full_every`-th handshake is a full one, and so is the one after a failure and after the end of
 * the certificate's time.
 */
#pragma once

#include <openssl/types.h>
#include <stdint.h>

#include "probe/probe.h"

struct ssl_session_st;

struct tls_memory {
	unsigned char *session; /* DER, smaller than the live object; NULL = none */
	int session_len;
	uint32_t resumed;  /* handshakes since the last full one */
	int64_t expires_s; /* the certificate of the last full one; 0 = none seen */
};
void tls_forget(struct tls_memory **m);

/* The options into the recipe. `host`: the name to ask for unless they say. */
void tls_prepare(struct recipe *r, const char *host, const struct tls_spec *tls);
/* Whenever the connected socket is ready: PASS once the handshake is over. */
enum probe_step tls_handshake(struct probe *p);
/* As conn_send and conn_receive. */
size_t tls_send(struct probe *p, const void *data, size_t len, enum probe_step *step);
size_t tls_receive(struct probe *p, void *data, size_t size, enum probe_step *step);

/* For struct trust: a session that may be resumed later. */
int tls_session_came(SSL *ssl, struct ssl_session_st *session);
