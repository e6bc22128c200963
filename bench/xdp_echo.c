/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * xdp_echo INTERFACE ADDRESS:PORT -- the least that a DNS server by AF_XDP can do: flip one bit of
 * each query and send it back. With the same frames, rings and filter as gtmd; queue 0.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "net/frame.h"
#include "net/xdp_filter.h"
#include "net/xsk.h"

#define BATCH 64

static unsigned
echo(struct xsk *x, bool *pending)
{
	struct xsk_packet in[BATCH];
	const unsigned n = xsk_receive(x, in, xsk_room(x, BATCH));

	for (unsigned i = 0; i < n; i++) {
		uint8_t *out = xsk_frame(x);
		struct frame f;

		if (frame_parse(&f, in[i].bytes, in[i].len) != FRAME_UDP || f.data_len < 12)
			continue;
		memcpy(out + f.data_at, f.bytes + f.data_at, f.data_len);
		out[f.data_at + 2] |= 0x80;
		xsk_send(x, (uint32_t)frame_answer(&f, 0, out, f.data_len));
	}
	xsk_release(x);
	*pending = xsk_flush(x);
	return n;
}

int
main(int argc, char **argv)
{
	struct xdp_filter *filter;
	struct diag d;
	struct addr a;
	struct xsk *x = NULL;
	bool pending = false;

	diag_init(&d);
	if (argc != 3 || addr_parse(&a, argv[2], 53) != 0)
		return 2;
	filter = xdp_filter_open(argv[1], argv[1], &d);
	if (filter == NULL || xdp_filter_endpoint(filter, &a) != 0 || xsk_open(&x) != 0 ||
	    xsk_bind(x, if_nametoindex(argv[1]), 0) != 0 ||
	    xdp_filter_divert(filter, 0, xsk_fd(x)) != 0) {
		fprintf(stderr, "xdp_echo: %s\n", diag_failed(&d) ? diag_text(&d) : argv[1]);
		return 1;
	}
	for (;;) {
		struct pollfd p = { .fd = xsk_fd(x), .events = POLLIN };

		(void)poll(&p, 1, pending ? 1 : -1);
		while (echo(x, &pending) > 0)
			;
	}
}
