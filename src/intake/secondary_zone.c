/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One zone. A round asks the primaries in turn, the one that answered last first:
 *
 *	SOA over UDP --no answer--> over TCP --no answer--> next primary
 *	   | newer
 *	IXFR --refused--> AXFR --refused--> next primary
 *	   | taken
 *	committed
 *
 * A round that went well is followed by the next after the SOA's refresh, another after its retry.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "dns/query.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "intake/secondary_inside.h"
#include "model/model_keys.h"
#include "model/nouns.h"

#define UDP_SILENCE_MS 2000
#define TCP_SILENCE_MS 10000
#define WHOLE_MS       (60 * 60 * 1000)
#define DELAY_MIN_S    1
#define DELAY_MAX_S    (28 * 86400)
#define LARGE          50000 /* records */
#define FIRST_MAX_S    300   /* between tries of a zone that never came */

static const struct fetch_hooks soa_hooks, transfer_hooks;

/* -- the end of a round -- */

/* free does not give millions of small pieces back to the system. */
static void
let_go(struct secondary_zone *z)
{
	const bool large = z->in != NULL && xfr_in_records(z->in) > LARGE;

	xfr_in_free(&z->in);
	if (large)
		malloc_trim(0);
}

static void
finish(struct secondary_zone *z, uint32_t delay_s)
{
	if (delay_s < DELAY_MIN_S)
		delay_s = DELAY_MIN_S;
	if (delay_s > DELAY_MAX_S)
		delay_s = DELAY_MAX_S;

	/* Up to a tenth early, so that zones made together do not stay together. */
	const uint64_t ms = (uint64_t)delay_s * 1000;
	const uint64_t delay_ms = ms - rand_u64() % (ms / 10 + 1);

	let_go(z);
	z->step = STEP_IDLE;
	z->next_ms = clock_real_ms() + (int64_t)delay_ms;
	loop_timer_in(z->all->loop, &z->timer, delay_ms);
	secondary_report_status(z);
	if (z->again)
		secondary_zone_check(z, false, NULL);
	secondary_release(z->all);
}

static void
succeed(struct secondary_zone *z)
{
	z->failures = 0;
	z->error[0] = '\0';
	z->checked_ms = clock_real_ms();
	snprintf(z->from, sizeof(z->from), "%s", z->peers[z->peer].text);
	secondary_tell(z->all, z);
	if (z->consumer)
		secondary_catalog_sync(z);
	finish(z, z->soa.refresh_s);
}

static void
give_up(struct secondary_zone *z)
{
	const unsigned shift = z->failures < 8 ? z->failures : 8;
	const uint32_t first_s = 2u << shift;

	z->failures++;
	if (z->failures == 1)
		secondary_report_failure(z);
	finish(z, z->have ? z->soa.retry_s : first_s < FIRST_MAX_S ? first_s : FIRST_MAX_S);
}

/* -- questions -- */

static bool
find_key(struct secondary_zone *z, const char *name, struct tsig_key *key)
{
	const int rc = model_keys_find_text(control_read_begin(z->all->control), name, key);

	control_read_end(z->all->control);
	return rc == 0;
}

static void
ask(struct secondary_zone *z, uint16_t type, bool tcp)
{
	const struct secondary_peer *p = &z->peers[z->peer];
	struct tsig_key key;
	const bool keyed = p->key[0] != '\0', found = keyed && find_key(z, p->key, &key);

	memcpy(z->question.apex, z->apex, sizeof(z->apex));
	z->question.type = type;
	z->question.id = (uint16_t)rand_u64();
	z->question.serial = z->soa.serial;

	/* A key that is gone is not a licence to ask without. */
	struct addr nobody = { .len = 0 };
	const struct fetch_request r = {
		.to = keyed && !found ? nobody : p->addr,
		.key = found ? &key : NULL,
		.question = &z->question,
		.tcp = tcp,
		.silence_ms = tcp ? TCP_SILENCE_MS : UDP_SILENCE_MS,
		.whole_ms = WHOLE_MS,
	};

	fetch_start(&z->fetch, z->all->loop, type == RRTYPE_SOA ? &soa_hooks : &transfer_hooks, &r);
}

static void
ask_soa(struct secondary_zone *z)
{
	z->step = STEP_SOA;
	ask(z, RRTYPE_SOA, false);
}

static void
transfer(struct secondary_zone *z, uint16_t type)
{
	const struct draft_source have = secondary_commit_source(z);

	z->step = STEP_TRANSFER;
	xfr_in_free(&z->in);
	ask(z, type, true);
	z->in = xfr_in_new(&z->question, z->all->max_bytes, type == RRTYPE_IXFR ? &have : NULL);
}

