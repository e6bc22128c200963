/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/worker_udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <urcu/urcu-qsbr.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "dns/query.h"

#define BATCH        64
#define ROUNDS_MAX   16   /* full batches from one socket before the others have a turn */
#define QUERY_MAX    2048 /* longer ones are cut, and then malformed */
#define ANSWER_MAX   1232 /* no fragments on any sane path (RFC 9715) */
#define SEND_WAIT_MS 20   /* patience with a full send buffer */
#define CACHE_LINE   64

struct slot {
	struct addr peer;
	alignas(struct cmsghdr) uint8_t control[HANDOVER_CONTROL_MAX];
	struct iovec in, out;
	uint8_t query[QUERY_MAX];
	uint8_t answer[ANSWER_MAX];
};

struct worker_udp {
	uint32_t magic;
#define WORKER_UDP_MAGIC 0x0d9e7711u
	pthread_t thread;
	unsigned index;
	bool started;
	struct respond respond;
	struct respond_client from; /* of the query at hand */
	struct handover_hook handover;
	unsigned n_polls;
	struct pollfd *polls; /* the sockets, then the stop */
	struct mmsghdr in[BATCH], out[BATCH];
	struct slot *slots;
	alignas(CACHE_LINE) struct respond_counters counters;
};

/* The answer in slot i goes out as number n, by what is returned. */
static struct msghdr *
place(struct worker_udp *w, unsigned i, unsigned n)
{
	struct slot *s = &w->slots[i];
	struct msghdr *m = &w->out[n].msg_hdr;

	m->msg_name = &s->peer.storage;
	m->msg_iov = &s->out;
	m->msg_iovlen = 1;
	m->msg_control = s->control;
	return m;
}

/* The kernel shortens what it fills in: offer the full space again. */
static inline void
rearm(struct slot *s, struct msghdr *in)
{
	in->msg_namelen = sizeof(s->peer.storage);
	in->msg_controllen = sizeof(s->control);
}

/* Where all were answered, each has kept its place. */
static void
settle(struct worker_udp *w, unsigned used, unsigned answered)
{
	for (unsigned i = 0; answered != used && i < answered; i++)
		place(w, i, i);
}

/*
 * What told to which address the query was sent now says where the answer leaves from. The route
 * decides on the interface, except where the address means nothing without one.
 */
static void
turn_around(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (c == NULL)
		return;
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo *info = (struct in_pktinfo *)(void *)CMSG_DATA(c);

		info->ipi_ifindex = 0;
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo *info = (struct in6_pktinfo *)(void *)CMSG_DATA(c);

		if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
			info->ipi6_ifindex = 0;
	}
}

static void
drop(struct worker_udp *w)
{
	respond_count(&w->counters.dropped);
}

/* false: give up on the rest of the batch. */
static bool
wait_writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	urcu_qsbr_thread_offline();

	const int n = poll(&p, 1, SEND_WAIT_MS);

	urcu_qsbr_thread_online();
	return n > 0;
}

/* One answer that cannot be sent (no route, no buffer) must not take the others with it. */
static void
send_batch(struct worker_udp *w, int fd, unsigned n)
{
	unsigned i = 0;

	while (i < n) {
		const int sent = sendmmsg(fd, w->out + i, n - i, MSG_DONTWAIT);

		if (sent > 0) {
			i += (unsigned)sent;
		} else if (errno == EAGAIN) {
			if (wait_writable(fd))
				continue;
			for (; i < n; i++)
				drop(w);
		} else if (errno != EINTR) {
			drop(w);
			i++;
		}
	}
}

/* 0: it is with others now. Else the length of what is said instead. */
static size_t
hand_over(struct worker_udp *w, unsigned i, int fd)
{
	struct slot *s = &w->slots[i];
	struct msghdr *m = &w->in[i].msg_hdr;
	struct handover *h = handover_new(s->query, w->in[i].msg_len);

	turn_around(m);
	h->peer = s->peer;
	h->fd = fd;
	h->control_len = m->msg_controllen;
	memcpy(h->control, s->control, h->control_len);
	if (w->handover.take(w->handover.arg, h))
		return 0;
	handover_free(&h);
	return respond_error(
	    s->query, w->in[i].msg_len, RCODE_SERVFAIL, s->answer, sizeof(s->answer));
}

/* Answer one received message into out[n]; returns how many answers that makes. */
static unsigned
answer(struct worker_udp *w, int fd, unsigned i, unsigned n)
{
	struct slot *s = &w->slots[i];
	struct msghdr *in = &w->in[i].msg_hdr, *out = &w->out[i].msg_hdr;
	size_t len;

	s->peer.len = in->msg_namelen;
	w->from.peer = &s->peer;
	len = respond(
	    &w->respond, &w->from, s->query, w->in[i].msg_len, s->answer, sizeof(s->answer));

	if (UNLIKELY(len == RESPOND_HANDOVER))
		len = hand_over(w, i, fd);
	if (LIKELY(len > 0)) {
		if (UNLIKELY(in->msg_controllen > 0))
			turn_around(in);
		if (UNLIKELY(n != i))
			out = place(w, i, n);
		s->out.iov_len = len;
		out->msg_namelen = in->msg_namelen;
		out->msg_controllen = in->msg_controllen;
	}
	rearm(s, in);
	return len > 0;
}

