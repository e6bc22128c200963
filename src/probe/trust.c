/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/trust.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/mem.h"
#include "base/shared.h"
#include "net/pem.h"
#include "probe/tls.h"

struct trust {
	struct shared shared;
	SSL_CTX *context;
};

static const char *
text_of(const char *text)
{
	return text != NULL ? text : "";
}

static void
release(struct shared *s)
{
	struct trust *t = container_of(s, struct trust, shared);

	SSL_CTX_free(t->context);
	free(t);
}

static void
add_ca(void *arg, X509 *cert)
{
	X509_STORE_add_cert(arg, cert);
	X509_free(cert);
}

struct chain {
	SSL_CTX *context;
	bool any, bad;
};

/* The first is our own, the others lead to its issuer. */
static void
add_own(void *arg, X509 *cert)
{
	struct chain *c = arg;
	const long ok = c->any ? SSL_CTX_add1_chain_cert(c->context, cert)
			       : SSL_CTX_use_certificate(c->context, cert);

	c->any = true;
	c->bad = c->bad || ok != 1;
	X509_free(cert);
}

static bool
use_identity(SSL_CTX *context, const struct tls_spec *tls)
{
	struct chain chain = { .context = context };
	EVP_PKEY *key = pem_key(text_of(tls->key));
	const bool ok = pem_certificates(tls->certificate, add_own, &chain) > 0 && !chain.bad &&
			key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1;

	EVP_PKEY_free(key);
	return ok;
}

static bool
furnish(SSL_CTX *context, const struct tls_spec *tls)
{
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	bool ok = true;

	if (!tls->verify)
		ok = true;
	else if (text_of(tls->ca)[0] != '\0')
		ok = pem_certificates(tls->ca, add_ca, store) > 0;
	else
		ok = SSL_CTX_set_default_verify_paths(context) == 1;
	/* An intermediate or a server's own certificate may be what is trusted. */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	return ok && (text_of(tls->certificate)[0] == '\0' || use_identity(context, tls));
}

static struct shared *
make(const void *arg)
{
	const struct tls_spec *tls = arg;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (context == NULL || !furnish(context, tls)) {
		SSL_CTX_free(context);
		ERR_clear_error();
		return NULL;
	}
	/* Many web servers just close; the framing above tells whether something is missing. */
	SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(context, tls_session_came);

	struct trust *t = xcalloc(1, sizeof(*t));

	*t = (struct trust){ .shared.free = release, .context = context };
	return &t->shared;
}

struct trust *
trust_get(const struct tls_spec *tls)
{
	char *key = xasprintf("trust:%d\n%s\n%s\n%s", tls->verify, text_of(tls->ca),
	    text_of(tls->certificate), text_of(tls->key));
	struct shared *s = shared_get(key, make, tls);

	free(key);
	return s != NULL ? container_of(s, struct trust, shared) : NULL;
}

void
trust_put(struct trust **t)
{
	if (*t == NULL)
		return;
	shared_put(&(*t)->shared);
	*t = NULL;
}

SSL_CTX *
trust_context(const struct trust *t)
{
	return t->context;
}
