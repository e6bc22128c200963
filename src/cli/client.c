/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/mem.h"
#include "cli/input.h"

#define BODY_MAX          ((size_t)512 << 20) /* zone files are up to 256 MiB */
#define TOKEN_MAX         4096
#define CONNECT_TIMEOUT_S 5L
#define TIMEOUT_S         120L /* and 4 s more for each MiB sent */

struct client {
	CURL *curl;
	char *base;   /* without a slash at the end */
	char *socket; /* or NULL */
	char *token;  /* or NULL */
	char *name;   /* what a problem calls it */
};

static int
read_token(struct client *c, const char *file, struct diag *d)
{
	char *text = input_read(file, TOKEN_MAX, NULL, d);

	if (text == NULL)
		return -EINVAL;
	text[strcspn(text, "\r\n \t")] = '\0';
	for (const char *s = text; *s != '\0'; s++) {
		if (*s > 0x20 && *s < 0x7f)
			continue;
		free(text);
		return diag_add(d, DIAG_INVALID, file, "does not hold a token");
	}
	if (*text == '\0') {
		free(text);
		return diag_add(d, DIAG_INVALID, file, "is empty");
	}
	c->token = text;
	return 0;
}

static int
aim(struct client *c, const struct client_target *t, struct diag *d)
{
	if (t->token_file != NULL && read_token(c, t->token_file, d) != 0)
		return -EINVAL;
	if (t->server == NULL) {
		c->socket = xstrdup(t->socket);
		c->base = xstrdup("http://localhost");
		c->name = xstrdup(t->socket);
		return 0;
	}
	if (strncmp(t->server, "http://", 7) != 0 && strncmp(t->server, "https://", 8) != 0)
		return diag_add(d, DIAG_INVALID, "--server", "must begin with http:// or https://");
	c->base = xstrdup(t->server);
	for (size_t len = strlen(c->base); len > 0 && c->base[len - 1] == '/';)
		c->base[--len] = '\0';
	c->name = xstrdup(c->base);
	return 0;
}

struct client *
client_new(const struct client_target *t, struct diag *d)
{
	struct client *c = xcalloc(1, sizeof(*c));

	if (aim(c, t, d) != 0) {
		client_free(&c);
		return NULL;
	}
	CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
	c->curl = curl_easy_init();
	CHECK(c->curl != NULL);
	return c;
}

void
client_free(struct client **c)
{
	if (*c == NULL)
		return;
	curl_easy_cleanup((*c)->curl);
	if ((*c)->token != NULL)
		explicit_bzero((*c)->token, strlen((*c)->token));
	free((*c)->token);
	free((*c)->base);
	free((*c)->socket);
	free((*c)->name);
	free(*c);
	*c = NULL;
}

static size_t
collect(char *data, size_t size, size_t n, void *arg)
{
	struct client_reply *r = arg;

	buf_put(&r->body, data, size * n);
	return r->body.overflow ? 0 : size * n;
}

static size_t
head(char *line, size_t size, size_t n, void *arg)
{
	static const char name[] = "GTM-Applied: 0";
	struct client_reply *r = arg;

	if (size * n >= sizeof(name) - 1 && strncasecmp(line, name, sizeof(name) - 1) == 0)
		r->not_applied = true;
	return size * n;
}

static int
tell_progress(void *arg, curl_off_t down UNUSED, curl_off_t downloaded UNUSED, curl_off_t up UNUSED,
    curl_off_t uploaded)
{
	const struct client_request *q = arg;

	q->progress(q->progress_arg, (size_t)uploaded);
	return 0;
}

