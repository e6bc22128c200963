/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tls_peer -- certificates made for a test, and a TLS server that shows them. */
#pragma once

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "net/addr.h"

struct identity {
	X509 *cert;
	EVP_PKEY *key;
	char *cert_pem, *key_pem;
};

/*
 * `san` as openssl.cnf has it: "DNS:a.example,IP:127.0.0.1". Valid from a day ago until `days` from
 * now (negative: over). `issuer` NULL: signed by itself, as a CA.
 */
void identity_make(struct identity *i, const char *san, int days, const struct identity *issuer);
void identity_free(struct identity *i);

struct tls_peer {
	struct addr addr;
	SSL_CTX *context;
	int listener;
	pthread_t thread;
	const char *reply;
	size_t reply_len;          /* 0: to its NUL */
	atomic_uint full, resumed; /* handshakes */
	atomic_bool stop;
};

/* `client_ca`: demand a certificate of it, or NULL. `reply`: after the first octets; NULL = none.
 */
void tls_peer_start(struct tls_peer *p, const char *at, const struct identity *own,
    const struct identity *client_ca, const char *reply);
void tls_peer_stop(struct tls_peer *p);
