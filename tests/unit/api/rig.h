/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rig -- control and its HTTP server on a scratch store, a made-up engine, and a client. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <curl/curl.h>

#include "api/http.h"
#include "base/mem.h"
#include "net/sock.h"

struct rig {
	char dir[64];
	struct store *store;
	struct control_engine engine;
	struct control *control;
	struct http *http;
	int port;
	char token[80]; /* sent with each request; "" = none */
	bool local;     /* ask over the Unix socket */
	/* of the engine */
	bool ready, applies;
	unsigned delivered;
	/* the latest reply */
	long status;
	json_t *json;
	struct buf text, headers;
};

int rig_start(void **state);
int rig_stop(void **state);
void rig_serve(struct rig *r); /* control and http anew on the store */
void rig_halt(struct rig *r);

/* Bodies are JSON written with ' for "; NULL = none. `headers`: lines, or NULL. */
long
rig_ask(struct rig *r, const char *method, const char *path, const char *body, const char *headers);
long rig_send(struct rig *r, const char *method, const char *path, const char *type,
    const char *body, const char *headers);
/* The member at "errors[0].pointer" as text; "" if absent. Valid until the next call. */
const char *rig_at(struct rig *r, const char *path);
const char *rig_header(struct rig *r, const char *name);
uint64_t rig_revision(struct rig *r);

/* PUT that must end in 200 or 201. */
void rig_put(struct rig *r, const char *path, const char *body);
/* Zone example.com, template tcp, addresses a1 a2, pools p1 p2, domain www.example.com/A. */
void rig_fill(struct rig *r);
