/* SPDX-License-Identifier: GPL-3.0-or-later */
/* xdp_filter_layout -- what the program in the kernel and xdp_filter.c agree on. */
#pragma once

#include <linux/types.h>

#define XDP_FILTER_QUEUES_MAX    64
#define XDP_FILTER_ENDPOINTS_MAX 1024
#define XDP_FILTER_FRAME_MAX     1780 /* of 2048: the kernel keeps 256 for itself */

struct xdp_filter_endpoint {
	__u8 ip[16]; /* IPv4 as ::ffff:a.b.c.d */
	__be16 port;
	__u16 zero; /* the kernel hashes whole words much faster */
};
