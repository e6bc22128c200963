/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "probe/protocol.h"
#include "probe/trust.h"

void
tls_forget(struct tls_memory **m)
{
	if (*m == NULL)
		return;
	free((*m)->session);
	free(*m);
	*m = NULL;
}

void
tls_prepare(struct recipe *r, const char *host, const struct tls_spec *tls)
{
	const bool given = tls->sni != NULL && tls->sni[0] != '\0';

	r->trust = trust_get(tls);
	r->verify = tls->verify;
	r->tls_name = xstrdup(given ? tls->sni : host);
	r->full_every = tls->full_handshake_every;
	r->expiry_warn_days = tls->expiry_warn_days;
}

static void
drop_session(struct tls_memory *m)
{
	free(m->session);
	m->session = NULL;
	m->resumed = 0;
}

int
tls_session_came(SSL *ssl, SSL_SESSION *session)
{
	struct tls_memory *m = SSL_get_app_data(ssl);
	unsigned char *der = NULL;
	const int len = i2d_SSL_SESSION(session, &der);

	if (len > 0) {
		free(m->session);
		m->session = xmemdup(der, (size_t)len);
		m->session_len = len;
	}
	OPENSSL_free(der);
	return 0; /* nothing of `session` is kept */
}

/* -- the beginning -- */

static bool
may_resume(const struct recipe *r, const struct tls_memory *m)
{
	return m->session != NULL && m->resumed + 1 < r->full_every &&
	       (m->expires_s == 0 || clock_real_ms() / 1000 < m->expires_s);
}

static void
offer_session(struct probe *p)
{
	struct tls_memory *m = p->tls_memory;
	const unsigned char *der = m->session;

	if (!may_resume(p->recipe, m)) {
		drop_session(m);
		return;
	}

	SSL_SESSION *session = d2i_SSL_SESSION(NULL, &der, m->session_len);

	if (session != NULL)
		SSL_set_session(p->ssl, session);
	SSL_SESSION_free(session);
}

/* An IP is asked for by no SNI (RFC 6066 section 3), but the certificate must hold it. */
static void
name_peer(struct probe *p)
{
	const struct recipe *r = p->recipe;
	struct addr ip;
	const bool is_ip = addr_ip_parse(&ip, r->tls_name, AF_UNSPEC) == 0;

	if (!is_ip)
		SSL_set_tlsext_host_name(p->ssl, r->tls_name);
	SSL_set_verify(p->ssl, r->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (r->verify && is_ip)
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(p->ssl), r->tls_name);
	else if (r->verify)
		SSL_set1_host(p->ssl, r->tls_name);
}

static enum probe_step
begin(struct probe *p)
{
	const struct recipe *r = p->recipe;

	/* Nothing is learned about the target: no outcome. */
	if (r->trust == NULL) {
		p->text = "CA, certificate or key cannot be used";
		return PROBE_STARVED;
	}
	if (p->tls_memory == NULL)
		p->tls_memory = xcalloc(1, sizeof(*p->tls_memory));
	p->ssl = SSL_new(trust_context(r->trust));
	if (p->ssl == NULL || SSL_set_fd(p->ssl, p->fd) != 1) {
		p->text = "no memory for TLS";
		return PROBE_STARVED;
	}
	SSL_set_connect_state(p->ssl);
	SSL_set_app_data(p->ssl, p->tls_memory);
	name_peer(p);
	if (r->protocol->alpn != NULL)
		SSL_set_alpn_protos(p->ssl, (const unsigned char *)r->protocol->alpn,
		    (unsigned)strlen(r->protocol->alpn));
	offer_session(p);
	return PROBE_PASS;
}

/* -- how it ended -- */

static const char *
certificate_fault(long error)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "expired";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "not yet valid";
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return "self-signed";
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return "wrong name";
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return "unknown issuer";
	default:
		return X509_verify_cert_error_string(error);
	}
}

/* OpenSSL's reasons are static text. */
static enum probe_step
fail(struct probe *p)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	const long verified = SSL_get_verify_result(p->ssl);

	drop_session(p->tls_memory);
	if (p->recipe->verify && verified != X509_V_OK && p->tls_us == 0)
		return probe_fail(p, "tls_cert", certificate_fault(verified));
	return probe_fail(p, "tls_handshake", reason != NULL ? reason : "handshake failed");
}

/* What a call's result `rc` means; 0 with PASS = the end. */
static enum probe_step
step_of(struct probe *p, int rc, int error)
{
	switch (SSL_get_error(p->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return PROBE_READ;
	case SSL_ERROR_WANT_WRITE:
		return PROBE_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return PROBE_PASS;
	case SSL_ERROR_SYSCALL:
		return error != 0 ? probe_error(p, error) : PROBE_PASS;
	default:
		return fail(p);
	}
}

static void
note_certificate(struct probe *p)
{
	struct tls_memory *m = p->tls_memory;
	X509 *cert = SSL_get0_peer_certificate(p->ssl);
	struct tm end;

	if (SSL_session_reused(p->ssl)) {
		m->resumed++;
		return;
	}
	m->resumed = 0;
	m->expires_s = 0;
	if (cert != NULL && ASN1_TIME_to_tm(X509_get0_notAfter(cert), &end) == 1)
		m->expires_s = timegm(&end);
}

enum probe_step
tls_handshake(struct probe *p)
{
	if (p->ssl == NULL) {
		const enum probe_step step = begin(p);

		if (step != PROBE_PASS)
			return step;
	}
	ERR_clear_error();
	errno = 0;

	const int rc = SSL_do_handshake(p->ssl);

	if (rc == 1) {
		note_certificate(p);
		p->secured = true;
		probe_secured(p);
		return PROBE_PASS;
	}

	const enum probe_step step = step_of(p, rc, errno);

	return step == PROBE_PASS ? probe_fail(p, "tls_handshake", "closed during the handshake")
				  : step;
}

size_t
tls_send(struct probe *p, const void *data, size_t len, enum probe_step *step)
{
	size_t n = 0;

	ERR_clear_error();
	errno = 0;

	const int rc = SSL_write_ex(p->ssl, data, len, &n);

	if (rc == 1)
		return n;
	*step = step_of(p, rc, errno);
	if (*step == PROBE_PASS)
		*step = probe_error(p, EPIPE);
	return 0;
}

size_t
tls_receive(struct probe *p, void *data, size_t size, enum probe_step *step)
{
	size_t n = 0;

	ERR_clear_error();
	errno = 0;

	const int rc = SSL_read_ex(p->ssl, data, size, &n);

	if (rc == 1)
		return n;
	*step = step_of(p, rc, errno);
	return 0;
}
