/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/transfers.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <urcu/urcu-qsbr.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/thread.h"
#include "dns/query.h"

#define WAITING_MAX 100
#define STALL_MS    30000 /* a peer that takes nothing for so long is given up */
#define GLANCE_MS   1000

struct transfers {
	uint32_t magic;
#define TRANSFERS_MAGIC 0x78f27a45u
	struct transfers_config config;
	pthread_t *threads;
	unsigned n_threads;
	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t news;
	struct list waiting; /* detached.item */
	unsigned n_waiting;
	struct list active; /* likewise: their sockets are shut down at the end */
	bool stopping;
	struct transfers_counters counters;
};

/* What one thread works with. */
struct turn {
	struct transfers *ts;
	struct detached *d;
	struct transfer transfer;
	uint8_t frame[2 + UINT16_MAX];
};

void
transfers_drop(struct detached **d)
{
	struct detached *old = *d;

	if (old == NULL)
		return;
	list_remove(&old->item);
	close(old->fd);
	free(old->in);
	free(old);
	*d = NULL;
}

/*
 * Wait until the socket takes more. It says so only when a third of its buffer is free, which over
 * a slow line is long after the peer took something: that is seen by what is in flight.
 */
static int
wait_for(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int before = INT_MAX, in_flight = 0;

	for (int idle_ms = 0; idle_ms < STALL_MS; idle_ms += GLANCE_MS) {
		if (poll(&p, 1, GLANCE_MS) != 0)
			return 0; /* or an error, which the next send will tell */
		if (ioctl(fd, SIOCOUTQ, &in_flight) == 0 && in_flight < before)
			idle_ms = 0;
		before = in_flight;
	}
	return -ETIMEDOUT;
}

static int
send_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		const ssize_t n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			const int rc = wait_for(fd);

			if (rc < 0)
				return rc;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

static void
count(struct transfers *ts, const struct transfer *t, int rc)
{
	uint64_t *c = rc < 0                         ? &ts->counters.aborted
		      : t->rcode != RCODE_NOERROR    ? &ts->counters.refused
		      : strcmp(t->kind, "AXFR") == 0 ? &ts->counters.axfr
						     : &ts->counters.ixfr;

	pthread_mutex_lock(&ts->lock);
	++*c;
	pthread_mutex_unlock(&ts->lock);
}

static void
tell(const struct turn *u, int rc)
{
	const struct transfer *t = &u->transfer;
	char zone[NAME_TEXT_SIZE], peer[ADDR_TEXT_SIZE];

	name_text(t->query.qname, zone);
	addr_text(&u->d->peer, peer);
	if (t->rcode != RCODE_NOERROR)
		log_warn("transfer", "'%s' to %s refused: %s", zone, peer, t->kind);
	else if (rc < 0)
		log_warn("transfer", "'%s' to %s broken off: %s", zone, peer, strerror(-rc));
	else
		log_info("transfer",
		    "'%s' to %s: %s, serial %u, %" PRIu64 " records, %u messages, %" PRIu64
		    " bytes",
		    zone, peer, t->kind, t->serial, t->records, t->spool.count, t->spool.bytes);
}

static uint64_t
now_s(void)
{
	return (uint64_t)(clock_real_ms() / 1000);
}

/*
 * Answer one request; 0, or why the connection is over. It is after a refusal: strangers shall not
 * hold a thread by asking on and on without reading.
 */
static int
serve(struct turn *u, const uint8_t *msg, size_t len)
{
	struct transfer *t = &u->transfer;
	int rc = 0, n;

	urcu_qsbr_thread_online();
	transfer_prepare(t, &u->ts->config.env, msg, len, &u->d->peer, now_s());
	urcu_qsbr_thread_offline();
	while (rc == 0 && (n = transfer_next(t, u->frame + 2, now_s())) != 0) {
		if (n > 0) {
			u->frame[0] = (uint8_t)(n >> 8);
			u->frame[1] = (uint8_t)n;
			rc = send_all(u->d->fd, u->frame, 2 + (size_t)n);
		} else {
			rc = n;
		}
	}
	count(u->ts, t, rc);
	tell(u, rc);
	transfer_fini(t);
	return rc == 0 && t->rcode != RCODE_NOERROR ? -ECONNABORTED : rc;
}

