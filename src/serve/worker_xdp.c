/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/worker_xdp.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "dns/query.h"
#include "net/frame.h"
#include "net/sock.h"

#define BATCH      64
#define ROUNDS_MAX 16   /* batches before a look whether to stop */
#define ANSWER_MAX 1232 /* no fragments on any sane path (RFC 9715) */
#define IP_UDP_MAX 48   /* what an IPv6 packet has beside its data */
#define PENDING_MS 1    /* until another try to send what the kernel did not take */
#define CACHE_LINE 64

struct listener {
	struct addr addr;
	int fd;
};

struct worker_xdp {
	uint32_t magic;
#define WORKER_XDP_MAGIC 0x0d9e77dau
	pthread_t thread;
	unsigned index;
	bool started;
	struct xsk *xsk;
	unsigned ifindex;
	struct pollfd polls[2]; /* the socket, the stop */
	struct respond respond;
	struct respond_client from; /* of the query at hand */
	struct addr peer;
	struct handover_hook handover;
	unsigned n_listeners;
	struct listener *listeners;
	size_t answer_max;
	uint16_t ip_id;
	struct xsk_packet packets[BATCH];
	alignas(CACHE_LINE) struct respond_counters counters;
	uint64_t malformed;
};

/* ---- handing over ---- */

/* The one at the very address goes before one for all. NULL: there is none any more. */
static const struct listener *
find_listener(const struct worker_xdp *w, const struct addr *local)
{
	const struct listener *any = NULL;

	for (const struct listener *l = w->listeners; l < w->listeners + w->n_listeners; l++) {
		if (addr_equal(&l->addr, local))
			return l;
		if (addr_is_any(&l->addr) && addr_family(&l->addr) == addr_family(local) &&
		    addr_port(&l->addr) == addr_port(local))
			any = l;
	}
	return any;
}

/* So that the answer comes from the address that was asked. */
static void
set_source(struct handover *h, const struct addr *local, unsigned ifindex)
{
	const bool v6 = addr_family(local) == AF_INET6;
	const struct in_pktinfo v4_info = { .ipi_spec_dst = local->in4.sin_addr };
	const bool needs_interface = v6 && IN6_IS_ADDR_LINKLOCAL(&local->in6.sin6_addr);
	const struct in6_pktinfo v6_info = { local->in6.sin6_addr, needs_interface ? ifindex : 0 };
	struct cmsghdr *c = (struct cmsghdr *)(void *)h->control;
	const size_t len = v6 ? sizeof(v6_info) : sizeof(v4_info);

	c->cmsg_level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	c->cmsg_type = v6 ? IPV6_PKTINFO : IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), v6 ? (const void *)&v6_info : &v4_info, len);
	h->control_len = CMSG_SPACE(len);
}

/* 0: it is with others now, or lost. Else the length of what is said instead. */
static size_t
hand_over(struct worker_xdp *w, const struct frame *f, uint8_t *out)
{
	const uint8_t *message = f->bytes + f->data_at;
	const struct listener *l;
	struct addr local;
	struct handover *h;

	frame_local(f, &local);
	l = find_listener(w, &local);
	if (l == NULL) {
		respond_count(&w->counters.dropped);
		return 0;
	}
	h = handover_new(message, f->data_len);
	h->peer = w->peer;
	h->fd = l->fd;
	if (addr_is_any(&l->addr))
		set_source(h, &local, w->ifindex);
	if (w->handover.take(w->handover.arg, h))
		return 0;
	handover_free(&h);
	return respond_error(message, f->data_len, RCODE_SERVFAIL, out, w->answer_max);
}

/* ---- answering ---- */

static void
answer(struct worker_xdp *w, const struct xsk_packet *in, uint8_t *out)
{
	struct frame f;
	size_t len;

	if (UNLIKELY(frame_parse(&f, in->bytes, in->len) != FRAME_UDP)) {
		respond_count(&w->malformed);
		return;
	}
	frame_peer(&f, w->ifindex, &w->peer);
	len = respond(&w->respond, &w->from, in->bytes + f.data_at, f.data_len, out + f.data_at,
	    w->answer_max);
	if (UNLIKELY(len == RESPOND_HANDOVER))
		len = hand_over(w, &f, out + f.data_at);
	if (LIKELY(len > 0))
		xsk_send(w->xsk, (uint32_t)frame_answer(&f, w->ip_id++, out, len));
}

/*
 * How many frames were there. No more are taken than can be answered: the others wait where they
 * are.
 */
