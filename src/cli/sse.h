/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sse -- server-sent events out of a stream of bytes (HTML living standard, 9.2.6). Pure.
 *
 * Feed pieces as they come; `event` is called at each blank line that ends one with data.
 */
#pragma once

#include "base/buf.h"

struct sse {
	struct buf line, data;
	char id[64]; /* Last-Event-ID to reconnect with */
	void (*event)(void *arg, const char *data);
	void *arg;
};

void sse_init(struct sse *s, void (*event)(void *arg, const char *data), void *arg);
void sse_fini(struct sse *s);
void sse_feed(struct sse *s, const char *bytes, size_t len);