static void
next_peer(struct secondary_zone *z, const char *why)
{
	const size_t n = strlen(z->error);

	snprintf(z->error + n, sizeof(z->error) - n, "%s%s: %s", n > 0 ? "; " : "",
	    z->peers[z->peer].text, why);
	xfr_in_free(&z->in);
	z->tried++;
	z->peer = (z->peer + 1) % z->n_peers;
	if (z->tried < z->n_peers)
		ask_soa(z);
	else
		give_up(z);
}

void
secondary_zone_run(struct secondary_zone *z)
{
	z->tried = 0;
	z->again = false;
	z->error[0] = '\0';
	ask_soa(z);
}

/* -- SOA -- */

/* NULL and *soa, or what is wrong. */
static const char *
read_soa(struct secondary_zone *z, const uint8_t *msg, size_t len, struct xfr_soa *soa)
{
	struct xfr_message m;
	struct xfr_record r;
	const char *why = xfr_message_open(&m, msg, len, &z->question, true);

	if (why != NULL)
		return why;
	if (m.rcode != RCODE_NOERROR)
		return xfr_message_refusal(&m);
	if (!m.aa || m.left == 0)
		return "the primary is not authoritative for the zone";
	why = xfr_message_next(&m, &r);
	if (why != NULL)
		return why;
	if (r.type != RRTYPE_SOA || !name_equal(r.owner, z->apex) ||
	    !rdata_check(RRTYPE_SOA, r.rdata, r.len))
		return "the answer holds no SOA of the zone";
	*soa = xfr_message_soa(r.rdata, r.len);
	return NULL;
}

static enum fetch_verdict
soa_message(struct fetch *f, const uint8_t *msg, size_t len)
{
	struct secondary_zone *z = container_of(f, struct secondary_zone, fetch);
	const bool tcp = f->tcp, truncated = len > 2 && (msg[2] & 2) != 0;
	const bool refused_udp = !tcp && len > 3 && (msg[3] & 15) == RCODE_REFUSED;
	struct xfr_soa soa;
	const char *why = truncated ? NULL : read_soa(z, msg, len, &soa);

	fetch_stop(f);
	/* Knot tells about catalogs by TCP only. */
	if ((truncated && !tcp) || refused_udp)
		ask(z, RRTYPE_SOA, true);
	else if (truncated)
		next_peer(z, "the answer is truncated");
	else if (why != NULL)
		next_peer(z, why);
	else if (z->whole || !z->have)
		transfer(z, RRTYPE_AXFR);
	else if (xfr_message_newer(soa.serial, z->soa.serial))
		transfer(z, RRTYPE_IXFR);
	else
		succeed(z);
	return FETCH_DONE;
}

static void
soa_failed(struct fetch *f, const char *why)
{
	struct secondary_zone *z = container_of(f, struct secondary_zone, fetch);

	if (f->tcp)
		next_peer(z, why);
	else
		ask(z, RRTYPE_SOA, true);
}

static const struct fetch_hooks soa_hooks = { soa_message, soa_failed };

/* -- transfers -- */

/* Differences that cannot be had, or do not fit: the whole zone. */
static void
refused(struct secondary_zone *z, const char *why)
{
	if (z->question.type == RRTYPE_IXFR) {
		log_info("secondary", "zone %s: no differences from %s: %s", z->name,
		    z->peers[z->peer].text, why);
		transfer(z, RRTYPE_AXFR);
		return;
	}
	next_peer(z, why);
}

static void
commit(struct secondary_zone *z, enum xfr_in_state state)
{
	struct diag d;

	diag_init(&d);
	if (z->have && !z->whole && !xfr_message_newer(xfr_in_serial(z->in), z->soa.serial)) {
		next_peer(z, "what was transferred is not newer than what we have");
	} else if (secondary_commit(z, state, &d) < 0) {
		snprintf(z->error, sizeof(z->error), "not taken: %s", diag_text(&d));
		give_up(z);
	} else {
		z->whole = false;
		z->have = secondary_commit_soa(z, &z->soa);
		secondary_report_transfer(z, state);
		succeed(z);
	}
	diag_fini(&d);
}

