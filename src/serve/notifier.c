/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "serve/notifier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/strmap.h"
#include "dns/query.h"
#include "dns/rrtype.h"
#include "net/sock.h"
#include "zone/history.h"

#define FIRST_WAIT_MS 1000
#define TRIES         6
#define PAUSE_MS      100 /* between notices of the same zone to the same peer */
#define MESSAGE_MAX   1232

struct notifier {
	uint32_t magic;
#define NOTIFIER_MAGIC 0x20714f13u
	struct loop *loop;
	const struct zones *zones;
	struct addr *from;
	size_t n_from;
	struct strmap notices; /* "zone peer" -> struct notice * */
};

/* The descriptor lives while an answer is due: a connected socket takes it from nobody else. */
struct notice {
	struct notifier *notifier;
	char *name;
	struct addr peer;
	bool keyed;
	struct tsig_key key;
	struct tsig_session session;
	struct loop_fd io;
	struct wheel_timer timer;
	uint64_t sent_ms;
	unsigned tries;
	bool heard; /* what was sent last; stays for the pause, to hold back the next */
	bool due;   /* there is news since: an answer now is to the old */
	uint16_t id;
	uint8_t apex[NAME_MAX_LEN];
};

static void
hang_up(struct notice *n)
{
	tsig_end(&n->session);
	if (n->io.fd < 0)
		return;
	loop_fd_del(n->notifier->loop, &n->io);
	close(n->io.fd);
	n->io.fd = -1;
}

static void
drop(struct notice *n)
{
	hang_up(n);
	loop_timer_cancel(n->notifier->loop, &n->timer);
	strmap_remove(&n->notifier->notices, n->name);
	free(n->name);
	explicit_bzero(&n->key, sizeof(n->key));
	free(n);
}

static void
put_u16(uint8_t **p, unsigned v)
{
	*(*p)++ = (uint8_t)(v >> 8);
	*(*p)++ = (uint8_t)v;
}

/* RFC 1996 3.7: the question is the zone's SOA, and the answer section says which one it is. */
static size_t
write_message(struct notice *n, const struct rrset *soa, uint8_t out[MESSAGE_MAX])
{
	const size_t apex_len = name_len(n->apex);
	uint32_t pos = 0;
	uint16_t len;
	const uint8_t *rdata = rrset_next(soa, &pos, &len);
	uint8_t *p = out;

	put_u16(&p, n->id);
	put_u16(&p, OPCODE_NOTIFY << 11 | 0x400); /* AA */
	put_u16(&p, 1);
	put_u16(&p, 1);
	put_u16(&p, 0);
	put_u16(&p, 0);
	memcpy(p, n->apex, apex_len);
	p += apex_len;
	put_u16(&p, RRTYPE_SOA);
	put_u16(&p, DNS_CLASS_IN);
	put_u16(&p, 0xc000 | DNS_HEADER_LEN);
	put_u16(&p, RRTYPE_SOA);
	put_u16(&p, DNS_CLASS_IN);
	put_u16(&p, soa->ttl_s >> 16);
	put_u16(&p, soa->ttl_s);
	put_u16(&p, len);
	memcpy(p, rdata, len);
	return (size_t)(p - out) + len;
}

static const struct rrset *
find_soa(const struct notice *n)
{
	const struct zone *z = zones_exact(n->notifier->zones, n->apex);
	const struct zone_node *apex = z == NULL ? NULL : zone_apex_node(z);

	return apex == NULL ? NULL : zone_node_find(apex, RRTYPE_SOA);
}

static const struct addr *
source(const struct notice *n)
{
	const struct notifier *all = n->notifier;

	for (size_t i = 0; i < all->n_from; i++)
		if (addr_family(&all->from[i]) == addr_family(&n->peer) &&
		    !addr_is_any(&all->from[i]))
			return &all->from[i];
	return NULL;
}

static uint64_t
now_s(void)
{
	return (uint64_t)(clock_real_ms() / 1000);
}

/* -- the answer -- */

static bool
is_answer(struct notice *n, const uint8_t *msg, size_t len)
{
	if (len < DNS_HEADER_LEN || (msg[0] << 8 | msg[1]) != n->id ||
	    (msg[2] & 0xf8) != (0x80 | OPCODE_NOTIFY << 3))
		return false;
	return !n->keyed || tsig_check(&n->session, msg, len, now_s(), NULL) == 0;
}

static void
hear(struct loop_fd *f, uint32_t events UNUSED)
{
	struct notice *n = container_of(f, struct notice, io);
	char peer[ADDR_TEXT_SIZE], zone[NAME_TEXT_SIZE];
	uint8_t msg[MESSAGE_MAX];
	const ssize_t len = recv(f->fd, msg, sizeof(msg), MSG_DONTWAIT);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* Nobody there, or somebody else: the timer goes on, with a new digest. */
	if (len < 0 || !is_answer(n, msg, (size_t)len)) {
		hang_up(n);
		return;
	}
	if ((msg[3] & 15) != RCODE_NOERROR)
		log_warn("notify", "%s does not want notices of '%s': rcode %d",
		    addr_text(&n->peer, peer), name_text(n->apex, zone), msg[3] & 15);
	hang_up(n);
	n->heard = !n->due;
	loop_timer_at(n->notifier->loop, &n->timer, n->sent_ms + PAUSE_MS);
}

