/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * history_codec -- a step of a zone's history as bytes, to outlive the process. Pure.
 *
 *	old SOA, new SOA, u32 n { owner, set } gone, u32 n { owner, set } come
 *	set: u16 type, u32 ttl, u32 size, { u16 rdlen, rdata }...
 */
#pragma once

#include "base/buf.h"
#include "zone/history.h"

void history_codec_put(struct buf *b, const struct history_step *s);
/* To history_recall or history_step_unref; NULL if it is malformed. */
MUST_USE struct history_step *history_codec_take(struct buf_reader *r);
