/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *	      "HTTP/1."   digit     " "      3 digits            reason         name ":" value
 *	START --> VERSION --> MINOR --> SPACE --> STATUS --> STATUS_END --> TEXT --> LINE
 *	  ^                                                     LINE <--> NAME, TEXT   |
 *	  `---------- after a 1xx ------------------------------- an empty line: END <-'
 *
 * A CR is followed by a LF or refused: the states in _CR.
 */
#include "probe/http_reply.h"

#include <ctype.h>
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

/* Headers that are noted: a bit each while the name may still become it. */
static const char *const fields[] = { "content-length", "transfer-encoding", "location",
	"connection" };
enum { LENGTH = 1, CODING = 2, LOCATION = 4, CONNECTION = 8 };
#define LENGTH_MAX (INT64_MAX / 16)
static const char chunked[] = "chunked", closing[] = "close";

void
http_reply_init(struct http_reply *r)
{
	*r = (struct http_reply){ .state = START, .length = -1 };
}

void
http_reply_note(struct http_reply *r, struct buf *location)
{
	r->location = location;
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

/* An octet of a header's name: which of ours can it still be? */
static void
note_name(struct http_reply *r, uint8_t c)
{
	if (r->location == NULL || c == ' ' || c == '\t')
		return;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const uint8_t bit = (uint8_t)(1u << i);

		if ((r->field & bit) != 0 && (uint8_t)fields[i][r->at] != tolower(c))
			r->field &= (uint8_t)~bit;
	}
	if (r->field != 0)
		r->at++;
}

/* The name is over. */
static enum state
note_field(struct http_reply *r)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (r->field == 1u << i && fields[i][r->at] != '\0')
			r->field = 0;
	}
	if ((r->field & (r->field - 1)) != 0)
		r->field = 0;
	r->matched = 0;
	if (r->field == LENGTH && r->length >= 0)
		return refuse(r, "two Content-Length");
	if (r->field == LOCATION)
		buf_clear(r->location);
	return TEXT;
}

static enum state
note_length(struct http_reply *r, uint8_t c)
{
	if (c == ' ' || c == '\t')
		return TEXT;
	if (c < '0' || c > '9' || r->length > LENGTH_MAX)
		return refuse(r, "malformed Content-Length");
	r->length = (r->length < 0 ? 0 : r->length * 10) + (c - '0');
	return TEXT;
}

/* Chunked, if it is the last word. */
static void
note_coding(struct http_reply *r, uint8_t c)
{
	if (c == ',')
		r->matched = 0;
	else if (c != ' ' && c != '\t')
		r->matched =
		    r->matched < sizeof(chunked) - 1 && (uint8_t)chunked[r->matched] == tolower(c)
			? r->matched + 1
			: (uint8_t)sizeof(chunked);
	r->chunked = r->matched == sizeof(chunked) - 1;
}

/* "close" among the words. */
static void
note_connection(struct http_reply *r, uint8_t c)
{
	if (c == ',' || c == ' ' || c == '\t')
		r->matched = 0;
	else if (r->matched < sizeof(closing) - 1 && (uint8_t)closing[r->matched] == tolower(c))
		r->matched++;
	else
		r->matched = (uint8_t)sizeof(closing);
	r->closes = r->closes || r->matched == sizeof(closing) - 1;
}

/* An octet of a header's value. */
static enum state
note_value(struct http_reply *r, uint8_t c)
{
	if (r->field == LENGTH)
		return note_length(r, c);
	if (r->field == CODING)
		note_coding(r, c);
	if (r->field == CONNECTION)
		note_connection(r, c);
	if (r->field == LOCATION && (r->location->len > 0 || (c != ' ' && c != '\t')) &&
	    r->location->len < r->location->max)
		buf_put_u8(r->location, c);
	return TEXT;
}

/* In a reason phrase or a header's value. */
static enum state
text_next(struct http_reply *r, uint8_t c)
{
	if (c == '\n')
		return LINE;
	if (r->field != 0 && c != '\r' && is_text(c))
		return note_value(r, c);
	if (c == '\r')
		return TEXT_CR;
	return is_text(c) ? TEXT : refuse(r, "control character in the head");
}

static enum state
line_next(struct http_reply *r, uint8_t c)
{
	r->at = 0;
	r->field = r->location != NULL && is_token(c) ? LENGTH | CODING | LOCATION | CONNECTION : 0;
	if (is_token(c)) {
		note_name(r, c);
		return NAME;
	}
	if (c == ' ' || c == '\t') /* folded: goes on with the line before */
		return TEXT;
	return refuse(r, "malformed header line");
}

/* Spaces before the colon are wrong, but for a reply's reader to remove (RFC 9112 section 5.1). */
static enum state
name_next(struct http_reply *r, uint8_t c)
{
	if (c == ':')
		return note_field(r);
	note_name(r, c);
	return is_token(c) || c == ' ' || c == '\t' ? NAME : refuse(r, "malformed header line");
}

static enum state
head_end(struct http_reply *r)
{
	const bool interim = r->status < 200 && r->status != 101;

	r->matched = 0;
	if (interim) { /* says nothing about the reply to come */
		r->length = -1;
		r->chunked = false;
		r->field = 0;
		if (r->location != NULL)
			buf_clear(r->location);
	}
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
		r->closes = c == '0';
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
