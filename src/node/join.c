/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/join.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/loop.h"
#include "node/cert.h"
#include "node/identity.h"
#include "node/reach.h"
#include "node/token.h"
#include "node/wire.h"

#define JOIN_MS   10000
#define FRAME_MAX 65536

struct joining {
	struct token token;
	struct identity identity;
	char *request;
	struct loop *loop;
	struct wire *wire;
	struct wheel_timer limit;
	struct diag *d;
	bool joined;
};

/* ---- is it the server? ---- */

/* Its chain must lead to the authority that the token tells, for the purpose of a server. */
static int
verify(X509_STORE_CTX *ctx, void *arg)
{
	const struct joining *j = arg;
	STACK_OF(X509) *shown = X509_STORE_CTX_get0_untrusted(ctx), *trusted = sk_X509_new_null();
	int ok = 0;

	for (int i = 0; trusted != NULL && i < sk_X509_num(shown); i++) {
		uint8_t digest[CERT_DIGEST];

		cert_digest(sk_X509_value(shown, i), digest);
		if (memcmp(digest, j->token.authority, sizeof(digest)) == 0)
			sk_X509_push(trusted, sk_X509_value(shown, i));
	}
	if (sk_X509_num(trusted) > 0) {
		X509_STORE_CTX_set0_trusted_stack(ctx, trusted);
		ok = X509_verify_cert(ctx) == 1;
	} else {
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);
	}
	sk_X509_free(trusted);
	return ok;
}

static SSL_CTX *
make_context(struct joining *j)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify, j);
	return ctx;
}

/* ---- the talk ---- */

static void
on_open(void *arg)
{
	struct joining *j = arg;
	char secret[2 * TOKEN_SECRET + 1];
	json_t *body;

	token_hex(j->token.secret, sizeof(j->token.secret), secret);
	body = json_pack(
	    "{s:s, s:s, s:s}", "node", j->token.node, "secret", secret, "csr", j->request);
	wire_send_json(j->wire, MESSAGE_ENROL, body);
	json_decref(body);
}

static void
take(struct joining *j, const json_t *body)
{
	const char *certificate = json_string_value(json_object_get(body, "certificate"));
	const char *authority = json_string_value(json_object_get(body, "authority"));
	const char *problem = json_string_value(json_object_get(body, "problem"));

	if (certificate != NULL && authority != NULL) {
		j->identity.certificate = xstrdup(certificate);
		j->identity.authority = xstrdup(authority);
		j->joined = true;
	} else {
		diag_add(j->d, DIAG_INVALID, "--join", "the server refuses: %s",
		    problem != NULL ? problem : "it says nothing that is known here");
	}
	loop_stop(j->loop);
}

static void
on_message(void *arg, enum message_type type, const uint8_t *data, size_t len)
{
	struct joining *j = arg;
	struct diag d;

	diag_init(&d);
	json_t *body = json_parse((const char *)data, len, &d);

	if (type == MESSAGE_ENROLLED && !j->joined)
		take(j, body);
	json_decref(body);
	diag_fini(&d);
}

static void
on_closed(void *arg, const char *why)
{
	struct joining *j = arg;

	if (!j->joined && !diag_failed(j->d))
		diag_add(j->d, DIAG_UNAVAILABLE, j->token.server, "the server cannot be joined: %s",
		    why);
	loop_stop(j->loop);
}

static void
too_long(struct wheel_timer *t)
{
	on_closed(container_of(t, struct joining, limit), "no answer in ten seconds");
}

static void
talk(struct joining *j, SSL_CTX *ctx, int fd)
{
	const struct wire_hooks hooks = { j, on_open, on_message, on_closed };

	j->loop = loop_new();
	wheel_timer_init(&j->limit, too_long);
	loop_timer_in(j->loop, &j->limit, JOIN_MS);
	j->wire = wire_new(j->loop, fd, ctx, false, FRAME_MAX, &hooks);
	loop_run(j->loop);
	loop_timer_cancel(j->loop, &j->limit);
	wire_free(&j->wire);
	loop_free(&j->loop);
}

/* ---- all of it ---- */

static int
make_key(struct joining *j)
{
	EVP_PKEY *key = cert_key_new();

	if (key != NULL) {
		j->identity.key = cert_key_text(key);
		j->request = cert_request(key);
	}
	EVP_PKEY_free(key);
	if (j->identity.key != NULL && j->request != NULL)
		return 0;
	return diag_add(j->d, DIAG_INTERNAL, "--join", "OpenSSL makes no key");
}

static int
join(struct joining *j, const char *dir, const char *user)
{
	SSL_CTX *ctx;
	int fd;

	if (make_key(j) < 0 || (fd = reach_connect(j->token.server, 0, j->d)) < 0)
		return -EINVAL;
	ctx = make_context(j);
	talk(j, ctx, fd);
	SSL_CTX_free(ctx);
	if (!j->joined)
		return -EINVAL;
	j->identity.node = xstrdup(j->token.node);
	j->identity.server = xstrdup(j->token.server);
	return identity_save(dir, &j->identity, user, j->d);
}

int
join_server(const char *token, const char *dir, const char *user, struct diag *d)
{
	struct joining j = { .d = d };
	const char *fault = token_parse(token, &j.token);
	int rc;

	if (fault != NULL)
		return diag_add(d, DIAG_INVALID, "--join", "the token %s", fault);
	rc = join(&j, dir, user);
	identity_fini(&j.identity);
	free(j.request);
	ERR_clear_error();
	return rc;
}
