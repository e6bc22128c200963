/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What transfers need of the engine's thread: the TSIG keys and each zone's policy follow the
 * model; a change set is one step of a zone's history, and nobody sees half of one; its secondaries
 * hear of it.
 *
 * An edge of health changes plans, but not what secondaries see. Whatever changes that (a domain, a
 * pool, an address) says the overlay again, and blurs the history: who is behind takes the zone
 * whole.
 */
#include <stdlib.h>
#include <string.h>

#include "app/engine_state.h"
#include "base/check.h"
#include "base/mem.h"
#include "dns/name.h"
#include "dns/rrtype.h"
#include "model/model_keys.h"
#include "model/nouns.h"
#include "serve/keyring.h"
#include "serve/notifier.h"
#include "serve/transfer_policy.h"
#include "serve/transfer_view.h"
#include "zone/history.h"
#include "zone/snapshot.h"

#define HISTORY_BYTES (4u << 20) /* per zone that somebody may transfer */

struct held {
	struct zone *zone;
	bool blurred;
};

struct engine_transfer {
	struct keyring *keys;
	struct notifier *notifier;
	struct held *held; /* by the change set under way */
	size_t n_held, cap_held;
	bool applying;
};

static void
wire_name(const char *text, uint8_t out[NAME_MAX_LEN])
{
	CHECK(name_parse_lower(text, out) > 0);
}

/* ---- keys ---- */

static void
follow_key(struct engine *e, const struct change_op *op)
{
	uint8_t name[NAME_MAX_LEN];
	struct tsig_key key;

	wire_name(op->name, name);
	/* Put and deleted by one set it is not there any more. */
	if (model_keys_find(tree_model(e->tree), name, &key) == 0)
		keyring_put(e->transfer->keys, &key);
	else
		keyring_remove(e->transfer->keys, name);
	explicit_bzero(&key, sizeof(key));
}

/* ---- zones that are being changed ---- */

/* Of a held zone; most often it is the newest. */
static struct held *
find_held(struct engine_transfer *t, const struct zone *z)
{
	size_t i = t->n_held;

	while (i > 0 && t->held[i - 1].zone != z)
		i--;
	CHECK(i > 0);
	return &t->held[i - 1];
}

void
engine_transfer_hold(struct engine *e, struct zone *z)
{
	struct engine_transfer *t = e->transfer;

	if (snapshot_is_held(z))
		return;
	MEM_GROW(&t->held, &t->cap_held, t->n_held + 1);
	t->held[t->n_held++] = (struct held){ .zone = z };
	snapshot_hold(z);
}

static void
blur(struct engine *e, struct zone *z)
{
	engine_transfer_hold(e, z);
	find_held(e->transfer, z)->blurred = true;
}

/* ---- policies ---- */

static const struct zone_spec *
spec_of(const struct engine *e, const struct zone *z)
{
	char name[NAME_TEXT_SIZE];
	const struct model_object *o =
	    model_find(tree_model(e->tree), KIND_ZONE, name_text(zone_apex(z), name));

	return o == NULL ? NULL : o->spec;
}

static struct transfer_policy *
make_policy(const struct zone_spec *spec)
{
	const struct transfer_spec *t = spec->transfer.items;
	struct transfer_policy *p = transfer_policy_new((unsigned)spec->transfer.count);

	p->fallback_view = spec->axfr_view == AXFR_VIEW_FALLBACK;
	for (size_t i = 0; i < spec->transfer.count; i++) {
		CHECK(cidr_parse(&p->transfer[i].from, t[i].from) == 0);
		p->transfer[i].keyed = t[i].key != NULL;
		if (t[i].key != NULL)
			wire_name(t[i].key, p->transfer[i].key);
	}
	return p;
}

void
engine_transfer_equip(struct engine *e, struct zone *z)
{
	const struct zone_spec *spec = spec_of(e, z);
	const struct transfer_policy *old = zone_policy(z);

	if (spec == NULL || (spec->transfer.count == 0 && old == NULL))
		return;

	struct transfer_policy *p = make_policy(spec);

	if (old != NULL && old->fallback_view != p->fallback_view)
		blur(e, z);
	zone_set_policy(z, p);
	if (zone_history(z) == NULL)
		zone_set_history(z, history_new(HISTORY_BYTES));
}

/* ---- change sets ---- */

static bool
shows_fallback(const struct zone *z)
{
	const struct transfer_policy *p = zone_policy(z);

	return p != NULL && p->fallback_view;
}

void
engine_transfer_touch(struct engine *e, struct zone *z, const uint8_t *owner, uint16_t type)
{
	if (zone_history(z) == NULL)
		return;
	history_touch(zone_history(z), z, owner, type);
	if (shows_fallback(z) && transfer_view_is_tangled(z, owner))
		find_held(e->transfer, z)->blurred = true;
}

