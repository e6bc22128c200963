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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/diag.h"
#include "dns/rrpage.h"
#include "zone/rrset.h"

#define ZONEFILE_GENERATED_MAX 1000000

struct zonefile {
	struct rrpage_book sets; /* in order (rrpage_order), one of each owner and type */
	size_t records;
	uint8_t apex[NAME_MAX_LEN];
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
void zonefile_fini(struct zonefile *z);

/* One set, in O(log n); `set` is borrowed from the zonefile, its owner is `owner` (lower). */
MUST_USE bool zonefile_find(
    const struct zonefile *z, const uint8_t *owner, uint16_t type, struct rrpage_set *set);

/* Give its SOA another serial. */
void zonefile_set_serial(struct zonefile *z, uint32_t serial);

/* Write: $ORIGIN, SOA first, then owners in canonical order, types by number; stable. */
void zonefile_write(const struct rrpage_book *sets, const uint8_t *apex, struct buf *out);

/* The CNAME/DNAME/SOA/NS rules above for one set about to join `have` (types at the owner). 0 or
 * -EINVAL. */
MUST_USE int zonefile_check_set(const uint8_t *apex, const uint8_t *owner, const struct rrset *set,
    const uint16_t *have, size_t n_have, struct diag *d);
