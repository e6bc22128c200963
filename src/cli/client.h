/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client -- requests to control's REST API, over its Unix socket or TCP.
 *
 * One connection, kept open between requests. Only names the server; knows nothing of verbs.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/diag.h"

struct client;

struct client_target {
	const char *server;     /* "http://127.0.0.1:8080", or NULL */
	const char *socket;     /* path, when server is NULL */
	const char *token_file; /* or NULL */
};

struct client_reply {
	long status; /* HTTP */
	char *content_type;
	struct buf body;
	bool not_applied; /* durable, but not served yet: GTM-Applied: 0 */
};

/* Does not connect yet. NULL with a problem for a bad URL or token file. */
MUST_USE struct client *client_new(const struct client_target *t, struct diag *d);
void client_free(struct client **c);

struct client_request {
	const char *method; /* "GET" */
	const char *path;   /* "/api/v1/zones", escaped */
	const char *type;   /* of the body; NULL = application/json */
	const void *body;   /* NULL = none */
	size_t body_len;
	/* The body's lines by their file, "hosts:3", to free; NULL: there is none. */
	char *(*place)(const void *arg, uint64_t line);
	const void *place_arg;
	/* Bytes of the body that went out, now and then until the reply; may be NULL. */
	void (*progress)(void *arg, size_t sent);
	void *progress_arg;
};
/* 0 with the reply, whatever its status; -ECONNREFUSED with a problem when nobody answers. */
MUST_USE int client_call(
    struct client *c, const struct client_request *q, struct client_reply *r, struct diag *d);
void client_reply_fini(struct client_reply *r);

/*
 * GET an endless reply and hand over each piece; `take` returns false to stop. 0 when it ended or
 * was stopped, -ECONNREFUSED when nobody answered, -EPROTO with `r` filled when refused.
 */
MUST_USE int client_stream(struct client *c, const char *path, const char *last_event_id,
    bool (*take)(void *arg, const char *data, size_t len), void *arg, struct client_reply *r,
    struct diag *d);

/* A segment of a path, escaped; the caller frees with free(). */
MUST_USE char *client_escape(const char *segment);
