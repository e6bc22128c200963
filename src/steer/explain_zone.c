/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/rrtype.h"
#include "steer/explain_account.h"

static void
tell_set(struct account *a, const struct rrset *s)
{
	const uint8_t *rdata;
	uint32_t pos = 0;
	uint16_t len;

	a->ttl_s = s->ttl_s;
	while ((rdata = rrset_next(s, &pos, &len)) != NULL)
		explain_rdata(a, s->type, rdata, len);
}

static void
tell_node(struct account *a, const struct zone_node *n)
{
	char type[RRTYPE_TEXT_SIZE];
	const struct rrset *s = zone_node_find(n, a->qtype);

	if (explain_lined(a, n))
		return;
	if (s == NULL)
		s = zone_node_find(n, RRTYPE_CNAME);
	if (s == NULL) {
		explain_step(a, "zone", "the name exists, but not with type %s: an empty answer",
		    rrtype_text(a->qtype, type));
		return;
	}
	explain_step(a, "zone", "the zone's own %s record answers", rrtype_text(s->type, type));
	tell_set(a, s);
}

/* A domain that could steer here but does not deserves a word: it is the first thing people stumble
 * over. */
static void
tell_idle_domain(struct account *a, const struct lookup *l)
{
	char host[NAME_TEXT_SIZE], type[RRTYPE_TEXT_SIZE];
	char key[NAME_TEXT_SIZE + RRTYPE_TEXT_SIZE + 1];

	name_text(l->kind == LOOKUP_NAME ? l->node->name : a->qname, host);
	snprintf(key, sizeof(key), "%s/%s", host, rrtype_text(a->qtype, type));

	const struct model_object *o = model_find(&a->tree->model, KIND_DOMAIN, key);

	if (o == NULL)
		return;

	const struct live_domain *d = o->runtime;

	if (!live_domain_rests(d) && d->n_links > 0)
		a->fallback = live_fallback_words[LIVE_PUBLIC_ZONE];
	explain_imposed(a, &d->live);
	for (size_t i = 0; i < d->n_links && !live_domain_rests(d); i++)
		explain_imposed(a, &d->links[i].pool->live);
	if (live_domain_rests(d))
		explain_step(a, "domain", "domain '%s' is %s", o->name,
		    live_domain_spec(d)->enabled ? "drained" : "disabled");
	else if (d->n_links == 0)
		explain_step(a, "domain", "domain '%s' has no pool", o->name);
	else if (live_domain_spec(d)->fallback == FALLBACK_PUBLIC_ZONE)
		explain_step(a, "fallback",
		    "no pool of domain '%s' is available, and its fallback is public_zone",
		    o->name);
	else
		explain_step(a, "domain", "domain '%s' has no address that may answer", o->name);
}

void
explain_zone(struct account *a, const struct lookup *l)
{
	char text[NAME_TEXT_SIZE];

	tell_idle_domain(a, l);
	explain_step(a, "steered", "no domain steers this name and type: the Public Zone answers");
	switch (l->kind) {
	case LOOKUP_NAME:
		tell_node(a, l->node);
		break;
	case LOOKUP_NXDOMAIN:
		a->rcode = "NXDOMAIN";
		explain_step(a, "zone", "the name does not exist");
		break;
	case LOOKUP_DELEGATION:
		explain_step(
		    a, "zone", "a referral: '%s' is delegated", name_text(l->node->name, text));
		break;
	case LOOKUP_DNAME:
		explain_step(
		    a, "zone", "the DNAME of '%s' redirects", name_text(l->node->name, text));
		break;
	}
}
