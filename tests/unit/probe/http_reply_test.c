/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/http_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOT_HTTP  "not an HTTP/1 reply"
#define BAD_LINE  "malformed status line"
#define BAD_CODE  "status is not a number of three digits"
#define BAD_FIELD "malformed header line"
#define BAD_CR    "CR without LF"
#define CONTROL   "control character in the head"

/* status: DONE; why: BAD; neither: MORE. */
static const struct reply {
	const char *text;
	unsigned status;
	const char *why;
} replies[] = {
	{ "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 0\r\n\r\n", 200, NULL },
	{ "HTTP/1.1 503 Service Unavailable\r\n\r\nbody \x01 of \r any kind", 503, NULL },
	{ "HTTP/1.0 404 Not Found\n\n", 404, NULL },
	{ "HTTP/1.1 204\r\n\r\n", 204, NULL },
	{ "HTTP/1.1 204 \r\n\r\n", 204, NULL },
	{ "HTTP/1.1 204\n\n", 204, NULL },
	{ "HTTP/1.9 999 \xfc\xf1\t!\r\n\r\n", 999, NULL },
	{ "\r\nHTTP/1.1 200 OK\r\n\r\n", 200, NULL },
	{ "HTTP/1.1 200 OK\r\nA:\r\nB:b\r\n c\r\n\td\r\nE : e\r\n\r\n", 200, NULL },
	{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
	  "HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n",
	    301, NULL },
	{ "HTTP/1.1 101 Switching Protocols\r\n\r\n", 101, NULL },

	{ "", 0, NULL },
	{ "HTTP/1.", 0, NULL },
	{ "HTTP/1.1 200 OK\r\n", 0, NULL },
	{ "HTTP/1.1 200 OK\r\nA: b\r\n\r", 0, NULL },
	{ "HTTP/1.1 100 Continue\r\n\r\n", 0, NULL },
	{ "\r\n\n\r\n", 0, NULL },

	{ "SSH-2.0-OpenSSH_9.2\r\n", 0, NOT_HTTP },
	{ "HTTP/2.0 200 OK\r\n\r\n", 0, NOT_HTTP },
	{ "HTTP/1.x 200 OK\r\n\r\n", 0, NOT_HTTP },
	{ "http/1.1 200 OK\r\n\r\n", 0, NOT_HTTP },
	{ " HTTP/1.1 200 OK\r\n\r\n", 0, NOT_HTTP },
	{ "\rHTTP/1.1 200 OK\r\n\r\n", 0, NOT_HTTP },
	{ "\x16\x03\x03\x02\x70", 0, NOT_HTTP },
	{ "HTTP/1.10 200 OK\r\n\r\n", 0, BAD_LINE },
	{ "HTTP/1.1\t200 OK\r\n\r\n", 0, BAD_LINE },
	{ "HTTP/1.1\r\n\r\n", 0, BAD_LINE },
	{ "HTTP/1.1 20 OK\r\n\r\n", 0, BAD_CODE },
	{ "HTTP/1.1  200 OK\r\n\r\n", 0, BAD_CODE },
	{ "HTTP/1.1 2000 OK\r\n\r\n", 0, BAD_CODE },
	{ "HTTP/1.1 099 OK\r\n\r\n", 0, BAD_CODE },
	{ "HTTP/1.1 -20 OK\r\n\r\n", 0, BAD_CODE },
	{ "HTTP/1.1 200OK\r\n\r\n", 0, BAD_CODE },
	{ "HTTP/1.1 200 O\x07K\r\n\r\n", 0, CONTROL },
	{ "HTTP/1.1 200 OK\r\nA: \x7f\r\n\r\n", 0, CONTROL },
	{ "HTTP/1.1 200 OK\rA: b\r\n\r\n", 0, BAD_CR },
	{ "HTTP/1.1 200 OK\r\n\rA", 0, BAD_CR },
	{ "HTTP/1.1 200 OK\r\n: no name\r\n\r\n", 0, BAD_FIELD },
	{ "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", 0, BAD_FIELD },
	{ "HTTP/1.1 200 OK\r\nA(b): c\r\n\r\n", 0, BAD_FIELD },
	{ "HTTP/1.1 200 OK\r\n\xc3\xa4: c\r\n\r\n", 0, BAD_FIELD },
};