/* All requests for transfers at the front of what was read. */
static int
serve_all(struct turn *u)
{
	struct detached *d = u->d;
	int rc = 0;

	while (rc == 0 && d->in_len >= 2) {
		const size_t len = (size_t)(d->in[0] << 8 | d->in[1]);

		if (d->in_len < 2 + len || !transfer_is_asked(d->in + 2, len))
			break;
		rc = serve(u, d->in + 2, len);
		d->in_len -= 2 + len;
		memmove(d->in, d->in + 2 + len, d->in_len);
	}
	return rc;
}

static struct detached *
take_waiting(struct transfers *ts)
{
	struct detached *d = NULL;

	pthread_mutex_lock(&ts->lock);
	while (!ts->stopping && list_empty(&ts->waiting))
		pthread_cond_wait(&ts->news, &ts->lock);
	if (!ts->stopping) {
		d = LIST_ENTRY(ts->waiting.next, struct detached, item);
		list_remove(&d->item);
		list_append(&ts->active, &d->item);
		ts->n_waiting--;
	}
	pthread_mutex_unlock(&ts->lock);
	return d;
}

static void
let_go(struct transfers *ts, struct detached *d, int rc)
{
	pthread_mutex_lock(&ts->lock);
	list_remove(&d->item);

	const bool over = rc < 0 || ts->stopping;

	pthread_mutex_unlock(&ts->lock);
	if (over)
		transfers_drop(&d);
	else
		ts->config.back(ts->config.arg, d);
}

static void *
run(void *arg)
{
	struct transfers *ts = arg;
	struct turn *u = xmalloc(sizeof(*u));

	OBJ_CHECK(ts, TRANSFERS_MAGIC);
	urcu_qsbr_register_thread();
	urcu_qsbr_thread_offline();
	u->ts = ts;
	while ((u->d = take_waiting(ts)) != NULL)
		let_go(ts, u->d, serve_all(u));
	urcu_qsbr_thread_online();
	urcu_qsbr_unregister_thread();
	free(u);
	return NULL;
}

bool
transfers_take(struct transfers *ts, struct detached *d)
{
	OBJ_CHECK(ts, TRANSFERS_MAGIC);
	pthread_mutex_lock(&ts->lock);

	const bool room = ts->n_waiting < WAITING_MAX && !ts->stopping;

	if (room) {
		list_append(&ts->waiting, &d->item);
		ts->n_waiting++;
		pthread_cond_signal(&ts->news);
	}
	pthread_mutex_unlock(&ts->lock);
	return room;
}

struct transfers_counters
transfers_count(struct transfers *ts)
{
	struct transfers_counters c;

	pthread_mutex_lock(&ts->lock);
	c = ts->counters;
	pthread_mutex_unlock(&ts->lock);
	return c;
}

struct transfers *
transfers_new(const struct transfers_config *c)
{
	struct transfers *ts = xcalloc(1, sizeof(*ts));

	ts->magic = TRANSFERS_MAGIC;
	ts->config = *c;
	pthread_mutex_init(&ts->lock, NULL);
	pthread_cond_init(&ts->news, NULL);
	list_init(&ts->waiting);
	list_init(&ts->active);
	ts->n_threads = c->threads;
	ts->threads = xcalloc(c->threads, sizeof(*ts->threads));
	for (unsigned i = 0; i < c->threads; i++)
		thread_start(&ts->threads[i], "dns-transfer", run, ts);
	return ts;
}

void
transfers_free(struct transfers **ts)
{
	struct transfers *old = *ts;

	if (old == NULL)
		return;
	OBJ_CHECK(old, TRANSFERS_MAGIC);
	pthread_mutex_lock(&old->lock);
	old->stopping = true;
	LIST_EACH (it, tmp, &old->active)
		shutdown(LIST_ENTRY(it, struct detached, item)->fd, SHUT_RDWR);
	pthread_cond_broadcast(&old->news);
	pthread_mutex_unlock(&old->lock);
	for (unsigned i = 0; i < old->n_threads; i++)
		thread_join(old->threads[i]);
	LIST_EACH (it, tmp, &old->waiting)
		transfers_drop(&(struct detached *){ LIST_ENTRY(it, struct detached, item) });
	pthread_cond_destroy(&old->news);
	pthread_mutex_destroy(&old->lock);
	old->magic = 0;
	free(old->threads);
	free(old);
	*ts = NULL;
}
