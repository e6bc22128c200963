/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "intake/on_update.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/catalog_kept.h"
#include "api/lined.h"
#include "api/records.h"
#include "api/soa.h"
#include "base/clock.h"
#include "base/log.h"
#include "dns/rrtype.h"
#include "intake/exchange.h"
#include "intake/policy.h"
#include "model/nouns.h"
#include "store/store.h"
#include "zone/update.h"

#define DRAFT_MAX (64u << 20)

struct job {
	struct exchange x;
	struct update u;
	const struct model *model;
	struct store *store;
	const struct zone_spec *spec;
	char zone[NAME_TEXT_SIZE];
	struct draft *draft;
	bool unreadable; /* the store failed under the draft */
	struct change_set set;
	uint64_t revision;             /* of the change, 0: nothing changed */
	char why[NAME_TEXT_SIZE + 80]; /* of a refusal; "" says nothing */
};

/* Put down why, and answer with `rcode`. */
PRINTF(3, 4)
static uint16_t
refuse(struct job *j, uint16_t rcode, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(j->why, sizeof(j->why), fmt, ap);
	va_end(ap);
	return rcode;
}

/* ---- rights ---- */

static uint16_t
find_zone(struct job *j)
{
	const struct model_object *o =
	    model_find(j->model, KIND_ZONE, name_text(j->u.apex, j->zone));

	if (o == NULL)
		return refuse(j, RCODE_NOTAUTH, "there is no zone %s here", j->zone);
	j->spec = o->spec;
	if (j->spec->role != ZONE_PRIMARY)
		return refuse(j, RCODE_REFUSED, "zone %s is a secondary: ask its primary", j->zone);
	if (!policy_knows(j->spec, j->x.key))
		return refuse(j, RCODE_REFUSED, "key %s may not update zone %s", j->x.key, j->zone);
	return RCODE_NOERROR;
}

static bool
is_steered(const struct job *j, const char *host, uint16_t type)
{
	char text[RRTYPE_TEXT_SIZE], name[NAME_TEXT_SIZE + RRTYPE_TEXT_SIZE];

	snprintf(name, sizeof(name), "%s/%s", host, rrtype_text(type, text));

	const struct model_object *o = model_find(j->model, KIND_DOMAIN, name);
	const struct domain_spec *spec = o != NULL ? o->spec : NULL;

	return spec != NULL && spec->enabled && spec->pools.count > 0;
}

