/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * codec -- a change set as bytes: for the feed and for the engine's journal.
 *
 * Self-delimiting, network order, strings as { u32 length; bytes } with length 2^32-1 for absent.
 * Decoding trusts nothing: a frame that does not parse is refused whole. Pure.
 */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "model/change.h"

void codec_put(struct buf *out, const struct change_set *c);
/* `out` is initialised here and must be given to change_fini, unless -EINVAL is returned; its pages
 * are borrowed from `data`. */
MUST_USE int codec_take(const uint8_t *data, size_t len, struct change_set *out);