/* Returns how many queries were there. */
static unsigned
serve_batch(struct worker_udp *w, int fd)
{
	const int got = recvmmsg(fd, w->in, BATCH, MSG_DONTWAIT, NULL);
	unsigned n = 0;

	if (got <= 0)
		return 0; /* EAGAIN, or an error that this took off the socket */
	w->from.now_s = (uint32_t)(clock_real_ms() / 1000);
	w->from.now_ms = (uint32_t)clock_mono_ms();
	for (unsigned i = 0; i < (unsigned)got; i++)
		n += answer(w, fd, i, n);
	send_batch(w, fd, n);
	settle(w, (unsigned)got, n);
	urcu_qsbr_quiescent_state();
	return (unsigned)got;
}

static void
wait_readable(struct worker_udp *w)
{
	urcu_qsbr_thread_offline();
	while (poll(w->polls, w->n_polls, -1) < 0)
		CHECK(errno == EINTR);
	urcu_qsbr_thread_online();
}

static void *
run(void *arg)
{
	struct worker_udp *w = arg;
	const struct pollfd *stop = &w->polls[w->n_polls - 1];

	OBJ_CHECK(w, WORKER_UDP_MAGIC);
	urcu_qsbr_register_thread();
	do {
		wait_readable(w);
		for (struct pollfd *p = w->polls; p != stop; p++)
			for (unsigned round = 0; p->revents != 0 && round < ROUNDS_MAX; round++)
				if (serve_batch(w, p->fd) < BATCH)
					break;
	} while (stop->revents == 0);
	urcu_qsbr_unregister_thread();
	return NULL;
}

static void
init_slots(struct worker_udp *w)
{
	w->slots = xcalloc(BATCH, sizeof(*w->slots));
	for (unsigned i = 0; i < BATCH; i++) {
		struct slot *s = &w->slots[i];
		struct msghdr *m = &w->in[i].msg_hdr;

		s->in = (struct iovec){ s->query, sizeof(s->query) };
		s->out = (struct iovec){ s->answer, 0 };
		m->msg_name = &s->peer.storage;
		m->msg_iov = &s->in;
		m->msg_iovlen = 1;
		m->msg_control = s->control;
		rearm(s, m);
		place(w, i, i);
	}
}

struct worker_udp *
worker_udp_new(const struct worker_udp_config *c)
{
	struct worker_udp *w = aligned_alloc(alignof(struct worker_udp), sizeof(*w));

	CHECK(w != NULL);
	memset(w, 0, sizeof(*w));
	w->magic = WORKER_UDP_MAGIC;
	w->index = c->worker;
	w->respond = (struct respond){
		.zones = c->zones,
		.worker = c->worker,
		.edns_udp_size = ANSWER_MAX,
		.hands_over = c->handover.take != NULL,
		.options = c->options,
		.rrl = c->rrl,
		.counters = &w->counters,
	};
	w->handover = c->handover;
	w->n_polls = c->n_fds + 1;
	w->polls = xcalloc(w->n_polls, sizeof(*w->polls));
	for (unsigned i = 0; i < w->n_polls; i++)
		w->polls[i] = (struct pollfd){
			.fd = i < c->n_fds ? c->fds[i] : c->stop_fd,
			.events = POLLIN,
		};
	init_slots(w);
	return w;
}

void
worker_udp_start(struct worker_udp *w)
{
	char name[16];

	OBJ_CHECK(w, WORKER_UDP_MAGIC);
	snprintf(name, sizeof(name), "dns-udp-%u", w->index % 1000);
	thread_start(&w->thread, name, run, w);
	w->started = true;
}

/* Best effort, as all of UDP: a full buffer loses it, and the client asks again. */
void
worker_udp_reply(const struct handover *h, const uint8_t *data, size_t len)
{
	struct iovec out = { (void *)(uintptr_t)data, len };
	const struct msghdr m = {
		.msg_name = (void *)(uintptr_t)&h->peer.sa,
		.msg_namelen = h->peer.len,
		.msg_iov = &out,
		.msg_iovlen = 1,
		.msg_control = h->control_len > 0 ? (void *)(uintptr_t)h->control : NULL,
		.msg_controllen = h->control_len,
	};

	if (sendmsg(h->fd, &m, MSG_DONTWAIT) < 0)
		log_debug("serve", "an answer cannot be sent: %s", strerror(errno));
}

void
worker_udp_free(struct worker_udp **w)
{
	struct worker_udp *old = *w;

	if (old == NULL)
		return;
	OBJ_CHECK(old, WORKER_UDP_MAGIC);
	if (old->started)
		thread_join(old->thread);
	old->magic = 0;
	free(old->slots);
	free(old->polls);
	free(old);
	*w = NULL;
}

const struct respond_counters *
worker_udp_counters(const struct worker_udp *w)
{
	return &w->counters;
}
