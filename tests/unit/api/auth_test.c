/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may what: tokens, scopes, the Unix socket, the admin token's file. */
#include <sodium.h>
#include <sys/stat.h>

#include "rig.h"

static void
add_token(struct rig *r, const char *secret, const char *scopes, int64_t expires_ms)
{
	struct store_token t = {
		.id = secret, .name = secret, .scopes = scopes, .expires_ms = expires_ms
	};
	struct diag d;

	crypto_hash_sha256(t.hash, (const unsigned char *)secret, strlen(secret));
	diag_init(&d);
	assert_int_equal(store_token_add(r->store, &t, &d), 0);
	diag_fini(&d);
}

static void
test_a_token_is_needed(void **state)
{
	struct rig *r = *state;

	strcpy(r->token, "");
	assert_int_equal(rig_ask(r, "GET", "/api/v1/pools", NULL, NULL), 401);
	assert_string_equal(rig_header(r, "WWW-Authenticate"), "Bearer realm=\"opengtm\"");
	assert_int_equal(rig_ask(r, "GET", "/metrics", NULL, NULL), 401);
	assert_int_equal(rig_ask(r, "GET", "/healthz", NULL, NULL), 200);
	assert_int_equal(rig_ask(r, "GET", "/version", NULL, NULL), 200);
	strcpy(r->token, "guess");
	assert_int_equal(rig_ask(r, "GET", "/api/v1/pools", NULL, NULL), 401);
	assert_int_equal(
	    rig_ask(r, "GET", "/api/v1/pools", NULL, "Authorization: Basic eDp5"), 401);
}

static void
test_scopes_limit(void **state)
{
	struct rig *r = *state;

	rig_fill(r);
	add_token(r, "reader", "read", 0);
	add_token(r, "operator", "read,operate", 0);
	add_token(r, "writer", "write", 0);
	add_token(r, "old", "admin", 1);
	strcpy(r->token, "reader");
	assert_int_equal(rig_ask(r, "GET", "/api/v1/pools", NULL, NULL), 200);
	assert_int_equal(rig_ask(r, "DELETE", "/api/v1/pools/p1", NULL, NULL), 403);
	assert_string_equal(rig_at(r, "errors[0].got"), "read");
	assert_string_equal(rig_at(r, "errors[0].allowed"), "write");
	strcpy(r->token, "operator");
	assert_int_equal(
	    rig_ask(r, "POST", "/api/v1/domains/www.example.com/A:disable", NULL, NULL), 200);
	assert_int_equal(
	    rig_ask(r, "PUT", "/api/v1/templates/t", "{'spec':{'protocol':'tcp'}}", NULL), 403);
	strcpy(r->token, "writer");
	rig_put(r, "/api/v1/templates/t", "{'spec':{'protocol':'tcp'}}");
	assert_int_equal(rig_ask(r, "GET", "/api/v1/audit?limit=1", NULL, NULL), 200);
	assert_string_equal(rig_at(r, "items[0].author"), "token:writer");
	strcpy(r->token, "old");
	assert_int_equal(rig_ask(r, "GET", "/api/v1/pools", NULL, NULL), 401);
}

static void
test_the_socket_knows_its_peer(void **state)
{
	struct rig *r = *state;

	strcpy(r->token, "");
	r->local = true;
	rig_put(r, "/api/v1/templates/t", "{'spec':{'protocol':'tcp'}}");
	strcpy(r->token, "guess"); /* whoever shows a token is judged by it */
	assert_int_equal(rig_ask(r, "GET", "/api/v1/pools", NULL, NULL), 401);
}

static void
test_the_admin_token_comes_back(void **state)
{
	struct rig *r = *state;
	char path[96], first[80];
	struct stat st;

	snprintf(path, sizeof(path), "%s/admin.token", r->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(strlen(r->token), 64);
	strcpy(first, r->token);
	rig_halt(r);
	rig_serve(r);
	assert_string_equal(r->token, first);
	assert_int_equal(rig_ask(r, "GET", "/api/v1/pools", NULL, NULL), 200);
	rig_halt(r);
	assert_int_equal(unlink(path), 0);
	rig_serve(r);
	assert_string_not_equal(r->token, first);
	assert_int_equal(rig_ask(r, "GET", "/api/v1/pools", NULL, NULL), 200);
	strcpy(r->token, first);
	assert_int_equal(rig_ask(r, "GET", "/api/v1/pools", NULL, NULL), 401);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_start, rig_stop)
		TEST(test_a_token_is_needed),
		TEST(test_scopes_limit),
		TEST(test_the_socket_knows_its_peer),
		TEST(test_the_admin_token_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