static void
let_go(struct engine *e, const struct held *h)
{
	struct history *history = zone_history(h->zone);
	enum history_outcome outcome = HISTORY_SAME;

	if (history != NULL && h->blurred) {
		history_drop(history);
		outcome = HISTORY_BROKEN;
	} else if (history != NULL) {
		outcome = history_commit(
		    history, h->zone, shows_fallback(h->zone) ? transfer_view_hides : NULL);
	}
	if (outcome == HISTORY_STEP)
		engine_history_keep(e, h->zone, history_latest(history));
	else if (outcome == HISTORY_BROKEN)
		engine_history_forget(e, zone_apex(h->zone));
	snapshot_let_go(h->zone);
}

static void
let_all_go(struct engine *e)
{
	struct engine_transfer *t = e->transfer;

	for (size_t i = 0; i < t->n_held; i++)
		let_go(e, &t->held[i]);
	t->n_held = 0;
}

void
engine_transfer_begin(struct engine *e)
{
	e->transfer->applying = true;
}

void
engine_transfer_overlay(
    struct engine *e, struct zone *z, const uint8_t *host, const void *overlay, bool shown)
{
	if (shown)
		blur(e, z);
	else
		engine_transfer_hold(e, z);
	zone_overlay(z, host, overlay);
	if (!e->transfer->applying)
		let_all_go(e);
}

static void
tell(struct engine *e, const char *zone)
{
	const struct model_object *o = model_find(tree_model(e->tree), KIND_ZONE, zone);
	const struct zone_spec *spec = o == NULL ? NULL : o->spec;
	uint8_t apex[NAME_MAX_LEN], name[NAME_MAX_LEN];

	if (spec == NULL)
		return;
	wire_name(zone, apex);
	for (size_t i = 0; i < spec->notify.count; i++) {
		const struct peer_spec *peer = (const struct peer_spec *)spec->notify.items + i;
		const struct tsig_key *key = NULL;
		struct addr to;

		CHECK(addr_parse(&to, peer->address, 53) == 0);
		if (peer->key != NULL) {
			wire_name(peer->key, name);
			key = keyring_find(e->transfer->keys, name);
		}
		notifier_tell(e->transfer->notifier, apex, &to, key);
	}
}

/* Does the zone have something new to say, or somebody new to say it to? */
static bool
is_news(const struct change_op *op)
{
	return (op->op == CHANGE_RRSET_PUT && op->type == RRTYPE_SOA) ||
	       op->op == CHANGE_ZONE_CLEAR || (op->op == CHANGE_PUT && op->kind == KIND_ZONE);
}

static void
follow(struct engine *e, const struct change_op *op)
{
	uint8_t apex[NAME_MAX_LEN];
	struct zone *z;

	if (op->op != CHANGE_PUT && op->op != CHANGE_DELETE)
		return;
	if (op->kind == KIND_TSIG_KEY)
		follow_key(e, op);
	if (op->kind != KIND_ZONE)
		return;
	wire_name(op->name, apex);
	z = zones_exact(e->zones, apex);
	if (z != NULL)
		engine_transfer_equip(e, z);
	else
		notifier_forget(e->transfer->notifier, apex);
}

void
engine_transfer_finish(struct engine *e, const struct change_set *c)
{
	struct engine_transfer *t = e->transfer;

	for (size_t i = 0; i < c->count; i++)
		follow(e, &c->ops[i]);
	let_all_go(e);
	t->applying = false;

	const char *last = "";

	for (size_t i = 0; i < c->count && e->serving; i++) {
		const struct change_op *op = &c->ops[i];

		if (is_news(op) && strcmp(op->name, last) != 0)
			tell(e, last = op->name);
	}
}

/* The journal has put zones in place before their objects were there. */
void
engine_transfer_recall(struct engine *e)
{
	const struct model *m = tree_model(e->tree);

	STRMAP_EACH (&m->objects[KIND_TSIG_KEY], entry)
		follow(e, &(struct change_op){
			      .op = CHANGE_PUT, .kind = KIND_TSIG_KEY, .name = entry->key });
	STRMAP_EACH (&m->objects[KIND_ZONE], entry)
		follow(e,
		    &(struct change_op){ .op = CHANGE_PUT, .kind = KIND_ZONE, .name = entry->key });
	let_all_go(e);
}

void
engine_transfer_announce(struct engine *e)
{
	STRMAP_EACH (&tree_model(e->tree)->objects[KIND_ZONE], entry)
		tell(e, entry->key);
}

/* ---- life ---- */

const struct keyring *
engine_transfer_keys(const struct engine *e)
{
	return e->transfer->keys;
}

void
engine_transfer_open(struct engine *e)
{
	struct engine_transfer *t = xcalloc(1, sizeof(*t));

	t->keys = keyring_new();
	t->notifier = notifier_new(e->loop, e->zones, e->config->dns_addrs, e->config->n_dns_addrs);
	e->transfer = t;
}

void
engine_transfer_close(struct engine *e)
{
	struct engine_transfer *t = e->transfer;

	notifier_free(&t->notifier);
	keyring_free(&t->keys);
	free(t->held);
	free(t);
	e->transfer = NULL;
}
