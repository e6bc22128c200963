/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * field -- const tables that describe the members of a struct; everything else is read off them.
 *
 *   JSON <--> struct, defaults, ranges, error paths, OpenAPI schema, reference manual, gtmctl
 * columns, persistence
 *
 * A row says: JSON name, C offset, type, range, default, one line of prose. Adding a member to a
 * noun is a struct member and a row. Decoded strings and lists live in the arena handed in; a
 * decoded struct is a plain value that points into it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/json_out.h"
#include "base/json_scan.h"

enum field_type {
	FIELD_BOOL,     /* bool */
	FIELD_U32,      /* uint32_t, min..max */
	FIELD_DURATION, /* uint32_t ms; JSON "200ms"; min..max in ms */
	FIELD_STR,  /* const char *, min..max bytes, no control characters; NULL only if `optional`
		       and absent */
	FIELD_NAME, /* const char *: object name, 1..64 of [A-Za-z0-9._:*-] and any UTF-8 letter; no
		       '/' or space */
	FIELD_ENUM, /* int, words in `words` (NULL-terminated, index = value) */
	FIELD_STRUCT, /* embedded struct described by `sub` */
	FIELD_LIST,   /* struct field_list of structs described by `sub`; min..max items */
	FIELD_STRS,   /* struct field_list of const char *; min..max items; each 1..255 bytes */
	FIELD_LABELS, /* struct field_list of struct field_label, JSON object of strings */
	FIELD_CUSTOM, /* anything: `codec` */
};

struct field_list {
	void *items;
	size_t count;
};

struct field_label {
	const char *key;
	const char *value;
};

struct field;
struct field_codec {
	/* `at` is the member. 0 or -EINVAL with problems added under `path`. */
	int (*decode)(const struct field *f, const json_t *j, void *at, struct arena *a,
	    const struct diag_path *path, struct diag *d);
	json_t *(*encode)(const struct field *f, const void *at);
	void (*set_default)(const struct field *f, void *at, struct arena *a);
	json_t *(*schema)(const struct field *f); /* JSON Schema of the member */
	/*
	 * The same as decode, from text that encode's value makes: a shortcut. false: not taken, be
	 * it wrong or only unusual; decode is the judge. NULL: there is none. What it sets may be
	 * static or in the arena.
	 */
	bool (*read)(const struct field *f, struct json_scan *in, void *at, struct arena *a);
};

#define FIELD_REQUIRED  1 /* must be given */
#define FIELD_IMMUTABLE 2 /* may not change once the object exists */
#define FIELD_OPTIONAL                                                                             \
	4 /* may be null or absent, then absent from output (STR, STRUCT with `present`) */
#define FIELD_SECRET 8  /* written, never read back */
#define FIELD_LINES  16 /* STR: may have line breaks and tabs */

struct field {
	const char *name;
	size_t offset;
	enum field_type type;
	unsigned flags;
	int64_t min, max;
	int64_t def;         /* BOOL, U32, DURATION, ENUM */
	const char *def_str; /* STR; STRS: one item */
	const char *const *words;
	const struct field *sub;
	size_t sub_size;
	const struct field_codec *codec;
	const char *prose;
};
#define FIELD_END                                                                                  \
	{                                                                                          \
		.name = NULL                                                                       \
	}

/* Fill a struct with defaults (required members become zero). */
void field_defaults(const struct field *table, void *obj, struct arena *a);
/*
 * Decode: defaults first, then every member of `j`. Unknown members, wrong types, values out of
 * range and missing required members are all reported (not only the first), each under its path. 0
 * or -EINVAL.
 */
MUST_USE int field_decode(const struct field *table, const json_t *j, void *obj, struct arena *a,
    const struct diag_path *path, struct diag *d);
/*
 * The same from compact text whose members are in table order, as those are that field_encode
 * makes: some ten times as fast. false: not taken, `obj` is of no use, and field_decode is to be
 * asked. Takes nothing that field_decode would refuse or read otherwise.
 */
MUST_USE bool
field_read(const struct field *table, struct json_scan *in, void *obj, struct arena *a);
/* Every member in table order, defaults echoed, secrets left out unless asked for. The caller owns
 * the result. */
MUST_USE json_t *field_encode(const struct field *table, const void *obj, bool with_secrets);
/* One member of an encoded struct; NULL: an optional one that is not there. */
MUST_USE json_t *field_encode_member(const struct field *f, const void *obj);
/* Is any member, at whatever depth, a secret? */
bool field_has_secrets(const struct field *table);
/* The members as field_encode has them, secrets too, written into an object that is open. */
void field_write(const struct field *table, const void *obj, struct json_out *o);
/*
 * For people to read (audit, dry run): put a word in place of every secret in an encoded struct.
 * `before`: the struct as it was, unmasked, or NULL; a secret that differs gets another word.
 */
void field_mask(const struct field *table, json_t *j, const json_t *before);
/* JSON Schema (2020-12) of the struct, with prose as descriptions. */
MUST_USE json_t *field_schema(const struct field *table);