static enum fetch_verdict
transfer_message(struct fetch *f, const uint8_t *msg, size_t len)
{
	struct secondary_zone *z = container_of(f, struct secondary_zone, fetch);
	const enum xfr_in_state state = xfr_in_feed(z->in, msg, len);
	char why[sizeof(z->error)];

	if (state == XFR_IN_MORE)
		return FETCH_MORE;

	const bool open_end = f->keyed && !f->whole;

	fetch_stop(f);
	snprintf(why, sizeof(why), "%s", xfr_in_why(z->in));
	if (state == XFR_IN_REFUSED)
		refused(z, why);
	else if (open_end)
		refused(z, "the last message of the transfer is not signed");
	else if (state == XFR_IN_CURRENT)
		succeed(z);
	else
		commit(z, state);
	return FETCH_DONE;
}

static void
transfer_failed(struct fetch *f, const char *why)
{
	refused(container_of(f, struct secondary_zone, fetch), why);
}

static const struct fetch_hooks transfer_hooks = { transfer_message, transfer_failed };

/* -- life -- */

static void
on_timer(struct wheel_timer *t)
{
	struct secondary_zone *z = container_of(t, struct secondary_zone, timer);

	secondary_zone_check(z, false, NULL);
	secondary_hand_out(z->all);
}

void
secondary_zone_check(struct secondary_zone *z, bool whole, const struct addr *from)
{
	z->whole |= whole;
	if (z->step != STEP_IDLE) {
		/* What is under way may have been asked before the news. */
		z->again |= z->step != STEP_WAITING;
		return;
	}
	for (size_t i = 0; from != NULL && i < z->n_peers; i++)
		if (addr_ip_equal(&z->peers[i].addr, from)) {
			z->peer = i;
			break;
		}
	loop_timer_cancel(z->all->loop, &z->timer);
	z->step = STEP_WAITING;
	list_append(&z->all->waiting, &z->item);
}

/* Whether they differ from before. */
static bool
read_peers(struct secondary_zone *z, const struct zone_spec *spec)
{
	const struct peer_spec *p = spec->primaries.items;
	struct secondary_peer *peers = xcalloc(spec->primaries.count, sizeof(*peers));
	const size_t n = spec->primaries.count;
	bool same;

	for (size_t i = 0; i < n; i++) {
		if (addr_parse(&peers[i].addr, p[i].address, 53) == 0)
			addr_text(&peers[i].addr, peers[i].text);
		snprintf(
		    peers[i].key, sizeof(peers[i].key), "%s", p[i].key != NULL ? p[i].key : "");
	}
	same = n == z->n_peers;
	for (size_t i = 0; i < n && same; i++)
		same = strcmp(peers[i].text, z->peers[i].text) == 0 &&
		       strcmp(peers[i].key, z->peers[i].key) == 0;
	if (same) {
		free(peers);
		return false;
	}
	free(z->peers);
	z->peers = peers;
	z->n_peers = n;
	z->peer = 0;
	return true;
}

struct secondary_zone *
secondary_zone_new(struct secondary *s, const struct model_object *o)
{
	struct secondary_zone *z = xcalloc(1, sizeof(*z));

	z->all = s;
	list_init(&z->item);
	snprintf(z->name, sizeof(z->name), "%s", o->name);
	snprintf(z->id, sizeof(z->id), "%s", o->id);
	if (name_parse_lower(o->name, z->apex) < 0)
		z->apex[0] = 0;
	wheel_timer_init(&z->timer, on_timer);
	(void)read_peers(z, o->spec);
	z->consumer = ((const struct zone_spec *)o->spec)->catalog_consumer;
	z->have = secondary_commit_soa(z, &z->soa);
	return z;
}

void
secondary_zone_update(struct secondary_zone *z, const struct model_object *o)
{
	const struct zone_spec *spec = o->spec;
	const bool new_peers = read_peers(z, spec);

	z->consumer = spec->catalog_consumer;
	if (!new_peers && !z->consumer)
		return;
	/* A round with the old primaries ends here; `peer` and `tried` count the new ones. */
	if (new_peers && z->step > STEP_WAITING) {
		fetch_stop(&z->fetch);
		xfr_in_free(&z->in);
		z->step = STEP_IDLE;
		z->all->busy--;
	}
	secondary_zone_check(z, false, NULL);
}

void
secondary_zone_free(struct secondary_zone **zp)
{
	struct secondary_zone *z = *zp;
	struct secondary *s = z->all;
	const bool busy = z->step > STEP_WAITING;

	fetch_stop(&z->fetch);
	xfr_in_free(&z->in);
	loop_timer_cancel(s->loop, &z->timer);
	list_remove(&z->item);
	free(z->peers);
	free(z);
	*zp = NULL;
	if (busy)
		s->busy--;
}
