/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "api/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/mem.h"

#define REQUEST_MAGIC 0x52e90e57u

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decode into the arena; NULL for a bad escape, a NUL or bytes that are not UTF-8. */
static const char *
decode(struct arena *a, const char *text, size_t len, bool plus_is_space)
{
	char *out = arena_alloc(a, len + 1), *to = out;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '+' && plus_is_space) {
			c = ' ';
		} else if (c == '%') {
			if (len - i < 3)
				return NULL;
			const int high = hex(text[i + 1]), low = hex(text[i + 2]);

			if (high < 0 || low < 0 || high + low == 0)
				return NULL;
			c = (char)(high << 4 | low);
			i += 2;
		}
		*to++ = c;
	}

	json_t *utf8 = json_stringn(out, (size_t)(to - out));

	if (utf8 == NULL)
		return NULL;
	json_decref(utf8);
	return out;
}

static bool
parse_path(struct request *r, const char *path, size_t len)
{
	const char *end = path + len;

	for (const char *at = path; at < end;) {
		const char *slash = memchr(at + 1, '/', (size_t)(end - at - 1));
		const char *stop = slash != NULL ? slash : end;

		if (*at != '/' || r->n_segments == REQUEST_SEGMENTS)
			return false;
		if (stop > at + 1) {
			const char *s = decode(&r->arena, at + 1, (size_t)(stop - at - 1), false);

			if (s == NULL)
				return false;
			r->segments[r->n_segments++] = s;
		} else if (stop != end) {
			return false; /* "//" names nothing */
		}
		at = stop;
	}
	return true;
}

static bool
parse_query(struct request *r, const char *text)
{
	while (*text != '\0') {
		const size_t len = strcspn(text, "&");
		const char *equals = memchr(text, '=', len);
		const size_t key = equals != NULL ? (size_t)(equals - text) : len;

		if (len > 0) {
			if (r->n_query == REQUEST_QUERY)
				return false;

			struct request_pair *p = &r->query[r->n_query++];

			p->key = decode(&r->arena, text, key, true);
			p->value = equals == NULL
				       ? ""
				       : decode(&r->arena, equals + 1, len - key - 1, true);
			if (p->key == NULL || p->value == NULL)
				return false;
		}
		text += len + (text[len] == '&');
	}
	return true;
}

struct request *
request_new(const char *uri)
{
	struct request *r = xcalloc(1, sizeof(*r));
	const size_t path = strcspn(uri, "?");

	r->magic = REQUEST_MAGIC;
	arena_init(&r->arena);
	diag_init(&r->diag);
	buf_init(&r->body, 0);
	buf_init(&r->text, SIZE_MAX);
	if (!parse_path(r, uri, path) || (uri[path] == '?' && !parse_query(r, uri + path + 1)))
		request_refuse(r, 400, DIAG_INVALID, "url", "is not a valid path and query");
	return r;
}

void
request_free(struct request **rp)
{
	struct request *r = *rp;

	if (r == NULL)
		return;
	OBJ_CHECK(r, REQUEST_MAGIC);
	json_decref(r->reply);
	json_decref(r->current);
	buf_fini(&r->text);
	buf_fini(&r->body);
	diag_fini(&r->diag);
	arena_fini(&r->arena);
	r->magic = 0;
	free(r);
	*rp = NULL;
}

const char *
request_query(const struct request *r, const char *key)
{
	for (size_t i = 0; i < r->n_query; i++)
		if (strcmp(r->query[i].key, key) == 0)
			return r->query[i].value;
	return NULL;
}

bool
request_flag(const struct request *r, const char *key)
{
	const char *value = request_query(r, key);

	return value != NULL && strcmp(value, "0") != 0 && strcmp(value, "false") != 0;
}

int
request_number(struct request *r, const char *key, uint64_t def, uint64_t max, uint64_t *out)
{
	const char *value = request_query(r, key);
	char *end;

	*out = def;
	if (value == NULL)
		return 0;
	errno = 0;
	*out = strtoull(value, &end, 10);
	if (value[0] >= '0' && value[0] <= '9' && *end == '\0' && errno == 0 && *out <= max)
		return 0;
	request_refuse(r, 400, DIAG_INVALID, key, "must be a number up to %ju", (uintmax_t)max);
	diag_detail(&r->diag, value, NULL);
	return -EINVAL;
}

const char *
request_header(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

json_t *
request_json(struct request *r)
{
	json_t *j = json_parse((const char *)r->body.data, r->body.len, &r->diag);

	if (j == NULL) {
		r->status = 400;
		return NULL;
	}
	if (json_is_object(j))
		return j;
	json_decref(j);
	request_refuse(r, 400, DIAG_INVALID, "", "the body must be a JSON object");
	return NULL;
}

static bool
listed(const char *key, const char *const *allowed)
{
	for (; *allowed != NULL; allowed++)
		if (strcmp(*allowed, key) == 0)
			return true;
	return false;
}

/* "a, b, c" */
static const char *
join(struct arena *a, const char *const *words)
{
	const char *text = words[0];

	for (size_t i = 1; words[i] != NULL; i++)
		text = arena_printf(a, "%s, %s", text, words[i]);
	return text;
}

int
request_members(struct request *r, const json_t *object, const char *at, const char *const *allowed)
{
	const char *key;
	json_t *value;
	int rc = 0;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		if (listed(key, allowed))
			continue;
		rc = diag_add(&r->diag, DIAG_INVALID,
		    arena_printf(&r->arena, "%s%s%s", at, at[0] != '\0' ? "." : "", key),
		    "is not a known field");
		diag_detail(&r->diag, NULL, join(&r->arena, allowed));
	}
	return rc;
}

void
request_refuse(struct request *r, unsigned status, enum diag_code code, const char *where,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_add(&r->diag, code, where, "%s", arena_vprintf(&r->arena, fmt, ap));
	va_end(ap);
	r->status = status;
}

void
request_set_header(struct request *r, const char *name, const char *value)
{
	CHECK(r->n_headers < REQUEST_HEADERS);
	r->headers[r->n_headers++] = (struct request_pair){
		.key = arena_strdup(&r->arena, name),
		.value = arena_strdup(&r->arena, value),
	};
}

void
request_reply(struct request *r, unsigned status, json_t *reply)
{
	json_decref(r->reply);
	r->reply = reply;
	r->status = status;
}
