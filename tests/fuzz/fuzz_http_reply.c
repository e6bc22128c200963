/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The head and body of an HTTP reply from anybody. The first octet says how large the pieces are in
 * which the rest arrives: the outcome must not depend on it.
 */
#include <string.h>

#include "base/check.h"
#include "probe/http_body.h"
#include "probe/http_reply.h"
#include "target.h"

static enum http_reply_progress
feed(struct http_reply *r, const uint8_t *data, size_t size, size_t piece)
{
	enum http_reply_progress progress = HTTP_REPLY_MORE;

	http_reply_init(r);
	for (size_t at = 0; at < size; at += piece)
		progress = http_reply_feed(r, data + at, size - at < piece ? size - at : piece);
	return progress;
}

/* Head and body, as a probe reads them: how it ended, and the body in `out`. */
static enum http_reply_progress
feed_body(const uint8_t *data, size_t size, size_t piece, struct buf *out)
{
	enum http_reply_progress progress = HTTP_REPLY_MORE;
	struct http_body body;
	struct http_reply r;
	bool head = true;

	http_reply_init(&r);
	http_reply_note(&r, out);
	for (size_t at = 0; at < size; at += piece) {
		const size_t n = size - at < piece ? size - at : piece, seen = r.seen;
		size_t used = 0;

		if (head) {
			progress = http_reply_feed(&r, data + at, n);
			if (progress == HTTP_REPLY_BAD)
				return progress;
			if (progress == HTTP_REPLY_MORE)
				continue;
			used = r.seen - seen;
			head = false;
			CHECK(r.length >= -1);
			CHECK(out->len == 0 || memchr(out->data, '\n', out->len) == NULL);
			buf_clear(out);
			http_body_init(&body, &r);
		}
		progress = http_body_feed(&body, data + at + used, n - used, out);
	}
	CHECK(out->len <= HTTP_BODY_MAX);
	return head                          ? HTTP_REPLY_MORE
	       : progress == HTTP_REPLY_MORE ? http_body_end(&body)
					     : progress;
}

static void
same_bodies(const uint8_t *data, size_t size, size_t piece)
{
	struct buf whole, pieces;

	buf_init(&whole, HTTP_BODY_MAX);
	buf_init(&pieces, HTTP_BODY_MAX);
	CHECK(feed_body(data, size, size, &whole) == feed_body(data, size, piece, &pieces));
	CHECK(whole.len == pieces.len);
	CHECK(whole.len == 0 || memcmp(whole.data, pieces.data, whole.len) == 0);
	buf_fini(&whole);
	buf_fini(&pieces);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_reply whole, pieces;

	if (size < 2)
		return 0;

	const enum http_reply_progress progress = feed(&whole, data + 1, size - 1, size - 1);

	CHECK(feed(&pieces, data + 1, size - 1, data[0] + 1u) == progress);
	CHECK(whole.status == pieces.status && whole.seen == pieces.seen);
	CHECK((progress == HTTP_REPLY_BAD) == (whole.why != NULL) && whole.why == pieces.why);
	CHECK(whole.seen <= HTTP_REPLY_HEAD_MAX + 1);
	if (progress == HTTP_REPLY_DONE)
		CHECK(whole.status >= 101 && whole.status <= 999);
	same_bodies(data + 1, size - 1, data[0] + 1u);
	return 0;
}
