/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/server.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "serve/respond_signed.h"
#include "serve/tcp_server.h"
#include "serve/worker_udp.h"
#include "serve/worker_xdp.h"
#include "zone/retire.h"

#define TCP_MAX_CLIENTS 1000
#define TCP_IDLE_MS     10000
#define UDP_SIZE        1232

struct server {
	uint32_t magic;
#define SERVER_MAGIC 0x5e29e201u
	int stop_fd;
	const struct serve_options *options; /* readers: RCU */
	unsigned n_workers;
	struct worker_udp **workers;
	unsigned n_xdp;
	struct worker_xdp **xdp;
	struct tcp_server *tcp;
	struct rrl *rrl;
	struct respond respond; /* to signed queries */
	struct respond_counters counters;
};

static void
make_xdp(struct server *s, const struct server_config *c, const struct zones *zones)
{
	s->n_xdp = c->n_xdp;
	s->xdp = xcalloc(c->n_xdp, sizeof(struct worker_xdp *));
	for (unsigned i = 0; i < c->n_xdp; i++)
		s->xdp[i] = worker_xdp_new(&(struct worker_xdp_config){
		    .zones = zones,
		    .worker = c->workers + 2 + i,
		    .index = i,
		    .options = &s->options,
		    .rrl = s->rrl,
		    .xsk = c->xdp[i].socket,
		    .ifindex = c->xdp[i].ifindex,
		    .mtu = c->xdp[i].mtu,
		    .udp_fds = c->udp_fds,
		    .n_udp_fds = c->n_addrs,
		    .handover = c->handover,
		    .stop_fd = s->stop_fd,
		});
}

struct server *
server_new(const struct server_config *c, const struct zones *zones)
{
	struct server *s = xcalloc(1, sizeof(*s));

	s->magic = SERVER_MAGIC;
	s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(s->stop_fd >= 0);
	s->options = c->options != NULL ? c->options : serve_options_new();
	s->rrl = rrl_new();
	s->n_workers = c->workers;
	s->workers = xcalloc(c->workers, sizeof(struct worker_udp *));
	for (unsigned i = 0; i < c->workers; i++)
		s->workers[i] = worker_udp_new(&(struct worker_udp_config){
		    .zones = zones,
		    .worker = i,
		    .options = &s->options,
		    .rrl = s->rrl,
		    .fds = c->udp_fds + (size_t)i * c->n_addrs,
		    .n_fds = c->n_addrs,
		    .handover = c->handover,
		    .stop_fd = s->stop_fd,
		});
	make_xdp(s, c, zones);
	s->tcp = tcp_server_new(&(struct tcp_server_config){
	    .zones = zones,
	    .worker = c->workers,
	    .options = &s->options,
	    .fds = c->tcp_fds,
	    .n_fds = c->n_addrs,
	    .handover = c->handover,
	    .max_per_source = c->tcp_max_per_source,
	    .transfers = c->transfers,
	    .keys = c->keys,
	    .dir = c->dir,
	    .max_clients = c->tcp_max_clients > 0 ? c->tcp_max_clients : TCP_MAX_CLIENTS,
	    .idle_ms = c->tcp_idle_ms > 0 ? c->tcp_idle_ms : TCP_IDLE_MS,
	});
	s->respond = (struct respond){
		.zones = zones,
		.worker = c->workers + 1,
		.tcp_idle_ms = c->tcp_idle_ms > 0 ? c->tcp_idle_ms : TCP_IDLE_MS,
		.options = (const struct serve_options *const *)&s->options,
		.edns_udp_size = UDP_SIZE,
		.counters = &s->counters,
	};
	return s;
}

static void
release_options(void *ptr)
{
	struct serve_options *o = ptr;

	serve_options_free(&o);
}

void
server_set_options(struct server *s, struct serve_options *o)
{
	const struct serve_options *old = s->options;

	OBJ_CHECK(s, SERVER_MAGIC);
	__atomic_store_n(&s->options, o, __ATOMIC_RELEASE);
	retire((void *)(uintptr_t)old, release_options);
}

void
server_start(struct server *s)
{
	OBJ_CHECK(s, SERVER_MAGIC);
	for (unsigned i = 0; i < s->n_workers; i++)
		worker_udp_start(s->workers[i]);
	tcp_server_start(s->tcp);
}

struct xsk *
server_xdp_socket(const struct server *s, unsigned i)
{
	return worker_xdp_socket(s->xdp[i]);
}

void
server_xdp_start(struct server *s, unsigned i)
{
	OBJ_CHECK(s, SERVER_MAGIC);
	worker_xdp_start(s->xdp[i]);
}

