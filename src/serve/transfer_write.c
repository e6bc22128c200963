/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages are filled to 16 KiB, as far as compression pointers reach; one record that needs more
 * gets a message of its own, up to what TCP and the signature allow.
 */
#include "serve/transfer_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dns/answer.h"
#include "dns/rrtype.h"
#include "serve/transfer_policy.h"
#include "serve/transfer_view.h"
#include "zone/snapshot.h"

#define USUAL   16384
#define LARGEST (UINT16_MAX - TSIG_ROOM)

struct writer {
	struct transfer *t;
	struct answer a;
	unsigned in_message; /* records */
	bool failed;
	uint8_t buf[LARGEST];
};

static void
open_message(struct writer *w, size_t cap)
{
	answer_init(&w->a, w->buf, cap, &w->t->query);
	w->a.aa = w->t->rcode == RCODE_NOERROR;
	w->a.rcode = w->t->rcode;
	w->in_message = 0;
}

static void
close_message(struct writer *w)
{
	w->a.tc = false;
	if (spool_put(&w->t->spool, w->buf, (uint16_t)answer_finish(&w->a)) < 0)
		w->failed = true;
}

static struct writer *
begin(struct transfer *t)
{
	struct writer *w = xmalloc(sizeof(*w));

	w->t = t;
	w->failed = false;
	open_message(w, USUAL);
	return w;
}

void
transfer_write_error(struct transfer *t)
{
	struct writer *w = begin(t);

	close_message(w);
	free(w);
}

static void
end(struct writer *w)
{
	struct transfer *t = w->t;

	if (!w->failed)
		close_message(w);
	if (w->failed) {
		const char *dir = t->spool.dir;

		spool_fini(&t->spool);
		spool_init(&t->spool, dir);
		t->rcode = RCODE_SERVFAIL;
		t->kind = "cannot be spooled";
		transfer_write_error(t);
	}
	free(w);
}

static void
put_record(struct writer *w, const uint8_t *owner, const struct rrset *s, const uint8_t *rdata,
    uint16_t len)
{
	static const size_t caps[] = { USUAL, LARGEST };
	const uint32_t ttl_s = rrset_ttl(s, rdata, len);

	w->t->records++;
	if (answer_rr(&w->a, owner, s->type, ttl_s, rdata, len)) {
		w->in_message++;
		return;
	}
	if (w->in_message > 0)
		close_message(w);
	for (size_t i = 0; i < ARRAY_LEN(caps) && !w->failed; i++) {
		open_message(w, caps[i]);
		if (answer_rr(&w->a, owner, s->type, ttl_s, rdata, len)) {
			w->in_message = 1;
			return;
		}
	}
	w->failed = true;
}

static void
put_set(struct writer *w, const uint8_t *owner, const struct rrset *s)
{
	const uint8_t *rdata;
	uint32_t pos = 0;
	uint16_t len;

	while (!w->failed && (rdata = rrset_next(s, &pos, &len)) != NULL)
		put_record(w, owner, s, rdata, len);
}

void
transfer_write_soa(struct transfer *t, const struct rrset *soa)
{
	struct writer *w = begin(t);

	t->serial = history_serial(soa);
	put_set(w, t->query.qname, soa);
	end(w);
}

/* -- a whole zone -- */

/* Pointers into nodes and fallback sets, good while the read section lasts. */
struct entry {
	const uint8_t *owner;
	const struct rrset *set;
};

struct content {
	bool fallback_view;
	const uint8_t *apex;
	const struct rrset *soa;
	struct entry *entries;
	size_t count, cap;
};

static void
forget(void *arg)
{
	struct content *c = arg;

	c->count = 0;
	c->soa = NULL;
}

static void
collect(void *arg, const struct zone_node *n, const struct rrset *s)
{
	struct content *c = arg;

	if (s->type == RRTYPE_SOA && name_equal(n->name, c->apex)) {
		c->soa = s;
		return;
	}
	MEM_GROW(&c->entries, &c->cap, c->count + 1);
	c->entries[c->count++] = (struct entry){ n->name, s };
}

static void
collect_node(const struct zone_node *n, void *arg)
{
	const struct content *c = arg;

	transfer_view_each(n, c->fallback_view, collect, arg);
}

void
transfer_write_zone(struct transfer *t, const struct zone *z)
{
	const struct transfer_policy *p = zone_policy(z);
	struct content c = {
		.fallback_view = p != NULL && p->fallback_view,
		.apex = zone_apex(z),
	};
	struct writer *w = begin(t);

	snapshot_take(z, forget, collect_node, &c);
	if (c.soa == NULL) { /* it went while we came */
		w->failed = true;
	} else {
		t->serial = history_serial(c.soa);
		put_set(w, c.apex, c.soa);
		for (size_t i = 0; i < c.count && !w->failed; i++)
			put_set(w, c.entries[i].owner, c.entries[i].set);
		if (!w->failed)
			put_set(w, c.apex, c.soa);
	}
	end(w);
	free(c.entries);
}

/* -- differences -- */

static void
put_items(struct writer *w, const struct history_item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_set(w, items[i].owner, items[i].set);
}

void
transfer_write_steps(struct transfer *t, struct history_step **steps, size_t n)
{
	const struct rrset *newest = steps[n - 1]->new_soa;
	const uint8_t *apex = t->query.qname;
	struct writer *w = begin(t);

	t->serial = steps[n - 1]->to;
	put_set(w, apex, newest);
	for (size_t i = 0; i < n; i++) {
		put_set(w, apex, steps[i]->old_soa);
		put_items(w, steps[i]->gone, steps[i]->n_gone);
		put_set(w, apex, steps[i]->new_soa);
		put_items(w, steps[i]->come, steps[i]->n_come);
	}
	put_set(w, apex, newest);
	end(w);
}
