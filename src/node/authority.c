/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/authority.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "base/mem.h"
#include "net/pem.h"

#define FILE_MAX 65536
#define SERVER_S (20LL * 365 * 86400) /* made anew at each start */

struct authority {
	uint32_t magic;
#define AUTHORITY_MAGIC 0xa07b0217u
	EVP_PKEY *key;
	X509 *cert;
	char *text;
	uint8_t digest[CERT_DIGEST];
	SSL_CTX *ctx;
};

/* ---- the file ---- */

static int
make(struct authority *a, const char *path, struct diag *d)
{
	a->key = cert_key_new();
	a->cert = a->key != NULL ? cert_authority(a->key) : NULL;

	char *key = a->cert != NULL ? cert_key_text(a->key) : NULL;
	char *cert = a->cert != NULL ? cert_text(a->cert) : NULL;
	int rc = -EINVAL;

	if (key != NULL && cert != NULL) {
		char *both = xasprintf("%s%s", key, cert);

		rc = file_replace(path, 0600, both, strlen(both));
		free(both);
	}
	free(key);
	free(cert);
	if (rc < 0)
		diag_add(d, DIAG_UNAVAILABLE, path, "cannot be made: %s", strerror(-rc));
	return rc < 0 ? -EINVAL : 0;
}

static int
read_file(struct authority *a, const char *path, struct diag *d)
{
	struct buf b;
	int rc;

	buf_init(&b, FILE_MAX);
	rc = file_read(path, &b);
	if (rc == -ENOENT) {
		rc = make(a, path, d);
	} else if (rc < 0) {
		rc = diag_add(d, DIAG_UNAVAILABLE, path, "cannot be read: %s", strerror(-rc));
	} else {
		a->key = pem_key(buf_str(&b));
		a->cert = cert_read(buf_str(&b));
		if (a->key == NULL || a->cert == NULL ||
		    X509_check_private_key(a->cert, a->key) != 1)
			rc = diag_add(d, DIAG_UNAVAILABLE, path,
			    "is damaged: bring it back from a backup, or remove it and enrol all "
			    "nodes anew");
	}
	if (b.data != NULL)
		memset(b.data, 0, b.len);
	buf_fini(&b);
	return rc;
}

/* ---- TLS ---- */

static bool
equip(SSL_CTX *ctx, const struct authority *a, EVP_PKEY *key, X509 *cert)
{
	return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	       SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
	       /* Shown, too: a node that comes with a token knows the authority by its digest. */
	       SSL_CTX_add1_chain_cert(ctx, a->cert) == 1 &&
	       X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), a->cert) == 1;
}

static SSL_CTX *
make_context(const struct authority *a)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = cert_key_new();
	X509 *cert =
	    key != NULL ? cert_issue(a->cert, a->key, key, "server", SERVER_S, true) : NULL;

	if (ctx == NULL || cert == NULL || !equip(ctx, a, key, cert)) {
		SSL_CTX_free(ctx);
		ctx = NULL;
	} else {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
		SSL_CTX_set_verify_depth(ctx, 1);
		/* Nobody is resumed: who was cut off stays so. */
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
		SSL_CTX_set_num_tickets(ctx, 0);
	}
	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

struct authority *
authority_open(const char *dir, struct diag *d)
{
	struct authority *a = xcalloc(1, sizeof(*a));
	char *path = xasprintf("%s/nodes.authority", dir);
	int rc;

	a->magic = AUTHORITY_MAGIC;
	rc = read_file(a, path, d);
	if (rc == 0) {
		cert_digest(a->cert, a->digest);
		a->text = cert_text(a->cert);
		a->ctx = make_context(a);
		if (a->ctx == NULL || a->text == NULL)
			rc = diag_add(d, DIAG_INTERNAL, path, "OpenSSL makes no context of it");
	}
	free(path);
	if (rc < 0)
		authority_free(&a);
	ERR_clear_error();
	return a;
}

void
authority_free(struct authority **ap)
{
	struct authority *a = *ap;

	if (a == NULL)
		return;
	OBJ_CHECK(a, AUTHORITY_MAGIC);
	SSL_CTX_free(a->ctx);
	X509_free(a->cert);
	EVP_PKEY_free(a->key);
	free(a->text);
	a->magic = 0;
	free(a);
	*ap = NULL;
}

SSL_CTX *
authority_context(const struct authority *a)
{
	OBJ_CHECK(a, AUTHORITY_MAGIC);
	return a->ctx;
}

const uint8_t *
authority_digest(const struct authority *a)
{
	OBJ_CHECK(a, AUTHORITY_MAGIC);
	return a->digest;
}

const char *
authority_text(const struct authority *a)
{
	OBJ_CHECK(a, AUTHORITY_MAGIC);
	return a->text;
}

char *
authority_sign(
    const struct authority *a, const char *request, const char *node, char digest[CERT_DIGEST_SIZE])
{
	EVP_PKEY *key = cert_request_key(request);
	X509 *cert =
	    key != NULL ? cert_issue(a->cert, a->key, key, node, AUTHORITY_NODE_S, false) : NULL;
	char *text = cert != NULL ? cert_text(cert) : NULL;

	OBJ_CHECK(a, AUTHORITY_MAGIC);
	if (cert != NULL)
		cert_digest_text(cert, digest);
	X509_free(cert);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return text;
}
