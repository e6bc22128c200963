/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * zonefile -- zone text (RFC 1035 section 5) in and out, by libzscanner.
 *
 * Reading is all or nothing: the first problems (at most 20) are reported as "name:line: reason"
 * and nothing is returned. $GENERATE is expanded, up to ZONEFILE_GENERATED_MAX records in all.
 * $INCLUDE is refused: the input is text, not a file system (gtmctl puts files together). Checks
 * beyond syntax: exactly one SOA, at the apex; NS at the apex; nothing outside the zone; CNAME
 * alone at its name (but for DNSSEC types); DNAME single; class IN; one TTL per set (the first
 * wins).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/diag.h"
#include "zone/rrset.h"

#define ZONEFILE_GENERATED_MAX 1000000

struct zonefile_item {
	const uint8_t *owner; /* lower wire name, the zonefile's */
	struct rrset *set;
};
struct zonefile {
	struct zonefile_item *items; /* one per RRset, in the order of first appearance */
	size_t count;
	size_t records;
	struct arena arena; /* the owners */
};

/* `origin`: the zone's apex, text. `label` names the input in messages. `defaults` to $TTL 3600. 0
 * or -EINVAL. */
MUST_USE int zonefile_parse(const char *text, size_t len, const char *origin, const char *label,
    struct zonefile *out, struct diag *d);

/* What a long reading tells about itself; members may be NULL. */
struct zonefile_hooks {
	void *arg;
	void (*progress)(void *arg, size_t bytes); /* read so far; now and then */
};
MUST_USE int zonefile_parse_told(const char *text, size_t len, const char *origin,
    const char *label, const struct zonefile_hooks *hooks, struct zonefile *out, struct diag *d);
void zonefile_fini(
    struct zonefile *z); /* frees items and the sets still in them (set may be NULLed by a taker) */

/* Write: $ORIGIN, SOA first, then owners in canonical order, types by number; stable. */
void zonefile_write(
    const struct zonefile_item *items, size_t count, const uint8_t *apex, struct buf *out);

/* The CNAME/DNAME/SOA/NS rules above for one set about to join `have` (types at the owner). 0 or
 * -EINVAL. */
MUST_USE int zonefile_check_set(const uint8_t *apex, const uint8_t *owner, const struct rrset *set,
    const uint16_t *have, size_t n_have, struct diag *d);
