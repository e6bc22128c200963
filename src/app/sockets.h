/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sockets -- everything gtmd listens on, opened once by the supervisor and inherited by its
 * children.
 *
 * They outlive any child: while an engine is being restarted, queries wait in the socket buffers.
 */
#pragma once

#include "app/config.h"
#include "app/xdp_ports.h"

struct sockets {
	unsigned workers, n_addrs;
	int *udp;    /* [worker * n_addrs + addr] */
	int *tcp;    /* [addr] */
	int api;     /* TCP */
	int nodes;   /* TCP: probe nodes; -1: none are wanted */
	int control; /* DIR/control.sock, mode 0600 */
	struct xdp_ports *xdp;
	int feed; /* DIR/feed.sock, mode 0600: engine accepts, control connects */
};

MUST_USE int sockets_open(struct sockets *s, const struct config *c, struct diag *d);
void sockets_close(struct sockets *s);
