/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "probe/http_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"

#define REQUEST_MAX (1024 * 1024)

static bool
is_given(const char *s)
{
	return s != NULL && s[0] != '\0';
}

static bool
is_name(const char *s)
{
	if (!is_given(s))
		return false;
	for (; *s != '\0'; s++) {
		if (*s <= ' ' || *s >= 127 || strchr("\"(),/:;<=>?@[\\]{}", *s) != NULL)
			return false;
	}
	return true;
}

static bool
is_value(const char *s)
{
	for (; s != NULL && *s != '\0'; s++) {
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 127)
			return false;
	}
	return s != NULL;
}

static const struct field_label *
find_header(const struct http_spec *http, const char *name)
{
	const struct field_label *headers = http->headers.items;

	for (size_t i = 0; i < http->headers.count; i++) {
		if (strcasecmp(headers[i].key, name) == 0 && is_value(headers[i].value))
			return &headers[i];
	}
	return NULL;
}

static void
put_path(struct buf *b, const char *path)
{
	if (!is_given(path) || path[0] != '/')
		buf_puts(b, "/");
	for (; path != NULL && *path != '\0'; path++) {
		const unsigned char c = (unsigned char)*path;

		if (c > ' ' && c < 127)
			buf_put_u8(b, c);
		else
			buf_printf(b, "%%%02X", c);
	}
}

static void
put_port(struct buf *b, uint16_t port, bool secure)
{
	if (port != (secure ? 443 : 80))
		buf_printf(b, ":%u", port);
	buf_puts(b, "\r\n");
}

static void
put_host(struct buf *b, const struct http_spec *http, const struct addr *target, const char *host,
    bool secure)
{
	char text[ADDR_TEXT_SIZE];
	const bool bare_ip6 = is_given(host) && host[0] != '[' && strchr(host, ':') != NULL;

	if (find_header(http, "Host") != NULL)
		return;
	if (is_given(http->host) && is_value(http->host)) {
		buf_printf(b, "Host: %s\r\n", http->host);
		return;
	}
	if (!is_given(host) || !is_value(host)) {
		host = addr_text(target, text);
		buf_printf(b, "Host: %s\r\n", host);
		return;
	}
	buf_printf(b, bare_ip6 ? "Host: [%s]" : "Host: %s", host);
	put_port(b, addr_port(target), secure);
}

static void
put_headers(struct buf *b, const struct http_spec *http)
{
	const struct field_label *headers = http->headers.items;

	for (size_t i = 0; i < http->headers.count; i++) {
		if (is_name(headers[i].key) && is_value(headers[i].value) &&
		    strcasecmp(headers[i].key, "Connection") != 0)
			buf_printf(b, "%s: %s\r\n", headers[i].key, headers[i].value);
	}
}

static void
put_body(struct buf *b, const struct http_spec *http)
{
	const bool may = http->method != NULL &&
			 (strcmp(http->method, "POST") == 0 || strcmp(http->method, "PUT") == 0);

	if (may)
		buf_printf(
		    b, "Content-Length: %zu\r\n", http->body != NULL ? strlen(http->body) : 0);
	buf_printf(b, "Connection: %s\r\n\r\n", http->reuse ? "keep-alive" : "close");
	if (may && http->body != NULL)
		buf_puts(b, http->body);
}

char *
http_request_text(const struct http_spec *http, const struct addr *target, const char *host,
    bool secure, size_t *len)
{
	struct buf b;

	buf_init(&b, REQUEST_MAX);
	buf_printf(&b, "%s ", is_name(http->method) ? http->method : "GET");
	put_path(&b, http->path);
	buf_puts(&b, " HTTP/1.1\r\n");
	put_host(&b, http, target, host, secure);
	if (find_header(http, "User-Agent") == NULL)
		buf_puts(&b, "User-Agent: OpenGTM/" GTM_VERSION "\r\n");
	if (find_header(http, "Accept") == NULL)
		buf_puts(&b, "Accept: */*\r\n");
	put_headers(&b, http);
	put_body(&b, http);
	return (char *)buf_take(&b, len);
}

/* Past the line at `at`. */
static size_t
line_end(const char *text, size_t len, size_t at)
{
	const char *end = memchr(text + at, '\n', len - at);

	return end != NULL ? (size_t)(end - text) + 1 : len;
}

char *
http_request_redirect(
    const char *text, size_t len, const char *host, const struct http_place *to, size_t *out_len)
{
	const size_t headers = line_end(text, len, line_end(text, len, 0));
	struct buf b;

	buf_init(&b, REQUEST_MAX);
	buf_put(&b, text, (size_t)((const char *)memchr(text, ' ', len) - text) + 1);
	put_path(&b, to->path);
	buf_printf(&b,
	    strchr(host, ':') != NULL ? " HTTP/1.1\r\nHost: [%s]" : " HTTP/1.1\r\nHost: %s", host);
	put_port(&b, to->port, to->secure);
	buf_put(&b, text + headers, len - headers);
	return (char *)buf_take(&b, out_len);
}

char *
http_request_host(const struct http_spec *http, const struct addr *target, const char *host)
{
	char text[ADDR_TEXT_SIZE];
	const bool given = is_given(http->host) && is_value(http->host);

	if (given && http->host[0] == '[')
		return xstrndup(http->host + 1, strcspn(http->host + 1, "]"));
	if (given)
		return xstrndup(http->host, strcspn(http->host, ":"));
	if (is_given(host) && is_value(host))
		return xstrdup(host);
	return xstrdup(addr_ip_text(target, text));
}

/* 0, or -1 if `text` is neither "N" nor "N-M". */
static int
parse_range(const char *text, struct recipe_range *range)
{
	unsigned from, to;
	char end;
	const int got = sscanf(text, "%3u-%3u%c", &from, &to, &end);

	if (got == 1 && sscanf(text, "%3u%c", &from, &end) == 1)
		to = from;
	else if (got != 2)
		return -1;
	*range = (struct recipe_range){ (uint16_t)from, (uint16_t)to };
	return 0;
}

const struct recipe_range *
http_request_expect(const struct http_spec *http, size_t *n)
{
	const char *const *texts = http->expect_status.items;
	struct recipe_range *ranges = xcalloc(http->expect_status.count + 1, sizeof(*ranges));

	*n = 0;
	for (size_t i = 0; i < http->expect_status.count; i++) {
		if (parse_range(texts[i], &ranges[*n]) == 0)
			++*n;
	}
	if (*n == 0)
		ranges[(*n)++] = recipe_usual;
	if (*n > 1 || memcmp(ranges, &recipe_usual, sizeof(*ranges)) != 0)
		return ranges;
	free(ranges);
	return &recipe_usual;
}