static struct curl_slist *
prepare(struct client *c, const char *path, struct client_reply *r)
{
	char *url = xasprintf("%s%s", c->base, path);
	struct curl_slist *headers = curl_slist_append(NULL, "Expect:");

	*r = (struct client_reply){ 0 };
	buf_init(&r->body, BODY_MAX);
	curl_easy_reset(c->curl);
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->socket);
	curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(
	    c->curl, CURLOPT_CAPATH, NULL); /* reading that directory costs 20 MB and 30 ms */
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S);
	curl_easy_setopt(c->curl, CURLOPT_USERAGENT, "gtmctl/" GTM_VERSION);
	curl_easy_setopt(c->curl, CURLOPT_HEADERFUNCTION, head);
	curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, r);
	if (c->token != NULL) {
		char *line = xasprintf("Authorization: Bearer %s", c->token);

		headers = curl_slist_append(headers, line);
		explicit_bzero(line, strlen(line));
		free(line);
	}
	free(url);
	return headers;
}

static int
unreachable(const struct client *c, CURLcode code, struct diag *d)
{
	(void)diag_add(
	    d, DIAG_UNAVAILABLE, c->name, "cannot reach the server: %s", curl_easy_strerror(code));
	return -ECONNREFUSED;
}

static void
note_reply(struct client *c, struct client_reply *r)
{
	const char *type = NULL;

	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &r->status);
	curl_easy_getinfo(c->curl, CURLINFO_CONTENT_TYPE, &type);
	r->content_type = xstrdup(type);
}

int
client_call(
    struct client *c, const struct client_request *q, struct client_reply *r, struct diag *d)
{
	struct curl_slist *headers = prepare(c, q->path, r);

	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, TIMEOUT_S + (long)(q->body_len >> 18));
	if (q->progress != NULL) {
		curl_easy_setopt(c->curl, CURLOPT_XFERINFOFUNCTION, tell_progress);
		curl_easy_setopt(c->curl, CURLOPT_XFERINFODATA, q);
		curl_easy_setopt(c->curl, CURLOPT_NOPROGRESS, 0L);
	}
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, r);
	if (q->body != NULL || strcmp(q->method, "POST") == 0) {
		char *line =
		    xasprintf("Content-Type: %s", q->type != NULL ? q->type : "application/json");

		headers = curl_slist_append(headers, line);
		free(line);
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_len);
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, q->body != NULL ? q->body : "");
	}
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, q->method);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);

	const CURLcode code = curl_easy_perform(c->curl);

	curl_slist_free_all(headers);
	if (code != CURLE_OK) {
		client_reply_fini(r);
		return unreachable(c, code, d);
	}
	note_reply(c, r);
	return 0;
}

void
client_reply_fini(struct client_reply *r)
{
	buf_fini(&r->body);
	free(r->content_type);
	*r = (struct client_reply){ 0 };
}

struct stream {
	struct client *client;
	struct client_reply *reply;
	bool (*take)(void *arg, const char *data, size_t len);
	void *arg;
	bool stopped;
};

/* A refusal is collected as a reply; an accepted stream is handed on. */
static size_t
pass(char *data, size_t size, size_t n, void *arg)
{
	struct stream *s = arg;
	long status = 0;

	curl_easy_getinfo(s->client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return collect(data, size, n, s->reply);
	if (s->take(s->arg, data, size * n))
		return size * n;
	s->stopped = true;
	return 0;
}

int
client_stream(struct client *c, const char *path, const char *last_event_id,
    bool (*take)(void *arg, const char *data, size_t len), void *arg, struct client_reply *r,
    struct diag *d)
{
	struct stream s = { .client = c, .reply = r, .take = take, .arg = arg };
	struct curl_slist *headers = prepare(c, path, r);

	headers = curl_slist_append(headers, "Accept: text/event-stream");
	if (last_event_id != NULL) {
		char *line = xasprintf("Last-Event-ID: %s", last_event_id);

		headers = curl_slist_append(headers, line);
		free(line);
	}
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, pass);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &s);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);

	const CURLcode code = curl_easy_perform(c->curl);

	curl_slist_free_all(headers);
	note_reply(c, r);
	if (r->status == 0)
		return unreachable(c, code, d);
	return r->status == 200 || s.stopped ? 0 : -EPROTO;
}

char *
client_escape(const char *segment)
{
	char *escaped = curl_easy_escape(NULL, segment, 0);

	CHECK(escaped != NULL);
	char *copy = xstrdup(escaped);

	curl_free(escaped);
	return copy;
}
