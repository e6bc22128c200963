/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xdp_filter -- what diverts datagrams at an interface to AF_XDP sockets: the program of
 * xdp_filter.bpf.c, which endpoints it diverts, and the socket of each queue.
 *
 *   open, endpoints ...   as root: loads and attaches; nothing is diverted yet
 *   divert(queue, fd)     from now on, that queue's datagrams, until that socket is closed
 *
 * It is attached by a link that the processes hold who have it open, so that it goes with the last
 * of them, however that ends. The kernel takes a socket out by itself when it is closed; then its
 * queue goes to the kernel's stack again.
 */
#pragma once

#include <net/if.h>

#include "base/attr.h"
#include "base/diag.h"
#include "net/addr.h"
#include "net/xdp_filter_layout.h"

struct xdp_filter;

/* At `name`. NULL with a problem at `where`. In the driver if that can, else in the kernel's
 * generic way. */
MUST_USE struct xdp_filter *xdp_filter_open(const char *name, const char *where, struct diag *d);
void xdp_filter_close(struct xdp_filter **f);
/* After a fork: what remains here is only divert and restore. The other process holds the rest. */
void xdp_filter_release(struct xdp_filter *f);

bool xdp_filter_is_generic(const struct xdp_filter *f);
/* An IP and a port. 0, or a negative errno: -E2BIG when there are too many. */
MUST_USE int xdp_filter_endpoint(struct xdp_filter *f, const struct addr *a);
MUST_USE int xdp_filter_divert(const struct xdp_filter *f, unsigned queue, int socket);
void xdp_filter_restore(const struct xdp_filter *f, unsigned queue);
