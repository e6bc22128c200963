/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * journal -- an append-only file of records: how the engine remembers without a database.
 *
 *   { u32 length; u32 checksum; u8 type; bytes } ...
 *
 * A record is one write(2), so it survives kill -9 of the writer; a tail torn by a power cut fails
 * its checksum and is cut off at the next open (control then sends what is missing).
 * journal_rewrite replaces the whole file atomically (temporary file, fdatasync, rename).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/diag.h"

struct journal;

typedef void journal_record_f(void *arg, uint8_t type, const uint8_t *data, size_t len);

/* Open or create, replaying every whole record in order. NULL with a problem in d. */
struct journal *journal_open(const char *path, journal_record_f *replay, void *arg, struct diag *d);
void journal_close(struct journal **j);

/* 0 or a negative errno (disk full, ...); the file is then cut back to whole records. */
int journal_append(struct journal *j, uint8_t type, const void *data, size_t len);
size_t journal_size(const struct journal *j);
/* Real time at which the file was last written or touched, before this open. */
int64_t journal_touched_ms(const struct journal *j);
/* "What is in here still holds": sets the file's time. */
void journal_touch(struct journal *j);

/* Write a new file by appending to it inside `fill`, then put it in the place of the old one. */
int journal_rewrite(struct journal *j, void (*fill)(struct journal *j, void *arg), void *arg);

/*
 * The same for what takes long, by another thread:
 *
 *	begin --> append, append ..., sync (any one thread) --> end, or cancel
 *
 * begin, end and cancel are the thread's of `j`, which goes on appending to it: end puts what came
 * meanwhile behind what was filled in. So this may be a state of any moment since begin, or parts
 * of it of different moments, if replaying what came since makes it whole.
 */
struct journal *journal_rewrite_begin(struct journal *j);
void journal_rewrite_sync(struct journal *fresh);
/* 0, or a negative errno of any step: then `j` is as it was. */
int journal_rewrite_end(struct journal *j, struct journal **fresh);
void journal_rewrite_cancel(struct journal **fresh);
