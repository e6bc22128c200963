/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * uplink -- what stands in control's place on a probe node: carries the feed between the node's
 * engine and the server, message by message.
 *
 *	engine ==feed.sock== [ uplink ] ==TLS== station of the server
 *
 * It keeps nothing. When one side goes, the other is let go as well, and both are made again: the
 * engine's HELLO then says what it has. Without the server the engine goes on as it is. The
 * certificate is renewed half-way through its time.
 */
#pragma once

#include "base/attr.h"
#include "base/diag.h"

#define UPLINK_SILENT_MS 10000 /* the server echoes a heartbeat each second */
#define UPLINK_RETRY_MS  200   /* doubling to */
#define UPLINK_RETRY_MAX 5000

struct uplink;

/* Of the node whose identity is in `dir`. NULL with a problem. */
MUST_USE struct uplink *uplink_new(const char *dir, struct diag *d);
void uplink_run(struct uplink *u);  /* until uplink_stop */
void uplink_stop(struct uplink *u); /* any thread or signal handler */
void uplink_free(struct uplink **u);
