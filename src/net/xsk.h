/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xsk -- an AF_XDP socket: frames of one queue of one interface, past the kernel's stack.
 *
 *   memory   | frames to receive into ................ | frames to send from ................... |
 *   rings    fill -> (kernel) -> rx -> us -> fill ...    us -> tx -> (kernel) -> completion -> us
 *
 * Each half has exactly as many frames as its rings have room, so that no ring can be full and a
 * received frame goes back before anything is waited for: receiving cannot starve, whatever sending
 * does.
 *
 * Sending needs to be driven. In copy mode the kernel sends when told so, a few frames a time, and
 * says EAGAIN with the rest still in the ring, where it stays until told again. So xsk_flush() goes
 * on while that helps, and says if something is left; then the caller comes back soon instead of
 * sleeping until the next frame arrives, which may be one that waits for our answers.
 *
 * One thread's. xsk_open wants CAP_NET_RAW and room to lock memory; the rest wants nothing.
 */
#pragma once

#include <linux/if_xdp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

#define XSK_FRAMES     2048 /* each way */
#define XSK_FRAME_SIZE 2048 /* a frame to send may be so long */

struct xsk;

struct xsk_packet {
	const uint8_t *bytes; /* until xsk_release */
	uint32_t len;
};

MUST_USE int xsk_open(struct xsk **x);
/* Zero-copy if the driver can, else by copy. -EBUSY: the memory of a socket that has just been
 * closed has not quite gone; try again. */
MUST_USE int xsk_bind(struct xsk *x, unsigned ifindex, unsigned queue);
void xsk_close(struct xsk **x);

int xsk_fd(const struct xsk *x);            /* readable: something has been received */
bool xsk_is_zero_copy(const struct xsk *x); /* once bound */

/* At most `max`, oldest first; all are given back before the next are taken. */
unsigned xsk_receive(struct xsk *x, struct xsk_packet *out, unsigned max);
void xsk_release(struct xsk *x);

/* How many frames can be sent now, as far as `max`: others are still on their way. */
unsigned xsk_room(struct xsk *x, unsigned max);
/* XSK_FRAME_SIZE bytes to write to, when there is room. The same again until it is sent. */
uint8_t *xsk_frame(struct xsk *x);
void xsk_send(struct xsk *x, uint32_t len); /* that frame, at the next flush */
/* True: not all is sent, and nothing will tell when more can be. */
bool xsk_flush(struct xsk *x);

/* The kernel's; from any thread. All 0 if it does not say. */
void xsk_statistics(const struct xsk *x, struct xdp_statistics *out);