static void
assert_reply(const struct http_reply *r, enum http_reply_progress got, const struct reply *expected)
{
	enum http_reply_progress progress = HTTP_REPLY_MORE;

	if (expected->why != NULL)
		progress = HTTP_REPLY_BAD;
	else if (expected->status != 0)
		progress = HTTP_REPLY_DONE;
	if (got != progress)
		print_error("%s\n", expected->text);
	assert_int_equal(got, progress);
	if (got == HTTP_REPLY_DONE)
		assert_int_equal(r->status, expected->status);
	if (got == HTTP_REPLY_BAD)
		assert_string_equal(r->why, expected->why);
}

static void
test_in_two_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		const size_t len = strlen(replies[i].text);

		for (size_t cut = 0; cut <= len; cut++) {
			struct http_reply r;

			http_reply_init(&r);
			http_reply_feed(&r, replies[i].text, cut);
			assert_reply(
			    &r, http_reply_feed(&r, replies[i].text + cut, len - cut), &replies[i]);
		}
	}
}

/* And what came to an end stays there, whatever follows. */
static void
test_octet_by_octet(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct http_reply r;

		http_reply_init(&r);
		for (const char *at = replies[i].text; *at != '\0'; at++)
			http_reply_feed(&r, at, 1);
		assert_reply(&r, http_reply_feed(&r, "", 0), &replies[i]);
		if (replies[i].why != NULL || replies[i].status != 0)
			assert_reply(&r, http_reply_feed(&r, "\x00more\r\n\r\n", 10), &replies[i]);
	}
}

static void
test_size_is_limited(void **state)
{
	static const char opening[] = "HTTP/1.1 200 OK\r\nA: ", end[] = "\r\n\r\n";
	const size_t room = HTTP_REPLY_HEAD_MAX - strlen(opening) - strlen(end);

	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		char *value = malloc(room + extra);
		struct http_reply r;

		memset(value, 'v', room + extra);
		http_reply_init(&r);
		http_reply_feed(&r, opening, strlen(opening));
		assert_int_equal(http_reply_feed(&r, value, room + extra), HTTP_REPLY_MORE);
		assert_int_equal(http_reply_feed(&r, end, strlen(end)),
		    extra == 0 ? HTTP_REPLY_DONE : HTTP_REPLY_BAD);
		free(value);
	}
}

static void
test_endless_interim_replies_are_bad(void **state)
{
	static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
	enum http_reply_progress progress = HTTP_REPLY_MORE;
	struct http_reply r;
	size_t fed = 0;

	(void)state;
	http_reply_init(&r);
	for (; progress == HTTP_REPLY_MORE; fed += strlen(interim))
		progress = http_reply_feed(&r, interim, strlen(interim));
	assert_int_equal(progress, HTTP_REPLY_BAD);
	assert_in_range(fed, HTTP_REPLY_HEAD_MAX, HTTP_REPLY_HEAD_MAX + strlen(interim));
}

/* Would they keep the connection? */
static void
test_who_closes(void **state)
{
	static const struct {
		const char *text;
		bool closes;
	} heads[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false },
		{ "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", true },
		{ "HTTP/1.1 200 OK\r\nCONNECTION:keep-alive, Close\r\n\r\n", true },
		{ "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n", false },
		{ "HTTP/1.1 200 OK\r\nConnection: clos\r\n\r\n", false },
		{ "HTTP/1.1 200 OK\r\nConnection: disclose\r\n\r\n", false },
		{ "HTTP/1.1 200 OK\r\nConnectionx: close\r\n\r\n", false },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: close\r\n\r\n", false },
		{ "HTTP/1.0 200 OK\r\n\r\n", true },
		{ "HTTP/1.0 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		struct http_reply r;
		struct buf location;

		buf_init(&location, 100);
		http_reply_init(&r);
		http_reply_note(&r, &location);
		assert_int_equal(
		    http_reply_feed(&r, heads[i].text, strlen(heads[i].text)), HTTP_REPLY_DONE);
		if (r.closes != heads[i].closes)
			fail_msg("%s", heads[i].text);
		buf_fini(&location);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_two_pieces),
		cmocka_unit_test(test_octet_by_octet),
		cmocka_unit_test(test_size_is_limited),
		cmocka_unit_test(test_endless_interim_replies_are_bad),
		cmocka_unit_test(test_who_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