static unsigned
serve_batch(struct worker_xdp *w, bool *pending)
{
	const unsigned max = xsk_room(w->xsk, BATCH);
	const unsigned n = xsk_receive(w->xsk, w->packets, max);

	if (n > 0) {
		w->from.now_s = (uint32_t)(clock_real_ms() / 1000);
		w->from.now_ms = (uint32_t)clock_mono_ms();
	}
	for (unsigned i = 0; i < n; i++)
		answer(w, &w->packets[i], xsk_frame(w->xsk));
	xsk_release(w->xsk);
	*pending = xsk_flush(w->xsk);
	urcu_qsbr_quiescent_state();
	return n;
}

/*
 * `pending`: nothing will tell when the kernel takes the rest. And with no frame left to send, what
 * has been received must wait, so it is nothing to wake up for.
 */
static void
wait_for_frames(struct worker_xdp *w, bool pending)
{
	const bool receives = xsk_room(w->xsk, 1) > 0 && (w->polls[0].revents & ~POLLIN) == 0;

	w->polls[0].revents = 0;
	urcu_qsbr_thread_offline();
	(void)poll(receives ? w->polls : w->polls + 1, receives ? 2 : 1,
	    pending || !receives ? PENDING_MS : -1);
	urcu_qsbr_thread_online();
}

static void *
run(void *arg)
{
	struct worker_xdp *w = arg;
	bool pending = false;

	OBJ_CHECK(w, WORKER_XDP_MAGIC);
	urcu_qsbr_register_thread();
	do {
		wait_for_frames(w, pending);
		for (unsigned round = 0; round < ROUNDS_MAX; round++)
			if (serve_batch(w, &pending) == 0)
				break;
	} while (w->polls[1].revents == 0);
	urcu_qsbr_unregister_thread();
	return NULL;
}

/* ---- life ---- */

static void
listen_at(struct worker_xdp *w, const struct worker_xdp_config *c)
{
	w->listeners = xcalloc(c->n_udp_fds, sizeof(*w->listeners));
	for (unsigned i = 0; i < c->n_udp_fds; i++) {
		struct listener *l = &w->listeners[w->n_listeners];

		l->fd = c->udp_fds[i];
		if (sock_name(l->fd, &l->addr) == 0)
			w->n_listeners++;
	}
}

struct worker_xdp *
worker_xdp_new(const struct worker_xdp_config *c)
{
	struct worker_xdp *w = aligned_alloc(alignof(struct worker_xdp), sizeof(*w));

	CHECK(w != NULL && c->mtu > IP_UDP_MAX);
	memset(w, 0, sizeof(*w));
	w->magic = WORKER_XDP_MAGIC;
	w->index = c->index;
	w->xsk = c->xsk;
	w->ifindex = c->ifindex;
	w->polls[0] = (struct pollfd){ .fd = xsk_fd(c->xsk), .events = POLLIN };
	w->polls[1] = (struct pollfd){ .fd = c->stop_fd, .events = POLLIN };
	w->answer_max = c->mtu - IP_UDP_MAX < ANSWER_MAX ? c->mtu - IP_UDP_MAX : ANSWER_MAX;
	w->from.peer = &w->peer;
	w->respond = (struct respond){
		.zones = c->zones,
		.worker = c->worker,
		.edns_udp_size = (uint16_t)w->answer_max,
		.hands_over = c->handover.take != NULL,
		.options = c->options,
		.rrl = c->rrl,
		.counters = &w->counters,
	};
	w->handover = c->handover;
	listen_at(w, c);
	return w;
}

void
worker_xdp_start(struct worker_xdp *w)
{
	char name[16];

	OBJ_CHECK(w, WORKER_XDP_MAGIC);
	snprintf(name, sizeof(name), "dns-xdp-%u", w->index % 1000);
	thread_start(&w->thread, name, run, w);
	w->started = true;
}

void
worker_xdp_free(struct worker_xdp **w)
{
	struct worker_xdp *old = *w;

	if (old == NULL)
		return;
	OBJ_CHECK(old, WORKER_XDP_MAGIC);
	if (old->started)
		thread_join(old->thread);
	xsk_close(&old->xsk);
	old->magic = 0;
	free(old->listeners);
	free(old);
	*w = NULL;
}

struct xsk *
worker_xdp_socket(const struct worker_xdp *w)
{
	return w->xsk;
}

const struct respond_counters *
worker_xdp_counters(const struct worker_xdp *w)
{
	return &w->counters;
}

struct worker_xdp_losses
worker_xdp_losses(const struct worker_xdp *w)
{
	struct xdp_statistics s;

	xsk_statistics(w->xsk, &s);
	return (struct worker_xdp_losses){
		.malformed = __atomic_load_n(&w->malformed, __ATOMIC_RELAXED),
		.dropped = s.rx_dropped + s.rx_ring_full,
		.refused = s.rx_invalid_descs + s.tx_invalid_descs,
	};
}
