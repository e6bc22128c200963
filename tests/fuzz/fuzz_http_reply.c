/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The head of an HTTP reply from anybody. The first octet says how large the pieces are in which
 * the rest arrives: the outcome must not depend on it.
 */
#include <string.h>

#include "base/check.h"
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
	return 0;
}
