/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/identity.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "net/pem.h"
#include "node/cert.h"

#define FILE_MAX 262144

static char *
path_in(const char *dir)
{
	return xasprintf("%s/node.identity", dir);
}

/* ---- the file ---- */

static char *
member(const json_t *j, const char *name)
{
	return xstrdup(json_string_value(json_object_get(j, name)));
}

static int
decode(const char *path, const json_t *j, struct identity *out, struct diag *d)
{
	*out = (struct identity){
		.node = member(j, "node"),
		.server = member(j, "server"),
		.authority = member(j, "authority"),
		.certificate = member(j, "certificate"),
		.key = member(j, "key"),
	};
	if (out->node != NULL && out->server != NULL && out->authority != NULL &&
	    out->certificate != NULL && out->key != NULL)
		return 0;
	identity_fini(out);
	return diag_add(d, DIAG_INVALID, path, "is no identity of a node: enrol it anew");
}

int
identity_load(const char *dir, struct identity *out, struct diag *d)
{
	char *path = path_in(dir);
	struct buf b;
	json_t *j = NULL;
	int rc;

	*out = (struct identity){ 0 };
	buf_init(&b, FILE_MAX);
	rc = file_read(path, &b);
	if (rc == 0 && (j = json_parse(buf_str(&b), b.len, d)) == NULL)
		rc = -EINVAL;
	else if (rc == 0)
		rc = decode(path, j, out, d);
	else if (rc != -ENOENT)
		rc = diag_add(d, DIAG_UNAVAILABLE, path, "cannot be read: %s", strerror(-rc));
	json_decref(j);
	buf_fini(&b);
	free(path);
	return rc;
}

/* Written as root before the processes become the user, who has to read it. */
static int
give(const char *path, const char *user)
{
	const struct passwd *pw = user == NULL || geteuid() != 0 ? NULL : getpwnam(user);

	return pw == NULL || chown(path, pw->pw_uid, pw->pw_gid) == 0 ? 0 : -errno;
}

int
identity_save(const char *dir, const struct identity *i, const char *user, struct diag *d)
{
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s}", "node", i->node, "server", i->server,
	    "authority", i->authority, "certificate", i->certificate, "key", i->key);
	char *path = path_in(dir), *text = json_pretty(j);
	int rc = file_replace(path, 0600, text, strlen(text));

	if (rc == 0)
		rc = give(path, user);
	if (rc < 0)
		diag_add(d, DIAG_UNAVAILABLE, path, "cannot be written: %s", strerror(-rc));
	free(text);
	free(path);
	json_decref(j);
	return rc < 0 ? -EINVAL : 0;
}

void
identity_fini(struct identity *i)
{
	free(i->node);
	free(i->server);
	free(i->authority);
	free(i->certificate);
	free(i->key);
	*i = (struct identity){ 0 };
}

/* ---- TLS ---- */

SSL_CTX *
identity_context(const struct identity *i)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	X509 *cert = cert_read(i->certificate), *authority = cert_read(i->authority);
	EVP_PKEY *key = pem_key(i->key);
	const bool ok = ctx != NULL && cert != NULL && authority != NULL && key != NULL &&
			SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
			SSL_CTX_use_certificate(ctx, cert) == 1 &&
			SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
			SSL_CTX_check_private_key(ctx) == 1 &&
			X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), authority) == 1;

	if (ok) {
		/* For the purpose of a server, as clients verify: a node's would not do. */
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	} else {
		SSL_CTX_free(ctx);
		ctx = NULL;
	}
	EVP_PKEY_free(key);
	X509_free(authority);
	X509_free(cert);
	ERR_clear_error();
	return ctx;
}

bool
identity_is_old(const struct identity *i)
{
	X509 *cert = cert_read(i->certificate);
	const int64_t now_s = clock_real_ms() / 1000;
	const bool old = cert != NULL && now_s - cert_begins_s(cert) > cert_ends_s(cert) - now_s;

	X509_free(cert);
	return old;
}
