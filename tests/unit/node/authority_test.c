/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates, and connections made with them. */
#include "node/authority.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/loop.h"
#include "node/identity.h"
#include "node/wire.h"

struct site {
	char dir[64];
	struct authority *authority;
};

static int
begin(void **state)
{
	struct site *s = xcalloc(1, sizeof(*s));
	struct diag d;

	strcpy(s->dir, "/tmp/gtm-authority-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	diag_init(&d);
	s->authority = authority_open(s->dir, &d);
	assert_non_null(s->authority);
	diag_fini(&d);
	*state = s;
	return 0;
}

static int
end(void **state)
{
	struct site *s = *state;
	char command[128];

	authority_free(&s->authority);
	snprintf(command, sizeof(command), "rm -rf %s", s->dir);
	assert_int_equal(system(command), 0);
	free(s);
	return 0;
}

/* Another start has the same authority; a file that is damaged is no reason for a new one. */
static void
test_kept(void **state)
{
	struct site *s = *state;
	uint8_t digest[CERT_DIGEST];
	char path[128];
	struct stat st;
	struct diag d;

	memcpy(digest, authority_digest(s->authority), sizeof(digest));
	authority_free(&s->authority);
	diag_init(&d);
	s->authority = authority_open(s->dir, &d);
	assert_non_null(s->authority);
	assert_memory_equal(digest, authority_digest(s->authority), sizeof(digest));
	snprintf(path, sizeof(path), "%s/nodes.authority", s->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(truncate(path, st.st_size / 2), 0);

	struct authority *none = authority_open(s->dir, &d);

	assert_null(none);
	assert_non_null(strstr(diag_text(&d), "is damaged"));
	diag_fini(&d);
}

static struct identity
enrol(struct site *s, const char *name, char digest[CERT_DIGEST_SIZE])
{
	EVP_PKEY *key = cert_key_new();
	char *request = cert_request(key);
	struct identity i = { .node = xstrdup(name), .server = xstrdup("x:1") };

	i.key = cert_key_text(key);
	i.certificate = authority_sign(s->authority, request, name, digest);
	i.authority = xstrdup(authority_text(s->authority));
	assert_non_null(i.certificate);
	EVP_PKEY_free(key);
	free(request);
	return i;
}

static void
test_what_is_signed(void **state)
{
	struct site *s = *state;
	char digest[CERT_DIGEST_SIZE], again[CERT_DIGEST_SIZE], name[CERT_NAME_SIZE];
	struct identity i = enrol(s, "上海-1", digest);
	X509 *cert = cert_read(i.certificate);

	cert_digest_text(cert, again);
	assert_string_equal(digest, again);
	assert_int_equal(cert_name(cert, name), 0);
	assert_string_equal(name, "上海-1");
	assert_true(cert_ends_s(cert) - cert_begins_s(cert) >= AUTHORITY_NODE_S);
	assert_false(identity_is_old(&i));
	X509_free(cert);
	identity_fini(&i);

	assert_null(authority_sign(s->authority, "", "n", digest));
	assert_null(
	    authority_sign(s->authority, "-----BEGIN CERTIFICATE REQUEST-----\n", "n", digest));

	/* Keys of another kind are none of ours. */
	EVP_PKEY *rsa = EVP_RSA_gen(2048);
	char *request = cert_request(rsa);

	assert_non_null(request);
	assert_null(authority_sign(s->authority, request, "n", digest));
	free(request);
	EVP_PKEY_free(rsa);
}

/* A certificate whose time is half over is renewed, and not before. */
static void
test_half_life(void **state)
{
	static const struct {
		int64_t lives_s;
		bool old;
	} lives[] = { { 10, true }, { 80000, true }, { 90 * 86400, false } };
	struct site *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
		EVP_PKEY *ca_key = cert_key_new(), *key = cert_key_new();
		X509 *ca = cert_authority(ca_key);
		/* It began a day ago: the clocks of nodes may be behind. */
		X509 *cert = cert_issue(ca, ca_key, key, "n", lives[i].lives_s, false);
		struct identity id = { .certificate = cert_text(cert) };

		assert_int_equal(identity_is_old(&id), lives[i].old);
		identity_fini(&id);
		X509_free(cert);
		X509_free(ca);
		EVP_PKEY_free(key);
		EVP_PKEY_free(ca_key);
	}
	(void)s;
}

/* ---- connections ---- */

struct side {
	struct loop *loop;
	struct wire *wire;
	bool open, closed;
	char why[128];
	size_t messages, octets;
	struct side *other;
	char name[CERT_NAME_SIZE];
};

static void
on_open(void *arg)
{
	struct side *s = arg;
	X509 *cert = wire_peer(s->wire);

	s->open = true;
	if (cert != NULL)
		assert_int_equal(cert_name(cert, s->name), 0);
	X509_free(cert);
}

static void
on_message(void *arg, enum message_type type, const uint8_t *body, size_t len)
{
	struct side *s = arg;

	assert_int_equal(type, MESSAGE_CHANGE);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(body[i], (uint8_t)(len + i));
	s->messages++;
	s->octets += len;
	if (len == 0)
		loop_stop(s->loop);
}

static void
on_closed(void *arg, const char *why)
{
	struct side *s = arg;

	s->closed = true;
	snprintf(s->why, sizeof(s->why), "%s", why);
	loop_stop(s->loop);
}

static void
stop_late(struct wheel_timer *t)
{
	(void)t;
	fail_msg("nothing comes of it");
}

static void
connect_both(struct side *server, struct side *client, SSL_CTX *ours, SSL_CTX *theirs, size_t max)
{
	const struct wire_hooks s = { server, on_open, on_message, on_closed };
	const struct wire_hooks c = { client, on_open, on_message, on_closed };
	int fds[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	server->loop = client->loop = loop_new();
	server->other = client;
	client->other = server;
	server->wire = wire_new(server->loop, fds[0], ours, true, max, &s);
	client->wire = wire_new(server->loop, fds[1], theirs, false, max, &c);
}

static void
run_until_stopped(struct side *server, struct side *client)
{
	struct wheel_timer late;

	wheel_timer_init(&late, stop_late);
	loop_timer_in(server->loop, &late, 20000);
	loop_run(server->loop);
	loop_timer_cancel(server->loop, &late);
	wire_free(&server->wire);
	wire_free(&client->wire);
	loop_free(&server->loop);
}

/* All sizes around the edges of records, and one that is much more than a socket holds. */
static void
test_messages(void **state)
{
	static const size_t sizes[] = { 1, 2, 1000, 16383, 16384, 16385, 65536, 5000000, 0 };
	struct site *s = *state;
	char digest[CERT_DIGEST_SIZE];
	struct identity i = enrol(s, "n", digest);
	SSL_CTX *theirs = identity_context(&i);
	struct side server = { 0 }, client = { 0 };
	size_t sum = 0;

	connect_both(&server, &client, authority_context(s->authority), theirs, 6000000);
	for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
		uint8_t *data = xmalloc(sizes[k] + 1);

		for (size_t at = 0; at < sizes[k]; at++)
			data[at] = (uint8_t)(sizes[k] + at);
		wire_send(client.wire, MESSAGE_CHANGE, data, sizes[k]);
		free(data);
		sum += sizes[k];
	}
	run_until_stopped(&server, &client);
	assert_true(server.open && client.open && !server.closed && !client.closed);
	assert_string_equal(server.name, "n");
	assert_string_equal(client.name, "server");
	assert_int_equal(server.messages, ARRAY_LEN(sizes));
	assert_int_equal(server.octets, sum);
	SSL_CTX_free(theirs);
	identity_fini(&i);
}

static void
test_too_long(void **state)
{
	struct site *s = *state;
	char digest[CERT_DIGEST_SIZE];
	struct identity i = enrol(s, "n", digest);
	SSL_CTX *theirs = identity_context(&i);
	struct side server = { 0 }, client = { 0 };
	uint8_t data[1001] = { 0 };

	connect_both(&server, &client, authority_context(s->authority), theirs, 1000);
	wire_send(client.wire, MESSAGE_CHANGE, data, sizeof(data));
	run_until_stopped(&server, &client);
	assert_true(server.closed);
	assert_string_equal(server.why, "a message of impossible length");
	SSL_CTX_free(theirs);
	identity_fini(&i);
}

/* What a peer shows that is not of this authority, or not for this purpose, is refused. */
static void
refuse(SSL_CTX *ours, SSL_CTX *theirs, bool by_client)
{
	struct side server = { 0 }, client = { 0 };

	connect_both(&server, &client, ours, theirs, 1000);
	run_until_stopped(&server, &client);
	assert_true(by_client ? client.closed && !client.open : server.closed && !server.open);
}

static void
test_refused(void **state)
{
	struct site *s = *state;
	char digest[CERT_DIGEST_SIZE];
	struct identity good = enrol(s, "n", digest), other = enrol(s, "m", digest);
	EVP_PKEY *ca_key = cert_key_new(), *key = cert_key_new();
	X509 *ca = cert_authority(ca_key);
	X509 *cert = cert_issue(ca, ca_key, key, "n", 86400, false);
	struct identity forged = { .authority = good.authority,
		.certificate = cert_text(cert),
		.key = cert_key_text(key) };
	SSL_CTX *theirs = identity_context(&good), *forging = identity_context(&forged);
	SSL_CTX *posing = SSL_CTX_new(TLS_server_method());
	X509 *shown = cert_read(other.certificate), *authority = cert_read(other.authority);
	struct side server = { 0 }, client = { 0 };

	/* Of another authority of the same name. TLS 1.3: the client hears of it last. */
	connect_both(&server, &client, authority_context(s->authority), forging, 1000);
	run_until_stopped(&server, &client);
	assert_true((server.closed && !server.open) || client.closed);
	assert_false(server.open);

	/* A node that poses as the server, with its own good certificate. */
	EVP_PKEY *own = NULL;
	BIO *bio = BIO_new_mem_buf(other.key, -1);

	own = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_int_equal(SSL_CTX_use_certificate(posing, shown), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(posing, own), 1);
	assert_int_equal(SSL_CTX_add1_chain_cert(posing, authority), 1);
	refuse(posing, theirs, true);

	EVP_PKEY_free(own);
	X509_free(shown);
	X509_free(authority);
	SSL_CTX_free(posing);
	SSL_CTX_free(theirs);
	SSL_CTX_free(forging);
	free(forged.certificate);
	free(forged.key);
	X509_free(cert);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	identity_fini(&good);
	identity_fini(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kept, begin, end),
		cmocka_unit_test_setup_teardown(test_what_is_signed, begin, end),
		cmocka_unit_test_setup_teardown(test_half_life, begin, end),
		cmocka_unit_test_setup_teardown(test_messages, begin, end),
		cmocka_unit_test_setup_teardown(test_too_long, begin, end),
		cmocka_unit_test_setup_teardown(test_refused, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
