/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/tcp_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <urcu/urcu-qsbr.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/thread.h"
#include "net/sock.h"
#include "serve/tcp_client.h"

#define ACCEPTS_MAX 64   /* per listener and turn */
#define SOURCES     1024 /* hash buckets */
#define SOURCE_MIN  16
#define SHORTAGE_MS 100 /* wait for descriptors when there is nobody to evict */
#define UDP_SIZE    1232

struct listener {
	struct loop_fd io;
	struct tcp_server *server;
};

struct tcp_server {
	uint32_t magic;
#define TCP_SERVER_MAGIC 0x7c95e2feu
	pthread_t thread;
	bool started;
	unsigned n_listeners;
	struct listener *listeners;
	unsigned max_clients, max_per_source, idle_ms;
	unsigned n_clients;
	struct list by_age;           /* tcp_client.by_age; the longest idle first */
	struct list sources[SOURCES]; /* tcp_client.by_source */
	struct wheel_timer idle;      /* for the first of by_age, or earlier */
	struct wheel_timer shortage;  /* listeners rest until then */
	uint64_t last_id;
	pthread_mutex_t lock; /* over `replies`, `returned` */
	struct list replies;  /* handover.item */
	struct list returned; /* detached.item; by the same lock */
	struct transfers *transfers;
	struct tcp_shared shared;
	struct respond_counters counters; /* its own memory: no line is shared with a UDP worker */
};

static void
forget(struct tcp_server *t, struct tcp_client *c)
{
	t->n_clients--;
	tcp_client_free(&c);
}

static void
done(void *arg, struct tcp_client *c)
{
	forget(arg, c);
}

static void
active(void *arg, struct tcp_client *c)
{
	struct tcp_server *t = arg;

	c->active_ms = loop_now_ms(t->shared.loop);
	list_remove(&c->by_age);
	list_append(&t->by_age, &c->by_age);
}

static struct tcp_client *
oldest(const struct tcp_server *t)
{
	return list_empty(&t->by_age) ? NULL
				      : LIST_ENTRY(t->by_age.next, struct tcp_client, by_age);
}

static bool
evict(struct tcp_server *t)
{
	struct tcp_client *c = oldest(t);

	if (c != NULL)
		forget(t, c);
	return c != NULL;
}

/* The timer does not follow every activity: it comes for the one that was first, and looks again.
 */
static void
expire(struct wheel_timer *timer)
{
	struct tcp_server *t = container_of(timer, struct tcp_server, idle);
	const uint64_t now = loop_now_ms(t->shared.loop);
	struct tcp_client *c;

	while ((c = oldest(t)) != NULL && c->active_ms + t->idle_ms <= now)
		forget(t, c);
	if (c != NULL)
		loop_timer_at(t->shared.loop, &t->idle, c->active_ms + t->idle_ms);
}

/* The bytes of an address that one customer has. */
static const uint8_t *
source(const struct addr *a, size_t *len)
{
	const uint8_t *ip = addr_ip(a, len);

	if (*len > 8)
		*len = 8;
	return ip;
}

static struct list *
bucket(struct tcp_server *t, const struct addr *peer)
{
	size_t len;
	const uint8_t *ip = source(peer, &len);

	return &t->sources[hash_bytes(ip, len) % SOURCES];
}

static bool
same_source(const struct addr *a, const struct addr *b)
{
	size_t a_len, b_len;
	const uint8_t *x = source(a, &a_len), *y = source(b, &b_len);

	return a_len == b_len && memcmp(x, y, a_len) == 0;
}

/* A source with all that it may have gives up its own longest idle one, not somebody else's. */
static void
make_room(struct tcp_server *t, const struct addr *peer)
{
	struct tcp_client *idlest = NULL;
	unsigned n = 0;

	LIST_EACH (it, tmp, bucket(t, peer)) {
		struct tcp_client *c = LIST_ENTRY(it, struct tcp_client, by_source);

		if (!same_source(&c->peer, peer))
			continue;
		n++;
		if (idlest == NULL || c->active_ms < idlest->active_ms)
			idlest = c;
	}
	if (n >= t->max_per_source)
		forget(t, idlest);
	else if (t->n_clients >= t->max_clients)
		evict(t);
}

