/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * frame -- an Ethernet frame with a UDP datagram in it: taken apart, and answered.
 *
 *   | Ethernet 14 | VLAN tag 0 or 4 | IPv4 20 or IPv6 40 | UDP 8 | data ...
 *                                   ^ ip_at              ^ udp_at ^ data_at
 *
 * The answer has the same shape with both ends exchanged, so its data stands at the same place.
 * What has another shape (IPv4 options, fragments, IPv6 extension headers, a second tag) is for the
 * kernel's stack, not for us. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "net/addr.h"

#define FRAME_HEADERS_MAX 66 /* Ethernet, tag, IPv6, UDP */
#define FRAME_MIN         60 /* what Ethernet carries at least */

enum frame_kind {
	FRAME_UDP,
	FRAME_OTHER,   /* not a datagram of this shape */
	FRAME_DAMAGED, /* cut short, or a checksum is wrong */
	FRAME_MARTIAN, /* from an address or a port that nobody can answer to */
};

struct frame {
	const uint8_t *bytes;
	bool v6;
	uint8_t ip_at, udp_at, data_at;
	uint16_t data_len;
};

/*
 * `f` points into `bytes`. A UDP checksum is right when it is complete, and when it is just the
 * sum of the pseudo-header: so leave datagrams a sender on the same machine that counts on a
 * network card to finish them.
 */
MUST_USE enum frame_kind frame_parse(struct frame *f, const uint8_t *bytes, size_t len);

/* Who sent it, and to whom. A link-local peer is one on interface `ifindex`. */
void frame_peer(const struct frame *f, unsigned ifindex, struct addr *peer);
void frame_local(const struct frame *f, struct addr *local);

/*
 * `out` has the answer's data, `len` bytes of it, at f->data_at: write the headers before it, and
 * zeros behind what is too short for Ethernet. `id` is that of the IPv4 header. Returns the length
 * of the frame.
 */
size_t frame_answer(const struct frame *f, uint16_t id, uint8_t *out, size_t len);
