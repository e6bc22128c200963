/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "steer/explain.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "dns/rrtype.h"
#include "net/addr.h"
#include "steer/explain_account.h"
#include "steer/steered.h"

#define DRAWS_MAX 1000000

static json_t *
finish(struct account *a)
{
	json_t *j = json_pack("{s:{s:s, s:I, s:o}, s:b, s:b, s:s, s:i, s:o, s:s?, s:o}", "answer",
	    "rcode", a->rcode, "ttl", (json_int_t)a->ttl_s, "rdata", a->rdata, "steered",
	    (int)a->steered, "lined", (int)a->lined, "line", a->line, "scope", (int)a->scope,
	    "candidates", a->candidates, "fallback", a->fallback, "decision", a->decision);

	CHECK(j != NULL);
	if (a->drawn != NULL)
		json_object_set_new(j, "draws", a->drawn);
	return j;
}

/* -- what is asked -- */

static int
read_question(struct account *a, const json_t *request, struct diag *d)
{
	const char *name = json_string_value(json_object_get(request, "name"));
	const json_t *type = json_object_get(request, "type");
	if (name == NULL || name_parse_lower(name, a->qname) < 0)
		return diag_add(d, DIAG_INVALID, "name", "must be a domain name");
	a->qtype = RRTYPE_A;
	if (type != NULL && !json_is_null(type) &&
	    (!json_is_string(type) || rrtype_parse(json_string_value(type), &a->qtype) < 0))
		return diag_add(d, DIAG_INVALID, "type", "must be an RR type");
	return 0;
}

static int
read_position(struct position *p, const json_t *request, const char *member, struct diag *d)
{
	const json_t *j = json_object_get(request, member);
	const char *text = json_string_value(j);

	if (j == NULL || json_is_null(j))
		return 0;
	if (text != NULL && position_parse(p, text))
		return 0;
	diag_add(
	    d, DIAG_INVALID, member, "must be an IP address or a prefix without bits after it");
	diag_detail(d, text, "192.0.2.7, 192.0.2.0/24, 2001:db8::/56");
	return -EINVAL;
}

static int
read_subnet(struct account *a, const json_t *request, struct diag *d)
{
	const char *text = json_string_value(json_object_get(request, "ecs"));

	if (read_position(&a->subnet, request, "ecs", d) < 0)
		return -EINVAL;
	a->wrapped = a->subnet.family == 4 && strchr(text, ':') != NULL;
	return 0;
}

static int
read_overrides(struct account *a, const json_t *request, struct diag *d)
{
	json_t *overrides = json_object_get(request, "overrides"), *value;
	const char *name;
	static char up[] = "up", down[] = "down";

	if (overrides == NULL || json_is_null(overrides))
		return 0;
	if (!json_is_object(overrides))
		return diag_add(d, DIAG_INVALID, "overrides", "must be an object");
	json_object_foreach(overrides, name, value)
	{
		const char *verdict = json_string_value(value);

		if (verdict == NULL ||
		    (strcmp(verdict, "up") != 0 && strcmp(verdict, "down") != 0)) {
			diag_add(d, DIAG_INVALID, "overrides", "'%s' must be up or down", name);
			continue;
		}
		if (model_find(&a->tree->model, KIND_ADDRESS, name) == NULL)
			diag_add(
			    d, DIAG_INVALID, "overrides", "no address named '%s' exists", name);
		strmap_put(&a->verdicts, name, strcmp(verdict, "up") == 0 ? up : down);
	}
	return diag_failed(d) ? -EINVAL : 0;
}

static int
read_draws(struct account *a, const json_t *request, struct diag *d)
{
	const json_t *draws = json_object_get(request, "draws");
	const json_int_t n = json_integer_value(draws);

	if (draws == NULL || json_is_null(draws))
		return 0;
	if (!json_is_integer(draws) || n < 0 || n > DRAWS_MAX)
		return diag_add(d, DIAG_INVALID, "draws", "must be 0..%d", DRAWS_MAX);
	a->draws = (uint32_t)n;
	a->drawn = n > 0 ? json_object() : NULL;
	return 0;
}

