/* SPDX-License-Identifier: GPL-3.0-or-later */
#define URCU_API_MAP
#include <urcu/urcu-qsbr.h>

#include "sim/stage.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mem.h"
#include "base/strmap.h"
#include "dns/name.h"
#include "geo/atlas.h"
#include "model/nouns.h"
#include "steer/explain.h"
#include "steer/plan.h"
#include "steer/steered.h"
#include "steer/tree.h"
#include "verdict/word.h"
#include "zone/zones.h"

struct stage {
	uint32_t magic;
#define STAGE_MAGIC 0x57a6e001u
	struct word_table *words;
	struct tree *tree;
	struct zones *zones;
	const struct model_object *domain;
	char host[KIND_NAME_SIZE];
	uint16_t rrtype;
	const void *overlay;  /* of the host; NULL: the zone answers */
	struct strmap checks; /* key -> struct stage_check * */
	struct stage_member *members;
	size_t n_members;
	int64_t starts_ms;
	struct strmap by_value;   /* value -> index + 1 */
	struct strmap by_address; /* address object -> index + 1 */
};

/* -- what the tree wants of the world -- */

static void
want(void *arg, const struct tree_check *c)
{
	struct stage *s = arg;
	struct stage_check *k = xcalloc(1, sizeof(*k));

	*k = (struct stage_check){
		.key = xstrdup(c->key),
		.slot = c->slot,
		.interval_ms = c->template->interval_ms,
		.timeout_ms = c->template->timeout_ms,
		.recheck_ms = c->template->recheck_ms,
		.fall = (uint8_t)c->template->fall,
		.rise = (uint8_t)c->template->rise,
		.way = loss_way_of(c->template, true),
		.once = loss_way_of(c->template, false),
	};
	CHECK(strmap_put(&s->checks, k->key, k) == NULL);
	word_store(s->words, c->slot, 0);
}

static void
drop(void *arg UNUSED, const char *key UNUSED, uint32_t slot UNUSED)
{
}

static void
overlay(void *arg, const uint8_t *host, const void *o, bool shown UNUSED)
{
	struct stage *s = arg;

	zone_overlay(zones_find(s->zones, host), host, o);
	s->overlay = o;
}

static void
status(void *arg UNUSED, enum kind kind UNUSED, const char *name UNUSED, const char *told UNUSED)
{
}

static void
event(void *arg UNUSED, const struct tree_event *e UNUSED)
{
}

static void
remember(void *arg UNUSED, const char *key UNUSED, const char *value UNUSED)
{
}

/* -- members -- */

static void
set_rdata(struct stage_member *m, int type)
{
	struct addr a;
	size_t len;

	if (type == ADDRESS_DOMAIN) {
		const int n = name_parse_lower(m->value, m->rdata);

		CHECK(n > 0);
		m->rdlen = (uint16_t)n;
		return;
	}
	CHECK(addr_ip_parse(&a, m->value, AF_UNSPEC) == 0);

	const uint8_t *ip = addr_ip(&a, &len);

	memcpy(m->rdata, ip, len);
	m->rdlen = (uint16_t)len;
}

static void
add_member(struct stage *s, const char *pool, const struct model_object *address)
{
	const struct address_spec *spec = address->spec;
	uintptr_t at = (uintptr_t)strmap_find(&s->by_value, spec->value);

	if (at == 0) {
		struct stage_member *m = &s->members[s->n_members++];

		*m = (struct stage_member){
			.pool = pool, .address = address->name, .value = spec->value
		};
		set_rdata(m, spec->type);
		at = s->n_members;
		strmap_put(&s->by_value, spec->value, (void *)at);
	}
	strmap_put(&s->by_address, address->name, (void *)at);
}

static void
find_members(struct stage *s)
{
	const struct model *m = tree_model(s->tree);
	const struct domain_spec *domain = s->domain->spec;
	const struct link_spec *pools = domain->pools.items;

	s->members = xcalloc(m->objects[KIND_ADDRESS].count + 1, sizeof(*s->members));
	for (size_t i = 0; i < domain->pools.count; i++) {
		const struct model_object *pool = model_find(m, KIND_POOL, pools[i].target);
		const struct pool_spec *spec = pool->spec;
		const struct link_spec *links = spec->addresses.items;

		for (size_t k = 0; k < spec->addresses.count; k++)
			add_member(s, pool->name, model_find(m, KIND_ADDRESS, links[k].target));
	}
}

const struct stage_member *
stage_members(const struct stage *s, size_t *count)
{
	OBJ_CHECK(s, STAGE_MAGIC);
	*count = s->n_members;
	return s->members;
}

uint32_t
stage_member_of(const struct stage *s, const char *address)
{
	OBJ_CHECK(s, STAGE_MAGIC);
	return (uint32_t)(uintptr_t)strmap_find(&s->by_address, address) - 1;
}

const struct domain_spec *
stage_spec(const struct stage *s)
{
	OBJ_CHECK(s, STAGE_MAGIC);
	return s->domain->spec;
}

uint32_t
stage_ttl(const struct stage *s)
{
	return stage_spec(s)->ttl_s;
}

/* -- life -- */

