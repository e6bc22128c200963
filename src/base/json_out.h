/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * json_out -- JSON written as text, without a tree of values in between: for what is told often.
 *
 *	json_out_init(&o, &buf);
 *	json_out_open(&o, NULL, '{');
 *	json_out_text(&o, "health", "ok");
 *	json_out_close(&o, '}');                       {"health":"ok"}
 *
 * Compact, members in the order of the calls. `key` is NULL in lists and for the outermost value;
 * keys are ours and need no escaping. Texts are UTF-8.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct json_out {
	struct buf *to; /* borrowed */
	bool more;      /* the next value stands behind another one */
};

void json_out_init(struct json_out *o, struct buf *to);
void json_out_open(struct json_out *o, const char *key, char bracket);
void json_out_close(struct json_out *o, char bracket);
/* NULL is null. */
void json_out_text(struct json_out *o, const char *key, const char *text);
/* What is JSON already. */
void json_out_json(struct json_out *o, const char *key, const char *json);
void json_out_number(struct json_out *o, const char *key, int64_t n);