/* NULL, and `fd` closed, if there is no place for it. */
static struct tcp_client *
admit(struct tcp_server *t, int fd, const struct addr *peer)
{
	if (addr_family(peer) == AF_UNSPEC) {
		close(fd);
		return NULL;
	}
	make_room(t, peer);

	struct tcp_client *c = tcp_client_new(&t->shared, fd);

	if (c == NULL)
		return NULL;
	c->peer = *peer;
	c->id = ++t->last_id;
	list_append(bucket(t, peer), &c->by_source);
	active(t, c);
	if (t->n_clients++ == 0)
		loop_timer_at(t->shared.loop, &t->idle, c->active_ms + t->idle_ms);
	return c;
}

/* -- transfers -- */

static void
transfer(void *arg, struct tcp_client *c)
{
	struct tcp_server *t = arg;
	struct detached *d = tcp_client_detach(&c);

	t->n_clients--;
	if (!transfers_take(t->transfers, d))
		transfers_drop(&d);
}

static void
take_returned(void *arg)
{
	struct tcp_server *t = arg;
	struct list returned;

	OBJ_CHECK(t, TCP_SERVER_MAGIC);
	pthread_mutex_lock(&t->lock);
	list_move(&returned, &t->returned);
	pthread_mutex_unlock(&t->lock);
	LIST_EACH (it, tmp, &returned) {
		struct detached *d = LIST_ENTRY(it, struct detached, item);
		struct tcp_client *c = admit(t, d->fd, &d->peer);

		list_remove(&d->item);
		if (c != NULL)
			tcp_client_resume(c, d->in, d->in_len);
		else
			free(d->in);
		free(d);
	}
}

/* In a transfer's thread. */
static void
give_back(void *arg, struct detached *d)
{
	struct tcp_server *t = arg;

	pthread_mutex_lock(&t->lock);

	const bool first = list_empty(&t->returned);

	list_append(&t->returned, &d->item);
	pthread_mutex_unlock(&t->lock);
	if (first)
		loop_post(t->shared.loop, take_returned, t);
}

static void
listen_for(struct tcp_server *t, uint32_t events)
{
	for (unsigned i = 0; i < t->n_listeners; i++)
		loop_fd_mod(t->shared.loop, &t->listeners[i].io, events);
}

static void
resume(struct wheel_timer *timer)
{
	listen_for(container_of(timer, struct tcp_server, shortage), EPOLLIN);
}

/* Out of descriptors or memory: make room, or else rest, as the listeners would stay readable. */
static void
relieve(struct tcp_server *t)
{
	if (evict(t))
		return;
	listen_for(t, 0);
	loop_timer_in(t->shared.loop, &t->shortage, SHORTAGE_MS);
}

static void
accept_some(struct loop_fd *f, uint32_t events UNUSED)
{
	struct tcp_server *t = container_of(f, struct listener, io)->server;

	OBJ_CHECK(t, TCP_SERVER_MAGIC);
	for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
		struct addr peer;
		const int fd = sock_accept(f->fd, &peer);

		if (fd >= 0)
			(void)admit(t, fd, &peer);
		else if (fd == -EAGAIN)
			return;
		else if (fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) {
			relieve(t);
			return;
		} /* else the connection was gone before we came */
	}
}

static void
sleeping(void *arg UNUSED)
{
	urcu_qsbr_thread_offline();
}

static void
awake(void *arg UNUSED)
{
	urcu_qsbr_thread_online();
}

static void *
run(void *arg)
{
	struct tcp_server *t = arg;

	OBJ_CHECK(t, TCP_SERVER_MAGIC);
	urcu_qsbr_register_thread();
	loop_run(t->shared.loop);
	urcu_qsbr_unregister_thread();
	return NULL;
}

static void
add_listeners(struct tcp_server *t, const int *fds, unsigned n)
{
	t->n_listeners = n;
	t->listeners = xcalloc(n, sizeof(*t->listeners));
	for (unsigned i = 0; i < n; i++) {
		t->listeners[i].server = t;
		CHECK(loop_fd_add(
			  t->shared.loop, &t->listeners[i].io, fds[i], EPOLLIN, accept_some) == 0);
	}
}

static unsigned
share(const struct tcp_server_config *c)
{
	const unsigned tenth = c->max_clients / 10;

	if (c->max_per_source > 0)
		return c->max_per_source;
	return tenth > SOURCE_MIN ? tenth : SOURCE_MIN;
}

