/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xdp_ports -- the interfaces of `dns.xdp`: a filter at each, and a socket for each receive queue.
 *
 *   supervisor   attaches the filters, once, as root, and holds them: they outlive any engine
 *   engine       opens sockets before it gives up root; engine_xdp.c binds them and diverts to them
 *   control      lets go of everything
 *
 * An engine that dies takes its sockets out of the filters, so the kernel's sockets get the queries
 * until the next one is there. What cannot be done is no reason not to start: `problem` says what
 * it is, and ordinary sockets serve.
 */
#pragma once

#include <net/if.h>

#include "app/config.h"
#include "net/xdp_filter.h"
#include "net/xsk.h"

struct xdp_interface {
	char name[IFNAMSIZ];
	unsigned ifindex, mtu, queues;
	struct xdp_filter *filter; /* NULL: there is a problem */
	struct xsk **sockets;      /* [queues], in the engine; whoever takes one sets it NULL */
	char *problem;             /* or NULL */
};

struct xdp_ports {
	unsigned n;
	struct xdp_interface *interfaces;
};

/* For the endpoints of c->dns_addrs; those for all addresses mean the ones this machine has now. */
MUST_USE struct xdp_ports *xdp_ports_open(const struct config *c);
void xdp_ports_enter(struct xdp_ports *p);  /* in the engine, with the rights of root */
void xdp_ports_forget(struct xdp_ports *p); /* in others: let go of the filters */
void xdp_ports_close(struct xdp_ports **p);
/* Ordinary sockets serve instead of `i`: said in the log. Keeps the first problem. */
void xdp_ports_fail(struct xdp_interface *i, const char *fmt, ...) PRINTF(2, 3);