/* -- the server's path: zone, node, overlay -- */

static void
tell_wildcard(struct account *a, const struct lookup *l)
{
	char name[NAME_TEXT_SIZE], wildcard[NAME_TEXT_SIZE];

	if (l->wildcard)
		explain_step(a, "name", "'%s' is covered by '%s'", name_text(a->qname, name),
		    name_text(l->node->name, wildcard));
}

/*
 * Whose plan answers; else the domain of that very name and type, which may steer under the
 * verdicts supposed though it does not now. NULL: nobody.
 */
static const struct live_domain *
find_domain(const struct account *a, const struct lookup *l)
{
	const struct steered *s = l->kind == LOOKUP_NAME ? l->node->overlay : NULL;
	char host[NAME_TEXT_SIZE], type[RRTYPE_TEXT_SIZE];
	char key[NAME_TEXT_SIZE + RRTYPE_TEXT_SIZE + 1];

	const struct steered_slot *slot = steered_answers(s, a->qtype);

	if (slot != NULL && slot->owner->o->kind == KIND_DOMAIN)
		return (const struct live_domain *)slot->owner;
	if (a->verdicts.count == 0 || l->kind == LOOKUP_DELEGATION || l->kind == LOOKUP_DNAME)
		return NULL;
	name_text(l->kind == LOOKUP_NAME ? l->node->name : a->qname, host);
	snprintf(key, sizeof(key), "%s/%s", host, rrtype_text(a->qtype, type));

	const struct model_object *o = model_find(&a->tree->model, KIND_DOMAIN, key);

	return o == NULL ? NULL : o->runtime;
}

/* Is the name there only because this one domain steers it? (Writer's thread: children count.) */
static bool
exists_by_steering(const struct lookup *l)
{
	const struct zone_node *n = l->node;

	return l->kind == LOOKUP_NAME && n->n_rrsets == 0 && n->n_children == 0 &&
	       steered_types(n->overlay) == 1;
}

/* A name that nobody steers any more is as if it had never been: what its siblings get. */
static void
explain_gone(struct account *a, const struct zone *z, const struct lookup *was)
{
	struct lookup l = { .kind = LOOKUP_NXDOMAIN };
	uint8_t sibling[NAME_MAX_LEN] = { 1, 0 };
	const uint8_t *above = name_skip(a->qname, 1);

	if (!was->wildcard) {
		memcpy(sibling + 2, above, name_len(above));
		lookup(z, sibling, a->qtype, &l);
	}
	explain_zone(a, &l);
}

static void
follow(struct account *a, const struct zones *zs)
{
	const struct zone *z = zones_find(zs, a->qname);
	struct lookup l;

	if (z == NULL) {
		a->rcode = "REFUSED";
		explain_step(a, "zone", "no hosted zone contains the name");
		return;
	}
	lookup(z, a->qname, a->qtype, &l);
	if (l.kind == LOOKUP_NAME)
		tell_wildcard(a, &l);

	const struct live_domain *d = find_domain(a, &l);

	if (d != NULL && explain_steered(a, d))
		return;
	if (d != NULL && exists_by_steering(&l))
		explain_gone(a, z, &l);
	else
		explain_zone(a, &l);
}

json_t *
explain(struct tree *t, const struct zones *zs, const json_t *request, struct diag *d)
{
	struct account a = { .tree = t, .rcode = "NOERROR", .line = LIVE_DEFAULT_LINE };
	json_t *reply = NULL;

	OBJ_CHECK(t, TREE_MAGIC);
	strmap_init(&a.verdicts);
	if (read_question(&a, request, d) == 0 &&
	    read_position(&a.client, request, "client", d) == 0 &&
	    read_subnet(&a, request, d) == 0 && read_overrides(&a, request, d) == 0 &&
	    read_draws(&a, request, d) == 0) {
		a.rdata = json_array();
		a.candidates = json_array();
		a.decision = json_array();
		follow(&a, zs);
		reply = finish(&a);
	}
	strmap_fini(&a.verdicts);
	return reply;
}