struct tcp_server *
tcp_server_new(const struct tcp_server_config *c)
{
	struct tcp_server *t = xcalloc(1, sizeof(*t));

	t->magic = TCP_SERVER_MAGIC;
	t->max_clients = c->max_clients;
	t->max_per_source = share(c);
	t->idle_ms = c->idle_ms;
	list_init(&t->by_age);
	list_init(&t->replies);
	list_init(&t->returned);
	pthread_mutex_init(&t->lock, NULL);
	for (unsigned i = 0; i < SOURCES; i++)
		list_init(&t->sources[i]);
	t->shared.loop = loop_new();
	t->shared.arg = t;
	t->shared.active = active;
	t->shared.done = done;
	t->shared.transfer = transfer;
	t->shared.respond = (struct respond){
		.zones = c->zones,
		.worker = c->worker,
		.edns_udp_size = UDP_SIZE,
		.hands_over = c->handover.take != NULL,
		.tcp_idle_ms = c->idle_ms,
		.options = c->options,
		.transfers = c->transfers > 0,
		.counters = &t->counters,
	};
	t->shared.handover = c->handover;
	if (c->transfers > 0)
		t->transfers = transfers_new(&(struct transfers_config){
		    .env = { .zones = c->zones, .keys = c->keys, .dir = c->dir },
		    .threads = c->transfers,
		    .arg = t,
		    .back = give_back,
		});
	wheel_timer_init(&t->idle, expire);
	wheel_timer_init(&t->shortage, resume);
	loop_hooks(t->shared.loop, sleeping, awake, NULL);
	add_listeners(t, c->fds, c->n_fds);
	return t;
}

void
tcp_server_start(struct tcp_server *t)
{
	OBJ_CHECK(t, TCP_SERVER_MAGIC);
	thread_start(&t->thread, "dns-tcp", run, t);
	t->started = true;
}

void
tcp_server_free(struct tcp_server **t)
{
	struct tcp_server *old = *t;

	if (old == NULL)
		return;
	OBJ_CHECK(old, TCP_SERVER_MAGIC);
	loop_stop(old->shared.loop);
	if (old->started)
		thread_join(old->thread);
	transfers_free(&old->transfers);
	while (evict(old))
		;
	for (unsigned i = 0; i < old->n_listeners; i++)
		loop_fd_del(old->shared.loop, &old->listeners[i].io);
	loop_timer_cancel(old->shared.loop, &old->idle);
	loop_timer_cancel(old->shared.loop, &old->shortage);
	loop_free(&old->shared.loop);
	LIST_EACH (it, tmp, &old->replies)
		handover_free(&(struct handover *){ LIST_ENTRY(it, struct handover, item) });
	LIST_EACH (it, tmp, &old->returned)
		transfers_drop(&(struct detached *){ LIST_ENTRY(it, struct detached, item) });
	pthread_mutex_destroy(&old->lock);
	old->magic = 0;
	free(old->listeners);
	free(old);
	*t = NULL;
}

static void
reply(struct tcp_server *t, struct handover *h)
{
	LIST_EACH (it, tmp, bucket(t, &h->peer)) {
		struct tcp_client *c = LIST_ENTRY(it, struct tcp_client, by_source);

		if (c->id == h->client) {
			tcp_client_reply(c, h->reply, h->reply_len);
			break;
		}
	}
	handover_free(&h);
}

static void
take_replies(void *arg)
{
	struct tcp_server *t = arg;
	struct list replies;

	OBJ_CHECK(t, TCP_SERVER_MAGIC);
	pthread_mutex_lock(&t->lock);
	list_move(&replies, &t->replies);
	pthread_mutex_unlock(&t->lock);
	LIST_EACH (it, tmp, &replies)
		reply(t, LIST_ENTRY(it, struct handover, item));
}

void
tcp_server_reply(struct tcp_server *t, struct handover *h)
{
	OBJ_CHECK(t, TCP_SERVER_MAGIC);
	pthread_mutex_lock(&t->lock);
	const bool first = list_empty(&t->replies);

	list_append(&t->replies, &h->item);
	pthread_mutex_unlock(&t->lock);
	if (first)
		loop_post(t->shared.loop, take_replies, t);
}

const struct respond_counters *
tcp_server_counters(const struct tcp_server *t)
{
	return &t->counters;
}

struct transfers_counters
tcp_server_transfers(const struct tcp_server *t)
{
	return t->transfers != NULL ? transfers_count(t->transfers)
				    : (struct transfers_counters){ 0 };
}
