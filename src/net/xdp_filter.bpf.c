/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The program at an interface: datagrams to an endpoint of ours go to the AF_XDP socket of their
 * queue, all else to the kernel's stack. So does everything while a queue has no socket, which is
 * when the engine is away.
 *
 * What is passed on must have the one shape that frame_parse() takes, and fit into a frame of the
 * socket's memory.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "net/xdp_filter_layout.h"

#define IPV4_FRAGMENT 0x3fff /* "more fragments", or an offset */

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, XDP_FILTER_QUEUES_MAX);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, XDP_FILTER_ENDPOINTS_MAX);
	__uint(key_size, sizeof(struct xdp_filter_endpoint));
	__uint(value_size, 1);
} endpoints SEC(".maps");

char _license[] SEC("license") = "GPL";

static __always_inline int
find(void *ip, void *end, struct xdp_filter_endpoint *to, int v6)
{
	struct udphdr *udp;

	if (v6) {
		struct ipv6hdr *h = ip;

		if ((void *)(h + 1) > end || h->version != 6 || h->nexthdr != IPPROTO_UDP)
			return 0;
		__builtin_memcpy(to->ip, &h->daddr, 16);
		udp = (void *)(h + 1);
	} else {
		struct iphdr *h = ip;

		if ((void *)(h + 1) > end || h->version != 4 || h->ihl != 5 ||
		    h->protocol != IPPROTO_UDP || h->frag_off & bpf_htons(IPV4_FRAGMENT))
			return 0;
		to->ip[10] = to->ip[11] = 0xff; /* ::ffff:a.b.c.d */
		__builtin_memcpy(to->ip + 12, &h->daddr, 4);
		udp = (void *)(h + 1);
	}
	if ((void *)(udp + 1) > end)
		return 0;
	to->port = udp->dest;
	return bpf_map_lookup_elem(&endpoints, to) != 0;
}

SEC("xdp")
int
filter(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct xdp_filter_endpoint to = { 0 };
	struct ethhdr *eth = data;
	void *ip = eth + 1;
	__be16 type;

	/* No difference of pointers: without CAP_PERFMON that is forbidden. */
	if (ip + 4 > end || data + XDP_FILTER_FRAME_MAX < end || eth->h_dest[0] & 1)
		return XDP_PASS;
	type = eth->h_proto;
	if (type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD)) {
		type = *(__be16 *)(ip + 2);
		ip += 4;
	}
	if (type != bpf_htons(ETH_P_IP) && type != bpf_htons(ETH_P_IPV6))
		return XDP_PASS;
	if (!find(ip, end, &to, type == bpf_htons(ETH_P_IPV6)))
		return XDP_PASS;
	return (int)bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_PASS);
}
