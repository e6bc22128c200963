/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls_peer.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/thread.h"
#include "net/sock.h"

#define DAY_S 86400L

static char *
text_of(BIO *bio)
{
	char *data;
	const long len = BIO_get_mem_data(bio, &data);
	char *text = xstrndup(data, (size_t)len);

	BIO_free(bio);
	return text;
}

static void
extend(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	assert_int_equal(X509_add_ext(cert, e, -1), 1);
	X509_EXTENSION_free(e);
}

void
identity_make(struct identity *i, const char *san, int days, const struct identity *issuer)
{
	static long serial = 1;
	BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());

	i->key = EVP_EC_gen("P-256");
	i->cert = X509_new();
	X509_set_version(i->cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(i->cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(i->cert), (days < 0 ? days - 1 : -1) * DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(i->cert), days * DAY_S + 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(i->cert), "CN", MBSTRING_ASC,
	    (const unsigned char *)san, -1, -1, 0);
	X509_set_issuer_name(
	    i->cert, X509_get_subject_name(issuer == NULL ? i->cert : issuer->cert));
	X509_set_pubkey(i->cert, i->key);
	extend(i->cert, NID_basic_constraints, issuer == NULL ? "critical,CA:TRUE" : "CA:FALSE");
	extend(i->cert, NID_subject_alt_name, san);
	assert_true(X509_sign(i->cert, issuer == NULL ? i->key : issuer->key, EVP_sha256()) > 0);
	PEM_write_bio_X509(cert_bio, i->cert);
	PEM_write_bio_PrivateKey(key_bio, i->key, NULL, NULL, 0, NULL, NULL);
	i->cert_pem = text_of(cert_bio);
	i->key_pem = text_of(key_bio);
}

void
identity_free(struct identity *i)
{
	X509_free(i->cert);
	EVP_PKEY_free(i->key);
	free(i->cert_pem);
	free(i->key_pem);
}

static void
talk(struct tls_peer *p, SSL *ssl)
{
	char request[4096];

	if (SSL_accept(ssl) != 1)
		return;
	atomic_fetch_add(SSL_session_reused(ssl) ? &p->resumed : &p->full, 1);
	if (SSL_read(ssl, request, sizeof(request)) > 0 && p->reply != NULL) {
		SSL_write(ssl, p->reply, (int)(p->reply_len > 0 ? p->reply_len : strlen(p->reply)));
		SSL_shutdown(ssl);
		/* Until they are gone: a reset would take our reply with it. */
		while (recv(SSL_get_fd(ssl), request, sizeof(request), 0) > 0)
			continue;
	}
}

static void *
serve(void *arg)
{
	struct tls_peer *p = arg;

	for (;;) {
		const int fd = accept(p->listener, NULL, NULL);

		if (atomic_load(&p->stop))
			return close(fd), NULL;

		SSL *ssl = SSL_new(p->context);

		SSL_set_fd(ssl, fd);
		talk(p, ssl);
		SSL_free(ssl);
		close(fd);
	}
}

void
tls_peer_start(struct tls_peer *p, const char *at, const struct identity *own,
    const struct identity *client_ca, const char *reply)
{
	struct addr any_port;
	struct diag d;

	*p = (struct tls_peer){ .reply = reply, .context = SSL_CTX_new(TLS_server_method()) };
	assert_int_equal(SSL_CTX_use_certificate(p->context, own->cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(p->context, own->key), 1);
	SSL_CTX_set_session_id_context(p->context, (const unsigned char *)"t", 1);
	if (client_ca != NULL) {
		SSL_CTX_set_verify(
		    p->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		X509_STORE_add_cert(SSL_CTX_get_cert_store(p->context), client_ca->cert);
	}
	assert_int_equal(addr_parse(&any_port, at, 0), 0);
	diag_init(&d);
	p->listener = sock_tcp_listen(&any_port, &d);
	diag_fini(&d);
	assert_true(p->listener >= 0);
	fcntl(p->listener, F_SETFL, 0); /* the thread waits in accept */
	assert_int_equal(sock_name(p->listener, &p->addr), 0);
	thread_start(&p->thread, "tls-peer", serve, p);
}

void
tls_peer_stop(struct tls_peer *p)
{
	atomic_store(&p->stop, true);

	const int fd = sock_tcp_connect(&p->addr, NULL);

	thread_join(p->thread);
	close(fd);
	close(p->listener);
	SSL_CTX_free(p->context);
}
