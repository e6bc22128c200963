/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "node/cert.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/rand.h"
#include "node/token.h"

#define PEM_MAX      16384
#define AUTHORITY_S  (50LL * 365 * 86400)
#define CLOCKS_S     86400 /* by which a node's clock may be behind */
#define AUTHORITY_CN "OpenGTM nodes"

EVP_PKEY *
cert_key_new(void)
{
	return EVP_EC_gen("P-256");
}

/* ---- text ---- */

static char *
take_text(BIO *bio, int ok)
{
	char *data, *text = NULL;
	const long len = BIO_get_mem_data(bio, &data);

	if (ok == 1 && len > 0)
		text = xstrndup(data, (size_t)len);
	BIO_free(bio);
	return text;
}

char *
cert_key_text(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return take_text(bio, PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
}

char *
cert_text(X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());

	return take_text(bio, PEM_write_bio_X509(bio, cert));
}

X509 *
cert_read(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	return cert;
}

/* ---- looking ---- */

void
cert_digest(const X509 *cert, uint8_t out[CERT_DIGEST])
{
	unsigned len = CERT_DIGEST;

	memset(out, 0, CERT_DIGEST);
	(void)X509_digest(cert, EVP_sha256(), out, &len);
}

void
cert_digest_text(const X509 *cert, char out[CERT_DIGEST_SIZE])
{
	uint8_t digest[CERT_DIGEST];

	cert_digest(cert, digest);
	token_hex(digest, sizeof(digest), out);
}

int
cert_name(const X509 *cert, char out[CERT_NAME_SIZE])
{
	X509_NAME *subject = X509_get_subject_name(cert);
	const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	X509_NAME_ENTRY *entry = at < 0 ? NULL : X509_NAME_get_entry(subject, at);
	unsigned char *text = NULL;
	const int len =
	    entry == NULL ? -1 : ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
	const bool fits =
	    len > 0 && len < CERT_NAME_SIZE && memchr(text, '\0', (size_t)len) == NULL;

	if (fits) {
		memcpy(out, text, (size_t)len);
		out[len] = '\0';
	}
	OPENSSL_free(text);
	return fits ? 0 : -EINVAL;
}

static int64_t
seconds(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

int64_t
cert_begins_s(const X509 *cert)
{
	return seconds(X509_get0_notBefore(cert));
}

int64_t
cert_ends_s(const X509 *cert)
{
	return seconds(X509_get0_notAfter(cert));
}

/* ---- requests ---- */

char *
cert_request(EVP_PKEY *key)
{
	X509_REQ *req = X509_REQ_new();
	BIO *bio = BIO_new(BIO_s_mem());
	const int ok = X509_REQ_set_version(req, 0) == 1 && X509_REQ_set_pubkey(req, key) == 1 &&
		       X509_REQ_sign(req, key, EVP_sha256()) > 0 &&
		       PEM_write_bio_X509_REQ(bio, req) == 1;

	X509_REQ_free(req);
	return take_text(bio, ok);
}

static bool
is_p256(EVP_PKEY *key)
{
	char group[32] = "";
	size_t len = 0;

	return EVP_PKEY_is_a(key, "EC") == 1 &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

EVP_PKEY *
cert_request_key(const char *pem)
{
	BIO *bio = strlen(pem) <= PEM_MAX ? BIO_new_mem_buf(pem, -1) : NULL;
	X509_REQ *req = bio == NULL ? NULL : PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
	EVP_PKEY *key = req == NULL ? NULL : X509_REQ_get_pubkey(req);

	if (key != NULL && (!is_p256(key) || X509_REQ_verify(req, key) != 1)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	X509_REQ_free(req);
	BIO_free(bio);
	return key;
}

/* ---- making ---- */

static bool
set_serial(X509 *cert)
{
	uint8_t bytes[16];

	rand_bytes(bytes, sizeof(bytes));
	bytes[0] &= 0x7f;
	bytes[0] |= 1;

	BIGNUM *n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	const bool ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;

	BN_free(n);
	return ok;
}

static bool
set_name(X509_NAME *name, const char *cn)
{
	return X509_NAME_add_entry_by_txt(
		   name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) == 1;
}

static bool
extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);

	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	const bool ok = e != NULL && X509_add_ext(cert, e, -1) == 1;

	X509_EXTENSION_free(e);
	return ok;
}

static X509 *
begin(EVP_PKEY *key, const char *name, int64_t lives_s)
{
	X509 *cert = X509_new();

	if (cert == NULL)
		return NULL;
	if (X509_set_version(cert, 2) == 1 && set_serial(cert) &&
	    X509_gmtime_adj(X509_getm_notBefore(cert), -CLOCKS_S) != NULL &&
	    X509_time_adj_ex(X509_getm_notAfter(cert), (int)(lives_s / 86400),
		(long)(lives_s % 86400), NULL) != NULL &&
	    X509_set_pubkey(cert, key) == 1 && set_name(X509_get_subject_name(cert), name))
		return cert;
	X509_free(cert);
	return NULL;
}

static X509 *
finish(X509 *cert, bool ok, EVP_PKEY *signer)
{
	if (ok && X509_sign(cert, signer, EVP_sha256()) > 0)
		return cert;
	X509_free(cert);
	return NULL;
}

X509 *
cert_authority(EVP_PKEY *key)
{
	X509 *cert = begin(key, AUTHORITY_CN, AUTHORITY_S);

	if (cert == NULL)
		return NULL;
	return finish(cert,
	    X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1 &&
		extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
		extend(cert, cert, NID_key_usage, "critical,keyCertSign") &&
		extend(cert, cert, NID_subject_key_identifier, "hash"),
	    key);
}

X509 *
cert_issue(X509 *authority, EVP_PKEY *authority_key, EVP_PKEY *key, const char *name,
    int64_t lives_s, bool server)
{
	X509 *cert = begin(key, name, lives_s);

	if (cert == NULL)
		return NULL;
	return finish(cert,
	    X509_set_issuer_name(cert, X509_get_subject_name(authority)) == 1 &&
		extend(cert, authority, NID_basic_constraints, "critical,CA:FALSE") &&
		extend(cert, authority, NID_key_usage, "critical,digitalSignature") &&
		extend(cert, authority, NID_ext_key_usage, server ? "serverAuth" : "clientAuth") &&
		extend(cert, authority, NID_authority_key_identifier, "keyid"),
	    authority_key);
}
