/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *	      "HTTP/1."   digit     " "      3 digits            reason         name ":" value
 *	START --> VERSION --> MINOR --> SPACE --> STATUS --> STATUS_END --> TEXT --> LINE <--> NAME,
 *TEXT ^                                                                           |
 *	  `---------- after a 1xx ------------------------------------------- an empty line: END
 *
 * A CR is followed by a LF or refused: the states in _CR.
 */
#include "probe/http_reply.h"

#include <stdbool.h>
#include <string.h>

enum state {
	START,
	START_CR,
	VERSION,
	MINOR,
	SPACE,
	STATUS,
	STATUS_END,
	TEXT, /* a reason phrase or a header's value */
	TEXT_CR,
	LINE, /* at the start of a header line */
	NAME,
	HEAD_CR,
	END,
	BAD,
};

static const char opening[] = "HTTP/1.";

void
http_reply_init(struct http_reply *r)
{
	*r = (struct http_reply){ .state = START };
}

static enum state
refuse(struct http_reply *r, const char *why)
{
	r->why = why;
	return BAD;
}

/* RFC 9110 5.6.2 */
static bool
is_token(uint8_t c)
{
	return c > ' ' && c < 127 && strchr("\"(),/:;<=>?@[\\]{}", c) == NULL;
}

/* RFC 9110 5.5: visible octets, obs-text, space and tab. */
static bool
is_text(uint8_t c)
{
	return (c >= ' ' && c != 127) || c == '\t';
}

static enum state
opening_next(struct http_reply *r, uint8_t c)
{
	if (c != (uint8_t)opening[r->matched])
		return refuse(r, "not an HTTP/1 reply");
	if (++r->matched < sizeof(opening) - 1)
		return VERSION;
	r->matched = 0;
	r->status = 0;
	return MINOR;
}

static enum state
status_next(struct http_reply *r, uint8_t c)
{
	if (c < (r->matched == 0 ? '1' : '0') || c > '9')
		return refuse(r, "status is not a number of three digits");
	r->status = (uint16_t)(r->status * 10 + (c - '0'));
	return ++r->matched < 3 ? STATUS : STATUS_END;
}

/* In a reason phrase or a header's value. */
static enum state
text_next(struct http_reply *r, uint8_t c)
{
	if (c == '\n')
		return LINE;
	if (c == '\r')
		return TEXT_CR;
	return is_text(c) ? TEXT : refuse(r, "control character in the head");
}

static enum state
line_next(struct http_reply *r, uint8_t c)
{
	if (is_token(c))
		return NAME;
	if (c == ' ' || c == '\t') /* folded: goes on with the line before */
		return TEXT;
	return refuse(r, "malformed header line");
}

/* Spaces before the colon are wrong, but for a reply's reader to remove (RFC 9112 section 5.1). */
static enum state
name_next(struct http_reply *r, uint8_t c)
{
	if (c == ':')
		return TEXT;
	return is_token(c) || c == ' ' || c == '\t' ? NAME : refuse(r, "malformed header line");
}

static enum state
head_end(struct http_reply *r)
{
	const bool interim = r->status < 200 && r->status != 101;

	r->matched = 0;
	return interim ? START : END;
}

static enum state
next(struct http_reply *r, uint8_t c)
{
	switch ((enum state)r->state) {
	case START:
		if (c == '\n')
			return START;
		return c == '\r' ? START_CR : opening_next(r, c);
	case START_CR:
		return c == '\n' ? START : refuse(r, "not an HTTP/1 reply");
	case VERSION:
		return opening_next(r, c);
	case MINOR:
		return c >= '0' && c <= '9' ? SPACE : refuse(r, "not an HTTP/1 reply");
	case SPACE:
		return c == ' ' ? STATUS : refuse(r, "malformed status line");
	case STATUS:
		return status_next(r, c);
	case STATUS_END:
		if (c != ' ' && c != '\r' && c != '\n')
			return refuse(r, "status is not a number of three digits");
		return text_next(r, c);
	case TEXT:
		return text_next(r, c);
	case TEXT_CR:
		return c == '\n' ? LINE : refuse(r, "CR without LF");
	case LINE:
		if (c == '\n')
			return head_end(r);
		return c == '\r' ? HEAD_CR : line_next(r, c);
	case NAME:
		return name_next(r, c);
	case HEAD_CR:
		return c == '\n' ? head_end(r) : refuse(r, "CR without LF");
	case END:
	case BAD:
		break;
	}
	return (enum state)r->state;
}

static enum http_reply_progress
progress(const struct http_reply *r)
{
	if (r->state == BAD)
		return HTTP_REPLY_BAD;
	return r->state == END ? HTTP_REPLY_DONE : HTTP_REPLY_MORE;
}

enum http_reply_progress
http_reply_feed(struct http_reply *r, const void *data, size_t len)
{
	const uint8_t *at = data;

	for (size_t i = 0; i < len && progress(r) == HTTP_REPLY_MORE; i++) {
		if (++r->seen > HTTP_REPLY_HEAD_MAX)
			r->state = (uint8_t)refuse(r, "head larger than 16 KiB");
		else
			r->state = (uint8_t)next(r, at[i]);
	}
	return progress(r);
}