/* The zone's record would be hidden: who sends it means something that would not come true. */
static uint16_t
check_steered(struct job *j, const char *host, uint16_t type)
{
	static const uint16_t types[] = { RRTYPE_A, RRTYPE_AAAA, RRTYPE_CNAME };
	char text[RRTYPE_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if ((type == types[i] || type == RRTYPE_ANY) && is_steered(j, host, types[i]))
			return refuse(j, RCODE_REFUSED, "%s %s is steered by an enabled domain",
			    host, rrtype_text(types[i], text));
	return RCODE_NOERROR;
}

/* A record set with lines: which of them would be meant? */
static uint16_t
check_lined(struct job *j, const uint8_t *owner, const char *host, uint16_t type)
{
	uint16_t types[RECORDS_TYPES];
	char text[RRTYPE_TEXT_SIZE];
	size_t n = 1;

	if (j->model->objects[KIND_RRSET].count == 0)
		return RCODE_NOERROR;
	types[0] = type;
	if (type == RRTYPE_ANY)
		n = records_types(j->store, j->zone, owner, types);
	for (size_t i = 0; i < n; i++)
		if (lined_in(j->model, j->zone, owner, types[i]) != NULL)
			return refuse(j, RCODE_REFUSED,
			    "the records of %s %s have lines or weights: change them by the API",
			    host, rrtype_text(types[i], text));
	return RCODE_NOERROR;
}

static uint16_t
check_change(struct job *j, const struct update_record *r)
{
	char host[NAME_TEXT_SIZE], text[RRTYPE_TEXT_SIZE];

	name_text(r->owner, host);
	if (!policy_allows(j->spec, j->u.apex, j->x.key, r->owner, r->type))
		return refuse(j, RCODE_REFUSED, "key %s may not change %s %s", j->x.key, host,
		    rrtype_text(r->type, text));
	if (catalog_kept(j->model, j->zone, r->owner))
		return refuse(j, RCODE_REFUSED, "%s is kept by the catalog %s", host, j->zone);

	const uint16_t rcode = check_steered(j, host, r->type);

	return rcode != RCODE_NOERROR ? rcode : check_lined(j, r->owner, host, r->type);
}

static uint16_t
check_rights(struct job *j)
{
	uint16_t rcode = find_zone(j);

	for (size_t i = 0; i < j->u.changes.count && rcode == RCODE_NOERROR; i++)
		rcode = check_change(j, &j->u.changes.records[i]);
	return rcode;
}

/* ---- the change ---- */

static int
have(const struct change_op *op, void *arg)
{
	draft_have(arg, op->type, op->ttl_s, op->rdata, op->rdata_len);
	return 0;
}

static int
load(void *arg, const uint8_t *owner, struct draft *d)
{
	struct job *j = arg;
	const int rc = store_owner_rrsets(j->store, j->zone, owner, have, d);

	j->unreadable |= rc < 0;
	return rc;
}

struct collect {
	struct job *job;
	bool deletes; /* first: what goes makes room for what comes */
};

static void
collect(void *arg, const uint8_t *owner, uint16_t type, const struct rrset *set)
{
	const struct collect *c = arg;

	if (c->deletes != (set == NULL))
		return;
	change_add(&c->job->set, &(struct change_op){
				     .op = set != NULL ? CHANGE_RRSET_PUT : CHANGE_RRSET_DELETE,
				     .kind = KIND_ZONE,
				     .name = c->job->zone,
				     .owner = owner,
				     .type = type,
				     .ttl_s = set != NULL ? set->ttl_s : 0,
				     .rdata = set != NULL ? set->data : NULL,
				     .rdata_len = set != NULL ? set->size : 0,
				 });
}

struct news {
	bool any, soa;
};

static void
note(void *arg, const uint8_t *owner UNUSED, uint16_t type, const struct rrset *set UNUSED)
{
	struct news *n = arg;

	n->any = true;
	n->soa |= type == RRTYPE_SOA;
}

/* RFC 2136 3.6: a change that brought no SOA of its own moves the serial. */
static const char *
bump(struct job *j)
{
	const int64_t now_s = clock_real_ms() / 1000;
	struct rrset *old = records_find(j->store, j->zone, j->u.apex, RRTYPE_SOA);

	if (old == NULL)
		return "the zone has no SOA record";

	struct rrset *next =
	    soa_with_serial(old, soa_next_serial(j->spec->serial, soa_serial(old), now_s));

	draft_drop(j->draft, j->u.apex, RRTYPE_SOA);

	const char *why = draft_add(j->draft, j->u.apex, RRTYPE_SOA, next->ttl_s, next->data + 2,
	    (uint16_t)(next->size - 2));

	rrset_free(&next);
	rrset_free(&old);
	return why;
}

/* Apply, move the serial, and put what differs into the change set. NULL, or why not. */
static const char *
compose(struct job *j)
{
	const uint8_t *owner;
	uint16_t type;
	struct news news = { false };
	const char *why = update_apply(&j->u, j->draft);

	if (why == NULL)
		why = draft_check(j->draft, &owner, &type);
	if (why != NULL)
		return why;
	draft_each(j->draft, note, &news);
	if (news.any && !news.soa) {
		why = bump(j);
		if (why == NULL)
			why = draft_check(j->draft, &owner, &type);
	}
	draft_each(j->draft, collect, &(struct collect){ j, true });
	draft_each(j->draft, collect, &(struct collect){ j, false });
	return why;
}

static uint16_t
commit(struct job *j)
{
	char author[sizeof(j->x.key) + 8], peer[ADDR_TEXT_SIZE];
	struct control_receipt receipt;
	struct diag d;
	int rc;

	diag_init(&d);
	snprintf(author, sizeof(author), "tsig:%s", j->x.key);
	j->set.author = author;
	j->set.summary = arena_printf(&j->set.arena, "update of zone '%s' from %s: %zu record sets",
	    j->zone, addr_ip_text(&j->x.message->peer, peer), j->set.count);
	rc = control_edit_commit(j->x.message->control, &j->set, &receipt, &d);
	if (rc < 0)
		refuse(j, RCODE_SERVFAIL, "%s", diag_text(&d));
	else
		j->revision = receipt.revision;
	diag_fini(&d);
	return rc < 0 ? RCODE_SERVFAIL : RCODE_NOERROR;
}

static uint16_t
change(struct job *j)
{
	const char *why;
	uint16_t rcode = update_require(&j->u, j->draft);

	if (rcode != RCODE_NOERROR)
		return refuse(j, rcode, "a prerequisite does not hold");
	why = compose(j);
	if (why != NULL)
		return refuse(j, RCODE_REFUSED, "%s", why);
	return j->set.count > 0 ? commit(j) : RCODE_NOERROR;
}

static uint16_t
change_zone(struct job *j)
{
	const struct draft_source source = { load, j };
	uint16_t rcode;

	j->draft = draft_new(j->u.apex, DRAFT_MAX, &source);
	change_init(&j->set);
	rcode = change(j);
	if (j->unreadable && j->revision == 0)
		rcode = refuse(j, RCODE_SERVFAIL, "the zone's records cannot be read");
	change_fini(&j->set);
	draft_free(&j->draft);
	return rcode;
}

/* ---- the message ---- */

/* A stranger may know whose zone it is, as by any query; it does not get the editor's lock. */
static bool
is_hosted(struct control *c, const struct update *u)
{
	char zone[NAME_TEXT_SIZE];
	const struct model *m = control_read_begin(c);
	const bool hosted = model_find(m, KIND_ZONE, name_text(u->apex, zone)) != NULL;

	control_read_end(c);
	return hosted;
}

/* In the order of RFC 8945 5.2 and RFC 2136 3. */
static uint16_t
judge(struct job *j)
{
	struct control *c = j->x.message->control;
	const uint16_t form = update_parse(j->x.message->data, j->x.message->len, &j->u);
	uint16_t rcode;

	j->x.query.has_edns = j->u.has_edns;
	if (j->x.rcode != RCODE_NOERROR)
		return j->x.rcode;
	if (j->u.has_edns && j->u.edns_version > 0)
		return RCODE_BADVERS;
	if (!j->x.trusted && form == RCODE_NOERROR && !is_hosted(c, &j->u))
		return RCODE_NOTAUTH;
	if (!j->x.trusted)
		return refuse(j, RCODE_REFUSED, "updates must be signed (TSIG)");
	if (form != RCODE_NOERROR)
		return form;
	control_edit_begin(c);
	j->model = control_model(c);
	j->store = control_store(c);
	rcode = check_rights(j);
	if (rcode == RCODE_NOERROR)
		rcode = change_zone(j);
	control_edit_end(c);
	return rcode;
}

/* Strangers cannot fill the log. */
static void
report(const struct job *j, uint16_t rcode)
{
	char peer[ADDR_TEXT_SIZE];

	addr_ip_text(&j->x.message->peer, peer);
	if (!j->x.trusted)
		log_debug("intake", "an update from %s is not signed as it must be", peer);
	else if (rcode == RCODE_REFUSED || rcode == RCODE_SERVFAIL)
		log_warn("intake", "update of zone %s by key %s from %s is refused: %s", j->zone,
		    j->x.key, peer, j->why);
	else if (j->revision > 0)
		log_info("intake", "update of zone %s by key %s from %s: revision %llu", j->zone,
		    j->x.key, peer, (unsigned long long)j->revision);
}

void
on_update(const struct intake_message *m, struct buf *out)
{
	struct job j = { .revision = 0 };
	uint16_t rcode;

	if (!exchange_open(&j.x, m))
		return;
	rcode = judge(&j);
	report(&j, rcode);
	exchange_answer(&j.x, rcode, rcode == RCODE_REFUSED ? j.why : NULL, out);
	update_fini(&j.u);
}