struct stage *
stage_new(const struct change_set *set, const char *name, struct atlas *atlas, int64_t starts_ms)
{
	struct stage *s = xcalloc(1, sizeof(*s));
	const struct tree_hooks hooks = { s, want, drop, overlay, status, event, remember };
	uint8_t apex[NAME_MAX_LEN];

	s->magic = STAGE_MAGIC;
	s->starts_ms = starts_ms;
	rcu_register_thread();
	strmap_init(&s->checks);
	strmap_init(&s->by_value);
	strmap_init(&s->by_address);
	CHECK(domain_name_split(name, s->host, &s->rrtype) == 0);
	s->words = word_table_new();
	s->zones = zones_new();
	for (size_t i = 0; i < set->count; i++) {
		if (set->ops[i].kind == KIND_ZONE && set->ops[i].op == CHANGE_PUT) {
			CHECK(name_parse_lower(set->ops[i].name, apex) > 0);
			zones_add(s->zones, zone_new(apex));
		}
	}
	s->tree = tree_new(s->words, 1, &hooks);
	if (atlas != NULL) {
		atlas_ref(atlas);
		tree_set_atlas(s->tree, atlas);
	}
	tree_apply(s->tree, set, starts_ms);
	s->domain = model_find(tree_model(s->tree), KIND_DOMAIN, name);
	CHECK(s->domain != NULL);
	find_members(s);
	return s;
}

void
stage_free(struct stage **s)
{
	if (*s == NULL)
		return;
	OBJ_CHECK(*s, STAGE_MAGIC);
	tree_free(&(*s)->tree);
	zones_free(&(*s)->zones);
	rcu_unregister_thread();
	rcu_barrier();
	word_table_free(&(*s)->words);
	STRMAP_EACH (&(*s)->checks, e) {
		struct stage_check *c = e->value;

		free(c->key);
		free(c);
	}
	strmap_fini(&(*s)->checks);
	strmap_fini(&(*s)->by_value);
	strmap_fini(&(*s)->by_address);
	free((*s)->members);
	(*s)->magic = 0;
	free(*s);
	*s = NULL;
}

/* -- asking -- */

static uint32_t
member_of(const struct stage *s, const struct plan_rr *rr)
{
	const uint8_t *rdata = rr->tail + PLAN_RR_RDATA;
	const size_t rdlen = rr->len - PLAN_RR_RDATA;

	for (uint32_t i = 0; i < s->n_members; i++) {
		if (s->members[i].rdlen == rdlen && memcmp(s->members[i].rdata, rdata, rdlen) == 0)
			return i;
	}
	check_failed("a record nobody put in", __FILE__, __LINE__, __func__);
}

/* As serve/respond does it. */
static size_t
ask(const struct plan *p, const struct crowd_cache *from, uint32_t now_ms,
    const struct plan_rr *rr[PLAN_MAX_ANSWER])
{
	const struct position resolver = position_of_addr(&from->resolver);
	const bool by_subnet =
	    plan_client(p) == PLAN_SUBNET && addr_family(&from->subnet) != AF_UNSPEC;
	const struct position at = by_subnet ? position_of_addr(&from->subnet) : resolver;
	const struct plan_asker asker = { &resolver, by_subnet, now_ms };
	unsigned scope;

	if (plan_is_balanced(p))
		return plan_answer_to(p, 0, &at, &asker, rr, &scope);
	return plan_answer(p, 0, &at, rr, &scope);
}

void
stage_ask(
    struct stage *s, const struct crowd_cache *from, uint32_t now_ms, struct stage_answer *out)
{
	const struct plan *p = steered_find(s->overlay, s->rrtype);
	const struct plan_rr *rr[PLAN_MAX_ANSWER];

	*out = (struct stage_answer){ .ttl_s = stage_ttl(s) };
	if (p == NULL)
		return;
	out->count = ask(p, from, now_ms, rr);
	if (out->count > 0)
		out->ttl_s = plan_rr_ttl(rr[0]);
	for (size_t i = 0; i < out->count; i++)
		out->members[i] = member_of(s, rr[i]);
}

void
stage_verdict(struct stage *s, uint32_t slot, bool down, uint64_t now_ms)
{
	word_store(s->words, slot, down ? WORD_DOWN : 0);
	tree_edge(s->tree, slot, "simulated", s->starts_ms + (int64_t)now_ms);
	rcu_quiescent_state();
}

void
stage_desired(struct stage *s, const struct addr *client, double *share)
{
	char ip[ADDR_TEXT_SIZE];
	json_t *request =
	    json_pack("{s:s, s:s}", "name", s->host, "type", strrchr(s->domain->name, '/') + 1);
	struct diag d;

	diag_init(&d);
	if (client != NULL && addr_family(client) != AF_UNSPEC)
		json_object_set_new(request, "client", json_string(addr_ip_text(client, ip)));

	json_t *reply = explain(s->tree, s->zones, request, &d), *c;
	size_t i;

	CHECK(reply != NULL);
	memset(share, 0, s->n_members * sizeof(*share));
	json_array_foreach(json_object_get(reply, "candidates"), i, c)
	{
		const char *value = json_string_value(json_object_get(c, "value"));

		share[(uintptr_t)strmap_find(&s->by_value, value) - 1] +=
		    json_number_value(json_object_get(c, "probability"));
	}
	json_decref(reply);
	json_decref(request);
	diag_fini(&d);
}

void
stage_checks(const struct stage *s, const char *address,
    void (*visit)(void *arg, const struct stage_check *c), void *arg)
{
	json_t *told = tree_status(s->tree, KIND_ADDRESS, address), *check;
	size_t i;

	json_array_foreach(json_object_get(told, "checks"), i, check)
	{
		const struct stage_check *c =
		    strmap_find(&s->checks, json_string_value(json_object_get(check, "key")));

		CHECK(c != NULL);
		visit(arg, c);
	}
	json_decref(told);
}

bool
stage_tick(struct stage *s, uint64_t now_ms)
{
	const int64_t real_ms = s->starts_ms + (int64_t)now_ms;
	const bool due = tree_due(s->tree) <= real_ms;

	if (due)
		tree_tick(s->tree, real_ms);
	tree_learn(s->tree, (uint32_t)now_ms);
	rcu_quiescent_state();
	return due;
}
