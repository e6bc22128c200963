/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/pem.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* Of an encrypted key; else OpenSSL would ask at the terminal. */
static int
no_password(char *buf UNUSED, int size UNUSED, int writing UNUSED, void *arg UNUSED)
{
	return -1;
}

int
pem_certificates(const char *text, void (*take)(void *arg, X509 *cert), void *arg)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	int n = 0;

	for (X509 *cert; (cert = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL; n++)
		take(arg, cert);

	/* Its end, or something that is none? */
	const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;

	ERR_clear_error();
	BIO_free(bio);
	return ended && n > 0 ? n : -EINVAL;
}

static void
drop(void *arg UNUSED, X509 *cert)
{
	X509_free(cert);
}

int
pem_check(const char *text)
{
	return pem_certificates(text, drop, NULL);
}

EVP_PKEY *
pem_key(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);

	ERR_clear_error();
	BIO_free(bio);
	return key;
}

static void
keep_first(void *arg, X509 *cert)
{
	X509 **first = arg;

	if (*first == NULL)
		*first = cert;
	else
		X509_free(cert);
}

bool
pem_key_fits(const char *certificates, const char *key)
{
	EVP_PKEY *pkey = pem_key(key);
	X509 *cert = NULL;
	bool fits;

	(void)!pem_certificates(certificates, keep_first, &cert);
	fits = cert != NULL && pkey != NULL && X509_check_private_key(cert, pkey) == 1;
	ERR_clear_error();
	EVP_PKEY_free(pkey);
	X509_free(cert);
	return fits;
}
