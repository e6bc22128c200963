/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * told -- what the engine tells of its objects, on its way to control: STATUS and NEWS. Told often,
 * so nobody between the tree and the store reads the JSON that is in it.
 *
 *	STATUS   u8 kind (on the wire), name, status
 *	NEWS     u64 at (ms), kind, object's kind, object, severity, text, data
 *
 * Texts: u32 length with the final NUL, bytes; length 0 is none (NULL). Pure.
 */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "model/kind.h"

struct told_status {
	enum kind kind;
	const char *name;
	const char *status; /* JSON */
};

struct told_event {
	int64_t at_ms;
	const char *kind;                 /* "address.down" */
	const char *object_kind, *object; /* both or none */
	const char *severity;
	const char *text;
	const char *data; /* JSON, or NULL */
};

void told_put_status(struct buf *out, const struct told_status *s);
void told_put_event(struct buf *out, const struct told_event *e);
/* Texts point into `body`. 0, or -EINVAL if it is none. */
MUST_USE int told_take_status(const uint8_t *body, size_t len, struct told_status *s);
MUST_USE int told_take_event(const uint8_t *body, size_t len, struct told_event *e);
