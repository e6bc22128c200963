/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * field_types -- the built-in types of field.h, each a codec, and what codecs share.
 *
 * Inside the room: field.c walks tables, field_scalar.c and field_group.c hold the types.
 */
#pragma once

#include "model/field.h"

extern const struct field_codec field_bool, field_u32, field_duration, field_str, field_name,
    field_enum;
extern const struct field_codec field_struct, field_array, field_strs, field_labels;

/*
 * Add a problem at `path`, with `j` (clipped; never of a secret) as what was got. -EINVAL.
 * `allowed` may be NULL.
 */
int field_refuse(const struct field *f, const json_t *j, const struct diag_path *path,
    struct diag *d, const char *detail, const char *allowed);
/* "a, b, c" */
const char *field_words(const char *const *words, struct arena *a);
/* Index of a word, or -1. */
int field_word(const char *const *words, const char *word);
/* A string of min..max bytes without control characters, or refused with NULL. */
const char *field_text(const struct field *f, const json_t *j, size_t min, size_t max,
    const struct diag_path *path, struct diag *d);

/* field_read.c: what their codecs read with. */
typedef bool field_read_f(const struct field *f, struct json_scan *in, void *at, struct arena *a);
field_read_f field_read_bool, field_read_u32, field_read_duration, field_read_str, field_read_name,
    field_read_enum, field_read_struct, field_read_list, field_read_strs, field_read_labels;
/* A string that is one of `words`: its index, or -1. */
int field_read_word(struct json_scan *in, const char *const *words);
/* The codec a row is read and written by. */
const struct field_codec *field_codec_of(const struct field *f);