/* -- sending -- */

static void
send_notice(struct notice *n)
{
	const struct rrset *soa = find_soa(n);
	struct loop *l = n->notifier->loop;
	struct addr from = { 0 };
	uint8_t msg[MESSAGE_MAX];
	size_t len;

	hang_up(n);
	n->due = n->heard = false;
	if (soa == NULL || soa->size > MESSAGE_MAX - TSIG_ROOM - NAME_MAX_LEN - 32) {
		drop(n);
		return;
	}
	if (source(n) != NULL) {
		from = *source(n);
		addr_port_set(&from, 0);
	}
	rand_bytes(&n->id, sizeof(n->id));
	len = write_message(n, soa, msg);
	if (n->keyed) {
		tsig_start(&n->session, &n->key);
		len = tsig_sign(&n->session, msg, len, sizeof(msg), now_s());
	}
	const int fd = sock_udp_connect(&n->peer, from.len > 0 ? &from : NULL);

	if (fd >= 0 && loop_fd_add(l, &n->io, fd, EPOLLIN, hear) == 0)
		(void)!send(fd, msg, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	else if (fd >= 0)
		close(fd);
	n->sent_ms = loop_now_ms(l);
	loop_timer_in(l, &n->timer, (uint64_t)FIRST_WAIT_MS << n->tries++);
}

static void
try_again(struct wheel_timer *t)
{
	struct notice *n = container_of(t, struct notice, timer);
	char peer[ADDR_TEXT_SIZE], zone[NAME_TEXT_SIZE];

	if (!n->heard && n->tries < TRIES) {
		send_notice(n);
		return;
	}
	if (!n->heard)
		log_warn("notify", "%s did not answer %d notices of '%s'",
		    addr_text(&n->peer, peer), TRIES, name_text(n->apex, zone));
	drop(n);
}

static struct notice *
make(struct notifier *all, const char *name, const uint8_t *apex, const struct addr *peer)
{
	struct notice *n = xcalloc(1, sizeof(*n));

	n->notifier = all;
	n->name = xstrdup(name);
	n->peer = *peer;
	n->io.fd = -1;
	memcpy(n->apex, apex, name_len(apex));
	wheel_timer_init(&n->timer, try_again);
	strmap_put(&all->notices, name, n);
	return n;
}

void
notifier_tell(
    struct notifier *all, const uint8_t *apex, const struct addr *peer, const struct tsig_key *key)
{
	char peer_text[ADDR_TEXT_SIZE], zone[NAME_TEXT_SIZE],
	    name[sizeof(peer_text) + sizeof(zone)];

	OBJ_CHECK(all, NOTIFIER_MAGIC);
	snprintf(name, sizeof(name), "%s %s", name_text(apex, zone), addr_text(peer, peer_text));

	struct notice *n = strmap_find(&all->notices, name);
	const bool is_new = n == NULL;

	if (is_new)
		n = make(all, name, apex, peer);
	n->keyed = key != NULL;
	if (key != NULL)
		n->key = *key;
	n->tries = 0;
	n->due = true;
	n->heard = false;
	if (is_new || loop_now_ms(all->loop) >= n->sent_ms + PAUSE_MS)
		send_notice(n);
	else
		loop_timer_at(all->loop, &n->timer, n->sent_ms + PAUSE_MS);
}

void
notifier_forget(struct notifier *all, const uint8_t *apex)
{
	OBJ_CHECK(all, NOTIFIER_MAGIC);
	STRMAP_EACH (&all->notices, e) {
		struct notice *n = e->value;

		if (name_equal(n->apex, apex))
			drop(n);
	}
}

struct notifier *
notifier_new(struct loop *l, const struct zones *zs, const struct addr *from, size_t n_from)
{
	struct notifier *n = xcalloc(1, sizeof(*n));

	n->magic = NOTIFIER_MAGIC;
	n->loop = l;
	n->zones = zs;
	n->from = n_from > 0 ? xmemdup(from, n_from * sizeof(*from)) : NULL;
	n->n_from = n_from;
	strmap_init(&n->notices);
	return n;
}

void
notifier_free(struct notifier **n)
{
	struct notifier *old = *n;

	if (old == NULL)
		return;
	OBJ_CHECK(old, NOTIFIER_MAGIC);
	STRMAP_EACH (&old->notices, e)
		drop(e->value);
	strmap_fini(&old->notices);
	old->magic = 0;
	free(old->from);
	free(old);
	*n = NULL;
}