void
server_free(struct server **s)
{
	struct server *old = *s;

	if (old == NULL)
		return;
	OBJ_CHECK(old, SERVER_MAGIC);
	CHECK(eventfd_write(old->stop_fd, 1) == 0); /* never read: every worker sees it */
	for (unsigned i = 0; i < old->n_workers; i++)
		worker_udp_free(&old->workers[i]);
	for (unsigned i = 0; i < old->n_xdp; i++)
		worker_xdp_free(&old->xdp[i]);
	tcp_server_free(&old->tcp);
	rrl_free(&old->rrl);
	close(old->stop_fd);
	release_options((void *)(uintptr_t)old->options);
	old->magic = 0;
	free(old->workers);
	free(old->xdp);
	free(old);
	*s = NULL;
}

void
server_reply(struct server *s, struct handover *h, const uint8_t *data, size_t len)
{
	OBJ_CHECK(s, SERVER_MAGIC);
	if (h->tcp) {
		h->reply = len > 0 ? xmemdup(data, len) : NULL;
		h->reply_len = len;
		tcp_server_reply(s->tcp, h);
		return;
	}
	if (len > 0)
		worker_udp_reply(h, data, len);
	handover_free(&h);
}

void
server_answer_signed(
    struct server *s, struct handover *h, const struct tsig_record *sig, const struct tsig_key *key)
{
	const struct respond_client from = {
		.transport = h->tcp ? RESPOND_TCP : RESPOND_UDP,
		.peer = &h->peer,
		.now_s = (uint32_t)(clock_real_ms() / 1000),
		.now_ms = (uint32_t)clock_mono_ms(),
	};
	uint8_t *out = xmalloc(RESPOND_SIGNED_MAX);

	OBJ_CHECK(s, SERVER_MAGIC);

	const size_t len = respond_signed(&s->respond, &from, h->message, sig, key, out);

	server_reply(s, h, out, len);
	free(out);
}

static void
sum(struct respond_counters *total, const struct respond_counters *one)
{
	/* Nothing but uint64_t, so it adds like an array. */
	const uint64_t *from = (const uint64_t *)one;
	uint64_t *to = (uint64_t *)total;

	for (size_t i = 0; i < sizeof(*one) / sizeof(*from); i++)
		to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

/* Those that ever occurred, by the names of the IANA registry. */
static json_t *
rcodes_encode(const struct respond_counters *c)
{
	static const char *const names[ARRAY_LEN(c->rcodes)] = {
		[0] = "NOERROR",
		[1] = "FORMERR",
		[2] = "SERVFAIL",
		[3] = "NXDOMAIN",
		[4] = "NOTIMP",
		[5] = "REFUSED",
		[6] = "YXDOMAIN",
		[9] = "NOTAUTH",
		[16] = "BADVERS",
		[23] = "BADCOOKIE",
	};
	json_t *o = json_object();

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i] != NULL && (c->rcodes[i] > 0 || i == 0))
			json_object_set_new(o, names[i], json_integer((json_int_t)c->rcodes[i]));
	return o;
}

static json_t *
transfers_encode(const struct server *s)
{
	const struct transfers_counters c = tcp_server_transfers(s->tcp);

	return json_pack("{s:I, s:I, s:I, s:I}", "axfr", (json_int_t)c.axfr, "ixfr",
	    (json_int_t)c.ixfr, "refused", (json_int_t)c.refused, "aborted", (json_int_t)c.aborted);
}

static json_t *
xdp_encode(const struct server *s)
{
	struct worker_xdp_losses all = { 0 };
	struct respond_counters c = { 0 };

	for (unsigned i = 0; i < s->n_xdp; i++) {
		const struct worker_xdp_losses one = worker_xdp_losses(s->xdp[i]);

		sum(&c, worker_xdp_counters(s->xdp[i]));
		all.malformed += one.malformed;
		all.dropped += one.dropped;
		all.refused += one.refused;
	}
	return json_pack("{s:I, s:I, s:I, s:I}", "queries", (json_int_t)c.queries, "malformed",
	    (json_int_t)all.malformed, "dropped", (json_int_t)all.dropped, "refused",
	    (json_int_t)all.refused);
}

json_t *
server_counters(const struct server *s)
{
	struct respond_counters c = { 0 };

	OBJ_CHECK(s, SERVER_MAGIC);
	for (unsigned i = 0; i < s->n_workers; i++)
		sum(&c, worker_udp_counters(s->workers[i]));
	for (unsigned i = 0; i < s->n_xdp; i++)
		sum(&c, worker_xdp_counters(s->xdp[i]));
	sum(&c, tcp_server_counters(s->tcp));
	sum(&c, &s->counters);
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o*}", "queries",
	    (json_int_t)c.queries, "tcp_queries", (json_int_t)c.tcp_queries, "dropped",
	    (json_int_t)c.dropped, "handed_over", (json_int_t)c.handed_over, "steered",
	    (json_int_t)c.steered, "lined", (json_int_t)c.lined, "fallback", (json_int_t)c.fallback,
	    "truncated", (json_int_t)c.truncated, "limited", (json_int_t)c.limited, "transfers",
	    transfers_encode(s), "rcodes", rcodes_encode(&c), "xdp",
	    s->n_xdp > 0 ? xdp_encode(s) : NULL);
}
