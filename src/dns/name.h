/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * name -- domain names in wire form: length-prefixed labels ending in the root label.
 *
 * A `const uint8_t *` name is always complete, uncompressed and at most NAME_MAX bytes; "lower"
 * names have A-Z folded (RFC 4343). Tables keep lower names only. Pure.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

#define NAME_MAX_LEN    255
#define NAME_MAX_LABELS 127  /* the root not counted */
#define NAME_TEXT_SIZE  1024 /* every byte escaped as \DDD, and a NUL */

/* Length in bytes, the root label included. */
size_t name_len(const uint8_t *name);
/* Labels, the root not counted; 0 for the root. */
unsigned name_labels(const uint8_t *name);

/*
 * Read presentation form ("www.Example.com", trailing dot optional, \DDD and \X escapes, "@" is
 * not special, "." the root). Writes at most NAME_MAX_LEN bytes and returns the length, or
 * -EINVAL (empty label, bad escape, label over 63), -ENAMETOOLONG (over 255 bytes).
 */
MUST_USE int name_parse(const char *text, uint8_t out[NAME_MAX_LEN]);
/* As name_parse, folded to lower case. */
MUST_USE int name_parse_lower(const char *text, uint8_t out[NAME_MAX_LEN]);
/* Presentation form without the trailing dot ("." for the root); returns out. */
char *name_text(const uint8_t *name, char out[NAME_TEXT_SIZE]);

/*
 * A-Z to a-z, the length known: sixteen octets at a time, the last ones twice. Length octets
 * (0..63) lie below 'A', so a name is folded as it stands.
 */
static inline void
name_fold(uint8_t *out, const uint8_t *name, size_t len)
{
	typedef uint8_t octets __attribute__((vector_size(16)));
	octets x;

	if (len < sizeof(x)) {
		for (size_t i = 0; i < len; i++)
			out[i] = (uint8_t)(name[i] - 'A') < 26 ? name[i] | 0x20 : name[i];
		return;
	}
	for (size_t at = 0; at + sizeof(x) < len; at += sizeof(x)) {
		memcpy(&x, name + at, sizeof(x));
		x |= (octets)(x - 'A' < 26) & 0x20;
		memcpy(out + at, &x, sizeof(x));
	}
	memcpy(&x, name + len - sizeof(x), sizeof(x));
	x |= (octets)(x - 'A' < 26) & 0x20;
	memcpy(out + len - sizeof(x), &x, sizeof(x));
}
void name_lower(uint8_t *name); /* fold in place */
void name_copy_lower(uint8_t *out, const uint8_t *name);
bool name_equal(const uint8_t *a, const uint8_t *b); /* ignores case */
/* `name` is `ancestor` or below it; ignores case. */
bool name_below(const uint8_t *name, const uint8_t *ancestor);
/* Skip `n` labels from the left; n <= name_labels. */
const uint8_t *name_skip(const uint8_t *name, unsigned n);
/* Canonical DNSSEC order (RFC 4034 6.1): <0, 0, >0. Both lower. */
int name_order(const uint8_t *a, const uint8_t *b);
bool name_is_wildcard(const uint8_t *name); /* leftmost label is "*" */

/*
 * A name and where its labels are, found in one pass, so that nobody has to walk it again:
 *
 *	off     0     4          12     16
 *	        3 w w w 7 e x a m p l e 3 c o m 0	labels = 3, len = 17
 *
 * Its last n labels are a name, too: that at off[labels - n].
 */
struct name_path {
	const uint8_t *name; /* borrowed */
	uint8_t len, labels;
	uint8_t off[NAME_MAX_LABELS + 1]; /* of each label, and of the root */
};

void name_path_of(struct name_path *p, const uint8_t *name);
/*
 * Of the uncompressed name at `pos` of a message, checked on the way: its length, or -EINVAL as
 * name_check.
 */
static inline int
name_path_read(struct name_path *p, const uint8_t *msg, size_t len, size_t pos)
{
	const uint8_t *name = msg + pos;
	const size_t room = len - pos < NAME_MAX_LEN ? len - pos : NAME_MAX_LEN;
	unsigned at = 0, label;
	uint8_t *off = p->off;

	if (room == 0)
		return -EINVAL;
	*off = 0;
	while (label = name[at], label - 1 < 63) {
		at += 1 + label;
		if (at >= room)
			return -EINVAL;
		*++off = (uint8_t)at;
	}
	p->name = name;
	p->labels = (uint8_t)(off - p->off);
	p->len = (uint8_t)(at + 1);
	return label == 0 ? (int)at + 1 : -EINVAL;
}

static inline const uint8_t *
name_path_tail(const struct name_path *p, unsigned n)
{
	return p->name + p->off[p->labels - n];
}

static inline unsigned
name_path_tail_len(const struct name_path *p, unsigned n)
{
	return p->len - (unsigned)p->off[p->labels - n];
}

/*
 * Check the uncompressed name at `pos` of a message; returns its length, or -EINVAL (truncated,
 * a pointer, a label type other than 00, over 255 bytes).
 */
MUST_USE int name_check(const uint8_t *msg, size_t len, size_t pos);
/* Expand a possibly compressed name at *pos and advance *pos; as above; loops are refused. */
MUST_USE int name_expand(const uint8_t *msg, size_t len, size_t *pos, uint8_t out[NAME_MAX_LEN]);
