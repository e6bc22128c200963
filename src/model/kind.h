/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * kind -- the nouns of the product and, for each, one row: names, field table, rules, references.
 */
#pragma once

#include "model/field.h"

enum kind {
	KIND_TSIG_KEY,
	KIND_ZONE,
	KIND_NODE,
	KIND_TEMPLATE,
	KIND_LINE,
	KIND_ADDRESS,
	KIND_POOL,
	KIND_DOMAIN,
	KIND_RRSET,
	KIND_OVERRIDE,
	KIND_MAINTENANCE,
	KIND_COUNT, /* in dependency order: `refs` names only kinds before it */
};

/* Called for each reference an object makes; `path` such as "checks[0].template", which only a
 * problem needs as text. */
typedef void kind_ref_f(enum kind to, const char *name, const struct diag_path *path, void *arg);

struct kind_info {
	const char *name;   /* "pool" */
	const char *plural; /* "pools": the URL */
	const char *prose;
	uint8_t wire; /* on the feed and in journals on disk: for good, never given again */
	size_t size;  /* of the struct */
	const struct field *fields;
	/* Rules across the members of one object; `name` is the object's. May be NULL. */
	int (*check)(const char *name, const void *spec, struct diag *d);
	/* May be NULL: refers to nothing. */
	void (*refs)(const void *spec, kind_ref_f *visit, void *arg);
	/*
	 * May be NULL. Right after decoding, before `check`: put values that parse into canonical
	 * text and fill in what depends on other members or the name (places in a list). What does
	 * not parse is left for `check` to refuse.
	 */
	void (*settle)(const char *name, void *spec, struct arena *a);
	/* State of running rather than configuration: no part of YAML. */
	bool operational;
};

extern const struct kind_info kind_table[KIND_COUNT];

MUST_USE int kind_parse(const char *name_or_plural, enum kind *kind);
/* By its number on the wire. 0 or -EINVAL. */
MUST_USE int kind_of_wire(uint8_t wire, enum kind *kind);
/* "tsig-key, zone, ...": all that YAML has, for people. */
const char *kind_names(struct arena *a);

/*
 * Normalise and check an object's name for its kind: domains are "<host>/<TYPE>" with the host
 * lower case without trailing dot ("www.cloud-example.com/A"); record sets likewise, with any
 * owner and type; zones a domain name likewise; overrides as target.h says; others 1..64
 * characters. Writes to out (size KIND_NAME_SIZE). 0 or -EINVAL.
 */
#define KIND_NAME_SIZE 300
MUST_USE int kind_name(enum kind kind, const char *name, char *out, struct diag *d);

/* Decode and check a spec; the result lives in `a`. NULL with problems in d. */
MUST_USE void *
kind_decode(enum kind kind, const char *name, const json_t *spec, struct arena *a, struct diag *d);
/* The same from JSON text: quick if kind_spec_text has made it, as in change sets and the store. */
MUST_USE void *kind_decode_text(
    enum kind kind, const char *name, const char *spec, struct arena *a, struct diag *d);
/* The spec as a change_op carries it: compact JSON, complete with defaults and secrets. The caller
 * frees. */
MUST_USE char *kind_spec_text(enum kind kind, const void *spec);
/*
 * What a PUT over `old` (may be NULL) means: secrets are never read back, so those left out stay
 * as they are. New reference; `spec` is not changed.
 */
MUST_USE json_t *kind_keep_secrets(enum kind kind, const json_t *spec, const void *old);
