/* SPDX-License-Identifier: GPL-3.0-or-later */
/* zone_page -- pages of RRsets (dns/rrpage.h) into a zone and out of it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "dns/rrpage.h"
#include "zone/zone.h"

/*
 * Writer: zone_put for each set of the page. 0, or -EINVAL if it is no page of this zone; then some
 * of it may have been put.
 */
MUST_USE int zone_page_put(struct zone *z, const uint8_t *data, size_t len);
/* The same, of what was made in this process (CHECKed). */
void zone_page_put_book(struct zone *z, const struct rrpage_book *book);
/* The sets of a node, added to a book of its zone. */
void zone_page_add(struct rrpage_book *book, const struct zone *z, const struct zone_node *n);
