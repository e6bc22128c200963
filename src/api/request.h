/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * request -- one HTTP request on its way through: what was asked, and the reply as it grows.
 *
 *   http (bytes) -> request -> route -> handler fills `reply` or `diag` -> http (bytes)
 *
 * Lives on the thread of its connection, from the first line to the last byte of the reply; one
 * that takes long is handled aside (aside.h), while its connection is suspended. A handler returns
 * nothing: when `diag` holds a problem, that is the reply.
 */
#pragma once

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/auth.h"
#include "api/control.h"
#include "base/buf.h"

#define REQUEST_SEGMENTS 10
#define REQUEST_QUERY    24
#define REQUEST_HEADERS  8
#define REQUEST_PARAMS   3

struct route;
struct stream;

struct request_pair {
	const char *key;
	const char *value;
};

struct request {
	uint32_t magic;
	struct control *control;
	struct stream *streams;
	struct MHD_Connection *connection; /* NULL only before the first callback */

	struct arena arena;
	const char *method;                     /* HEAD has become GET */
	const char *segments[REQUEST_SEGMENTS]; /* of the path, percent-decoded */
	size_t n_segments;
	struct request_pair query[REQUEST_QUERY];
	size_t n_query;
	const struct route *route;
	const char *params[REQUEST_PARAMS]; /* the {...} of the route's pattern, in order */
	struct auth_caller caller;
	bool seen;        /* the headers have been looked at */
	bool refused;     /* by the headers alone: the body is only drained */
	bool handled;     /* aside: only the reply is left to send */
	uint64_t drained; /* bytes of body dropped */
	struct buf body;

	struct diag diag;
	unsigned status; /* 0: 200, or by the diag */
	json_t *reply;   /* or */
	struct buf text; /* with text_type, or */
	const char *text_type;
	struct MHD_Response *stream;
	struct request_pair headers[REQUEST_HEADERS];
	size_t n_headers;
	json_t *current; /* with 412: the object as it is */
};

/* `uri` as it came, still encoded. A bad one is in the diag of the result. */
struct request *request_new(const char *uri);
void request_free(struct request **r);

const char *request_query(const struct request *r, const char *key); /* NULL if absent */
bool request_flag(const struct request *r, const char *key);         /* "1", "true", "" */
/* Absent: `def`. 0, or -EINVAL with a problem. */
MUST_USE int
request_number(struct request *r, const char *key, uint64_t def, uint64_t max, uint64_t *out);
const char *request_header(const struct request *r, const char *name); /* of the client */

/* The body as a JSON object; NULL with a problem. New reference. */
MUST_USE json_t *request_json(struct request *r);
/* Refuse members of `object` that are not in `allowed` (NULL-terminated). `at` e.g. "sites[0]". */
MUST_USE int request_members(
    struct request *r, const json_t *object, const char *at, const char *const *allowed);

/* Add a problem that is about the request itself rather than what is described in it. */
void request_refuse(struct request *r, unsigned status, enum diag_code code, const char *where,
    const char *fmt, ...) PRINTF(5, 6);
void request_set_header(struct request *r, const char *name, const char *value); /* copied */
void request_reply(struct request *r, unsigned status, json_t *reply); /* takes the reference */
